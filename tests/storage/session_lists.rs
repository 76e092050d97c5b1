//! Sessions as one list, what each part of the filter keeps of it, and the end of those that fit.

mod rows;

use chrono::Duration;
use masctl::{
    model::{Id, Session, SessionKind},
    storage::{
        Connection,
        sessions::{Filter, session, session_count, session_for_change, session_page, sessions_finish},
    },
};
use rstest::rstest;

use self::rows::{CLIENTS, hour, nth, sessions, with_sessions};
use super::{LATER, NEW, NOW};
use crate::support::{
    cast::{ALICE, BOB, CAROL, id, time},
    specimen::Specimen,
    store::Store,
};

/// A filter with some parts set.
fn only(set: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    set(&mut filter);
    filter
}

/// Each part of the filter, and the sessions that it keeps.
fn filters() -> Vec<(Filter, Vec<i64>)> {
    [by_whom(), by_time_and_place(), by_several()].concat()
}

fn by_whom() -> Vec<(Filter, Vec<i64>)> {
    let user = |user| only(|it| it.user = Some(id(user)));
    let kind = |kind| only(|it| it.kind = Some(kind));
    let client = |client| only(|it| it.client = Some(id(client)));
    let device = |device| only(|it| it.device = Some(String::from(device)));
    vec![
        (Filter::default(), (0..=10).collect()),
        (user(ALICE), vec![0, 1, 2, 3, 4, 10]),
        (user(BOB), vec![5, 6, 7, 9]),
        (user(CAROL), vec![4]),
        (user(NEW[2]), vec![]),
        (kind(SessionKind::Browser), vec![0, 6]),
        (kind(SessionKind::Compatibility), vec![1, 7, 10]),
        (kind(SessionKind::OAuth), vec![2, 8, 9]),
        (kind(SessionKind::Personal), vec![3, 4, 5]),
        (client(CLIENTS[0]), vec![2, 5, 9]),
        (client(CLIENTS[1]), vec![8]),
        (client(ALICE), vec![]),
        (device("PHONE"), vec![1, 2, 7]),
        (device("BOT"), vec![3]),
        (device("phone"), vec![]),
        (device("%"), vec![]),
        (device(""), vec![]),
    ]
}

fn by_time_and_place() -> Vec<(Filter, Vec<i64>)> {
    let active = |active| only(|it| it.active = Some(active));
    let active_after = |hours| only(|it| it.active_after = Some(hour(hours)));
    let active_before = |hours| only(|it| it.active_before = Some(hour(hours)));
    let created_after = |time| only(|it| it.created_after = Some(time));
    let created_before = |time| only(|it| it.created_before = Some(time));
    let ip = |ip: &str| only(|it| it.ip = ip.parse().ok());
    let user_agent = |words| only(|it| it.user_agent = Some(String::from(words)));
    let millisecond = Duration::milliseconds(1);
    vec![
        (active(true), vec![0, 1, 2, 3, 4, 8, 9, 10]),
        (active(false), vec![5, 6, 7]),
        (active_after(8), vec![0, 7, 8, 9, 10]),
        (active_before(3), vec![1]),
        (active_before(4), vec![1, 2, 3]),
        (created_after(hour(9)), vec![9, 10]),
        (created_after(hour(9) + millisecond), vec![10]),
        (created_after(hour(11)), vec![]),
        (created_before(hour(2)), vec![0, 1]),
        (created_before(hour(2) + millisecond), vec![0, 1, 2]),
        (created_before(hour(0)), vec![]),
        (ip("192.0.2.1"), vec![0, 4]),
        (ip("2001:DB8:0::1"), vec![2]),
        (ip("192.0.2.2"), vec![]),
        (user_agent("MOZILLA"), vec![0, 2]),
        (user_agent("100%_\\ ("), vec![1]),
        (user_agent("1.0 %"), vec![]),
    ]
}

