mod asking;

use std::{fs, sync::Mutex};

use secrecy::ExposeSecret;

use super::*;
use crate::{console::LONGEST_SECRET, host::header::Header};

/// A person who gives these answers, one after the other, and whose standard input holds a secret.
struct Person {
    interactive: bool,
    /// Whether they want to be asked for all that is missing.
    prompts: bool,
    answers: Mutex<Vec<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Person {
    fn new(answers: &[&'static str]) -> Self {
        Self {
            interactive: true,
            prompts: false,
            answers: Mutex::new(answers.iter().rev().copied().collect()),
            asked: Mutex::default(),
        }
    }

    fn absent() -> Self {
        Self {
            interactive: false,
            ..Self::new(&[])
        }
    }

    fn answer(&self, question: &str) -> Result<&'static str> {
        self.asked.lock().unwrap().push(question.to_owned());
        let answer = self.answers.lock().unwrap().pop();
        answer.ok_or_else(|| Error::new(Code::InputAborted, "nobody answers"))
    }
}

impl Console for Person {
    fn say(&self, _: &str) {}
    fn insist(&self, _: &str) {}
    fn warn(&self, _: &str) {}
    fn name_store(&self, _: &str, _: bool) {}
    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}

    fn interactive(&self) -> bool {
        self.interactive
    }

    fn ask(&self, question: &str, check: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        loop {
            let answer = self.answer(question)?;
            if check(answer).is_ok() {
                return Ok(answer.to_owned());
            }
        }
    }

    fn ask_secret(&self, question: &str, twice: bool) -> Result<SecretString> {
        assert!(twice, "a new secret is asked for twice");
        self.answer(question).map(SecretString::from)
    }

    fn choose(&self, question: &str, answers: &[String]) -> Result<usize> {
        let answer = self.answer(question)?;
        Ok(answers
            .iter()
            .position(|known| known == answer)
            .expect("it is one of them"))
    }

    fn confirm(&self, question: &str, preset: bool) -> Result<bool> {
        assert!(!preset, "a switch is off unless it is given");
        self.answer(question).map(|answer| answer == "y")
    }

    fn read_secret(&self) -> Result<SecretString> {
        Ok(SecretString::from("from stdin"))
    }
}

const SET_PASSWORD: &str = "\
//! ---
//! params:
//!   username: { type: user, positional: true, required: true }
//!   password: { type: secret, positional: true, flag: true, prompt: New password, env: PASSWORD }
//!   generate_password: { type: bool, conflicts: [password] }
";

fn params(yaml: &str) -> Vec<Param> {
    let source = if yaml.starts_with("//!") {
        yaml.to_owned()
    } else {
        format!("//! ---\n//! params:\n//!   {}", yaml.replace('\n', "\n//!   "))
    };
    let header = Header::parse("test.rhai", &source).unwrap_or_else(|error| panic!("{error}"));
    header.params
}

fn flag(params: &[Param], name: &str, text: &str) -> (String, Given) {
    let param = params.iter().find(|param| param.name == name).expect("it is declared");
    let given = Given {
        flag: vec![parse(param, text).expect("it is valid")],
        ..Given::default()
    };
    (name.to_owned(), given)
}

fn place(params: &[Param], name: &str, text: &str) -> (String, Given) {
    let (name, given) = flag(params, name, text);
    let given = Given {
        positional: given.flag,
        ..Given::default()
    };
    (name, given)
}

fn from_file(path: &Path) -> Given {
    Given {
        file: Some(path.to_owned()),
        ..Given::default()
    }
}

/// The arguments as one line, secrets in the clear; or the error's code, message and help.
fn collected(params: &[Param], given: &[(String, Given)], person: &Person, variables: &[(&str, &str)]) -> String {
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let sources = Sources {
        console: person,
        variable: &variable,
        stdin: Stdin::Free,
        prompt: person.prompts,
    };
    match collect(params, given.iter().cloned().collect(), &sources) {
        Ok(arguments) => {
            let shown = |(name, value): &(String, Value)| match value {
                Value::Secret(secret) => format!("{name}={}", secret.expose_secret()),
                value => format!("{name}={value:?}"),
            };
            let words = arguments
                .values
                .iter()
                .map(shown)
                .chain(arguments.warnings.iter().map(|warning| format!("({warning})")));
            words.collect::<Vec<_>>().join(" ")
        }
        Err(error) => format!(
            "{}: {} ({})",
            error.code(),
            error.message(),
            error.help_text().unwrap_or_default()
        ),
    }
}

