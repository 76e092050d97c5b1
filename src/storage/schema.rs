//! Which MAS a database belongs to, read from the migrations that MAS has applied.

use super::{Connection, embedded};
use crate::error::{Code, Error, Result};

/// MAS's first migration with the tables of today: without it, the database is not MAS's.
const INITIAL: i64 = 20_221_018_142_001;

/// The newest migration that masctl was tested with, the last of MAS 1.22.0.
pub const NEWEST_KNOWN: i64 = 20_260_720_134_722;

/// What `database status` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// MAS's own database: the newest migration applied, and how many there are.
    Mas {
        /// The 14-digit version of the newest migration.
        newest: i64,
        /// How many are applied.
        applied: i64,
    },
    /// masctl's SQLite file: how many of its migrations are applied, of how many.
    Embedded {
        /// Applied.
        applied: usize,
        /// There are.
        known: usize,
    },
}

/// Reads the state of the schema.
///
/// # Errors
/// `schema.missing` if it is not MAS's.
pub async fn status(store: &mut Connection) -> Result<Status> {
    const STATEMENT: &str =
        "SELECT coalesce(max(version), 0), count(*), coalesce(bool_or(version = $1), false) FROM _sqlx_migrations";
    match store {
        Connection::Sqlite(connection) => {
            let (applied, known) = embedded::migrations(connection).await;
            Ok(Status::Embedded { applied, known })
        }
        Connection::Postgres(connection) => {
            let row = sqlx::query_as::<_, (i64, i64, bool)>(STATEMENT)
                .bind(INITIAL)
                .fetch_one(&mut **connection)
                .await;
            match row.map_err(super::failure::of_statement) {
                Ok((newest, applied, true)) => Ok(Status::Mas { newest, applied }),
                Ok((_, _, false)) => Err(missing()),
                Err(error) if error.code() == Code::SchemaMissing => Err(missing()),
                Err(error) => Err(error),
            }
        }
    }
}

/// Refuses a database that is not MAS's, or that MAS has not migrated as far as masctl needs.
///
/// # Errors
/// `schema.missing`, `schema.outdated`.
pub async fn require(store: &mut Connection) -> Result<()> {
    match status(store).await? {
        Status::Mas { newest, .. } if newest < NEWEST_KNOWN => Err(Error::new(
            Code::SchemaOutdated,
            format!("The database was migrated by an older MAS: its newest migration is {newest}, masctl needs {NEWEST_KNOWN} (MAS 1.22)"),
        )
        .help("Run `mas-cli database migrate` of MAS 1.22 or newer first.")),
        Status::Mas { .. } | Status::Embedded { .. } => Ok(()),
    }
}

fn missing() -> Error {
    Error::new(Code::SchemaMissing, "The database has no MAS tables")
        .help("Is this the right database? `mas-cli database migrate` makes them; masctl never does.")
}
