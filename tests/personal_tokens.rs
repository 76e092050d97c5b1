//! Personal access tokens as scripts issue them: hashed in the database, shown once, and with their device made known.

use std::thread;

use masctl::{error::Code, host::Outcome};
use rstest::rstest;
use serde_json::json;

use crate::support::{
    cast::{ALICE, id},
    homeserver::Mood,
    scripted::Stage,
    store::Store,
    wait_until,
};

const NEEDS: [&str; 2] = ["users:read", "tokens:write"];

fn stage(kind: Store, name: &str) -> Stage {
    Stage::open(kind, &format!("{name}_{kind:?}").to_lowercase(), "{}")
}

fn issue(stage: &Stage, user: &str, options: &str) -> masctl::error::Result<Outcome> {
    let body = format!("users::get(\"{user}\").issue_personal_token(#{{ {options} }})");
    stage.run(&NEEDS, &[], &body)
}

/// The SHA-256 of a text as PostgreSQL computes it, which shares nothing with masctl.
fn sha256(text: &str, store: &str) -> String {
    let stage = Stage::open(Store::Postgres, &format!("sha256_{store}"), "{}");
    stage.rows(&format!("SELECT encode(sha256('{text}'), 'hex')")).remove(0)
}

#[rstest]
fn a_token_is_kept_as_its_sha_256_and_shown_once(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "personal");
    let scope = "openid urn:matrix:client:api:*";
    let outcome = issue(
        &stage,
        "alice",
        &format!("scope: \"{scope}\", name: \"nightly backup\", expires_in: 3600"),
    )
    .unwrap();
    let token = outcome.result["token"].as_str().expect("it is shown").to_owned();
    assert!(token.starts_with("mpt_") && token.len() == 41, "{token}");
    assert_eq!(outcome.secret.as_deref(), Some(token.as_str()));
    let (session, row) = (&outcome.result["session_id"], &outcome.result["id"]);
    assert_eq!(
        outcome.result,
        json!({
            "token": token, "id": row, "session_id": session, "name": "nightly backup", "scope": scope, "device_id": null,
            "expires_at": "2020-01-01T01:01:00.002Z",
        })
    );
    let (session, row) = (session.as_str().unwrap(), row.as_str().unwrap());
    let list = if kind == Store::Postgres {
        "to_json(scope_list)"
    } else {
        "scope_list"
    };
    assert_eq!(
        stage.rows(&format!(
            "SELECT personal_session_id, owner_user_id, owner_oauth2_client_id, actor_user_id, human_name, {list}, created_at, \
             revoked_at, last_active_at, last_active_ip FROM personal_sessions"
        )),
        [format!(
            "{session} | {ALICE} | null | {ALICE} | nightly backup | [\"openid\",\"urn:matrix:client:api:*\"] | \
             2020-01-01T00:01:00.001Z | null | null | null"
        )]
    );
    assert_eq!(
        stage.rows(
            "SELECT personal_access_token_id, personal_session_id, access_token_sha256, created_at, expires_at, revoked_at \
             FROM personal_access_tokens"
        ),
        [format!(
            "{row} | {session} | {} | 2020-01-01T00:01:00.002Z | 2020-01-01T01:01:00.002Z | null",
            sha256(&token, &format!("{kind:?}").to_lowercase())
        )]
    );
    // Its id is of the time of its row, and no job and no call is needed without a device.
    assert_eq!(id(row).to_string()[..10], id(session).to_string()[..9].to_owned() + "2");
    assert_eq!(stage.rows("SELECT count(*) FROM queue_jobs"), ["0"]);
    assert_eq!(stage.take_requests(), [""; 0]);

    let changes = serde_json::to_value(&outcome.report.changes).unwrap();
    assert_eq!(
        changes,
        json!([{
            "action": "personal_token.issue",
            "subject": { "type": "user", "id": ALICE, "name": "alice" },
            "before": {},
            "after": {
                "personal_session_id": session, "name": "nightly backup", "scope": scope,
                "expires_at": "2020-01-01T01:01:00.002Z",
            },
        }])
    );
    let sentences: Vec<_> = outcome
        .report
        .changes
        .iter()
        .map(|change| change.sentence(false))
        .collect();
    let sentence = "Issued the personal token \"nightly backup\" for alice: it expires 2020-01-01 01:01:00Z";
    assert_eq!(sentences, [sentence]);
    assert!(!format!("{:?}{changes}", outcome.report).contains(&token));
}

