//! The questions that a person at a terminal is asked: the form of register-user, and the password of set-password.

use std::{ffi::OsStr, fmt::Write as _, io::Write as _, path::Path, process::Stdio};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;

use crate::support::{
    cast,
    person::{CTRL_C, CTRL_D, ESCAPE, rows, watched},
    sandbox::Sandbox,
    store::{OpenStore, Store},
    terminal::Terminal,
};

const BINARY: &str = env!("CARGO_BIN_EXE_masctl");

const DOWN: &str = "\x1b[B";
const ENTER: &str = "\r";

const STRONG: &str = "correct horse battery staple";

fn choose(terminal: &mut Terminal, at: usize) {
    terminal.see("Set the display name");
    terminal.press(&(DOWN.repeat(at) + ENTER));
}

/// What is seen from `start` to the end of its line.
fn line_after(terminal: &mut Terminal, start: &str) -> String {
    terminal.see(start);
    start.to_owned() + terminal.see("\r\n").trim_end()
}

/// The account of a name as it is stored, ids and times left out.
fn account(store: &OpenStore, username: &str) -> String {
    let mut shown = String::new();
    for sql in [
        format!("SELECT can_request_admin FROM users WHERE username = '{username}'"),
        format!("SELECT count(*) FROM user_passwords JOIN users USING (user_id) WHERE username = '{username}'"),
        format!("SELECT email FROM user_emails JOIN users USING (user_id) WHERE username = '{username}' ORDER BY 1"),
        format!("SELECT subject FROM upstream_oauth_links JOIN users USING (user_id) WHERE username = '{username}'"),
    ] {
        let _ = writeln!(shown, "{:?}", rows(store, &sql));
    }
    shown
}

/// Answers the first questions for erin, with what is refused first.
fn name_and_password(terminal: &mut Terminal) {
    terminal.see("Username:");
    terminal.answer("alice");
    terminal.see("User already exists");
    terminal.see("Username:");
    terminal.answer("taken");
    terminal.see("taken");
    terminal.see("not available");
    terminal.see("Username:");
    terminal.answer("@erin:example.com");
    assert_eq!(line_after(terminal, "Username:  "), "Username:      erin");

    choose(terminal, 2);
    for (first, second, problem) in [
        ("password1", "password1", "too weak"),
        (STRONG, "another horse", "They differ"),
    ] {
        terminal.see("Password:");
        terminal.answer(first);
        terminal.see("Password (again):");
        terminal.answer(second);
        let before = terminal.see(problem);
        assert!(!before.contains(first) && !before.contains(second), "{before}");
    }
    terminal.see("Password:");
    terminal.answer(STRONG);
    terminal.see("Password (again):");
    terminal.answer(STRONG);
    assert_eq!(line_after(terminal, "Password:  "), "Password:      set");
}

#[test]
fn the_form_registers_what_it_shows_and_its_command_line_does_the_same() {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, "form", &sandbox);
    rows(&store, &cast::sql());
    let mut terminal = Terminal::start(&watched(&sandbox, &["manage", "register-user"]));

    name_and_password(&mut terminal);

    choose(&mut terminal, 3);
    terminal.see("E-mail address:");
    terminal.answer("erin");
    terminal.see("must be an e-mail address");
    terminal.see("E-mail address:");
    terminal.answer("erin@example.com");

    choose(&mut terminal, 4);
    terminal.see("Example");
    terminal.press(ENTER);
    terminal.see("Subject at the provider:");
    terminal.answer("erin there");

    choose(&mut terminal, 5);

    choose(&mut terminal, 6);
    terminal.see("Display name:");
    terminal.answer("");
    terminal.see("An answer is needed");
    terminal.see("Display name:");
    terminal.answer("-Erin \"E\" O'Neil $HOME");

    terminal.see("Display name:  -Erin \"E\" O'Neil $HOME");
    terminal.see("E-mail:        erin@example.com");
    terminal.see("Administrator: yes");
    let line = line_after(&mut terminal, "masctl manage register-user");

    terminal.see("Set the display name");
    let open = "SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    assert_eq!(
        rows(&store, open),
        ["0"],
        "nobody may be kept waiting by a person who thinks"
    );
    terminal.press(ENTER);
    terminal.see("Register erin?");
    terminal.answer("n");
    choose(&mut terminal, 0);
    terminal.see("Register erin?");
    terminal.answer("y");
    let (rest, code) = terminal.end();
    assert!(rest.contains("Registered erin") && rest.contains("exit 0"), "{rest}");
    assert!(rest.contains("terminal as before") && code == 0, "{rest}");

    run_by_a_shell(&sandbox, &line.replace("erin", "frank"));
    let expected = account(&store, "erin").replace("erin", "frank");
    assert_eq!(account(&store, "frank"), expected, "{line}");
    let jobs = rows(
        &store,
        "SELECT queue_name, payload->>'set_display_name' FROM queue_jobs",
    );
    let job = r#"provision-user | -Erin "E" O'Neil $HOME"#;
    assert_eq!(jobs, [job, job]);
}

