//! A dry run leaves every row as it is, of every command, also where it is for many accounts.

use std::{fs, process::Stdio};

use crate::support::{
    cast,
    sandbox::Sandbox,
    snapshot::{Difference, Snapshot},
    store::{OpenStore, Store},
};
use rstest::rstest;

const LINK: &str = "01HV0000000000000000000001:alice-there";

/// Each changes something of the cast.
const DEEDS: [&[&str]; 26] = [
    &["set-password", "alice", "--generate-password"],
    &["remove-passwords", "alice"],
    &["add-email", "alice", "new@example.com"],
    &["remove-email", "alice", "alice@example.com"],
    &["move-email", "alice@example.com", "carol"],
    &["promote-admin", "alice"],
    &["demote-admin", "carol"],
    &["lock-user", "alice", "--deactivate"],
    &["unlock-user", "bob", "--reactivate"],
    &["deactivate-user", "alice", "--erase"],
    &["reactivate-user", "dave"],
    &["set-display-name", "alice", "Ann"],
    &["register-user", "erin", "--yes", "--email", "erin@example.com"],
    &["register-user", "taken", "--yes", "--skip-homeserver-check"],
    &["kill-sessions", "alice"],
    &["kill-session", cast::OAUTH_SESSION],
    &["issue-compatibility-token", "alice", "PHONE"],
    &[
        "issue-personal-token",
        "alice",
        "--name",
        "p",
        "--scope",
        "urn:matrix:client:device:PHONE00000",
    ],
    &["rotate-token", cast::TOKEN],
    &["revoke-token", cast::TOKEN],
    &["issue-user-registration-token"],
    &["edit-registration-token", "welcome", "--expires-in", "1h"],
    &["revoke-registration-token", "welcome"],
    &["link-upstream", "bob", LINK, "--move"],
    &["unlink-upstream", "alice", LINK],
    &["provision-all-users"],
];

/// Each is done for all of the cast.
const FOR_MANY: [&[&str]; 7] = [
    &["lock-user", "-", "--deactivate"],
    &["deactivate-user", "-"],
    &["kill-sessions", "-"],
    &["remove-passwords", "-"],
    &["set-password", "-", "--generate-password"],
    &["issue-compatibility-token", "-", "PHONE"],
    &["set-display-name", "-", "Ann"],
];

#[rstest]
fn a_dry_run_leaves_all_rows_as_they_are(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(kind, "dry_runs", &sandbox);
    let scope = match kind {
        Store::Sqlite => "'[\"openid\"]'",
        Store::Postgres => "'{openid}'",
    };
    if kind == Store::Sqlite {
        let migrated = sandbox.masctl(0).args(["database", "migrate"]).output();
        assert!(migrated.expect("masctl runs").status.success());
    }
    let password = format!(
        "INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) VALUES \
         ({{ulid:01HV00000000000000000000H1}}, {{ulid:{}}}, 'x', 1, '{}');",
        cast::ALICE,
        cast::CREATED_AT
    );
    let rows = [
        cast::sql(),
        cast::sessions_sql(scope),
        cast::tokens_sql(),
        cast::upstream_sql(),
        password,
    ];
    store.query(&rows.concat()).expect("the cast fits");
    sandbox.write("names", "alice\nbob\nnobody\ncarol\ndave\n");
    let before = Snapshot::take(&store).expect("it can be read");
    for (number, deed) in DEEDS.iter().chain(&FOR_MANY).enumerate() {
        let names = fs::File::open(sandbox.path().join("names")).expect("it was written");
        let output = sandbox
            .masctl(number)
            .arg("manage")
            .args(*deed)
            .arg("--dry-run")
            .stdin(Stdio::from(names))
            .output()
            .expect("masctl runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("Would "), "{deed:?}: {told}");
        let code = if deed.contains(&"-") { 4 } else { 0 };
        assert_eq!(output.status.code(), Some(code), "{deed:?}: {told}");
        let after = Snapshot::take(&store).expect("it can be read");
        let differences: Vec<_> = before.differences(&after).iter().map(Difference::lines).collect();
        assert!(differences.is_empty(), "{deed:?}: {differences:#?}");
    }
    let homeserver = store.homeserver().expect("it has one");
    let asked = homeserver.take_requests();
    assert!(asked.iter().all(|request| request.starts_with("GET ")), "{asked:#?}");
}
