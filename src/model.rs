//! Plain data as MAS stores it. Field names are those that scripts, JSON and tables show.

mod access_token;
mod client;
mod description;
mod id;
mod job;
pub mod moment;
mod password;
mod policy;
mod scope;
mod session;
mod stored_time;
mod token;
mod upstream;

use chrono::{DateTime, SubsecRound, Utc};
use email_address::{EmailAddress, Options};
use sqlx::FromRow;

pub use self::{
    access_token::{AccessKind, AccessToken, RegistrationToken},
    client::{Client, ClientKind},
    description::{AcceptedTerms, Activity, Address, Description, Part, PasswordState, ThirdPartyId, UpstreamAccount},
    id::{Id, NotUlid},
    job::{JOB_STATUSES, Job, JobCount, Payload, Task},
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
