//! What is secret is never shown: not in results, messages, errors or logs, however much is logged.

use std::{
    io::Write,
    process::{Output, Stdio},
};

use crate::support::{
    cast,
    homeserver::SECRET,
    postgres::server,
    sandbox::Sandbox,
    store::{OpenStore, Store},
};

const ON_ARGV: &str = "argv-Zo4ahk1e-vuvuzela";
const ON_STDIN: &str = "stdin-Gie7eedu-vuvuzela";
const IN_FILE: &str = "file-Ohg2phei-vuvuzela";
const WEAK: &str = "hunter22";
const OF_DATABASE: &str = "database-Iz9ohthu-vuvuzela";
const OF_PEPPER: &str = "pepper-Aiqu3phe-vuvuzela";
const OF_OAUTH: &str = "mat_0123456789abcdefghijABCDEFGHIJ_0pmO7B";

const SECRETS: [&str; 10] = [
    ON_ARGV,
    ON_STDIN,
    IN_FILE,
    WEAK,
    OF_DATABASE,
    OF_PEPPER,
    SECRET,
    cast::TOKEN_TEXT,
    cast::REFRESH_TEXT,
    OF_OAUTH,
];

/// Options and variables.
type Way = (&'static [&'static str], &'static [(&'static str, &'static str)]);

/// How a command may be made to talk.
const WAYS: [Way; 4] = [
    (&["-vv"], &[]),
    (&[], &[("RUST_LOG", "trace")]),
    (
        &["--format", "json", "-v"],
        &[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")],
    ),
    (&["--dry-run", "--format", "yaml"], &[("RUST_LOG", "trace")]),
];

const COMMANDS: [&[&str]; 27] = [
    &["manage", "set-password", "alice", ON_ARGV],
    &["manage", "set-password", "alice", WEAK],
    &["manage", "set-password", "nobody", ON_ARGV],
    &["manage", "set-password", "alice", "--password-stdin"],
    &["manage", "set-password", "alice", "--password-file", "password.txt"],
    &["manage", "set-password", "alice", ON_ARGV, "--password-stdin"],
    &["manage", "set-password", "alice", ON_ARGV, "surplus"],
    &["manage", "set-password", "--unknown", "alice", ON_ARGV],
    &["manage", "register-user", "erin", "--yes", "--password", ON_ARGV],
    &[
        "manage",
        "register-user",
        "erin",
        "--yes",
        "-p",
        ON_ARGV,
        "--generate-password",
    ],
    &["manage", "register-user", "taken", "--yes", "-p", ON_ARGV],
    &["manage", "register-user", "frank", "-p", ON_ARGV],
    &["manage", "issue-compatibility-token", "alice", "BROKEN"],
    &["manage", "rotate-token", cast::TOKEN, "--dry-run"],
    &["manage", "rotate-token", "--text-file", "leaked.txt"],
    &["manage", "revoke-token", "--text-stdin"],
    &["manage", "revoke-token", "--text-file", "leaked.txt"],
    &["manage", "revoke-token", "--text-file", "refresh.txt"],
    &["manage", "revoke-token", "--text-file", "oauth.txt"],
    &["manage", "list-tokens"],
    &["config", "check"],
    &["config", "dump"],
    &["database", "status"],
    &["doctor"],
    &["worker", "--once"],
    &["manage", "list-jobs"],
    &["manage", "provision-all-users"],
];

/// Configurations besides the one that works: the password of the database is wrong, or its URI.
const CONFIGURATIONS: [&[&str]; 4] = [
    &["-c", "config.yaml"],
    &["-c", "config.yaml", "-c", "refused.yaml"],
    &["-c", "down.yaml"],
    &["-c", "broken.yaml"],
];

fn run(sandbox: &Sandbox, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = sandbox.masctl(1);
    command.args(arguments).envs(variables.iter().copied());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("masctl runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    // Most commands do not read it.
    let _ = writeln!(stdin, "{ON_STDIN}");
    drop(stdin);
    child.wait_with_output().expect("masctl ends")
}

/// Adds the cast and tokens of each kind, and files with their texts.
fn add_tokens(store: &OpenStore, sandbox: &Sandbox) {
    let oauth = format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) \
         VALUES ({{ulid:{0}}}, true, true); \
         INSERT INTO oauth2_sessions (oauth2_session_id, oauth2_client_id, scope_list, created_at) \
         VALUES ({{ulid:{0}}}, {{ulid:{0}}}, ARRAY['openid'], '{1}'); \
         INSERT INTO oauth2_access_tokens (oauth2_access_token_id, oauth2_session_id, access_token, created_at) \
         VALUES ({{ulid:{0}}}, {{ulid:{0}}}, '{OF_OAUTH}', '{1}')",
        cast::PROVIDER,
        cast::CREATED_AT
    );
    store
        .query(&[cast::sql(), cast::tokens_sql(), oauth].concat())
        .expect("the cast fits");
    for (file, token) in [
        ("leaked.txt", cast::TOKEN_TEXT),
        ("refresh.txt", cast::REFRESH_TEXT),
        ("oauth.txt", OF_OAUTH),
    ] {
        sandbox.write(file, token);
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, "secrets", &sandbox);
    add_tokens(&store, &sandbox);
    sandbox.write("password.txt", &format!("{IN_FILE}\n"));
    sandbox.write(
        "refused.yaml",
        &format!(
            "database: {{ username: locked_out, password: {OF_DATABASE} }}\n\
             passwords: {{ schemes: [{{ version: 2, algorithm: argon2id, secret: {OF_PEPPER} }}] }}\n"
        ),
    );
    let (host, port) = (&server().host, server().port);
    sandbox.write(
        "down.yaml",
        &format!("database: {{ uri: 'postgresql://locked_out:{OF_DATABASE}@{host}:{port}/none?password={OF_DATABASE}' }}\n\
                  matrix: {{ homeserver: example.com, endpoint: 'http://x:{OF_DATABASE}@127.0.0.1:1/', secret: {SECRET} }}\n"),
    );
    sandbox.write(
        "broken.yaml",
        &format!(
            "database: {{ uri: 'postgresql://mas:{OF_DATABASE}@[/mas', password: {OF_DATABASE} }}\nmatrix: {{ secret: [{SECRET}] }}\n"
        ),
    );
    for configuration in CONFIGURATIONS {
        for command in COMMANDS {
            for (options, variables) in WAYS {
                let arguments = [configuration, command, options].concat();
                let output = run(&sandbox, &arguments, variables);
                let shown = [output.stdout, output.stderr].concat();
                let shown = String::from_utf8_lossy(&shown);
                for secret in SECRETS {
                    assert!(!shown.contains(secret), "{arguments:?} shows {secret}:\n{shown}");
                }
                assert!(
                    !shown.contains("panicked") && !shown.contains("stack backtrace"),
                    "{arguments:?}:\n{shown}"
                );
                assert!(
                    output.status.code().is_some_and(|code| matches!(code, 0..=2 | 4)),
                    "{arguments:?}: {:?}",
                    output.status
                );
            }
        }
    }
}