/// The homeserver has `taken` already, which the form takes over, and so does its command line.
#[test]
fn a_form_that_skips_the_homeserver_takes_an_account_over() {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, "form_skip", &sandbox);
    rows(&store, &cast::sql());
    let arguments = ["manage", "register-user", "--skip-homeserver-check"];
    let mut terminal = Terminal::start(&watched(&sandbox, &arguments));
    for (name, problem) in [("alice", "User already exists"), ("Taken", "cannot be used")] {
        terminal.see("Username:");
        terminal.answer(name);
        terminal.see(problem);
    }
    terminal.see("Username:");
    terminal.answer("taken");
    let line = line_after(&mut terminal, "masctl manage register-user");
    assert_eq!(line, "masctl manage register-user --yes taken --skip-homeserver-check");
    choose(&mut terminal, 0);
    terminal.see("Register taken?");
    terminal.answer("y");
    let (rest, code) = terminal.end();
    assert!(rest.contains("Registered taken") && code == 0, "{rest}");
}

/// Runs a command line that names masctl by its name alone, with the password on standard input.
fn run_by_a_shell(sandbox: &Sandbox, line: &str) {
    let folder = Path::new(BINARY).parent().expect("a binary is in a folder");
    let mut shell = sandbox.command("/bin/sh");
    shell.args([OsStr::new("-c"), OsStr::new(line)]);
    shell.env("PATH", folder).env("MASCTL_FIXED_WORLD", "8");
    let mut child = shell
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("/bin/sh runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{STRONG}").expect("masctl reads it");
    drop(stdin);
    let output = child.wait_with_output().expect("masctl ends");
    assert!(
        output.status.success(),
        "{line}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Leads to a prompt of each kind.
fn go_to(prompt: &str, terminal: &mut Terminal) {
    terminal.see("Username:");
    if prompt == "text" {
        return;
    }
    terminal.answer("alice");
    match prompt {
        "menu" => drop(terminal.see("Set the display name")),
        "secret" => {
            choose(terminal, 2);
            terminal.see("Password:");
            terminal.press("secret");
        }
        _ => {
            choose(terminal, 0);
            terminal.see("Register alice?");
        }
    }
}

#[rstest]
fn a_prompt_is_left_at_once_and_nothing_is_written(
    #[values("text", "menu", "secret", "confirm")] prompt: &str,
    #[values((ESCAPE, "Error: Aborted: nothing was changed", 1), (CTRL_D, "Error: Aborted: nothing was changed", 1),
        (CTRL_C, "Error: Interrupted: nothing was changed", 130))]
    way: (&str, &str, i32),
) {
    let (key, message, status) = way;
    let sandbox = Sandbox::new();
    let store = OpenStore::embedded(&sandbox);
    let mut terminal = Terminal::start(&watched(&sandbox, &["manage", "register-user"]));
    go_to(prompt, &mut terminal);
    terminal.press(key);
    terminal.see(message);
    let (rest, _) = terminal.end();
    assert!(rest.contains(&format!("exit {status}\r\nterminal as before")), "{rest}");
    assert!(!rest.contains("rhai"), "the script is not to blame: {rest}");
    if prompt != "text" {
        assert_eq!(rows(&store, "SELECT count(*) FROM users"), ["0"]);
    }
}

