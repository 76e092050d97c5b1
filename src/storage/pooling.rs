//! Whether a connection has a session of its own, or a pooler such as PgBouncer lends it one for each transaction.

use std::time::Duration;

use sqlx::{Executor, PgConnection, Row};

use super::{Connection, connection, failure};
use crate::{
    config::Database,
    error::{Code, Error, Result},
};

/// How long either connection may wait for an answer while the other one is open.
const PATIENCE: Duration = Duration::from_secs(5);

/// Proves that connections share sessions of the server, or finds no proof of it. Returns the proof, in a few words.
///
/// A second connection opens a transaction, and so takes a session from the pool: that of the first, which then has to
/// get another one, or to wait. All statements are simple ones: prepared ones go astray behind such a pooler.
///
/// # Errors
/// `database.busy` if there is no session for a second connection; those of connecting, and of any statement.
pub async fn is_pooled(database: &Database, first: &mut Connection) -> Result<Option<&'static str>> {
    let Connection::Postgres(first) = first else {
        return Ok(None);
    };
    let before = session(first).await?;
    let Connection::Postgres(mut second) = connection::connect(database).await? else {
        return Ok(None);
    };
    // A pooler lets a connection in at once, and its first statement wait until a session is free.
    let Ok(other) = tokio::time::timeout(PATIENCE, begun(&mut second)).await else {
        return Err(exhausted());
    };
    let other = other?;
    let after = tokio::time::timeout(PATIENCE, session(first)).await;
    second
        .execute(sqlx::raw_sql("ROLLBACK"))
        .await
        .map_err(failure::of_statement)?;
    Connection::Postgres(second).close().await;
    let Ok(after) = after else {
        return Ok(Some("one connection has to wait for the transaction of another"));
    };
    Ok(if after? != before {
        Some("its session on the server changes between two statements")
    } else if other == before {
        Some("it shares its session on the server with another connection")
    } else {
        None
    })
}

/// Opens a transaction, and returns the session that it is in.
async fn begun(connection: &mut PgConnection) -> Result<i32> {
    let begun = connection.execute(sqlx::raw_sql("BEGIN")).await;
    begun.map_err(failure::of_statement)?;
    session(connection).await
}

fn exhausted() -> Error {
    Error::new(
        Code::DatabaseBusy,
        format!(
            "A second connection got no session on the server within {} s",
            PATIENCE.as_secs()
        ),
    )
    .help(
        "A pooler has none to spare: raise PgBouncer's `default_pool_size`, or connect to PostgreSQL itself. MAS needs \
         several, and `masctl worker` two.",
    )
}

/// The server's process that answers, one for each session.
async fn session(connection: &mut PgConnection) -> Result<i32> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await;
    row.and_then(|row| row.try_get(0)).map_err(failure::of_statement)
}
