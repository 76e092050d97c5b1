//! Transactions, the savepoint of a deed, and others who hold locks.

use masctl::{
    error::Code,
    storage::{
        Connection,
        sessions::lock_user_devices,
        users::{user_add, user_by_name, user_exists, user_lock},
    },
};
use rstest::rstest;

use super::{NEW, NOW};
use crate::support::{
    cast::{ALICE, BOB, CREATED_AT, alice, bob, id, time, user},
    specimen::{Specimen, execute, lose_patience},
    store::Store,
};

async fn add(store: &mut Connection, number: usize, name: &str) {
    let added = user_add(store, id(NEW[number]), name, time(CREATED_AT)).await;
    assert_eq!(added.expect("the SQL is right"), Some(user(NEW[number], name)));
}

fn new_names(specimen: &Specimen) -> Vec<String> {
    specimen.rows("SELECT username FROM users WHERE username LIKE 'new%' ORDER BY username")
}

#[rstest]
#[tokio::test]
async fn a_transaction_is_seen_by_others_after_its_commit(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.connection.begin().await.unwrap();
    add(&mut specimen.connection, 0, "new").await;
    assert!(user_exists(&mut specimen.connection, "new").await.unwrap());
    assert_eq!(new_names(&specimen), [""; 0]);
    specimen.connection.commit().await.unwrap();
    assert_eq!(new_names(&specimen), ["new"]);
    specimen.connection.close().await;
}

#[rstest]
#[tokio::test]
async fn what_is_rolled_back_or_left_open_was_never_there(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.connection.begin().await.unwrap();
    add(&mut specimen.connection, 0, "new").await;
    specimen.connection.rollback().await.unwrap();
    assert_eq!(user_by_name(&mut specimen.connection, "new").await.unwrap(), None);
    let mut other = specimen.connect().await;
    other.begin().await.unwrap();
    add(&mut other, 0, "new").await;
    other.close().await;
    assert_eq!(new_names(&specimen), [""; 0]);
    add(&mut specimen.connection, 0, "new").await;
    assert_eq!(new_names(&specimen), ["new"]);
}

#[rstest]
#[tokio::test]
async fn a_deed_is_undone_alone(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    store.start_deed().await.unwrap();
    add(store, 0, "new kept").await;
    store.keep_deed().await.unwrap();
    store.start_deed().await.unwrap();
    add(store, 1, "new undone").await;
    store.undo_deed().await.unwrap();
    assert!(!user_exists(store, "new undone").await.unwrap());
    store.start_deed().await.unwrap();
    add(store, 1, "new too").await;
    store.keep_deed().await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(new_names(&specimen), ["new kept", "new too"]);
}

/// PostgreSQL refuses all statements after one that failed, until the savepoint is taken back.
#[rstest]
#[tokio::test]
async fn a_deed_that_failed_is_undone_and_the_next_one_works(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    store.start_deed().await.unwrap();
    add(store, 0, "new undone").await;
    let failed = user_add(store, id(ALICE), "new failed", time(NOW)).await.unwrap_err();
    assert_eq!(failed.code(), Code::DatabaseFailed);
    let state = if store.is_postgres() { "23505" } else { "1555" };
    assert_eq!(
        failed.values().get("sqlstate").and_then(|state| state.as_str()),
        Some(state)
    );
    store.undo_deed().await.unwrap();
    store.start_deed().await.unwrap();
    add(store, 0, "new").await;
    store.keep_deed().await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(new_names(&specimen), ["new"]);
}

#[rstest]
#[tokio::test]
async fn what_another_holds_for_too_long_is_busy(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.connection.begin().await.unwrap();
    user_lock(&mut specimen.connection, id(ALICE), time(NOW)).await.unwrap();
    let mut other = specimen.connect().await;
    let busy = if kind == Store::Postgres {
        other.begin().await.unwrap();
        lose_patience(&mut other).await;
        let busy = user_lock(&mut other, id(ALICE), time(NOW)).await.unwrap_err();
        other.rollback().await.unwrap();
        busy
    } else {
        lose_patience(&mut other).await;
        other.begin().await.unwrap_err()
    };
    assert_eq!(busy.code(), Code::DatabaseBusy);
    assert!(!busy.code().catchable());
    // Reading waits for nobody, and sees what was there before.
    assert_eq!(user_by_name(&mut other, "alice").await.unwrap(), Some(alice()));
    specimen.connection.commit().await.unwrap();
    other.begin().await.unwrap();
    let late = user_lock(&mut other, id(ALICE), time(NOW)).await.unwrap();
    assert_eq!(late, None);
    other.commit().await.unwrap();
}

/// A sync of devices keeps them locked for as long as the homeserver takes.
#[tokio::test]
async fn devices_that_stay_locked_are_named() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    specimen.connection.begin().await.unwrap();
    lock_user_devices(&mut specimen.connection, id(ALICE)).await.unwrap();
    let mut other = specimen.connect().await;
    other.begin().await.unwrap();
    lose_patience(&mut other).await;
    let busy = lock_user_devices(&mut other, id(ALICE)).await.unwrap_err();
    assert_eq!(busy.code(), Code::DatabaseBusy);
    assert_eq!(
        busy.message(),
        "The devices of this account were locked for too long: a sync of them waits for the homeserver, or somebody logs in"
    );
}

