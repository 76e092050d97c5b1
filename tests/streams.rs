//! Lists that are shown while they are read: how much memory that takes, and what ends them early.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    ops::ControlFlow,
    process::{Child, ChildStdout, Command, Stdio},
};

use masctl::{
    console::{Row, Rows},
    error::Result,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;

use crate::support::{
    sandbox::Sandbox,
    scripted::Stage,
    store::{OpenStore, Store},
    terminal::Terminal,
};

/// Far more than a page, and than fits into a pipe.
const USERS: usize = 20_000;

/// Accounts that may all ask for administrator scopes, `user00001` first.
fn users(store: Store) -> String {
    let (id, number) = match store {
        Store::Postgres => ("lpad(to_hex(n), 32, '0')::uuid", "lpad(n::text, 5, '0')"),
        Store::Sqlite => ("unhex(printf('%032x', n))", "printf('%05d', n)"),
    };
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {USERS}) \
         INSERT INTO users (user_id, username, created_at, can_request_admin) \
         SELECT {id}, 'user' || {number}, '2020-01-01T00:00:00+00:00', true FROM numbers"
    )
}

/// A store with [`USERS`] in it.
fn scene(kind: Store, name: &str) -> (Sandbox, OpenStore) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(kind, name, &sandbox);
    if kind == Store::Sqlite {
        let made = sandbox.masctl(0).args(["database", "migrate"]).output();
        assert!(made.expect("masctl runs").status.success());
    }
    store.query(&users(kind)).expect("the users fit");
    (sandbox, store)
}

/// `list-admin-users` in this format.
fn list(sandbox: &Sandbox, format: &str) -> Command {
    let mut command = sandbox.masctl(1);
    command.args(["manage", "list-admin-users", "--format", format]);
    command
}

/// The list whose output is read through a pipe, which keeps masctl from being faster than its reader.
fn start(mut command: Command) -> (Child, BufReader<ChildStdout>) {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn().expect("masctl runs");
    let stdout = child.stdout.take().expect("it is piped");
    (child, BufReader::new(stdout))
}

fn read_line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("it is UTF-8");
    line
}

/// How the process ended, and what it said on stderr.
fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().expect("masctl ends");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The most memory that a process had at once so far, in KiB.
fn peak_kib(child: &Child) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).expect("Linux tells it")
}

