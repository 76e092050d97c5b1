//! A statement whose connection was given up while it was worked on. The server goes on with it, and holds its locks,
//! until it has something to say: so it is told.

use super::{Connection, connection, failure};
use crate::{config::Database, error::Result};

/// The process of the server that works for one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend(i32);

impl Backend {
    pub(super) const fn new(process: i32) -> Self {
        Self(process)
    }

    /// Its number, as `pg_stat_activity` has it.
    #[must_use]
    pub const fn process(self) -> i32 {
        self.0
    }
}

impl Connection {
    /// Who works for this connection, as far as it is known.
    #[must_use]
    pub const fn backend(&self) -> Option<Backend> {
        match self {
            Self::Postgres(connection) => connection.backend(),
            Self::Sqlite(_) => None,
        }
    }
}

/// Ends a statement of masctl's that is still worked on, with its transaction. Whoever works for somebody else by now
/// is left alone.
///
/// # Errors
/// Those of connecting, and of any statement.
pub async fn end(database: &Database, backend: Backend) -> Result<()> {
    const STATEMENT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 \
         AND application_name = 'masctl' AND usename = current_user AND datname = current_database() \
         AND state <> 'idle'";
    let Connection::Postgres(mut other) = connection::connect(database).await? else {
        return Ok(());
    };
    let ended: sqlx::Result<Option<bool>> = sqlx::query_scalar(STATEMENT)
        .bind(backend.process())
        .fetch_optional(&mut *other)
        .await;
    let ended = ended.map_err(failure::of_statement);
    Connection::Postgres(other).close().await;
    tracing::debug!(
        process = backend.process(),
        ended = ended?,
        "the statement that was given up"
    );
    Ok(())
}
