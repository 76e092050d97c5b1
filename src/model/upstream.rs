//! Upstream providers, which MAS's configuration defines, and the links of accounts to them.

use sqlx::FromRow;

use super::{Id, StoredTime, Time};

/// An upstream provider. What MAS needs to prove to it who it is, is never read.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Provider {
    /// Its id.
    #[sqlx(rename = "upstream_oauth_provider_id")]
    pub id: Id,
    /// What people call it.
    pub human_name: Option<String>,
    /// Whose button it gets, such as `google`.
    pub brand_name: Option<String>,
    /// The issuer's URL, if it has one.
    pub issuer: Option<String>,
    /// The scopes that it is asked for, between spaces.
    pub scope: String,
    /// When MAS first found it in its configuration.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
    /// Since when it cannot be used.
    #[sqlx(try_from = "StoredTime")]
    pub disabled_at: Option<Time>,
}

/// The link of an account to an account at an upstream provider.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Link {
    /// Its id.
    #[sqlx(rename = "upstream_oauth_link_id")]
    pub id: Id,
    /// The provider.
    #[sqlx(rename = "upstream_oauth_provider_id")]
    pub provider_id: Id,
    /// What people call the provider, or its issuer. Not part of the row: who shows a link looks it up.
    #[sqlx(skip)]
    pub provider: Option<String>,
    /// Whose it is; nobody's after a login that was never finished.
    pub user_id: Option<Id>,
    /// The username of the account. Not part of the row: who shows a link looks it up.
    #[sqlx(skip)]
    pub user: Option<String>,
    /// Who the user is at the provider.
    pub subject: String,
    /// What people call the account at the provider.
    pub human_account_name: Option<String>,
    /// When it was made.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
}
