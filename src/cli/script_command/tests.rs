use clap::error::ErrorKind;

use super::*;
use crate::host::Origin;

/// The scripts that ship: file name and text.
macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../scripts/manage/", $name, ".rhai")))),+]
    };
}

const SHIPPED: &[(&str, &str)] = shipped![
    "add-email",
    "demote-admin",
    "issue-compatibility-token",
    "issue-user-registration-token",
    "kill-sessions",
    "list-admin-users",
    "lock-user",
    "promote-admin",
    "provision-all-users",
    "register-user",
    "set-password",
    "unlock-user",
    "verify-email",
];

fn script(name: &str, header: &Header) -> Script {
    Script {
        name: name.to_owned(),
        label: format!("{name}.rhai"),
        source: "".into(),
        header: header.clone(),
        origin: Origin::Shipped,
    }
}

fn command(name: &str, header: &Header) -> Command {
    super::command(&script(name, header), false)
}

#[test]
fn what_may_ask_has_a_yes_and_says_what_it_asks_about() {
    let of = |yaml: &str| Header::parse("test.rhai", &format!("//! About\n//! ---\n{yaml}")).unwrap();
    let help = |header: &Header| command("test", header).render_help().to_string();
    let header = of("//! destructive: It is gone.\n");
    let says = |line: &[&str]| {
        let matches = command("test", &header).try_get_matches_from(line).unwrap();
        says_yes(&script("test", &header), &matches)
    };
    assert!(says(&["test", "-y"]) && says(&["test", "--yes"]) && !says(&["test"]));
    let shown = help(&header);
    assert!(
        shown.contains("It asks first, unless `--yes` is given. It is gone."),
        "{shown}"
    );
    let by_flag = of("//! params: { erase: { type: bool, help: Erase it, destructive: It is gone. } }\n");
    let shown = help(&by_flag);
    assert!(shown.contains("Erase it. It asks first: It is gone."), "{shown}");
    assert!(shown.contains("-y, --yes") && !shown.contains("unless"), "{shown}");
    // One of its own is the script's.
    let own = of("//! destructive: true\n//! params: { yes: { type: bool, help: Go on } }\n");
    let matches = command("test", &own).try_get_matches_from(["test", "--yes"]).unwrap();
    assert!(!says_yes(&script("test", &own), &matches) && given(&own, &matches)["yes"].flag.len() == 1);
    assert!(!help(&of("//! needs: []\n")).contains("--yes"));
}

#[test]
fn how_times_are_given_is_said_once() {
    let source = "//! ---\n//! params: { a: { type: time }, b: { type: time } }\n//! examples: [test]\n";
    let header = Header::parse("test.rhai", source).unwrap();
    let shown = command("test", &header).render_help().to_string();
    assert_eq!(shown.matches("90d for that long ago").count(), 1, "{shown}");
}

const ULID: &str = "01GFWR28C4KNE04WG3HKXB7C9R";

fn header(script: &str) -> Header {
    let (name, source) = SHIPPED.iter().find(|(name, _)| *name == script).expect("it ships");
    Header::parse(&format!("manage/{name}.rhai"), source).expect("a shipped header is right")
}

fn parse(header: &Header, line: &str) -> Result<BTreeMap<String, Given>, clap::Error> {
    let words = shlex::split(line).expect("the line is quoted well");
    let matches = command(&words[0], header).try_get_matches_from(&words)?;
    Ok(given(header, &matches))
}

/// What was given, as one line: `name=value` for each, the way in which it was given before it.
fn shown(line: &str) -> String {
    let header = header(line.split(' ').next().expect("a line has a first word"));
    let given = parse(&header, line).unwrap_or_else(|error| panic!("{error}"));
    let mut words = Vec::new();
    for param in &header.params {
        let given = &given[&param.name];
        words.extend(
            given
                .positional
                .iter()
                .map(|value| format!("<{}>={}", param.name, text(value))),
        );
        words.extend(
            given
                .flag
                .iter()
                .map(|value| format!("--{}={}", param.name, text(value))),
        );
        words.extend(given.stdin.then(|| format!("{} from stdin", param.name)));
        words.extend(
            given
                .file
                .iter()
                .map(|file| format!("{} from {}", param.name, file.display())),
        );
    }
    words.join(" ")
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(int) => int.to_string(),
        Value::Bool(bool) => bool.to_string(),
        Value::Link { provider, subject } => format!("{provider}/{subject}"),
        Value::Secret(_) => "<secret>".to_owned(),
        other => format!("{other:?}"),
    }
}

