use super::*;
use crate::{
    capability::Resource,
    error::{Code, Error},
};

const LOCK_USER: &str = "\
#!/usr/bin/env -S masctl run
//! Lock an account
//!
//! The account and its data stay.
//! Undo it with `unlock-user`.
//!
//! ---
//! params:
//!   username:   { type: user, positional: true, required: true, help: Account to lock }
//!   deactivate: { type: bool, help: Also deactivate it on the homeserver }
//! needs: [users:write]
//! examples:
//!   - masctl manage lock-user alice   # a comment
//! destructive: true
//! ---
fn main(args) {}
";

fn refused(source: &str) -> Error {
    match Header::parse("test.rhai", source) {
        Ok(header) => panic!("accepted: {source}\n{header:?}"),
        Err(error) => error,
    }
}

/// What is said of this YAML, at which line of it, and what is marked there.
fn problem(yaml: &str) -> (String, String, usize, String) {
    let mut source = String::from("//! About\n//! ---\n");
    for line in yaml.lines() {
        source.extend(["//! ", line, "\n"]);
    }
    let error = refused(&source);
    assert_eq!(error.code(), Code::HeaderInvalid);
    let excerpt = &error.excerpts()[0];
    (
        error.message().to_owned(),
        error.help_text().unwrap_or_default().to_owned(),
        excerpt.line_and_column().0 - 2,
        excerpt.text[excerpt.span.clone()].to_owned(),
    )
}

fn check(cases: &[(&str, &str, &str, usize, &str)]) {
    for (yaml, message, help, line, marked) in cases {
        let (a, b, c, d) = problem(yaml);
        assert_eq!(
            (a.as_str(), b.as_str(), c, d.as_str()),
            (*message, *help, *line, *marked),
            "{yaml}"
        );
    }
}

#[test]
fn a_header_says_what_a_script_does_takes_and_may_do() {
    for source in [LOCK_USER.to_owned(), LOCK_USER.replace('\n', "\r\n")] {
        let header = Header::parse("manage/lock-user.rhai", &source).unwrap();
        assert_eq!(header.about, "Lock an account");
        assert_eq!(
            header.details,
            "The account and its data stay.\nUndo it with `unlock-user`."
        );
        assert_eq!(
            header
                .params
                .iter()
                .map(|param| param.name.as_str())
                .collect::<Vec<_>>(),
            ["username", "deactivate"]
        );
        let username = header.param("username").unwrap();
        assert!(username.positional && username.required && !username.flag);
        assert_eq!((username.kind, username.help.as_str()), (Kind::User, "Account to lock"));
        assert!(header.param("deactivate").unwrap().flag);
        assert_eq!(header.needs, [Capability::write(Resource::Users)].into_iter().collect());
        assert_eq!(header.examples, ["masctl manage lock-user alice"]);
        assert!(header.states_needs && header.destructive && !header.hidden);
    }
}

#[test]
fn a_header_may_be_short_or_missing() {
    for source in [
        "",
        "fn main(args) {}",
        "// no header\nfn main(args) {}",
        "#!/bin/masctl",
        "//!\n//! ---\n//! ---\n",
    ] {
        let header = Header::parse("test.rhai", source).unwrap();
        assert_eq!(header.about, "");
        assert!(header.params.is_empty() && !header.states_needs);
        assert_eq!(header.needs, Capabilities::read_only());
    }
    let header = Header::parse("test.rhai", "//!About\n//! --- \n//! # nothing\n//!needs: []").unwrap();
    assert_eq!(header.about, "About");
    assert!(header.states_needs && !header.needs.allow(Capability::read(Resource::Users)));
}

