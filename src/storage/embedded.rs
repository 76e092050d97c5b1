//! A SQLite file with tables of MAS's shape, made and migrated by masctl itself.

use std::{
    cmp::Ordering,
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection as _, SqlStr, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tracing::log::LevelFilter;

use crate::error::{Code, Error, Result};

/// The migrations in order: version, description, statements.
const MIGRATIONS: [(i64, &str, &str); 1] = [(
    1,
    "mas schema",
    include_str!("../../migrations/sqlite/0001_mas_schema.sql"),
)];

/// Opens the file, which is created, with its folders, if it is not there; only its owner may read it.
pub(super) async fn connect(path: &Path) -> Result<SqliteConnection> {
    create(path).map_err(|cause| unusable(path, &cause.to_string()))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Off, Duration::MAX);
    let mut connection = options.connect().await.map_err(|cause| of_sqlite(path, &cause))?;
    match applied(&mut connection).await.cmp(&MIGRATIONS.len()) {
        Ordering::Less => migrate(&mut connection)
            .await
            .map_err(|cause| unusable(path, &cause.to_string()))?,
        Ordering::Equal => {}
        Ordering::Greater => return Err(unusable(path, "a newer masctl has migrated it")),
    }
    Ok(connection)
}

/// How many migrations this file has, and how many there are.
pub(super) async fn migrations(connection: &mut SqliteConnection) -> (usize, usize) {
    (applied(connection).await, MIGRATIONS.len())
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

fn of_sqlite(path: &Path, error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(answer) => unusable(path, answer.message()),
        other => unusable(path, &other.to_string()),
    }
}

fn unusable(path: &Path, cause: &str) -> Error {
    Error::new(
        Code::StoreUnusable,
        format!("The store {} cannot be used: {cause}", path.display()),
    )
}
