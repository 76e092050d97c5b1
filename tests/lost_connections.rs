//! A connection that is lost: the operator is told what was and what was not committed, or how to find out.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Stdio,
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;

use crate::support::{
    cast,
    postgres::server,
    proxy::{Cut, Proxy},
    sandbox::Sandbox,
    scripted::Stage,
    store::{OpenStore, Store},
    wait_until,
};

/// Holds alice's row until masctl waits for it, and then ends masctl's connection.
const HOLD_UNTIL_MASCTL_WAITS: &str = "BEGIN; SELECT 1 FROM users WHERE username = 'alice' FOR UPDATE; \
     DO $$ BEGIN \
         FOR attempt IN 1..3000 LOOP \
             PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); \
             EXIT WHEN EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'masctl' \
                               AND datname = current_database() AND wait_event_type = 'Lock'); \
         END LOOP; \
         PERFORM pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'masctl' AND datname = current_database(); \
     END $$; ROLLBACK";

/// A store with the cast in it, and a configuration `proxy.yaml` that reaches it through a proxy.
fn scene(name: &str, cut: Cut, refuses_then: bool) -> (Sandbox, OpenStore, Proxy) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, name, &sandbox);
    store.query(&cast::sql()).expect("the cast fits");
    let proxy = Proxy::start(cut, refuses_then);
    let direct = std::fs::read_to_string(sandbox.path().join("config.yaml")).expect("it was written");
    let through = direct
        .replace(
            &format!("  host: {}\n", server().host),
            "  host: 127.0.0.1\n  ssl_mode: disable\n",
        )
        .replace(
            &format!("  port: {}\n", server().port),
            &format!("  port: {}\n", proxy.port),
        );
    sandbox.write("proxy.yaml", &through);
    (sandbox, store, proxy)
}

