//! One connection, and the transaction on it.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};

use super::{
    embedded, failure, on,
    postgres::{self, PostgresConnection},
    rights,
    schema::{self, Schema},
    transaction::{Fate, IDLE_LIMIT, TransactionId, milliseconds},
};
use crate::{
    config::Database,
    error::{Code, Error, Result},
};

/// What a connection is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// To read and to write.
    #[default]
    Write,
    /// Only to read: the database itself refuses to write, wherever it can be told so safely.
    Read,
}

/// The one connection of a run.
#[derive(Debug)]
pub enum Connection {
    /// To the PostgreSQL database of a MAS.
    Postgres(PostgresConnection),
    /// To a SQLite file of the same shape.
    Sqlite(Box<SqliteConnection>),
}

/// Whether there is a store to connect to, as far as it shows without trying: a file of masctl's own is made by the
/// first command that opens it.
#[must_use]
pub fn is_made(database: &Database) -> bool {
    match database {
        Database::Embedded(path) | Database::Sqlite(path) => path.exists(),
        Database::Postgres(_) => true,
    }
}

/// Connects, and makes sure that the tables are there: on SQLite it creates them, on PostgreSQL it only looks.
///
/// # Errors
/// `database.unreachable`, `database.refused`, `database.busy`, `schema.missing`, `store.unusable`.
pub async fn open(database: &Database) -> Result<Connection> {
    open_for(database, Access::Write).await
}

/// Connects as [`open`] does. A file is made and migrated also where it is only to be read then.
///
/// # Errors
/// As those of [`open`].
pub async fn open_for(database: &Database, access: Access) -> Result<Connection> {
    let mut connection = connect_for(database, access).await?;
    match schema::status(&mut connection).await {
        Ok(_) => Ok(connection),
        Err(error) => Err(rights::explain(&mut connection, error).await),
    }
}

/// Connects as [`open`] does, also to a database that is not of a MAS that masctl can work with: only to look at it.
///
/// # Errors
/// `database.unreachable`, `database.refused`, `database.busy`, `store.unusable`.
pub async fn connect(database: &Database) -> Result<Connection> {
    connect_for(database, Access::Write).await
}

async fn connect_for(database: &Database, access: Access) -> Result<Connection> {
    Ok(match database {
        Database::Embedded(path) | Database::Sqlite(path) => {
            let mut connection = Connection::Sqlite(Box::new(embedded::connect(path).await?));
            if access == Access::Read {
                connection.control("PRAGMA query_only = ON").await?;
            }
            connection
        }
        Database::Postgres(settings) => {
            Connection::Postgres(postgres::connect(settings, &database.label(), access).await?)
        }
    })
}

/// Makes a SQLite file of which nothing is to stay.
///
/// # Errors
/// `store.unusable`.
pub async fn make_thrown_away(path: &Path) -> Result<()> {
    embedded::make_thrown_away(path).await
}

/// Connects as [`open`] does to a store that is there, and only to read it: nothing is made or migrated.
///
/// # Errors
/// `database.unreachable`, `database.refused`, `database.busy`, `schema.missing`, `store.unusable`.
pub async fn open_to_read(database: &Database) -> Result<Connection> {
    match database {
        Database::Embedded(path) | Database::Sqlite(path) => {
            let connection = embedded::connect_to_read(path).await?;
            Ok(Connection::Sqlite(Box::new(connection)))
        }
        Database::Postgres(_) => open(database).await,
    }
}

const BEGIN_POSTGRES: &str = "BEGIN";

