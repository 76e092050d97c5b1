//! The fields of tokens as lists show them.

use super::{
    Field, Fields, Secret,
    shape::{Shape, kind_of},
};
use crate::{
    model::{AccessToken, RegistrationToken},
    operations::tokens::RotatedToken,
};

fields!(AccessToken {
    /// Its ULID.
    "id" => |token| token.id.to_string(),
    /// `compatibility` or `personal`.
    "kind" => |token| token.kind.as_str(),
    /// The ULID of the account as whom it acts.
    "user_id" => |token| token.user_id.to_string(),
    /// The username of the account.
    "user" => |token| token.user.clone(),
    /// What people call its session.
    "name" => |token| token.name.clone(),
    /// The device of its session.
    "device_id" => |token| token.device_id.clone(),
    /// Whether MAS accepts it now.
    "valid" => |token| token.valid,
    /// When it was issued.
    "created_at" => |token| token.created_at,
    /// Until when it is valid; `()` is for ever.
    "expires_at" => |token| token.expires_at,
    /// When it was revoked, or its session ended.
    "revoked_at" => |token| token.revoked_at,
    /// The ULID of its session.
    "session_id" => |token| token.session_id.to_string(),
    /// The username of who made it, if it is a personal token.
    "owner" => |token| token.owner.clone(),
    /// Whether it may use the admin API of Synapse.
    "synapse_admin" => |token| token.synapse_admin,
    /// What a personal token may do: scopes between spaces.
    "scope" => |token| token.scope.clone(),
});

fields!(RegistrationToken {
    /// Its ULID.
    "id" => |token| token.id.to_string(),
    /// The text with which people register.
    "token" => |token| token.token.clone(),
    /// Whether it can be used now.
    "valid" => |token| token.valid,
    /// How often it can be used; `()` is without limit.
    "usage_limit" => |token| token.usage_limit.map(i64::from),
    /// How often it was used.
    "times_used" => |token| i64::from(token.times_used),
    /// When it was issued.
    "created_at" => |token| token.created_at,
    /// When it was last used.
    "last_used_at" => |token| token.last_used_at,
    /// Until when it is valid; `()` is for ever.
    "expires_at" => |token| token.expires_at,
    /// When it was revoked.
    "revoked_at" => |token| token.revoked_at,
});

fields!(RotatedToken {
    /// The token itself, shown once.
    "token" => |rotated| Secret::made(rotated.token.clone()),
    /// Its ULID.
    "id" => |rotated| rotated.id.to_string(),
    /// `compatibility` or `personal`.
    "kind" => |rotated| rotated.kind.as_str(),
    /// The ULID of its session.
    "session_id" => |rotated| rotated.session_id.to_string(),
    /// The username of the account.
    "user" => |rotated| rotated.user.clone(),
    /// The Matrix device.
    "device_id" => |rotated| rotated.device_id.clone(),
    /// Until when it is valid; `()` is for ever.
    "expires_at" => |rotated| rotated.expires_at,
});
