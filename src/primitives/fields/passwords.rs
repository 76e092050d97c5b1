//! The fields of what can be said of passwords. The hash is none of them.

use super::{
    Field, Fields,
    shape::{Shape, kind_of},
};
use crate::model::{Password, PasswordScheme};

fields!(Password {
    /// The version of the scheme that made it.
    "version" => |password| i64::from(password.version),
    /// The algorithm that the configuration gives to this version.
    "algorithm" => |password| password.algorithm,
    /// The algorithm that the hash itself names, if MAS knows it.
    "hashed_as" => |password| password.hashed_as,
    /// When it was set.
    "created_at" => |password| password.created_at,
    /// How many seconds ago that was.
    "age" => |password| password.age,
    /// How many earlier hashes of the account are kept.
    "earlier" => |password| password.earlier,
});

fields!(PasswordScheme {
    /// Whether passwords are enabled.
    "enabled" => |scheme| scheme.enabled,
    /// The version of the scheme; `()` where passwords are disabled.
    "version" => |scheme| scheme.version.map(i64::from),
    /// The algorithm.
    "algorithm" => |scheme| scheme.algorithm,
    /// Whether a password is brought to NFKC first.
    "unicode_normalization" => |scheme| scheme.unicode_normalization,
    /// Whether there is a pepper, which is never shown.
    "pepper" => |scheme| scheme.pepper,
    /// How strong a new password must be, from 0 to 4.
    "minimum_complexity" => |scheme| i64::from(scheme.minimum_complexity),
});
