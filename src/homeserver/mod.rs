//! The homeserver that MAS serves: what masctl asks of it and does on it.

mod account;
mod failure;
mod fake;
mod legacy;
mod none;
mod synapse;
mod transport;

use std::{collections::BTreeSet, fmt, sync::Arc};

use async_trait::async_trait;

pub use self::transport::place;
pub use self::{
    account::{Account, Provisioning, Setting},
    fake::{FakeAccount, FakeHomeserver},
    legacy::LegacySynapse,
    none::NoHomeserver,
    synapse::Synapse,
    transport::Limits,
};
use crate::{
    config::{Configuration, Database, HomeserverKind, Matrix},
    error::Result,
};

/// The most bytes of an MXID.
const MXID_LIMIT: usize = 255;

/// Whether a new user can have a username.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Available,
    /// It cannot. Why, as a part of a sentence: `the homeserver has a user of this name`.
    Unavailable(String),
}

/// What masctl asks of a homeserver. Every call may be repeated: done twice, it leaves what it leaves done once.
///
/// # Errors
/// Each fails with one of these codes, of which none means that nothing was done, unless it says so:
///
/// - `homeserver.unreachable`: no connection, no answer in time, or the connection was lost before the answer;
/// - `homeserver.refused`: the homeserver does not take the secret; nothing was done;
/// - `homeserver.failed`: the homeserver answered with an error, or not as a homeserver does. Where a user must exist
///   and does not, too: the message names it;
/// - `homeserver.unsupported`: the configured kind of homeserver cannot do this; nothing was sent;
/// - `config.invalid`: the secret cannot be sent; nothing was sent.
#[async_trait]
pub trait Homeserver: fmt::Debug + Send + Sync {
    /// Whether a new user can have this localpart. Waits only a short time for the answer.
    async fn is_localpart_available(&self, localpart: &str) -> Result<Availability>;

    /// What the homeserver knows of a user. None if it has none of this localpart, in exactly these letters.
    async fn query_user(&self, localpart: &str) -> Result<Option<Account>>;

    /// Makes a user, or tells the homeserver of changes to one. Also of one that is deactivated there, which it stays.
    ///
    /// Returns whether the user is new to the homeserver. After a lost connection it may be said not to be, although
    /// this call made it.
    async fn provision_user(&self, user: &Provisioning<'_>) -> Result<bool>;

    /// Makes a device of a user, or renames the one of this id. Without a name, one that it has is kept.
    async fn upsert_device(&self, localpart: &str, device_id: &str, display_name: Option<&str>) -> Result<()>;

    /// Renames a device that exists.
    async fn update_device_display_name(&self, localpart: &str, device_id: &str, display_name: &str) -> Result<()>;

    /// Removes a device, if the user has it.
    async fn delete_device(&self, localpart: &str, device_id: &str) -> Result<()>;

    /// Makes these the devices of a user: makes those that it lacks, removes all others. Waits longer the more there
    /// are.
    async fn sync_devices(&self, localpart: &str, devices: &BTreeSet<String>) -> Result<()>;

    /// Deactivates a user: its devices and addresses are gone, its localpart stays taken. With `erase`, its profile
    /// goes too, and new members of its rooms do not see what it wrote.
    async fn delete_user(&self, localpart: &str, erase: bool) -> Result<()>;

    /// Makes a deactivated user an active one. What the deactivation removed does not come back.
    async fn reactivate_user(&self, localpart: &str) -> Result<()>;

    /// Sets the name that others see.
    async fn set_display_name(&self, localpart: &str, display_name: &str) -> Result<()>;

    /// Removes the name that others see.
    async fn unset_display_name(&self, localpart: &str) -> Result<()>;

    /// Lets the user replace its cross-signing keys without proving again who it is, for a few minutes.
    async fn allow_cross_signing_reset(&self, localpart: &str) -> Result<()>;

    /// Whether there is a homeserver behind this. If not, deeds on it do nothing, and the caller says so.
    fn connected(&self) -> bool;
}

/// Why no Synapse has a user of this localpart, or would make one, if masctl can tell without asking.
fn impossible(localpart: &str) -> Option<String> {
    if !localpart.is_ascii() {
        Some("it has characters that are not ASCII".to_owned())
    } else if localpart.len() > MXID_LIMIT {
        Some(format!("its MXID is longer than {MXID_LIMIT} bytes"))
    } else {
        None
    }
}

/// The client that the configuration asks for. Opens nothing: that is left to the first call.
#[must_use]
pub fn connect(matrix: &Matrix) -> Arc<dyn Homeserver> {
    match matrix.kind {
        HomeserverKind::Synapse => Arc::new(Synapse::new(matrix, Limits::default())),
        HomeserverKind::SynapseReadOnly => Arc::new(Synapse::read_only(matrix, Limits::default())),
        HomeserverKind::SynapseLegacy => Arc::new(LegacySynapse::new(matrix, Limits::default())),
    }
}

/// The homeserver of a store. That of a SQLite store has to be configured with its secret: without, the store stands
/// alone.
///
/// # Errors
/// `config.missing`, `config.invalid`, `file.unreadable`.
pub fn of(configuration: &Configuration, database: &Database) -> Result<Arc<dyn Homeserver>> {
    match database {
        Database::Embedded(_) | Database::Sqlite(_) if !configuration.has_homeserver_secret()? => {
            Ok(Arc::new(NoHomeserver::new(configuration.server_name()?)))
        }
        _ => Ok(connect(&configuration.matrix()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_chooses_the_client() {
        for (kind, client) in [
            (HomeserverKind::Synapse, "read_only: false"),
            (HomeserverKind::SynapseReadOnly, "read_only: true"),
            (HomeserverKind::SynapseLegacy, "LegacySynapse"),
        ] {
            let homeserver = connect(&Matrix {
                kind,
                homeserver: "example.com".to_owned(),
                endpoint: "http://localhost:8008/".parse().unwrap(),
                secret: "correct-horse".into(),
            });
            assert!(homeserver.connected());
            let shown = format!("{homeserver:?}");
            assert!(shown.contains(client), "{shown}");
            assert!(!shown.contains("correct-horse"), "{shown}");
        }
    }
}
