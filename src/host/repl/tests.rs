//! Sessions on a store of their own.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;

use super::{Mode, Session, Setup};
use crate::{
    capability::Narrowing,
    config::{Configuration, Database, Environment},
    homeserver::FakeHomeserver,
    host,
    operations::{Keeper, World, testing::Said},
};

/// A session on an embedded store of its own, whose folder lives as long as it does.
struct Stage {
    session: Session,
    /// Whether the person agrees to what is planned.
    agrees: bool,
    _folder: TempDir,
}

impl Stage {
    fn new(mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::new([("HOME", folder.path().display().to_string())], folder.path());
        let configuration = Arc::new(Configuration::load(&[], &environment).unwrap());
        let database = Database::Sqlite(folder.path().join("store.db"));
        let runtime = Arc::new(host::runtime().unwrap());
        let keeper = Keeper::new(&configuration, database.clone(), runtime, Duration::from_mins(5)).unwrap();
        let setup = Setup {
            database,
            configuration,
            // It knows nobody.
            homeserver: Some(Arc::new(FakeHomeserver::new("localhost"))),
            narrowing: Narrowing::default(),
            console: Arc::new(Said::default()),
            world: World::fixed(1),
            keeper: Arc::new(keeper),
        };
        Self {
            session: Session::new(setup, mode),
            agrees: true,
            _folder: folder,
        }
    }

    /// The value of an input as JSON, or what is wrong with it.
    fn enter(&mut self, text: &str) -> String {
        match self.session.evaluate(text, Arc::default(), &mut |_| Ok(self.agrees)) {
            Ok(Some(answer)) => match answer.report.failure {
                Some(error) => error.code().as_str().to_owned(),
                None => answer.shown.value().to_string(),
            },
            Ok(None) => "declined".to_owned(),
            Err(error) => format!("{}: {error}", error.code().as_str()),
        }
    }

    /// Enters one after the other, and compares what comes of each.
    fn see(&mut self, table: &[(&str, &str)]) {
        for (input, expected) in table {
            assert_eq!(&self.enter(input), expected, "{input}");
        }
    }
}

#[test]
fn variables_functions_and_imports_stay() {
    Stage::new(Mode::Write).see(&[
        ("let x = 5; let add = |a| a + x; x += 1;", "null"),
        ("add.call(3)", "9"),
        ("x += 10", "null"),
        ("add.call(3)", "19"),
        ("fn twice(a) { a * 2 }", "null"),
        ("fn four(a) { twice(twice(a)) }", "null"),
        ("four(x)", "64"),
        ("fn twice(a) { a * 3 }", "null"),
        ("four(x)", "144"),
        ("fn twice(a, b) { a + b }", "null"),
        ("twice(1) + twice(1, 2)", "6"),
        ("import \"std/assert\" as it;", "null"),
        ("fn same(a) { it::equal(a, 2) }", "null"),
        (
            "same(1)",
            "test.outside: `testing::` works only in a test: this script is run for real",
        ),
        ("const C = 1", "null"),
        ("C = 2", "script.failed: Cannot modify constant C"),
        ("let C = 3", "null"),
        ("C + 1", "4"),
    ]);
}

#[test]
fn an_input_that_fails_leaves_everything_as_it_was() {
    Stage::new(Mode::Write).see(&[
        ("let list = [1]; let push = || list.push(2); let x = 1;", "null"),
        ("push.call(); x = 2; let y = 3; throw \"no\"", "script.failed: no"),
        ("list", "[1]"),
        ("push.call(); list", "[1,2]"),
        ("x", "1"),
        ("y", "script.invalid: There is no variable `y`"),
        ("fn f() { 1 }", "null"),
        ("fn f() { 2 } throw \"no\"", "script.failed: no"),
        ("f()", "1"),
        (
            "users::register(#{ username: \"alice\" }); throw \"no\"",
            "script.failed: no",
        ),
        ("users::count(#{})", "0"),
    ]);
}