fn refused(line: &str) -> (ErrorKind, String) {
    let header = header(line.split(' ').next().expect("a line has a first word"));
    let error = parse(&header, line).expect_err("it is refused");
    assert_eq!(error.exit_code(), 2, "{line}");
    let message = error.render().to_string();
    let first = message.lines().next().unwrap_or_default().to_owned();
    (error.kind(), first)
}

#[test]
fn every_shipped_command_is_sound() {
    assert_eq!(SHIPPED.len(), 13);
    for (name, _) in SHIPPED {
        let header = header(name);
        command(name, &header).debug_assert();
        assert!(!header.about.is_empty() && !header.about.ends_with('.'), "{name}");
        assert!(!header.details.is_empty() && header.states_needs, "{name}");
        for param in &header.params {
            assert!(
                !param.help.is_empty() && !param.help.ends_with('.'),
                "{name}: {}",
                param.name
            );
        }
        for example in &header.examples {
            let line = example
                .strip_prefix("masctl manage ")
                .expect("an example is a whole line");
            let line = line.replace(" --dry-run", "").replace(" --format json", "");
            assert!(parse(&header, &line).is_ok(), "{example}");
        }
    }
}

/// Lines, and what each gives.
const SPELLINGS: &[(&str, &str)] = &[
    (
        "add-email alice a@example.com",
        "<username>=alice <email>=a@example.com",
    ),
    (
        "add-email @alice:example.com a@example.com --allow-duplicate",
        "<username>=@alice:example.com <email>=a@example.com --allow_duplicate=true",
    ),
    (
        "verify-email alice a@example.com",
        "<username>=alice <email>=a@example.com",
    ),
    ("set-password alice", "<username>=alice"),
    ("set-password alice hunter2", "<username>=alice <password>=<secret>"),
    (
        "set-password alice --password-stdin",
        "<username>=alice password from stdin",
    ),
    (
        "set-password alice --password-file f --ignore-complexity",
        "<username>=alice password from f --ignore_complexity=true",
    ),
    (
        "set-password alice --generate-password --ignore-password-complexity",
        "<username>=alice --generate_password=true --ignore_complexity=true",
    ),
    ("issue-compatibility-token alice", "<username>=alice"),
    (
        "issue-compatibility-token alice DEVICE",
        "<username>=alice <device_id>=DEVICE",
    ),
    (
        "issue-compatibility-token alice --device-id DEVICE",
        "<username>=alice --device_id=DEVICE",
    ),
    (
        "issue-compatibility-token --yes-i-want-to-grant-synapse-admin-privileges alice --expires-in 2h --force",
        "<username>=alice --yes_i_want_to_grant_synapse_admin_privileges=true --expires_in=7200 --force=true",
    ),
    ("issue-user-registration-token", ""),
    (
        "issue-user-registration-token --token t --usage-limit 0 --expires-in 90",
        "--token=t --usage_limit=0 --expires_in=90",
    ),
    (
        "issue-user-registration-token --unlimited --expires-in 7d",
        "--unlimited=true --expires_in=604800",
    ),
    ("provision-all-users", ""),
    ("kill-sessions alice", "<username>=alice"),
    ("lock-user alice --deactivate", "<username>=alice --deactivate=true"),
    ("unlock-user --reactivate alice", "<username>=alice --reactivate=true"),
    ("register-user", ""),
    ("register-user alice -y", "<username>=alice --yes=true"),
    ("register-user --username alice --yes", "--username=alice --yes=true"),
    (
        "register-user -p pw -e a@example.com -e b@example.com -a -d 'Alice A.' alice",
        "<username>=alice --password=<secret> --email=a@example.com --email=b@example.com --admin=true --display_name=Alice A.",
    ),
    (
        "register-user alice --password pw --email a@example.com --no-admin --display-name A --ignore-complexity",
        "<username>=alice --password=<secret> --email=a@example.com --no_admin=true --display_name=A --ignore_password_complexity=true",
    ),
    (
        "register-user alice -A --ignore-password-complexity --password-stdin",
        "<username>=alice password from stdin --no_admin=true --ignore_password_complexity=true",
    ),
    (
        "register-user alice -m 01GFWR28C4KNE04WG3HKXB7C9R:a:b --upstream-provider-mapping=01gfwr28c4kne04wg3hkxb7c9r:c",
        "<username>=alice --upstream_provider_mapping=01GFWR28C4KNE04WG3HKXB7C9R/a:b --upstream_provider_mapping=01GFWR28C4KNE04WG3HKXB7C9R/c",
    ),
    ("promote-admin alice", "<username>=alice"),
    ("demote-admin alice", "<username>=alice"),
    ("list-admin-users", ""),
];

