//! Meta-commands at a prompt, in a real pseudo-terminal.

use std::{fs, process::Command};

use crate::support::{sandbox::Sandbox, terminal::Terminal};

const CTRL_D: &str = "\x04";

fn session(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.masctl(0);
    command.arg("repl").args(arguments);
    command.env("TERM", "dumb").env("NO_COLOR", "1").env("PAGER", "cat");
    command
}

fn start(sandbox: &Sandbox, columns: u16, arguments: &[&str]) -> Terminal {
    let mut terminal = Terminal::start_with(&session(sandbox, arguments), columns, true);
    terminal.see("> ");
    terminal
}

/// The lines that are seen between a line that was typed and the next prompt.
fn lines(seen: &str) -> Vec<&str> {
    seen.lines().map(str::trim_end).collect()
}

#[test]
fn the_list_fits_the_window() {
    for (columns, rows) in [(80, 24), (40, 60)] {
        let sandbox = Sandbox::new();
        let mut terminal = start(&sandbox, columns, &[]);
        terminal.answer("\\?");
        terminal.see("Meta-commands");
        let seen = terminal.see("Ctrl-D");
        let lines = lines(&seen);
        assert!(lines.len() < rows, "{seen}");
        let wide = lines.iter().find(|line| line.chars().count() > usize::from(columns));
        assert_eq!(wide, None, "{seen}");
        terminal.press(CTRL_D);
        assert_eq!(terminal.end().1, 0);
    }
}

#[test]
fn a_session_is_left_by_whatever_one_is_used_to() {
    for word in ["\\q", "exit", "quit;", " \\quit"] {
        let sandbox = Sandbox::new();
        let mut terminal = start(&sandbox, 80, &[]);
        terminal.answer(word);
        assert_eq!(terminal.end().1, 0, "{word}");
    }
}

#[test]
fn switches_say_how_they_stand_and_the_prompt_says_the_mode() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox, 80, &[]);
    terminal.answer("\\timing");
    terminal.see("Timing is on");
    terminal.answer("40 + 2");
    terminal.see("42");
    terminal.see("Time: ");
    terminal.see(" ms");
    terminal.answer("\\timing off");
    terminal.see("Timing is off");
    terminal.answer("\\json");
    terminal.see("JSON is on");
    terminal.answer("#{ a: [1] }");
    terminal.see("\"a\": [");
    terminal.answer("\\mode read");
    terminal.see("READ: Only read");
    terminal.see("READ");
    terminal.answer("\\nothing");
    terminal.see("Error: There is no meta-command `\\nothing`");
    terminal.see("READ");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn a_script_shows_what_it_would_change_and_asks() {
    let sandbox = Sandbox::new();
    let mut register = sandbox.masctl(1);
    register.args(["manage", "register-user", "alice", "--yes"]);
    assert!(register.output().unwrap().status.success());
    let mut terminal = start(&sandbox, 80, &["--mode", "plan"]);
    terminal.answer("\\run deactivate-user alice");
    terminal.see("That cannot be undone.");
    terminal.see("Would queue the deactivation of alice");
    terminal.see("(y/N)");
    terminal.answer("n");
    terminal.see("Nothing was changed");
    terminal.answer("\\changes");
    terminal.see("This session has changed nothing");
    terminal.answer("\\run lock-user alice");
    terminal.see("Would lock alice");
    terminal.see("(y/N)");
    terminal.answer("y");
    terminal.see("Locked alice");
    terminal.answer("\\changes");
    terminal.see("Locked alice");
    terminal.answer("\\run set-display-name alice");
    terminal.see("Error: the following required arguments were not provided: <");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn the_history_is_listed_and_a_session_is_saved() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox, 80, &[]);
    terminal.answer("let a = 40");
    terminal.see("> ");
    terminal.answer("a + 2");
    terminal.see("42");
    terminal.answer("\\history 2");
    terminal.see("a + 2");
    terminal.see("\\history 2");
    terminal.answer("\\save ~/saved.rhai");
    terminal.see("Wrote 2 inputs into ");
    terminal.see("Run it: masctl run ");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
    let text = fs::read_to_string(sandbox.path().join("saved.rhai")).unwrap();
    assert!(
        text.ends_with("fn main(args) {\n    let a = 40;\n    a + 2\n}\n"),
        "{text}"
    );
    let mut run = sandbox.masctl(1);
    run.args(["run", "saved.rhai"]);
    assert_eq!(String::from_utf8(run.output().unwrap().stdout).unwrap(), "42\n");
}