#[rstest]
fn sigterm_ends_a_prompt_and_restores_the_terminal(
    #[values(&["manage", "register-user"], &["manage", "set-password", "alice"])] arguments: &[&str],
) {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(&watched(&sandbox, arguments));
    terminal.see("process ");
    let process: i32 = terminal.see(".").parse().expect("a number");
    terminal.see(": ");
    kill(Pid::from_raw(process), Signal::SIGTERM).expect("it is there");
    terminal.see("Error: Interrupted: nothing was changed");
    let (rest, _) = terminal.end();
    assert!(rest.contains("exit 130\r\nterminal as before"), "{rest}");
}

#[test]
fn a_password_is_asked_for_twice_without_echo() {
    let sandbox = Sandbox::new();
    let store = OpenStore::embedded(&sandbox);
    let registered = sandbox
        .masctl(1)
        .args(["manage", "register-user", "alice", "--yes"])
        .output();
    assert!(registered.expect("masctl runs").status.success());
    let passwords = "SELECT count(*) FROM user_passwords";

    let start = || Terminal::start(&watched(&sandbox, &["manage", "set-password", "alice"]));
    let mut terminal = start();
    let mut seen = terminal.see("New password:");
    terminal.answer(STRONG);
    seen += &terminal.see("New password (again):");
    terminal.answer("something else");
    seen += &terminal.see("They differ");
    assert_eq!(rows(&store, passwords), ["0"]);
    seen += &terminal.see("New password:");
    terminal.answer(STRONG);
    seen += &terminal.see("New password (again):");
    terminal.answer(STRONG);
    seen += &terminal.end().0;
    assert!(
        seen.contains("Set the password of alice\r\nexit 0\r\nterminal as before"),
        "{seen}"
    );
    assert!(!seen.contains("horse") && !seen.contains("something"), "{seen}");
    assert_eq!(rows(&store, passwords), ["1"]);

    for (key, status) in [(CTRL_C, 130), (ESCAPE, 1), (CTRL_D, 1)] {
        let mut terminal = start();
        terminal.see("New password:");
        terminal.press(key);
        let (rest, _) = terminal.end();
        assert!(rest.contains(&format!("exit {status}\r\nterminal as before")), "{rest}");
    }
    assert_eq!(rows(&store, passwords), ["1"]);
}

#[test]
fn a_narrow_window_does_not_break_the_form() {
    let sandbox = Sandbox::new();
    let store = OpenStore::embedded(&sandbox);
    let mut terminal = Terminal::start_with(&watched(&sandbox, &["manage", "register-user", "alice"]), 40, true);
    choose(&mut terminal, 3);
    terminal.see("E-mail address:");
    terminal.answer("a-long-name-that-takes-more-than-one-line@example.com");
    choose(&mut terminal, 0);
    terminal.see("Register alice?");
    terminal.answer("");
    let (rest, _) = terminal.end();
    assert!(rest.contains("exit 0\r\nterminal as before"), "{rest}");
    assert_eq!(
        rows(&store, "SELECT email FROM user_emails"),
        ["a-long-name-that-takes-more-than-one-line@example.com"]
    );
}

#[rstest]
#[case(&[("TERM", "xterm-256color")], true)]
#[case(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], false)]
#[case(&[("TERM", "dumb")], false)]
fn a_terminal_is_colored_unless_it_does_not_want_it(#[case] variables: &[(&str, &str)], #[case] is_colored: bool) {
    let sandbox = Sandbox::new();
    for arguments in [["manage", "lock-user", "nobody"], ["manage", "lock-user", "--none"]] {
        let mut command = watched(&sandbox, &arguments);
        command.envs(variables.iter().copied());
        let (seen, _) = Terminal::start_with(&command, 80, false).end();
        assert_eq!(seen.contains("\x1b["), is_colored, "{seen}");
        assert!(seen.contains("Error: ") || seen.contains("Error:\x1b"), "{seen}");
    }
    let mut command = watched(&sandbox, &["manage", "register-user"]);
    command.envs(variables.iter().copied());
    let mut terminal = Terminal::start_with(&command, 80, false);
    terminal.see("Username:");
    terminal.press(CTRL_C);
    let (seen, _) = terminal.end();
    assert!(is_colored || !seen.contains("\x1b[38"), "{seen}");
}
