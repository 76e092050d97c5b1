//! One connection, and the transaction on it.

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::{embedded, on, postgres, schema};
use crate::{
    config::Database,
    error::{Code, Error, Result},
};

/// The one connection of a run.
#[derive(Debug)]
pub enum Connection {
    /// To the PostgreSQL database of a MAS.
    Postgres(Box<PgConnection>),
    /// To a SQLite file of the same shape.
    Sqlite(Box<SqliteConnection>),
}

/// Connects, and makes sure that the tables are there: on SQLite it creates them, on PostgreSQL it only looks.
///
/// # Errors
/// `database.unreachable`, `database.refused`, `database.busy`, `schema.missing`, `schema.outdated`, `store.unusable`.
pub async fn open(database: &Database) -> Result<Connection> {
    let mut connection = connect(database).await?;
    schema::require(&mut connection).await?;
    Ok(connection)
}

/// Connects as [`open`] does, also to a database that is not of a MAS that masctl can work with: only to look at it.
///
/// # Errors
/// `database.unreachable`, `database.refused`, `database.busy`, `store.unusable`.
pub async fn connect(database: &Database) -> Result<Connection> {
    Ok(match database {
        Database::Embedded(path) | Database::Sqlite(path) => {
            Connection::Sqlite(Box::new(embedded::connect(path).await?))
        }
        Database::Postgres(settings) => {
            Connection::Postgres(Box::new(postgres::connect(settings, &database.label()).await?))
        }
    })
}

/// The transaction's limits keep a slow masctl from stalling a login: it gives up on a lock after 10 seconds, and
/// PostgreSQL ends it when it holds a transaction for a minute without using it.
const BEGIN_POSTGRES: &str =
    "BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '60s'";

/// Taking SQLite's write lock at once is what keeps a later statement from failing for want of it.
const BEGIN_SQLITE: &str = "BEGIN IMMEDIATE";

/// PostgreSQL ends a transaction in which a statement failed by ROLLBACK, and calls even that a success of COMMIT. Any
/// other statement is refused then, and a COMMIT after it is not reached.
const COMMIT_POSTGRES: &str = "SELECT 1; COMMIT";

const COMMIT_SQLITE: &str = "COMMIT";

impl Connection {
    /// Whether this is the PostgreSQL database of a MAS.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Opens a transaction.
    ///
    /// # Errors
    /// `database.lost`, `database.busy`.
    pub async fn begin(&mut self) -> Result<()> {
        self.control(if self.is_postgres() {
            BEGIN_POSTGRES
        } else {
            BEGIN_SQLITE
        })
        .await
    }

    /// Commits. Must not be cancelled.
    ///
    /// # Errors
    /// `commit.unknown` when the answer was lost; `database.failed` or `database.busy` when nothing was committed.
    pub async fn commit(&mut self) -> Result<()> {
        let statement = if self.is_postgres() {
            COMMIT_POSTGRES
        } else {
            COMMIT_SQLITE
        };
        self.control(statement).await.map_err(|error| match error.code() {
            Code::DatabaseLost => Error::new(
                Code::CommitUnknown,
                "The connection was lost during COMMIT: the changes are either all there or none is",
            )
            .help("Look at the account with `masctl manage` before you run this again."),
            _ => error,
        })
    }

    /// Gives up the transaction.
    ///
    /// # Errors
    /// `database.lost`, which rolls back as well.
    pub async fn rollback(&mut self) -> Result<()> {
        self.control("ROLLBACK").await
    }

    /// Marks the start of a deed.
    ///
    /// # Errors
    /// `database.lost`.
    pub async fn start_deed(&mut self) -> Result<()> {
        self.control("SAVEPOINT deed").await
    }

    /// Keeps what the deed wrote.
    ///
    /// # Errors
    /// `database.lost`.
    pub async fn keep_deed(&mut self) -> Result<()> {
        self.control("RELEASE SAVEPOINT deed").await
    }

    /// Undoes what the deed wrote, and nothing else.
    ///
    /// # Errors
    /// `database.lost`.
    pub async fn undo_deed(&mut self) -> Result<()> {
        self.control("ROLLBACK TO SAVEPOINT deed").await?;
        self.control("RELEASE SAVEPOINT deed").await
    }

    /// Ends the connection politely. An error here changes nothing: what was committed is committed.
    pub async fn close(self) {
        let closed = match self {
            Self::Postgres(connection) => connection.close().await,
            Self::Sqlite(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "closing the database connection");
        }
    }

    async fn control(&mut self, statement: &'static str) -> Result<()> {
        on!(self, |connection| async {
            sqlx::raw_sql(statement).execute(&mut **connection).await.map(drop)
        })
    }
}
