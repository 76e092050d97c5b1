//! Signals in a session: Ctrl-C ends an input and keeps the session, SIGTERM ends the session; and what becomes of the
//! connection meanwhile.

use nix::sys::signal::Signal;
use rstest::rstest;

use crate::support::{
    cast,
    sandbox::Sandbox,
    store::{OpenStore, Store},
    terminal::Terminal,
    wait_until,
};

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

/// An input that says so once it is under way, and never ends.
const ENDLESS: &str = r#"say("under" + "way"); loop {}"#;

/// A session at a prompt, on a database with the cast in it.
fn session(name: &str, variables: &[(&str, &str)]) -> (Sandbox, OpenStore, Terminal) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, &format!("prompt_{name}"), &sandbox);
    store.query(&cast::sql()).expect("the cast fits");
    let mut command = sandbox.masctl(1);
    command
        .args(["repl", "--mode", "write"])
        // On a dumb terminal the line editor leaves Ctrl-C to the system.
        .env("TERM", "xterm")
        .envs(variables.iter().copied());
    let mut terminal = Terminal::start(&command);
    terminal.see("WRITE");
    (sandbox, store, terminal)
}

fn rows(store: &OpenStore, sql: &str) -> Vec<String> {
    store.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// What the connections of masctl do.
fn connections(store: &OpenStore) -> Vec<String> {
    let sql = "SELECT state FROM pg_stat_activity WHERE application_name = 'masctl' AND datname = current_database()";
    rows(store, sql)
}

/// Evaluates something whose value is not what was typed.
fn works(terminal: &mut Terminal) -> String {
    terminal.answer("6 * 7 * 1000");
    terminal.see("42000")
}

#[test]
fn ctrl_c_ends_a_loop_each_time_and_the_session_goes_on() {
    let (_sandbox, _store, mut terminal) = session("loop", &[]);
    for _ in 0..3 {
        terminal.answer(ENDLESS);
        terminal.see("underway");
        terminal.press(CTRL_C);
        terminal.see("Error: Interrupted: nothing was changed");
        terminal.see("WRITE");
        works(&mut terminal);
    }
    for _ in 0..2 {
        terminal.see("WRITE");
        terminal.press(CTRL_C);
    }
    terminal.see("WRITE");
    works(&mut terminal);
    terminal.see("WRITE");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn ctrl_c_ends_a_statement_that_waits_and_nothing_is_held_after_it() {
    let (_sandbox, store, mut terminal) = session("statement", &[]);
    store
        .hold("BEGIN; SELECT 1 FROM users WHERE username = 'alice' FOR UPDATE")
        .expect("nobody else has her");
    terminal.answer(r#"users::get("dave").lock(); users::get("alice").lock()"#);
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("masctl's wait for her", || rows(&store, waiting) == ["1"]);
    terminal.press(CTRL_C);
    terminal.see("Error: Interrupted: nothing was changed");
    wait_until("the end of the statement", || connections(&store).is_empty());
    store.release().expect("it is held");
    terminal.answer(r#"users::get("alice").lock()"#);
    let between = terminal.see("Locked alice");
    assert!(!between.contains("lost"), "{between}");
    terminal.see("WRITE");
    assert_eq!(connections(&store), ["idle"]);
    let locked = "SELECT username FROM users WHERE username IN ('alice', 'dave') AND locked_at >= '2020-01-01'";
    assert_eq!(rows(&store, locked), ["alice"]);
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[rstest]
fn a_signal_that_ends_the_session_ends_it_at_the_prompt(#[values(Signal::SIGTERM, Signal::SIGHUP)] signal: Signal) {
    let (_sandbox, store, mut terminal) = session(&format!("end_{signal}").to_lowercase(), &[]);
    terminal.answer(r#"users::get("alice").username + "!""#);
    terminal.see("alice!");
    terminal.see("WRITE");
    terminal.signal(signal);
    assert_eq!(terminal.end().1, 130);
    wait_until("the end of the connection", || connections(&store).is_empty());
}

#[test]
fn sigterm_stops_the_input_and_ends_the_session() {
    let (_sandbox, store, mut terminal) = session("term_input", &[]);
    terminal.answer(&format!(r#"users::get("dave").lock(); {ENDLESS}"#));
    terminal.see("underway");
    terminal.signal(Signal::SIGTERM);
    terminal.see("Error: Interrupted: nothing was changed");
    assert_eq!(terminal.end().1, 130);
    let locked = "SELECT count(*) FROM users WHERE username = 'dave' AND locked_at >= '2020-01-01'";
    assert_eq!(rows(&store, locked), ["0"]);
}

#[test]
fn a_connection_that_is_lost_at_the_prompt_is_said_and_opened_again() {
    let (_sandbox, store, mut terminal) = session("lost", &[]);
    terminal.answer(r#"users::get("alice").username + "!""#);
    terminal.see("alice!");
    let terminate = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                     WHERE application_name = 'masctl' AND datname = current_database()";
    assert_eq!(rows(&store, terminate), ["1"]);
    terminal.answer(r#"users::get("carol").username + "!""#);
    terminal.see("Warning: the connection to the database was lost: connected again");
    terminal.see("carol!");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn a_session_left_alone_holds_no_connection_and_goes_on_silently() {
    let (_sandbox, store, mut terminal) = session("idle", &[("MASCTL_IDLE_SECONDS", "0.3")]);
    for name in ["alice", "carol"] {
        terminal.answer(&format!(r#"users::get("{name}").username + "!""#));
        let before = terminal.see(&format!("{name}!"));
        assert!(!before.contains("lost"), "{before}");
        wait_until("the end of the connection", || connections(&store).is_empty());
    }
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}
