//! Sessions: who is logged in, with what, and since when.

use super::{Id, Time};
use crate::error::{Code, Error};

/// The scope with which a session may use Synapse's admin API.
const SYNAPSE_ADMIN_SCOPE: &str = "urn:synapse:admin:*";

/// A kind of session. Each has a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// A browser at MAS's own pages.
    Browser,
    /// A Matrix client that logged in the old way.
    Compatibility,
    /// A client that logged in by OAuth 2.0.
    OAuth,
    /// A personal access token's.
    Personal,
}

impl SessionKind {
    /// Every kind, in the order of help.
    pub const ALL: [Self; 4] = [Self::Browser, Self::Compatibility, Self::OAuth, Self::Personal];

    /// The word that scripts, options and tables have for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Compatibility => "compatibility",
            Self::OAuth => "oauth",
            Self::Personal => "personal",
        }
    }

    /// The word that sentences have for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OAuth => "OAuth 2.0",
            Self::Browser | Self::Compatibility | Self::Personal => self.as_str(),
        }
    }

    /// What one session of this kind is called, after its table.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Compatibility => "compat_session",
            Self::OAuth => "oauth2_session",
            Self::Browser => "user_session",
            Self::Personal => "personal_session",
        }
    }

    /// The column that says when a session of this kind ended.
    #[must_use]
    pub const fn end(self) -> &'static str {
        match self {
            Self::Personal => "revoked_at",
            Self::Compatibility | Self::OAuth | Self::Browser => "finished_at",
        }
    }

    /// Whether sessions of this kind hold devices on the homeserver.
    #[must_use]
    pub const fn has_devices(self) -> bool {
        !matches!(self, Self::Browser)
    }
}

impl TryFrom<String> for SessionKind {
    type Error = Error;

    /// # Errors
    /// `value.invalid`.
    fn try_from(word: String) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| Error::new(Code::ValueInvalid, format!("There is no kind of session `{word}`")))
    }
}

/// A session of any kind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Session {
    /// Its id.
    pub id: Id,
    /// What kind of session it is.
    pub kind: SessionKind,
    /// As whom it acts; nobody for a client that acts for itself.
    pub user_id: Option<Id>,
    /// The username of that account. Not part of the row: who shows a session looks it up.
    pub user: Option<String>,
    /// The client that logged in, or to which a personal session belongs.
    pub client_id: Option<Id>,
    /// What that client is called. Not part of the row, as the username.
    pub client: Option<String>,
    /// The device that it holds on the homeserver.
    pub device_id: Option<String>,
    /// What it may do, as OAuth 2.0 writes it.
    pub scope: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it may use Synapse's admin API.
    pub synapse_admin: bool,
    /// To whom a personal session belongs, if that is another account than it acts as.
    pub owner_id: Option<Id>,
    /// The username of that account. Not part of the row.
    pub owner: Option<String>,
    /// When it began.
    pub created_at: Time,
    /// When it ended, or was revoked.
    pub finished_at: Option<Time>,
    /// When it was last used, to about a minute.
    pub last_active_at: Option<Time>,
    /// From where it was last used.
    pub last_active_ip: Option<String>,
    /// What the client said that it is.
    pub user_agent: Option<String>,
}

impl Session {
    /// Whether it acts as this account or belongs to it: whether it is one of those that end with the account's.
    #[must_use]
    pub fn is_of(&self, user: Id) -> bool {
        self.user_id == Some(user) || self.owner_id == Some(user)
    }
}

/// Whether a session with these scope tokens may use Synapse's admin API.
#[must_use]
pub fn is_synapse_admin(tokens: &[String]) -> bool {
    tokens.iter().any(|token| token == SYNAPSE_ADMIN_SCOPE)
}
