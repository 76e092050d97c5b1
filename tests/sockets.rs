//! PostgreSQL through its Unix socket, through the real binary, as a role that comes in no other way.

use rstest::rstest;

use crate::support::{
    guarded::{DATABASE, LOCAL, guarded},
    sandbox::Sandbox,
};

/// Configuration and environment: `{folder}` is that of the socket, `{encoded}` as in a URI.
#[rstest]
#[case::a_key(
    "socket: {folder}\n  port: {port}\n  username: {role}\n  database: {database}",
    &[],
)]
#[case::the_host_of_a_uri("uri: postgresql://{role}@{encoded}:{port}/{database}", &[])]
#[case::a_parameter_of_a_uri("uri: postgresql:///{database}?host={folder}&port={port}&user={role}", &[])]
#[case::a_variable(
    "ssl_mode: prefer",
    &[("PGHOST", "{folder}"), ("PGPORT", "{port}"), ("PGUSER", "{role}"), ("PGDATABASE", "{database}")],
)]
#[case::a_variable_that_fills_a_gap("username: {role}\n  database: {database}\n  port: {port}", &[("PGHOST", "{folder}")])]
fn the_socket_is_named_by(#[case] section: &str, #[case] variables: &[(&str, &str)]) {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", &format!("database:\n  {}\n", filled_in(section)));
    let mut command = sandbox.masctl(1);
    command.args(["manage", "list-admin-users", "--format", "ids"]);
    command.envs(variables.iter().map(|(name, value)| (name, filled_in(value))));
    let output = command.output().expect("masctl runs");
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(
        (shown(&output.stdout), shown(&output.stderr)),
        ("alice\n".to_owned(), String::new())
    );
}

#[test]
fn a_role_of_the_socket_cannot_come_by_tcp() {
    let sandbox = Sandbox::new();
    let uri = filled_in("postgresql://{role}@127.0.0.1:{port}/{database}");
    let mut command = sandbox.masctl(1);
    command.args(["manage", "list-admin-users"]).env("DATABASE_URL", uri);
    let output = command.output().expect("masctl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or_default();
    let expected = "Error: no pg_hba.conf entry for host \"127.0.0.1\", user \"local_only\", database \"mas\", ";
    assert!(first.starts_with(expected), "{said}");
}

fn filled_in(text: &str) -> String {
    let guarded = guarded();
    let folder = guarded.folder.display().to_string();
    text.replace("{encoded}", &folder.replace('/', "%2F"))
        .replace("{folder}", &folder)
        .replace("{port}", &guarded.port.to_string())
        .replace("{role}", LOCAL)
        .replace("{database}", DATABASE)
}
