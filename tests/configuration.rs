//! Where the configuration comes from, through the real binary: files, variables and `.env`, and the database that they
//! lead to.

use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
    time::{Duration, Instant},
};

use nix::unistd::{User, geteuid};
use sqlx::{ConnectOptions, Connection};

use crate::support::{
    postgres::{Database, Server, server},
    sandbox::Sandbox,
};

const REACHED: &str = "{\"owner\":\"MAS\"}\n";

/// masctl with `arguments`, `.env` and all, as its stdout and stderr.
fn outcome(mut command: Command, arguments: &[&str]) -> (String, String) {
    let output = command.args(arguments).output().expect("masctl runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("masctl writes UTF-8");
    (text(output.stdout), text(output.stderr))
}

/// Asserts that a configuration leads to a database of MAS.
#[track_caller]
fn reaches(command: Command) {
    let arguments = ["database", "status", "--format", "json", "--fields", "owner"];
    assert_eq!(outcome(command, &arguments), (REACHED.to_owned(), String::new()));
}

/// The driver's variables for a database, without those that are left out.
fn driver(database: &Database, left_out: &[&str]) -> Vec<(&'static str, String)> {
    let Server {
        host,
        port,
        username,
        password,
        ..
    } = server();
    [
        ("PGHOST", host.clone()),
        ("PGPORT", port.to_string()),
        ("PGUSER", username.clone()),
        ("PGPASSWORD", password.clone().unwrap_or_default()),
        ("PGDATABASE", database.name.clone()),
    ]
    .into_iter()
    .filter(|(name, _)| !left_out.contains(name))
    .collect()
}

fn uri(database: &Database) -> String {
    let Server {
        host,
        port,
        username,
        password,
        ..
    } = server();
    let password = password.as_deref().unwrap_or("x");
    format!("postgresql://{username}:{password}@{host}:{port}/{}", database.name)
}

#[test]
fn the_drivers_variables_fill_the_gaps() {
    let database = Database::create("configuration_gaps");
    let sandbox = Sandbox::new();
    let Server { host, port, .. } = server();
    for (yaml, left_out) in [
        ("database: {}".to_owned(), &[][..]),
        ("matrix: {secret: x}".to_owned(), &[]),
        ("database: {uri: 'postgresql://'}".to_owned(), &[]),
        (
            format!("database: {{uri: 'postgresql://{host}/{}'}}", database.name),
            &["PGHOST", "PGDATABASE"],
        ),
        (
            format!("database: {{host: '{host}', port: {port}}}"),
            &["PGHOST", "PGPORT"],
        ),
    ] {
        sandbox.write("config.yaml", &yaml);
        let mut command = sandbox.masctl(0);
        command.envs(driver(&database, left_out));
        reaches(command);
    }
}

#[test]
fn files_variables_and_dotenv_are_found_and_ranked_as_in_mas() {
    let database = Database::create("configuration_sources");
    let sandbox = Sandbox::new();
    let inner = sandbox.path().join("a/b");
    fs::create_dir_all(&inner).expect("the folder can be made");
    let uri = uri(&database);
    let inside = || {
        let mut command = sandbox.masctl(0);
        command.current_dir(&inner);
        command
    };
    // A variable alone; one of a `.env` above, which the process's own replaces.
    let mut command = inside();
    command.env("MAS_DATABASE_URI", &uri);
    reaches(command);
    sandbox.write(".env", &format!("MAS_DATABASE_URI='{uri}'\n"));
    reaches(inside());
    let origin = |mut command: Command| {
        command.env("MAS_DATABASE_URI", "postgresql://elsewhere/mas");
        outcome(command, &["config", "dump", "-v"]).0
    };
    let expected = "database:\n  uri: postgresql://elsewhere/mas  # MAS_DATABASE_URI\n";
    assert_eq!(origin(inside()), expected);
    // A file above wins over the variables.
    sandbox.write("config.yaml", "database: {uri: 'postgresql://file/mas'}");
    let place = sandbox.path().join("config.yaml").display().to_string();
    let expected = format!("database:\n  uri: postgresql://file/mas  # {place}:1:12\n");
    assert_eq!(origin(inside()), expected);
    // The list of files, and `--config`, which leaves the list aside; both search above.
    sandbox.write("one.yaml", "database: {uri: 'postgresql://elsewhere/mas'}");
    sandbox.write("two.yaml", &format!("database: {{uri: '{uri}'}}"));
    let mut command = inside();
    command.env("MAS_CONFIG", "one.yaml:two.yaml");
    reaches(command);
    let mut command = inside();
    command.env("MAS_CONFIG", "one.yaml").args(["-c", "two.yaml"]);
    reaches(command);
}

#[test]
fn the_ssl_mode_wins_over_that_of_the_uri() {
    let database = Database::create("configuration_ssl");
    let sandbox = Sandbox::new();
    let uri = uri(&database);
    // The server of the tests speaks no TLS: asking for it fails, and the key takes that back.
    sandbox.write(
        "config.yaml",
        &format!("database: {{uri: '{uri}?sslmode=require', ssl_mode: disable}}"),
    );
    reaches(sandbox.masctl(0));
    sandbox.write(
        "config.yaml",
        &format!("database: {{uri: '{uri}?sslmode=disable', ssl_mode: require}}"),
    );
    if server().socket_folder.is_some() {
        let (stdout, stderr) = outcome(sandbox.masctl(0), &["database", "status"]);
        assert!(stdout.is_empty() && stderr.contains("TLS"), "{stderr}");
    }
}

#[test]
fn a_socket_is_given_by_its_folder() {
    let database = Database::create("configuration_socket");
    let Some(folder) = &server().socket_folder else { return };
    let sandbox = Sandbox::new();
    let encoded = folder.display().to_string().replace('/', "%2F");
    let (name, port) = (&database.name, server().port);
    for yaml in [
        format!(
            "database: {{socket: '{}', port: {port}, username: postgres, database: {name}}}",
            folder.display()
        ),
        format!("database: {{uri: 'postgresql://postgres@{encoded}:{port}/{name}'}}"),
        format!(
            "database: {{uri: 'postgresql:///{name}?user=postgres&host={}&port={port}'}}",
            folder.display()
        ),
    ] {
        sandbox.write("config.yaml", &yaml);
        reaches(sandbox.masctl(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_as_long_as_masctls_own_section_says() {
    let database = Database::create("configuration_lock");
    let sandbox = Sandbox::new();
    sandbox.write(
        "config.yaml",
        &format!(
            "database: {{uri: '{}'}}\nmatrix: {{homeserver: example.com, secret: x}}\nmasctl: {{lock_timeout: 1}}\n",
            uri(&database)
        ),
    );
    let mut holder = database.options().connect().await.expect("the server answers");
    sqlx::raw_sql("BEGIN; LOCK TABLE user_registration_tokens IN ACCESS EXCLUSIVE MODE")
        .execute(&mut holder)
        .await
        .expect("the lock is free");
    let start = Instant::now();
    let (stdout, stderr) = outcome(sandbox.masctl(0), &["manage", "issue-user-registration-token"]);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(stdout, "");
    assert!(stderr.starts_with("Error: "), "{stderr}");
    assert!(stderr.contains("lock"), "{stderr}");
    holder.close().await.expect("the connection is there");
}

#[test]
fn a_configuration_file_that_this_user_may_not_read() {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", "database: {}\n");
    let close = |name: &str| fs::set_permissions(sandbox.path().join(name), Permissions::from_mode(0o000));
    close("config.yaml").expect("the mode can be set");
    let mut command = sandbox.masctl(0);
    if geteuid().is_root() {
        // root may read everything.
        let nobody = User::from_name("nobody")
            .ok()
            .flatten()
            .expect("a user other than root");
        nix::unistd::chown(sandbox.path(), Some(nobody.uid), None).expect("root gives folders away");
        command.uid(nobody.uid.as_raw());
    }
    let expected = "Error: `config.yaml` cannot be read: Permission denied (os error 13)\n  help: Make the configuration file \
                    readable for this user, or name another one with --config.\n";
    assert_eq!(
        outcome(command, &["config", "check"]),
        (String::new(), expected.to_owned())
    );
}
