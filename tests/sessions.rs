//! Sessions as scripts list and end them.

use masctl::{
    error::{Code, Error},
    host::Outcome,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    cast::{self, ALICE, BOB, BROWSER_SESSION, CAROL, CLIENT, CREATED_AT, OAUTH_SESSION},
    scripted::Stage,
    store::Store,
};

const NEEDS: [&str; 2] = ["users:read", "sessions:write"];

/// A store with the cast, its two sessions, and 150 of each other account at browsers and at Matrix clients.
fn stage(kind: Store, name: &str) -> Stage {
    let stage = Stage::open(kind, &format!("{name}_{kind:?}").to_lowercase(), "{}");
    let (scope, id) = match kind {
        Store::Sqlite => ("'[]'", "unhex(printf('%032x', i))"),
        Store::Postgres => ("'{}'", "CAST(lpad(to_hex(i), 32, '0') AS uuid)"),
    };
    stage.rows(&cast::sessions_sql(scope));
    let numbers = "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 300)";
    let user = format!("CASE WHEN i > 150 THEN {{ulid:{CAROL}}} ELSE {{ulid:{BOB}}} END");
    for (table, key) in [
        ("user_sessions", "user_session_id"),
        ("compat_sessions", "compat_session_id"),
    ] {
        stage.rows(&format!(
            "INSERT INTO {table} ({key}, user_id, created_at) {numbers} SELECT {id}, {user}, '{CREATED_AT}' FROM numbers"
        ));
    }
    stage
}

fn run(stage: &Stage, body: &str) -> Result<Outcome, Error> {
    stage.run(&NEEDS, &[], body)
}

fn changes(outcome: &Outcome) -> Value {
    serde_json::to_value(&outcome.report.changes).expect("changes are data")
}

/// How many sessions are active in each table.
fn active(stage: &Stage) -> Vec<String> {
    stage.rows(
        "SELECT (SELECT count(*) FROM user_sessions WHERE finished_at IS NULL), \
         (SELECT count(*) FROM compat_sessions WHERE finished_at IS NULL), \
         (SELECT count(*) FROM oauth2_sessions WHERE finished_at IS NULL)",
    )
}

#[rstest]
fn those_that_fit_end_in_one_change_with_one_job_for_each_account(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
) {
    let stage = stage(kind, "finish_all");
    let kept = "0000000000000000000000005A"; // 5 * 32 + 10 = 170, one of carol's
    let body = format!("sessions::finish(#{{ created_before: TIME, keep: [\"{kept}\"] }})")
        .replace("TIME", &format!("sessions::get(\"{OAUTH_SESSION}\").created_at"));
    let outcome = run(&stage, &body).unwrap();
    assert_eq!(
        outcome.result,
        json!({ "compatibility": 299, "oauth": 0, "browser": 299, "personal": 0 })
    );
    let changes = changes(&outcome);
    let [change] = changes.as_array().expect("it is a list").as_slice() else {
        panic!("{changes}")
    };
    assert_eq!(
        (&change["action"], &change["count"]),
        (&json!("sessions.finish"), &json!(598))
    );
    assert_eq!(change["after"]["ended"], outcome.result);
    let subjects = change["subjects"].as_array().expect("it is a list");
    assert_eq!(subjects.len(), 100);
    assert_eq!(
        subjects[0],
        json!({ "type": "user_session", "id": "00000000000000000000000001", "name": null })
    );
    assert_eq!(
        outcome.report.changes[0].sentence(false),
        "Ended 598 sessions (299 compatibility, 299 browser)"
    );
    assert_eq!(active(&stage), ["2 | 1 | 1"]);
    let jobs = stage.rows("SELECT queue_name, payload FROM queue_jobs ORDER BY queue_job_id");
    let expected = [BOB, CAROL].map(|user| format!("sync-devices | {{\"user_id\":\"{user}\"}}"));
    assert_eq!(
        jobs.iter().map(|job| job.replace(": ", ":")).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(outcome.report.jobs, 2);
    // A second time nothing fits.
    let again = run(&stage, &body).unwrap();
    assert_eq!(
        (changes_of(&again), &again.report.notes[..]),
        (0, &["No active session fits".to_owned()][..])
    );
}

fn changes_of(outcome: &Outcome) -> usize {
    outcome.report.changes.len()
}

#[rstest]
fn browsers_have_no_devices_to_remove(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "finish_browsers");
    let outcome = run(&stage, "sessions::finish(#{ kind: \"browser\", user: \"alice\" })").unwrap();
    assert_eq!(outcome.result["browser"], 1);
    assert_eq!(active(&stage), ["300 | 300 | 1"]);
    assert_eq!(stage.rows("SELECT count(*) FROM queue_jobs"), ["0"]);
    let dry = stage.run_as(true, &NEEDS, &[], "sessions::finish(#{ kind: \"compatibility\" })");
    assert_eq!(dry.unwrap().result["compatibility"], 300);
    assert_eq!(active(&stage), ["300 | 300 | 1"]);
}