#[test]
fn the_first_line_of_each_failure_says_so() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["manage", "lock-user", "nobody"][..],
        &["manage", "lock-user"],
        &["manage", "lock"],
        &["--config", "none.yaml", "config", "dump"],
        &["manage", "add-email", "alice", "\u{1b}[2J"],
        &["manage", "set-password", "alice"],
        &["manage", "register-user", "--yes", "-m", "none:x", "erin"],
    ] {
        let output = run(&sandbox, &[&["-q"], arguments].concat(), &[("RUST_BACKTRACE", "1")]);
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(shown.starts_with("Error: "), "{arguments:?}: {shown}");
        assert_eq!(shown.matches("Error: ").count(), 1, "{arguments:?}: {shown}");
        assert!(
            !shown.contains('\u{1b}') && output.stdout.is_empty(),
            "{arguments:?}: {shown}"
        );
        let output = run(&sandbox, &[arguments, &["--format", "json"]].concat(), &[]);
        let shown = String::from_utf8_lossy(&output.stderr);
        let object: serde_json::Value =
            serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {shown}"));
        let keys: Vec<_> = object["error"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(keys, ["code", "message", "help", "data", "at"], "{shown}");
    }
}

/// A name of 100 KB: the system itself takes arguments up to 128 KiB.
#[test]
fn a_huge_argument_is_answered_shortly() {
    let sandbox = Sandbox::new();
    let huge = "a".repeat(100_000);
    for arguments in [
        ["manage", "lock-user", huge.as_str()],
        ["manage", "add-email", huge.as_str()],
        ["manage", huge.as_str(), "x"],
        ["--format", huge.as_str(), "manage"],
        ["-c", huge.as_str(), "manage"],
    ] {
        for format in [&[][..], &["--format=json"]] {
            let output = run(&sandbox, &[format, &arguments[..]].concat(), &[]);
            let shown = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{shown:.500}");
            // The list of commands alone has 4 KB.
            assert!(shown.len() < 8_000, "{shown:.2000}");
        }
    }
}
