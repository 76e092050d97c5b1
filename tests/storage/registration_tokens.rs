//! Registration tokens.

use masctl::{error::Code, storage::registration_tokens::registration_token_add};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{id, time},
    specimen::Specimen,
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