fn by_several() -> Vec<(Filter, Vec<i64>)> {
    vec![
        (
            only(|it| it.except = vec![nth(0), nth(5), nth(9), id(ALICE)]),
            vec![1, 2, 3, 4, 6, 7, 8, 10],
        ),
        (
            Filter {
                user: Some(id(ALICE)),
                created_after: Some(hour(1)),
                created_before: Some(hour(10)),
                active: Some(true),
                except: vec![nth(2)],
                ..Filter::default()
            },
            vec![1, 3, 4],
        ),
        (
            Filter {
                client: Some(id(CLIENTS[0])),
                kind: Some(SessionKind::Browser),
                ..Filter::default()
            },
            vec![],
        ),
        (
            Filter {
                user_agent: Some("e".to_owned()),
                kind: Some(SessionKind::Personal),
                ..Filter::default()
            },
            vec![],
        ),
    ]
}

/// All pages of this size of those that fit.
async fn pages(store: &mut Connection, filter: &Filter, most: u64) -> Vec<Session> {
    let mut all: Vec<Session> = Vec::new();
    loop {
        let after = all.last().map_or(Id::least(), |session| session.id);
        let page = session_page(store, filter, after, most)
            .await
            .expect("the SQL is right");
        if page.is_empty() {
            return all;
        }
        assert!(page.len() as u64 <= most);
        all.extend(page);
    }
}

#[rstest]
#[tokio::test]
async fn each_part_of_the_filter_keeps_what_fits(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_sessions(kind).await;
    let sessions = sessions();
    for (filter, expected) in filters() {
        let store = &mut specimen.connection;
        let expected: Vec<_> = sessions
            .iter()
            .filter(|session| expected.iter().any(|&number| session.id == nth(number)))
            .cloned()
            .collect();
        for most in [1000, 2] {
            assert_eq!(
                pages(store, &filter, most).await,
                expected,
                "{filter:?}, pages of {most}"
            );
        }
        let count = session_count(store, &filter).await.expect("the SQL is right");
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter:?}");
    }
}

/// Ends those that fit, of all kinds.
async fn finish_all(store: &mut Connection, filter: &Filter) -> Vec<(Id, Option<Id>)> {
    let mut all = Vec::new();
    for kind in SessionKind::ALL {
        let mut next = Some(Id::least());
        while let Some(after) = next {
            let (ended, more) = sessions_finish(store, filter, kind, after, time(LATER))
                .await
                .expect("the SQL is right");
            all.extend(ended);
            next = more;
        }
    }
    all.sort_unstable();
    all
}

#[rstest]
#[tokio::test]
async fn those_that_fit_end_unless_they_have(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_sessions(kind).await;
    let before = sessions();
    for (filter, fitting) in filters() {
        let store = &mut specimen.connection;
        let fits = |session: &Session| fitting.iter().any(|&number| session.id == nth(number));
        let ending = |session: &&Session| session.finished_at.is_none() && fits(session);
        let expected: Vec<_> = before.iter().filter(ending).map(|it| (it.id, it.user_id)).collect();
        store.begin().await.unwrap();
        assert_eq!(finish_all(store, &filter).await, expected, "{filter:?}");
        let after: Vec<Session> = before
            .iter()
            .map(|session| Session {
                finished_at: session.finished_at.or(fits(session).then(|| time(LATER))),
                ..session.clone()
            })
            .collect();
        assert_eq!(pages(store, &Filter::default(), 1000).await, after, "{filter:?}");
        store.rollback().await.unwrap();
    }
}

