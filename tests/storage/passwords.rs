//! Password hashes.

use std::thread;

use masctl::{
    error::Code,
    storage::passwords::{password_add, password_count, password_of_user, passwords_remove},
};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, BOB, CAROL, CREATED_AT, id, time},
    specimen::Specimen,
    store::Store,
    wait_until,
};

#[rstest]
#[tokio::test]
async fn hashes_are_only_ever_added(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    for (ulid, version, at) in [(NEW[0], 1, NOW), (NEW[1], u16::MAX, LATER)] {
        let hash = format!("$hash${version}");
        let added = password_add(&mut specimen.connection, id(ulid), id(ALICE), &hash, version, time(at)).await;
        assert_eq!(added.unwrap(), id(ulid));
    }
    assert_eq!(
        specimen.rows(
            "SELECT user_password_id, user_id, hashed_password, version, created_at, upgraded_from_id \
             FROM user_passwords ORDER BY user_password_id"
        ),
        [
            format!("{} | {ALICE} | $hash$1 | 1 | {NOW_SHOWN} | null", NEW[0]),
            format!(
                "{} | {ALICE} | $hash$65535 | 65535 | 2024-05-01T12:00:01Z | null",
                NEW[1]
            ),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_hash_of_nobody_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let refused = password_add(&mut specimen.connection, id(NEW[0]), id(NEW[1]), "x", 1, time(NOW)).await;
    assert_eq!(refused.unwrap_err().code(), Code::DatabaseFailed);
    assert_eq!(specimen.rows("SELECT count(*) FROM user_passwords"), ["0"]);
}

/// The newest row counts, to the microsecond, whatever the order of ids and whoever wrote it.
#[rstest]
#[tokio::test]
async fn the_newest_hash_is_the_password(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    for (ulid, user, hash, at) in [
        (NEW[3], ALICE, "oldest", CREATED_AT),
        (NEW[1], ALICE, "newest", "2024-05-01T12:00:00.000002+00:00"),
        (NEW[2], ALICE, "old", NOW),
        (NEW[0], BOB, "bob's", LATER),
    ] {
        password_add(store, id(ulid), id(user), hash, 7, time(at))
            .await
            .unwrap();
    }
    let found = |stored: Option<masctl::storage::passwords::Stored>| stored.map(|it| (it.id, it.hash, it.version));
    let of_alice = found(password_of_user(store, id(ALICE)).await.unwrap());
    assert_eq!(of_alice, Some((id(NEW[1]), "newest".to_owned(), 7)));
    let of_bob = found(password_of_user(store, id(BOB)).await.unwrap());
    assert_eq!(of_bob, Some((id(NEW[0]), "bob's".to_owned(), 7)));
    for nobody in [CAROL, NEW[0]] {
        assert!(password_of_user(store, id(nobody)).await.unwrap().is_none());
    }
}

#[rstest]
#[tokio::test]
async fn of_hashes_of_one_moment_the_greater_id_counts(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[values([0, 1], [1, 0])] order: [usize; 2],
) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    for at in order {
        password_add(store, id(NEW[at]), id(ALICE), "x", 1, time(NOW))
            .await
            .unwrap();
    }
    let stored = password_of_user(store, id(ALICE)).await.unwrap();
    assert_eq!(stored.map(|it| it.id), Some(id(NEW[1])));
}

#[rstest]
#[tokio::test]
async fn of_a_hash_without_end_only_the_start_is_read(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let endless = "x".repeat(1 << 20);
    password_add(store, id(NEW[0]), id(ALICE), &endless, 1, time(NOW))
        .await
        .unwrap();
    let stored = password_of_user(store, id(ALICE)).await.unwrap();
    assert_eq!(stored.map(|it| it.hash.len()), Some(1000));
}

/// A row may hold what MAS never wrote: it is read as it is.
#[rstest]
#[tokio::test]
async fn a_version_may_be_any_number(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    for (ulid, user, version) in [(NEW[0], ALICE, i32::MIN), (NEW[1], BOB, i32::MAX)] {
        specimen.seed(&format!(
            "INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) \
             VALUES ({{ulid:{ulid}}}, {{ulid:{user}}}, '', {version}, '{NOW}')"
        ));
        let stored = password_of_user(&mut specimen.connection, id(user)).await.unwrap();
        assert_eq!(stored.map(|it| (it.hash, it.version)), Some((String::new(), version)));
    }
}

/// What refers to a hash no longer does.
#[rstest]
#[tokio::test]
async fn all_hashes_of_a_user_are_removed(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    for (ulid, user) in [(NEW[0], ALICE), (NEW[1], ALICE), (NEW[2], BOB)] {
        password_add(&mut specimen.connection, id(ulid), id(user), "x", 1, time(NOW))
            .await
            .unwrap();
    }
    specimen.seed(&format!(
        "UPDATE user_passwords SET upgraded_from_id = {{ulid:{0}}} WHERE user_password_id IN ({{ulid:{1}}}, {{ulid:{2}}});
         INSERT INTO user_sessions (user_session_id, user_id, created_at) VALUES ({{ulid:{0}}}, {{ulid:{ALICE}}}, '{NOW}');
         INSERT INTO user_session_authentications (user_session_authentication_id, user_session_id, created_at, \
         user_password_id) VALUES ({{ulid:{0}}}, {{ulid:{0}}}, '{NOW}', {{ulid:{1}}})",
        NEW[0], NEW[1], NEW[2]
    ));
    let store = &mut specimen.connection;
    for (user, count) in [(ALICE, 2), (BOB, 1), (CAROL, 0), (NEW[0], 0)] {
        assert_eq!(password_count(store, id(user)).await.unwrap(), count, "{user}");
    }
    assert_eq!(passwords_remove(store, id(ALICE)).await.unwrap(), 2);
    assert_eq!(passwords_remove(store, id(ALICE)).await.unwrap(), 0);
    assert_eq!(passwords_remove(store, id(NEW[0])).await.unwrap(), 0);
    assert_eq!(
        specimen.rows("SELECT user_password_id, user_id, upgraded_from_id FROM user_passwords"),
        [format!("{} | {BOB} | null", NEW[2])]
    );
    assert_eq!(
        specimen.rows("SELECT user_session_authentication_id, user_password_id FROM user_session_authentications"),
        [format!("{} | null", NEW[0])]
    );
}

/// MAS hashes a password anew at a login if the scheme is an old one.
#[tokio::test]
async fn a_hash_that_a_login_adds_meanwhile_is_removed_too() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    let old = password_add(&mut specimen.connection, id(NEW[0]), id(ALICE), "old", 1, time(NOW)).await;
    old.unwrap();
    let login = format!(
        "BEGIN; INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at, \
         upgraded_from_id) VALUES ({{ulid:{}}}, {{ulid:{ALICE}}}, 'new', 2, '{LATER}', {{ulid:{}}}); \
         DO $$ BEGIN FOR attempt IN 1..1000 LOOP \
             PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); \
             EXIT WHEN EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                               AND wait_event_type = 'Lock'); \
         END LOOP; END $$; COMMIT",
        NEW[1], NEW[0]
    );
    let beside = specimen.beside();
    let login = thread::spawn(move || beside.query(&login));
    let sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    wait_until("the login", || specimen.rows(sleeping) == ["1"]);
    let removed = passwords_remove(&mut specimen.connection, id(ALICE)).await;
    login.join().unwrap().unwrap();
    assert_eq!(removed.unwrap(), 2);
    assert_eq!(specimen.rows("SELECT count(*) FROM user_passwords"), ["0"]);
}
