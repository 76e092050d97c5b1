//! Sessions of all kinds.

use std::collections::BTreeMap;

use masctl::{
    error::Code,
    model::SessionKind,
    storage::sessions::{
        compatibility_session_add, compatibility_token_add, lock_user_devices, session_end, session_is_active,
        sessions_end, sessions_end_of_device,
    },
};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, BOB, CAROL, CREATED_AT, ENDED_AT, id, time},
    specimen::Specimen,
    store::Store,
};

/// The kinds with their tables, the columns of id and end, and who is in them.
const KINDS: [(SessionKind, &str, &str, &str); 4] = [
    (
        SessionKind::Compatibility,
        "compat_sessions",
        "compat_session_id",
        "finished_at",
    ),
    (
        SessionKind::OAuth,
        "oauth2_sessions",
        "oauth2_session_id",
        "finished_at",
    ),
    (SessionKind::Browser, "user_sessions", "user_session_id", "finished_at"),
    (
        SessionKind::Personal,
        "personal_sessions",
        "personal_session_id",
        "revoked_at",
    ),
];

/// An id that tells what it is of: `kind` is a digit, `number` another.
fn ulid(kind: usize, number: usize) -> String {
    format!("01HV0000000000000000005E{kind}{number}")
}

/// Of each kind: two active sessions of alice, one that is over, and one of bob's.
fn add_sessions(specimen: &Specimen) {
    specimen.seed(&format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) \
         VALUES ({{ulid:{}}}, true, true)",
        NEW[3]
    ));
    let list = specimen.list(&["openid"]);
    let rows = [
        (ALICE, "NULL"),
        (ALICE, "NULL"),
        (ALICE, &format!("'{ENDED_AT}'")),
        (BOB, "NULL"),
    ];
    for (number, (user, ended_at)) in rows.into_iter().enumerate() {
        let start = |kind: usize| format!("{{ulid:{}}}, '{CREATED_AT}', {ended_at}", ulid(kind, number));
        let user = format!("{{ulid:{user}}}");
        specimen.seed(&format!(
            "INSERT INTO compat_sessions (compat_session_id, created_at, finished_at, user_id, device_id) \
             VALUES ({}, {user}, 'DEVICE');
             INSERT INTO oauth2_sessions (oauth2_session_id, created_at, finished_at, user_id, oauth2_client_id, scope_list) \
             VALUES ({}, {user}, {{ulid:{client}}}, {list});
             INSERT INTO user_sessions (user_session_id, created_at, finished_at, user_id) VALUES ({}, {user});
             INSERT INTO personal_sessions (personal_session_id, created_at, revoked_at, actor_user_id, owner_user_id, \
             human_name, scope_list) VALUES ({}, {user}, {user}, 'p', {list})",
            start(0),
            start(1),
            start(2),
            start(3),
            client = NEW[3],
        ));
    }
}

/// The ends of all sessions, by their ids.
fn ends(specimen: &Specimen) -> BTreeMap<String, String> {
    let rows = KINDS
        .iter()
        .flat_map(|(_, table, key, end)| specimen.rows(&format!("SELECT {key}, {end} FROM {table}")));
    rows.map(|row| {
        let (key, end) = row.split_once(" | ").expect("there are two columns");
        (key.to_owned(), end.to_owned())
    })
    .collect()
}

#[rstest]
#[tokio::test]
async fn sessions_of_one_kind_and_user_end(
    #[values(Store::Sqlite, Store::Postgres)] store: Store,
    #[values(0, 1, 2, 3)] kind: usize,
) {
    let mut specimen = Specimen::create(store).await;
    add_sessions(&specimen);
    let mut expected = ends(&specimen);
    for number in [0, 1] {
        expected.insert(ulid(kind, number), NOW_SHOWN.to_owned());
    }
    let ended = sessions_end(&mut specimen.connection, KINDS[kind].0, id(ALICE), time(NOW)).await;
    assert_eq!(ended.unwrap(), 2);
    assert_eq!(ends(&specimen), expected);
    let again = sessions_end(&mut specimen.connection, KINDS[kind].0, id(ALICE), time(LATER)).await;
    assert_eq!(again.unwrap(), 0);
    let of_nobody = sessions_end(&mut specimen.connection, KINDS[kind].0, id(NEW[0]), time(LATER)).await;
    assert_eq!(of_nobody.unwrap(), 0);
    assert_eq!(ends(&specimen), expected);
}

