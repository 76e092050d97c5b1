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
    error::DatabaseError,
    postgres::{PgConnectOptions, PgSslMode},
};
use tracing::log::LevelFilter;

use super::{
    Access, certificates, failure,
    schema::{self, Schema},
    transaction::{Limits, TransactionId},
    unattended::Backend,
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
    backend: Option<Backend>,
}

impl PostgresConnection {
    /// The schema, which is looked at once.
    ///
    /// # Errors
    /// `schema.missing`, `database.refused`, and those of any statement.
    pub(super) async fn schema(&mut self) -> Result<&Schema> {
        if self.schema.is_none() {
            self.look_again().await?;
        }
        self.schema
            .as_ref()
            .ok_or_else(|| Error::new(Code::Bug, "The schema was looked at and is not known"))
    }

    /// Looks at the schema, whatever is known of it.
    ///
    /// # Errors
    /// As those of [`Self::schema`].
    pub(super) async fn look_again(&mut self) -> Result<()> {
        let (schema, backend) = schema::look(&mut self.connection).await?;
        (self.schema, self.backend) = (Some(schema), Some(backend));
        Ok(())
    }

    /// The process of the server that answered when the schema was looked at.
    pub(super) const fn backend(&self) -> Option<Backend> {
        self.backend
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

pub(super) async fn connect(settings: &Postgres, label: &str, access: Access) -> Result<PostgresConnection> {
    let options = options(settings)?
        .application_name("masctl")
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Off, Duration::MAX);
    let label = &*placed(label, &options);
    let connected = match access {
        Access::Write => try_for_a_while(&options).await,
        Access::Read => match try_for_a_while(&read_only(options.clone())).await {
            Some(Err(sqlx::Error::Database(answer))) if is_puzzled(answer.as_ref()) => {
                tracing::debug!(%answer, "the connection cannot be made read-only");
                try_for_a_while(&options).await
            }
            connected => connected,
        },
    };
    match connected {
        Some(Ok(connection)) => Ok(PostgresConnection {
            connection: Box::new(connection),
            limits: Limits {
                lock: settings.lock_timeout,
                statement: settings.statement_timeout,
            },
            transaction: None,
            schema: None,
            backend: None,
        }),
        Some(Err(answer @ sqlx::Error::Database(_))) => Err(failure::of_connecting(answer, label)),
        Some(Err(error)) => {
            Err(certificates::problem(settings).unwrap_or_else(|| failure::of_connecting(error, label)))
        }
        None => Err(Error::new(
            Code::DatabaseUnreachable,
            format!(
                "The database {label} did not answer within {} s",
                CONNECT_LIMIT.as_secs()
            ),
        )
        .help("Do host and port in the configuration lead to PostgreSQL, and does a firewall or a full pooler keep it busy?")),
    }
}

async fn try_for_a_while(options: &PgConnectOptions) -> Option<sqlx::Result<PgConnection>> {
    // On the heap: it would be most of every future that may come to connect.
    let connecting = Box::pin(options.connect());
    tokio::time::timeout(CONNECT_LIMIT, connecting).await.ok()
}

/// Has the session on the server begin read-only. It is asked for while connecting, and never by SET: a pooler that
/// lends its sessions hands on to MAS what was SET in one, but refuses, ignores or takes back what it was asked for at
/// the start.
fn read_only(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("default_transaction_read_only", "on")])
}

/// Whether a server or a pooler refuses what it was asked for at the start, and not who asks.
fn is_puzzled(answer: &dyn DatabaseError) -> bool {
    let state = answer.code().unwrap_or_default();
    // Protocol violation, feature not supported, wrong value, syntax error or no right to set it.
    ["08", "0A", "22", "42"].iter().any(|class| state.starts_with(class))
}

/// Where a database is, and as whom masctl goes there, with all that the driver chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The user.
    pub user: String,
    /// The host, or the folder of the socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name of the database.
    pub database: String,
}

/// Where the database is.
///
/// # Errors
/// `config.invalid`.
pub fn address(settings: &Postgres) -> Result<Address> {
    let options = options(settings)?;
    let user = options.get_username().to_owned();
    Ok(Address {
        host: options
            .get_socket()
            .map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string()),
        port: options.get_port(),
        database: options.get_database().unwrap_or(&user).to_owned(),
        user,
    })
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
