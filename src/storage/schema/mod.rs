//! Which MAS a database belongs to, read from the migrations that MAS has applied, and what that allows masctl to do.
//!
//! On a database with exactly the known migrations masctl does everything. On an older one it only reads, as far as the
//! columns exist. On a newer one it does everything if the columns that it needs are still there.

pub mod needs;
mod versions;

use sqlx::PgConnection;

use super::{Connection, embedded, failure, unattended::Backend};
use crate::error::{Code, Error, Result};

pub use versions::{NEWEST_KNOWN, feature};

/// The most migrations that are read: MAS has no tenth of them.
const MOST_VERSIONS: i64 = 10_000;

/// The most names that one sentence lists.
const MOST_NAMED: usize = 3;

const MIGRATE: &str = "Run `mas-cli database migrate` of MAS 1.22 or newer. Until then masctl only reads.";

/// The migrations of a database of MAS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The newest one that is applied.
    pub newest: i64,
    /// How many are applied.
    pub applied: i64,
    /// Those that masctl was tested with and that are not applied, in order.
    pub missing: Vec<i64>,
    /// Those that are applied and that masctl does not know, in order.
    pub unknown: Vec<i64>,
    /// What masctl needs and a newer MAS has taken away, each as `table.column`.
    pub lacking: Vec<String>,
    /// The key of the lock that MAS holds while it migrates this database.
    pub(super) migration_lock: i64,
}

/// What `database status` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// MAS's own database.
    Mas(Schema),
    /// masctl's SQLite file: how many of its migrations are applied, of how many.
    Embedded {
        /// Applied.
        applied: usize,
        /// There are.
        known: usize,
    },
}

/// How many migrations a store of masctl's own has.
pub const OWN_MIGRATIONS: usize = embedded::KNOWN;

/// Reads the state of the schema.
///
/// # Errors
/// `schema.missing` if it is not MAS's; `database.refused` if its user may not look.
pub async fn status(store: &mut Connection) -> Result<Status> {
    match store {
        Connection::Sqlite(connection) => {
            let (applied, known) = embedded::migrations(connection).await;
            Ok(Status::Embedded { applied, known })
        }
        Connection::Postgres(connection) => connection.schema().await.cloned().map(Status::Mas),
    }
}

/// Whether MAS is migrating the database at this moment.
///
/// # Errors
/// As of any statement.
pub async fn is_migrating(store: &mut Connection) -> Result<bool> {
    // An advisory lock of 64 bits is listed with its upper half as `classid` and its lower half as `objid`.
    const STATEMENT: &str = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND (classid::bigint << 32) | objid::bigint = $1 AND mode = 'ExclusiveLock' AND granted)";
    let Connection::Postgres(connection) = store else {
        return Ok(false);
    };
    let key = connection.schema().await?.migration_lock;
    let held = sqlx::query_scalar(STATEMENT)
        .bind(key)
        .fetch_one(&mut **connection)
        .await;
    held.map_err(failure::of_statement)
}

/// Reads the migrations: one statement if they are the known ones, three if not. Tells also who has answered.
pub(super) async fn look(connection: &mut PgConnection) -> Result<(Schema, Backend)> {
    const SUMMARY: &str = "SELECT max(version), count(*), coalesce(count(*) = $1 AND sum(version) = $2, false), \
         current_database()::text, pg_backend_pid() FROM _sqlx_migrations";
    const VERSIONS: &str = "SELECT version FROM _sqlx_migrations ORDER BY version LIMIT $1";
    let count = i64::try_from(versions::KNOWN.len()).unwrap_or(i64::MAX);
    let summary: sqlx::Result<(Option<i64>, i64, bool, String, i32)> = sqlx::query_as(SUMMARY)
        .bind(count)
        .bind(versions::SUM)
        .fetch_one(&mut *connection)
        .await;
    let (newest, applied, as_tested, database, backend) = match summary.map_err(failure::of_statement) {
        Ok(summary) => summary,
        Err(error) if error.code() == Code::SchemaMissing => return Err(elsewhere(connection).await),
        Err(error) => return Err(error),
    };
    let mut schema = Schema {
        newest: newest.unwrap_or_default(),
        applied,
        missing: Vec::new(),
        unknown: Vec::new(),
        lacking: Vec::new(),
        migration_lock: lock_key(&database),
    };
    let backend = Backend::new(backend);
    if as_tested {
        return Ok((schema, backend));
    }
    let versions: sqlx::Result<Vec<i64>> = sqlx::query_scalar(VERSIONS)
        .bind(MOST_VERSIONS)
        .fetch_all(&mut *connection)
        .await;
    let versions = versions.map_err(failure::of_statement)?;
    if !versions.contains(&versions::INITIAL) {
        return Err(missing());
    }
    (schema.missing, schema.unknown) = versions::compare(&versions);
    if !schema.unknown.is_empty() {
        schema.lacking = lacking(connection).await?;
    }
    Ok((schema, backend))
}

