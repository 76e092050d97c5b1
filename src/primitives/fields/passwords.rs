//! The fields of what can be said of passwords. The hash is none of them.

use rhai::Dynamic;

use super::{Field, Fields, or_unit};
use crate::model::{Password, PasswordScheme};

fields!(Password {
    "version" => |password| i64::from(password.version).into(),
    "algorithm" => |password| or_unit(password.algorithm),
    "hashed_as" => |password| or_unit(password.hashed_as),
    "created_at" => |password| Dynamic::from(password.created_at),
    "age" => |password| password.age.into(),
    "earlier" => |password| password.earlier.into(),
});

fields!(PasswordScheme {
    "enabled" => |scheme| scheme.enabled.into(),
    "version" => |scheme| or_unit(scheme.version.map(i64::from)),
    "algorithm" => |scheme| or_unit(scheme.algorithm),
    "unicode_normalization" => |scheme| or_unit(scheme.unicode_normalization),
    "pepper" => |scheme| or_unit(scheme.pepper),
    "minimum_complexity" => |scheme| i64::from(scheme.minimum_complexity).into(),
});