#[test]
fn every_declared_parameter_is_there_in_order() {
    let params = params(
        "z: { type: string }\nb: { type: bool }\nlist: { type: int, repeated: true }\nc: { type: secret }\nd: { type: duration, default: 2h }",
    );
    let nobody = Person::absent();
    let expected = "z=Missing b=Bool(false) list=List([]) c=Missing d=Int(7200)";
    assert_eq!(collected(&params, &[], &nobody, &[]), expected);
    let list = Given {
        flag: vec![Value::Int(2), Value::Int(1)],
        ..Given::default()
    };
    let given = [
        flag(&params, "z", "x"),
        flag(&params, "b", "true"),
        ("list".to_owned(), list),
        flag(&params, "d", "1"),
    ];
    let expected = "z=Text(\"x\") b=Bool(true) list=List([Int(2), Int(1)]) c=Missing d=Int(1)";
    assert_eq!(collected(&params, &given, &nobody, &[]), expected);
}

#[test]
fn variables_stand_in_for_what_is_absent() {
    let params = params(
        "n: { type: int, env: N, default: 1 }\nother: { type: bool, conflicts: [n] }\nk: { type: secret, env: K, required: true }",
    );
    let nobody = Person::absent();
    let variables = [("N", "7"), ("K", "key")];
    assert_eq!(
        collected(&params, &[], &nobody, &variables),
        "n=Int(7) other=Bool(false) k=key"
    );
    assert_eq!(
        collected(&params, &[flag(&params, "n", "2")], &nobody, &variables),
        "n=Int(2) other=Bool(false) k=key"
    );
    assert_eq!(
        collected(&params, &[flag(&params, "other", "true")], &nobody, &variables),
        "n=Int(1) other=Bool(true) k=key"
    );
    assert_eq!(
        collected(&params, &[], &nobody, &[("N", "seven"), ("K", "key")]),
        "argument.invalid: The environment variable `N` must be a whole number (It stands for `n`.)"
    );
    assert_eq!(
        collected(&params, &[], &nobody, &[("K", "")]),
        "argument.missing: `k` is missing (give --k-stdin or --k-file <FILE>, or set the environment variable K)"
    );
}

#[test]
fn a_secret_comes_from_where_it_is_said_and_is_asked_for_last() {
    let params = params(SET_PASSWORD);
    let alice = place(&params, "username", "alice");
    let expected =
        |password: &str| format!("username=Text(\"alice\") password={password} generate_password=Bool(false)");
    let stdin = Given {
        stdin: true,
        ..Given::default()
    };
    let variables = [("PASSWORD", "from env")];
    let given = [alice.clone(), ("password".to_owned(), stdin)];
    assert_eq!(
        collected(&params, &given, &Person::absent(), &variables),
        expected("from stdin")
    );
    assert_eq!(
        collected(&params, std::slice::from_ref(&alice), &Person::absent(), &variables),
        expected("from env")
    );
    let person = Person::new(&["typed"]);
    assert_eq!(
        collected(&params, std::slice::from_ref(&alice), &person, &[]),
        expected("typed")
    );
    assert_eq!(*person.asked.lock().unwrap(), ["New password"]);
    let generated = [alice.clone(), flag(&params, "generate_password", "true")];
    assert_eq!(
        collected(&params, &generated, &Person::absent(), &variables),
        "username=Text(\"alice\") password=Missing generate_password=Bool(true)"
    );
    assert_eq!(
        collected(&params, &[alice], &Person::absent(), &[]),
        "argument.missing: `password` is missing, and there is no terminal to ask on (give --password-stdin, \
         --password-file <FILE> or --generate-password, or set the environment variable PASSWORD)"
    );
    let person = Person::new(&["typed"]);
    assert_eq!(
        collected(&params, &[], &person, &[]),
        "argument.missing: `username` is missing (give <USERNAME>)"
    );
    assert!(
        person.asked.lock().unwrap().is_empty(),
        "nobody types a password for a line that is wrong"
    );
}

