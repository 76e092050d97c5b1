//! Rows that MAS would hardly write, but that people with psql, clients and upstream providers can.

use std::process::Output;

use crate::support::{
    cast,
    sandbox::Sandbox,
    store::{OpenStore, Store},
};
use rstest::rstest;

const LISTS: [&str; 10] = [
    "list-users",
    "list-sessions",
    "list-tokens",
    "list-registration-tokens",
    "list-links",
    "list-providers",
    "list-clients",
    "list-emails",
    "list-jobs",
    "show-user alice",
];

fn scene(kind: Store, name: &str, rows: &str) -> (Sandbox, OpenStore) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(kind, name, &sandbox);
    if kind == Store::Sqlite {
        let migrated = sandbox.masctl(0).args(["database", "migrate"]).output();
        assert!(migrated.expect("masctl runs").status.success());
    }
    let scope = match kind {
        Store::Sqlite => "'[\"openid\"]'",
        Store::Postgres => "'{openid}'",
    };
    let all = [
        cast::sql(),
        cast::jobs_sql(),
        cast::sessions_sql(scope),
        cast::tokens_sql(),
        cast::upstream_sql(),
        rows.to_owned(),
    ];
    store.query(&all.concat()).expect("the rows fit");
    (sandbox, store)
}

/// Runs a command, whose number tells its ids from those of others.
fn manage(sandbox: &Sandbox, number: usize, command: &str) -> Output {
    let mut masctl = sandbox.masctl(number);
    masctl.arg("manage").args(command.split(' '));
    masctl.output().expect("masctl runs")
}

/// PostgreSQL has moments that are further away than any that programs count with.
#[rstest]
fn moments_may_be_as_far_away_as_can_be(#[values("infinity", "-infinity", "290000-01-01", "4713-01-01 BC")] far: &str) {
    const COLUMNS: [(&str, &[&str]); 12] = [
        ("users", &["created_at", "locked_at"]),
        ("user_emails", &["created_at"]),
        ("user_sessions", &["created_at", "last_active_at"]),
        ("oauth2_sessions", &["created_at", "finished_at", "last_active_at"]),
        ("oauth2_clients", &["created_at"]),
        ("compat_sessions", &["created_at", "last_active_at"]),
        ("compat_access_tokens", &["created_at", "expires_at"]),
        (
            "user_registration_tokens",
            &["created_at", "expires_at", "last_used_at", "revoked_at"],
        ),
        ("upstream_oauth_links", &["created_at"]),
        ("upstream_oauth_providers", &["created_at", "disabled_at"]),
        ("queue_jobs", &["created_at", "started_at", "failed_at", "scheduled_at"]),
        ("policy_data", &["created_at"]),
    ];
    let updates = COLUMNS.map(|(table, columns)| {
        let settings: Vec<_> = columns.iter().map(|column| format!("{column} = '{far}'")).collect();
        format!("UPDATE {table} SET {};", settings.join(", "))
    });
    let (sandbox, store) = scene(
        Store::Postgres,
        &format!("far_{}", far.replace([' ', '-'], "_").to_lowercase()),
        &updates.concat(),
    );
    let deeds = [
        "show-policy-data",
        "lock-user alice",
        "edit-registration-token welcome --expires-in 3600",
        "unrevoke-registration-token welcome",
        "kill-session 01HV0000000000000000000B09",
        "kill-sessions alice --inactive-since 90d",
        "kill-sessions alice",
        "link-upstream bob 01HV0000000000000000000001:alice-there --move",
        "unlink-upstream bob 01HV0000000000000000000001:alice-there",
        "remove-email alice alice@example.com",
        "unlock-user alice",
    ];
    let json = LISTS.map(|command| format!("{command} --format json"));
    let commands = LISTS.iter().chain(&deeds).map(ToString::to_string).chain(json);
    for (number, command) in commands.enumerate() {
        let output = manage(&sandbox, number, &command);
        assert!(output.status.success(), "{command}: {output:?}");
    }
    let left = "SELECT (SELECT count(*) FROM compat_sessions WHERE finished_at IS NULL), \
                (SELECT count(*) FROM user_sessions WHERE finished_at IS NULL), \
                (SELECT count(*) FROM upstream_oauth_links), \
                (SELECT count(*) FROM user_registration_tokens WHERE expires_at > '2020-01-01' AND expires_at < '2021-01-01')";
    assert_eq!(store.query(left).expect("the SQL is right"), ["0 | 0 | 0 | 1"]);
}

