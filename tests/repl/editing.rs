//! Lines, keys and what they are completed to.

use super::{CTRL_C, Session, TAB, UP};

#[test]
fn a_namespace_is_completed_to_its_functions() {
    let mut session = Session::open("complete", &[]);
    let listed = session.window.press_for_line(&format!("users::{TAB}"), "users::");
    for signature in [
        "users::check_available(name: String, options: Map)",
        "users::get(name: String) -> User",
        "users::list(options: Map) -> list of User",
        "users::register(options: Map) -> User",
    ] {
        assert!(listed.contains(signature), "{signature}: {listed}");
    }
    session.window.press(&format!("che{TAB}"));
    session.window.until_line("users::check_available(");
    session.window.press_for_prompt(CTRL_C);
    session.leave();
}

#[test]
fn a_value_is_completed_by_what_it_is() {
    let mut session = Session::open("value", &[]);
    session.enter(r#"let u = users::get("alice")"#);
    let listed = session.window.press_for_line(&format!("u.lo{TAB}"), "u.lock");
    for signature in ["user.lock() -> User", "locked_at: Time | ()"] {
        assert!(listed.contains(signature), "{signature}: {listed}");
    }
    assert!(!listed.contains("unlock"), "{listed}");
    session.window.press(&format!("e{TAB}"));
    session.window.until_line("u.locked_at");
    assert_eq!(session.window.press_for_prompt("\r"), "READ> u.locked_at\n");
    session.leave();
}

#[test]
fn meta_commands_are_completed_to_what_they_take() {
    let mut session = Session::open("meta", &[]);
    session.window.press(&format!(r"\run lo{TAB}"));
    session.window.until_line(r"\run lock-user ");
    session.window.press_for_prompt(CTRL_C);
    session.window.press(&format!(r"\mode wr{TAB}"));
    session.window.until_line(r"\mode write");
    session.window.press_for_prompt(CTRL_C);
    let listed = session.window.press_for_line(&format!(r"\mode {TAB}"), r"\mode ");
    for mode in ["plan", "read", "write"] {
        assert!(
            listed.contains(&format!("\n{mode}")) || listed.contains(&format!("  {mode}")),
            "{listed}"
        );
    }
    session.window.press_for_prompt(CTRL_C);
    session.leave();
}

#[test]
fn an_input_goes_on_until_it_is_whole_and_comes_back_as_one() {
    let mut session = Session::open("lines", &[]);
    let from = session.window.row();
    session.window.press("fn double(n) {\r");
    session
        .window
        .wait("the second line", |window| window.row() == from + 1);
    session.window.press("n * 2\r");
    session.window.wait("the third line", |window| window.row() == from + 2);
    session.window.press("}\r");
    session.window.prompt_below(from);
    assert_eq!(session.enter("double(21)"), "READ> double(21)\n42\n");
    // As one: the second key leads to all of its lines, and Enter behind its end defines it again.
    let from = session.window.row();
    session.window.press(UP);
    session.window.until_line("double(21)");
    session.window.press(UP);
    session.window.wait("its last line", |window| window.row() == from + 2);
    session.window.press_for_prompt("\r");
    assert_eq!(session.enter("double(4)"), "READ> double(4)\n8\n");
    session.leave();
}

#[test]
fn what_is_pasted_runs_when_enter_is_pressed() {
    let mut session = Session::open("pasted", &["--mode", "write"]);
    let before = session.snapshot();
    let from = session.window.row();
    let pasted = "users::get(\"alice\").lock();\rusers::get(\"carol\").lock();\r";
    session.window.press(&format!("\x1b[200~{pasted}\x1b[201~"));
    session.window.wait("the third line", |window| window.row() == from + 2);
    session.window.press("40 + 2");
    session
        .window
        .wait("what is typed behind", |window| window.text().ends_with("40 + 2\n"));
    assert_eq!(session.changed(&before), [""; 0]);
    let shown = session.window.press_for_prompt("\r");
    let said: Vec<&str> = shown.lines().filter(|line| line.starts_with("Locked ")).collect();
    assert_eq!(said, ["Locked alice", "Locked carol"]);
    assert!(shown.ends_with("\n42\n"), "{shown}");
    session.leave();
}