#[test]
fn a_secret_on_the_command_line_is_warned_of() {
    let params = params(SET_PASSWORD);
    for password in [
        place(&params, "password", "hunter2"),
        flag(&params, "password", "hunter2"),
    ] {
        let given = [place(&params, "username", "alice"), password];
        assert_eq!(
            collected(&params, &given, &Person::absent(), &[]),
            "username=Text(\"alice\") password=hunter2 generate_password=Bool(false) (a password on the command line is \
             visible in the process list and in the shell's history; use --password-stdin, --password-file <FILE> or \
             --generate-password)"
        );
    }
}

#[test]
fn what_excludes_each_other_is_refused() {
    let params = params(SET_PASSWORD);
    let alice = place(&params, "username", "alice");
    let both = Given {
        flag: vec![Value::Secret("a".into())],
        ..place(&params, "password", "b").1
    };
    assert_eq!(
        collected(
            &params,
            &[alice.clone(), ("password".to_owned(), both)],
            &Person::absent(),
            &[]
        ),
        "argument.invalid: `password` is given in more than one way (Give only one of <PASSWORD>, --password <PASSWORD>, \
         --password-stdin, --password-file <FILE>.)"
    );
    let given = [
        alice,
        flag(&params, "password", "a"),
        flag(&params, "generate_password", "true"),
    ];
    assert_eq!(
        collected(&params, &given, &Person::absent(), &[]),
        "argument.invalid: `password` and `generate_password` cannot be given together (Give one of the two.)"
    );
    let two = self::params("a: { type: secret }\nb: { type: secret }");
    let stdin = Given {
        stdin: true,
        ..Given::default()
    };
    assert_eq!(
        collected(
            &two,
            &[("a".to_owned(), stdin.clone()), ("b".to_owned(), stdin)],
            &Person::absent(),
            &[]
        ),
        "argument.invalid: `--a-stdin` and `--b-stdin` cannot be given together (Give one of the two.)"
    );
}

#[test]
fn standard_input_is_read_for_one_alone() {
    let params = params(
        "who: { type: user, positional: true, required: true }\na: { type: path }\nb: { type: path }\n\
         c: { type: path, repeated: true }\nd: { type: string }",
    );
    let collect = |given: &[(&str, &str)]| {
        let given: Vec<_> = given.iter().map(|(name, text)| flag(&params, name, text)).collect();
        collected(&params, &given, &Person::absent(), &[])
    };
    let refused = |uses: &str| format!("argument.invalid: {uses} cannot be given together (Give one of the two.)");
    assert_eq!(collect(&[("who", "-"), ("a", "-")]), refused("`-` and `--a -`"));
    assert_eq!(
        collect(&[("who", "x"), ("b", "-"), ("a", "-")]),
        refused("`--a -` and `--b -`")
    );
    let twice = Given {
        flag: vec![Value::Text("-".to_owned()), Value::Text("-".to_owned())],
        ..Given::default()
    };
    let given = [flag(&params, "who", "x"), ("c".to_owned(), twice)];
    assert_eq!(
        collected(&params, &given, &Person::absent(), &[]),
        refused("`--c -` and `--c -`")
    );
    assert!(collect(&[("who", "-"), ("a", "./-"), ("d", "-")]).starts_with("who=Text(\"-\") a="));
}

