//! OAuth 2.0 clients.

use super::{Id, Time};

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// MAS's configuration defines it.
    Static,
    /// It has registered itself.
    Dynamic,
}

impl ClientKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Static, Self::Dynamic];

    /// The word that scripts, options and tables have for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Dynamic => "dynamic",
        }
    }
}

/// An OAuth 2.0 client, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Client {
    /// Its id, also its `client_id` in OAuth 2.0.
    pub id: Id,
    /// What it calls itself.
    pub name: Option<String>,
    /// Where it comes from.
    pub kind: ClientKind,
    /// `web` or `native`.
    pub application_type: Option<String>,
    /// Its home page.
    pub uri: Option<String>,
    /// To where a login may return.
    pub redirect_uris: Vec<String>,
    /// How it may get tokens.
    pub grant_types: Vec<&'static str>,
    /// How it proves who it is.
    pub auth_method: Option<String>,
    /// When it was registered; MAS does not know it of those of its configuration.
    pub created_at: Option<Time>,
}
