//! Registration tokens.

use masctl::{
    error::Code,
    model::{Id, RegistrationToken},
    storage::{
        Connection,
        registration_tokens::{
            Filter, registration_token, registration_token_add, registration_token_by_text, registration_token_count,
            registration_token_for_change, registration_token_page, registration_token_set_limits,
            registration_token_set_revoked,
        },
    },
};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{CREATED_AT, ENDED_AT, id, time},
    specimen::{Specimen, lose_patience},
    store::Store,
};

const ROWS: &str = "SELECT user_registration_token_id, token, usage_limit, times_used, created_at, last_used_at, \
     expires_at, revoked_at FROM user_registration_tokens ORDER BY user_registration_token_id";

#[rstest]
#[tokio::test]
async fn tokens_are_stored_as_given(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let unlimited = registration_token_add(store, id(NEW[0]), &"Token".into(), None, time(NOW), None).await;
    assert_eq!(unlimited.unwrap(), Some(id(NEW[0])));
    // Compared exactly: in another case it is another token.
    let (token, limit) = ("token".into(), Some(i32::MAX));
    let limited = registration_token_add(store, id(NEW[1]), &token, limit, time(NOW), Some(time(LATER)));
    assert_eq!(limited.await.unwrap(), Some(id(NEW[1])));
    assert_eq!(
        specimen.rows(ROWS),
        [
            format!("{} | Token | null | 0 | {NOW_SHOWN} | null | null | null", NEW[0]),
            format!(
                "{} | token | 2147483647 | 0 | {NOW_SHOWN} | null | 2024-05-01T12:00:01Z | null",
                NEW[1]
            ),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_token_is_added_once(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let first = registration_token_add(store, id(NEW[0]), &"token".into(), Some(1), time(NOW), None).await;
    assert_eq!(first.unwrap(), Some(id(NEW[0])));
    let second = registration_token_add(store, id(NEW[1]), &"token".into(), None, time(LATER), None).await;
    assert_eq!(second.unwrap(), None);
    let same_id = registration_token_add(store, id(NEW[0]), &"secret-text".into(), None, time(NOW), None).await;
    let error = same_id.unwrap_err();
    assert_eq!(error.code(), Code::DatabaseFailed);
    assert!(!error.message().contains("secret-text"), "{error}");
    assert_eq!(
        specimen.rows(ROWS),
        [format!("{} | token | 1 | 0 | {NOW_SHOWN} | null | null | null", NEW[0])]
    );
}

/// Limit, uses, when it expires and was revoked.
type Token = (Option<i32>, i32, Option<&'static str>, Option<&'static str>);

/// The tokens from number 1 on.
const TOKENS: [Token; 7] = [
    (None, 0, None, None),
    (Some(2), 1, Some("2024-06-01T00:00:00+00:00"), None),
    (Some(2), 2, None, None),
    (None, 3, Some(NOW), None),
    (None, 0, Some(LATER), None),
    (None, 0, None, Some(ENDED_AT)),
    (Some(0), 0, Some(ENDED_AT), Some(ENDED_AT)),
];

fn numbered(number: usize) -> String {
    format!("01HV0000000000000000000R{number:02}")
}

fn add_tokens(specimen: &Specimen) {
    let quoted = |text: Option<&str>| text.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"));
    for (number, (limit, used, expires_at, revoked_at)) in (1..).zip(TOKENS) {
        let limit = limit.map_or_else(|| "NULL".to_owned(), |limit| limit.to_string());
        specimen.seed(&format!(
            "INSERT INTO user_registration_tokens (user_registration_token_id, token, created_at, usage_limit, times_used, \
             expires_at, revoked_at) VALUES ({{ulid:{}}}, 'token {number}', '{CREATED_AT}', {limit}, {used}, {}, {})",
            numbered(number),
            quoted(expires_at),
            quoted(revoked_at)
        ));
    }
}

async fn numbers(store: &mut Connection, filter: &Filter, size: u64) -> Vec<usize> {
    let mut numbers = Vec::new();
    let mut after = Id::least();
    loop {
        let page = registration_token_page(store, filter, time(NOW), (after, size))
            .await
            .expect("the SQL is right");
        let Some(last) = page.last() else { return numbers };
        after = last.id;
        let number = |token: &RegistrationToken| (1..=7).find(|number| id(&numbered(*number)) == token.id);
        numbers.extend(page.iter().map(|token| number(token).expect("it is one of them")));
    }
}

#[rstest]
#[tokio::test]
async fn each_filter_keeps_what_fits(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_tokens(&specimen);
    let store = &mut specimen.connection;
    let none = Filter::default;
    let cases: [(Filter, &[usize]); 10] = [
        (none(), &[1, 2, 3, 4, 5, 6, 7]),
        (
            Filter {
                valid: Some(true),
                ..none()
            },
            &[1, 2, 5],
        ),
        (
            Filter {
                valid: Some(false),
                ..none()
            },
            &[3, 4, 6, 7],
        ),
        (
            Filter {
                used: Some(true),
                ..none()
            },
            &[2, 3, 4],
        ),
        (
            Filter {
                used: Some(false),
                ..none()
            },
            &[1, 5, 6, 7],
        ),
        (
            Filter {
                revoked: Some(true),
                ..none()
            },
            &[6, 7],
        ),
        (
            Filter {
                revoked: Some(false),
                ..none()
            },
            &[1, 2, 3, 4, 5],
        ),
        (
            Filter {
                expires_before: Some(time(NOW)),
                ..none()
            },
            &[7],
        ),
        (
            Filter {
                expires_before: Some(time(LATER)),
                ..none()
            },
            &[4, 7],
        ),
        (
            Filter {
                valid: Some(false),
                used: Some(true),
                ..none()
            },
            &[3, 4],
        ),
    ];
    for (filter, expected) in cases {
        for size in [1, 3, 100] {
            assert_eq!(numbers(store, &filter, size).await, expected, "{filter:?} {size}");
        }
        let count = registration_token_count(store, &filter, time(NOW)).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.len(), "{filter:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_token_is_read_and_changed(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_tokens(&specimen);
    let store = &mut specimen.connection;
    let second = RegistrationToken {
        id: id(&numbered(2)),
        token: "token 2".to_owned(),
        usage_limit: Some(2),
        times_used: 1,
        created_at: time(CREATED_AT),
        last_used_at: None,
        expires_at: Some(time("2024-06-01T00:00:00+00:00")),
        revoked_at: None,
        valid: true,
    };
    let by_text = registration_token_by_text(store, "token 2", time(NOW)).await;
    assert_eq!(by_text.unwrap(), Some(second.clone()));
    for wrong in ["Token 2", "token", "token 2 ", "%", ""] {
        assert_eq!(
            registration_token_by_text(store, wrong, time(NOW)).await.unwrap(),
            None,
            "{wrong}"
        );
    }
    registration_token_set_limits(store, second.id, None, Some(time(NOW)))
        .await
        .unwrap();
    registration_token_set_revoked(store, second.id, Some(time(LATER)))
        .await
        .unwrap();
    let changed = RegistrationToken {
        usage_limit: None,
        expires_at: Some(time(NOW)),
        revoked_at: Some(time(LATER)),
        valid: false,
        ..second.clone()
    };
    assert_eq!(
        registration_token(store, second.id, time(NOW)).await.unwrap(),
        Some(changed)
    );
    registration_token_set_limits(store, second.id, Some(2), second.expires_at)
        .await
        .unwrap();
    registration_token_set_revoked(store, second.id, None).await.unwrap();
    let again = registration_token_for_change(store, second.id, time(NOW)).await;
    assert_eq!(again.unwrap(), Some(second));
    assert_eq!(
        registration_token_for_change(store, id(NEW[0]), time(NOW))
            .await
            .unwrap(),
        None
    );
    // The others are as they were.
    assert_eq!(
        registration_token_count(store, &Filter::default(), time(NOW))
            .await
            .unwrap(),
        7
    );
    let valid = Filter {
        valid: Some(true),
        ..Filter::default()
    };
    assert_eq!(numbers(store, &valid, 9).await, [1, 2, 5]);
}

#[tokio::test]
async fn a_token_that_changes_is_kept_from_others() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    add_tokens(&specimen);
    let token = id(&numbered(1));
    specimen.connection.begin().await.unwrap();
    let read = registration_token_for_change(&mut specimen.connection, token, time(NOW)).await;
    assert!(read.unwrap().is_some());
    let mut other = specimen.connect().await;
    other.begin().await.unwrap();
    lose_patience(&mut other).await;
    let busy = registration_token_for_change(&mut other, token, time(NOW))
        .await
        .unwrap_err();
    assert_eq!(busy.code(), Code::DatabaseBusy);
}
