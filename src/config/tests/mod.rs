//! The configuration as a whole: which files and variables count, what each section comes to, and what is refused.

use std::{fs, path::PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::*;

mod database;
mod sections;

/// A folder with files, and variables.
struct Scene {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Scene {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: vec![("HOME".to_owned(), "/home/alice".to_owned())],
        }
    }

    /// A scene whose `config.yaml` is this.
    fn of(yaml: &str) -> Self {
        Self::new().file("config.yaml", yaml)
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn environment(&self) -> Environment {
        Environment::new(self.variables.clone(), self.folder.path())
    }

    fn load(&self) -> Configuration {
        self.load_with(&[]).unwrap()
    }

    fn load_with(&self, files: &[&str]) -> Result<Configuration> {
        let files: Vec<_> = files.iter().map(PathBuf::from).collect();
        Configuration::load(&files, &self.environment())
    }
}

/// Code, message, and place of an error.
fn told(error: &Error) -> (&'static str, String, Option<(usize, usize)>) {
    let place = error.excerpts().first().map(crate::error::Excerpt::line_and_column);
    (error.code().as_str(), error.message().to_owned(), place)
}

fn expect<T>(result: Result<T>, code: &'static str, message: &str, place: Option<(usize, usize)>) -> Error {
    let error = result.err().expect("an error");
    assert_eq!(told(&error), (code, message.to_owned(), place));
    assert!(error.help_text().is_some_and(|help| !help.is_empty()), "{error}");
    error
}

#[test]
fn sources_merge_as_in_mas() {
    let scene = Scene::new()
        .file(
            "a.yaml",
            "matrix: {homeserver: a, kind: synapse}\nlist: [1]\nx: {y: 1}\n",
        )
        .file("b.yaml", "matrix: {homeserver: b}\nlist: [2]\nx: z\n'1': q\ntrue: w\n")
        .variable("MAS_MATRIX_HOMESERVER", "v")
        .variable("MAS_MATRIX_ENDPOINT", "http://v/")
        .variable("MAS_LIST", "[0]");
    let expected = json!({
        "1": "q",
        "list": [0, 1, 2],
        "matrix": { "endpoint": "http://v/", "homeserver": "b", "kind": "synapse" },
        "true": "w",
        "x": "z",
    });
    let configuration = scene.load_with(&["a.yaml", "b.yaml"]).unwrap();
    assert_eq!(configuration.dump(), expected);
    assert_eq!(configuration.origin("list[2]").unwrap(), "b.yaml:2:8");
    assert_eq!(configuration.origin("list[0]").unwrap(), "MAS_LIST");
    assert_eq!(configuration.origin("matrix.kind").unwrap(), "a.yaml:1:25");
    assert_eq!(configuration.origin("matrix.endpoint").unwrap(), "MAS_MATRIX_ENDPOINT");
    for absent in ["", "list[3]", "list.0", "matrix.secret", "x.y", "x[0]"] {
        assert_eq!(configuration.origin(absent), None, "{absent}");
    }
}

#[test]
fn files_are_found_here_or_above() {
    let scene = Scene::of("a: 1").file("b.yaml", "b: 1").file("c.yaml", "c: 1");
    let inner = scene.path("x/y");
    fs::create_dir_all(&inner).unwrap();
    // A folder of the name is no file.
    fs::create_dir_all(inner.join("config.yaml")).unwrap();
    let load = |files: &[PathBuf], variables: &[(&str, &str)]| {
        let environment = Environment::new(variables.iter().copied(), &inner);
        Configuration::load(files, &environment).unwrap().dump()
    };
    assert_eq!(load(&[], &[]), json!({ "a": 1 }));
    assert_eq!(load(&[], &[("MAS_CONFIG", "b.yaml:c.yaml")]), json!({ "b": 1, "c": 1 }));
    assert_eq!(
        load(&[scene.path("c.yaml")], &[("MAS_CONFIG", "b.yaml")]),
        json!({ "c": 1 })
    );
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let scene = Scene::of("a: 1");
    let message = "The configuration file `none.yaml` (--config) does not exist";
    expect(
        scene.load_with(&["config.yaml", "none.yaml"]),
        "config.missing",
        message,
        None,
    );
    let scene = scene.variable("MAS_CONFIG", "/none.yaml");
    let message = "The configuration file `/none.yaml` (MAS_CONFIG) does not exist";
    expect(scene.load_with(&[]), "config.missing", message, None);
    let scene = Scene::of("a: 1").variable("MAS_CONFIG", "");
    expect(
        scene.load_with(&[]),
        "config.missing",
        "MAS_CONFIG is set, but names no file",
        None,
    );
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    for (text, message, place) in [
        (&b"- 1"[..], "`config.yaml` must be a mapping, but is a list", (1, 1)),
        (b"text", "`config.yaml` must be a mapping, but is text", (1, 1)),
        (b"a: 1\n\xc3\xa1: \xff", "`config.yaml` is not UTF-8", (2, 4)),
        (
            b"a: 1\nb: 1\na: 2",
            "`config.yaml` is not valid YAML: the key `a` is there twice",
            (1, 1),
        ),
        (
            b"a: 1\nb: [",
            "`config.yaml` is not valid YAML: did not find expected node content",
            (2, 5),
        ),
        (b"a: *b", "`config.yaml` is not valid YAML: unknown anchor", (1, 4)),
    ] {
        let scene = Scene::new().file("config.yaml", text);
        expect(scene.load_with(&[]), "config.invalid", message, Some(place));
    }
    for empty in ["", "# nothing\n", "---\n", "\u{feff}"] {
        assert_eq!(Scene::of(empty).load().dump(), json!({}));
    }
}

#[test]
fn a_huge_file_is_refused() {
    let bomb = (1..12).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("{text}a{level}: &a{level} [{inner}]\n")
    });
    let error = Scene::of(&bomb).load_with(&[]).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    for deep in ["[".repeat(9_000), "[".repeat(1_000_000), "- ".repeat(100_000)] {
        let error = Scene::of(&format!("a:\n  {deep}")).load_with(&[]).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
    }
    let large = "# 7890\n".repeat(200_000);
    expect(
        Scene::of(&large).load_with(&[]),
        "config.invalid",
        "`config.yaml` is larger than 1 MiB",
        None,
    );
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

#[test]
fn checking_tells_what_each_section_comes_to() {
    let scene = Scene::of(
        "database: {uri: 'postgresql://u:p@db/mas', ssl_ca_file: ca}\nmatrix: {homeserver: example.com, secret: s, \
         endpoint: 'https://u:p@m.example.com/?t=x'}\n",
    );
    let errors = scene.load().check().unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code(), Code::FileUnreadable);
    let scene = scene.file("ca", "PEM");
    let finding = |section, present, summary: &str| Finding {
        section,
        present,
        summary: summary.to_owned(),
    };
    let expected = [
        finding("database", true, "postgresql://db/mas"),
        finding(
            "matrix",
            true,
            "Synapse at https://m.example.com/; the server name is example.com",
        ),
        finding("passwords", false, "version 1 hashes with argon2id"),
    ];
    assert_eq!(scene.load().check().unwrap(), expected);
    assert_eq!(scene.load().files(), [scene.path("config.yaml")]);
    let expected = [
        finding("database", false, "the embedded store ~/.local/share/masctl/masctl.db"),
        finding("matrix", false, "no homeserver; the server name is localhost"),
        finding("passwords", false, "version 1 hashes with argon2id"),
    ];
    assert_eq!(Scene::new().load().check().unwrap(), expected);
    assert_eq!(Scene::of("").load().check().unwrap_err()[0].code(), Code::ConfigMissing);
}
