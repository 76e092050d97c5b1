//! What a person at a terminal is asked before a command goes on that loses something, or that is for many accounts.

use rstest::rstest;

use crate::support::{
    person::{CTRL_C, CTRL_D, ESCAPE, rows, watched},
    sandbox::Sandbox,
    store::OpenStore,
    terminal::Terminal,
};

fn register(sandbox: &Sandbox, names: &[&str]) {
    for (world, name) in (1..).zip(names) {
        let registered = sandbox
            .masctl(world)
            .args(["manage", "register-user", name, "--yes"])
            .output();
        assert!(registered.expect("masctl runs").status.success());
    }
}

const DEACTIVATIONS: &str = "SELECT payload FROM queue_jobs WHERE queue_name = 'deactivate-user'";

#[rstest]
#[case::no("n\r", "Error: Aborted: nothing was changed", 1)]
#[case::nothing("\r", "Error: Aborted: nothing was changed", 1)]
#[case::escape(ESCAPE, "Error: Aborted: nothing was changed", 1)]
#[case::ctrl_c(CTRL_C, "Error: Interrupted: nothing was changed", 130)]
fn who_declines_has_changed_nothing(#[case] key: &str, #[case] message: &str, #[case] status: i32) {
    let sandbox = Sandbox::new();
    let store = OpenStore::embedded(&sandbox);
    register(&sandbox, &["alice"]);
    // What is asked about is said with --quiet too.
    let mut terminal = Terminal::start(&watched(
        &sandbox,
        &["-q", "manage", "deactivate-user", "alice", "--erase"],
    ));
    terminal.see("deactivate-user alice\r\n");
    terminal.see("That cannot be undone.\r\n");
    terminal.see("Its profile is deleted");
    terminal.see("Go on?");
    terminal.press(key);
    terminal.see(message);
    let (rest, _) = terminal.end();
    assert!(rest.contains(&format!("exit {status}\r\nterminal as before")), "{rest}");
    assert!(rows(&store, DEACTIVATIONS).is_empty());
}

#[test]
fn who_agrees_goes_on_and_whoever_said_so_before_is_not_asked() {
    let sandbox = Sandbox::new();
    let store = OpenStore::embedded(&sandbox);
    register(&sandbox, &["alice"]);
    let mut terminal = Terminal::start(&watched(&sandbox, &["manage", "deactivate-user", "alice"]));
    let before = terminal.see("Go on?");
    assert!(!before.contains("profile"), "nothing is erased: {before}");
    terminal.answer("y");
    terminal.see("Queued the deactivation of alice");
    let (rest, _) = terminal.end();
    assert!(rest.contains("exit 0\r\nterminal as before"), "{rest}");
    for (world, option) in [("8", "--yes"), ("9", "--dry-run")] {
        let mut command = watched(&sandbox, &["manage", "deactivate-user", "alice", option]);
        command.env("MASCTL_FIXED_WORLD", world);
        let (seen, _) = Terminal::start(&command).end();
        assert!(!seen.contains("Go on?") && seen.contains("exit 0"), "{seen}");
    }
    assert_eq!(rows(&store, DEACTIVATIONS).len(), 2);
}

#[test]
fn many_accounts_are_counted_before_the_first_is_touched() {
    let sandbox = Sandbox::new();
    let store = OpenStore::embedded(&sandbox);
    register(&sandbox, &["alice", "bob"]);
    rows(&store, "DELETE FROM queue_jobs");
    for (answer, status, jobs) in [("n", 1, "0"), ("y", 0, "2")] {
        let mut terminal = Terminal::start(&watched(&sandbox, &["manage", "set-display-name", "-", "Somebody"]));
        terminal.see("Ctrl-D ends them:");
        terminal.enter("alice");
        terminal.enter("bob");
        terminal.press(CTRL_D);
        terminal.see("set-display-name - Somebody");
        terminal.see("Go on with 2 accounts?");
        terminal.answer(answer);
        let (rest, _) = terminal.end();
        assert!(rest.contains(&format!("exit {status}\r\nterminal as before")), "{rest}");
        assert_eq!(rows(&store, "SELECT count(*) FROM queue_jobs"), [jobs]);
    }
}

#[test]
fn names_are_typed_until_ctrl_d() {
    let sandbox = Sandbox::new();
    let store = OpenStore::embedded(&sandbox);
    register(&sandbox, &["alice", "bob"]);
    let mut terminal = Terminal::start(&watched(&sandbox, &["manage", "lock-user", "-"]));
    terminal.see("Names of accounts, one a line; Ctrl-D ends them:");
    terminal.enter("alice");
    terminal.enter("nobody");
    terminal.enter("bob");
    terminal.press(CTRL_D);
    terminal.see("Locked alice");
    terminal.see("Error: nobody: User not found");
    terminal.see("Locked bob");
    terminal.see("2 accounts done, 1 failed");
    let (rest, _) = terminal.end();
    assert!(rest.contains("exit 4\r\nterminal as before"), "{rest}");
    assert_eq!(
        rows(&store, "SELECT count(*) FROM users WHERE locked_at IS NOT NULL"),
        ["2"]
    );

    let mut terminal = Terminal::start(&watched(&sandbox, &["manage", "unlock-user", "-"]));
    terminal.see("Ctrl-D ends them:");
    terminal.enter("alice");
    terminal.press(CTRL_C);
    // The terminal sends it to the shell around masctl too.
    terminal.see("Error: Interrupted: nothing was changed");
    drop(terminal.end());
    assert_eq!(
        rows(&store, "SELECT count(*) FROM users WHERE locked_at IS NOT NULL"),
        ["2"]
    );
}