#[rstest]
#[tokio::test]
async fn a_session_is_found_by_its_id_whatever_its_kind(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_sessions(kind).await;
    let store = &mut specimen.connection;
    for expected in sessions() {
        assert_eq!(session(store, expected.id).await.unwrap(), Some(expected.clone()));
        store.begin().await.unwrap();
        let found = session_for_change(store, expected.kind, expected.id).await;
        assert_eq!(found.unwrap(), Some(expected));
        store.rollback().await.unwrap();
    }
    assert_eq!(session(store, id(ALICE)).await.unwrap(), None);
    let other = session_for_change(store, SessionKind::OAuth, nth(0)).await;
    assert_eq!(other.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn what_a_client_made_too_long_is_cut(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_sessions(kind).await;
    let long = "é".repeat(20_000);
    let list = specimen.list(&[&long]);
    specimen.seed(&format!(
        "UPDATE compat_sessions SET user_agent = '{long}', device_id = '{long}', human_name = '{long}'; \
         UPDATE oauth2_sessions SET scope_list = {list};"
    ));
    let cut = format!("{}…", "é".repeat(1000));
    let store = &mut specimen.connection;
    let compatibility = session(store, nth(1)).await.unwrap().expect("it is there");
    let cuts = [compatibility.user_agent, compatibility.device_id, compatibility.name];
    assert_eq!(cuts, [const { None }; 3].map(|_: Option<String>| Some(cut.clone())));
    let oauth = session(store, nth(2)).await.unwrap().expect("it is there");
    assert_eq!(oauth.scope.map(|scope| scope.chars().count()), Some(16_385));
    assert_eq!(oauth.device_id, None);
}

/// Two tables of many thousand rows whose ids alternate; of both, a few with a user agent that others do not have.
fn crowd(kind: Store) -> String {
    let id = |number: &str| match kind {
        Store::Sqlite => format!("unhex(printf('%032x', {number}))"),
        Store::Postgres => format!("CAST(lpad(to_hex({number}), 32, '0') AS uuid)"),
    };
    let of = |table: &str, key: &str, number: &str, count: u32| {
        format!(
            "INSERT INTO {table} ({key}, user_id, created_at, user_agent) \
             WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count}) \
             SELECT {}, {{ulid:{ALICE}}}, '{NOW}', \
             CASE WHEN i IN (1, 4999, 5000, 5001, 10001, 24999, 25000) THEN 'rare' ELSE 'usual' END FROM numbers;",
            id(number)
        )
    };
    [
        of("user_sessions", "user_session_id", "2 * i", 25_000),
        of("compat_sessions", "compat_session_id", "2 * i + 1", 12_000),
    ]
    .concat()
}

#[rstest]
#[tokio::test]
async fn what_no_index_finds_is_found_in_every_window(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.seed(&crowd(kind));
    let rare = Filter {
        user_agent: Some("rare".to_owned()),
        ..Filter::default()
    };
    let browsers = [1, 4999, 5000, 5001, 10_001, 24_999, 25_000].map(|i| 2 * i);
    let others = [1, 4999, 5000, 5001, 10_001].map(|i| 2 * i + 1);
    let mut expected: Vec<u128> = browsers.into_iter().chain(others).collect();
    expected.sort_unstable();
    let store = &mut specimen.connection;
    for most in [1000, 5] {
        let found = pages(store, &rare, most).await;
        let found: Vec<u128> = found.into_iter().map(|session| number(session.id)).collect();
        assert_eq!(found, expected, "pages of {most}");
    }
    let of_others = Filter {
        user: Some(id(BOB)),
        ..rare.clone()
    };
    assert_eq!(session_count(store, &of_others).await.unwrap(), 0);
    for filter in [
        rare,
        Filter {
            user: Some(id(ALICE)),
            user_agent: Some("usual".to_owned()),
            ..Filter::default()
        },
    ] {
        let fitting = session_count(store, &filter).await.unwrap();
        store.begin().await.unwrap();
        let ended = finish_all(store, &filter).await;
        store.commit().await.unwrap();
        assert_eq!(i64::try_from(ended.len()), Ok(fitting));
    }
    let left = Filter {
        active: Some(true),
        ..Filter::default()
    };
    assert_eq!(session_count(store, &left).await.unwrap(), 0);
}

/// The number that an id is.
fn number(id: Id) -> u128 {
    let text = id.to_string();
    let digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    text.chars().fold(0, |number, digit| {
        number * 32 + digits.find(digit).expect("it is a ULID") as u128
    })
}
