//! Values as a session shows them: of a list that is read page by page no more is read than is shown.

use std::{sync::Arc, thread, time::Duration};

use masctl::{
    error::{Code, Result},
    host::{
        on_deep_stack,
        repl::{Answer, Mode, Session},
    },
    operations::Interrupt,
};
use rstest::rstest;
use serde_json::Value;

use crate::support::{plans::Plans, scripted::Stage, store::Store};

/// Accounts `reader0001`, `reader0002` and so on.
fn readers(store: Store, count: u32) -> String {
    let (id, number) = match store {
        Store::Postgres => ("lpad(to_hex(n), 32, '0')::uuid", "lpad(n::text, 4, '0')"),
        Store::Sqlite => ("unhex(printf('%032x', n))", "printf('%04d', n)"),
    };
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
         INSERT INTO users (user_id, username, created_at, can_request_admin) \
         SELECT {id}, 'reader' || {number}, '2020-01-01T00:00:00+00:00', false FROM numbers"
    )
}

fn evaluate(session: &mut Session, input: &str) -> Result<Answer> {
    let answer = on_deep_stack(|| session.evaluate(input, Arc::<Interrupt>::default(), &mut |_| Ok(true)));
    let answer = answer.inspect_err(|error| assert_ne!(error.code(), Code::ScriptInvalid, "{error:?}"));
    answer.map(|answer| answer.expect("it was agreed to"))
}

/// What is shown of an input, and what is said of what was cut.
fn shown(session: &mut Session, input: &str) -> (Value, Vec<String>) {
    let answer = evaluate(session, input).expect(input);
    (answer.shown.value().clone(), answer.shown.notes().to_vec())
}

/// How many rows are shown, and what is said of what was cut.
fn rows(session: &mut Session, input: &str) -> (usize, Vec<String>) {
    let (value, notes) = shown(session, input);
    (value.as_array().expect("it is a list").len(), notes)
}

const LIST: &str = "users::list(#{ search: \"reader\" })";
const MORE: &str = "50 rows, and there are more";

#[rstest]
fn of_a_lazy_list_fifty_rows_are_shown(#[values(Store::Postgres, Store::Sqlite)] store: Store) {
    let stage = Stage::open(store, "shown_rows", "");
    let mut session = stage.session(Mode::Read);
    assert_eq!(rows(&mut session, LIST), (0, Vec::new()));
    stage.rows(&readers(store, 51));
    assert_eq!(rows(&mut session, LIST), (50, vec![MORE.to_owned()]));
    stage.rows("DELETE FROM users WHERE username = 'reader0051'");
    assert_eq!(rows(&mut session, LIST), (50, Vec::new()));
    stage.rows("DELETE FROM users WHERE username = 'reader0050'");
    assert_eq!(rows(&mut session, LIST), (49, Vec::new()));
    assert_eq!(
        rows(&mut session, "users::list(#{ search: \"reader\", limit: 10 })"),
        (10, Vec::new())
    );
}

#[rstest]
fn a_lazy_list_stays_what_it_was(#[values(Store::Postgres, Store::Sqlite)] store: Store) {
    let stage = Stage::open(store, "shown_again", "");
    stage.rows(&readers(store, 51));
    let mut session = stage.session(Mode::Read);
    let first = shown(&mut session, &format!("let list = {LIST}; list"));
    assert_eq!(first.0[49]["username"], "reader0050");
    assert_eq!(shown(&mut session, "list"), first);
    let counted = "let count = 0; for user in list { count += 1; } count";
    assert_eq!(shown(&mut session, counted).0, 51);
}

#[rstest]
fn a_lazy_list_inside_of_a_value_is_cut_too(#[values(Store::Postgres, Store::Sqlite)] store: Store) {
    let stage = Stage::open(store, "shown_inside", "");
    stage.rows(&readers(store, 51));
    let mut session = stage.session(Mode::Read);
    let (value, notes) = shown(&mut session, &format!("#{{ n: 1, readers: {LIST} }}"));
    assert_eq!(value["n"], 1);
    assert_eq!(value["readers"].as_array().map(Vec::len), Some(50));
    assert_eq!(notes, ["50 rows of `readers`, and there are more"]);
}

/// The plans of the statements that the session sends on this thread say how many rows PostgreSQL has read.
#[test]
fn no_more_is_read_than_is_shown() {
    let stage = Stage::open(Store::Postgres, "shown_read", "");
    stage.rows(&readers(Store::Postgres, 5000));
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_format = 'json'",
        "auto_explain.log_level = 'notice'",
    ] {
        let name = "SELECT current_database()";
        stage.rows(&format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', ({name})); END $$",
            setting.replace('\'', "''")
        ));
    }
    let mut session = stage.session(Mode::Read);
    let heard = on_deep_stack(|| {
        let plans = Plans::hear();
        let answer = session.evaluate("users::list(#{})", Arc::<Interrupt>::default(), &mut |_| Ok(false))?;
        assert_eq!(answer.expect("it only reads").shown.notes(), [MORE]);
        Ok(plans.take())
    });
    let plans = heard.expect("it can be read");
    let read: Vec<_> = plans
        .iter()
        .filter(|(statement, _)| statement.contains("\"users\""))
        .map(|(_, plan)| [plan, &plan["Plans"][0]])
        .map(|nodes| nodes.map(|node| (node["Node Type"].as_str(), node["Actual Rows"].as_f64())))
        .collect();
    assert_eq!(read, [[(Some("Limit"), Some(51.0)), (Some("Index Scan"), Some(51.0))]]);
}

#[test]
fn an_interrupt_ends_an_input_whose_value_is_being_read() {
    let stage = Stage::open(Store::Postgres, "shown_stop", "");
    let mut session = stage.session(Mode::Read);
    shown(&mut session, "let list = users::list(#{})");
    stage.store.hold("BEGIN; LOCK TABLE users").expect("nobody else has it");
    let interrupt = Arc::<Interrupt>::default();
    let pressed = interrupt.clone();
    let finger = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        pressed.press();
    });
    let stopped = on_deep_stack(|| session.evaluate("list", interrupt, &mut |_| Ok(false)));
    assert_eq!(
        stopped.expect_err("it waits for the table").code(),
        Code::RunInterrupted
    );
    finger.join().expect("it has pressed");
    stage.store.release().expect("it was held");
    assert_eq!(rows(&mut session, "list").1, [""; 0]);
}

#[rstest]
fn a_secret_is_shown_where_the_input_was_committed(#[values(Store::Postgres, Store::Sqlite)] store: Store) {
    let stage = Stage::open(store, "shown_secret", "");
    let input = "users::get(\"alice\").issue_compatibility_token(#{ device_id: \"BOT\" })";
    for mode in [Mode::Plan, Mode::Write] {
        let issued = evaluate(&mut stage.session(mode), input).expect("it can be issued");
        let token = issued.shown.value()["token"].as_str().expect("it is a text");
        assert!(token.starts_with("mct_"), "{token}");
        assert_eq!(issued.shown.secret(), Some(token));
    }
}
