//! Plain data as MAS stores it. Field names are those that scripts, JSON and tables show.

mod access_token;
mod client;
mod description;
mod password;
mod policy;
mod scope;
mod session;
mod stored_time;
mod token;
mod upstream;

use std::{fmt, str::FromStr};

use chrono::{DateTime, SubsecRound, Utc};
use email_address::{EmailAddress, Options};
use serde_json::Value;
use sqlx::FromRow;
use ulid::Ulid;
use uuid::Uuid;

pub use self::{
    access_token::{AccessKind, AccessToken, RegistrationToken},
    client::{Client, ClientKind},
    description::{AcceptedTerms, Activity, Address, Description, Part, PasswordState, ThirdPartyId, UpstreamAccount},
    password::{Password, PasswordScheme},
    policy::PolicyData,
    scope::{Scope, device_of_scope, device_scopes},
    session::{Session, SessionKind, is_synapse_admin},
    stored_time::StoredTime,
    token::{DEVICE_ID_LENGTH, REGISTRATION_TOKEN_LENGTH, TOKEN_RANDOM_LENGTH, TokenFormat, TokenKind},
    upstream::{Link, Provider},
};
use crate::error::{Code, Error};

/// A moment, in UTC, to the microsecond that the database keeps.
pub type Time = DateTime<Utc>;

/// Cuts a moment to whole microseconds, as MAS stores it: cut, not rounded.
#[must_use]
pub fn to_stored_precision(time: Time) -> Time {
    time.trunc_subsecs(6)
}

/// The identifier of a row: a ULID, held by the database in a `uuid` column as its 16 bytes, big-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Id(Uuid);

impl Id {
    /// The id of a row made at `time`: its upper 48 bits are the milliseconds, the lower 80 are `random`.
    ///
    /// MAS filters by creation time on the id alone, so `time` must be the row's `created_at`.
    #[must_use]
    pub fn new(time: Time, random: u128) -> Self {
        let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or_default();
        Self(Uuid::from_u128(Ulid::from_parts(milliseconds, random).0))
    }

    /// The smallest id: every other one is after it.
    #[must_use]
    pub const fn least() -> Self {
        Self(Uuid::nil())
    }

    /// The greatest id: every other one is before it.
    #[must_use]
    pub const fn greatest() -> Self {
        Self(Uuid::max())
    }

    /// The lower 64 bits as a signed number: the key of MAS's per-user advisory lock.
    #[must_use]
    pub fn lock_key(self) -> i64 {
        self.0.as_u64_pair().1.cast_signed()
    }
}

impl From<Id> for Uuid {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ulid(self.0.as_u128()).fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = NotUlid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // 26 characters of 5 bits hold two more than there are: they must be 0, which the decoder does not check.
        match Ulid::from_string(text) {
            Ok(ulid) if text.starts_with(|first| ('0'..='7').contains(&first)) => Ok(Self(Uuid::from_u128(ulid.0))),
            _ => Err(NotUlid),
        }
    }
}

/// A text is not a ULID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ULID has 26 characters of 0-9 and A-Z without I, L, O and U, the first at most 7")]
pub struct NotUlid;

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct User {
    /// Its id, also the `sub` claim of its tokens.
    #[sqlx(rename = "user_id")]
    pub id: Id,
    /// The localpart of its MXID.
    pub username: String,
    /// When it was registered.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
    /// Since when it may not log in.
    #[sqlx(try_from = "StoredTime")]
    pub locked_at: Option<Time>,
    /// Since when it is deactivated.
    #[sqlx(try_from = "StoredTime")]
    pub deactivated_at: Option<Time>,
    /// Whether it may ask for administrator scopes.
    #[sqlx(rename = "can_request_admin")]
    pub admin: bool,
    /// Whether it was imported as a guest of the homeserver.
    #[sqlx(rename = "is_guest")]
    pub guest: bool,
}

