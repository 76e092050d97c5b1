use std::path::Path;

use super::*;
use crate::capability::FileScope;

/// The script of these inputs, each of which came to something if it begins with `=`.
fn saved(inputs: &[&str]) -> Result<Saved> {
    let done: Vec<Done> = inputs
        .iter()
        .zip(1..)
        .map(|(text, number)| Done {
            number,
            text: text.trim_start_matches('=').to_owned(),
            used: Capabilities::default(),
            has_value: text.starts_with('='),
        })
        .collect();
    Plan::new(&done)?.script("a.rhai", Path::new("."), Path::new("a.rhai"))
}

fn text(inputs: &[&str]) -> String {
    saved(inputs).unwrap().text
}

fn refused(inputs: &[&str]) -> String {
    let error = saved(inputs).unwrap_err();
    let message = error.message().replace("The session cannot be saved as a script: ", "");
    let parts: Vec<_> = error.parts().iter().map(|part| format!(" [{part}]")).collect();
    format!("{message}{}", parts.concat())
}

#[test]
fn inputs_become_main_and_what_they_define_stands_before_it() {
    let expected = "\
//! Do what was entered at a prompt
//! ---
//! needs: [users:read]
import \"std/lines\" as l;

/// Shout it
fn shout(text) { text.to_upper() }

fn main(args) {
    // who
    let name = \"alice\";
    // \\run lock-user alice
    let user = users::get(name);
    shout(user.username)
}
";
    let inputs = [
        "// who\nlet name = \"alice\"",
        "import \"std/lines\" as l",
        "\\run lock-user alice",
        "/// Shout it\nfn shout(text) { text.to_upper() } let user = users::get(name);",
        "=shout(user.username)",
    ];
    assert_eq!(text(&inputs), expected);
}

#[test]
fn the_last_value_has_a_name() {
    let main = |inputs: &[&str]| text(inputs).split_once("{\n").unwrap().1.to_owned();
    assert_eq!(
        main(&["=let a = 1; a + 1", "=`${_}!`", "let b = _", "=_.len()"]),
        "    let a = 1;\n    let last = a + 1;\n    let last = `${last}!`;\n    let b = last;\n    last.len()\n}\n"
    );
    assert_eq!(
        main(&["=if true { 1 } else { 2 }", "let last = _"]),
        "    let last_value = if true { 1 } else { 2 };\n    let last = last_value\n}\n"
    );
    assert_eq!(
        main(&["=1", "let a = 2", "fn f() { 3 }"]),
        "    1;\n    let a = 2;\n    ()\n}\n"
    );
}

#[test]
fn strings_keep_their_lines() {
    let inputs = ["let a = `one\n  two`;\nlet b = [\n  1,\n]"];
    assert!(text(&inputs).contains("    let a = `one\n  two`;\n    let b = [\n      1,\n    ]\n}\n"));
}

#[test]
fn what_a_branch_needs_is_needed() {
    let text = text(&["if false { users::get(\"a\").lock() }"]);
    assert!(text.contains("//! needs: [users:write]\n"), "{text}");
}

#[test]
fn a_later_function_takes_the_place_of_an_earlier_where_nobody_has_used_that() {
    let twice = text(&["fn f() { 1 }", "fn g(a) { a }", "fn f() { 2 }", "=f() + g(1)"]);
    assert!(
        twice.contains("fn f() { 2 }") && !twice.contains("fn f() { 1 }"),
        "{twice}"
    );
    let overloads = text(&["fn f() { 1 }", "fn f(a) { a }", "=f() + f(1)"]);
    assert!(overloads.contains("fn f() { 1 }") && overloads.contains("fn f(a) { a }"));
    for between in ["f()", "fn h() { f() }", "let p = Fn(\"f\")"] {
        assert_eq!(
            refused(&["fn f() { 1 }", between, "fn f() { 2 }", "=f()"]),
            "input 2 uses `f`, and a later input puts another one in its place"
        );
    }
    assert_eq!(
        refused(&["fn f() { 1 } f()", "fn f() { 2 }"]),
        "input 1 uses `f`, and a later input puts another one in its place"
    );
}

#[test]
fn secrets_are_left_out_with_what_they_made() {
    let secret = "let password = \"hunter2 hunter2\"";
    let saved = saved(&["=1", secret, "=2"]).unwrap();
    assert_eq!((saved.inputs, &saved.left_out[..]), (2, &[2][..]));
    assert!(saved.text.contains("//! Left out for a secret: input 2.\n") && !saved.text.contains("hunter2"));
    let told = refused(&[secret, "=password.len()"]);
    assert!(
        told.starts_with("it would not pass the check [") && !told.contains("hunter2"),
        "{told}"
    );
    assert_eq!(
        refused(&["=1", "=`mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1`", "=_"]),
        "`_` in input 3 may be the value of input 2, which has a secret"
    );
}

#[test]
fn what_cannot_be_a_script_says_why() {
    assert_eq!(
        saved(&[]).unwrap_err().message(),
        "There is nothing to save: no input without a secret has worked yet"
    );
    assert_eq!(
        refused(&["=return 1", "=2"]),
        "`return` or `exit` in input 1 would end the script there"
    );
    assert!(text(&["=2", "=return 1"]).ends_with("    2;\n    return 1\n}\n"));
    assert_eq!(
        refused(&["fn main(a) { a }"]),
        "input 1 has a function `main`, which is what a script begins with"
    );
    assert_eq!(
        refused(&["=\\run list-users", "=_.len()"]),
        "`_` in input 2 is what a meta-command came to"
    );
    let up = [Done {
        number: 3,
        text: "files::text(\"../a\")".to_owned(),
        used: ["files:read:/b"]
            .map(|need| need.parse::<Need>().unwrap())
            .into_iter()
            .collect(),
        has_value: true,
    }];
    assert!(
        Plan::new(&up)
            .unwrap()
            .script("a", Path::new("."), Path::new("a"))
            .is_ok()
    );
    let [mut up] = up;
    up.used.add(Need::Files(FileScope::Below("/b/../a".into())));
    let refused = Plan::new(std::slice::from_ref(&up))
        .unwrap()
        .script("a", Path::new("."), Path::new("a"));
    assert!(
        refused
            .unwrap_err()
            .message()
            .ends_with("input 3 reads a file by a path with `..`, which no script may")
    );
    let done = [Done {
        number: 1,
        text: "import \"./x\" as x".to_owned(),
        used: Capabilities::default(),
        has_value: false,
    }];
    let elsewhere = Plan::new(&done)
        .unwrap()
        .script("a", Path::new("/tmp"), Path::new("/usr/a"));
    assert!(
        elsewhere
            .unwrap_err()
            .message()
            .ends_with("input 1 imports a file from /tmp")
    );
}
