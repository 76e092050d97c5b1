//! The connection to MAS's PostgreSQL, from the settings that MAS itself uses.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use secrecy::ExposeSecret;
use sqlx::{
    ConnectOptions, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tracing::log::LevelFilter;

use super::{
    certificates, failure,
    schema::{self, Schema},
    transaction::{Limits, TransactionId},
};
use crate::{
    config::{Pem, Postgres, SslMode},
    error::{Code, Error, Result},
};

/// How long connecting may take, as MAS's own limit.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// A connection with what its transactions need.
#[derive(Debug)]
pub struct PostgresConnection {
    connection: Box<PgConnection>,
    limits: Limits,
    transaction: Option<TransactionId>,
    schema: Option<Schema>,
}

impl PostgresConnection {
    /// The schema, which is looked at once.
    ///
    /// # Errors
    /// `schema.missing`, `database.refused`, and those of any statement.
    pub(super) async fn schema(&mut self) -> Result<&Schema> {
        match &mut self.schema {
            Some(schema) => Ok(schema),
            unknown => Ok(unknown.insert(schema::look(&mut self.connection).await?)),
        }
    }

    /// The schema, if it was looked at.
    pub(super) const fn known_schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// How long its transactions may keep others waiting.
    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) const fn started(&mut self, transaction: TransactionId) {
        self.transaction = Some(transaction);
    }

    pub(super) const fn transaction(&self) -> Option<TransactionId> {
        self.transaction
    }

    /// The driver's connection alone.
    pub(super) fn into_inner(self) -> PgConnection {
        *self.connection
    }
}

impl Deref for PostgresConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for PostgresConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

pub(super) async fn connect(settings: &Postgres, label: &str) -> Result<PostgresConnection> {
    let options = options(settings)?
        .application_name("masctl")
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Off, Duration::MAX);
    let label = &*placed(label, &options);
    match tokio::time::timeout(CONNECT_LIMIT, options.connect()).await {
        Ok(Ok(connection)) => Ok(PostgresConnection {
            connection: Box::new(connection),
            limits: Limits {
                lock: settings.lock_timeout,
                statement: settings.statement_timeout,
            },
            transaction: None,
            schema: None,
        }),
        Ok(Err(answer @ sqlx::Error::Database(_))) => Err(failure::of_connecting(answer, label)),
        Ok(Err(error)) => Err(certificates::problem(settings).unwrap_or_else(|| failure::of_connecting(error, label))),
        Err(_) => Err(Error::new(
            Code::DatabaseUnreachable,
            format!(
                "The database {label} did not answer within {} s",
                CONNECT_LIMIT.as_secs()
            ),
        )
        .help("Do host and port in the configuration lead to PostgreSQL, and does a firewall or a full pooler keep it busy?")),
    }
}

/// The label with the place that the driver chose, where the configuration names none.
fn placed<'label>(label: &'label str, options: &PgConnectOptions) -> Cow<'label, str> {
    match label.strip_prefix("postgresql://") {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', ':']) => match options.get_host() {
            folder if folder.starts_with('/') => format!("{label} at {folder}").into(),
            host => format!("{label} at {host}:{}", options.get_port()).into(),
        },
        _ => label.into(),
    }
}

/// What is not given comes from the `PG…` variables, as with MAS's driver.
fn options(settings: &Postgres) -> Result<PgConnectOptions> {
    let mut options = match &settings.uri {
        Some(uri) => PgConnectOptions::from_str(uri.expose_secret()).map_err(|_| {
            Error::new(
                Code::ConfigInvalid,
                "`database.uri` is not a PostgreSQL connection string",
            )
        })?,
        None => PgConnectOptions::new(),
    };
    if let Some(host) = &settings.host {
        options = options.host(host);
    }
    if let Some(port) = settings.port {
        options = options.port(port);
    }
    if let Some(socket) = &settings.socket {
        options = options.socket(socket);
    }
    if let Some(username) = &settings.username {
        options = options.username(username);
    }
    if let Some(password) = &settings.password {
        options = options.password(password.expose_secret());
    }
    if let Some(database) = &settings.database {
        options = options.database(database);
    }
    Ok(with_tls(options, settings))
}

fn with_tls(mut options: PgConnectOptions, settings: &Postgres) -> PgConnectOptions {
    if let Some(mode) = settings.ssl_mode {
        options = options.ssl_mode(match mode {
            SslMode::Disable => PgSslMode::Disable,
            SslMode::Allow => PgSslMode::Allow,
            SslMode::Prefer => PgSslMode::Prefer,
            SslMode::Require => PgSslMode::Require,
            SslMode::VerifyCa => PgSslMode::VerifyCa,
            SslMode::VerifyFull => PgSslMode::VerifyFull,
        });
    }
    options = match &settings.ssl_ca {
        Some(Pem::Inline(pem)) => options.ssl_root_cert_from_pem(pem.expose_secret().as_bytes().to_vec()),
        Some(Pem::File(path)) => options.ssl_root_cert(path),
        None => options,
    };
    options = match &settings.ssl_certificate {
        Some(Pem::Inline(pem)) => options.ssl_client_cert_from_pem(pem.expose_secret()),
        Some(Pem::File(path)) => options.ssl_client_cert(path),
        None => options,
    };
    match &settings.ssl_key {
        Some(Pem::Inline(pem)) => options.ssl_client_key_from_pem(pem.expose_secret()),
        Some(Pem::File(path)) => options.ssl_client_key(path),
        None => options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_that_the_driver_chose_is_named_if_no_other_is() {
        let options = PgConnectOptions::new_without_pgpass().host("localhost").port(5433);
        let socket = options.clone().host("/run/postgresql");
        let cases = [
            ("postgresql://", &options, "postgresql:// at localhost:5433"),
            ("postgresql:///mas", &options, "postgresql:///mas at localhost:5433"),
            ("postgresql:///mas", &socket, "postgresql:///mas at /run/postgresql"),
            ("postgresql://db/mas", &options, "postgresql://db/mas"),
            ("postgresql://%2Frun/mas", &socket, "postgresql://%2Frun/mas"),
        ];
        for (label, options, expected) in cases {
            assert_eq!(placed(label, options), expected);
        }
    }
}
