use rhai::{Array, Dynamic, Engine, Map as Fields};
use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::{
    error::{Code, Error},
    model::{Id, Time, User},
};

/// What an expression is shown as, and what is said of what was cut.
fn shown(expression: &str) -> (Value, Vec<String>) {
    let mut engine = Engine::new();
    engine.set_max_expr_depths(0, 0);
    let value: Dynamic = engine.eval(expression).unwrap();
    all_of(&value)
}

fn all_of(value: &Dynamic) -> (Value, Vec<String>) {
    let shown = Shown::of(value, true).unwrap();
    (shown.value, shown.notes)
}

fn whole(expression: &str) -> Value {
    let (value, notes) = shown(expression);
    assert_eq!(notes, [""; 0], "{expression}");
    value
}

fn user() -> User {
    User {
        id: Id::least(),
        username: "alice".to_owned(),
        created_at: Time::UNIX_EPOCH,
        locked_at: None,
        deactivated_at: None,
        admin: true,
        guest: false,
    }
}

fn made(text: &str) -> Dynamic {
    Dynamic::from(Secret::made(SecretString::from(text)))
}

#[test]
fn each_kind_of_value_becomes_data() {
    for (expression, value) in [
        ("()", json!(null)),
        ("true", json!(true)),
        ("42", json!(42)),
        ("1.5", json!(1.5)),
        ("1.0 / 0.0", json!("inf")),
        ("\"a\\nb\"", json!("a\nb")),
        ("'x'", json!("x")),
        ("1..5", json!("1..5")),
        ("1..=5", json!("1..=5")),
        ("timestamp()", json!("<timestamp>")),
        ("blob(3, 255)", json!("<3 bytes: ff ff ff>")),
        (
            "blob(100, 1)",
            json!(format!("<100 bytes: {} …>", ["01"; 50].join(" "))),
        ),
        ("fn double(x) { 2 * x } Fn(\"double\")", json!("<function double>")),
        ("let n = 2; |x| n * x", json!("<closure>")),
        ("[]", json!([])),
        ("#{}", json!({})),
        (
            "[1, (), [true], #{ b: 2, a: \"x\" }]",
            json!([1, null, [true], {"a": "x", "b": 2}]),
        ),
        ("let n = [1]; let f = || n; n", json!([1])),
    ] {
        assert_eq!(whole(expression), value, "{expression}");
    }
}

#[test]
fn types_of_masctls_own_become_their_fields() {
    let user = json!({
        "id": Id::least(), "username": "alice", "created_at": "1970-01-01T00:00:00Z",
        "locked_at": null, "deactivated_at": null, "admin": true, "guest": false,
    });
    let dynamic = Dynamic::from(self::user());
    assert_eq!(all_of(&dynamic).0, user);
    assert_eq!(all_of(&vec![dynamic].into()).0, json!([user]));
    assert_eq!(
        all_of(&Dynamic::from(Time::UNIX_EPOCH)).0,
        json!("1970-01-01T00:00:00Z")
    );
    let error = Error::new(Code::UserNotFound, "There is no user `x`").data("username", "x");
    assert_eq!(
        all_of(&Dynamic::from(error)).0,
        json!({"code": "user.not_found", "message": "There is no user `x`", "data": {"username": "x"}})
    );
}

#[test]
fn a_closure_that_holds_itself_is_shown() {
    assert_eq!(
        whole("let map = #{}; let f = || map; map.f = f; map"),
        json!({"f": "<closure>"})
    );
}

#[test]
fn a_secret_is_shown_only_where_it_may_be() {
    let given = Dynamic::from(Secret::given(SecretString::from("hunter2")));
    let shown = |value: &Dynamic, reveal| {
        let shown = Shown::of(value, reveal).unwrap();
        (shown.value().clone(), shown.secret().map(str::to_owned))
    };
    let alone = |text: &str| (json!(text), Some(text.to_owned()));
    assert_eq!(shown(&made("made"), true), alone("made"));
    assert_eq!(shown(&made("made"), false), alone("<secret>"));
    assert_eq!(shown(&given, true), alone("<secret>"));

    let token: Dynamic = Fields::from_iter([("id".into(), 1.into()), ("token".into(), made("made"))]).into();
    assert_eq!(
        shown(&token, true),
        (json!({"id": 1, "token": "made"}), Some("made".to_owned()))
    );
    assert_eq!(
        shown(&token, false),
        (json!({"id": 1, "token": "<secret>"}), Some("<secret>".to_owned()))
    );
    // Of several, none is printed alone.
    let two: Dynamic = Fields::from_iter([("a".into(), made("one")), ("b".into(), made("two"))]).into();
    assert_eq!(shown(&two, true), (json!({"a": "one", "b": "two"}), None));
    let list: Dynamic = vec![made("one")].into();
    assert_eq!(shown(&list, true), (json!(["one"]), None));
    let inner: Dynamic = Fields::from_iter([("inner".into(), token)]).into();
    assert_eq!(shown(&inner, true).1, None);
}

#[test]
fn what_was_revealed_is_in_no_debug_text() {
    let shown = Shown::of(&made("made"), true).unwrap();
    assert_eq!(format!("{shown:?}"), "Shown { .. }");
}

