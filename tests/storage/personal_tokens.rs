//! Personal access tokens, of which only the SHA-256 is kept.

use masctl::{
    error::Code,
    model::Scope,
    storage::{
        Connection,
        personal_tokens::{NewPersonalSession, personal_session_add, personal_token_add, personal_tokens_revoke},
    },
};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, id, time},
    specimen::Specimen,
    store::Store,
};

const SCOPE: &str = "openid urn:matrix:client:device:A,B{}'";

const TOKENS: &str = "SELECT personal_access_token_id, personal_session_id, access_token_sha256, created_at, expires_at, \
     revoked_at FROM personal_access_tokens ORDER BY personal_access_token_id";

async fn add_session(store: &mut Connection, ulid: &str, user: &str, name: &str) -> masctl::error::Result<()> {
    let scope: Scope = SCOPE.parse().expect("it is one");
    let session = NewPersonalSession {
        id: id(ulid),
        user: id(user),
        name,
        scope: &scope,
        created_at: time(NOW),
    };
    personal_session_add(store, &session).await
}

#[rstest]
#[tokio::test]
async fn a_session_belongs_to_the_user_it_acts_as(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_session(&mut specimen.connection, NEW[0], ALICE, "back'up")
        .await
        .unwrap();
    let scope = if kind == Store::Postgres {
        "to_json(scope_list)"
    } else {
        "scope_list"
    };
    assert_eq!(
        specimen.rows(&format!(
            "SELECT personal_session_id, owner_user_id, owner_oauth2_client_id, actor_user_id, human_name, {scope}, \
             created_at, revoked_at, last_active_at, last_active_ip FROM personal_sessions"
        )),
        [format!(
            "{} | {ALICE} | null | {ALICE} | back'up | [\"openid\",\"urn:matrix:client:device:A,B{{}}'\"] | \
             {NOW_SHOWN} | null | null | null",
            NEW[0]
        )]
    );
    let of_nobody = add_session(&mut specimen.connection, NEW[1], NEW[2], "x").await;
    assert_eq!(of_nobody.unwrap_err().code(), Code::DatabaseFailed);
}

#[rstest]
#[tokio::test]
async fn a_session_has_one_token_that_is_not_revoked(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    add_session(store, NEW[0], ALICE, "a").await.unwrap();
    add_session(store, NEW[1], ALICE, "b").await.unwrap();
    let sha256 = [0xab; 32];
    let added = personal_token_add(store, id(NEW[2]), id(NEW[0]), &sha256, time(NOW), None).await;
    assert_eq!(added.unwrap(), id(NEW[2]));
    // A second one, and the same hash in another session.
    for (session, sha256) in [(NEW[0], [0xcd; 32]), (NEW[1], sha256)] {
        let refused = personal_token_add(store, id(NEW[3]), id(session), &sha256, time(NOW), None).await;
        assert_eq!(refused.unwrap_err().code(), Code::DatabaseFailed);
    }
    for at in [NOW, LATER] {
        personal_tokens_revoke(store, id(NEW[0]), time(at)).await.unwrap();
    }
    let next = personal_token_add(store, id(NEW[3]), id(NEW[0]), &[0xcd; 32], time(NOW), Some(time(LATER))).await;
    assert_eq!(next.unwrap(), id(NEW[3]));
    assert_eq!(
        specimen.rows(TOKENS),
        [
            format!(
                "{} | {} | {} | {NOW_SHOWN} | null | {NOW_SHOWN}",
                NEW[2],
                NEW[0],
                "ab".repeat(32)
            ),
            format!(
                "{} | {} | {} | {NOW_SHOWN} | 2024-05-01T12:00:01Z | null",
                NEW[3],
                NEW[0],
                "cd".repeat(32)
            ),
        ]
    );
}