/// An e-mail address of an account. That it is there means that it is verified.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Email {
    /// Its id.
    #[sqlx(rename = "user_email_id")]
    pub id: Id,
    /// Whose it is.
    pub user_id: Id,
    /// The owner's username. Not part of the row: who shows an address looks it up.
    #[sqlx(skip)]
    pub user: Option<String>,
    /// The address as typed.
    pub email: String,
    /// When it was added.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
}

/// The statuses that MAS knows of a job. None is `lost` so far.
pub const JOB_STATUSES: [&str; 6] = ["available", "running", "completed", "lost", "failed", "scheduled"];

/// A piece of work for MAS's workers, or the trace of one.
#[derive(Clone, Debug, PartialEq, FromRow, serde::Serialize)]
pub struct Job {
    /// Its id. Workers take the least first.
    #[sqlx(rename = "queue_job_id")]
    pub id: Id,
    /// What kind of work it is: `provision-user`.
    #[sqlx(rename = "queue_name")]
    pub queue: String,
    /// The username of the account that it is about. Not part of the row: who shows a job looks it up.
    #[sqlx(skip)]
    pub user: Option<String>,
    /// What became of it, one of [`JOB_STATUSES`] unless MAS has new ones.
    pub status: String,
    /// How often it was tried before.
    pub attempt: i32,
    /// When it was queued.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
    /// Before when no worker takes it.
    #[sqlx(try_from = "StoredTime")]
    pub scheduled_at: Option<Time>,
    /// When a worker took it.
    #[sqlx(try_from = "StoredTime")]
    pub started_at: Option<Time>,
    /// The worker that took it.
    pub started_by: Option<Id>,
    /// When it was done.
    #[sqlx(try_from = "StoredTime")]
    pub completed_at: Option<Time>,
    /// When it failed.
    #[sqlx(try_from = "StoredTime")]
    pub failed_at: Option<Time>,
    /// Why it failed, cut to the first thousand characters.
    pub failed_reason: Option<String>,
    /// The job that tries the same again after this one failed.
    pub next_attempt_id: Option<Id>,
    /// The recurring schedule that queued it.
    pub schedule_name: Option<String>,
    /// What exactly is to be done.
    #[sqlx(try_from = "String")]
    pub payload: Payload,
}

impl Job {
    /// The account that it is about, if the payload names one.
    #[must_use]
    pub fn user_id(&self) -> Option<Id> {
        self.payload.user_id()
    }
}

/// A job that a worker has taken: as much of it as is needed to do it.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Task {
    /// The id of the job.
    #[sqlx(rename = "queue_job_id")]
    pub id: Id,
    /// What kind of work it is.
    #[sqlx(rename = "queue_name")]
    pub queue: String,
    /// How often it was tried before.
    pub attempt: i32,
    /// What exactly is to be done.
    #[sqlx(try_from = "String")]
    pub payload: Payload,
}

/// What a job is to do. One that is no JSON, or too large to be any that MAS writes, is a text.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct Payload(pub Value);