#[test]
fn every_key_of_a_parameter_is_read() {
    let source = "\
//! ---
//! params:
//!   one: { type: duration, min: 1h, max: 7d, default: 1d, short: o, aliases: [uno, first-one], env: ONE_1 }
//!   two:
//!     type: string
//!     help: >-
//!       Folded
//!       text
//!     positional: true
//!     flag: true
//!     pattern: \"[a-z]+\"
//!     prompt: 'Which, \"two\"?'
//!     conflicts: [one]
//!     requires: [three]
//!     hidden: true
//!     complete: users
//!   three: { type: enum, values: [a, 'true'], repeated: true, positional: true }
//!   yes: { type: bool, default: false }
";
    let params = Header::parse("test.rhai", source).unwrap().params;
    let [one, two, three, yes] = params.as_slice() else {
        panic!("{params:?}")
    };
    let limit = |text: &str, seconds| {
        Some(Limit {
            text: text.to_owned(),
            number: Number::Int(seconds),
        })
    };
    assert_eq!((&one.min, &one.max), (&limit("1h", 3600), &limit("7d", 604_800)));
    assert_eq!(
        (one.default.as_deref(), one.short, one.env.as_deref()),
        (Some("1d"), Some('o'), Some("ONE_1"))
    );
    assert_eq!(one.aliases, ["uno", "first-one"]);
    assert_eq!(
        (two.help.as_str(), two.prompt.as_deref()),
        ("Folded text", Some("Which, \"two\"?"))
    );
    assert!(two.positional && two.flag && two.hidden && two.excludes(one) && one.excludes(two) && !two.excludes(three));
    assert_eq!(
        (two.requires.as_slice(), two.complete.as_deref()),
        (["three".to_owned()].as_slice(), Some("users"))
    );
    let pattern = two.pattern.as_ref().unwrap();
    assert!(pattern.matches("abc") && !pattern.matches("abc1"));
    assert_eq!(three.values, ["a", "true"]);
    assert!(three.repeated && three.positional && !three.flag && yes.flag && yes.default.is_none());
}

#[test]
fn keys_and_types_must_be_known_and_once() {
    check(&[
        (
            "parms: {}",
            "a header has no key `parms`",
            "did you mean `params`?",
            1,
            "parms",
        ),
        (
            "colour: 1",
            "a header has no key `colour`",
            "it can be params, needs, examples, destructive, hidden",
            1,
            "colour",
        ),
        (
            "hidden: true\nhidden: false",
            "the key `hidden` is there twice",
            "remove one of the two",
            2,
            "hidden",
        ),
        (
            "params:\n  a: { type: string,\n    positonal: true }",
            "a parameter has no key `positonal`",
            "did you mean `positional`?",
            3,
            "positonal",
        ),
        (
            "params:\n  a: { type: string, help: x, help: y }",
            "the key `help` is there twice",
            "remove one of the two",
            2,
            "help",
        ),
        (
            "params:\n  a: { type: bool }\n  a: { type: bool }",
            "the key `a` is there twice",
            "remove one of the two",
            3,
            "a",
        ),
        (
            "params:\n  a: { type: usr }",
            "there is no type `usr`",
            "did you mean `user`?",
            2,
            "type",
        ),
        (
            "params:\n  a: { help: x }",
            "the parameter has no `type`",
            "it can be string, path, url, email, ulid, user, provider, link, int, float, bool, duration, time, enum, secret",
            2,
            "a",
        ),
        (
            "params:\n  a: string",
            "the parameter `a` must be a mapping",
            "for example `{ type: string, help: What it is for }`",
            2,
            "a",
        ),
        ("params: [a]", "`params` must be a mapping", "", 1, "params"),
        (
            "- a",
            "the YAML of a header must be a mapping",
            "its keys are params, needs, examples, destructive, hidden",
            1,
            "- a",
        ),
        (
            "needs: users:write",
            "`needs` must be a list, such as `[one, two]`",
            "",
            1,
            "needs",
        ),
        (
            "needs: [users:read,\n  user:write]",
            "there is no capability `user:write`",
            "a capability is a resource with `:read` or `:write`; the resources are users, emails, passwords, sessions, tokens, links, providers, clients, jobs, homeserver",
            2,
            "user:write",
        ),
        (
            "destructive: yes",
            "`destructive` must be `true` or `false`",
            "",
            1,
            "destructive",
        ),
        (
            "examples: [1]",
            "`an item of examples` must be text",
            "put the value in quotes",
            1,
            "1",
        ),
        (
            "params:\n  a: { type: string, help: 12 }",
            "`help` must be text",
            "put the value in quotes",
            2,
            "12",
        ),
        (
            "params:\n  a: { type: string, help: '' }",
            "`help` must not be empty",
            "",
            2,
            "''",
        ),
        (
            "params:\n  a: { type: string, help: \"a\\e[1m\" }",
            "`help` must be one line without control characters",
            "fold a long text with `>-`",
            2,
            "\"a\\e[1m\"",
        ),
        (
            "params:\n  a:\n    type: string\n    help: |\n      a\n      b",
            "`help` must be one line without control characters",
            "fold a long text with `>-`",
            4,
            "|",
        ),
    ]);
}