/// Of an account, too, those end that fit all that is asked for.
#[rstest]
fn those_of_an_account_end_that_fit(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "kill_fitting");
    stage.rows(&format!(
        "UPDATE user_sessions SET last_active_ip = '192.0.2.1' WHERE user_session_id = {{ulid:{BROWSER_SESSION}}}"
    ));
    let ended = |options: &str| {
        let body = format!("users::get(\"alice\").kill_sessions(#{{ {options} }})");
        let result = stage.run_as(true, &NEEDS, &[], &body).unwrap().result;
        [&result["browser"], &result["oauth"]].map(|count| count.as_u64().unwrap())
    };
    for (options, counts) in [
        ("user_agent: \"firefox\"", [1, 0]),
        ("user_agent: \"chrome\"", [0, 0]),
        ("ip: \"192.0.2.1\"", [1, 0]),
        ("ip: \"192.0.2.2\"", [0, 0]),
        ("created_before: time::parse(\"2024-04-09\")", [1, 1]),
        ("created_after: time::parse(\"2024-04-09\")", [0, 0]),
        ("device: \"PHONE\"", [0, 0]),
    ] {
        assert_eq!(ended(options), counts, "{options}");
    }
    for options in ["user: \"bob\"", "active: true", "limit: 1"] {
        let error = run(
            &stage,
            &format!("users::get(\"alice\").kill_sessions(#{{ {options} }})"),
        )
        .unwrap_err();
        assert_eq!(error.code(), Code::ValueInvalid, "{options}");
    }
}

#[rstest]
fn what_would_end_every_session_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "finish_refused");
    let refused = |options: &str| {
        let error = run(&stage, &format!("sessions::finish(#{{ {options} }})"))
            .map(drop)
            .unwrap_err();
        assert_eq!(active(&stage), ["301 | 300 | 1"]);
        (
            error.code(),
            error.message().to_owned(),
            error.help_text().unwrap_or_default().to_owned(),
        )
    };
    let everything = (
        Code::ValueInvalid,
        "Without a filter, every session there is would end".to_owned(),
        "Say which are meant, by at least one of user, kind, client, device, active_after, active_before, created_after, \
         created_before, ip and user_agent."
            .to_owned(),
    );
    assert_eq!(refused(""), everything);
    assert_eq!(refused("user: (), keep: []"), everything);
    assert_eq!(refused(&format!("keep: [\"{OAUTH_SESSION}\"]")), everything);
    assert_eq!(
        refused("active: true"),
        (
            Code::ValueInvalid,
            "There is no option `active`".to_owned(),
            "The options are user, kind, client, device, active_after, active_before, created_after, created_before, ip, \
             user_agent, keep."
                .to_owned()
        )
    );
    assert_eq!(
        refused("kind: \"app\"").2,
        "It can be browser, compatibility, oauth, personal."
    );
    assert_eq!(refused("user_agent: \"\"").1, "The option `user_agent` cannot be empty");
    assert_eq!(refused("ip: \"localhost\"").1, "`localhost` is not an IP address");
    assert_eq!(refused("user: \"nobody\"").0, Code::UserNotFound);
    assert_eq!(refused(&format!("client: \"{ALICE}\"")).0, Code::ClientNotFound);
    assert_eq!(
        refused("user: \"alice\", keep: [\"alice\"]").1,
        "The option `keep` takes a list of the ids of sessions"
    );
    assert_eq!(
        refused(&format!("user: \"alice\", keep: [\"{BROWSER_SESSION}\", \"{ALICE}\"]")),
        (
            Code::SessionNotActive,
            format!("{ALICE} is no active session, and cannot be kept"),
            "Nothing was ended. `masctl manage list-sessions --status active` shows the ids.".to_owned()
        )
    );
    let many = vec![format!("\"{BROWSER_SESSION}\""); 1001].join(", ");
    assert_eq!(
        refused(&format!("user: \"alice\", keep: [{many}]")).1,
        "At most 1000 sessions can be kept by their ids"
    );
}

#[rstest]
fn a_script_walks_sessions_and_ends_one_of_them(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "walk");
    let body = format!(
        "let found = [];
         for session in sessions::list(#{{ user: \"alice\" }}) {{
             found.push([session.kind, session.user, session.client, session.finished_at]);
         }}
         let one = sessions::list(#{{ client: \"{CLIENT}\", limit: 1 }});
         for session in one {{ found.push(session.finish().finished_at == session.finished_at); }}
         found.push(sessions::count(#{{ user: \"alice\", active: true }}));
         found.push(users::get(\"alice\").kill_sessions(#{{ kind: \"browser\", keep: [\"{BROWSER_SESSION}\"] }}).browser);
         found.push(users::get(\"alice\").kill_sessions().browser);
         found"
    );
    let outcome = run(&stage, &body).unwrap();
    assert_eq!(
        outcome.result,
        json!([
            ["browser", "alice", null, null],
            ["oauth", "alice", "Element", null],
            true,
            1,
            0,
            1
        ])
    );
}

/// The count of a walk is right however many pages it has, and the list ends where it is told to.
#[rstest]
fn a_list_is_read_page_by_page(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "pages");
    let body = "let count = 0; let last = \"\";
         for session in sessions::list(#{ active: true }) { count += 1; if session.id < last { throw session.id; } last = session.id; }
         let some = 0;
         for session in sessions::list(#{ limit: 7 }) { some += 1; }
         [count, some, sessions::count(#{})]";
    assert_eq!(run(&stage, body).unwrap().result, json!([602, 7, 602]));
}