#[rstest]
#[tokio::test]
async fn one_session_of_each_kind_ends(#[values(Store::Sqlite, Store::Postgres)] store: Store) {
    let mut specimen = Specimen::create(store).await;
    add_sessions(&specimen);
    let mut expected = ends(&specimen);
    for (kind, (of, table, key, end)) in KINDS.into_iter().enumerate() {
        let one = id(&ulid(kind, 0));
        assert!(session_is_active(&mut specimen.connection, of, one).await.unwrap());
        assert!(session_end(&mut specimen.connection, of, one, time(NOW)).await.unwrap());
        expected.insert(ulid(kind, 0), NOW_SHOWN.to_owned());
        let over = [ulid(kind, 0), ulid(kind, 2), ulid((kind + 1) % 4, 1)];
        for other in over {
            assert!(
                !session_is_active(&mut specimen.connection, of, id(&other))
                    .await
                    .unwrap()
            );
            let ended = session_end(&mut specimen.connection, of, id(&other), time(LATER)).await;
            assert!(!ended.unwrap(), "{other}");
        }
        assert_eq!(
            (format!("{}s", of.noun()), format!("{}_id", of.noun()), of.end()),
            (table.to_owned(), key.to_owned(), end)
        );
    }
    assert_eq!(ends(&specimen), expected);
}

#[rstest]
#[tokio::test]
async fn a_personal_session_ends_with_its_actor_and_its_owner(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_sessions(&specimen);
    let add = |number: usize, actor: &str, owner: &str, of_client: bool| {
        let column = if of_client {
            "owner_oauth2_client_id"
        } else {
            "owner_user_id"
        };
        specimen.seed(&format!(
            "INSERT INTO personal_sessions (personal_session_id, created_at, actor_user_id, {column}, human_name, \
             scope_list) VALUES ({{ulid:{}}}, '{NOW}', {{ulid:{actor}}}, {{ulid:{owner}}}, 'p', {})",
            ulid(3, number),
            specimen.list(&[])
        ));
    };
    add(5, CAROL, ALICE, false);
    add(6, ALICE, CAROL, false);
    add(7, ALICE, NEW[3], true);
    add(8, CAROL, NEW[3], true);
    let mut expected = ends(&specimen);
    for number in [0, 1, 5, 6, 7] {
        expected.insert(ulid(3, number), NOW_SHOWN.to_owned());
    }
    let ended = sessions_end(&mut specimen.connection, SessionKind::Personal, id(ALICE), time(NOW)).await;
    assert_eq!(ended.unwrap(), 5);
    assert_eq!(ends(&specimen), expected);
}

#[rstest]
#[tokio::test]
async fn sessions_with_a_device_end_whatever_names_it(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    const STABLE: &str = "urn:matrix:client:device:";
    const UNSTABLE: &str = "urn:matrix:org.matrix.msc2967.client:device:";
    let mut specimen = Specimen::create(kind).await;
    add_sessions(&specimen);
    let add = |number: usize, user: &str, scopes: &[String]| {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        specimen.seed(&format!(
            "INSERT INTO oauth2_sessions (oauth2_session_id, created_at, user_id, oauth2_client_id, scope_list) \
             VALUES ({{ulid:{}}}, '{NOW}', {{ulid:{user}}}, {{ulid:{}}}, {})",
            ulid(1, number),
            NEW[3],
            specimen.list(&scopes)
        ));
    };
    add(5, ALICE, &["openid".to_owned(), format!("{STABLE}DEVICE")]);
    add(6, ALICE, &[format!("{UNSTABLE}DEVICE"), "openid".to_owned()]);
    add(7, ALICE, &[format!("{STABLE}DEVICE2"), format!("{UNSTABLE}DEVICE2")]);
    add(8, BOB, &[format!("{STABLE}DEVICE")]);
    add(9, ALICE, &[]);
    specimen.seed(&format!(
        "UPDATE compat_sessions SET device_id = 'device' WHERE compat_session_id = {{ulid:{}}}",
        ulid(0, 1)
    ));
    let mut expected = ends(&specimen);
    for (kind, number) in [(0, 0), (1, 5), (1, 6)] {
        expected.insert(ulid(kind, number), NOW_SHOWN.to_owned());
    }
    let ended = sessions_end_of_device(&mut specimen.connection, id(ALICE), "DEVICE", time(NOW)).await;
    assert_eq!(ended.unwrap(), 3);
    assert_eq!(ends(&specimen), expected);
    for device in ["DEVICE", "", "%", "\"", "{DEVICE}"] {
        let ended = sessions_end_of_device(&mut specimen.connection, id(ALICE), device, time(LATER)).await;
        assert_eq!(ended.unwrap(), 0, "{device}");
    }
}