#[test]
fn names_must_be_free() {
    let name = "a name has a-z, 0-9 and `_`, and starts with a letter";
    let other = "choose another name";
    check(&[
        (
            "params:\n  Ab: { type: bool }",
            "`Ab` cannot be the name of a parameter",
            name,
            2,
            "Ab",
        ),
        (
            "params:\n  a-b: { type: bool }",
            "`a-b` cannot be the name of a parameter",
            name,
            2,
            "a-b",
        ),
        (
            "params:\n  1a: { type: bool }",
            "`1a` cannot be the name of a parameter",
            name,
            2,
            "1a",
        ),
        (
            "params:\n  new: { type: bool }",
            "`new` is a word of Rhai's own, a script could not read it",
            other,
            2,
            "new",
        ),
        (
            "params:\n  dry_run: { type: bool }",
            "`--dry-run` is a flag of masctl itself",
            other,
            2,
            "dry_run",
        ),
        (
            "params:\n  yes: { type: string }",
            "`--yes` is a flag of masctl itself",
            other,
            2,
            "yes",
        ),
        (
            "params:\n  a: { type: bool, aliases: [quiet] }",
            "`--quiet` is a flag of masctl itself",
            "",
            2,
            "quiet",
        ),
        (
            "params:\n  a: { type: bool, aliases: [a_b] }",
            "`a_b` cannot be the alias of a flag",
            "an alias has a-z, 0-9 and `-`, and starts with a letter",
            2,
            "a_b",
        ),
        (
            "params:\n  a: { type: bool }\n  b: { type: bool, aliases: [a] }",
            "`--a` is a flag of `a` already",
            "",
            3,
            "a",
        ),
        (
            "params:\n  a: { type: bool, aliases: [b, b] }",
            "`b` is there twice in `aliases`",
            "",
            2,
            "b",
        ),
        (
            "params:\n  key: { type: secret }\n  key_file: { type: path }",
            "`--key-file` is a flag of `key` already",
            "",
            3,
            "key_file",
        ),
        (
            "params:\n  a: { type: bool, short: x }\n  b: { type: bool, short: x }",
            "`-x` is a flag of `a` already",
            "",
            3,
            "short",
        ),
        (
            "params:\n  a: { type: bool, short: c }",
            "`-c` is a flag of masctl itself",
            "",
            2,
            "short",
        ),
        (
            "params:\n  a: { type: bool, short: ab }",
            "`short` must be one letter of a-z or A-Z",
            "",
            2,
            "short",
        ),
        (
            "params:\n  a: { type: bool, env: path }",
            "`env` must be the name of an environment variable: A-Z, 0-9 and `_`",
            "",
            2,
            "env",
        ),
        (
            "params:\n  user_name: { type: bool, conflicts: [usr] }\n  usr2: { type: bool }",
            "there is no parameter `usr`",
            "did you mean `usr2`?",
            2,
            "usr",
        ),
        (
            "params:\n  a: { type: bool, requires: [a] }",
            "`a` cannot be in its own `requires`",
            "",
            2,
            "a",
        ),
    ]);
}