/// A list that is as long as `ITEMS` is whole, a longer one is counted.
#[test]
fn long_lists_are_cut_with_their_count() {
    let list = |count: usize| shown(&format!("let list = []; list.pad({count}, 7); list"));
    assert_eq!(list(50), (json!(vec![7; 50]), Vec::new()));
    assert_eq!(list(51), (json!(vec![7; 50]), vec!["50 of 51 items".to_owned()]));
    let (rows, notes) = shown("let list = []; list.pad(1234, #{ id: 1 }); list");
    assert_eq!(rows, json!(vec![json!({"id": 1}); 50]));
    assert_eq!(notes, ["50 of 1234 rows"]);
}

#[test]
fn lists_inside_of_a_value_are_cut_too() {
    let list = "let list = []; list.pad(51, 7);";
    let row = json!({"tags": vec![7; 50]});
    for (expression, value, notes) in [
        ("#{ tags: list }", row.clone(), vec!["50 of 51 items of `tags`"]),
        (
            "#{ a: #{ tags: list } }",
            json!({"a": row}),
            vec!["50 of 51 items of `a.tags`"],
        ),
        (
            "[#{ tags: list }, #{ tags: list }, #{ tags: list }]",
            json!([row, row, row]),
            vec!["50 of 51 items of `tags`; 2 more are cut so"],
        ),
        (
            "[list, list]",
            json!(vec![vec![7; 50]; 2]),
            vec!["50 of 51 items of a list in it; one more is cut so"],
        ),
    ] {
        let (shown, said) = shown(&format!("{list} {expression}"));
        assert_eq!(shown, value);
        assert_eq!(said, notes);
    }
}

#[test]
fn the_list_itself_is_said_first() {
    let (_, notes) = shown("let tags = []; tags.pad(60, 7); let list = []; list.pad(70, #{ tags: tags }); list");
    assert_eq!(notes, ["50 of 70 rows", "50 of 60 items of `tags`; 49 more are cut so"]);
}

#[test]
fn long_texts_are_cut_with_their_length() {
    let text = |length: usize| format!("let text = \"\"; text.pad({length}, 'é');");
    let (value, notes) = shown(&format!("{} text", text(10_001)));
    assert_eq!(value, json!("é".repeat(10_000) + "…"));
    assert_eq!(notes, ["10000 of 10001 characters"]);
    assert_eq!(whole(&format!("{} text", text(10_000))), json!("é".repeat(10_000)));
    let (value, notes) = shown(&format!("{} #{{ a: text }}", text(1_000_000)));
    assert_eq!(value, json!({"a": "é".repeat(1000) + "…"}));
    assert_eq!(notes, ["1000 of 1000000 characters of `a`"]);
    let (_, notes) = shown(&format!("{} [text]", text(2000)));
    assert_eq!(notes, ["1000 of 2000 characters of a text in it"]);
}

#[test]
fn large_maps_are_cut_with_their_count() {
    let fields = (0..300_000).map(|n| (format!("{n:06}").into(), Dynamic::from(n)));
    let map = Dynamic::from(fields.collect::<Fields>());
    let (value, notes) = all_of(&map);
    assert_eq!(value.as_object().unwrap().len(), 200);
    assert_eq!(notes, ["200 of 300000 fields"]);
}

#[test]
fn long_names_of_fields_are_cut_and_stay_apart() {
    let name = "n".repeat(1000);
    let map = [format!("{name}a"), format!("{name}b")].map(|name| (name.into(), Dynamic::from(1_i64)));
    let (value, _) = all_of(&Dynamic::from(Fields::from_iter(map)));
    let short = "n".repeat(200);
    assert_eq!(value, json!({format!("{short}…1"): 1, format!("{short}…2"): 1}));
}

#[test]
fn what_is_nested_deeply_ends_somewhere() {
    let mut deep = Dynamic::from(7);
    for _ in 0..200 {
        deep = Array::from([deep]).into();
    }
    let (mut value, notes) = all_of(&deep);
    assert_eq!(notes, ["What is nested more than 16 deep is left out"]);
    for _ in 0..16 {
        value = value[0].take();
    }
    assert_eq!(value, json!("…"));
}

/// Fifty lists of fifty lists of fifty lists would be millions of values.
#[test]
fn all_together_is_bounded() {
    let mut wide: Dynamic = "é".repeat(400).into();
    for _ in 0..6 {
        wide = vec![wide; 10].into();
    }
    let (value, notes) = all_of(&wide);
    let text = value.to_string();
    assert!(text.len() < 2 * BYTES, "{}", text.len());
    assert_eq!(notes[0], "1 of 10 items");
    let many: Dynamic = vec![Dynamic::from(vec![Dynamic::from(vec![Dynamic::UNIT; 50]); 50]); 50].into();
    let (value, notes) = all_of(&many);
    assert!(value.to_string().matches("null").count() <= VALUES);
    assert_eq!(notes[0], "4 of 50 items");
}

#[test]
fn of_many_cuts_a_few_are_said() {
    let long = Dynamic::from(vec![Dynamic::from(1); 51]);
    let fields = ["a", "b", "c", "d", "e", "f", "g"].map(|name| (name.into(), long.clone()));
    let (_, notes) = all_of(&Dynamic::from(Fields::from_iter(fields)));
    assert_eq!(notes.len(), 6);
    assert_eq!(notes[0], "50 of 51 items of `a`");
    assert_eq!(notes[5], "More is cut in other fields");
}