#[tokio::test]
async fn a_deadlock_is_busy_for_one_of_the_two() {
    let specimen = Specimen::create(Store::Postgres).await;
    let (mut left, mut right) = (specimen.connect().await, specimen.connect().await);
    for store in [&mut left, &mut right] {
        store.begin().await.unwrap();
    }
    user_lock(&mut left, id(ALICE), time(NOW)).await.unwrap();
    masctl::storage::users::user_for_change(&mut right, id(BOB))
        .await
        .unwrap();
    let (waiting, too_late) = tokio::join!(masctl::storage::users::user_for_change(&mut left, id(BOB)), async {
        let answer = user_lock(&mut right, id(ALICE), time(NOW)).await;
        right.rollback().await.unwrap();
        answer
    });
    let codes: Vec<_> = [waiting.err(), too_late.err()]
        .into_iter()
        .flatten()
        .map(|error| error.code())
        .collect();
    assert_eq!(codes, [Code::DatabaseBusy]);
}

#[tokio::test]
async fn a_transaction_has_limits_and_nothing_after_it_has() {
    const LIMITS: &str = "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') || ' ' || \
         current_setting('idle_in_transaction_session_timeout') || ' ' || current_setting('transaction_isolation')";
    let mut specimen = Specimen::create(Store::Postgres).await;
    let store = &mut specimen.connection;
    let limits = async |store: &mut Connection| {
        let Connection::Postgres(connection) = store else {
            panic!("it is PostgreSQL")
        };
        let row: sqlx::Result<String> = sqlx::query_scalar(LIMITS).fetch_one(&mut **connection).await;
        row.unwrap()
    };
    assert_eq!(limits(store).await, "0 0 0 read committed");
    store.begin().await.unwrap();
    assert_eq!(limits(store).await, "10s 1min 1min read committed");
    store.commit().await.unwrap();
    assert_eq!(limits(store).await, "0 0 0 read committed");
}

#[tokio::test]
async fn a_lost_connection_is_told_apart_from_a_lost_commit() {
    const TERMINATE: &str = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
         WHERE application_name = 'masctl' AND datname = current_database()";
    let mut specimen = Specimen::create(Store::Postgres).await;
    assert_eq!(specimen.rows(TERMINATE), ["true"]);
    for _ in 0..2 {
        let lost = user_by_name(&mut specimen.connection, "alice").await.unwrap_err();
        assert_eq!(lost.code(), Code::DatabaseLost);
    }
    let mut other = specimen.connect().await;
    other.begin().await.unwrap();
    user_lock(&mut other, id(ALICE), time(NOW)).await.unwrap();
    assert_eq!(specimen.rows(TERMINATE), ["true"]);
    let unknown = other.commit().await.unwrap_err();
    assert_eq!(unknown.code(), Code::CommitUnknown);
    let mut third = specimen.connect().await;
    assert_eq!(user_by_name(&mut third, "alice").await.unwrap(), Some(alice()));
    assert_eq!(user_by_name(&mut third, "bob").await.unwrap(), Some(bob()));
}

/// PostgreSQL answers COMMIT with success even if it has rolled back: that must not pass for a commit.
#[tokio::test]
async fn a_transaction_that_failed_is_never_taken_for_committed() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    add(store, 0, "new").await;
    let unreadable = user_by_name(store, "\0").await.unwrap_err();
    assert_eq!(unreadable.code(), Code::DatabaseFailed);
    let refused = store.commit().await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (
            Code::DatabaseFailed,
            "Nothing was changed: an earlier statement of the transaction failed"
        )
    );
    store.rollback().await.unwrap();
    assert_eq!(new_names(&specimen), [""; 0]);
}

#[tokio::test]
async fn a_deed_that_finds_the_disk_full_is_undone_alone() {
    let mut specimen = Specimen::create(Store::Sqlite).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    store.start_deed().await.unwrap();
    add(store, 0, "new kept").await;
    store.keep_deed().await.unwrap();
    store.start_deed().await.unwrap();
    // Less than there is means: no more than there is.
    execute(store, "PRAGMA max_page_count = 1").await;
    let huge = "x".repeat(1 << 20);
    let full = user_add(store, id(NEW[1]), &huge, time(NOW)).await.unwrap_err();
    assert_eq!(full.code(), Code::DatabaseFailed);
    assert_eq!(full.message(), "database or disk is full");
    store.undo_deed().await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(new_names(&specimen), ["new kept"]);
}

/// A session that may not take MAS's lock is as good as before: the next transaction is not in the ruins of this one.
#[tokio::test]
async fn a_transaction_that_cannot_begin_is_not_left_open() {
    const LOCK: &str = "EXECUTE ON FUNCTION pg_try_advisory_xact_lock_shared(bigint)";
    let mut specimen = Specimen::create(Store::Postgres).await;
    specimen.seed(&format!("REVOKE {LOCK} FROM PUBLIC"));
    let refused = specimen.connection.begin().await.unwrap_err();
    assert_eq!(refused.code(), Code::DatabaseRefused);
    specimen.seed(&format!("GRANT {LOCK} TO PUBLIC"));
    specimen.connection.begin().await.unwrap();
    add(&mut specimen.connection, 0, "new").await;
    specimen.connection.commit().await.unwrap();
    assert_eq!(new_names(&specimen), ["new"]);
}
