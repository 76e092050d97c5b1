//! What belongs to one account.

use masctl::{
    model::{AcceptedTerms, Address, PasswordState, SessionKind, ThirdPartyId, UpstreamAccount},
    storage::users::{
        Pending, user_activity, user_addresses, user_jobs, user_links, user_password, user_terms, user_third_party_ids,
    },
};
use rstest::rstest;

use super::{LATER, NEW, NOW};
use crate::support::{
    cast::{ALICE, BOB, CAROL, CREATED_AT, DAVE, ENDED_AT, PROVIDER, id, time},
    specimen::Specimen,
    store::Store,
};

#[rstest]
#[tokio::test]
async fn what_belongs_to_an_account_is_read(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.seed(&format!(
        "INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
         ({{ulid:{new}}}, {{ulid:{ALICE}}}, 'Alice@work.example', '{NOW}');
         INSERT INTO user_unsupported_third_party_ids (user_id, medium, address, created_at) VALUES \
         ({{ulid:{ALICE}}}, 'msisdn', '15550100', '{NOW}'), ({{ulid:{BOB}}}, 'msisdn', '15550101', '{NOW}');
         INSERT INTO user_terms (user_terms_id, user_id, terms_url, created_at) VALUES \
         ({{ulid:{new}}}, {{ulid:{ALICE}}}, 'https://example.com/terms', '{NOW}');
         INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at, \
         human_account_name) VALUES ({{ulid:{new}}}, {{ulid:{PROVIDER}}}, {{ulid:{ALICE}}}, 'a', '{NOW}', 'Alice A.');",
        new = NEW[0],
    ));
    let store = &mut specimen.connection;
    let address = |email: &str, at: &str| Address {
        email: email.to_owned(),
        created_at: time(at),
    };
    assert_eq!(
        user_addresses(store, id(ALICE)).await.unwrap(),
        [
            address("alice@example.com", CREATED_AT),
            address("Alice@work.example", NOW)
        ]
    );
    assert_eq!(user_addresses(store, id(BOB)).await.unwrap(), []);
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
    assert_eq!(
        user_links(store, id(ALICE)).await.unwrap(),
        [UpstreamAccount {
            id: id(NEW[0]),
            provider: None,
            provider_id: id(PROVIDER),
            subject: "a".to_owned(),
            human_account_name: Some("Alice A.".to_owned()),
            created_at: time(NOW),
        }]
    );
    assert_eq!(user_links(store, id(BOB)).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_password_is_described_without_its_hash(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    assert_eq!(user_password(&mut specimen.connection, id(ALICE)).await.unwrap(), None);
    let hashes = [
        ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", Some("argon2id")),
        ("$2b$12$abcdefghijklmnopqrstuv", Some("bcrypt")),
        ("$pbkdf2-sha256$i=600000,l=32$c2FsdA$aGFzaA", Some("pbkdf2")),
        ("rubbish", None),
    ];
    for (number, (hash, algorithm)) in hashes.into_iter().enumerate() {
        let at = format!("2024-05-01T12:00:0{number}+00:00");
        specimen.seed(&format!(
            "INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) VALUES \
             ({{ulid:{}}}, {{ulid:{ALICE}}}, '{hash}', {number}, '{at}')",
            NEW[number]
        ));
        let expected = PasswordState {
            created_at: time(&at),
            version: i32::try_from(number).unwrap(),
            algorithm: algorithm.map(str::to_owned),
            age_days: 0,
        };
        let found = user_password(&mut specimen.connection, id(ALICE)).await;
        assert_eq!(found.unwrap(), Some(expected));
    }
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