fn lock_alice(sandbox: &Sandbox) -> std::process::Command {
    let mut command = sandbox.masctl(1);
    command
        .args(["-c", "proxy.yaml", "manage", "lock-user", "alice"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// When alice was locked, and how many jobs there are.
fn state(store: &OpenStore) -> Vec<String> {
    store
        .query("SELECT locked_at, (SELECT count(*) FROM queue_jobs) FROM users WHERE username = 'alice'")
        .expect("the SQL is right")
}

#[test]
fn a_commit_whose_answer_is_lost_is_looked_up_and_was_done() {
    let (sandbox, store, _proxy) = scene("commit_answer_lost", Cut::After, false);
    let output = lock_alice(&sandbox).output().expect("masctl runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Warning: the connection was lost during COMMIT; the database says that it went through\nLocked alice\n\
         Warning: no MAS worker was seen for 2 minutes: nothing will happen on the homeserver until one runs\n"
    );
    assert_eq!((output.status.code(), output.stdout), (Some(0), Vec::new()));
    assert_eq!(state(&store), ["2020-01-01T00:01:00.001Z | 1"]);
}

#[test]
fn a_commit_that_never_arrived_is_looked_up_and_was_not_done() {
    let (sandbox, store, _proxy) = scene("commit_lost", Cut::Before, false);
    let output = lock_alice(&sandbox).output().expect("masctl runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: The connection was lost during COMMIT, and the database took it back: nothing was changed\n  \
         help: Run it again.\n"
    );
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
    assert_eq!(state(&store), ["null | 0"]);
}

/// Ctrl-C ends the search for an answer; the outcome is then as unknown as after the patience of the search.
#[rstest]
fn a_commit_that_cannot_be_looked_up_is_unknown(#[values(Cut::Before, Cut::After)] cut: Cut) {
    let (sandbox, store, proxy) = scene(&format!("commit_unknown_{cut:?}").to_lowercase(), cut, true);
    let child = lock_alice(&sandbox)
        .args(["--format", "json"])
        .spawn()
        .expect("masctl runs");
    wait_until("masctl's question what became of the commit", || proxy.refused() > 0);
    kill(
        Pid::from_raw(i32::try_from(child.id()).expect("a process id")),
        Signal::SIGINT,
    )
    .expect("it is there");
    let output = child.wait_with_output().expect("masctl ends");
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
    let mut shown: serde_json::Value = serde_json::from_slice(&output.stderr).expect("it is JSON");
    let transaction = shown["error"]["data"]["transaction"].take();
    let expected = serde_json::json!({"error": {
        "code": "commit.unknown",
        "message": "The connection was lost during COMMIT: the changes are either all there or none is",
        "help": format!(
            "Once the database can be reached, ask it: `SELECT txid_status({transaction})` says `committed` or `aborted`. \
             In doubt: lock alice."
        ),
        "data": {"transaction": null, "changes": [{
            "action": "user.lock",
            "subject": {"type": "user", "id": cast::ALICE, "name": "alice"},
            "before": {"locked_at": null},
            "after": {"locked_at": "2020-01-01T00:01:00.001Z"},
        }]},
        "at": null,
    }});
    assert_eq!(shown, expected);
    let (told, locked) = match cut {
        Cut::Before => ("aborted", "null | 0"),
        Cut::After => ("committed", "2020-01-01T00:01:00.001Z | 1"),
    };
    let asked = store.query(&format!("SELECT txid_status({transaction})"));
    assert_eq!(asked.expect("what the help says works"), [told]);
    assert_eq!(state(&store), [locked]);
}

#[test]
fn a_connection_that_is_lost_before_the_commit_has_changed_nothing() {
    let (sandbox, store, _proxy) = scene("connection_lost", Cut::Before, false);
    let output = thread::scope(|scope| {
        let holder = scope.spawn(|| store.query(HOLD_UNTIL_MASCTL_WAITS));
        wait_until("the lock", || {
            let sleeping =
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
            store.query(sleeping).expect("the SQL is right") == ["1"]
        });
        let output = lock_alice(&sandbox).output().expect("masctl runs");
        holder.join().expect("it held the row").expect("the SQL is right");
        output
    });
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: The database ended the connection: terminating connection due to administrator command\n  \
         help: Nothing was changed: what a lost connection has not committed is taken back. Run it again.\n"
    );
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
    assert_eq!(state(&store), ["null | 0"]);
}

/// A homeserver may let masctl wait for a minute, in which a connection that does nothing gets lost.
#[test]
fn a_token_is_taken_back_although_the_connection_is_lost_while_the_homeserver_is_asked() {
    const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
         WHERE application_name = 'masctl' AND datname = current_database()";
    const REFUSAL: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let homeserver = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = homeserver.local_addr().expect("a bound socket has an address").port();
    let settings = format!("matrix: {{ endpoint: 'http://127.0.0.1:{port}/' }}");
    let stage = Stage::open(Store::Postgres, "lost_while_asked", &settings);
    let outcome = thread::scope(|scope| {
        scope.spawn(|| {
            let (mut asking, _) = homeserver.accept().expect("masctl asks");
            let read = asking.read(&mut [0; 4096]).expect("it says what");
            assert!(read > 0);
            assert_eq!(stage.rows(TERMINATE), ["1"]);
            asking.write_all(REFUSAL).expect("it waits for the answer");
        });
        let body = "users::get(\"alice\").issue_compatibility_token(#{ device_id: \"PHONE\" })";
        stage.run(&["users:read", "tokens:write"], &[], body)
    });
    let report = outcome.expect("the run itself went well").report;
    let help = report.failure.expect("the homeserver has refused");
    let help = help.help_text().expect("it says what became of the token");
    assert!(
        help.ends_with("has been ended again: its token is not valid."),
        "{help}"
    );
    assert_eq!(
        stage.rows("SELECT count(*) FROM compat_sessions WHERE finished_at IS NULL"),
        ["0"]
    );
    assert_eq!(stage.rows("SELECT queue_name FROM queue_jobs"), ["sync-devices"]);
}

/// What was done for accounts before stays done, and one is told where to go on.
#[test]
fn a_connection_that_is_lost_among_many_accounts_says_where_to_go_on() {
    let (sandbox, store, _proxy) = scene("lost_among_many", Cut::Before, true);
    sandbox.write("names", "carol\nnobody\nalice\ndave\n");
    let output = thread::scope(|scope| {
        let holder = scope.spawn(|| store.query(HOLD_UNTIL_MASCTL_WAITS));
        wait_until("the lock", || {
            let sleeping =
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
            store.query(sleeping).expect("the SQL is right") == ["1"]
        });
        let output = lock_those_named(&sandbox, &["-c", "config.yaml", "--format", "json"]);
        holder.join().expect("it held the row").expect("the SQL is right");
        output
    });
    let shown: serde_json::Value = serde_json::from_slice(&output.stderr).expect("it is JSON");
    let error = &shown["error"];
    assert_eq!(error["code"], "database.lost");
    assert_eq!(
        error["help"],
        "What a lost connection has not committed is taken back. 1 of 4 accounts was done, 1 failed; go on with alice."
    );
    assert_eq!(
        error["data"],
        serde_json::json!({"done": 1, "failed": 1, "next": "alice"})
    );
    assert_eq!(output.status.code(), Some(1));
    let done: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("what was done is whole");
    let names: Vec<_> = done.iter().map(|account| &account["username"]).collect();
    assert_eq!(names, ["carol", "nobody"]);
    let locked = "SELECT username FROM users WHERE locked_at >= '2020-01-01' AND locked_at < '2021-01-01'";
    assert_eq!(store.query(locked).expect("the SQL is right"), ["carol"]);
}

/// The answer that is lost is looked up, and the new connection takes the next accounts too.
#[test]
fn a_commit_that_is_looked_up_keeps_no_account_from_being_done() {
    let (sandbox, store, _proxy) = scene("lost_answer_among_many", Cut::After, false);
    sandbox.write("names", "carol\nalice\n");
    let output = lock_those_named(&sandbox, &["-c", "proxy.yaml"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Warning: the connection was lost during COMMIT; the database says that it went through\nLocked carol\n\
         Locked alice\n2 accounts done\n\
         Warning: no MAS worker was seen for 2 minutes: nothing will happen on the homeserver until one runs\n"
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        store
            .query("SELECT count(*) FROM queue_jobs WHERE status = 'available'")
            .expect("the SQL is right"),
        ["2"]
    );
}

/// Of one account nobody knows whether it was done: those after it are not touched.
#[test]
fn a_commit_among_many_accounts_that_cannot_be_looked_up_leaves_one_in_doubt() {
    let (sandbox, store, proxy) = scene("unknown_among_many", Cut::After, true);
    sandbox.write("names", "nobody\ncarol\nalice\n");
    let mut command = sandbox.masctl(1);
    command.args(["-c", "proxy.yaml", "manage", "lock-user", "-", "--format", "json"]);
    let names = std::fs::File::open(sandbox.path().join("names")).expect("it was written");
    let child = command
        .stdin(names)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("masctl runs");
    wait_until("masctl's question what became of the commit", || proxy.refused() > 0);
    let process = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(process, Signal::SIGINT).expect("it is there");
    let output = child.wait_with_output().expect("masctl ends");
    assert_eq!(output.status.code(), Some(1));
    let shown: serde_json::Value = serde_json::from_slice(&output.stderr).expect("it is JSON");
    let error = &shown["error"];
    assert_eq!(error["code"], "commit.unknown");
    let help = error["help"].as_str().expect("it says how to look");
    assert!(
        help.ends_with("In doubt: lock carol. 0 of 3 accounts were done, 1 failed; carol is in doubt."),
        "{help}"
    );
    assert_eq!(
        (&error["data"]["done"], &error["data"]["next"]),
        (&0.into(), &"carol".into())
    );
    let locked = "SELECT username FROM users WHERE locked_at >= '2020-01-01' AND locked_at < '2021-01-01'";
    assert_eq!(store.query(locked).expect("the SQL is right"), ["carol"]);
}

/// Locks those whose names are in the file `names`.
fn lock_those_named(sandbox: &Sandbox, options: &[&str]) -> std::process::Output {
    let mut command = sandbox.masctl(1);
    command.args(["manage", "lock-user", "-"]).args(options);
    let names = std::fs::File::open(sandbox.path().join("names")).expect("it was written");
    command.stdin(names).output().expect("masctl runs")
}
