//! Whether a connection has a session of its own, or a pooler such as PgBouncer lends it one for each transaction.

use std::time::Duration;

use sqlx::{Executor, PgConnection, Row};

use super::{Connection, connection, failure};
use crate::{config::Database, error::Result};

/// How long the first connection may wait for an answer while the second holds a transaction.
const PATIENCE: Duration = Duration::from_secs(5);

/// Proves that connections share sessions of the server, or finds no proof of it. Returns the proof, in a few words.
///
/// A second connection opens a transaction, and so takes a session from the pool: that of the first, which then has to
/// get another one, or to wait. All statements are simple ones: prepared ones go astray behind such a pooler.
///
/// # Errors
/// Those of a second connection, and of any statement.
pub async fn is_pooled(database: &Database, first: &mut Connection) -> Result<Option<&'static str>> {
    let Connection::Postgres(first) = first else {
        return Ok(None);
    };
    let before = session(first).await?;
    let Connection::Postgres(mut second) = connection::connect(database).await? else {
        return Ok(None);
    };
    second
        .execute(sqlx::raw_sql("BEGIN"))
        .await
        .map_err(failure::of_statement)?;
    let other = session(&mut second).await?;
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

/// The server's process that answers, one for each session.
async fn session(connection: &mut PgConnection) -> Result<i32> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await;
    row.and_then(|row| row.try_get(0)).map_err(failure::of_statement)
}
