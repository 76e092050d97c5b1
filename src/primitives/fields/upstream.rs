//! The fields of upstream providers, and of the links to them.

use super::{
    Field, Fields,
    shape::{Shape, kind_of},
};
use crate::model::{Link, Provider};

fields!(Provider {
    /// Its ULID.
    "id" => |provider| provider.id.to_string(),
    /// What people call it.
    "human_name" => |provider| provider.human_name.clone(),
    /// Whose button it gets, such as `google`.
    "brand_name" => |provider| provider.brand_name.clone(),
    /// The URL of its issuer.
    "issuer" => |provider| provider.issuer.clone(),
    /// The scopes that it is asked for, between spaces.
    "scope" => |provider| provider.scope.clone(),
    /// When MAS first found it in its configuration.
    "created_at" => |provider| provider.created_at,
    /// When it was disabled.
    "disabled_at" => |provider| provider.disabled_at,
});

fields!(Link {
    /// Its ULID.
    "id" => |link| link.id.to_string(),
    /// The ULID of the upstream provider.
    "provider_id" => |link| link.provider_id.to_string(),
    /// What people call the provider, or its issuer.
    "provider" => |link| link.provider.clone(),
    /// The ULID of the account; `()` after a login that was never finished.
    "user_id" => |link| link.user_id.map(|id| id.to_string()),
    /// The username of the account.
    "user" => |link| link.user.clone(),
    /// Who it is at the provider.
    "subject" => |link| link.subject.clone(),
    /// What people call the account at the provider.
    "human_account_name" => |link| link.human_account_name.clone(),
    /// When it was made.
    "created_at" => |link| link.created_at,
});
