//! Long texts on a terminal go through the person's pager, and nowhere else.

use std::process::Command;

use crate::support::{
    person::{CTRL_C, watched},
    sandbox::Sandbox,
    terminal::Terminal,
};

const DONE: &str = "exit 0\r\nterminal as before";

/// A pager that says that it is one, and shows the last line of what it is given.
fn with_pager(sandbox: &Sandbox, arguments: &[&str], pager: &str) -> Command {
    sandbox.write("pager", "echo \"paged by $1\"\ntail -n 1\n");
    let mut command = watched(sandbox, arguments);
    command.env("PAGER", pager);
    command
}

#[test]
fn a_text_that_is_longer_than_the_terminal_is_paged() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(&with_pager(&sandbox, &["reference"], "sh pager 'a person'"));
    terminal.see("paged by a person");
    terminal.see("to_string");
    terminal.see(DONE);
    drop(terminal.end());
    let (seen, _) = Terminal::start(&with_pager(
        &sandbox,
        &["scripts", "show", "register-user"],
        "sh pager x",
    ))
    .end();
    assert!(seen.contains("paged by x") && seen.contains(DONE), "{seen}");
}

#[test]
fn a_short_text_or_one_for_no_terminal_is_not_paged() {
    let sandbox = Sandbox::new();
    let (seen, _) = Terminal::start(&with_pager(&sandbox, &["reference", "say"], "sh pager x")).end();
    assert!(seen.contains("say(message: ?)") && !seen.contains("paged by"), "{seen}");
    let mut piped = sandbox.masctl(7);
    let piped = piped.args(["reference"]).env("PAGER", "sh pager x").output();
    let piped = String::from_utf8(piped.expect("masctl runs").stdout).expect("it is text");
    assert!(piped.lines().count() > 1000 && !piped.contains("paged by") && !piped.contains('\u{1b}'));
}

#[test]
fn the_list_of_scripts_has_their_groups_and_what_is_wrong_with_which() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path().join(".config/masctl/scripts")).expect("a folder");
    sandbox.write(".config/masctl/scripts/tidy.rhai", "//! Tidy up\nfn main(args) {}\n");
    sandbox.write(".config/masctl/scripts/lock-user.rhai", "fn main(args) {}\n");
    let (seen, _) = Terminal::start(&with_pager(&sandbox, &["scripts", "list"], "cat")).end();
    assert!(
        seen.contains("\r\nAccounts:\r\n  list-users") && seen.contains(DONE),
        "{seen}"
    );
    assert!(seen.contains("\r\nYour scripts:\r\n  tidy"), "{seen}");
    assert!(seen.contains("Tidy up"), "{seen}");
    assert!(seen.contains("\r\nCannot be used:\r\n  lock-user"), "{seen}");
}

#[test]
fn without_a_pager_all_is_printed() {
    let sandbox = Sandbox::new();
    for pager in ["", "cat", "there-is-no-such-pager", "unbalanced '"] {
        let (seen, _) = Terminal::start(&with_pager(&sandbox, &["reference"], pager)).end();
        assert!(seen.contains("users::get(name: String) -> User"), "{pager}");
        assert!(seen.contains("Rhai's own functions") && seen.contains(DONE), "{pager}");
    }
}

#[test]
fn a_pager_that_ends_early_and_ctrl_c_in_it_leave_the_terminal_as_it_was() {
    let sandbox = Sandbox::new();
    let (seen, _) = Terminal::start(&with_pager(&sandbox, &["reference"], "head -n 3")).end();
    assert!(seen.contains("Namespaces") && seen.contains(DONE), "{seen}");
    sandbox.write(
        "stubborn",
        "trap 'echo caught' INT\ncat > /dev/null\necho ready\nread -r line < /dev/tty\necho \"got $line\"\n",
    );
    let mut command = watched(&sandbox, &["reference"]);
    command.env("PAGER", "sh stubborn");
    let mut terminal = Terminal::start(&command);
    terminal.see("ready");
    terminal.press(CTRL_C);
    terminal.see("caught");
    terminal.enter("enough");
    let (rest, _) = terminal.end();
    assert!(!rest.contains("Error"), "{rest}");
}

#[test]
fn only_a_terminal_that_wants_it_is_given_color() {
    let sandbox = Sandbox::new();
    let shown = |term: &str, no_color: &str| {
        let mut command = watched(&sandbox, &["reference", "say"]);
        command.env("TERM", term).env("NO_COLOR", no_color);
        Terminal::start_with(&command, 80, false).end().0
    };
    assert!(shown("xterm", "").contains("\u{1b}[1msay(message: ?)\u{1b}[0m"));
    assert!(!shown("xterm", "1").contains('\u{1b}'));
    assert!(!shown("dumb", "").contains('\u{1b}'));
}