#[test]
fn the_last_value_is_called_underscore() {
    Stage::new(Mode::Read).see(&[
        ("_", "script.invalid: There is no variable `_`"),
        ("1 + 1", "2"),
        ("_ * 3", "6"),
        ("let x = _;", "null"),
        ("[x, _, `${_}`]", "[6,6,\"6\"]"),
        ("switch 1 { 2 => \"two\", _ => _.len() }", "3"),
        ("fn f() { _ }", "script.invalid: There is no variable `_`"),
        ("throw _", "script.failed: 3"),
        ("_ /* the same */ + 1", "4"),
    ]);
}

#[test]
fn slips_are_found_before_anything_is_done() {
    let mut stage = Stage::new(Mode::Write);
    stage.see(&[
        ("let u = users::register(#{ username: \"alice\" });", "null"),
        (
            "u.lock(); u.lokc()",
            "script.invalid: There is no method `lokc` of a User",
        ),
        ("u.locked_at", "null"),
        ("users::list()", "script.invalid: `users::list` takes 1 argument, not 0"),
        ("users::gett(u)", "script.invalid: There is no function `users::gett`"),
        (
            "fn lock(u) { u }",
            "script.invalid: The function `lock` would take the place of the method `lock` of `users`",
        ),
        (
            "let t = 1; t.lokc()",
            "script.invalid: There is no method `lokc` of an int",
        ),
        (
            "import \"./nothing\" as n",
            "script.not_found: The module `./nothing` cannot be read: there is no file `./nothing.rhai`",
        ),
    ]);
}

#[test]
fn a_lazy_list_is_read_in_the_run_at_hand() {
    Stage::new(Mode::Write).see(&[
        ("let all = users::list(#{});", "null"),
        (
            "let held = #{ of: [all] }; let walk = || { let n = 0; for u in all { n += 1; } n };",
            "null",
        ),
        ("users::register(#{ username: \"alice\" }).username", "\"alice\""),
        ("let n = 0; for u in all { n += 1; } n", "1"),
        ("walk.call()", "1"),
        ("let n = 0; for u in held.of[0] { n += 1; } n", "1"),
    ]);
}

#[test]
fn in_read_mode_nothing_is_changed() {
    let mut stage = Stage::new(Mode::Read);
    let refused = "capability.denied: Nothing can be changed in READ mode";
    stage.see(&[
        ("users::register(#{ username: \"alice\" })", refused),
        ("users::count(#{})", "0"),
    ]);
    stage.session.set_mode(Mode::Write);
    stage.see(&[
        ("users::register(#{ username: \"alice\" }).username", "\"alice\""),
        ("users::count(#{})", "1"),
    ]);
}

#[test]
fn in_plan_mode_what_is_declined_leaves_nothing() {
    let mut stage = Stage::new(Mode::Plan);
    stage.agrees = false;
    stage.see(&[
        (
            "let list = [1]; let register = |name| users::register(#{ username: name });",
            "null",
        ),
        ("list.push(2); register.call(\"alice\")", "declined"),
        ("list", "[1]"),
        ("users::count(#{})", "0"),
    ]);
    stage.agrees = true;
    stage.see(&[
        ("list.push(2); register.call(\"alice\").username", "\"alice\""),
        ("list", "[1,2]"),
        ("_.len() + users::count(#{})", "3"),
    ]);
}

#[test]
fn what_fails_after_the_commit_leaves_no_variables() {
    Stage::new(Mode::Write).see(&[
        (
            "let x = 1; users::register(#{ username: \"alice\" }).username",
            "\"alice\"",
        ),
        (
            "x = 2; let made = users::get(\"alice\").issue_compatibility_token(#{})",
            "homeserver.failed",
        ),
        ("x", "1"),
        ("made", "script.invalid: There is no variable `made`"),
    ]);
}
