//! What belongs to one account.

use masctl::{
    model::{AcceptedTerms, SessionKind, ThirdPartyId},
    storage::users::{Pending, user_activity, user_jobs, user_terms, user_third_party_ids},
};
use rstest::rstest;

use super::{LATER, NEW, NOW};
use crate::support::{
    cast::{ALICE, BOB, CAROL, CREATED_AT, DAVE, ENDED_AT, id, time},
    specimen::Specimen,
    store::Store,
};

#[rstest]
#[tokio::test]
async fn what_belongs_to_an_account_is_read(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.seed(&format!(
        "INSERT INTO user_unsupported_third_party_ids (user_id, medium, address, created_at) VALUES \
         ({{ulid:{ALICE}}}, 'msisdn', '15550100', '{NOW}'), ({{ulid:{BOB}}}, 'msisdn', '15550101', '{NOW}');
         INSERT INTO user_terms (user_terms_id, user_id, terms_url, created_at) VALUES \
         ({{ulid:{new}}}, {{ulid:{ALICE}}}, 'https://example.com/terms', '{NOW}');",
        new = NEW[0],
    ));
    let store = &mut specimen.connection;
    assert_eq!(
        user_third_party_ids(store, id(ALICE)).await.unwrap(),
        [ThirdPartyId {
            medium: "msisdn".to_owned(),
            address: "15550100".to_owned(),
            created_at: time(NOW),
        }]
    );
    assert_eq!(
        user_terms(store, id(ALICE)).await.unwrap(),
        [AcceptedTerms {
            url: "https://example.com/terms".to_owned(),
            created_at: time(NOW),
        }]
    );
    assert_eq!(user_terms(store, id(BOB)).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn sessions_are_counted_while_active_and_remembered_after(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.seed(&format!(
        "INSERT INTO user_sessions (user_session_id, user_id, created_at, finished_at, last_active_at) VALUES \
         ({{ulid:{ALICE}}}, {{ulid:{ALICE}}}, '{CREATED_AT}', NULL, '{ENDED_AT}'), \
         ({{ulid:{BOB}}}, {{ulid:{ALICE}}}, '{CREATED_AT}', '{LATER}', '{NOW}'), \
         ({{ulid:{CAROL}}}, {{ulid:{ALICE}}}, '{CREATED_AT}', NULL, NULL);
         INSERT INTO compat_sessions (compat_session_id, user_id, created_at) VALUES \
         ({{ulid:{ALICE}}}, {{ulid:{ALICE}}}, '{LATER}');
         INSERT INTO personal_sessions (personal_session_id, owner_user_id, actor_user_id, human_name, scope_list, created_at) \
         VALUES ({{ulid:{DAVE}}}, {{ulid:{DAVE}}}, {{ulid:{CAROL}}}, 'helpdesk', {scope}, '{NOW}'), \
         ({{ulid:{CAROL}}}, {{ulid:{CAROL}}}, {{ulid:{CAROL}}}, 'own', {scope}, '{NOW}');",
        scope = specimen.list(&["openid"]),
    ));
    let store = &mut specimen.connection;
    let cases = [
        (SessionKind::Browser, ALICE, (2, Some(time(NOW)))),
        (SessionKind::Compatibility, ALICE, (1, Some(time(LATER)))),
        (SessionKind::OAuth, ALICE, (0, None)),
        (SessionKind::Personal, CAROL, (2, Some(time(NOW)))),
        (SessionKind::Personal, DAVE, (1, Some(time(NOW)))),
        (SessionKind::Personal, ALICE, (0, None)),
    ];
    for (kind, user, expected) in cases {
        assert_eq!(
            user_activity(store, kind, id(user)).await.unwrap(),
            expected,
            "{kind:?} {user}"
        );
    }
}

#[rstest]
#[tokio::test]
async fn jobs_count_until_nobody_needs_to_look(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let job = |end: &str, status: &str, user: &str, next: &str| {
        format!(
            "INSERT INTO queue_jobs (queue_job_id, queue_name, status, payload, created_at, next_attempt_id) VALUES \
             ({{ulid:01HV0000000000000000000J0{end}}}, 'sync-devices', '{status}', '{{\"user_id\": \"{user}\"}}', '{NOW}', {next});"
        )
    };
    let sql = [
        job("1", "failed", ALICE, "NULL"),
        job("2", "failed", ALICE, "{ulid:01HV0000000000000000000J01}"),
        job("3", "available", ALICE, "NULL"),
        job("4", "available", ALICE, "NULL"),
        job("5", "completed", ALICE, "NULL"),
        job("6", "running", BOB, "NULL"),
        job("7", "scheduled", BOB, "NULL"),
    ];
    specimen.seed(&sql.concat());
    let store = &mut specimen.connection;
    let mut of_alice = user_jobs(store, id(ALICE)).await.unwrap();
    of_alice.sort_unstable_by(|one, other| one.status.cmp(&other.status));
    let pending = |status: &str, jobs| Pending {
        status: status.to_owned(),
        jobs,
    };
    assert_eq!(of_alice, [pending("available", 2), pending("failed", 1)]);
    assert_eq!(user_jobs(store, id(CAROL)).await.unwrap(), []);
}
