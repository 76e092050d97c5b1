//! What a homeserver knows of a user, and what it is told.

use crate::model::Id;

/// A user, as the homeserver knows it. Its texts are the homeserver's: they may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The MXID.
    pub user_id: String,
    /// The name that others see; none if it was never set or is unset.
    pub display_name: Option<String>,
    /// Where its picture is.
    pub avatar_url: Option<String>,
    /// Whether an administrator of the homeserver keeps it from writing.
    pub suspended: bool,
    /// Whether it is deactivated there.
    pub deactivated: bool,
}

/// What becomes of one field of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting<'a> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It gets this value.
    Set(&'a str),
    /// It loses its value.
    Unset,
}

impl<'a> From<Option<&'a str>> for Setting<'a> {
    /// Without a value the field stays as it is.
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

/// What the homeserver is told of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provisioning<'a> {
    /// The username.
    pub localpart: &'a str,
    /// The id of the user in MAS, its `sub`. Only the legacy kind sends it.
    pub sub: Id,
    /// Whether the user is locked. The legacy kind cannot send it.
    pub locked: bool,
    /// All addresses of the user; they replace those that the homeserver has. None leaves those alone.
    pub emails: Option<&'a [String]>,
    /// The name that others see.
    pub display_name: Setting<'a>,
    /// Where the picture is.
    pub avatar_url: Setting<'a>,
}

impl<'a> Provisioning<'a> {
    /// Tells only that the user exists, and whether it is locked. For the rest: `Provisioning { emails, ..this }`.
    #[must_use]
    pub const fn new(localpart: &'a str, sub: Id, locked: bool) -> Self {
        Self {
            localpart,
            sub,
            locked,
            emails: None,
            display_name: Setting::Keep,
            avatar_url: Setting::Keep,
        }
    }
}
