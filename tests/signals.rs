//! Signals during a run, and readers that go away.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;

use crate::support::{
    cast,
    homeserver::{Mood, SECRET},
    sandbox::Sandbox,
    store::{OpenStore, Store},
    wait_until,
};

fn rows(store: &OpenStore, sql: &str) -> Vec<String> {
    store.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn start(command: Command) -> Child {
    start_with(command, Stdio::null())
}

fn start_with(mut command: Command, stdin: Stdio) -> Child {
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("masctl runs")
}

fn signal(child: &Child, signal: Signal) {
    let process = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(process), signal).expect("it is there");
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[rstest]
fn a_signal_stops_a_command_that_waits_for_a_lock(
    #[values(Signal::SIGINT, Signal::SIGTERM)] kind: Signal,
    #[values(false, true)] json: bool,
) {
    let sandbox = Sandbox::new();
    let name = format!("signal_{kind}_{json}").to_lowercase();
    let store = OpenStore::configured(Store::Postgres, &name, &sandbox);
    rows(&store, &cast::sql());
    // Another connection holds the row as long as this thread sleeps.
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let output = thread::scope(|scope| {
        let holder = scope.spawn(|| {
            rows(
                &store,
                "BEGIN; SELECT 1 FROM users WHERE username = 'alice' FOR UPDATE; SELECT pg_sleep(4); ROLLBACK",
            )
        });
        let sleeping =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
        wait_until("the lock", || rows(&store, sleeping) == ["1"]);
        let mut command = sandbox.masctl(1);
        command.args(["manage", "lock-user", "alice"]);
        if json {
            command.args(["--format", "json"]);
        }
        let child = start(command);
        wait_until("masctl's wait for it", || rows(&store, waiting) == ["1"]);
        let start = Instant::now();
        signal(&child, kind);
        let output = child.wait_with_output().expect("masctl ends");
        assert!(start.elapsed() < Duration::from_secs(2), "it stops at once");
        holder.join().expect("it held the row");
        output
    });
    assert_eq!(output.status.code(), Some(130));
    let expected = if json {
        "{\"error\":{\"code\":\"run.interrupted\",\"message\":\"Interrupted: nothing was changed\",\"help\":null,\
         \"data\":{},\"at\":null}}\n"
    } else {
        "Error: Interrupted: nothing was changed\n"
    };
    assert_eq!((text(&output), output.stdout), (expected.to_owned(), Vec::new()));
    assert_eq!(
        rows(&store, "SELECT locked_at FROM users WHERE username = 'alice'"),
        ["null"]
    );
    assert_eq!(rows(&store, "SELECT count(*) FROM queue_jobs"), ["0"]);
}

#[rstest]
fn a_signal_among_many_accounts_takes_back_the_one_at_hand(
    #[values(Signal::SIGINT, Signal::SIGTERM)] kind: Signal,
    #[values(false, true)] json: bool,
) {
    let sandbox = Sandbox::new();
    let name = format!("signal_many_{kind}_{json}").to_lowercase();
    let store = OpenStore::configured(Store::Postgres, &name, &sandbox);
    rows(&store, &cast::sql());
    sandbox.write("names", "carol\nalice\ndave\n");
    let output = thread::scope(|scope| {
        let holder = scope.spawn(|| {
            rows(
                &store,
                "BEGIN; SELECT 1 FROM users WHERE username = 'alice' FOR UPDATE; SELECT pg_sleep(3); ROLLBACK",
            )
        });
        let waiting = |event: &str| {
            format!("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {event}")
        };
        wait_until("the lock", || rows(&store, &waiting("wait_event = 'PgSleep'")) == ["1"]);
        let mut command = sandbox.masctl(1);
        command.args(["manage", "lock-user", "-"]);
        if json {
            command.args(["--format", "json"]);
        }
        let names = fs::File::open(sandbox.path().join("names")).expect("it was written");
        let child = start_with(command, names.into());
        wait_until("masctl's wait for it", || {
            rows(&store, &waiting("wait_event_type = 'Lock'")) == ["1"]
        });
        signal(&child, kind);
        let output = child.wait_with_output().expect("masctl ends");
        holder.join().expect("it held the row");
        output
    });
    assert_eq!(output.status.code(), Some(130));
    let message = "Interrupted: 1 of 3 accounts was done; go on with alice";
    let shown = String::from_utf8_lossy(&output.stdout);
    if json {
        let error: serde_json::Value = serde_json::from_str(&text(&output)).expect("it is JSON");
        assert_eq!(error["error"]["message"], message);
        let done: serde_json::Value = serde_json::from_str(&shown).expect("what was done is whole");
        assert_eq!(
            (done.as_array().map(Vec::len), &done[0]["username"]),
            (Some(1), &"carol".into())
        );
    } else {
        assert_eq!(
            (text(&output).as_str(), &*shown),
            (&*format!("Locked carol\nError: {message}\n"), "")
        );
    }
    let locked = "SELECT username FROM users WHERE locked_at < '2021-01-01' AND locked_at >= '2020-01-01'";
    assert_eq!(rows(&store, locked), ["carol"]);
    assert_eq!(
        rows(&store, "SELECT count(*) FROM queue_jobs WHERE status = 'available'"),
        ["1"]
    );
}

/// What was committed for the account at hand is made good before masctl ends, and the account counts as failed.
#[test]
fn a_signal_among_many_accounts_while_the_homeserver_is_asked_takes_the_token_back() {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, "signal_many_asked", &sandbox);
    rows(&store, &cast::sql());
    let homeserver = store.homeserver().expect("it has one");
    homeserver.add_users(["carol", "alice", "bob"]);
    sandbox.write("names", "carol\nalice\nbob\n");
    store
        .hold("BEGIN; SELECT 1 FROM users WHERE username = 'alice' FOR UPDATE")
        .expect("the SQL is right");
    let mut command = sandbox.masctl(1);
    command.args(["manage", "issue-compatibility-token", "-", "--format", "jsonl"]);
    let names = fs::File::open(sandbox.path().join("names")).expect("it was written");
    let child = start_with(command, names.into());
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("masctl's wait for alice", || rows(&store, waiting) == ["1"]);
    homeserver.set_mood(Mood::Silent);
    homeserver.take_requests();
    store.release().expect("it is held");
    wait_until("masctl's question", || !homeserver.take_requests().is_empty());
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().expect("masctl ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stdout);
    let shown: Vec<serde_json::Value> = shown
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let [carol, alice] = &shown[..] else {
        panic!("{output:?}")
    };
    assert!(
        carol["result"]["token"]
            .as_str()
            .is_some_and(|token| token.starts_with("mct_"))
    );
    assert_eq!(alice["error"]["code"], "run.interrupted", "{alice}");
    assert_eq!(alice["result"], serde_json::Value::Null);
    let said = text(&output);
    assert!(
        said.contains("1 of 3 accounts was done, 1 failed; go on with bob"),
        "{said}"
    );
    let sessions = "SELECT username, finished_at IS NULL FROM compat_sessions JOIN users USING (user_id) ORDER BY 1";
    assert_eq!(rows(&store, sessions), ["alice | false", "carol | true"]);
    assert_eq!(
        rows(&store, "SELECT queue_name, status FROM queue_jobs"),
        ["sync-devices | available"]
    );
}

#[rstest]
fn a_signal_ends_the_wait_for_a_secret_that_nobody_sends(#[values(Signal::SIGINT, Signal::SIGTERM)] kind: Signal) {
    let sandbox = Sandbox::new();
    let mut command = sandbox.masctl(1);
    command.args(["manage", "set-password", "alice", "--password-stdin"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("masctl runs");
    let stdin = child.stdin.take();
    thread::sleep(Duration::from_millis(700));
    signal(&child, kind);
    let output = child.wait_with_output().expect("masctl ends");
    drop(stdin);
    assert_eq!(
        (text(&output).as_str(), output.status.code()),
        ("Error: Interrupted: nothing was changed\n", Some(130))
    );
}

#[test]
fn a_reader_that_is_gone_is_no_failure_and_a_full_disk_is_one() {
    let sandbox = Sandbox::new();
    let register = ["manage", "register-user", "alice", "--yes", "--admin"];
    assert!(
        sandbox
            .masctl(1)
            .args(register)
            .output()
            .expect("masctl runs")
            .status
            .success()
    );
    for arguments in [
        &["manage", "list-admin-users"][..],
        &["--help"],
        &["manage", "lock-user", "nobody"],
    ] {
        let mut command = sandbox.masctl(2);
        let mut child = start({
            command.args(["-q"]).args(arguments);
            command
        });
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("masctl ends");
        let fails = arguments.contains(&"nobody");
        assert_eq!(
            output.status.code(),
            Some(i32::from(fails)),
            "{arguments:?}: {}",
            text(&output)
        );
        assert_eq!(text(&output).is_empty(), !fails, "{}", text(&output));
    }
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = sandbox.masctl(3);
    command.args(["-q", "manage", "list-admin-users"]).stdout(full);
    let output = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("masctl runs")
        .wait_with_output();
    let output = output.expect("masctl ends");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output),
        "Error: Standard output cannot be written: No space left on device (os error 28)\n"
    );
}

/// Starts a worker that works until it is told to stop, on a SQLite store that has a homeserver.
fn worker(sandbox: &Sandbox, store: &OpenStore) -> Child {
    let homeserver = store.homeserver().expect("it has one");
    sandbox.write(
        "homeserver.yaml",
        &format!(
            "matrix: {{ endpoint: \"{}\", secret: {SECRET} }}",
            homeserver.endpoint()
        ),
    );
    let mut command = sandbox.masctl(1);
    command
        .args(["worker", "--format", "json"])
        .env("MAS_CONFIG", "config.yaml:homeserver.yaml");
    start(command)
}

fn sqlite(sandbox: &Sandbox) -> OpenStore {
    let store = OpenStore::configured(Store::Sqlite, "signal_worker", sandbox);
    let made = sandbox.masctl(0).args(["database", "migrate"]).output();
    assert!(made.expect("masctl runs").status.success());
    store
}

#[rstest]
fn a_worker_ends_well_when_it_is_told_to(#[values(Signal::SIGINT, Signal::SIGTERM)] kind: Signal) {
    let sandbox = Sandbox::new();
    let store = sqlite(&sandbox);
    let child = worker(&sandbox, &store);
    wait_until("the worker", || {
        rows(&store, "SELECT count(*) FROM queue_workers") == ["1"]
    });
    signal(&child, kind);
    let output = child.wait_with_output().expect("masctl ends");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let summary = String::from_utf8_lossy(&output.stdout);
    assert!(
        summary.ends_with("\"done\":0,\"retried\":0,\"abandoned\":0,\"released\":0,\"failures\":[]}\n"),
        "{summary}"
    );
    let alive = "SELECT count(*) FROM queue_workers WHERE shutdown_at IS NULL";
    assert_eq!(rows(&store, alive), ["0"]);
}

#[test]
fn a_second_signal_does_not_wait_for_the_job_at_hand() {
    let sandbox = Sandbox::new();
    let store = sqlite(&sandbox);
    store.homeserver().expect("it has one").set_mood(Mood::Silent);
    rows(&store, &[cast::sql(), cast::jobs_sql()].concat());
    let mut child = worker(&sandbox, &store);
    wait_until("the call", || {
        !store.homeserver().expect("it has one").take_requests().is_empty()
    });
    signal(&child, Signal::SIGTERM);
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut said: Vec<String> = Vec::new();
    while !said.last().is_some_and(|line| line.starts_with("Stopping")) {
        said.push(lines.next().expect("it says that it stops").expect("it is UTF-8"));
    }
    signal(&child, Signal::SIGTERM);
    // One that had waited for the job would end well, and say what became of it.
    said.extend(lines.map_while(Result::ok));
    assert_eq!(child.wait().expect("masctl ends").code(), Some(130));
    let said: Vec<&str> = said.iter().skip(1).map(String::as_str).collect();
    assert_eq!(
        said,
        [
            "Released 1 job of a worker that died",
            "Stopping after the job at hand; Ctrl-C again does not wait for it",
            "{\"error\":{\"code\":\"run.interrupted\",\"message\":\"Interrupted: the job at hand stays `running`, and \
             `masctl manage release-jobs` says what gives it back\",\"help\":null,\"data\":{},\"at\":null}}",
        ]
    );
    assert_eq!(
        rows(&store, "SELECT count(*) FROM queue_jobs WHERE status = 'running'"),
        ["1"]
    );
}
