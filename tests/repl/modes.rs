//! What a session may do, and where it says so.

use super::{SCHEMA, Session};

#[test]
fn a_database_of_mas_is_only_read_at_first_and_is_changed_once_somebody_says_so() {
    let mut session = Session::open("modes", &[]);
    let lock = r#"users::get("alice").lock()"#;
    let before = session.snapshot();
    let refusal = r#"Error: Nothing can be changed in READ mode
  × capability.denied
   ╭─[input 1:1:21]
 1 │ users::get("alice").lock()
   ·                     ────
   ╰────
  help: `\mode plan` shows what an input would change, and asks; `\mode write` changes it at once.
"#;
    assert_eq!(session.enter(lock), format!("READ> {lock}\n{refusal}"));
    assert_eq!(session.changed(&before), [""; 0]);
    let warning = r"WRITE: Change at once
Warning: each input changes postgresql://127.0.0.1/mas at once, without a question; `\mode plan` asks before
";
    assert_eq!(session.enter(r"\mode write"), format!("READ> \\mode write\n{warning}"));
    assert_eq!(
        session.enter(&format!("{lock}.locked_at")),
        format!(
            "WRITE> {lock}.locked_at\nLocked alice\nWarning: no MAS worker was seen for 2 minutes: \
             nothing will happen on the homeserver until one runs\n2020-01-01T00:01:00.001Z\n"
        )
    );
    let locked = "SELECT username FROM users WHERE locked_at >= '2020-01-01' AND username = 'alice'";
    assert_eq!(session.rows(locked), ["alice"]);
    assert_eq!(
        session.enter(r"\mode plan"),
        "WRITE> \\mode plan\nPLAN: Show what an input would change, and ask before it is changed\n"
    );
    assert_eq!(session.enter(r"\mode read"), "PLAN> \\mode read\nREAD: Only read\n");
    let before = session.snapshot();
    let shown = session.enter(r#"users::get("alice").unlock()"#);
    assert!(
        shown.contains("Error: Nothing can be changed in READ mode\n"),
        "{shown}"
    );
    assert_eq!(session.changed(&before), [""; 0]);
    session.leave();
}

#[test]
fn the_prompt_says_what_is_allowed_and_where() {
    let mut session = Session::open("where", &[]);
    let text = session.window.written();
    let prompt = format!("READ {} {SCHEMA}> ", session.place());
    assert!(text.contains(&prompt), "{text}");
    session.enter(r"\mode write");
    let prompt = format!("WRITE {} {SCHEMA}> ", session.place());
    assert!(session.window.written().contains(&prompt));
    session.leave();
}