#[rstest]
fn memory_does_not_grow_with_the_list(
    #[values(Store::Sqlite, Store::Postgres)] store: Store,
    #[values("table", "json", "jsonl", "csv", "yaml")] format: &str,
) {
    let name = format!("stream_memory_{format}");
    let (sandbox, _store) = scene(store, &name);
    let (child, mut stdout) = start(list(&sandbox, format));
    // What is yet to come does not fit into the pipe, so masctl is still there.
    let mut seen = String::new();
    let mut read_to = |name: &str| {
        while !seen.contains(name) {
            let mut bytes = [0; 4096];
            let count = stdout.read(&mut bytes).expect("it is piped");
            assert!(count > 0, "{name} is in the list");
            let keep = seen.len().saturating_sub(100);
            seen.drain(..keep);
            seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    read_to("user03000");
    let before = peak_kib(&child);
    read_to("user18500");
    let after = peak_kib(&child);
    read_to("user20000");
    drop(stdout);
    assert_eq!(end(child), (Some(0), String::new()));
    assert!(after < before + 2048, "{before} KiB, and later {after} KiB");
}

#[rstest]
fn a_reader_that_has_seen_enough_ends_it_well(#[values(Store::Sqlite, Store::Postgres)] store: Store) {
    let (sandbox, _store) = scene(store, "stream_head");
    for (format, first) in [
        ("ids", "user00001\n"),
        ("csv", "id,username,created_at,locked_at,deactivated_at,admin,guest\n"),
    ] {
        let (child, mut stdout) = start(list(&sandbox, format));
        assert_eq!(read_line(&mut stdout), first);
        drop(stdout);
        assert_eq!(end(child), (Some(0), String::new()));
    }
}

#[test]
fn an_error_in_the_middle_leaves_what_was_printed() {
    const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
         WHERE application_name = 'masctl' AND datname = current_database()";
    let (sandbox, store) = scene(Store::Postgres, "stream_lost");
    let lost = "Error: The database ended the connection: terminating connection due to administrator command\n  \
         help: Nothing was changed: what a lost connection has not committed is taken back. Run it again.\n";
    for format in ["csv", "json"] {
        let (child, mut stdout) = start(list(&sandbox, format));
        let mut printed = vec![0; 1000];
        stdout.read_exact(&mut printed).expect("it prints more");
        assert_eq!(store.query(TERMINATE).expect("the SQL is right"), ["1"]);
        stdout.read_to_end(&mut printed).expect("it is piped");
        let printed = String::from_utf8(printed).expect("it is UTF-8");
        let (status, said) = end(child);
        assert_eq!(status, Some(1));
        if format == "csv" {
            assert_eq!(said, lost);
            assert!(printed.ends_with(",true,false\n"));
        } else {
            let error: serde_json::Value = serde_json::from_str(&said).expect("it is JSON");
            assert_eq!(error["error"]["code"], "database.lost");
            assert!(printed.ends_with("\"guest\":false}\n"));
            let parsed = serde_json::from_str::<serde_json::Value>(&printed).expect_err("the array is open");
            assert!(parsed.is_eof());
        }
        assert!(!printed.contains("user20000"));
    }
}

/// The reader does not read on, so masctl could not end by itself.
#[rstest]
fn a_signal_ends_it_at_once_whoever_reads(#[values(Signal::SIGINT, Signal::SIGTERM)] signal: Signal) {
    let (sandbox, _store) = scene(Store::Postgres, &format!("stream_{signal}").to_lowercase());
    let (child, mut stdout) = start(list(&sandbox, "ids"));
    assert_eq!(read_line(&mut stdout), "user00001\n");
    let process = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(process), signal).expect("it is there");
    assert_eq!(
        end(child),
        (Some(130), "Error: Interrupted: nothing was changed\n".to_owned())
    );
}

/// The pseudo-terminal makes a character of each byte.
fn decoded(seen: &str) -> String {
    let bytes: Vec<u8> = seen.chars().filter_map(|byte| u8::try_from(byte).ok()).collect();
    String::from_utf8(bytes).expect("masctl writes UTF-8")
}

#[test]
fn a_person_sees_a_table() {
    let (sandbox, _store) = scene(Store::Sqlite, "stream_person");
    let fields = ["--fields", "username,admin"];
    let mut command = list(&sandbox, "table");
    let mut terminal = Terminal::start(command.args(fields));
    let heading = "───────────────────\r\n username    admin\r\n═══════════════════\r\n";
    assert_eq!(decoded(&terminal.see(" user00001   true")), heading);
    terminal.see(" user20000   true\r\n");
    let (rest, status) = terminal.end();
    assert_eq!((decoded(&rest).as_str(), status), ("───────────────────\r\n", 0));
}

/// What a list shows, to somebody who has seen enough after one page.
#[derive(Default)]
struct Glance {
    fields: Vec<String>,
    rows: usize,
}

impl Rows for Glance {
    fn start(&mut self, fields: &[&str]) -> Result<()> {
        self.fields = fields.iter().map(|&field| field.to_owned()).collect();
        Ok(())
    }

    fn row(&mut self, row: &dyn Row) -> Result<()> {
        self.rows += 1;
        (0..self.fields.len()).try_for_each(|field| row.cell(field, &mut |_| {}))
    }

    fn flush(&mut self) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Break(()))
    }
}

#[rstest]
fn nothing_is_read_that_nobody_looks_at(#[values(Store::Sqlite, Store::Postgres)] store: Store) {
    let stage = Stage::open(store, "stream_glance", "");
    stage.rows(&users(store));
    let mut glance = Glance::default();
    let outcome = stage.run_into(&mut glance, &["users:read"], "users::list(#{ admin: true })");
    assert!(outcome.expect("it goes well").shown);
    assert_eq!(glance.fields[..2], ["id", "username"]);
    assert_eq!(glance.rows, 1000);
}

/// What a run has written may still be taken back, so nobody sees its result before the end.
#[rstest]
fn nothing_is_shown_while_changes_wait_to_be_committed(#[values(Store::Sqlite, Store::Postgres)] store: Store) {
    let stage = Stage::open(store, "stream_writing", "");
    let mut glance = Glance::default();
    let body = "users::get(\"alice\").lock(); users::list(#{})";
    let outcome = stage
        .run_into(&mut glance, &["users:write"], body)
        .expect("it goes well");
    assert_eq!((outcome.shown, glance.rows), (false, 0));
    assert_eq!(outcome.result[0]["username"], "alice");
    let mut glance = Glance::default();
    let outcome = stage.run_into(
        &mut glance,
        &["users:read"],
        "users::list(#{ limit: 1 }); [users::get(\"alice\")]",
    );
    let outcome = outcome.expect("it goes well");
    assert_eq!((outcome.shown, glance.rows), (false, 0));
    assert_eq!(outcome.result[0]["username"], "alice");
}
