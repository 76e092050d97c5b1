//! The fields of what concerns all of MAS: data of its policy, and its site.

use rhai::Dynamic;

use super::{Field, Fields, or_unit};
use crate::{model::PolicyData, operations::site::Site};

fields!(PolicyData {
    "id" => |policy| policy.id.to_string().into(),
    "created_at" => |policy| Dynamic::from(policy.created_at),
    "data" => |policy| rhai::serde::to_dynamic(&policy.data).unwrap_or_default(),
});

fields!(Site {
    "server_name" => |site| or_unit(site.server_name.clone()),
    "homeserver_kind" => |site| or_unit(site.homeserver_kind),
    "homeserver_endpoint" => |site| or_unit(site.homeserver_endpoint.clone()),
    "passwords_enabled" => |site| site.passwords_enabled.into(),
    "minimum_complexity" => |site| i64::from(site.minimum_complexity).into(),
    "store" => |site| site.store.clone().into(),
    "newest_migration" => |site| or_unit(site.newest_migration),
    "mas_version" => |site| or_unit(site.mas_version),
    "masctl_version" => |site| site.masctl_version.into(),
});