#[test]
fn the_spellings_of_mas_cli_and_of_its_manual_are_the_same() {
    for (line, expected) in SPELLINGS {
        assert_eq!(shown(line), *expected, "{line}");
    }
}

/// Lines, and what clap says of each.
const WRONG: &[(&str, ErrorKind, &str)] = &[
    (
        "lock-user",
        ErrorKind::MissingRequiredArgument,
        "error: the following required arguments were not provided:",
    ),
    (
        "lock-user ''",
        ErrorKind::ValueValidation,
        "error: invalid value '' for '<USERNAME>': must not be empty",
    ),
    (
        "list-admin-users alice",
        ErrorKind::UnknownArgument,
        "error: unexpected argument 'alice' found",
    ),
    (
        "add-email alice nothing",
        ErrorKind::ValueValidation,
        "error: invalid value 'nothing' for '<EMAIL>': must be an e-mail address: missing separator character '@'",
    ),
    (
        "issue-compatibility-token alice A --device-id B",
        ErrorKind::ArgumentConflict,
        "error: the argument '[DEVICE_ID]' cannot be used with '--device-id <DEVICE_ID>'",
    ),
    (
        "issue-user-registration-token --unlimited --usage-limit 2",
        ErrorKind::ArgumentConflict,
        "error: the argument '--unlimited' cannot be used with '--usage-limit <NUMBER>'",
    ),
    (
        "issue-user-registration-token --usage-limit 2147483648",
        ErrorKind::ValueValidation,
        "error: invalid value '2147483648' for '--usage-limit <NUMBER>': must be at most 2147483647",
    ),
    (
        "issue-user-registration-token --usage-limit -1",
        ErrorKind::ValueValidation,
        "error: invalid value '-1' for '--usage-limit <NUMBER>': must be at least 0",
    ),
    (
        "issue-user-registration-token --expires-in 4294967296",
        ErrorKind::ValueValidation,
        "error: invalid value '4294967296' for '--expires-in <DURATION>': must last at most 4294967295s",
    ),
    (
        "set-password alice pw --password-stdin",
        ErrorKind::ArgumentConflict,
        "error: the argument '[PASSWORD]' cannot be used with '--password-stdin'",
    ),
    (
        "set-password alice --generate-password --password-file f",
        ErrorKind::ArgumentConflict,
        "error: the argument '--generate-password' cannot be used with '--password-file <FILE>'",
    ),
    (
        "set-password alice --generate-password pw",
        ErrorKind::ArgumentConflict,
        "error: the argument '--generate-password' cannot be used with '[PASSWORD]'",
    ),
    (
        "register-user alice -a -A",
        ErrorKind::ArgumentConflict,
        "error: the argument '--admin' cannot be used with '--no-admin'",
    ),
    (
        "register-user alice --username bob",
        ErrorKind::ArgumentConflict,
        "error: the argument '[USERNAME]' cannot be used with '--username <USERNAME>'",
    ),
    (
        "register-user alice -p a -p b",
        ErrorKind::ArgumentConflict,
        "error: the argument '--password <PASSWORD>' cannot be used multiple times",
    ),
    (
        "register-user alice -m nope:x",
        ErrorKind::ValueValidation,
        "error: invalid value 'nope:x' for '--upstream-provider-mapping <ULID:SUBJECT>': must start with the ULID of a provider, and that must be a ULID, which has 26 characters of 0-9 and A-Z",
    ),
];

#[test]
fn wrong_lines_are_native_usage_errors() {
    for (line, kind, message) in WRONG {
        assert_eq!(refused(line), (*kind, (*message).to_owned()), "{line}");
    }
    assert_eq!(
        refused(&format!("register-user alice -m {ULID}:")).0,
        ErrorKind::ValueValidation
    );
}