#[test]
fn what_is_required_must_be_there() {
    let params = params(
        "a: { type: string, requires: [b] }\nb: { type: string, env: B }\nc: { type: bool, conflicts: [d] }\nd: { type: string, required: true }",
    );
    let (a, c, d) = (
        flag(&params, "a", "x"),
        flag(&params, "c", "true"),
        flag(&params, "d", "x"),
    );
    let nobody = Person::absent();
    assert_eq!(
        collected(&params, &[a.clone(), d.clone()], &nobody, &[]),
        "argument.missing: `b` is missing, and `a` does not go without it (give --b <B>, or set the environment variable B)"
    );
    assert!(collected(&params, &[a, d], &nobody, &[("B", "x")]).starts_with("a=Text(\"x\") b=Text(\"x\")"));
    assert_eq!(
        collected(&params, &[], &nobody, &[]),
        "argument.missing: `d` is missing (give --d <D> or --c)"
    );
    assert_eq!(
        collected(&params, &[c], &nobody, &[]),
        "a=Missing b=Missing c=Bool(true) d=Missing"
    );
}

#[test]
fn questions_are_put_until_the_answer_is_valid() {
    let params =
        params("n: { type: int, min: 1, prompt: How many }\ne: { type: enum, values: [low, high], prompt: Which }");
    let person = Person::new(&["none", "0", "3", "high"]);
    assert_eq!(collected(&params, &[], &person, &[]), "n=Int(3) e=Text(\"high\")");
    assert_eq!(
        *person.asked.lock().unwrap(),
        ["How many", "How many", "How many", "Which"]
    );
    assert_eq!(
        collected(&params, &[], &Person::new(&[]), &[]),
        "input.aborted: nobody answers ()"
    );
}

#[test]
fn a_secret_in_a_file_loses_one_newline() {
    let params = params("key: { type: secret }");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        collected(&params, &[("key".to_owned(), from_file(&path))], &Person::absent(), &[])
    };
    let refused = |problem: &str| {
        format!(
            "argument.invalid: The file `{}` {problem} (It must hold nothing but the key.)",
            path.display()
        )
    };
    assert_eq!(read(b"a b"), "key=a b");
    assert_eq!(read(b"a\n"), "key=a");
    assert_eq!(read(b"a\r\n"), "key=a");
    assert_eq!(read(b"a\n\n"), "key=a\n");
    assert_eq!(read(&vec![b'a'; LONGEST_SECRET]).len(), "key=".len() + LONGEST_SECRET);
    assert_eq!(read(&vec![b'a'; LONGEST_SECRET + 1]), refused("is larger than 64 KiB"));
    assert_eq!(read(b""), refused("is empty"));
    assert_eq!(read(b"\n"), refused("is empty"));
    assert_eq!(read(b"\xff"), refused("is not UTF-8"));
    let absent = collected(
        &params,
        &[("key".to_owned(), from_file(&folder.path().join("no")))],
        &Person::absent(),
        &[],
    );
    assert!(
        absent.starts_with("file.unreadable: The file `")
            && absent.ends_with("(`--key-file` names a file with nothing but the key.)"),
        "{absent}"
    );
}

#[test]
fn users_are_reduced_to_localparts_once_the_server_is_known() {
    let params = params("who: { type: user }\nall: { type: user, repeated: true }\ntext: { type: string }");
    let text = |text: &str| Value::Text(text.to_owned());
    let mut arguments = Arguments {
        values: vec![
            ("who".to_owned(), Value::Missing),
            (
                "all".to_owned(),
                Value::List(vec![text("@bob:example.com"), text("carol")]),
            ),
            ("text".to_owned(), text("@dave:example.com")),
        ],
        warnings: Vec::new(),
    };
    assert!(arguments.name_a_server(&params));
    arguments.reduce_users(&params, "example.com").unwrap();
    assert!(!arguments.name_a_server(&params));
    assert_eq!(
        format!("{:?}", arguments.get("all").unwrap()),
        "List([Text(\"bob\"), Text(\"carol\")])"
    );
    assert_eq!(
        format!("{:?}", arguments.get("text").unwrap()),
        "Text(\"@dave:example.com\")"
    );
    arguments.values[0].1 = text("@alice:example.org");
    assert_eq!(
        arguments.reduce_users(&params, "example.com").unwrap_err().code(),
        Code::UserForeign
    );
}
