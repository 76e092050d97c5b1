//! What a person at a terminal is told before the first run of a script of their own.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use crate::support::{person::watched, sandbox::Sandbox, terminal::Terminal};

const SCRIPT: &str = "\
//! Lock who is named in a file
//! ---
//! params:
//!   names: { type: path, positional: true, env: STALE_NAMES }
//! needs: [users:write, sessions:write, 'files:read:$names', 'files:read:/srv/import']
fn main(args) { return; }
";

const SENTENCE: &str = "First run of stale.rhai: it may change accounts, end sessions, and read /srv/import and what NAMES \
                        names. It takes the environment variable STALE_NAMES.";

/// What is seen of a command on a terminal that is wide enough for the sentence.
fn seen(command: &Command) -> String {
    let (seen, _) = Terminal::start_with(command, 200, true).end();
    assert!(seen.contains("exit 0\r\nterminal as before"), "{seen}");
    seen
}

#[test]
fn a_script_of_ones_own_is_introduced_once() {
    let sandbox = Sandbox::new();
    sandbox.write("stale.rhai", SCRIPT);
    let run = |arguments: &[&str]| seen(&watched(&sandbox, arguments));
    let known = sandbox.path().join(".local/state/masctl/known-scripts");
    // Nobody is told who does not look, or does not want to be.
    assert!(!run(&["run", "stale.rhai", "-q"]).contains("First run"));
    let piped = sandbox
        .masctl(0)
        .args(["run", "stale.rhai"])
        .output()
        .expect("masctl runs");
    assert_eq!((piped.status.code(), piped.stderr.len()), (Some(0), 0));
    assert!(!known.exists());
    // Nor is help a run.
    assert!(run(&["run", "stale.rhai", "--help"]).contains("It may change accounts"));
    assert!(run(&["run", "stale.rhai", "--dry-run"]).contains(SENTENCE));
    assert!(!run(&["run", "stale.rhai"]).contains("First run"));
    let mode = known.metadata().expect("it is kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // What is told is what the text says: under another name it is no other script, and with another text it is.
    sandbox.write("other.rhai", SCRIPT);
    assert!(!run(&["run", "other.rhai"]).contains("First run"));
    sandbox.write("stale.rhai", &SCRIPT.replace("users:write, ", ""));
    assert!(run(&["run", "stale.rhai"]).contains("First run of stale.rhai: it may end sessions, and read"));
    let lines = fs::read_to_string(&known).expect("it is text").lines().count();
    assert_eq!(lines, 2);
}

#[test]
fn what_ships_is_not_introduced_and_neither_is_an_expression() {
    let sandbox = Sandbox::new();
    for arguments in [&["manage", "list-users"][..], &["eval", "1 + 1"]] {
        assert!(!seen(&watched(&sandbox, arguments)).contains("First run"));
    }
    assert!(!sandbox.path().join(".local/state").exists());
}

#[test]
fn a_script_runs_also_where_it_cannot_be_remembered() {
    let sandbox = Sandbox::new();
    sandbox.write("stale.rhai", SCRIPT);
    // A file in the place of the folder: a missing right would be none for root.
    sandbox.write(".local", "");
    for _ in 0..2 {
        let mut command = watched(&sandbox, &["run", "stale.rhai"]);
        command.env("XDG_DATA_HOME", sandbox.path().join("data"));
        assert!(seen(&command).contains(SENTENCE));
    }
}
