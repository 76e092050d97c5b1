//! The prompt of `masctl repl` in a real pseudo-terminal: keys, history, colors, widths.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
};

use crate::support::{sandbox::Sandbox, terminal::Terminal};

const UP: &str = "\x1b[A";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const HISTORY: &str = ".local/state/masctl/history";

fn session(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.masctl(0);
    command.arg("repl").env("TERM", "xterm-256color").env("NO_COLOR", "1");
    command
}

fn start(sandbox: &Sandbox) -> Terminal {
    let mut terminal = Terminal::start(&session(sandbox));
    terminal.see("> ");
    terminal
}

fn history(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path().join(HISTORY)).unwrap_or_default()
}

#[test]
fn an_input_goes_on_until_it_is_whole_and_comes_back_whole() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox);
    terminal.answer("let x = [1,");
    terminal.answer("20 + 3].len() + 40;");
    terminal.see("> ");
    terminal.answer("x");
    terminal.see("42");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
    assert_eq!(history(&sandbox), "let x = [1,\\n    20 + 3].len() + 40;\nx\n");

    let mut terminal = start(&sandbox);
    terminal.press(UP);
    terminal.press(UP);
    terminal.see("20 + 3].len() + 40;");
    terminal.press(CTRL_C);
    terminal.see("> ");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn what_is_pasted_waits_for_enter() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox);
    terminal.press("\x1b[200~let a = 40;\rlet b = 2;\r\x1b[201~");
    terminal.see("let b = 2;");
    terminal.answer("a + b");
    terminal.see("42");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
    assert_eq!(history(&sandbox), "let a = 40;\\nlet b = 2;\\na + b\n");
}

#[test]
fn a_paste_that_is_too_long_is_not_taken() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox);
    terminal.press("\x1b[200~");
    for _ in 0..1024 {
        terminal.press(&"x".repeat(1024));
    }
    terminal.press("\x1b[201~");
    terminal.see("pasted text not taken: over 256 KiB");
    terminal.answer("40 + 2");
    terminal.see("42");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn bytes_that_are_no_text_end_nothing() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox);
    terminal.answer("let kept = 40;");
    terminal.see("> ");
    terminal.press_bytes(b"kept\xff");
    terminal.see("What was typed is not UTF-8, and was dropped");
    terminal.see("> ");
    // The lines behind the wrong byte are not entered.
    terminal.press_bytes(b"\x1b[200~a\xe9\rlet kept = 1;\rb\xff\r\x1b[201~");
    terminal.see("What was typed is not UTF-8, and was dropped");
    terminal.see("> ");
    terminal.answer("kept + 2");
    terminal.see("42");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
    assert_eq!(history(&sandbox), "let kept = 40;\nkept + 2\n");
}

#[test]
fn ctrl_c_clears_the_input_and_ctrl_d_leaves_only_an_empty_one() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox);
    terminal.press("let wrong = (");
    terminal.see("wrong = (");
    terminal.press(CTRL_C);
    let seen = terminal.see("> ");
    assert!(!seen.contains("leaves"), "{seen}");
    terminal.press(CTRL_C);
    terminal.see("Ctrl-D or `\\q` leaves.");
    terminal.see("> ");
    terminal.press(CTRL_C);
    let seen = terminal.see("> ");
    assert!(!seen.contains("leaves"), "{seen}");
    terminal.answer("20 + (");
    terminal.press(CTRL_D);
    terminal.answer("22)");
    terminal.see("42");
    terminal.see("> ");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn the_history_is_for_this_person_alone_and_holds_no_secret() {
    let sandbox = Sandbox::new();
    sandbox.write(HISTORY, "40 + 2\n");
    let path = sandbox.path().join(HISTORY);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut terminal = start(&sandbox);
    for input in [
        "let password = \"hunter2\";",
        " let hushed = 1;",
        "let kept = 1;",
        "let kept = 1;",
    ] {
        terminal.answer(input);
        terminal.see("> ");
    }
    terminal.press("\x12+ 2");
    terminal.see("40 + 2");
    terminal.press("\r");
    terminal.see("42");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
    assert_eq!(history(&sandbox), "let kept = 1;\n40 + 2\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let folder = path.parent().unwrap();
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn without_a_history_the_session_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("elsewhere", "kept\n");
    sandbox.write(".local/state/masctl/other", "");
    symlink(sandbox.path().join("elsewhere"), sandbox.path().join(HISTORY)).unwrap();
    let mut terminal = Terminal::start(&session(&sandbox));
    terminal.see("Warning: What is entered is not kept for the next session: `");
    terminal.see("> ");
    terminal.answer("let x = 40;");
    terminal.see("> ");
    terminal.press(UP);
    terminal.see("let x = 40;");
    terminal.press(CTRL_C);
    terminal.see("> ");
    terminal.press(CTRL_D);
    let (seen, status) = terminal.end();
    assert!(status == 0 && !seen.contains("is not kept"), "{seen}");
    assert_eq!(fs::read_to_string(sandbox.path().join("elsewhere")).unwrap(), "kept\n");
}

#[test]
fn the_keys_of_vi_are_there_if_they_are_wished_for() {
    let sandbox = Sandbox::new();
    let mut command = session(&sandbox);
    command.env("MAS_MASCTL_EDITOR", "vi");
    let mut terminal = Terminal::start(&command);
    terminal.see("> ");
    terminal.press("41 + 2x");
    terminal.see("2x");
    terminal.press("\x1b");
    std::thread::sleep(std::time::Duration::from_millis(700));
    // Without the x, and one less.
    terminal.press("x0lr0");
    terminal.press("\r");
    terminal.see("42");
    terminal.see("> ");
    terminal.press("i(");
    terminal.press("\r");
    terminal.press(CTRL_D);
    terminal.press("7)\r");
    terminal.see("> ");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn colors_are_there_only_where_they_are_wanted() {
    let sandbox = Sandbox::new();
    let mut command = session(&sandbox);
    let mut terminal = Terminal::start_with(&command, 80, false);
    let mut without = terminal.see("> ");
    terminal.press("let text = \"a\";");
    without.push_str(&terminal.see("\"a\""));
    terminal.press(CTRL_C);
    terminal.see("> ");
    terminal.press(CTRL_D);
    let (rest, status) = terminal.end();
    without.push_str(&rest);
    assert_eq!(status, 0);
    // A sequence that sets a color ends in `m`.
    let mut sequences = without.split("\x1b[").skip(1);
    let sets_color = |rest: &str| {
        rest.trim_start_matches(|it: char| it.is_ascii_digit() || it == ';')
            .starts_with('m')
    };
    assert!(!sequences.any(sets_color), "{without:?}");
    command.env_remove("NO_COLOR");
    let mut terminal = Terminal::start_with(&command, 80, false);
    terminal.see("\x1b[1;3");
    terminal.see("> ");
    terminal.press("let text = \"a\";");
    terminal.see("\x1b[35mlet\x1b[0m text = \x1b[32m\"a\"\x1b[0m;");
    terminal.press(CTRL_C);
    terminal.see("> ");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn a_narrow_window_and_wide_characters() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start_with(&session(&sandbox), 40, true);
    let prompt = terminal.see("> ");
    assert!(prompt.lines().all(|line| line.chars().count() < 40), "{prompt}");
    terminal.answer("\"漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\u{200f}\u{1f600}\".len() + 18");
    terminal.see("42");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox);
    terminal.press("let a = 40;\rlet b = 2;\ra + b\r");
    terminal.see("42");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}
