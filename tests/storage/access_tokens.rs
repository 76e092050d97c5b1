//! Access tokens of compatibility and personal sessions, as lists show them.

use masctl::{
    model::{AccessKind, AccessToken, Id, Time},
    storage::{
        Connection,
        access_tokens::{
            Filter, access_token, access_token_count, access_token_page, compatibility_token_by_refresh_token,
            compatibility_token_by_text, compatibility_tokens_expire, is_refreshable, newest_token,
            oauth_session_by_text, personal_token_by_sha256, session_lock,
        },
    },
};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{self, ALICE, BOB, CAROL, CREATED_AT, ENDED_AT, TOKEN, id, time},
    specimen::Specimen,
    store::Store,
};

/// When the token of this number was made: seconds after the cast.
fn made_at(number: u32) -> Time {
    time(CREATED_AT) + chrono::Duration::seconds(number.into())
}

fn token_id(number: u32) -> Id {
    Id::new(made_at(number), number.into())
}

fn ulid(kind: &str, number: u32) -> String {
    format!("01HV{:016}{kind}{number:04}", 0)
}

/// The compatibility sessions: of whom, when they ended, and whether they have Synapse's administrator API.
const COMPATIBILITY: [(&str, Option<&str>, bool); 4] = [
    (ALICE, None, false),
    (ALICE, Some(ENDED_AT), false),
    (BOB, None, false),
    (CAROL, None, true),
];

/// The personal sessions: who made them (the client if nobody), as whom they act, and when they were revoked.
const PERSONAL: [(Option<&str>, &str, Option<&str>); 5] = [
    (Some(ALICE), ALICE, None),
    (Some(ALICE), CAROL, None),
    (Some(ALICE), ALICE, Some(ENDED_AT)),
    (None, CAROL, None),
    (Some(BOB), CAROL, None),
];

/// The tokens from number 1 on: kind, index of the session, when they expire and were revoked.
const TOKENS: [(AccessKind, usize, Option<&str>, Option<&str>); 12] = [
    (AccessKind::Compatibility, 0, None, None),
    (AccessKind::Personal, 0, Some("2024-06-01T00:00:00+00:00"), None),
    (AccessKind::Compatibility, 0, Some("2024-04-30T00:00:00+00:00"), None),
    (AccessKind::Compatibility, 1, None, None),
    (AccessKind::Personal, 2, None, None),
    (AccessKind::Compatibility, 2, None, None),
    (AccessKind::Personal, 1, None, None),
    (AccessKind::Personal, 3, None, None),
    (AccessKind::Personal, 4, None, None),
    (AccessKind::Personal, 0, None, Some(ENDED_AT)),
    (AccessKind::Compatibility, 3, Some(NOW), None),
    (AccessKind::Compatibility, 3, Some(LATER), None),
];

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"))
}

fn reference(ulid: Option<&str>) -> String {
    ulid.map_or_else(|| "NULL".to_owned(), |ulid| format!("{{ulid:{ulid}}}"))
}

fn blob(kind: Store, hex: &str) -> String {
    match kind {
        Store::Sqlite => format!("x'{hex}'"),
        Store::Postgres => format!("'\\x{hex}'"),
    }
}

fn add_tokens(kind: Store, specimen: &Specimen) {
    let client = ulid("CN", 1);
    let scope = specimen.list(&["openid", "urn:matrix:client:device:LAPTOP"]);
    let scope_of_admin = specimen.list(&["openid", "urn:synapse:admin:*"]);
    let mut sql = vec![format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) VALUES \
         ({{ulid:{client}}}, true, true);"
    )];
    for (number, (user, ended_at, admin)) in (0..).zip(COMPATIBILITY) {
        sql.push(format!(
            "INSERT INTO compat_sessions (compat_session_id, user_id, device_id, created_at, finished_at, is_synapse_admin) \
             VALUES ({{ulid:{}}}, {{ulid:{user}}}, 'PHONE', '{CREATED_AT}', {}, {admin});",
            ulid("CS", number),
            quoted(ended_at)
        ));
    }
    for (number, (owner, actor, revoked_at)) in (0..).zip(PERSONAL) {
        let owning_client = owner.is_none().then_some(client.as_str());
        let scope = if owner.is_none() { &scope_of_admin } else { &scope };
        sql.push(format!(
            "INSERT INTO personal_sessions (personal_session_id, owner_user_id, owner_oauth2_client_id, actor_user_id, \
             human_name, scope_list, created_at, revoked_at) VALUES ({{ulid:{}}}, {}, {}, {{ulid:{actor}}}, 'name {number}', \
             {scope}, '{CREATED_AT}', {});",
            ulid("PS", number),
            reference(owner),
            reference(owning_client),
            quoted(revoked_at)
        ));
    }
    for (number, (of, session, expires_at, revoked_at)) in (1..).zip(TOKENS) {
        let (id, made_at) = (token_id(number), made_at(number).to_rfc3339());
        let session = u32::try_from(session).expect("they are few");
        sql.push(match of {
            AccessKind::Compatibility => format!(
                "INSERT INTO compat_access_tokens (compat_access_token_id, compat_session_id, access_token, created_at, \
                 expires_at) VALUES ({{ulid:{id}}}, {{ulid:{}}}, 'text {number}', '{made_at}', {});",
                ulid("CS", session),
                quoted(expires_at)
            ),
            AccessKind::Personal => format!(
                "INSERT INTO personal_access_tokens (personal_access_token_id, personal_session_id, access_token_sha256, \
                 created_at, expires_at, revoked_at) VALUES ({{ulid:{id}}}, {{ulid:{}}}, {}, '{made_at}', {}, {});",
                ulid("PS", session),
                blob(kind, &format!("{number:064x}")),
                quoted(expires_at),
                quoted(revoked_at)
            ),
        });
    }
    specimen.seed(&sql.concat());
}