/// The columns that masctl needs and that are not there. The catalogue is asked, and not `information_schema`, which
/// hides the columns that the user has no right on.
async fn lacking(connection: &mut PgConnection) -> Result<Vec<String>> {
    const STATEMENT: &str = "SELECT need.table_name || '.' || need.column_name \
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS need (table_name, column_name, place) \
         WHERE NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(need.table_name) \
             AND attname = need.column_name AND NOT attisdropped) \
         ORDER BY need.place";
    let (tables, columns) = needs::columns();
    let lacking = sqlx::query_scalar(STATEMENT)
        .bind(tables)
        .bind(columns)
        .fetch_all(connection)
        .await;
    lacking.map_err(failure::of_statement)
}

impl Schema {
    /// The MAS that has migrated the database. `None` if it is another than the one that masctl was tested with.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        (self.missing.is_empty() && self.unknown.is_empty()).then_some(versions::MAS)
    }

    /// What it is called where there is room for a few words: `schema 20260720 (MAS 1.22)`.
    #[must_use]
    pub fn name(&self) -> String {
        /// What the time of day of a migration takes of its number.
        const TIME_OF_DAY: i64 = 1_000_000;
        let relation = match (self.missing.is_empty(), self.unknown.is_empty()) {
            (true, true) => "",
            (true, false) => "newer than ",
            (false, true) => "older than ",
            (false, false) => "other than ",
        };
        format!("schema {} ({relation}MAS {})", self.newest / TIME_OF_DAY, versions::MAS)
    }

    /// What to tell an operator before anything else: that a newer MAS has been here.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let unknown = self.unknown.first().filter(|_| self.missing.is_empty())?;
        let unknown = match self.unknown.len() - 1 {
            0 => format!("migration {unknown}"),
            more => format!("migrations {unknown} and {more} more"),
        };
        Some(format!(
            "the database was migrated by a newer MAS than masctl was tested with: it has {unknown}"
        ))
    }

    /// Why nothing may be written: `schema.outdated` or `schema.changed`.
    #[must_use]
    pub fn refusal(&self) -> Option<Error> {
        if let Some(first) = self.missing.first() {
            let feature = feature(*first).map_or_else(String::new, |feature| format!(" ({feature})"));
            let count = match self.missing.len() {
                1 => String::new(),
                count => format!(", the first of {count}"),
            };
            let untested = if feature.is_empty() {
                ", without which masctl was not tested"
            } else {
                ""
            };
            let message = format!(
                "The database was migrated by an older MAS: it lacks migration {first}{feature}{count}{untested}"
            );
            let error = Error::new(Code::SchemaOutdated, message).help(MIGRATE);
            return Some(error.data("migration", *first).data("missing", self.missing.len()));
        }
        let named = self.lacking.get(..MOST_NAMED).unwrap_or(&self.lacking).join("`, `");
        let more = match self.lacking.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!("A newer MAS has taken away `{named}`{more} from the database, which masctl needs");
        (!self.lacking.is_empty()).then(|| {
            Error::new(Code::SchemaChanged, message)
                .help("Use a masctl that was tested with this MAS. Until then this one only reads.")
                .data("columns", self.lacking.clone())
        })
    }

    /// A read's error that a table or a column is not there, said with the reason.
    pub(super) fn explain(&self, error: &Error) -> Error {
        let words = error.message();
        let explained = if !self.missing.is_empty() {
            let message = format!("The database was migrated by an older MAS, without what is read here: {words}");
            Error::new(Code::SchemaOutdated, message).help(MIGRATE)
        } else if !self.unknown.is_empty() {
            let message = format!("The database was migrated by a newer MAS, without what is read here: {words}");
            Error::new(Code::SchemaChanged, message).help("Use a masctl that was tested with this MAS.")
        } else {
            Error::new(
                Code::SchemaMissing,
                format!("The database is not as MAS has made it: {words}"),
            )
            .help("A table or column of MAS was dropped or renamed: restore it.")
        };
        explained.data("sqlstate", error.values().get("sqlstate").cloned().unwrap_or_default())
    }
}

/// The error that MAS holds its lock, which must not be waited for: a transaction that waits would hold up its index
/// builds.
#[must_use]
pub fn migrating() -> Error {
    Error::new(
        Code::SchemaMigrating,
        "MAS is migrating the database: nothing may be written until it is done",
    )
    .help("Wait until the migration is over, then run this again.")
}