#[rstest]
#[tokio::test]
async fn a_session_with_a_token_is_added_and_ended(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    for (ulid, device, admin) in [(NEW[0], "DEVICE", false), (NEW[1], "DEVICE", true)] {
        let added = compatibility_session_add(store, id(ulid), id(ALICE), device, admin, time(NOW)).await;
        assert_eq!(added.unwrap(), id(ulid));
    }
    let endless = compatibility_token_add(store, id(NEW[2]), id(NEW[0]), &"mct_a".into(), time(NOW), None).await;
    assert_eq!(endless.unwrap(), id(NEW[2]));
    let ending = Some(time(LATER));
    let short = compatibility_token_add(store, id(NEW[3]), id(NEW[0]), &"mct_b".into(), time(NOW), ending).await;
    assert_eq!(short.unwrap(), id(NEW[3]));
    let end = session_end(store, SessionKind::Compatibility, id(NEW[0]), time(LATER)).await;
    assert!(end.unwrap());
    for ulid in [NEW[0], NEW[2]] {
        let end = session_end(store, SessionKind::Compatibility, id(ulid), time(NOW)).await;
        assert!(!end.unwrap(), "{ulid}");
    }
    assert_eq!(
        specimen.rows(
            "SELECT compat_session_id, user_id, device_id, created_at, finished_at, is_synapse_admin, last_active_at, \
             last_active_ip, user_session_id, user_agent, human_name FROM compat_sessions ORDER BY compat_session_id"
        ),
        [
            format!(
                "{} | {ALICE} | DEVICE | {NOW_SHOWN} | 2024-05-01T12:00:01Z | false | null | null | null | null | null",
                NEW[0]
            ),
            format!(
                "{} | {ALICE} | DEVICE | {NOW_SHOWN} | null | true | null | null | null | null | null",
                NEW[1]
            ),
        ]
    );
    assert_eq!(
        specimen.rows(
            "SELECT compat_access_token_id, compat_session_id, access_token, created_at, expires_at \
             FROM compat_access_tokens ORDER BY compat_access_token_id"
        ),
        [
            format!("{} | {} | mct_a | {NOW_SHOWN} | null", NEW[2], NEW[0]),
            format!("{} | {} | mct_b | {NOW_SHOWN} | 2024-05-01T12:00:01Z", NEW[3], NEW[0]),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_token_is_unique_and_no_error_shows_it(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let of_nobody = compatibility_session_add(store, id(NEW[0]), id(NEW[1]), "D", false, time(NOW)).await;
    assert_eq!(of_nobody.unwrap_err().code(), Code::DatabaseFailed);
    compatibility_session_add(store, id(NEW[0]), id(ALICE), "D", false, time(NOW))
        .await
        .unwrap();
    let token = "mct_secret".into();
    compatibility_token_add(store, id(NEW[1]), id(NEW[0]), &token, time(NOW), None)
        .await
        .unwrap();
    for session in [NEW[0], NEW[3]] {
        let error = compatibility_token_add(store, id(NEW[2]), id(session), &token, time(NOW), None)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::DatabaseFailed);
        let shown = format!(
            "{error} {error:?} {:?} {:?}",
            error.values(),
            std::error::Error::source(&error)
        );
        assert!(!shown.contains("mct_secret"), "{shown}");
    }
}

#[rstest]
#[tokio::test]
async fn the_devices_of_a_user_are_locked_as_mas_locks_them(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    // The user and the key of the contract's worked pair.
    const USER: &str = "01J1VQPJ8N5D3B7QZ2X9K4W6YE";
    const KEY: i64 = -5_485_416_324_747_355_186;
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    lock_user_devices(store, id(USER)).await.unwrap();
    lock_user_devices(store, id(USER)).await.unwrap();
    if kind == Store::Postgres {
        let held = "SELECT ((classid::bigint << 32) | objid::bigint)::text, objsubid::text, mode FROM pg_locks \
             WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(specimen.rows(held), [format!("{KEY} | 1 | ExclusiveLock")]);
        let attempt = format!("SELECT pg_try_advisory_xact_lock({KEY})");
        assert_eq!(specimen.rows(&attempt), ["false"]);
        assert_eq!(specimen.rows("SELECT pg_try_advisory_xact_lock(1)"), ["true"]);
        specimen.connection.commit().await.unwrap();
        assert_eq!(specimen.rows(&attempt), ["true"]);
    } else {
        // The one write lock of SQLite is what others wait for: see the transactions.
        store.commit().await.unwrap();
    }
}
