//! What the Tab key offers at the prompt, by what values really are.

use crate::support::{
    cast,
    sandbox::Sandbox,
    store::{OpenStore, Store},
    terminal::Terminal,
};

const TAB: &str = "\t";
const CTRL_U: &str = "\x15";
const CTRL_D: &str = "\x04";

/// A session at a prompt, on an embedded store with the cast in it.
fn session(name: &str) -> (Sandbox, OpenStore, Terminal) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Sqlite, name, &sandbox);
    let made = sandbox.masctl(1).args(["manage", "list-users"]).output();
    assert!(made.expect("it starts").status.success());
    store.query(&cast::sql()).expect("the cast fits");
    let mut command = sandbox.masctl(1);
    command.args(["repl", "--mode", "write"]);
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    let mut terminal = Terminal::start(&command);
    terminal.see("WRITE");
    (sandbox, store, terminal)
}

#[test]
fn a_value_shows_its_real_fields_and_a_namespace_its_functions() {
    let (_sandbox, _store, mut terminal) = session("completion_lists");
    terminal.answer("let user = users::get(\"alice\"); user.username");
    terminal.see("alice");
    terminal.press("user.");
    terminal.press(TAB);
    terminal.see("created_at");
    terminal.see("deactivated_at");
    // They stand in two columns.
    terminal.see("verify_password(");
    terminal.see("\nlock()");
    terminal.press(CTRL_U);
    // Of a few it is also said what they do.
    terminal.press("user.lo");
    terminal.press(TAB);
    terminal.see("user.lock() -> User   Lock a user so that it cannot log in");
    terminal.see("locked_at: Time | ()  When it was locked.");
    terminal.press(CTRL_U);
    terminal.press("users::");
    terminal.press(TAB);
    terminal.see("users::get(name: String) -> User");
    terminal.press(CTRL_U);
    terminal.press("user.username.to_up");
    terminal.press(TAB);
    terminal.press("\r");
    terminal.see("ALICE");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn a_method_is_completed_and_called() {
    let (_sandbox, store, mut terminal) = session("completion_calls");
    terminal.answer("let u = users::get(\"alice\"); u.username");
    terminal.see("alice");
    // It has something else that begins so.
    terminal.press("u.lo");
    terminal.press(TAB);
    terminal.see("locked_at: Time");
    terminal.press("()\r");
    terminal.see("Locked alice");
    terminal.press("u.unlo");
    terminal.press(TAB);
    terminal.press("\r");
    terminal.see("Unlocked alice");
    terminal.press(CTRL_D);
    assert_eq!(terminal.end().1, 0);
    let locked = store.query("SELECT username FROM users WHERE locked_at IS NOT NULL ORDER BY username");
    assert_eq!(locked.expect("it can be read"), ["bob"]);
}