#[rstest]
fn a_script_cannot_print_the_token_and_a_dry_run_does_not_show_it(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
) {
    let stage = stage(kind, "personal_dry");
    let body = r#"let issued = users::get("alice").issue_personal_token(#{ scope: "openid", name: "x" });
        say(`${issued.token}`); tokens::kind(issued.token)"#;
    assert_eq!(stage.run(&NEEDS, &[], body).unwrap().result, json!("personal_access"));
    assert_eq!(stage.take_said(), ["<secret>"]);
    let body = r#"users::get("alice").issue_personal_token(#{ scope: "openid", name: "x" })"#;
    let outcome = stage.run_as(true, &NEEDS, &[], body).unwrap();
    assert_eq!(outcome.result["token"], json!("<secret>"));
    assert_eq!(stage.rows("SELECT count(*) FROM personal_sessions"), ["1"]);
}

#[rstest]
fn what_cannot_be_issued_leaves_nothing(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "personal_refused");
    for (user, options, code, message) in [
        ("alice", "name: \"x\"", Code::ValueInvalid, "A scope cannot be empty"),
        (
            "alice",
            "scope: \"openid\"",
            Code::ValueInvalid,
            "A personal token needs a name",
        ),
        (
            "alice",
            "scope: \"openid\", name: \" \"",
            Code::ValueInvalid,
            "A personal token needs a name",
        ),
        (
            "alice",
            "scope: \"openid\", name: \"x\", expires_in: -1",
            Code::ValueInvalid,
            "A token expires in 0 to 4294967295 seconds, not in -1",
        ),
        (
            "alice",
            "scope: \"openid\", name: \"x\", device_id: \"A\"",
            Code::ValueInvalid,
            "There is no option `device_id`",
        ),
        (
            "dave",
            "scope: \"openid\", name: \"x\"",
            Code::UserInactive,
            "dave is deactivated: it cannot have a personal token",
        ),
    ] {
        let error = issue(&stage, user, options).unwrap_err();
        assert_eq!((error.code(), error.message()), (code, message), "{options}");
    }
    let long = "x".repeat(256);
    let error = issue(&stage, "alice", &format!("scope: \"openid\", name: \"{long}\"")).unwrap_err();
    assert_eq!(
        error.message(),
        "The name of a personal token has at most 255 characters"
    );
    for table in ["personal_sessions", "personal_access_tokens", "queue_jobs"] {
        assert_eq!(stage.rows(&format!("SELECT count(*) FROM {table}")), ["0"], "{table}");
    }
    // MAS lets a locked user have one.
    let outcome = issue(&stage, "bob", "scope: \"openid\", name: \"x\"").unwrap();
    assert_eq!(
        outcome.report.notes,
        ["bob is locked: the token does not work before it is unlocked"]
    );
    assert_eq!(stage.rows("SELECT count(*) FROM personal_access_tokens"), ["1"]);
}

const WITH_DEVICE: &str = "scope: \"urn:matrix:client:api:* urn:matrix:client:device:PHONE \
    urn:matrix:org.matrix.msc2967.client:device:PHONE\", name: \"bot\"";