/// The numbers of the tokens that fit, read in pages of this size.
async fn numbers(store: &mut Connection, filter: &Filter, size: u64) -> Vec<u32> {
    let mut numbers = Vec::new();
    let mut after = Id::least();
    loop {
        let page = access_token_page(store, filter, time(NOW), (after, size))
            .await
            .expect("the SQL is right");
        assert!(page.len() as u64 <= size, "{filter:?}");
        let Some(last) = page.last() else { return numbers };
        after = last.id;
        let number = |token: &AccessToken| (1..=12).find(|number| token_id(*number) == token.id);
        numbers.extend(page.iter().map(|token| number(token).expect("it is one of them")));
    }
}

#[rstest]
#[tokio::test]
async fn each_filter_keeps_what_fits(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_tokens(kind, &specimen);
    let store = &mut specimen.connection;
    let none = Filter::default();
    let user = |ulid: &str| Some(id(ulid));
    let at = |text: &str| Some(time(text));
    let cases: Vec<(Filter, Vec<u32>)> = vec![
        (none.clone(), (1..=12).collect()),
        (
            Filter {
                kind: Some(AccessKind::Compatibility),
                ..none.clone()
            },
            vec![1, 3, 4, 6, 11, 12],
        ),
        (
            Filter {
                kind: Some(AccessKind::Personal),
                ..none.clone()
            },
            vec![2, 5, 7, 8, 9, 10],
        ),
        (
            Filter {
                user: user(ALICE),
                ..none.clone()
            },
            vec![1, 2, 3, 4, 5, 7, 10],
        ),
        (
            Filter {
                user: user(CAROL),
                ..none.clone()
            },
            vec![7, 8, 9, 11, 12],
        ),
        (
            Filter {
                user: user(NEW[0]),
                ..none.clone()
            },
            vec![],
        ),
        (
            Filter {
                valid: Some(true),
                ..none.clone()
            },
            vec![1, 2, 7, 8, 12],
        ),
        (
            Filter {
                valid: Some(false),
                ..none.clone()
            },
            vec![3, 4, 5, 6, 9, 10, 11],
        ),
        (
            Filter {
                expires_before: at(NOW),
                ..none.clone()
            },
            vec![3],
        ),
        (
            Filter {
                expires_before: at(LATER),
                ..none.clone()
            },
            vec![3, 11],
        ),
        (
            Filter {
                created_after: Some(made_at(5)),
                ..none.clone()
            },
            (5..=12).collect(),
        ),
        (
            Filter {
                created_before: Some(made_at(5)),
                ..none.clone()
            },
            (1..=4).collect(),
        ),
        (
            Filter {
                user: user(ALICE),
                valid: Some(true),
                ..none.clone()
            },
            vec![1, 2, 7],
        ),
        (
            Filter {
                kind: Some(AccessKind::Personal),
                valid: Some(false),
                created_after: Some(made_at(6)),
                created_before: Some(made_at(10)),
                ..none.clone()
            },
            vec![9],
        ),
    ];
    for (filter, expected) in cases {
        for size in [1, 2, 5, 100] {
            assert_eq!(numbers(store, &filter, size).await, expected, "{filter:?} {size}");
        }
        let count = access_token_count(store, &filter, time(NOW)).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.len(), "{filter:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_token_is_shown_with_its_session_and_users(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_tokens(kind, &specimen);
    let store = &mut specimen.connection;
    let helpdesk = AccessToken {
        id: token_id(7),
        kind: AccessKind::Personal,
        session_id: id(&ulid("PS", 1)),
        user_id: id(CAROL),
        user: "carol".to_owned(),
        owner: Some("alice".to_owned()),
        device_id: Some("LAPTOP".to_owned()),
        name: Some("name 1".to_owned()),
        scope: Some("openid urn:matrix:client:device:LAPTOP".to_owned()),
        synapse_admin: false,
        created_at: made_at(7),
        expires_at: None,
        revoked_at: None,
        valid: true,
    };
    let of_admin = AccessToken {
        id: token_id(12),
        kind: AccessKind::Compatibility,
        session_id: id(&ulid("CS", 3)),
        owner: None,
        device_id: Some("PHONE".to_owned()),
        name: None,
        scope: None,
        synapse_admin: true,
        created_at: made_at(12),
        expires_at: Some(time(LATER)),
        ..helpdesk.clone()
    };
    for expected in [helpdesk, of_admin] {
        let found = access_token(store, expected.id, time(NOW)).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    let by_scope = access_token(store, token_id(8), time(NOW)).await.unwrap();
    assert!(by_scope.expect("it is there").synapse_admin);
    // It expires at this moment, and not one later.
    let over = access_token(store, token_id(12), time(LATER))
        .await
        .unwrap()
        .expect("it is there");
    assert!(!over.valid);
    for (number, expected) in [
        (1, None),
        (4, Some(ENDED_AT)),
        (5, Some(ENDED_AT)),
        (10, Some(ENDED_AT)),
    ] {
        let token = access_token(store, token_id(number), time(NOW)).await.unwrap();
        let revoked_at = token.expect("it is there").revoked_at;
        assert_eq!(revoked_at, expected.map(time), "{number}");
    }
    let of_session = access_token(store, id(&ulid("CS", 0)), time(NOW)).await.unwrap();
    assert_eq!(of_session, None);
}

/// A list walks tables of which one is much longer than the other, and finds the few that fit in their order.
#[rstest]
#[tokio::test]
async fn rare_tokens_are_found_among_many(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_tokens(kind, &specimen);
    let (numbered, moment) = match kind {
        Store::Sqlite => ("unhex(printf('%032x', i))", format!("'{CREATED_AT}'")),
        Store::Postgres => (
            "CAST(lpad(to_hex(i), 32, '0') AS uuid)",
            format!("timestamptz '{CREATED_AT}'"),
        ),
    };
    specimen.seed(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000) \
         INSERT INTO compat_access_tokens (compat_access_token_id, compat_session_id, access_token, created_at, expires_at) \
         SELECT {numbered}, {{ulid:{}}}, 'many ' || i, {moment}, \
         CASE WHEN i IN (9999, 10000, 10001, 24000) THEN NULL ELSE {moment} END FROM n",
        ulid("CS", 0)
    ));
    let store = &mut specimen.connection;
    let filter = Filter {
        valid: Some(true),
        ..Filter::default()
    };
    let early = [9999, 10000, 10001, 24000].map(|number| Id::new(time("1970-01-01T00:00:00Z"), number));
    let late = [1, 2, 7, 8, 12].map(token_id);
    let expected = [&early[..], &late[..]].concat();
    for size in [1, 3, 100] {
        let mut read = Vec::new();
        let mut after = Id::least();
        loop {
            let page = access_token_page(store, &filter, time(NOW), (after, size))
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = last.id;
            read.extend(page.iter().map(|token| token.id));
        }
        assert_eq!(read, expected, "{size}");
    }
    assert_eq!(access_token_count(store, &filter, time(NOW)).await.unwrap(), 9);
}

