//! The homeserver and the passwords, and what is refused.

use std::time::Duration;

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
fn an_endpoint_keeps_no_secret() {
    let scene = Scene::of("matrix: {secret: s, endpoint: 'https://u:hunter2@m.example.com/x?t=hunter2'}");
    let matrix = scene.load().matrix().unwrap();
    assert_eq!(matrix.endpoint.as_str(), "https://m.example.com/x");
    assert!(!format!("{matrix:?}").contains("hunter2"));
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
fn a_pepper_is_every_byte_of_its_file_and_a_file_without_any_is_refused() {
    let scene = Scene::of("passwords:\n  schemes:\n  - {version: 1, algorithm: argon2id, secret_file: p}\n");
    for pepper in ["\n", " x \n\n", "\0"] {
        fs::write(scene.path("p"), pepper).unwrap();
        let passwords = scene.load().passwords().unwrap();
        let read = passwords.schemes[0].pepper.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!(read, Some(pepper.as_bytes()));
    }
    fs::write(scene.path("p"), "").unwrap();
    let path = scene.path("p").display().to_string();
    let message = format!("`passwords.schemes[0].secret_file` names `{path}`, which is empty");
    expect(scene.load().passwords(), "config.invalid", &message, Some((3, 39)));
    fs::remove_file(scene.path("p")).unwrap();
    let message =
        format!("`{path}` (`passwords.schemes[0].secret_file`) cannot be read: No such file or directory (os error 2)");
    expect(scene.load().passwords(), "file.unreadable", &message, Some((3, 39)));
}

#[test]
fn masctl_has_settings_of_its_own() {
    assert_eq!(Scene::new().load().masctl().unwrap(), Masctl::default());
    let default = (Duration::from_secs(10), Duration::from_mins(1));
    for (yaml, expected) in [
        ("{}", default),
        ("{lock_timeout: 1}", (Duration::from_secs(1), default.1)),
        (
            "{statement_timeout: 86400, lock_timeout: null}",
            (default.0, Duration::from_hours(24)),
        ),
    ] {
        let masctl = Scene::of(&format!("masctl: {yaml}")).load().masctl().unwrap();
        assert_eq!((masctl.lock_timeout, masctl.statement_timeout), expected);
    }
    let keys = Scene::of("masctl: {editor: vi}").load().masctl().unwrap().editor;
    assert_eq!(keys, EditorKeys::Vi);
    for (yaml, problem, help) in [
        (
            "lock_timeout: 3601",
            "lock_timeout` must be a number of whole seconds from 1 to 3600, but is the number `3601`",
            "Write a number of whole seconds from 1 to 3600.",
        ),
        (
            "statement_timeout: 10s",
            "statement_timeout` must be a number of whole seconds from 1 to 86400, but is the text `10s`",
            "Write a number of whole seconds from 1 to 86400, without quotes.",
        ),
        (
            "editor: nano",
            "editor` is `nano`, which is not a value of it",
            "Allowed are `emacs`, `vi`.",
        ),
        (
            "lock_timout: 10",
            "lock_timout` is no setting of masctl",
            "Did you mean `masctl.lock_timeout`?",
        ),
        (
            "color:",
            "color` is no setting of masctl",
            "The settings are `lock_timeout`, `statement_timeout`, `scripts`, `deny`, `editor`.",
        ),
    ] {
        let configuration = Scene::of(&format!("masctl:\n  {yaml}\n")).load();
        let message = format!("`masctl.{problem}");
        let error = expect(configuration.masctl(), "config.invalid", &message, Some((2, 3)));
        assert_eq!(error.help_text(), Some(help));
    }
    let configuration = Scene::new().variable("MAS_MASCTL_LOCK_TIMEOUT", "5").load();
    let message = "`masctl.lock` (variable MAS_MASCTL_LOCK_TIMEOUT) is no setting of masctl";
    let error = expect(configuration.masctl(), "config.invalid", message, None);
    assert!(
        error.help_text().unwrap().contains("No variable reaches one with `_`"),
        "{error}"
    );
    let text = Scene::of("masctl: hunter2").load();
    let message = "`masctl` must be a mapping, but is text";
    let error = expect(text.masctl(), "config.invalid", message, Some((1, 1)));
    assert!(!error.excerpts()[0].text.contains("hunter2"));
}

#[test]
fn scripts_folders_start_from_the_file_that_names_them() {
    let scene = Scene::of("masctl:\n  scripts: [/srv/scripts, ~/scripts, '~', mine]\n").variable("HOME", "/home/op");
    let mine = scene.path("mine");
    let expected = ["/srv/scripts", "/home/op/scripts", "/home/op/"].map(PathBuf::from);
    assert_eq!(
        scene.load().script_folders().unwrap(),
        [&expected[..], &[mine]].concat()
    );
    let none = Scene::of("masctl: { scripts: [] }").load().script_folders();
    assert_eq!(none.unwrap(), Vec::<PathBuf>::new());
    for (yaml, message, place) in [
        ("scripts: /srv", "` must be a list, but is text", (2, 3)),
        ("scripts: ['']", "[0]` is empty", (2, 13)),
    ] {
        let message = format!("`masctl.scripts{message}");
        let configuration = Scene::of(&format!("masctl:\n  {yaml}\n")).load();
        expect(configuration.masctl(), "config.invalid", &message, Some(place));
    }
}

#[test]
fn without_a_setting_the_scripts_folders_are_those_that_are_there() {
    let scene = Scene::new();
    let folder = scene.path("settings/masctl/scripts");
    let settings = scene.path("settings").display().to_string();
    let scene = scene.variable("XDG_CONFIG_HOME", &settings);
    assert!(!scene.load().script_folders().unwrap().contains(&folder));
    fs::create_dir_all(&folder).unwrap();
    assert_eq!(scene.load().script_folders().unwrap()[0], folder);
}

#[test]
fn what_no_script_may_do_adds_up() {
    let scene = Scene::of("masctl: {deny: ['tokens:write']}").variable("MAS_MASCTL_DENY", "[files:read]");
    let denied: Vec<String> = scene
        .load()
        .masctl()
        .unwrap()
        .deny
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(denied, ["files:read", "tokens:write"]);
    // What an earlier file denies, no later one lifts.
    for later in [
        "masctl: ~",
        "masctl: {deny: ~}",
        "masctl: {deny: []}",
        "masctl: {}",
        "masctl: {lock_timeout: 5}",
    ] {
        let scene = Scene::of("masctl: {deny: ['tokens:write']}").file("later.yaml", later);
        let configuration = scene.load_with(&["config.yaml", "later.yaml"]).unwrap();
        assert_eq!(configuration.masctl().unwrap().deny.len(), 1, "{later}");
    }
    for later in [
        "masctl: x",
        "masctl: []",
        "masctl: {deny: x}",
        "masctl: {deny: {}}",
        "masctl: {deny: false}",
    ] {
        let scene = Scene::of("masctl: {deny: ['tokens:write']}").file("later.yaml", later);
        let configuration = scene.load_with(&["config.yaml", "later.yaml"]).unwrap();
        assert!(configuration.masctl().is_err(), "{later}");
    }
    for (item, problem, help) in [
        (
            "token:write",
            "[1]` is `token:write`, which is no capability",
            "Did you mean `tokens:write`?",
        ),
        (
            "files:read:/etc",
            "[1]` is `files:read:/etc`, which is no capability",
            "Files are denied together: write `files:read`.",
        ),
        (
            "5",
            "[1]` must be text, but is the number `5`",
            "Put the value in quotes.",
        ),
    ] {
        let configuration = Scene::of(&format!("masctl:\n  deny: [users:write, {item}]\n")).load();
        let message = format!("`masctl.deny{problem}");
        let error = expect(configuration.masctl(), "config.invalid", &message, Some((2, 23)));
        assert_eq!(error.help_text(), Some(help));
    }
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
