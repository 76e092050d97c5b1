//! A transaction on PostgreSQL: how long it may keep others waiting, and what became of it.

use std::{fmt, time::Duration};

use super::Connection;
use crate::error::Result;

/// How long a transaction may keep others waiting, so that a slow masctl cannot stall a login. SQLite has one lock for
/// all writers, for which it waits 10 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a lock that another transaction holds.
    pub lock: Duration,
    /// For one statement.
    pub statement: Duration,
}

/// For how long a transaction may wait for masctl itself before PostgreSQL ends it.
pub(super) const IDLE_LIMIT: Duration = Duration::from_mins(1);

/// A transaction as PostgreSQL numbers it. What became of it can be asked later, on another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionId(i64);

impl TransactionId {
    pub(super) const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number, as `txid_status` takes it.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All of it is there.
    Committed,
    /// Nothing of it is there.
    RolledBack,
    /// The database does not know it, or has not ended it yet.
    Unknown,
}

impl Fate {
    /// Reads an answer of `txid_status`.
    pub(super) fn of(status: Option<&str>) -> Self {
        match status {
            Some("committed") => Self::Committed,
            Some("aborted") => Self::RolledBack,
            _ => Self::Unknown,
        }
    }
}

/// A duration as PostgreSQL's settings take it.
pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// Writes all of it, or nothing.
///
/// # Errors
/// Those of opening and committing the transaction, and the writer's.
pub async fn in_transaction<T>(
    store: &mut Connection,
    writes: impl AsyncFnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    store.begin().await?;
    let written = match writes(store).await {
        Ok(value) => store.commit().await.map(|()| value),
        Err(error) => Err(error),
    };
    if written.is_err()
        && let Err(error) = store.rollback().await
    {
        tracing::debug!(%error, "rolling back what failed");
    }
    written
}
