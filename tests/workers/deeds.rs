//! What each job does, to the rows and to the homeserver.

use masctl::operations::worker::work;
use rstest::rstest;

use super::{JOBS, add_job, double::Double, parts, statuses, work_once};
use crate::support::{
    cast::{ALICE, BOB, CAROL, CREATED_AT, DAVE, ENDED_AT},
    homeserver::Mood,
    specimen::Specimen,
    store::Store,
};

fn of(user: &str) -> String {
    format!(r#"{{"user_id": "{user}"}}"#)
}

/// Gives alice a session of each kind with a device, and another user's personal session that acts as her.
fn add_sessions(specimen: &Specimen) {
    let client = "01HV00000000000000000000C9";
    specimen.seed(&format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) \
         VALUES ({{ulid:{client}}}, true, true)"
    ));
    let scopes = |device: &str| specimen.list(&[&format!("urn:matrix:client:device:{device}")]);
    specimen.seed(&format!(
        "INSERT INTO compat_sessions (compat_session_id, created_at, user_id, device_id) \
         VALUES ({{ulid:01HV0000000000000000005E01}}, '{CREATED_AT}', {{ulid:{ALICE}}}, 'COMPAT');
         INSERT INTO oauth2_sessions (oauth2_session_id, created_at, user_id, oauth2_client_id, scope_list) \
         VALUES ({{ulid:01HV0000000000000000005E02}}, '{CREATED_AT}', {{ulid:{ALICE}}}, {{ulid:{client}}}, {});
         INSERT INTO user_sessions (user_session_id, created_at, user_id) \
         VALUES ({{ulid:01HV0000000000000000005E03}}, '{CREATED_AT}', {{ulid:{ALICE}}});
         INSERT INTO personal_sessions (personal_session_id, created_at, actor_user_id, owner_user_id, human_name, \
         scope_list) VALUES ({{ulid:01HV0000000000000000005E04}}, '{CREATED_AT}', {{ulid:{ALICE}}}, {{ulid:{CAROL}}}, 'p', {});
         INSERT INTO user_unsupported_third_party_ids (user_id, medium, address, created_at) \
         VALUES ({{ulid:{ALICE}}}, 'msisdn', '1', '{CREATED_AT}')",
        scopes("OAUTH"),
        scopes("PERSONAL"),
    ));
}