#[test]
fn keys_must_fit_the_type_and_each_other() {
    let one = |keys: &str, message: &str, marked: &str| {
        let (found, _, line, mark) = problem(&format!("params:\n  a: {{ {keys} }}"));
        assert_eq!((found.as_str(), line, mark.as_str()), (message, 2, marked), "{keys}");
    };
    one(
        "type: bool, positional: true",
        "`positional` of `a`: a `bool` cannot be positional",
        "positional",
    );
    one(
        "type: bool, required: true",
        "`required` of `a`: a `bool` cannot be required",
        "required",
    );
    one(
        "type: bool, repeated: true",
        "`repeated` of `a`: a `bool` cannot be repeated",
        "repeated",
    );
    one(
        "type: bool, prompt: Really",
        "`prompt` of `a`: a `bool` cannot be asked for",
        "prompt",
    );
    one(
        "type: bool, default: true",
        "a `bool` is false unless it is given",
        "default",
    );
    one(
        "type: string, flag: true",
        "`flag` of `a`: it is a flag already",
        "flag",
    );
    one(
        "type: secret, repeated: true",
        "`repeated` of `a`: a `secret` cannot be repeated",
        "repeated",
    );
    one(
        "type: secret, default: x",
        "`default` of `a`: a `secret` cannot have one",
        "default",
    );
    let flagless = "only what can be given as a flag has it: add `flag: true`";
    one(
        "type: secret, short: s",
        &format!("`short` of `a`: {flagless}"),
        "short",
    );
    one(
        "type: user, positional: true, aliases: [b]",
        &format!("`aliases` of `a`: {flagless}"),
        "aliases",
    );
    one(
        "type: int, default: 1, required: true",
        "`default` and `required` exclude each other",
        "default",
    );
    one(
        "type: int, default: 1, prompt: x",
        "`default` and `prompt` exclude each other",
        "default",
    );
    one(
        "type: int, default: 1, repeated: true",
        "`default` and `repeated` exclude each other",
        "default",
    );
    one(
        "type: int, env: A, repeated: true",
        "`env` and `repeated` exclude each other",
        "env",
    );
    one(
        "type: int, prompt: A, repeated: true",
        "`prompt` and `repeated` exclude each other",
        "prompt",
    );
    one(
        "type: int, positional: true, flag: true, repeated: true",
        "`flag` and `repeated` exclude each other",
        "flag",
    );
    one("type: enum", "an `enum` needs `values`", "a");
    one("type: enum, values: []", "an `enum` needs `values`", "values");
    one(
        "type: enum, values: [yes, true]",
        "`an item of values` must be text",
        "true",
    );
    one("type: string, values: [b]", "`values` is only for `enum`", "values");
    one(
        "type: string, min: 1",
        "`min` is only for `int`, `float` and `duration`",
        "min",
    );
    one("type: int, min: 1h", "the value of `min` must be a whole number", "min");
    one("type: int, min: 2, max: 1", "`max` 1 is less than `min` 2", "max");
    one("type: int, pattern: x", "a `int` cannot have a `pattern`", "pattern");
    one(
        "type: int, min: 2, default: 1",
        "the value of `default` must be at least 2",
        "default",
    );
    one("type: string, default: 1", "`default` must be text", "1");
    one(
        "type: email, default: nobody",
        "the value of `default` must be an e-mail address: missing separator character '@'",
        "default",
    );
    for wrong in ["'('", "'a)|(b'"] {
        let (message, ..) = problem(&format!("params:\n  a: {{ type: string, pattern: {wrong} }}"));
        assert!(message.starts_with("`pattern` is no regular expression: "), "{message}");
    }
}

#[test]
fn positional_ones_stand_in_an_order_that_can_be_given() {
    check(&[
        (
            "params:\n  a: { type: string, positional: true }\n  b: { type: string, positional: true, required: true }",
            "`b` is required but comes after `a`, which can be left out of its place",
            "",
            3,
            "required",
        ),
        (
            "params:\n  a: { type: string, positional: true, required: true, flag: true }\n  b: { type: string, positional: true, required: true }",
            "`b` is required but comes after `a`, which can be left out of its place",
            "",
            3,
            "required",
        ),
        (
            "params:\n  a: { type: string, positional: true, repeated: true }\n  b: { type: string, positional: true }",
            "`b` comes after `a`, which takes all that follows",
            "",
            3,
            "positional",
        ),
    ]);
}

