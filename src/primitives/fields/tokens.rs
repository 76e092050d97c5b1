//! The fields of tokens as lists show them.

use rhai::Dynamic;

use super::{Field, Fields, Secret, or_unit};
use crate::{
    model::{AccessToken, RegistrationToken},
    operations::tokens::RotatedToken,
};

fields!(AccessToken {
    "id" => |token| token.id.to_string().into(),
    "kind" => |token| token.kind.as_str().into(),
    "user_id" => |token| token.user_id.to_string().into(),
    "user" => |token| token.user.clone().into(),
    "name" => |token| or_unit(token.name.clone()),
    "device_id" => |token| or_unit(token.device_id.clone()),
    "valid" => |token| token.valid.into(),
    "created_at" => |token| Dynamic::from(token.created_at),
    "expires_at" => |token| or_unit(token.expires_at.map(Dynamic::from)),
    "revoked_at" => |token| or_unit(token.revoked_at.map(Dynamic::from)),
    "session_id" => |token| token.session_id.to_string().into(),
    "owner" => |token| or_unit(token.owner.clone()),
    "synapse_admin" => |token| token.synapse_admin.into(),
    "scope" => |token| or_unit(token.scope.clone()),
});

fields!(RegistrationToken {
    "id" => |token| token.id.to_string().into(),
    "token" => |token| token.token.clone().into(),
    "valid" => |token| token.valid.into(),
    "usage_limit" => |token| or_unit(token.usage_limit.map(i64::from)),
    "times_used" => |token| i64::from(token.times_used).into(),
    "created_at" => |token| Dynamic::from(token.created_at),
    "last_used_at" => |token| or_unit(token.last_used_at.map(Dynamic::from)),
    "expires_at" => |token| or_unit(token.expires_at.map(Dynamic::from)),
    "revoked_at" => |token| or_unit(token.revoked_at.map(Dynamic::from)),
});

fields!(RotatedToken {
    "token" => |rotated| Dynamic::from(Secret::made(rotated.token.clone())),
    "id" => |rotated| rotated.id.to_string().into(),
    "kind" => |rotated| rotated.kind.as_str().into(),
    "session_id" => |rotated| rotated.session_id.to_string().into(),
    "user" => |rotated| rotated.user.clone().into(),
    "device_id" => |rotated| or_unit(rotated.device_id.clone()),
    "expires_at" => |rotated| or_unit(rotated.expires_at.map(Dynamic::from)),
});
