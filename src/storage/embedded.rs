//! A SQLite file with tables of MAS's shape, made and migrated by masctl itself.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection as _, SqlStr, SqliteConnection,
    error::DatabaseError,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tracing::log::LevelFilter;

use super::failure;
use crate::error::{Code, Error, Result};

/// The migrations in order: version, description, statements.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "mas schema",
    include_str!("../../migrations/sqlite/0001_mas_schema.sql"),
)];

/// How many migrations there are.
pub(super) const KNOWN: usize = MIGRATIONS.len();

/// How long to wait for another masctl that makes the same file.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait between two attempts. SQLite itself does not wait for the lock that switching to WAL takes.
const PAUSE: Duration = Duration::from_millis(10);

/// Opens the file, which is created, with its folders, if it is not there; only its owner may read it.
pub(super) async fn connect(path: &Path) -> Result<SqliteConnection> {
    connect_with(path, &options(path)).await
}

/// Makes a file of which nothing is to stay: it need not survive a crash.
pub(super) async fn make_thrown_away(path: &Path) -> Result<()> {
    let options = options(path).synchronous(SqliteSynchronous::Off);
    let connection = connect_with(path, &options).await?;
    connection.close().await.map_err(|cause| of_sqlite(path, cause.into()))
}

async fn connect_with(path: &Path, options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    create(path).map_err(|cause| unusable(path, &cause.to_string()))?;
    let started = Instant::now();
    loop {
        match prepare(options).await {
            Ok(Found::Ready(connection)) => return Ok(*connection),
            Ok(Found::Newer) => return Err(unusable(path, "a newer masctl has migrated it")),
            Ok(Found::Foreign) => {
                return Err(unusable(path, "it is the database of another program")
                    .help("Name a file that is not there: masctl makes it."));
            }
            Err(cause) if is_busy(&cause) && started.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Err(cause) => return Err(of_sqlite(path, cause)),
        }
    }
}

/// Opens a file that has all tables of this masctl, and leaves it as it is.
pub(super) async fn connect_to_read(path: &Path) -> Result<SqliteConnection> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // SQLite would make that file to read a store that nobody has open.
    let is_at_rest = !Path::new(&log).exists();
    let connected = options(path).read_only(true).immutable(is_at_rest).connect().await;
    let mut connection = connected.map_err(|cause| of_sqlite(path, cause.into()))?;
    if applied(&mut connection).await == KNOWN {
        Ok(connection)
    } else {
        Err(unusable(path, "it is not a store that this masctl has migrated"))
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Off, Duration::MAX)
}

/// What a file turned out to be.
enum Found {
    /// A store with all tables of this masctl.
    Ready(Box<SqliteConnection>),
    /// A store with tables that this masctl does not know.
    Newer,
    /// Not a store.
    Foreign,
}

/// Looks before it changes anything, also the journal: the file may be somebody else's.
async fn prepare(options: &SqliteConnectOptions) -> Result<Found, MigrateError> {
    const TABLES: &str = "SELECT count(*), coalesce(sum(name = '_masctl_migrations'), 0) FROM sqlite_schema";
    let mut connection = options.connect().await?;
    let (tables, own): (i64, i64) = sqlx::query_as(TABLES).fetch_one(&mut connection).await?;
    if tables > 0 && own == 0 {
        return Ok(Found::Foreign);
    }
    let order = applied(&mut connection).await.cmp(&MIGRATIONS.len());
    if order.is_gt() {
        return Ok(Found::Newer);
    }
    sqlx::raw_sql("PRAGMA journal_mode = WAL")
        .execute(&mut connection)
        .await?;
    if order.is_lt() {
        migrate(&mut connection).await?;
    }
    Ok(Found::Ready(Box::new(connection)))
}

/// How many migrations this file has, and how many there are.
pub(super) async fn migrations(connection: &mut SqliteConnection) -> (usize, usize) {
    (applied(connection).await, KNOWN)
}

fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // SQLite gives the -wal and -shm files the mode of the database.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn applied(connection: &mut SqliteConnection) -> usize {
    let count: Result<i64, _> = sqlx::query_scalar("SELECT count(*) FROM _masctl_migrations WHERE success")
        .fetch_one(connection)
        .await;
    count
        .ok()
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or_default()
}

/// Two first uses at once are told apart by the write lock: the second finds the work done.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let migrations = MIGRATIONS.map(|(version, description, statements)| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            SqlStr::from_static(statements),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.into());
    migrator.dangerous_set_table_name("_masctl_migrations");
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

fn is_busy(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else {
        return false;
    };
    let code = cause.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| failure::is_sqlite_busy(&code))
}

fn of_sqlite(path: &Path, error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => match cause {
            sqlx::Error::Database(answer) => match failure::of_answer(answer.as_ref()) {
                busy if busy.code() == Code::DatabaseBusy => busy,
                _ => unusable(path, answer.message()),
            },
            other => unusable(path, &other.to_string()),
        },
        other => unusable(path, &other.to_string()),
    }
}

fn unusable(path: &Path, cause: &str) -> Error {
    Error::new(
        Code::StoreUnusable,
        format!("The store {} cannot be used: {cause}", path.display()),
    )
    .help("Is its path right, and may this user write the file and its folder? A damaged file is restored from a copy.")
}
