//! What `config check` says: about each section, about files, and about all that is wrong at once.

use super::*;

fn errors(scene: &Scene) -> Vec<String> {
    let errors = scene.load().check().unwrap_err();
    errors
        .iter()
        .map(|error| {
            let (code, message, place) = told(error);
            let place = place.map_or_else(String::new, |(line, column)| format!(" at {line}:{column}"));
            format!("{code}: {message}{place}")
        })
        .collect()
}

#[test]
fn a_broken_section_does_not_disturb_another() {
    let configuration = Scene::of("database: 5\nmatrix: [x]\npasswords: {}\nunknown: {key: [1]}\n").load();
    assert!(configuration.passwords().is_ok());
    assert!(configuration.database().is_err());
    let errors = configuration.check().unwrap_err();
    let messages: Vec<_> = errors.iter().map(Error::message).collect();
    let expected = [
        "`database` must be a mapping, but is a number",
        "`matrix` must be a mapping, but is a list",
    ];
    assert_eq!(messages, expected);
}

fn finding(section: &'static str, present: bool, summary: &str) -> Finding {
    Finding {
        section,
        present,
        summary: summary.to_owned(),
        files: Vec::new(),
    }
}

#[test]
fn checking_tells_what_each_section_comes_to() {
    let scene = Scene::of(
        "database: {uri: 'postgresql://u:p@db/mas', ssl_ca_file: ca}\nmatrix: {homeserver: example.com, secret_file: s, \
         endpoint: 'https://u:p@m.example.com/?t=x'}\nclients: []\nmasctl: {lock_timeout: 3}\nhttp:\nx-a: 1\nemial: {}\n",
    );
    let path = |name: &str| scene.path(name).display().to_string();
    let unread = |name: &str, key: &str, place: &str| {
        let path = path(name);
        format!("file.unreadable: `{path}` (`{key}`) cannot be read: No such file or directory (os error 2) at {place}")
    };
    let expected = [
        unread("ca", "database.ssl_ca_file", "1:44"),
        unread("s", "matrix.secret_file", "2:35"),
    ];
    assert_eq!(errors(&scene), expected);
    let scene = scene.file("ca", "-----BEGIN CERTIFICATE-----").file("s", "x");
    let homeserver = "Synapse at https://m.example.com/; the server name is example.com";
    let with = |key: &str, name: &str, finding: Finding| {
        let (key, path) = (key.to_owned(), scene.path(name));
        Finding {
            files: vec![NamedFile { key, path }],
            ..finding
        }
    };
    let database = finding("database", true, "postgresql://db/mas");
    let expected = [
        with("database.ssl_ca_file", "ca", database),
        with("matrix.secret_file", "s", finding("matrix", true, homeserver)),
        finding("passwords", false, "version 1 hashes with argon2id"),
        finding("masctl", true, "waits 3 s for a lock, 60 s for a statement"),
        finding("clients", true, "0 clients, which only MAS uses"),
    ];
    assert_eq!(scene.load().check().unwrap(), expected);
    assert_eq!(scene.load().files(), [scene.path("config.yaml")]);
}

#[test]
fn what_is_not_configured_has_its_defaults() {
    let expected = [
        finding("database", false, "the embedded store ~/.local/share/masctl/masctl.db"),
        finding("matrix", false, "no homeserver; the server name is localhost"),
        finding("passwords", false, "version 1 hashes with argon2id"),
        finding("masctl", false, "waits 10 s for a lock, 60 s for a statement"),
    ];
    assert_eq!(Scene::new().load().check().unwrap(), expected);
    assert_eq!(
        errors(&Scene::of("")),
        ["config.missing: The configuration has no section `matrix`: the homeserver is unknown"]
    );
}

#[test]
fn sections_that_are_passed_over_are_named() {
    let unused = Scene::of("http:\nx-a: 1\nemial: {}\nmatrix: {}\n").load().unused();
    let told: Vec<_> = unused.iter().map(|it| (&*it.name, it.of_mas, it.meant)).collect();
    let expected = [
        ("emial", false, Some("email")),
        ("http", true, None),
        ("x-a", false, None),
    ];
    assert_eq!(told, expected);
}

#[test]
fn everything_that_is_wrong_in_a_section_is_told_at_once() {
    let scene = Scene::of(
        "database:\n  port: x\n  password_file: none\n  ssl_key: k\n  max_connections: 0\nmatrix:\n  kind: x\n  homeserver: a/b\n  \
         endpoint: x\n  secret: [x]\npasswords:\n  minimum_complexity: x\n  schemes:\n  - version: 1\n    algorithm: x\n    \
         secret: a\n    secret_file: b\n  - x\n  - version: 1\n    algorithm: bcrypt\nmasctl:\n  lock_timeout: 0\n  x: 1\n",
    );
    let expected = "\
config.invalid: `database.port` must be a whole number from 1 to 65535, but is the text `x` at 2:3
file.unreadable: `NONE` (`database.password_file`) cannot be read: No such file or directory (os error 2) at 3:3
config.invalid: `database.ssl_key` needs `database.ssl_certificate` or `database.ssl_certificate_file` beside it at 4:3
config.invalid: `database.max_connections` must be a whole number from 1 to 4294967295, but is the number `0` at 5:3
config.invalid: `matrix.kind` is `x`, which is not a value of it at 7:3
config.invalid: `matrix.homeserver` is not a server name at 8:3
config.invalid: `matrix.endpoint` is not a URL (relative URL without a base) at 9:3
config.invalid: `matrix.secret` must be text, but is a list at 10:3
config.invalid: `passwords.minimum_complexity` must be a whole number from 0 to 255, but is the text `x` at 12:3
config.invalid: `passwords.schemes[1]` must be a mapping, but is text at 18:5
config.invalid: `masctl.x` is no setting of masctl at 23:3
config.invalid: `masctl.lock_timeout` must be a number of whole seconds from 1 to 3600, but is the number `0` at 22:3";
    let expected = expected.replace("NONE", &scene.path("none").display().to_string());
    assert_eq!(errors(&scene).join("\n"), expected);
    let scene = Scene::of(
        "database: {}\nmatrix: {secret: x}\npasswords:\n  schemes:\n  - version: 1\n    algorithm: x\n    secret: a\n    \
         secret_file: b\n  - version: 2\n    algorithm: bcrypt\n  - version: 2\n    algorithm: bcrypt\n",
    );
    let expected = "\
config.invalid: `passwords.schemes[0].algorithm` is `x`, which is not a value of it at 6:5
config.invalid: `passwords.schemes[0].secret` and `passwords.schemes[0].secret_file` exclude each other at 8:5
config.invalid: `passwords.schemes[2].version` is 2, as that of another scheme at 11:5";
    assert_eq!(errors(&scene).join("\n"), expected);
}

#[test]
fn no_more_errors_are_told_than_are_read() {
    let scheme = "  - {version: x, algorithm: x}\n";
    let scene = Scene::of(&format!(
        "database: {{}}\npasswords:\n  schemes:\n{}",
        scheme.repeat(5_000)
    ));
    let errors = errors(&scene);
    assert_eq!(errors.len(), 51);
    assert_eq!(
        errors[50],
        "config.invalid: The configuration has more than 50 errors: these are the first"
    );
    let scheme = "  - {version: x, algorithm: bcrypt}\n";
    let scene = Scene::of(&format!(
        "database: {{}}\nmatrix: {{secret: x}}\npasswords:\n  schemes:\n{}",
        scheme.repeat(50)
    ));
    assert_eq!(scene.load().check().unwrap_err().len(), 50);
}
