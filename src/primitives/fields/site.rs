//! The fields of what concerns all of MAS: data of its policy, and its site.

use super::{
    Field, Fields,
    shape::{Shape, kind_of},
};
use crate::{model::PolicyData, operations::site::Site};

fields!(PolicyData {
    /// Its ULID.
    "id" => |policy| policy.id.to_string(),
    /// When it was set.
    "created_at" => |policy| policy.created_at,
    /// The JSON object.
    "data" => |policy| rhai::serde::to_dynamic(&policy.data).unwrap_or_default(),
});

fields!(Site {
    /// The part of MXIDs after the colon, if the configuration says it.
    "server_name" => |site| site.server_name.clone(),
    /// How the homeserver is spoken to; `()` if there is none.
    "homeserver_kind" => |site| site.homeserver_kind,
    /// Where MAS reaches the homeserver.
    "homeserver_endpoint" => |site| site.homeserver_endpoint.clone(),
    /// Whether people have passwords.
    "passwords_enabled" => |site| site.passwords_enabled,
    /// How strong a new password must be, from 0 to 4.
    "minimum_complexity" => |site| i64::from(site.minimum_complexity),
    /// The store, without user and password.
    "store" => |site| site.store.clone(),
    /// The newest migration of MAS's that is applied; `()` on a store of masctl's own.
    "newest_migration" => |site| site.newest_migration,
    /// The MAS that has migrated the database, if it is the one that masctl was tested with.
    "mas_version" => |site| site.mas_version,
    /// The version of masctl.
    "masctl_version" => |site| site.masctl_version,
});
