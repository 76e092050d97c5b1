//! What MAS and masctl are set to, as far as masctl knows: nothing of it is secret.

use super::Run;
use crate::{
    error::{Code, Result},
    storage::schema::{self, Status},
};

/// The site that masctl works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The part of MXIDs after the colon, if the configuration says it.
    pub server_name: Option<String>,
    /// How the homeserver is spoken to, one of the values of `matrix.kind`; nothing if there is none.
    pub homeserver_kind: Option<&'static str>,
    /// Where MAS reaches the homeserver.
    pub homeserver_endpoint: Option<String>,
    /// Whether people have passwords.
    pub passwords_enabled: bool,
    /// How strong a new password must be, from 0 to 4.
    pub minimum_complexity: u8,
    /// The store, without user and password.
    pub store: String,
    /// The newest migration of MAS's that is applied; nothing on a store of masctl's own.
    pub newest_migration: Option<i64>,
    /// The MAS that has migrated the database, if it is the one that masctl was tested with.
    pub mas_version: Option<&'static str>,
    /// The version of masctl.
    pub masctl_version: &'static str,
}

/// Reads the configuration and the schema.
///
/// # Errors
/// `config.invalid`, and those of the store.
pub async fn config(run: &Run) -> Result<Site> {
    let configuration = run.configuration();
    let server_name = match configuration.server_name() {
        Err(error) if error.code() == Code::ConfigMissing => None,
        named => Some(named?),
    };
    let (homeserver_kind, homeserver_endpoint) = configuration.homeserver_place()?.unzip();
    let (passwords_enabled, minimum_complexity) = configuration.password_rules()?;
    let status = run.read(async |store| schema::status(store).await).await?;
    let (newest_migration, mas_version) = match status {
        Status::Mas(schema) => (Some(schema.newest), schema.version()),
        Status::Embedded { .. } => (None, None),
    };
    Ok(Site {
        server_name,
        homeserver_kind: homeserver_kind.map(crate::config::HomeserverKind::as_str),
        homeserver_endpoint: homeserver_endpoint.map(String::from),
        passwords_enabled,
        minimum_complexity,
        store: run.database().label(),
        newest_migration,
        mas_version,
        masctl_version: env!("CARGO_PKG_VERSION"),
    })
}
