//! An account with all that belongs to it.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::{Id, StoredTime, Time, User};

/// What there is to say about one account, as far as it may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The account.
    pub user: User,
    /// Its name among all servers, if the configuration names this one.
    pub mxid: Option<String>,
    /// Its e-mail addresses, oldest first.
    pub emails: Part<Vec<Address>>,
    /// Addresses of other kinds that were imported with it, of which MAS makes nothing.
    pub third_party_ids: Part<Vec<ThirdPartyId>>,
    /// Its current password, if it has one.
    pub password: Part<Option<PasswordState>>,
    /// How many active sessions of each kind it has, and when it was last active.
    pub sessions: Part<Activity>,
    /// The upstream accounts that it is linked to, oldest link first.
    pub links: Part<Vec<UpstreamAccount>>,
    /// The terms that its owner accepted, oldest first.
    pub terms: Vec<AcceptedTerms>,
    /// How many jobs about it wait, run, or failed for good, by their status.
    pub jobs: Part<BTreeMap<&'static str, i64>>,
}

/// A part of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<T> {
    /// It may not be read.
    Withheld,
    /// It was read.
    Read(T),
}

/// What there is to say of an e-mail address of the account at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address as typed.
    pub email: String,
    /// When it was added.
    pub created_at: Time,
}

/// An address of another kind than MAS knows, such as a telephone number.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ThirdPartyId {
    /// What kind it is: `msisdn`.
    pub medium: String,
    /// The address.
    pub address: String,
    /// When it was added.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
}

/// What there is to say of the account's password, whether or not masctl has the configuration that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordState {
    /// When it was set.
    pub created_at: Time,
    /// The version of the scheme that hashed it.
    pub version: i32,
    /// The algorithm that the hash names, if it is one of MAS's.
    pub algorithm: Option<&'static str>,
    /// How many whole days ago it was set.
    pub age_days: i64,
}

/// The sessions of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// How many are active, by their kind.
    pub active: BTreeMap<&'static str, i64>,
    /// When one of any kind, be it over or not, was last active.
    pub last_active_at: Option<Time>,
}

/// An account at an upstream provider that the account at hand is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAccount {
    /// The id of the link.
    pub id: Id,
    /// The provider.
    pub provider_id: Id,
    /// What people call the provider, or its issuer, if that may be read.
    pub provider: Option<String>,
    /// Who the user is at the provider.
    pub subject: String,
    /// What people call the account at the provider.
    pub human_account_name: Option<String>,
    /// When it was linked.
    pub created_at: Time,
}

/// Terms that the owner of an account accepted.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AcceptedTerms {
    /// Where they are.
    #[sqlx(rename = "terms_url")]
    pub url: String,
    /// When.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
}
