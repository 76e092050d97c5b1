//! Tokens as lists show them: without their text, but for that of a registration token, which is there to be given away.

use sqlx::FromRow;

use super::{Id, SessionKind, StoredTime, Time};
use crate::error::{Code, Error};

/// The kind of an access token that masctl issues, lists, revokes and rotates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// Of a Matrix client or bot, in a compatibility session.
    Compatibility,
    /// A personal access token, in a personal session.
    Personal,
}

impl AccessKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Compatibility, Self::Personal];

    /// The kind of the sessions that its tokens are of.
    #[must_use]
    pub const fn session(self) -> SessionKind {
        match self {
            Self::Compatibility => SessionKind::Compatibility,
            Self::Personal => SessionKind::Personal,
        }
    }

    /// The word that scripts, options and tables have for it: that of its sessions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.session().as_str()
    }
}

impl TryFrom<String> for AccessKind {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        known.ok_or_else(|| Error::new(Code::Bug, format!("There is no kind `{name}` of access tokens")))
    }
}

/// An access token: where it belongs and how long it is valid, never its text or its hash.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AccessToken {
    /// Its id.
    pub id: Id,
    /// Its kind.
    #[sqlx(try_from = "String")]
    pub kind: AccessKind,
    /// The session that it belongs to.
    pub session_id: Id,
    /// As whom it acts.
    pub user_id: Id,
    /// The username of that account.
    pub user: String,
    /// The username of who made it, if it is a personal token of a user: mostly the same.
    pub owner: Option<String>,
    /// The device of its session.
    pub device_id: Option<String>,
    /// What people call its session.
    pub name: Option<String>,
    /// What a personal token may do: scopes between spaces.
    pub scope: Option<String>,
    /// Whether it has Synapse's administrator API: a personal token by its scope.
    pub synapse_admin: bool,
    /// When it was made.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
    /// When it expires.
    #[sqlx(try_from = "StoredTime")]
    pub expires_at: Option<Time>,
    /// When it was revoked, or its session ended.
    #[sqlx(try_from = "StoredTime")]
    pub revoked_at: Option<Time>,
    /// Whether MAS accepts it: it is not revoked and has not expired, and nobody whose it is, is locked or deactivated.
    pub valid: bool,
}

/// A registration token.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct RegistrationToken {
    /// Its id.
    pub id: Id,
    /// Its text. Nothing that is changed is recorded with it.
    #[serde(skip)]
    pub token: String,
    /// How often it can be used; without limit if there is none.
    pub usage_limit: Option<i32>,
    /// How often it was used.
    pub times_used: i32,
    /// When it was made.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
    /// When it was used last.
    #[sqlx(try_from = "StoredTime")]
    pub last_used_at: Option<Time>,
    /// When it expires.
    #[sqlx(try_from = "StoredTime")]
    pub expires_at: Option<Time>,
    /// When it was revoked.
    #[sqlx(try_from = "StoredTime")]
    pub revoked_at: Option<Time>,
    /// Whether somebody could register with it: it follows from the rest.
    #[serde(skip)]
    pub valid: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_by_the_names_that_scripts_see() {
        for (name, kind) in [
            ("compatibility", AccessKind::Compatibility),
            ("personal", AccessKind::Personal),
        ] {
            assert_eq!(kind.as_str(), name);
            assert_eq!(AccessKind::try_from(name.to_owned()).unwrap(), kind);
        }
        assert!(AccessKind::try_from("oauth".to_owned()).is_err());
    }
}
