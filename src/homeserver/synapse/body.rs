//! What Synapse's API for MAS is sent, and what of its answers is read.
//!
//! What shall stay as it is, is left out: Synapse refuses a body that has a field both set and unset, whatever their values.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::homeserver::{Account, Provisioning, Setting};

#[derive(Serialize)]
pub(super) struct Provision<'a> {
    localpart: &'a str,
    locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_displayname: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    unset_displayname: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_avatar_url: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    unset_avatar_url: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_emails: Option<&'a [String]>,
}

impl<'a> From<&Provisioning<'a>> for Provision<'a> {
    fn from(user: &Provisioning<'a>) -> Self {
        let value = |setting| match setting {
            Setting::Set(value) => Some(value),
            Setting::Keep | Setting::Unset => None,
        };
        Self {
            localpart: user.localpart,
            locked: user.locked,
            set_displayname: value(user.display_name),
            unset_displayname: user.display_name == Setting::Unset,
            set_avatar_url: value(user.avatar_url),
            unset_avatar_url: user.avatar_url == Setting::Unset,
            set_emails: user.emails,
        }
    }
}

#[derive(Serialize)]
pub(super) struct OfUser<'a> {
    pub(super) localpart: &'a str,
}

#[derive(Serialize)]
pub(super) struct OfDevice<'a> {
    pub(super) localpart: &'a str,
    pub(super) device_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct AllDevices<'a> {
    pub(super) localpart: &'a str,
    pub(super) devices: &'a BTreeSet<String>,
}

#[derive(Serialize)]
pub(super) struct Deletion<'a> {
    pub(super) localpart: &'a str,
    pub(super) erase: bool,
}

/// In this call the field has no underscore.
#[derive(Serialize)]
pub(super) struct DisplayName<'a> {
    pub(super) localpart: &'a str,
    pub(super) displayname: &'a str,
}

/// What `query_user` answers.
#[derive(Deserialize)]
pub(super) struct Queried {
    user_id: String,
    display_name: Option<String>,
    avatar_url: Option<String>,
    is_suspended: bool,
    is_deactivated: bool,
}

impl From<Queried> for Account {
    fn from(queried: Queried) -> Self {
        Self {
            user_id: queried.user_id,
            display_name: queried.display_name,
            avatar_url: queried.avatar_url,
            suspended: queried.is_suspended,
            deactivated: queried.is_deactivated,
        }
    }
}

// serde hands over a reference.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !flag
}
