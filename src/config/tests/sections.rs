//! The homeserver and the passwords, and what is refused.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn the_homeserver_has_defaults_and_a_secret() {
    let matrix = Scene::of("matrix: {secret: s}").load().matrix().unwrap();
    assert_eq!(
        format!(
            "{:?} {} {} {}",
            matrix.kind,
            matrix.homeserver,
            matrix.endpoint,
            matrix.secret.expose_secret()
        ),
        "Synapse localhost:8008 http://localhost:8008/ s"
    );
    for (name, kind) in [
        ("synapse", HomeserverKind::Synapse),
        ("synapse_modern", HomeserverKind::Synapse),
        ("synapse_legacy", HomeserverKind::SynapseLegacy),
        ("synapse_read_only", HomeserverKind::SynapseReadOnly),
    ] {
        let scene = Scene::of(&format!(
            "matrix: {{kind: {name}, homeserver: example.com, endpoint: 'https://m.example.com/x', secret_file: s}}"
        ))
        .file("s", "\n hunter2\n\n");
        let matrix = scene.load().matrix().unwrap();
        assert_eq!(
            (
                matrix.kind,
                &*matrix.homeserver,
                matrix.endpoint.as_str(),
                matrix.secret.expose_secret()
            ),
            (kind, "example.com", "https://m.example.com/x", "hunter2")
        );
    }
}

#[test]
fn a_homeserver_that_cannot_be_used_is_refused() {
    let absent = "The configuration has no section `matrix`: the homeserver is unknown";
    expect(Scene::of("").load().matrix(), "config.missing", absent, None);
    expect(Scene::of("").load().server_name(), "config.missing", absent, None);
    expect(Scene::new().load().matrix(), "config.missing", absent, None);
    let missing = Scene::of("a: 1\nmatrix:\n  homeserver: example.com\n").load();
    assert_eq!(missing.server_name().unwrap(), "example.com");
    expect(
        missing.matrix(),
        "config.missing",
        "`matrix.secret` is missing",
        Some((2, 1)),
    );
    for (yaml, message) in [
        ("secret: ''", "`matrix.secret` is empty"),
        ("secret: 5", "`matrix.secret` must be text, but is a number"),
        (
            "homeserver: https://example.com",
            "`matrix.homeserver` is not a server name",
        ),
        (
            "endpoint: localhost:8008",
            "`matrix.endpoint` is not a URL of `http` or `https`",
        ),
        (
            "endpoint: x",
            "`matrix.endpoint` is not a URL (relative URL without a base)",
        ),
        (
            "kind: dendrite",
            "`matrix.kind` is `dendrite`, which is not a value of it",
        ),
    ] {
        let configuration = Scene::of(&format!("matrix:\n  {yaml}\n")).load();
        expect(configuration.matrix(), "config.invalid", message, Some((2, 3)));
    }
    let both = Scene::of("matrix:\n  secret: a\n  secret_file: b\n").load();
    let message = "`matrix.secret` and `matrix.secret_file` exclude each other";
    expect(both.matrix(), "config.invalid", message, Some((3, 3)));
}

#[test]
fn a_secret_file_that_cannot_be_used_is_named() {
    let scene = Scene::of("matrix:\n  secret_file: s\n");
    let path = scene.path("s").display().to_string();
    let message = format!("`{path}` (`matrix.secret_file`) cannot be read: No such file or directory (os error 2)");
    expect(scene.load().matrix(), "file.unreadable", &message, Some((2, 3)));
    for (bytes, problem) in [
        (b" \n".to_vec(), "empty"),
        (vec![0xff], "not UTF-8"),
        (vec![b'x'; 70_000], "larger than 64 KiB"),
    ] {
        fs::write(scene.path("s"), bytes).unwrap();
        let message = format!("`matrix.secret_file` names `{path}`, which is {problem}");
        expect(scene.load().matrix(), "config.invalid", &message, Some((2, 3)));
    }
}