#[test]
fn a_device_in_the_scope_is_made_known_after_the_commit() {
    let stage = stage(Store::Postgres, "personal_device");
    // Unlike a login, it leaves the sessions alone that have the device already.
    stage.rows(&format!(
        "INSERT INTO compat_sessions (compat_session_id, user_id, device_id, created_at) VALUES \
         ({{ulid:01HV0000000000000000000CM1}}, {{ulid:{ALICE}}}, 'PHONE', '2024-04-08T23:16:49+00:00')"
    ));
    let outcome = issue(&stage, "alice", WITH_DEVICE).unwrap();
    assert_eq!(outcome.result["device_id"], json!("PHONE"));
    assert_eq!(
        serde_json::to_value(&outcome.report.effects).unwrap(),
        json!([{"action": "homeserver.upsert_device", "localpart": "alice", "device_id": "PHONE", "status": "sent"}])
    );
    assert_eq!(
        stage.take_requests(),
        [r#"POST /_synapse/mas/upsert_device {"localpart":"alice","device_id":"PHONE"}"#]
    );
    assert_eq!(stage.rows("SELECT finished_at FROM compat_sessions"), ["null"]);
    assert_eq!(stage.rows("SELECT count(*) FROM queue_jobs"), ["0"]);
}

#[test]
fn a_device_that_the_homeserver_refuses_ends_the_session_and_revokes_the_token() {
    let stage = stage(Store::Postgres, "personal_broken");
    let outcome = issue(&stage, "alice", &WITH_DEVICE.replace("PHONE", "BROKEN")).unwrap();
    let failure = outcome.report.failure.expect("the homeserver has refused");
    assert_eq!(failure.code(), Code::HomeserverFailed);
    assert_eq!(
        failure.help_text(),
        Some(
            "Look at the homeserver's log. The session of device BROKEN of alice was committed first, and has been ended \
             again: its token is not valid."
        )
    );
    assert_eq!((outcome.result, outcome.secret), (json!(null), None));
    let ended = "2020-01-01T00:01:00.003Z";
    assert_eq!(stage.rows("SELECT revoked_at FROM personal_sessions"), [ended]);
    assert_eq!(stage.rows("SELECT revoked_at FROM personal_access_tokens"), [ended]);
    assert_eq!(
        stage.rows("SELECT queue_name, payload, status FROM queue_jobs"),
        [format!("sync-devices | {{\"user_id\":\"{ALICE}\"}} | available")]
    );
    let ending = serde_json::to_value(&outcome.report.changes[1]).unwrap();
    assert_eq!(ending["subject"]["type"], json!("personal_session"));
    assert_eq!(
        (&ending["before"], &ending["after"]),
        (&json!({"revoked_at": null}), &json!({"revoked_at": ended}))
    );
}

/// What is said of one token is not said of the others, which are valid.
#[test]
fn each_device_that_the_homeserver_refuses_is_told_of() {
    let stage = stage(Store::Postgres, "personal_two_broken");
    stage.store.homeserver().unwrap().set_mood(Mood::Broken);
    let issue = |user: &str| format!("users::get(\"{user}\").issue_personal_token(#{{ {WITH_DEVICE} }});");
    let body = format!(
        "{} {} users::get(\"carol\").issue_personal_token(#{{ scope: \"openid\", name: \"bot\" }})",
        issue("alice"),
        issue("bob")
    );
    let outcome = stage.run(&NEEDS, &[], &body).unwrap();
    let failure = outcome.report.failure.expect("the homeserver has refused");
    assert_eq!(
        failure.help_text(),
        Some(
            "Look at the homeserver's log. The session of device PHONE of alice was committed first, and has been ended \
             again: its token is not valid."
        )
    );
    let endpoint = stage.store.homeserver().unwrap().endpoint();
    let other = format!(
        "The homeserver at `{}` answers 500 M_UNKNOWN: Internal server error. The session of device PHONE of bob was \
         committed first, and has been ended again: its token is not valid.",
        endpoint.trim_end_matches('/')
    );
    assert_eq!(outcome.report.warnings[0], other);
    let valid = "SELECT username FROM personal_sessions JOIN users ON user_id = actor_user_id WHERE revoked_at IS NULL";
    assert_eq!(stage.rows(valid), ["carol"]);
}

/// What cannot be made good for one token is said, and keeps nobody from making good the next.
#[test]
fn a_session_that_cannot_be_ended_does_not_keep_the_next_from_it() {
    let stage = stage(Store::Postgres, "personal_stuck");
    stage.rows(
        "CREATE FUNCTION stuck() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN IF old.human_name = 'first' THEN RAISE 'stuck'; END IF; RETURN new; END $$; \
         CREATE TRIGGER stuck BEFORE UPDATE ON personal_sessions FOR EACH ROW EXECUTE FUNCTION stuck()",
    );
    let issue = |name: &str| {
        let options = WITH_DEVICE.replace("PHONE", "BROKEN").replace("bot", name);
        format!("users::get(\"alice\").issue_personal_token(#{{ {options} }});")
    };
    let body = [issue("first"), issue("second")].concat();
    let outcome = stage.run(&NEEDS, &[], &body).unwrap();
    let failure = outcome.report.failure.expect("the homeserver has refused");
    let help = failure.help_text().unwrap();
    assert!(help.contains("could not be ended again (stuck)"), "{help}");
    assert_eq!(
        stage.rows("SELECT human_name FROM personal_sessions WHERE revoked_at IS NOT NULL"),
        ["second"]
    );
    assert_eq!(stage.rows("SELECT queue_name FROM queue_jobs"), ["sync-devices"]);
    let told = outcome.report.warnings.first().expect("the second is told of too");
    assert!(told.ends_with("its token is not valid."), "{told}");
}

/// Who holds a lock for a minute, which is longer than anybody needs.
const SLEEPING: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";

fn end_sleep(stage: &Stage) {
    let pid = stage.rows(SLEEPING).remove(0);
    stage.rows(&format!("SELECT pg_terminate_backend({pid})"));
}

/// MAS's sync of devices holds the lock while it tells the homeserver which devices there are. Whoever makes one must
/// wait before the session is in the database, or the sync would be right to remove the device.
#[rstest]
#[case::compatibility("issue_compatibility_token(#{ device_id: \"PHONE\" })", "compat_sessions")]
#[case::personal(
    "issue_personal_token(#{ scope: \"urn:matrix:client:device:PHONE\", name: \"bot\" })",
    "personal_sessions"
)]
fn a_device_waits_for_the_sync_of_devices_before_its_session_is_written(#[case] deed: &str, #[case] table: &str) {
    let stage = stage(Store::Postgres, &format!("lock_{table}"));
    let key = id(ALICE).lock_key();
    let holding = format!("BEGIN; SELECT pg_advisory_xact_lock({key})::text; SELECT pg_sleep(60)");
    let waiting =
        "SELECT a.pid FROM pg_stat_activity a WHERE a.datname = current_database() AND a.wait_event = 'advisory'";
    // Databases of one template have tables of the same numbers.
    let here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let written = format!(
        "SELECT count(*) FROM pg_locks WHERE {here} AND relation IN ('{table}'::regclass, 'users'::regclass) \
         AND mode <> 'AccessShareLock'"
    );
    thread::scope(|scope| {
        let holder = scope.spawn(|| stage.store.query(&holding));
        wait_until("the lock", || stage.rows(SLEEPING).len() == 1);
        let issuer = scope.spawn(|| stage.run(&NEEDS, &[], &format!("users::get(\"alice\").{deed}")));
        wait_until("its wait for it", || stage.rows(waiting).len() == 1);
        assert_eq!(stage.rows(&written), ["0"], "nothing is written while it waits");
        assert_eq!(stage.take_requests(), [""; 0]);
        end_sleep(&stage);
        assert!(holder.join().expect("it was ended").is_err());
        let outcome = issuer.join().expect("it ended").unwrap();
        assert!(outcome.report.failure.is_none());
    });
    assert_eq!(stage.rows(&format!("SELECT count(*) FROM {table}")), ["1"]);
    let held = format!("SELECT count(*) FROM pg_locks WHERE {here} AND locktype = 'advisory'");
    assert_eq!(stage.rows(&held), ["0"], "the lock has gone with the transaction");
    assert_eq!(stage.take_requests().len(), 1);
}

/// Without a device nobody has to wait.
#[test]
fn a_token_without_a_device_takes_no_lock() {
    let stage = stage(Store::Postgres, "lock_none");
    let key = id(ALICE).lock_key();
    let holding = format!("BEGIN; SELECT pg_advisory_xact_lock({key})::text; SELECT pg_sleep(60)");
    thread::scope(|scope| {
        let holder = scope.spawn(|| stage.store.query(&holding));
        wait_until("the lock", || stage.rows(SLEEPING).len() == 1);
        issue(&stage, "alice", "scope: \"urn:matrix:client:api:*\", name: \"x\"").unwrap();
        end_sleep(&stage);
        assert!(holder.join().expect("it was ended").is_err());
    });
}
