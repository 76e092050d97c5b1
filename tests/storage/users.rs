//! Accounts.

use masctl::{
    error::Code,
    model::{Id, User, to_stored_precision},
    storage::users::{
        Filter, user_add, user_by_name, user_exists, user_for_change, user_id_page, user_lock, user_page,
        user_set_admin, user_unlock,
    },
};
use rstest::rstest;

use super::{NEW, NOW};
use crate::support::{
    cast::{ALICE, BOB, CAROL, DAVE, alice, bob, carol, dave, id, time, user},
    specimen::{Specimen, execute, lose_patience},
    store::Store,
};

/// alice's twins, who differ from her by case.
const TWINS: [(&str, &str); 2] = [(NEW[0], "Alice"), (NEW[1], "ALICE")];

async fn with_twins(kind: Store, count: usize) -> Specimen {
    let mut specimen = Specimen::create(kind).await;
    for (ulid, name) in &TWINS[..count] {
        let added = user_add(&mut specimen.connection, id(ulid), name, alice().created_at).await;
        assert_eq!(added.expect("the SQL is right"), Some(user(ulid, name)));
    }
    specimen
}

#[rstest]
#[tokio::test]
async fn one_account_is_found_in_any_case(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    for name in ["alice", "Alice", "ALICE"] {
        assert_eq!(user_by_name(store, name).await.unwrap(), Some(alice()), "{name}");
        assert!(user_exists(store, name).await.unwrap(), "{name}");
    }
    for name in [
        "",
        "alic",
        "alice ",
        "alic_",
        "%",
        "@alice:example.com",
        "' OR 1=1 --",
        "ali\u{301}ce",
    ] {
        assert_eq!(user_by_name(store, name).await.unwrap(), None, "{name}");
        assert!(!user_exists(store, name).await.unwrap(), "{name}");
    }
    for expected in [bob(), carol(), dave()] {
        let found = user_by_name(store, &expected.username).await.unwrap();
        assert_eq!(found, Some(expected));
    }
}

#[rstest]
#[case(1)]
#[case(2)]
#[tokio::test]
async fn of_case_twins_the_exact_spelling_is_found(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[case] twins: usize,
) {
    let mut specimen = with_twins(kind, twins).await;
    let store = &mut specimen.connection;
    assert_eq!(user_by_name(store, "alice").await.unwrap(), Some(alice()));
    for (ulid, name) in &TWINS[..twins] {
        assert_eq!(user_by_name(store, name).await.unwrap(), Some(user(ulid, name)));
    }
    assert_eq!(user_by_name(store, "aLICE").await.unwrap(), None);
    assert!(user_exists(store, "aLICE").await.unwrap());
}

#[rstest]
#[tokio::test]
async fn a_name_is_taken_in_exactly_its_case(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_twins(kind, 1).await;
    let taken = user_add(&mut specimen.connection, id(NEW[2]), "alice", time(NOW)).await;
    assert_eq!(taken.unwrap(), None);
    let same_id = user_add(&mut specimen.connection, id(ALICE), "erin", time(NOW)).await;
    assert_eq!(same_id.unwrap_err().code(), Code::DatabaseFailed);
    assert_eq!(
        specimen.rows("SELECT username FROM users WHERE lower(username) IN ('alice', 'erin') ORDER BY user_id"),
        ["alice", "Alice"]
    );
}

#[rstest]
#[tokio::test]
async fn an_account_is_stored_as_mas_stores_it(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create_empty(kind).await;
    let with_nanoseconds = time("2024-05-01T12:00:00.123456789+00:00");
    let created_at = to_stored_precision(with_nanoseconds);
    let new = Id::new(created_at, 0x1234_5678_9abc_def0_1234);
    let added = user_add(&mut specimen.connection, new, "Łukasz \u{1f600} 'x'", created_at).await;
    let expected = User {
        id: new,
        username: "Łukasz \u{1f600} 'x'".to_owned(),
        created_at,
        locked_at: None,
        deactivated_at: None,
        admin: false,
        guest: false,
    };
    assert_eq!(added.unwrap(), Some(expected.clone()));
    let found = user_by_name(&mut specimen.connection, "Łukasz \u{1f600} 'X'").await;
    assert_eq!(found.unwrap(), Some(expected));
    let bytes = match kind {
        Store::Sqlite => "length(user_id) || ' ' || lower(hex(user_id))",
        Store::Postgres => "octet_length(uuid_send(user_id)) || ' ' || encode(uuid_send(user_id), 'hex')",
    };
    assert_eq!(
        specimen.rows(&format!("SELECT {bytes}, user_id, created_at FROM users")),
        [format!(
            "16 018f34069e7b123456789abcdef01234 | {new} | 2024-05-01T12:00:00.123456Z"
        )]
    );
}

#[rstest]
#[tokio::test]
async fn times_survive_to_the_microsecond(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let times = [
        "1970-01-01T00:00:00Z",
        "2024-02-29T23:59:59.999999Z",
        "2024-05-01T12:00:00.1Z",
        "2024-05-01T12:00:00.000001Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    for at in times.map(time) {
        let locked = user_lock(store, id(ALICE), at).await.unwrap();
        let expected = User {
            locked_at: Some(at),
            ..alice()
        };
        assert_eq!(locked, Some(expected.clone()));
        assert_eq!(user_by_name(store, "alice").await.unwrap(), Some(expected));
        assert_eq!(user_unlock(store, id(ALICE)).await.unwrap(), Some(alice()));
    }
}

