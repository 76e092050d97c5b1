//! What `--prompt` asks for.

use super::{Person, collected, flag, params};

const LOCK_STALE: &str = "\
username: { type: user, positional: true, required: true, help: Account to lock }
days: { type: int, default: 90, min: 1, help: Idle days }
reason: { type: string }
how: { type: enum, values: [soft, hard], help: How to lock it }
role: { type: enum, values: [a, b], repeated: true }
note: { type: string, repeated: true, help: \"Notes:\" }
really: { type: bool, help: Also end its sessions }
key: { type: secret, prompt: Signing key }
secret_way: { type: string, hidden: true }
yes: { type: bool }";

fn asked(yaml: &str, given: &[(&str, &str)], answers: &[&'static str]) -> (String, String) {
    let params = params(yaml);
    let person = Person {
        prompts: true,
        ..Person::new(answers)
    };
    let given: Vec<_> = given.iter().map(|(name, text)| flag(&params, name, text)).collect();
    let arguments = collected(&params, &given, &person, &[]);
    (person.asked.into_inner().unwrap().join("|"), arguments)
}

#[test]
fn every_missing_parameter_is_asked_for_as_its_type_is() {
    let answers = [
        "",
        "alice",
        "0",
        "30",
        "bye",
        "hard",
        "b",
        "(no more)",
        "one",
        "two",
        "",
        "y",
        "",
        "key",
    ];
    let (questions, arguments) = asked(LOCK_STALE, &[], &answers);
    let expected = "Account to lock|Account to lock|Idle days [90]|Idle days [90]|Reason (optional)|How to lock it (optional)|Role|Role|\
                    Notes (empty ends)|Notes (empty ends)|Notes (empty ends)|Also end its sessions?|Signing key|Signing key";
    assert_eq!(questions, expected);
    assert_eq!(
        arguments,
        "username=Text(\"alice\") days=Int(30) reason=Text(\"bye\") how=Text(\"hard\") role=List([Text(\"b\")]) \
         note=List([Text(\"one\"), Text(\"two\")]) really=Bool(true) key=key secret_way=Missing yes=Bool(false)"
    );
}

#[test]
fn what_is_left_empty_keeps_its_default() {
    let answers = ["alice", "", "", "(none)", "(no more)", "", "n", "key"];
    let (_, arguments) = asked(LOCK_STALE, &[], &answers);
    assert_eq!(
        arguments,
        "username=Text(\"alice\") days=Int(90) reason=Missing how=Missing role=List([]) note=List([]) really=Bool(false) \
         key=key secret_way=Missing yes=Bool(false)"
    );
}

#[test]
fn what_is_given_or_excluded_is_not_asked_for() {
    let yaml = "all: { type: bool, conflicts: [name], help: All of them }\nname: { type: string, required: true }\n\
                n: { type: int, default: 1 }";
    let (questions, arguments) = asked(yaml, &[("n", "2")], &["y"]);
    assert_eq!(questions, "All of them?");
    assert_eq!(arguments, "all=Bool(true) name=Missing n=Int(2)");
    let (questions, arguments) = asked(yaml, &[("n", "2")], &["n", "", "x"]);
    assert_eq!(questions, "All of them?|Name|Name");
    assert_eq!(arguments, "all=Bool(false) name=Text(\"x\") n=Int(2)");
}

#[test]
fn what_another_stands_in_for_can_be_left_empty() {
    let yaml = "name: { type: string, required: true }\nall: { type: bool, conflicts: [name] }";
    let (questions, arguments) = asked(yaml, &[], &["", "y"]);
    assert_eq!(questions, "Name (optional)|All?");
    assert_eq!(arguments, "name=Missing all=Bool(true)");
    let (_, arguments) = asked(yaml, &[], &["", "n"]);
    assert_eq!(
        arguments,
        "argument.missing: `name` is missing (give --name <NAME> or --all)"
    );
}

#[test]
fn what_an_answer_needs_is_asked_for_again() {
    let yaml = "file: { type: path }\nform: { type: string, requires: [file] }";
    let (questions, arguments) = asked(yaml, &[], &["", "csv", "f"]);
    assert_eq!(questions, "File (optional)|Form (optional)|File");
    assert_eq!(arguments, "file=Text(\"f\") form=Text(\"csv\")");
}

#[test]
fn where_nobody_is_there_what_is_missing_is_named() {
    let nobody = Person {
        prompts: true,
        ..Person::absent()
    };
    assert_eq!(
        collected(&params(LOCK_STALE), &[], &nobody, &[]),
        "argument.missing: `username` is missing, and there is no terminal to ask on (give <USERNAME>)"
    );
    assert_eq!(
        collected(&params("n: { type: int }"), &[], &nobody, &[]),
        "input.not_interactive: `--prompt` asks for `n`, and there is no terminal to ask on (Give the arguments without \
         `--prompt`.)"
    );
    assert_eq!(
        collected(&params("h: { type: int, hidden: true }"), &[], &nobody, &[]),
        "h=Missing"
    );
}