/// The key of the advisory lock that MAS, as every migrator of its library, holds while it migrates.
fn lock_key(database: &str) -> i64 {
    0x3d32_ad9e * i64::from(crc32fast::hash(database.as_bytes()))
}

/// Why MAS's tables were not found: they may be where the user may not look, or does not.
async fn elsewhere(connection: &mut PgConnection) -> Error {
    const STATEMENT: &str = "SELECT quote_ident(nspname), has_schema_privilege(pg_namespace.oid, 'USAGE'), \
         quote_ident(current_user) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
         WHERE relname = '_sqlx_migrations' AND relkind = 'r' AND to_regclass('_sqlx_migrations') IS NULL \
         ORDER BY pg_namespace.oid LIMIT 1";
    let found: sqlx::Result<Option<(String, bool, String)>> =
        sqlx::query_as(STATEMENT).fetch_optional(connection).await;
    match found {
        Ok(Some((schema, true, user))) => Error::new(
            Code::SchemaMissing,
            format!("MAS's tables are in the schema {schema}, where the database user {user} does not look"),
        )
        .help(format!(
            "Set its search path as that of MAS's own user: ALTER ROLE {user} SET search_path = {schema};"
        )),
        Ok(Some((schema, false, user))) => Error::new(
            Code::DatabaseRefused,
            format!("The database user {user} lacks USAGE on the schema {schema}, which MAS's tables are in"),
        )
        .help(format!(
            "Run masctl as the user that MAS connects as, or grant it: GRANT USAGE ON SCHEMA {schema} TO {user};"
        )),
        _ => missing(),
    }
}

fn missing() -> Error {
    Error::new(Code::SchemaMissing, "The database has no MAS tables")
        .help("Is this the right database? `mas-cli database migrate` makes them; masctl never does.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(missing: &[i64], unknown: &[i64], lacking: &[&str]) -> Schema {
        Schema {
            newest: NEWEST_KNOWN,
            applied: 167,
            missing: missing.to_vec(),
            unknown: unknown.to_vec(),
            lacking: lacking.iter().map(|&column| column.to_owned()).collect(),
            migration_lock: 0,
        }
    }

    fn refused(schema: &Schema) -> (Code, String) {
        let error = schema.refusal().unwrap();
        (error.code(), error.message().to_owned())
    }

    #[test]
    fn the_lock_is_that_of_mas() {
        assert_eq!(lock_key("mas"), 183_358_133_847_234_462);
        assert_eq!(lock_key("postgres"), 368_907_709_894_077_238);
    }

    #[test]
    fn the_known_migrations_allow_everything() {
        let schema = schema(&[], &[], &[]);
        assert_eq!(schema.warning(), None);
        assert!(schema.refusal().is_none());
    }

    #[test]
    fn a_schema_is_called_by_its_day_and_its_mas() {
        let name = |missing: &[i64], unknown: &[i64]| schema(missing, unknown, &[]).name();
        assert_eq!(name(&[], &[]), "schema 20260720 (MAS 1.22)");
        assert_eq!(name(&[1], &[]), "schema 20260720 (older than MAS 1.22)");
        assert_eq!(name(&[], &[1]), "schema 20260720 (newer than MAS 1.22)");
        assert_eq!(name(&[1], &[2]), "schema 20260720 (other than MAS 1.22)");
    }

    #[test]
    fn an_older_schema_is_read_only_and_says_what_it_lacks() {
        let (code, message) = refused(&schema(&[20_250_602_212_100, NEWEST_KNOWN], &[], &[]));
        assert_eq!(code, Code::SchemaOutdated);
        assert_eq!(
            message,
            "The database was migrated by an older MAS: it lacks migration 20250602212100 (registration tokens), the first of 2"
        );
        assert_eq!(
            refused(&schema(&[NEWEST_KNOWN], &[1], &["users.username"])).1,
            "The database was migrated by an older MAS: it lacks migration 20260720134722, without which masctl was not tested"
        );
    }

    #[test]
    fn a_newer_schema_is_warned_of_and_written_to_if_nothing_is_lacking() {
        let newer = schema(&[], &[20_990_101_000_000, 20_990_102_000_000], &[]);
        assert_eq!(
            newer.warning().unwrap(),
            "the database was migrated by a newer MAS than masctl was tested with: \
             it has migrations 20990101000000 and 1 more"
        );
        assert!(newer.refusal().is_none());
        let (code, message) = refused(&schema(&[], &[1], &["users.a", "users.b", "users.c", "users.d"]));
        assert_eq!(code, Code::SchemaChanged);
        assert_eq!(
            message,
            "A newer MAS has taken away `users.a`, `users.b`, `users.c` and 1 more from the database, which masctl needs"
        );
    }
}