#[test]
fn anchors_aliases_and_tags_are_refused_and_text_that_looks_like_them_is_not() {
    let message = "a header has no anchors, aliases or tags";
    let help = "write the value out; put text that starts with `&`, `*` or `!` in quotes";
    check(&[
        ("examples: [&x a, *x]", message, help, 1, "&x a"),
        ("hidden: true\nexamples: [a, *x]", message, help, 2, "*x"),
        ("hidden: !!bool true", message, help, 1, "!!bool true"),
        ("&x hidden: true", message, help, 1, "&x hidden"),
        ("examples:\n  - ! a", message, help, 2, "! a"),
        ("params: !p\n  a: { type: bool }", message, help, 1, "!p"),
    ]);
    let fine = "//! ---\n//! examples: [R&D, 'a & *b', \"!c\", d!e*f, g*]  # &x *y !z\n//! params:\n//!   a:\n//!     type: string\n//!     help: >-\n//!       &x *y !z\n";
    let header = Header::parse("test.rhai", fine).unwrap();
    assert_eq!(header.examples, ["R&D", "a & *b", "!c", "d!e*f", "g*"]);
    assert_eq!(header.params[0].help, "&x *y !z");
}

#[test]
fn yaml_that_does_not_parse_is_shown_where_it_breaks() {
    check(&[
        (
            "params:\n  a: { type: bool\nneeds: []",
            "the header is no valid YAML: did not find expected ',' or '}', while parsing a flow mapping",
            "",
            3,
            ":",
        ),
        (
            "hidden: 'x",
            "the header is no valid YAML: found unexpected end of stream, while scanning a quoted scalar",
            "",
            1,
            "",
        ),
        (
            "? [a]\n: b",
            "the header is no valid YAML: invalid type: sequence, expected the name of a key",
            "",
            1,
            "[",
        ),
        (
            "a: 1\n--- b\n",
            "the header is no valid YAML: deserializing from YAML containing more than one document is not supported",
            "",
            1,
            "a",
        ),
    ]);
    let deep = format!("examples: {}", "[".repeat(1000));
    assert!(problem(&deep).0.starts_with("the header is no valid YAML: "));
    let deep = format!("examples: {}{}", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(
        problem(&deep).0,
        "the header is no valid YAML: recursion limit exceeded"
    );
}

#[test]
fn a_header_is_one_run_of_lines_in_two_parts() {
    let at = |source: &str| {
        let error = refused(source);
        (error.message().to_owned(), error.excerpts()[0].line_and_column())
    };
    assert_eq!(
        at("//! a\n//! ---\n//! ---\n//!\n//! b\n"),
        ("text after the header's second `---`".to_owned(), (5, 5))
    );
    let outside = "this `//!` line is outside of the header".to_owned();
    assert_eq!(at("\n//! a\n"), (outside.clone(), (2, 1)));
    assert_eq!(at("//! a\n\n//! ---\n"), (outside, (3, 1)));
    assert_eq!(
        at("//! a\x1b[2J\n"),
        ("the header has the control character U+001B".to_owned(), (1, 6))
    );
    assert_eq!(
        at("//! ---\n//! hidden: \u{202e}true\n"),
        ("the header has the control character U+202E".to_owned(), (2, 13))
    );
    let line = format!("//! {}\n", "a".repeat(1019));
    assert!(Header::parse("test.rhai", &line.repeat(64)).is_ok());
    assert_eq!(
        at(&line.repeat(65)),
        ("the header is longer than 64 KiB".to_owned(), (65, 1))
    );
}

#[test]
fn a_script_has_at_most_64_parameters() {
    let params = |count: usize| {
        (0..count)
            .map(|at| format!("  a{at}: {{ type: bool }}\n"))
            .collect::<String>()
    };
    let (message, _, line, marked) = problem(&format!("params:\n{}", params(65)));
    assert_eq!(
        (message.as_str(), line, marked.as_str()),
        ("a script has at most 64 parameters, this one has 65", 66, "a64")
    );
    let yaml = format!("params:\n{}", params(64));
    let source: String = yaml.lines().map(|line| format!("//! {line}\n")).collect();
    assert!(Header::parse("test.rhai", &format!("//! ---\n{source}")).is_ok());
}

#[test]
fn a_place_is_right_beside_letters_of_several_bytes() {
    let error = refused("#!x\n//! Ñandú\n//! ---\n//!examples: [ñ, 'ñ', \"ñ\", 1]\n");
    let excerpt = &error.excerpts()[0];
    assert_eq!(
        (excerpt.line_and_column(), &excerpt.text[excerpt.span.clone()]),
        ((4, 28), "1")
    );
}
