//! The SQLite file: who may read it, how it is made, and what is refused.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Barrier},
    thread,
};

use masctl::{
    config::Database,
    error::Code,
    storage::{
        self, Connection,
        schema::{Status, status},
        users::{user_add, user_by_name},
    },
};
use sqlx::SqliteConnection;
use tokio::runtime::Builder;

use super::{NEW, NOW};
use crate::support::{
    cast::{alice, id, time},
    sandbox::Sandbox,
    specimen::{Specimen, execute},
    store::{OpenStore, Store},
};

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o7777
}

async fn refusal(path: &Path) -> (Code, String) {
    let error = storage::open(&Database::Embedded(path.to_owned()))
        .await
        .expect_err("it cannot be used");
    (error.code(), error.message().to_owned())
}

fn sqlite(connection: &mut Connection) -> &mut SqliteConnection {
    match connection {
        Connection::Sqlite(connection) => connection,
        Connection::Postgres(_) => panic!("a file is SQLite"),
    }
}

#[tokio::test]
async fn only_its_owner_may_read_it() {
    let sandbox = Sandbox::new();
    let existing = sandbox.path().join("existing");
    fs::create_dir(&existing).unwrap();
    fs::set_permissions(&existing, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = existing.join("new/newer");
    let file = folder.join("masctl.db");
    let mut store = storage::open(&Database::Embedded(file.clone())).await.unwrap();
    user_add(&mut store, id(NEW[0]), "new", time(NOW)).await.unwrap();
    for name in ["masctl.db", "masctl.db-wal", "masctl.db-shm"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    assert_eq!((mode(&folder), mode(&existing.join("new"))), (0o700, 0o700));
    assert_eq!(mode(&existing), 0o755);
    store.close().await;
    assert_eq!(mode(&file), 0o600);
}

#[tokio::test]
async fn a_file_keeps_the_mode_that_its_owner_gave_it() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("mas.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let mut store = storage::open(&Database::Sqlite(file.clone())).await.unwrap();
    assert_eq!(
        status(&mut store).await.unwrap(),
        Status::Embedded { applied: 1, known: 1 }
    );
    assert_eq!(mode(&file), 0o640);
}

#[tokio::test]
async fn it_is_written_ahead_and_keeps_its_foreign_keys() {
    let mut specimen = Specimen::create(Store::Sqlite).await;
    for (pragma, expected) in [
        ("journal_mode", "wal"),
        ("foreign_keys", "1"),
        ("busy_timeout", "10000"),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
        let row = sqlx::raw_sql(sql)
            .fetch_one(sqlite(&mut specimen.connection))
            .await
            .unwrap();
        assert_eq!(crate::support::value::show_sqlite(&row), expected, "{pragma}");
    }
    assert_eq!(specimen.rows("PRAGMA integrity_check"), ["ok"]);
}

#[tokio::test]
async fn what_was_written_is_there_the_next_time() {
    let mut specimen = Specimen::create(Store::Sqlite).await;
    let mut again = specimen.connect().await;
    assert_eq!(user_by_name(&mut again, "alice").await.unwrap(), Some(alice()));
    assert_eq!(
        status(&mut again).await.unwrap(),
        Status::Embedded { applied: 1, known: 1 }
    );
    again.close().await;
    assert_eq!(
        user_by_name(&mut specimen.connection, "alice").await.unwrap(),
        Some(alice())
    );
}

#[test]
fn first_uses_at_once_all_succeed() {
    const ROUNDS: usize = 20;
    const USERS: usize = 4;
    let sandbox = Sandbox::new();
    for round in 0..ROUNDS {
        let file = sandbox.path().join(format!("{round}/masctl.db"));
        let barrier = Arc::new(Barrier::new(USERS));
        let uses: Vec<_> = (0..USERS)
            .map(|user| {
                let (file, barrier) = (file.clone(), Arc::clone(&barrier));
                thread::spawn(move || {
                    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                    barrier.wait();
                    runtime.block_on(async {
                        let mut store = storage::open(&Database::Embedded(file)).await?;
                        user_add(&mut store, id(NEW[user]), NEW[user], time(NOW)).await
                    })
                })
            })
            .collect();
        for (user, it) in uses.into_iter().enumerate() {
            let added = it.join().unwrap();
            let added = added.unwrap_or_else(|error| panic!("round {round}, user {user}: {error:?}"));
            assert_eq!(added.unwrap().username, NEW[user]);
        }
    }
}

#[test]
fn first_uses_of_two_processes_both_succeed() {
    let sandbox = Sandbox::new();
    let file = sandbox.data_home().join("masctl/masctl.db");
    for round in 0..20 {
        let start = || {
            let mut command = sandbox.masctl(0);
            command.args(["database", "migrate"]);
            let piped = || std::process::Stdio::piped();
            command.stdout(piped()).stderr(piped()).spawn().unwrap()
        };
        let (left, right) = (start(), start());
        for child in [left, right] {
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "round {round}: {stderr}");
        }
        assert_eq!(mode(&file), 0o600);
        fs::remove_dir_all(sandbox.data_home()).unwrap();
    }
}

#[tokio::test]
async fn a_file_of_a_newer_masctl_is_refused() {
    let mut specimen = Specimen::create(Store::Sqlite).await;
    execute(
        &mut specimen.connection,
        "INSERT INTO _masctl_migrations (version, description, success, checksum, execution_time) \
         VALUES (2, 'of tomorrow', true, x'00', 1)",
    )
    .await;
    let label = specimen.file().display().to_string();
    let message = format!("The store {label} cannot be used: a newer masctl has migrated it");
    assert_eq!(specimen.refusal().await, (Code::StoreUnusable, message));
    let found = status(&mut specimen.connection).await.unwrap();
    assert_eq!(found, Status::Embedded { applied: 2, known: 1 });
}

#[tokio::test]
async fn what_is_no_store_is_unusable() {
    let sandbox = Sandbox::new();
    let place = |name: &str| sandbox.path().join(name);
    fs::write(
        place("text"),
        "this is a text, and long enough to be taken for a header\n".repeat(99),
    )
    .unwrap();
    fs::create_dir(place("folder")).unwrap();
    fs::write(place("file"), "").unwrap();
    for (path, cause) in [
        (place("text"), "file is not a database"),
        (place("folder"), "unable to open database file"),
        (place("file/masctl.db"), "File exists (os error 17)"),
    ] {
        let (code, message) = refusal(&path).await;
        assert_eq!(code, Code::StoreUnusable, "{message}");
        assert_eq!(message, format!("The store {} cannot be used: {cause}", path.display()));
    }
    let text = fs::read_to_string(place("text")).unwrap();
    assert!(text.starts_with("this is a text"), "it was left as it is");
}

/// A database of somebody else's must not get masctl's tables, nor another journal.
#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let sandbox = Sandbox::new();
    let file = sandbox.path().join("homeserver.db");
    let store = OpenStore::Sqlite {
        file: file.clone(),
        is_embedded: false,
        homeserver: None,
    };
    store.query("CREATE TABLE messages (message TEXT)").unwrap();
    let before = fs::read(&file).unwrap();
    let message = format!(
        "The store {} cannot be used: it is the database of another program",
        file.display()
    );
    assert_eq!(refusal(&file).await, (Code::StoreUnusable, message));
    assert_eq!(fs::read(&file).unwrap(), before);
}

/// The tables without the list of migrations are no store of masctl's.
#[tokio::test]
async fn tables_of_unknown_age_are_left_alone() {
    let specimen = Specimen::create(Store::Sqlite).await;
    specimen.seed("DROP TABLE _masctl_migrations");
    let before = specimen.rows("SELECT name FROM sqlite_schema ORDER BY name");
    assert_eq!(specimen.refusal().await.0, Code::StoreUnusable);
    assert_eq!(specimen.rows("SELECT name FROM sqlite_schema ORDER BY name"), before);
}