/// The limits end with the transaction: a proxy may hand the connection on to MAS. So does the lock, which keeps MAS
/// from migrating meanwhile: MAS takes it for itself alone, and tries again and again.
const START_POSTGRES: &str = "SELECT txid_current(), pg_try_advisory_xact_lock_shared($1), \
     set_config('lock_timeout', $2, true), set_config('statement_timeout', $3, true), \
     set_config('idle_in_transaction_session_timeout', $4, true)";

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

    /// What was found out about the schema of MAS's database, if anything was.
    #[must_use]
    pub const fn schema(&self) -> Option<&Schema> {
        match self {
            Self::Postgres(connection) => connection.known_schema(),
            Self::Sqlite(_) => None,
        }
    }

    /// Looks whether a connection still works that nobody has used for a while, and at the schema anew: MAS may have
    /// migrated its database meanwhile. That is one statement to PostgreSQL, and none to SQLite.
    ///
    /// # Errors
    /// `database.lost`, and those of [`open`].
    pub async fn look_again(&mut self) -> Result<()> {
        let looked = match self {
            Self::Postgres(connection) => connection.look_again().await,
            Self::Sqlite(_) => Ok(()),
        };
        match looked {
            Err(error) if error.code() != Code::DatabaseLost => Err(rights::explain(self, error).await),
            looked => looked,
        }
    }

    /// Opens a transaction, if the schema may be written to, with limits that keep a slow masctl from stalling a login.
    /// MAS does not migrate the database until it ends.
    ///
    /// # Errors
    /// `schema.outdated`, `schema.changed`, `schema.migrating`; `database.lost`, `database.busy`.
    pub async fn begin(&mut self) -> Result<()> {
        let Self::Postgres(connection) = self else {
            return self.control(BEGIN_SQLITE).await;
        };
        let schema = connection.schema().await?;
        let lock = schema.migration_lock;
        if let Some(refusal) = schema.refusal() {
            return Err(refusal);
        }
        self.control(BEGIN_POSTGRES).await?;
        let started = self.start(lock).await;
        if let Ok(true) = started {
            return Ok(());
        }
        let rolled_back = self.rollback().await;
        // Of two errors, the first says why.
        started?;
        rolled_back?;
        Err(schema::migrating())
    }

    /// Sets the limits of the transaction and takes MAS's lock, unless MAS has it: then it returns false.
    async fn start(&mut self, lock: i64) -> Result<bool> {
        let Self::Postgres(connection) = self else {
            return Ok(true);
        };
        let limits = connection.limits();
        let started: sqlx::Result<(i64, bool)> = sqlx::query_as(START_POSTGRES)
            .bind(lock)
            .bind(milliseconds(limits.lock))
            .bind(milliseconds(limits.statement))
            .bind(milliseconds(IDLE_LIMIT))
            .fetch_one(&mut **connection)
            .await;
        let (number, free) = started.map_err(failure::of_statement)?;
        connection.started(TransactionId::new(number));
        Ok(free)
    }

    /// The transaction that was opened last, where its commit can get lost on the way to the database.
    #[must_use]
    pub const fn transaction(&self) -> Option<TransactionId> {
        match self {
            Self::Postgres(connection) => connection.transaction(),
            Self::Sqlite(_) => None,
        }
    }

    /// What became of a transaction that another connection opened.
    ///
    /// # Errors
    /// As of any statement.
    pub async fn fate(&mut self, transaction: TransactionId) -> Result<Fate> {
        let Self::Postgres(connection) = self else {
            return Ok(Fate::Unknown);
        };
        let status: Option<String> = sqlx::query_scalar("SELECT txid_status($1)")
            .bind(transaction.number())
            .fetch_one(&mut **connection)
            .await
            .map_err(failure::of_statement)?;
        Ok(Fate::of(status.as_deref()))
    }

    /// Commits. Must not be canceled.
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
            ),
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

    /// From now on a commit to a SQLite store need not survive a crash of the machine: waiting for the disk is most of what
    /// a test would take.
    ///
    /// # Errors
    /// As of any statement.
    pub async fn forget_durability(&mut self) -> Result<()> {
        if self.is_postgres() {
            return Ok(());
        }
        self.control("PRAGMA synchronous = OFF").await
    }

    /// Ends the connection politely. An error here changes nothing: what was committed is committed.
    pub async fn close(self) {
        let closed = match self {
            Self::Postgres(connection) => connection.into_inner().close().await,
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