#[test]
fn the_whole_grammar_makes_a_sound_command() {
    let source = "\
//! Try everything
//!
//! One paragraph
//! over two lines.
//!
//! - a list
//! - stays
//! ---
//! params:
//!   who: { type: user, positional: true, flag: true, required: true, help: Account }
//!   key: { type: secret, required: true, env: KEY }
//!   level: { type: enum, values: [low, high], default: low, help: How much }
//!   tags: { type: string, positional: true, repeated: true, pattern: '[a-z]+' }
//!   since: { type: time, requires: [who, key], aliases: [from, after] }
//!   ratio: { type: float, min: -1, max: 1.5, conflicts: [key] }
//!   pin: { type: secret, required: true, hidden: true }
//! examples: [try alice]
";
    let header = Header::parse("try.rhai", source).unwrap();
    command("try", &header).debug_assert();
    let given = parse(&header, "try alice one two --pin-file p -k- --ratio -0.5")
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        given.kind(),
        ErrorKind::UnknownArgument,
        "a secret has no flag of its own unless it asks for one"
    );
    let all = parse(
        &header,
        "try --who alice --pin-file p --ratio -0.5 --from 2026-01-31 --level high",
    )
    .unwrap();
    assert_eq!(
        format!("{:?} {:?}", all["ratio"].flag, all["level"].flag),
        "[Float(-0.5)] [Text(\"high\")]"
    );
    let absent = parse(&header, "try alice one two --pin-stdin").unwrap();
    assert!(absent["level"].flag.is_empty() && absent["tags"].positional.len() == 2);
    let missing = parse(&header, "try --pin-stdin").map(|_| ()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::MissingRequiredArgument);
}

#[test]
fn what_is_required_can_be_replaced_by_what_excludes_it() {
    let source = "\
//! Try it
//! ---
//! params:
//!   key: { type: secret, required: true }
//!   name: { type: string, required: true, conflicts: [anonymous] }
//!   generate: { type: bool, conflicts: [key] }
//!   anonymous: { type: bool }
";
    let header = Header::parse("try.rhai", source).unwrap();
    command("try", &header).debug_assert();
    let turned = source.replace(", conflicts: [anonymous]", "").replace(
        "anonymous: { type: bool }",
        "anonymous: { type: bool, conflicts: [name] }",
    );
    let turned = Header::parse("try.rhai", &turned).unwrap();
    for header in [header, turned] {
        assert!(parse(&header, "try --generate --anonymous").is_ok());
        assert!(parse(&header, "try --key-stdin --name n").is_ok());
        assert_eq!(
            parse(&header, "try --generate").unwrap_err().kind(),
            ErrorKind::MissingRequiredArgument
        );
    }
}

#[test]
fn help_reads_well() {
    let mut command = command("issue-compatibility-token", &header("issue-compatibility-token")).term_width(100);
    let expected = "\
Issue an access token for the Matrix client API

The token belongs to a new device of the account and is printed once. It does not expire unless
`--expires-in` says so. Undo it with `kill-sessions`, which ends all sessions of the account.

Usage: issue-compatibility-token [OPTIONS] <USERNAME> [DEVICE_ID]

Arguments:
  <USERNAME>   Account that the token acts for; `-` reads many from standard input
  [DEVICE_ID]  Device of the token instead of a random one

Options:
      --device-id <DEVICE_ID>
          The same as [DEVICE_ID]
      --yes-i-want-to-grant-synapse-admin-privileges
          Let the token use Synapse's admin API
      --expires-in <DURATION>
          How long the token is valid, such as 2h or 30d
      --force
          Issue it even if the account is locked or deactivated
  -h, --help
          Print help

Examples:
  masctl manage issue-compatibility-token alice
  masctl manage issue-compatibility-token alice BACKUP --expires-in 30d
";
    assert_eq!(command.render_help().to_string(), expected);
}

#[test]
fn paragraphs_are_joined_and_lists_and_code_stay() {
    let text = "one\ntwo\n\n- a\n- b\nthree\n\n```\nx\n\ny\n```\nfour\nfive";
    assert_eq!(
        reflow(text),
        "one two\n\n- a\n- b\nthree\n\n```\nx\n\ny\n```\nfour five"
    );
}