#[test]
fn password_schemes_are_sorted_and_their_peppers_read() {
    let default = Scene::new().load().passwords().unwrap();
    let expected = "Passwords { enabled: true, minimum_complexity: 3, schemes: [Scheme { version: 1, algorithm: Argon2id, \
                    unicode_normalization: false, cost: None, pepper: None }] }";
    assert_eq!(format!("{default:?}"), expected);
    let scene = Scene::of(
        "passwords:\n  minimum_complexity: 0\n  schemes:\n  - {version: 1, algorithm: bcrypt, cost: 10, secret_file: p}\n  \
         - {version: 3, algorithm: argon2id, secret: ñ, unicode_normalization: true}\n  - {version: 2, algorithm: pbkdf2}\n",
    )
    .file("p", b" \xffpepper\n");
    let passwords = scene.load().passwords().unwrap();
    let told: Vec<_> = passwords
        .schemes
        .iter()
        .map(|scheme| {
            let pepper = scheme.pepper.as_ref().map(|pepper| pepper.expose_secret().to_vec());
            (
                scheme.version,
                scheme.algorithm,
                scheme.unicode_normalization,
                scheme.cost,
                pepper,
            )
        })
        .collect();
    let expected = [
        (3, Algorithm::Argon2id, true, None, Some("ñ".as_bytes().to_vec())),
        (2, Algorithm::Pbkdf2, false, None, None),
        (1, Algorithm::Bcrypt, false, Some(10), Some(b" \xffpepper\n".to_vec())),
    ];
    assert_eq!((passwords.minimum_complexity, told.as_slice()), (0, &expected[..]));
}

#[test]
fn wrong_password_settings_are_refused() {
    for (yaml, code, message, place) in [
        ("schemes: []", "config.invalid", "`passwords.schemes` is empty", (2, 3)),
        (
            "schemes: x",
            "config.invalid",
            "`passwords.schemes` must be a list, but is text",
            (2, 3),
        ),
        (
            "schemes: [x]",
            "config.invalid",
            "`passwords.schemes[0]` must be a mapping, but is text",
            (2, 13),
        ),
        (
            "schemes:\n  - version: 1\n    algorithm: bcrypt\n  - algorithm: pbkdf2\n    version: 1",
            "config.invalid",
            "`passwords.schemes[1].version` is 1, as that of another scheme",
            (6, 5),
        ),
        (
            "schemes: [{version: 1}]",
            "config.missing",
            "`passwords.schemes[0].algorithm` is missing",
            (2, 13),
        ),
        (
            "schemes: [{algorithm: bcrypt}]",
            "config.missing",
            "`passwords.schemes[0].version` is missing",
            (2, 13),
        ),
        (
            "schemes: [{algorithm: md5, version: 1}]",
            "config.invalid",
            "`passwords.schemes[0].algorithm` is `md5`, which is not a value of it",
            (2, 14),
        ),
        (
            "minimum_complexity: 256",
            "config.invalid",
            "`passwords.minimum_complexity` must be a whole number from 0 to 255, but is the number `256`",
            (2, 3),
        ),
    ] {
        let text = format!("passwords:\n  {yaml}\n");
        expect(Scene::of(&text).load().passwords(), code, message, Some(place));
    }
}

#[test]
fn schemes_of_disabled_passwords_do_not_count_and_those_of_files_add_up() {
    let disabled = Scene::of("passwords: {enabled: false, schemes: []}")
        .load()
        .passwords()
        .unwrap();
    assert!(!disabled.enabled && disabled.schemes.is_empty());
    let twice = Scene::new()
        .file("a.yaml", "passwords: {schemes: [{version: 1, algorithm: bcrypt}]}")
        .file(
            "b.yaml",
            "passwords:\n  schemes:\n  - version: 1\n    algorithm: pbkdf2\n",
        );
    let error = twice.load_with(&["a.yaml", "b.yaml"]).unwrap().passwords().unwrap_err();
    let message = "`passwords.schemes[1].version` is 1, as that of another scheme";
    assert_eq!(told(&error), ("config.invalid", message.to_owned(), Some((3, 5))));
    assert_eq!(error.excerpts()[0].name, "b.yaml");
}
