//! Narrow windows, and those without color.

use super::{CTRL_D, Session, place, window};
use crate::support::{
    cast,
    sandbox::Sandbox,
    store::{OpenStore, Store},
};

/// Whatever is wider than the window goes on in its next line, so that it can be copied whole.
const NARROW: &str = r#"READ
{place}
schema 20260720 (MAS 1.22)> users::list(
#{})
id              01HV00000000000000000000
A1
username        alice
created_at      2024-04-08T23:16:49.2801
23Z
locked_at
deactivated_at
admin           false
guest           false

id              01HV00000000000000000000
B2
username        bob
created_at      2024-04-08T23:16:49.2801
23Z
locked_at       2024-04-09T00:00:00Z
deactivated_at
admin           false
guest           false

id              01HV00000000000000000000
C3
username        carol
created_at      2024-04-08T23:16:49.2801
23Z
locked_at
deactivated_at
admin           true
guest           false

id              01HV00000000000000000000
D4
username        dave
created_at      2024-04-08T23:16:49.2801
23Z
locked_at
deactivated_at  2024-04-09T00:00:00Z
admin           false
guest           false
READ
{place}
schema 20260720 (MAS 1.22)> users::get("
nobody").lock()
Error: User not found: nobody
  × user.not_found
   ╭─[input 2:1:1]
 1 │ users::get("nobody").lock()
   · ──────────
   ╰────
READ
{place}
schema 20260720 (MAS 1.22)> users::get("
alice")
id              01HV00000000000000000000
A1
username        alice
created_at      2024-04-08T23:16:49.2801
23Z
locked_at
deactivated_at
admin           false
guest           false
READ
{place}
schema 20260720 (MAS 1.22)>
"#;

#[test]
fn a_window_of_40_columns() {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, "repl_40", &sandbox);
    store.query(&cast::sql()).expect("the cast fits");
    let mut window = window(&sandbox, &[], &[], 40);
    window.replace(&place(&store), "{place}");
    window.first_prompt();
    window.enter("users::list(#{})");
    window.enter(r#"users::get("nobody").lock()"#);
    window.enter(r#"users::get("alice")"#);
    assert_eq!(window.text(), NARROW);
    window.press(CTRL_D);
    assert_eq!(window.end().1, 0);
}

#[test]
fn a_window_that_is_resized() {
    let mut session = Session::open("resized", &[]);
    session.window.resize(60);
    let shown = session.enter("users::list(#{})");
    let widest = shown.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(60), "{shown}");
    session.leave();
}

/// What steers a terminal beyond what a line editor needs: colors.
fn colors(written: &str) -> Vec<&str> {
    let sequences = written.split("\x1b[").skip(1);
    sequences
        .filter_map(|rest| {
            let end = rest.find(|character: char| character.is_ascii_alphabetic())?;
            rest.get(..=end).filter(|sequence| sequence.ends_with('m'))
        })
        .collect()
}

#[test]
fn there_are_no_colors_where_none_are_wanted() {
    let inputs = ["users::list(#{})", r#"users::get("nobody")"#, r#"let a = "text"; 1"#];
    let mut plain = Session::open_with("plain", &[], &[]);
    let mut dumb = Session::open_with("dumb", &[], &[("TERM", "dumb"), ("NO_COLOR", "")]);
    let mut colored = Session::open_with("colored", &[], &[("NO_COLOR", "")]);
    for session in [&mut plain, &mut dumb, &mut colored] {
        for input in inputs {
            session.enter(input);
        }
    }
    assert_eq!(colors(&plain.window.written()), [""; 0]);
    assert_ne!(colors(&colored.window.written()), [""; 0]);
    assert!(!dumb.window.written().contains('\x1b'), "{}", dumb.window.written());
    for session in [plain, dumb, colored] {
        session.leave();
    }
}