/// A client chooses its own name and that of its session; an upstream provider that of its account.
#[rstest]
fn texts_of_others_are_cut_where_many_are_listed(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let long = "x".repeat(1_000_000);
    let texts: Vec<_> = (0..50_000).map(|number| format!("\"text:{number}\"")).collect();
    let texts = texts.join(",");
    let (list, sha256) = match kind {
        Store::Sqlite => (format!("'[{texts}]'"), format!("x'{}'", "ab".repeat(32))),
        Store::Postgres => (format!("'{{{texts}}}'"), format!("'\\x{}'", "ab".repeat(32))),
    };
    let rows = format!(
        "UPDATE compat_sessions SET human_name = '{long}', device_id = '{long}', user_agent = '{long}';
         UPDATE oauth2_sessions SET human_name = '{long}', scope_list = {list}, user_agent = '{long}';
         UPDATE user_sessions SET user_agent = '{long}';
         UPDATE oauth2_clients SET client_name = '{long}', client_uri = '{long}', redirect_uris = {list};
         UPDATE upstream_oauth_links SET human_account_name = '{long}';
         INSERT INTO personal_sessions (personal_session_id, created_at, owner_oauth2_client_id, actor_user_id, human_name, \
         scope_list) VALUES ({{ulid:01HV00000000000000000000P1}}, '{at}', {{ulid:{client}}}, {{ulid:{alice}}}, '{long}', {list});
         INSERT INTO personal_access_tokens (personal_access_token_id, personal_session_id, access_token_sha256, created_at) \
         VALUES ({{ulid:01HV00000000000000000000P2}}, {{ulid:01HV00000000000000000000P1}}, {sha256}, '{at}');",
        at = cast::CREATED_AT,
        client = cast::CLIENT,
        alice = cast::ALICE,
    );
    let (sandbox, _store) = scene(kind, "long_texts", &rows);
    for command in LISTS {
        let output = manage(&sandbox, 1, &format!("{command} --format json"));
        assert!(output.status.success(), "{command}: {output:?}");
        assert!(
            output.stdout.len() < 100_000,
            "{command}: {} bytes",
            output.stdout.len()
        );
    }
    let deeds = [
        "kill-session 01HV0000000000000000000X08 --format json",
        "revoke-token 01HV0000000000000000000T01 --format json",
        "revoke-token 01HV00000000000000000000P2 --format json",
        "unlink-upstream alice 01HV0000000000000000000001:alice-there",
    ];
    for (number, command) in deeds.into_iter().enumerate() {
        let output = manage(&sandbox, number, command);
        assert!(output.status.success(), "{command}: {output:?}");
        let shown = output.stdout.len() + output.stderr.len();
        assert!(shown < 100_000, "{command}: {shown} bytes");
    }
}

/// Who names a device, a session or a client could else make masctl say anything.
#[rstest]
fn names_of_others_make_no_lines(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let rows = "UPDATE compat_sessions SET device_id = 'PHONE\nDry run: nothing was changed';
         UPDATE oauth2_sessions SET user_id = NULL;
         UPDATE oauth2_clients SET client_name = 'Element\nWarning: lost';";
    let (sandbox, _store) = scene(kind, "lines", rows);
    for (number, (command, said)) in [
        (
            "kill-session 01HV0000000000000000000S01",
            "Ended the compatibility session 01HV0000000000000000000S01 of alice, device PHONE\\nDry run: nothing was changed",
        ),
        (
            "kill-session 01HV0000000000000000000X08",
            "Ended the OAuth 2.0 session 01HV0000000000000000000X08 of the client Element\\nWarning: lost",
        ),
        (
            "revoke-token 01HV0000000000000000000T01",
            "The compatibility token 01HV0000000000000000000T01 of alice, device PHONE\\nDry run: nothing was changed is revoked \
             already, since 2020-01-01 00:00:00Z",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let output = manage(&sandbox, number, command);
        let told = String::from_utf8_lossy(&output.stderr);
        let first = told.lines().next().unwrap_or_default();
        assert_eq!((output.status.code(), first), (Some(0), said));
    }
}