#[rstest]
#[tokio::test]
async fn provisioning_tells_all_of_an_account_and_has_its_devices_synced(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
) {
    let specimen = Specimen::create(kind).await;
    add_sessions(&specimen);
    let named = |name: &str, user: &str| format!(r#"{{"user_id": "{user}", "set_display_name": {name}}}"#);
    add_job(&specimen, JOBS[0], "provision-user", &named(r#""Álice \"A\"""#, ALICE));
    add_job(&specimen, JOBS[1], "provision-user", &named("null", BOB));
    // An optional key may be left out.
    add_job(&specimen, JOBS[2], "provision-user", &of(DAVE));
    let (summary, told) = work_once(&specimen, 0).await;
    assert_eq!(summary.unwrap().done, 6);
    assert_eq!(
        told,
        [
            "provision-user alice: done",
            "provision-user bob: done",
            "provision-user dave: done",
            "sync-devices alice: done",
            "sync-devices bob: done",
            "sync-devices dave: done",
        ]
    );
    assert_eq!(
        specimen.homeserver().users(),
        [
            r#"alice "Álice \"A\"" <alice@example.com> COMPAT OAUTH PERSONAL"#,
            r#"bob "bob" locked"#,
            r#"dave "dave""#,
        ]
    );
    let synced = specimen.rows(
        "SELECT payload, metadata, status, started_by = (SELECT queue_worker_id FROM queue_workers) FROM queue_jobs \
         WHERE queue_name = 'sync-devices' ORDER BY queue_job_id LIMIT 1",
    );
    let is_own = if kind == Store::Sqlite { "1" } else { "true" };
    assert_eq!(
        synced,
        [format!(
            "{{\"user_id\":\"{ALICE}\"}} | {{\"span_id\":\"0000000000000000\",\"trace_flags\":0,\
             \"trace_id\":\"00000000000000000000000000000000\"}} | completed | {is_own}"
        )]
    );
}

/// Nobody else sees to what came while the homeserver was told.
#[rstest]
#[tokio::test]
async fn an_account_that_changes_while_it_is_provisioned_is_told_again(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
) {
    let specimen = Specimen::create(kind).await;
    add_job(&specimen, JOBS[0], "provision-user", &of(ALICE));
    let store = specimen.beside();
    let double = Double::new(move |number| match number {
        0 => drop(store.query(&format!(
            "UPDATE users SET locked_at = '{ENDED_AT}' WHERE username = 'alice'"
        ))),
        1 => drop(store.query("DELETE FROM user_emails")),
        _ => {}
    });
    let (parts, _) = parts(&specimen, double.clone(), 0);
    assert_eq!(work(&parts).await.unwrap().done, 2);
    assert_eq!(
        double.asked(),
        [
            r#"provision alice Some(["alice@example.com"])"#,
            r#"provision alice locked Some(["alice@example.com"])"#,
            "provision alice locked Some([])",
            "sync alice {}",
        ]
    );
}

/// A device that comes into being between the look at the sessions and the homeserver's answer must not be lost. On
/// PostgreSQL who makes it waits, on SQLite the homeserver is told again.
#[rstest]
#[tokio::test]
async fn no_device_is_lost_that_comes_while_devices_are_synced(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let specimen = Specimen::create(kind).await;
    add_job(&specimen, JOBS[0], "sync-devices", &of(ALICE));
    let store = specimen.beside();
    let key = crate::support::cast::id(ALICE).lock_key();
    let lock = format!("SELECT pg_try_advisory_lock({key})");
    let double = Double::new(move |number| match (kind, number) {
        (Store::Postgres, _) => {
            assert_eq!(store.query(&lock).expect("it can be asked"), ["false"]);
            assert_eq!(store.query(OPEN).expect("it can be asked"), ["1"]);
        }
        (Store::Sqlite, 0) => drop(store.query(&format!(
            "INSERT INTO compat_sessions (compat_session_id, created_at, user_id, device_id) \
             VALUES ({{ulid:01HV0000000000000000005E01}}, '{CREATED_AT}', {{ulid:{ALICE}}}, 'LAPTOP')"
        ))),
        (Store::Sqlite, _) => {}
    });
    let (parts, _) = parts(&specimen, double.clone(), 0);
    assert_eq!(work(&parts).await.unwrap().done, 1);
    let expected: &[&str] = match kind {
        Store::Sqlite => &["sync alice {}", r#"sync alice {"LAPTOP"}"#],
        Store::Postgres => &["sync alice {}"],
    };
    assert_eq!(double.asked(), expected);
    if kind == Store::Postgres {
        assert_eq!(specimen.rows(&format!("SELECT pg_try_advisory_lock({key})")), ["true"]);
    }
}

/// How many transactions of masctl are open.
const OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
     AND application_name = 'masctl' AND state LIKE 'idle in transaction%'";

#[tokio::test]
async fn no_transaction_is_open_while_the_homeserver_writes() {
    let specimen = Specimen::create(Store::Postgres).await;
    add_job(&specimen, JOBS[0], "provision-user", &of(ALICE));
    add_job(&specimen, JOBS[1], "deactivate-user", &deactivation(ALICE, true));
    add_job(&specimen, JOBS[2], "reactivate-user", &of(DAVE));
    let store = specimen.beside();
    let double = Double::new(move |number| {
        // The sync of devices, which comes last, holds a lock.
        let expected = if number == 3 { "1" } else { "0" };
        assert_eq!(store.query(OPEN).expect("it can be asked"), [expected]);
    });
    let (parts, _) = parts(&specimen, double.clone(), 0);
    assert_eq!(work(&parts).await.unwrap().done, 4);
    assert_eq!(
        double.asked()[1..],
        ["deactivate alice true", "reactivate dave", "sync alice {}"]
    );
}

fn deactivation(user: &str, erase: bool) -> String {
    format!(r#"{{"user_id": "{user}", "hs_erase": {erase}}}"#)
}

/// What MAS forgets is committed before the homeserver is asked, and stays forgotten when that fails.
#[rstest]
#[tokio::test]
async fn deactivating_ends_and_deletes_what_an_account_has(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let specimen = Specimen::create(kind).await;
    add_sessions(&specimen);
    specimen.homeserver().add_users(["alice"]);
    specimen.homeserver().set_mood(Mood::Broken);
    add_job(&specimen, JOBS[0], "deactivate-user", &deactivation(ALICE, true));
    let (summary, told) = work_once(&specimen, 0).await;
    assert_eq!(summary.unwrap().retried, 1);
    assert!(
        told[0].starts_with("deactivate-user alice: failed, again in 5 s: "),
        "{told:?}"
    );
    let account = || {
        [
            "SELECT locked_at, deactivated_at FROM users WHERE username = 'alice'",
            "SELECT finished_at FROM compat_sessions",
            "SELECT finished_at FROM oauth2_sessions",
            "SELECT finished_at FROM user_sessions",
            "SELECT revoked_at FROM personal_sessions",
            "SELECT (SELECT count(*) FROM user_emails) + (SELECT count(*) FROM user_unsupported_third_party_ids)",
        ]
        .map(|sql| specimen.rows(sql).concat())
    };
    let at = "2020-01-01T00:00:00.003Z";
    let deactivated = [&format!("null | {at}"), at, at, at, at, "0"];
    assert_eq!(account(), deactivated);
    assert_eq!(specimen.homeserver().users(), [r#"alice "alice""#]);

    specimen.homeserver().set_mood(Mood::Healthy);
    specimen.seed("UPDATE queue_jobs SET scheduled_at = '2020-01-01T00:00:00+00:00' WHERE status = 'scheduled'");
    let (summary, told) = work_once(&specimen, 1).await;
    assert_eq!(
        (summary.unwrap().done, told),
        (1, vec!["deactivate-user alice: done".to_owned()])
    );
    assert_eq!(account(), deactivated, "doing it twice changes nothing");
    assert_eq!(specimen.homeserver().users(), ["alice deactivated erased"]);
    assert_eq!(
        statuses(&specimen),
        ["deactivate-user | failed | 0", "deactivate-user | completed | 1"]
    );
}

#[rstest]
#[tokio::test]
async fn reactivating_is_first_the_homeservers(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let specimen = Specimen::create(kind).await;
    specimen.seed(&format!(
        "UPDATE users SET locked_at = '{ENDED_AT}' WHERE username = 'dave'"
    ));
    add_job(&specimen, JOBS[0], "reactivate-user", &of(DAVE));
    let state = "SELECT locked_at, deactivated_at FROM users WHERE username = 'dave'";
    let (summary, _) = work_once(&specimen, 0).await;
    assert_eq!(summary.unwrap().retried, 1, "the homeserver has no dave");
    assert_eq!(specimen.rows(state), ["2024-04-09T00:00:00Z | 2024-04-09T00:00:00Z"]);
    specimen.homeserver().add_users(["dave"]);
    specimen.seed("UPDATE queue_jobs SET status = 'available' WHERE status = 'scheduled'");
    for number in [1, 2] {
        let (summary, told) = work_once(&specimen, number).await;
        assert_eq!(
            (summary.unwrap().done, told),
            (1, vec!["reactivate-user dave: done".to_owned()])
        );
        assert_eq!(specimen.rows(state), ["2024-04-09T00:00:00Z | null"]);
        add_job(
            &specimen,
            JOBS[usize::try_from(number).unwrap()],
            "reactivate-user",
            &of(DAVE),
        );
    }
}

#[rstest]
#[tokio::test]
async fn old_jobs_about_devices_have_them_synced(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[values("provision-device", "delete-device")] queue: &str,
) {
    let specimen = Specimen::create(kind).await;
    specimen.homeserver().add_users(["alice"]);
    add_sessions(&specimen);
    add_job(
        &specimen,
        JOBS[0],
        queue,
        &format!(r#"{{"user_id": "{ALICE}", "device_id": "OLD"}}"#),
    );
    let (summary, told) = work_once(&specimen, 0).await;
    assert_eq!(summary.unwrap().done, 2);
    assert_eq!(
        told,
        [format!("{queue} alice: done"), "sync-devices alice: done".to_owned()]
    );
    assert_eq!(
        specimen.homeserver().users(),
        [r#"alice "alice" COMPAT OAUTH PERSONAL"#]
    );
}

#[rstest]
#[case::of_no_user(
    "sync-devices",
    r#"{"user_id": "01HV00000000000000000000Z9"}"#,
    "User not found: 01HV00000000000000000000Z9"
)]
#[case::without_user(
    "sync-devices",
    "null",
    "The payload of a job of `sync-devices` needs `user_id`, a ULID"
)]
#[case::uuid(
    "sync-devices",
    r#"{"user_id": "018f9a00-0000-0000-0000-000000000000"}"#,
    "The payload of a job of `sync-devices` needs `user_id`, a ULID"
)]
#[case::erase(
    "deactivate-user",
    r#"{"user_id": "01HV00000000000000000000A1"}"#,
    "The payload of a job of `deactivate-user` needs `hs_erase`, true or false"
)]
#[case::name(
    "provision-user",
    r#"{"user_id": "01HV00000000000000000000A1", "set_display_name": 7}"#,
    "The payload of a job of `provision-user` needs `set_display_name`, a text or null"
)]
#[tokio::test]
async fn what_can_never_be_done_is_not_tried_again(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[case] queue: &str,
    #[case] payload: &str,
    #[case] reason: &str,
) {
    let specimen = Specimen::create(kind).await;
    add_job(&specimen, JOBS[0], queue, payload);
    let (summary, told) = work_once(&specimen, 0).await;
    let summary = summary.unwrap();
    assert_eq!((summary.done, summary.retried, summary.abandoned), (0, 0, 1));
    assert!(told[0].ends_with(&format!(": failed for good: {reason}")), "{told:?}");
    assert_eq!(
        specimen.rows("SELECT status, failed_reason, next_attempt_id FROM queue_jobs"),
        [format!("failed | {reason} | null")]
    );
    assert_eq!(specimen.homeserver().take_requests(), [""; 0]);
    let alice = specimen.rows("SELECT deactivated_at FROM users WHERE username = 'alice'");
    assert_eq!(alice, ["null"]);
}
