//! What `masctl doctor` asks a database about itself. Where the answer has to come through a pooler too, simple
//! statements ask.

use sqlx::Row;

use super::{Connection, failure, on, schema};
use crate::{
    error::{Error, Result},
    model::Time,
};

/// The other side of a connection to PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its version, `15.18`.
    pub version: String,
    /// The user that the connection is of, as SQL takes it.
    pub user: String,
    /// Whether it refuses to write: it follows another server, or is set so.
    pub read_only: bool,
    /// The version of TLS, `TLSv1.3`, if the connection is encrypted.
    pub tls: Option<String>,
}

/// How many jobs there are of those that nobody may be working on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jobs {
    /// Running, by a worker that is shut down: they will never end.
    pub stuck: i64,
    /// Failed, and not tried again.
    pub failed: i64,
    /// Ready for a worker to take.
    pub waiting: i64,
}

/// Reads what the server says of itself. `None` for SQLite.
///
/// # Errors
/// As of any statement.
pub async fn server(store: &mut Connection) -> Result<Option<Server>> {
    const STATEMENT: &str = "SELECT split_part(current_setting('server_version'), ' ', 1), quote_ident(current_user), \
         current_setting('transaction_read_only') = 'on', (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid())";
    let Connection::Postgres(connection) = store else {
        return Ok(None);
    };
    let row = sqlx::raw_sql(STATEMENT).fetch_one(&mut **connection).await;
    let server = row.and_then(|row| {
        Ok(Server {
            version: row.try_get(0)?,
            user: row.try_get(1)?,
            read_only: row.try_get(2)?,
            tls: row.try_get(3)?,
        })
    });
    server.map(Some).map_err(failure::of_statement)
}

/// Why nothing may be written to the database at this moment. `None` if everything may, as far as the schema and the
/// server allow it: rights are not looked at.
///
/// # Errors
/// `schema.missing`, `database.refused`, and those of any statement.
pub async fn obstacle(store: &mut Connection) -> Result<Option<Error>> {
    if let schema::Status::Mas(schema) = schema::status(store).await?
        && let Some(refusal) = schema.refusal()
    {
        return Ok(Some(refusal));
    }
    if schema::is_migrating(store).await? {
        return Ok(Some(schema::migrating()));
    }
    let server = server(store).await?;
    Ok(server.is_some_and(|server| server.read_only).then(failure::read_only))
}

/// Reads the server's clock. `None` for SQLite, which has none of its own.
///
/// # Errors
/// As of any statement.
pub async fn clock(store: &mut Connection) -> Result<Option<Time>> {
    let Connection::Postgres(connection) = store else {
        return Ok(None);
    };
    let time = sqlx::raw_sql("SELECT clock_timestamp()")
        .fetch_one(&mut **connection)
        .await;
    time.and_then(|row| row.try_get(0))
        .map(Some)
        .map_err(failure::of_statement)
}

/// Counts jobs. Each of the three counts uses an index.
///
/// # Errors
/// As of any statement.
pub async fn jobs(store: &mut Connection) -> Result<Jobs> {
    const STATEMENT: &str = "SELECT (SELECT count(*) FROM queue_jobs JOIN queue_workers ON queue_worker_id = started_by \
             WHERE status = 'running' AND shutdown_at IS NOT NULL), \
         (SELECT count(*) FROM queue_jobs WHERE status = 'failed' AND next_attempt_id IS NULL), \
         (SELECT count(*) FROM queue_jobs WHERE status = 'available')";
    let (stuck, failed, waiting) = on!(store, |connection| sqlx::query_as(STATEMENT)
        .fetch_one(&mut **connection))?;
    Ok(Jobs { stuck, failed, waiting })
}

/// What is wrong with a SQLite file, in SQLite's words. `None` if nothing is, and for PostgreSQL.
///
/// # Errors
/// As of any statement.
pub async fn damage(store: &mut Connection) -> Result<Option<String>> {
    let Connection::Sqlite(connection) = store else {
        return Ok(None);
    };
    let found: sqlx::Result<String> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut **connection)
        .await;
    let found = found.map_err(failure::of_statement)?;
    Ok((found != "ok").then_some(found))
}
