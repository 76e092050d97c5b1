//! The fields of what the homeserver knows of a user.

use super::{
    Field, Fields,
    shape::{Shape, kind_of},
};
use crate::homeserver::Account;

fields!(Account {
    /// Its name with the server.
    "mxid" => |account| account.user_id.clone(),
    /// The name that others see.
    "display_name" => |account| account.display_name.clone(),
    /// Where its picture is.
    "avatar_url" => |account| account.avatar_url.clone(),
    /// Whether an administrator of the homeserver keeps it from writing.
    "suspended" => |account| account.suspended,
    /// Whether it is deactivated there.
    "deactivated" => |account| account.deactivated,
});