#[rstest]
#[tokio::test]
async fn a_token_is_found_by_exactly_its_text(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_tokens(kind, &specimen);
    specimen.seed(&cast::tokens_sql());
    let session = ulid("XS", 1);
    specimen.seed(&format!(
        "INSERT INTO oauth2_sessions (oauth2_session_id, oauth2_client_id, scope_list, created_at) VALUES \
         ({{ulid:{session}}}, {{ulid:{}}}, {}, '{CREATED_AT}');
         INSERT INTO oauth2_access_tokens (oauth2_access_token_id, oauth2_session_id, access_token, created_at) VALUES \
         ({{ulid:{session}}}, {{ulid:{session}}}, 'access', '{CREATED_AT}');
         INSERT INTO oauth2_refresh_tokens (oauth2_refresh_token_id, oauth2_session_id, refresh_token, created_at) VALUES \
         ({{ulid:{session}}}, {{ulid:{session}}}, 'refresh', '{CREATED_AT}');",
        ulid("CN", 1),
        specimen.list(&["openid"])
    ));
    let store = &mut specimen.connection;
    let by_text = compatibility_token_by_text(store, &cast::TOKEN_TEXT.into()).await;
    assert_eq!(by_text.unwrap(), Some(id(TOKEN)));
    let by_refresh = compatibility_token_by_refresh_token(store, &cast::REFRESH_TEXT.into()).await;
    assert_eq!(by_refresh.unwrap(), Some(id(TOKEN)));
    for wrong in [cast::REFRESH_TEXT, &cast::TOKEN_TEXT.to_lowercase(), "", "%"] {
        assert_eq!(
            compatibility_token_by_text(store, &wrong.into()).await.unwrap(),
            None,
            "{wrong}"
        );
    }
    let mut sha256 = [0; 32];
    sha256[31] = 7;
    assert_eq!(
        personal_token_by_sha256(store, &sha256).await.unwrap(),
        Some(token_id(7))
    );
    sha256[0] = 1;
    assert_eq!(personal_token_by_sha256(store, &sha256).await.unwrap(), None);
    for (text, expected) in [
        ("access", Some(id(&session))),
        ("refresh", Some(id(&session))),
        ("Access", None),
    ] {
        assert_eq!(
            oauth_session_by_text(store, &text.into()).await.unwrap(),
            expected,
            "{text}"
        );
    }
}

