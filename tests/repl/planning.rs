//! Changes that are shown before they are made, and made only if somebody agrees and they are still the same.

use super::{CTRL_C, Session};

const LOCK: &str = r#"users::get("alice").lock(); users::get("carol").lock().username"#;

/// What is said of it before the question.
const PROPOSED: &str = "Would lock alice\nWould lock carol\n";

const NO_WORKER: &str =
    "Warning: no MAS worker was seen for 2 minutes: nothing will happen on the homeserver until one runs\n";

/// Enters an input that would change something, and waits for the question.
fn propose(session: &mut Session, input: &str) -> u16 {
    let from = session.window.row();
    session.window.press(input);
    session.window.press("\r");
    session.window.see_below(from, "(y/N)");
    from
}

/// Nobody waits for a person who does not answer.
fn assert_nothing_is_held(session: &Session) {
    let connections = session.connections();
    assert!(connections.iter().all(|state| state == "idle"), "{connections:?}");
    let locks = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
                 WHERE application_name LIKE 'masctl%' AND datname = current_database()";
    assert_eq!(session.rows(locks), ["0"]);
}

#[test]
fn a_plan_is_carried_out_if_somebody_agrees_and_else_not() {
    let mut session = Session::open("plan", &["--mode", "plan"]);
    let before = session.snapshot();
    for no in ["n\r", "\r"] {
        let from = propose(&mut session, LOCK);
        assert_nothing_is_held(&session);
        assert_eq!(session.changed(&before), [""; 0]);
        session.window.press(no);
        let shown = session.window.prompt_below(from);
        assert_eq!(
            shown,
            format!("PLAN> {LOCK}\n{PROPOSED}? Apply these 2 changes? No\nNothing was changed\n")
        );
        assert_eq!(session.changed(&before), [""; 0]);
    }
    let from = propose(&mut session, LOCK);
    session.window.press("y\r");
    let shown = session.window.prompt_below(from);
    assert_eq!(
        shown,
        format!("PLAN> {LOCK}\n{PROPOSED}? Apply these 2 changes? Yes\nLocked alice\nLocked carol\n{NO_WORKER}carol\n")
    );
    let changed = session.changed(&before);
    // What each row and job holds, the transcripts of the deed show.
    let rows: Vec<&String> = changed.iter().filter(|line| !line.starts_with("    ")).collect();
    assert_eq!(
        rows,
        [
            "+ queue_jobs 01DXF6FMKESWH46DAK3SFZC03A",
            "+ queue_jobs 01DXF6FMKG1DEQJMG30QNXAPP8",
            "~ users 01HV00000000000000000000A1",
            "~ users 01HV00000000000000000000C3",
        ]
    );
    for line in [
        "    queue_name: provision-user",
        "    locked_at: null -> 2020-01-01T00:01:00.013Z",
    ] {
        assert!(changed.iter().any(|changed| changed == line), "{changed:?}");
    }
    assert_nothing_is_held(&session);
    session.leave();
}

#[test]
fn a_plan_is_refused_if_another_client_changes_the_row_while_the_question_is_open() {
    let mut session = Session::open("foreign", &["--mode", "plan"]);
    let from = propose(&mut session, LOCK);
    session.rows("UPDATE users SET locked_at = '2024-05-01T10:00:00Z' WHERE username = 'carol'");
    let before = session.snapshot();
    session.window.press("y\r");
    let shown = session.window.prompt_below(from);
    assert_eq!(
        shown,
        format!(
            "PLAN> {LOCK}\n{PROPOSED}? Apply these 2 changes? Yes\n\
             Error: The changes are no longer the same, so nothing was changed\n  \
             help: `Would lock carol` is no longer among them: carol is locked already, since 2024-05-01 10:00:00Z. \
             Enter it again to see what it would change now.\n"
        )
    );
    assert_eq!(session.changed(&before), [""; 0]);
    assert_nothing_is_held(&session);
    session.leave();
}

#[test]
fn ctrl_c_at_the_question_changes_nothing_and_keeps_the_session() {
    let mut session = Session::open("plan_ctrl_c", &["--mode", "plan"]);
    session.enter("let kept = 6");
    let before = session.snapshot();
    let from = propose(&mut session, LOCK);
    session.window.press(CTRL_C);
    assert_eq!(
        session.window.prompt_below(from),
        format!("PLAN> {LOCK}\n{PROPOSED}? Apply these 2 changes? (y/N)\nError: Interrupted: nothing was changed\n")
    );
    assert_eq!(session.changed(&before), [""; 0]);
    assert_eq!(session.enter("kept * 7"), "PLAN> kept * 7\n42\n");
    session.leave();
}

#[test]
fn a_secret_is_asked_for_once_and_is_the_one_that_is_set() {
    let mut session = Session::open("asked", &["--mode", "plan"]);
    let input = r#"users::get("alice").set_password(input::ask_secret("Password")).username"#;
    let from = session.window.row();
    session.window.press(input);
    session.window.press("\r");
    for question in ["Password:", "Password (again):"] {
        session.window.see_below(from, question);
        session.window.press("Horse-Battery-Staple-7\r");
    }
    session.window.see_below(from, "(y/N)");
    assert_nothing_is_held(&session);
    session.window.press("y\r");
    assert_eq!(
        session.window.prompt_below(from),
        format!(
            "PLAN> {input}\n? Password: ********\nWould set the password of alice\n? Apply this change? Yes\n\
             Set the password of alice\nalice\n"
        )
    );
    let input = r#"users::get("alice").verify_password(input::ask_secret("Password"))"#;
    let from = session.window.row();
    session.window.press(input);
    session.window.press("\r");
    for question in ["Password:", "Password (again):"] {
        session.window.see_below(from, question);
        session.window.press("Horse-Battery-Staple-7\r");
    }
    let shown = session.window.prompt_below(from);
    assert_eq!(shown, format!("PLAN> {input}\n? Password: ********\ntrue\n"));
    assert!(!session.window.written().contains("Horse"));
    session.leave();
}

#[test]
fn a_token_is_shown_once_and_only_after_the_commit() {
    let mut session = Session::open("token", &["--mode", "plan"]);
    let input = r#"users::get("alice").issue_compatibility_token(#{ expires_in: 60 })"#;
    session.store.homeserver().expect("it has one").add_users(["alice"]);
    let from = propose(&mut session, input);
    assert!(!session.window.written().contains("mct_"));
    session.window.press("n\r");
    session.window.prompt_below(from);
    assert!(!session.window.written().contains("mct_"));
    let from = propose(&mut session, input);
    session.window.press("y\r");
    let shown = session.window.prompt_below(from);
    let stored = session.rows("SELECT access_token FROM compat_access_tokens").concat();
    assert!(stored.starts_with("mct_"), "{stored}");
    assert_eq!(session.window.written().matches("mct_").count(), 1, "{shown}");
    assert!(shown.contains(&stored), "{shown}");
    session.leave();
}
