use super::*;
use crate::{
    capability::{Capability, Resource},
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

/// What is said of this YAML: the line of it, what is marked there, the message and the help.
fn problem(yaml: &str) -> String {
    let lines: Vec<String> = yaml.lines().map(|line| format!("//! {line}\n")).collect();
    let error = refused(&format!("//! About\n//! ---\n{}", lines.concat()));
    assert_eq!(error.code(), Code::HeaderInvalid);
    let excerpt = &error.excerpts()[0];
    let line = excerpt.line_and_column().0 - 2;
    let marked = &excerpt.text[excerpt.span.clone()];
    let help = error.help_text().map(|help| format!("\n=> {help}")).unwrap_or_default();
    format!("=> line {line}, `{marked}`: {}{help}", error.message())
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
        (two.requires.as_slice(), two.completion()),
        (["three".to_owned()].as_slice(), Completion::Users)
    );
    let pattern = two.pattern.as_ref().unwrap();
    assert!(pattern.matches("abc") && !pattern.matches("abc1"));
    assert_eq!(three.values, ["a", "true"]);
    assert!(three.repeated && three.positional && !three.flag && yes.flag && yes.default.is_none());
}

#[test]
fn what_breaks_a_rule_is_refused_at_its_place() {
    let cases: Vec<&str> = include_str!("refused.txt").trim_end().split("\n\n").skip(1).collect();
    assert!(cases.len() > 75);
    for case in cases {
        let (yaml, expected) = case.split_at(case.find("=> ").expect("a case has a message"));
        assert_eq!(problem(yaml), expected, "{yaml}");
    }
}

#[test]
fn what_is_destructive_says_what_is_lost() {
    let read = |yaml: &str| Header::parse("test.rhai", &format!("//! ---\n{yaml}")).unwrap();
    let sentence = read("//! destructive: >-\n//!   Its sessions end;\n//!   that cannot be undone.\n");
    assert!(sentence.destructive && sentence.may_be_destructive());
    assert_eq!(
        sentence.loss.as_deref(),
        Some("Its sessions end; that cannot be undone.")
    );
    let no = read("//! destructive: false\n//! params: { yes: { type: bool, short: y } }\n");
    assert!(!no.destructive && !no.may_be_destructive());
    let by_flag = read("//! params: { erase: { type: bool, destructive: It is gone. } }\n");
    assert!(!by_flag.destructive && by_flag.may_be_destructive());
    assert_eq!(by_flag.params[0].loss.as_deref(), Some("It is gone."));
}

#[test]
fn text_that_looks_like_an_anchor_an_alias_or_a_tag_is_text() {
    let source = "\
//! ---
//! examples: [R&D, 'a & *b', \"!c\", d!e*f, g*]  # &x *y !z
//! params:
//!   a:
//!     type: string
//!     help: >-
//!       &x *y !z
";
    let header = Header::parse("test.rhai", source).unwrap();
    assert_eq!(header.examples, ["R&D", "a & *b", "!c", "d!e*f", "g*"]);
    assert_eq!(header.params[0].help, "&x *y !z");
}

#[test]
fn deep_yaml_is_refused() {
    for yaml in [
        "[".repeat(1000),
        ["[".repeat(1000), "]".repeat(1000)].concat(),
        "{a: ".repeat(1000),
    ] {
        let problem = problem(&format!("examples: {yaml}"));
        assert!(problem.contains("The header is no valid YAML: "), "{problem}");
    }
}

#[test]
fn a_header_is_one_run_of_lines_in_two_parts() {
    let at = |source: &str| {
        let error = refused(source);
        (error.message().to_owned(), error.excerpts()[0].line_and_column())
    };
    for fence in ["----", "--", "–––", " ---"] {
        let (message, place) = at(&format!("//! a\n//! {fence}\n//! needs: [users:write]\n"));
        assert_eq!((message.as_str(), place.0), ("This line is nearly `---`", 2), "{fence}");
    }
    assert_eq!(
        at("//! a\n//! ---\n//! ---\n//!\n//! b\n"),
        ("Text after the header's second `---`".to_owned(), (5, 5))
    );
    let outside = "This `//!` line is outside of the header".to_owned();
    assert_eq!(at("\n//! a\n"), (outside.clone(), (2, 1)));
    assert_eq!(at("//! a\n\n//! ---\n"), (outside, (3, 1)));
    assert_eq!(
        at("//! a\x1b[2J\n"),
        ("The header has the control character U+001B".to_owned(), (1, 6))
    );
    assert_eq!(
        at("//! ---\n//! hidden: \u{202e}true\n"),
        ("The header has the control character U+202E".to_owned(), (2, 13))
    );
    let line = format!("//! {}\n", "a".repeat(1019));
    assert!(Header::parse("test.rhai", &line.repeat(64)).is_ok());
    assert_eq!(
        at(&line.repeat(65)),
        ("The header is longer than 64 KiB".to_owned(), (65, 1))
    );
}

#[test]
fn a_script_has_at_most_64_parameters() {
    let yaml = |count: usize| {
        let params = (0..count).map(|at| format!("  a{at}: {{ type: bool }}"));
        let lines: Vec<String> = std::iter::once("params:".to_owned()).chain(params).collect();
        lines.join("\n")
    };
    assert_eq!(
        problem(&yaml(65)),
        "=> line 66, `a64`: A script has at most 64 parameters, this one has 65"
    );
    let source = format!("//! ---\n//! {}", yaml(64).replace('\n', "\n//! "));
    assert_eq!(Header::parse("test.rhai", &source).unwrap().params.len(), 64);
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