#[rstest]
#[tokio::test]
async fn locking_twice_keeps_the_first_time(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    assert_eq!(user_lock(store, id(BOB), time(NOW)).await.unwrap(), None);
    assert_eq!(user_by_name(store, "bob").await.unwrap(), Some(bob()));
    assert_eq!(user_lock(store, id(NEW[0]), time(NOW)).await.unwrap(), None);
    let locked = user_lock(store, id(DAVE), time(NOW)).await.unwrap();
    let expected = User {
        locked_at: Some(time(NOW)),
        ..dave()
    };
    assert_eq!(locked, Some(expected));
    assert_eq!(user_by_name(store, "alice").await.unwrap(), Some(alice()));
}

#[rstest]
#[tokio::test]
async fn unlocking_leaves_the_deactivation(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    user_lock(store, id(DAVE), time(NOW)).await.unwrap();
    assert_eq!(user_unlock(store, id(DAVE)).await.unwrap(), Some(dave()));
    assert_eq!(user_unlock(store, id(DAVE)).await.unwrap(), None);
    assert_eq!(user_unlock(store, id(NEW[0])).await.unwrap(), None);
    assert_eq!(user_by_name(store, "bob").await.unwrap(), Some(bob()));
}

#[rstest]
#[tokio::test]
async fn administrators_are_made_and_unmade(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let promoted = User { admin: true, ..bob() };
    for _ in 0..2 {
        let set = user_set_admin(store, id(BOB), true).await.unwrap();
        assert_eq!(set, Some(promoted.clone()));
    }
    assert_eq!(user_set_admin(store, id(BOB), false).await.unwrap(), Some(bob()));
    assert_eq!(user_set_admin(store, id(NEW[0]), true).await.unwrap(), None);
    assert_eq!(user_by_name(store, "carol").await.unwrap(), Some(carol()));
}

#[rstest]
#[tokio::test]
async fn pages_follow_the_ids_and_end_after_the_last(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let cases = [
        (None, Id::least(), 9, vec![alice(), bob(), carol(), dave()]),
        (None, Id::least(), 2, vec![alice(), bob()]),
        (None, id(BOB), 2, vec![carol(), dave()]),
        (None, id(DAVE), 2, vec![]),
        (None, Id::least(), 0, vec![]),
        (Some(true), Id::least(), 9, vec![carol()]),
        (Some(true), id(CAROL), 9, vec![]),
        (Some(false), Id::least(), 2, vec![alice(), bob()]),
        (Some(false), id(BOB), 2, vec![dave()]),
    ];
    for (admin, after, limit, expected) in cases {
        let ids: Vec<Id> = expected.iter().map(|user| user.id).collect();
        let filter = Filter {
            admin,
            ..Filter::default()
        };
        let page = user_page(store, &filter, after, limit).await.unwrap();
        assert_eq!(page, expected, "{admin:?} {after} {limit}");
        if admin.is_none() {
            let limit = i64::try_from(limit).unwrap();
            assert_eq!(user_id_page(store, after, limit).await.unwrap(), ids, "{after} {limit}");
        }
    }
}

/// Bytes above 127 would sort wrongly if they were taken for signed numbers or for text.
#[rstest]
#[tokio::test]
async fn ids_are_ordered_as_unsigned_bytes(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create_empty(kind).await;
    let ids = [
        "00000000000000000000000001",
        "01HV0000000000000000000000",
        "01HV0000000000008000000000",
        "3ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "40000000000000000000000000",
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ]
    .map(id);
    for new in ids.iter().rev() {
        let added = user_add(&mut specimen.connection, *new, &new.to_string(), time(NOW)).await;
        assert!(added.unwrap().is_some());
    }
    let mut read = Vec::new();
    let mut after = Id::least();
    while let Some(last) = {
        let page = user_id_page(&mut specimen.connection, after, 2).await.unwrap();
        read.extend_from_slice(&page);
        page.last().copied()
    } {
        after = last;
    }
    assert_eq!(read, ids);
}

#[rstest]
#[tokio::test]
async fn an_account_that_changes_is_kept_from_others(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    assert_eq!(user_for_change(store, id(ALICE)).await.unwrap(), Some(alice()));
    assert_eq!(user_for_change(store, id(NEW[0])).await.unwrap(), None);
    let mut other = specimen.connect().await;
    assert_eq!(user_by_name(&mut other, "alice").await.unwrap(), Some(alice()));
    let busy = if other.is_postgres() {
        // A login adds rows that refer to the account: it must not wait.
        specimen.seed(&format!(
            "INSERT INTO user_sessions (user_session_id, user_id, created_at) VALUES ({{ulid:{}}}, {{ulid:{ALICE}}}, '{NOW}')",
            NEW[0]
        ));
        other.begin().await.unwrap();
        lose_patience(&mut other).await;
        user_for_change(&mut other, id(ALICE)).await.unwrap_err()
    } else {
        lose_patience(&mut other).await;
        user_lock(&mut other, id(ALICE), time(NOW)).await.unwrap_err()
    };
    assert_eq!(busy.code(), Code::DatabaseBusy);
    assert_eq!(busy.help_text(), Some("Nothing was changed; run it again."));
    specimen.connection.rollback().await.unwrap();
    if other.is_postgres() {
        other.rollback().await.unwrap();
    }
    execute(&mut other, "SELECT 1").await;
    assert!(user_lock(&mut other, id(ALICE), time(NOW)).await.unwrap().is_some());
}