impl Payload {
    /// The account that the job is about, if it names one.
    #[must_use]
    pub fn user_id(&self) -> Option<Id> {
        self.0.get("user_id")?.as_str()?.parse().ok()
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

/// How many jobs of one queue have one status.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct JobCount {
    /// The queue.
    #[sqlx(rename = "queue_name")]
    pub queue: String,
    /// The status.
    pub status: String,
    /// How many.
    #[sqlx(rename = "jobs")]
    pub count: i64,
    /// When the oldest of them was queued.
    #[sqlx(try_from = "StoredTime")]
    pub oldest_at: Time,
}

/// The localpart of a username or of an MXID of the server `server_name`.
///
/// As mas-cli's register-user does, all leading `@` are dropped and the name ends at its first `:`; unlike there, what
/// follows must be this server.
///
/// # Errors
/// `user.foreign` if the MXID is of another server, `username.invalid` if nothing is left.
pub fn localpart(name: &str, server_name: &str) -> Result<String, Error> {
    let bare = name.trim_start_matches('@');
    let (localpart, server) = match bare.split_once(':') {
        Some((localpart, server)) => (localpart, Some(server)),
        None => (bare, None),
    };
    if let Some(server) = server.filter(|server| !server.eq_ignore_ascii_case(server_name)) {
        let message = format!("`{name}` is a user of `{server}`, not of this server, `{server_name}`");
        return Err(Error::new(Code::UserForeign, message)
            .help("Give the username alone, or the configuration of that server.")
            .data("server", server)
            .data("server_name", server_name));
    }
    if localpart.is_empty() {
        let error = Error::new(Code::UsernameInvalid, format!("`{name}` has no username in it"));
        return Err(error.help(format!("Write it as `alice` or `@alice:{server_name}`.")));
    }
    Ok(localpart.to_owned())
}

/// Refuses what is no e-mail address, with a sentence that says so. Neither display names nor quotes around it are
/// taken.
///
/// # Errors
/// The sentence.
pub fn check_email(text: &str) -> Result<(), String> {
    let options = Options::default()
        .without_display_text()
        .with_domain_literal()
        .with_no_minimum_sub_domains();
    EmailAddress::parse_with_options(text, options)
        .map(drop)
        .map_err(|error| {
            format!(
                "must be an e-mail address: {}",
                error.to_string().trim_end_matches('.').to_lowercase()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked pairs of MAS's format: ULID, `uuid` column, milliseconds, lock key.
    const PAIRS: [(&str, &str, i64, i64); 2] = [
        (
            "01GFWR28C4KNE04WG3HKXB7C9R",
            "0183f981-2184-9d5c-0272-038cfab3b138",
            1_666_338_333_060,
            176_207_239_457_255_736,
        ),
        (
            "01J1VQPJ8N5D3B7QZ2X9K4W6YE",
            "0190777b-4915-2b46-b3df-e2ea664e1bce",
            1_719_991_486_741,
            -5_485_416_324_747_355_186,
        ),
    ];

    #[test]
    fn an_id_is_a_ulid_in_the_bytes_of_a_uuid() {
        for (ulid, uuid, milliseconds, key) in PAIRS {
            let id: Id = ulid.parse().unwrap();
            assert_eq!(id.0.to_string(), uuid);
            assert_eq!(id.to_string(), ulid);
            assert_eq!(id.lock_key(), key);
            let time = DateTime::from_timestamp_millis(milliseconds).unwrap();
            assert_eq!(Id::new(time, id.0.as_u128()), id);
            assert_eq!(ulid.to_lowercase().parse::<Id>().unwrap(), id);
        }
        assert!("0183f981-2184-9d5c-0272-038cfab3b138".parse::<Id>().is_err());
        assert!("81GFWR28C4KNE04WG3HKXB7C9R".parse::<Id>().is_err(), "over 128 bits");
    }

    #[test]
    fn an_mxid_of_this_server_is_reduced_to_its_localpart() {
        for name in ["alice", "@alice", "@@alice", "@alice:example.com", "alice:Example.COM"] {
            assert_eq!(localpart(name, "example.com").unwrap(), "alice");
        }
        assert_eq!(localpart("Älice", "example.com").unwrap(), "Älice");
        assert_eq!(
            localpart("alice:example.com:8448", "example.com:8448").unwrap(),
            "alice"
        );
    }

    #[test]
    fn another_servers_mxid_and_an_empty_name_are_refused() {
        let error = localpart("@alice:example.org", "example.com").unwrap_err();
        assert_eq!(error.code(), Code::UserForeign);
        assert_eq!(
            error.message(),
            "`@alice:example.org` is a user of `example.org`, not of this server, `example.com`"
        );
        assert_eq!(
            localpart("alice:", "example.com").unwrap_err().code(),
            Code::UserForeign
        );
        for name in ["", "@", "@:example.com"] {
            assert_eq!(
                localpart(name, "example.com").unwrap_err().code(),
                Code::UsernameInvalid,
                "{name}"
            );
        }
    }

    #[test]
    fn times_are_cut_to_microseconds() {
        let time = DateTime::from_timestamp_nanos(1_999_999_999);
        assert_eq!(to_stored_precision(time).timestamp_subsec_nanos(), 999_999_000);
    }
}
