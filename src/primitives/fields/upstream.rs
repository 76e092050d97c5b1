//! The fields of upstream providers, and of the links to them.

use rhai::Dynamic;

use super::{Field, Fields, or_unit};
use crate::model::{Link, Provider};

fields!(Provider {
    "id" => |provider| provider.id.to_string().into(),
    "human_name" => |provider| or_unit(provider.human_name.clone()),
    "brand_name" => |provider| or_unit(provider.brand_name.clone()),
    "issuer" => |provider| or_unit(provider.issuer.clone()),
    "scope" => |provider| provider.scope.clone().into(),
    "created_at" => |provider| Dynamic::from(provider.created_at),
    "disabled_at" => |provider| or_unit(provider.disabled_at.map(Dynamic::from)),
});

fields!(Link {
    "id" => |link| link.id.to_string().into(),
    "provider_id" => |link| link.provider_id.to_string().into(),
    "provider" => |link| or_unit(link.provider.clone()),
    "user_id" => |link| or_unit(link.user_id.map(|id| id.to_string())),
    "user" => |link| or_unit(link.user.clone()),
    "subject" => |link| link.subject.clone().into(),
    "human_account_name" => |link| or_unit(link.human_account_name.clone()),
    "created_at" => |link| Dynamic::from(link.created_at),
});
