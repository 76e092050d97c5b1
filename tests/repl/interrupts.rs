//! Ctrl-C in loops, in statements and at the prompt, and how a session ends.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{CTRL_C, CTRL_D, Session};
use crate::support::{person::watched, sandbox::Sandbox, wait_until, window::Window};

#[test]
fn ctrl_c_ends_what_cannot_be_caught_and_what_was_there_before_is_there_after_it() {
    let mut session = Session::open("loops", &[]);
    session.enter(r#"let kept = users::get("alice").username"#);
    for input in [
        r#"say("under" + "way"); loop {}"#,
        r#"say("under" + "way"); while true { try { users::get("nobody") } catch {} }"#,
        r#"say("under" + "way"); while true { try { throw 1 } catch { try { throw 2 } catch {} } }"#,
    ] {
        let from = session.window.row();
        session.window.press(input);
        session.window.press("\r");
        session.window.see_below(from, "underway");
        session.window.press(CTRL_C);
        let shown = session.window.prompt_below(from);
        assert_eq!(
            shown,
            format!("READ> {input}\nunderway\n^CError: Interrupted: nothing was changed\n")
        );
        assert_eq!(session.enter("kept"), "READ> kept\nalice\n");
    }
    session.leave();
}

#[test]
fn ctrl_c_ends_a_query_that_waits_and_leaves_none_on_the_server() {
    let mut session = Session::open("query", &[]);
    session.enter("let kept = 42");
    session
        .store
        .hold("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        .expect("nobody else has it");
    let from = session.window.row();
    session.window.press("users::count(#{})\r");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'masctl' \
                   AND datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("the wait for the table", || session.rows(waiting) == ["1"]);
    session.window.press(CTRL_C);
    assert_eq!(
        session.window.prompt_below(from),
        "READ> users::count(#{})\n^CError: Interrupted: nothing was changed\n"
    );
    let ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'masctl%' \
                AND datname = current_database() AND state <> 'idle'";
    wait_until("the end of the statement", || session.rows(ours) == ["0"]);
    session.store.release().expect("it is held");
    assert_eq!(
        session.enter("kept + users::count(#{})"),
        "READ> kept + users::count(#{})\n46\n"
    );
    session.leave();
}

#[test]
fn ctrl_c_at_the_prompt_drops_what_is_typed_and_ctrl_d_leaves_only_an_empty_line() {
    let mut session = Session::open("prompt", &[]);
    session.window.press("users::get(\"al");
    session.window.until_line("users::get(\"al");
    session.window.press_for_prompt(CTRL_C);
    session.window.press("12");
    session.window.until_line("12");
    session.window.press(CTRL_D);
    assert_eq!(session.window.press_for_prompt("3\r"), "READ> 123\n123\n");
    session.leave();
}

#[test]
fn sigterm_at_the_prompt_leaves_the_terminal_as_it_was() {
    let sandbox = Sandbox::new();
    let mut command = watched(&sandbox, &["repl"]);
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut window = Window::open(&command, 130);
    let first = window.first_prompt();
    let number = first.split_once("process ").and_then(|(_, rest)| rest.split_once('.'));
    let process: i32 = number.expect("it is named").0.parse().expect("a number");
    window.press("let begun = ");
    window.until_line("let begun = ");
    kill(Pid::from_raw(process), Signal::SIGTERM).expect("it is there");
    window.see("terminal as before");
    let written = window.written();
    let (text, _) = window.end();
    assert!(
        text.ends_with("> let begun =\nexit 130\nterminal as before\n"),
        "{text}"
    );
    // A terminal that went on marking what is pasted would show the marks in the next program.
    assert!(written.rfind("\x1b[?2004l") > written.rfind("\x1b[?2004h"), "{written}");
}