#[rstest]
#[tokio::test]
async fn the_tokens_of_one_session_expire(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_tokens(kind, &specimen);
    specimen.seed(&cast::tokens_sql());
    let session = id("01HV0000000000000000000S01");
    let store = &mut specimen.connection;
    let newest = newest_token(store, AccessKind::Compatibility, id(&ulid("CS", 3))).await;
    assert_eq!(newest.unwrap(), Some(token_id(12)));
    let newest = newest_token(store, AccessKind::Personal, id(&ulid("PS", 0))).await;
    // The one that was made later is revoked.
    assert_eq!(newest.unwrap(), Some(token_id(2)));
    let newest = newest_token(store, AccessKind::Compatibility, id(&ulid("CS", 0))).await;
    assert_eq!(newest.unwrap(), Some(token_id(3)));
    assert_eq!(newest_token(store, AccessKind::Personal, session).await.unwrap(), None);
    assert!(is_refreshable(store, id(TOKEN)).await.unwrap());
    assert!(!is_refreshable(store, token_id(1)).await.unwrap());
    for count in [1, 0] {
        let expired = compatibility_tokens_expire(store, session, time(NOW)).await;
        assert_eq!(expired.unwrap(), count);
    }
    assert!(!is_refreshable(store, id(TOKEN)).await.unwrap());
    assert_eq!(
        specimen.rows("SELECT consumed_at FROM compat_refresh_tokens"),
        [NOW_SHOWN]
    );
    assert_eq!(
        specimen.rows(&format!(
            "SELECT compat_access_token_id FROM compat_access_tokens WHERE expires_at = '{NOW}' ORDER BY 1"
        )),
        [TOKEN.to_owned(), token_id(11).to_string()]
    );
    // One that has expired keeps the time.
    let expired = compatibility_tokens_expire(&mut specimen.connection, id(&ulid("CS", 0)), time(NOW)).await;
    assert_eq!(expired.unwrap(), 1);
    assert_eq!(
        specimen.rows(&format!(
            "SELECT expires_at FROM compat_access_tokens WHERE compat_session_id = {{ulid:{}}} ORDER BY 1",
            ulid("CS", 0)
        )),
        ["2024-04-30T00:00:00Z", NOW_SHOWN]
    );
}

/// Whoever refreshes a token adds one to its session, and has to wait.
#[tokio::test]
async fn nobody_adds_a_token_to_a_session_that_is_locked() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    add_tokens(Store::Postgres, &specimen);
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    for (kind, session) in [
        (AccessKind::Compatibility, ulid("CS", 0)),
        (AccessKind::Personal, ulid("PS", 0)),
    ] {
        session_lock(store, kind, id(&session)).await.unwrap();
    }
    let beside = specimen.beside();
    let add = |session: u32| {
        let sql = format!(
            "SET lock_timeout = '50ms'; INSERT INTO compat_access_tokens \
             (compat_access_token_id, compat_session_id, access_token, created_at) VALUES \
             ({{ulid:{}}}, {{ulid:{}}}, 'new', '{NOW}')",
            NEW[0],
            ulid("CS", session)
        );
        beside.query(&sql).map_err(|error| error.to_string())
    };
    let refused = add(0).unwrap_err();
    assert!(refused.contains("lock timeout"), "{refused}");
    add(2).unwrap();
}
