//! The configuration as a whole: which files and variables count, what each section comes to, and what is refused.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    thread,
};

use nix::{sys::stat::Mode, unistd::mkfifo};
use serde_json::json;
use tempfile::TempDir;

use super::*;

mod check;
mod clients;
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
    // In the order of the names of the keys.
    let expected = [
        "b.yaml:4:1",
        "MAS_LIST",
        "a.yaml:2:8",
        "b.yaml:2:8",
        "MAS_MATRIX_ENDPOINT",
        "b.yaml:1:10",
        "a.yaml:1:25",
        "b.yaml:5:1",
        "b.yaml:3:1",
    ];
    let mut found = Vec::new();
    collect_origins(&configuration.traced(), &mut found);
    assert_eq!(found, expected);
}

fn collect_origins(traced: &Traced, found: &mut Vec<String>) {
    match traced {
        Traced::Value { origin, .. } => found.push(origin.clone()),
        Traced::List(items) => items.iter().for_each(|item| collect_origins(item, found)),
        Traced::Map(entries) => entries.iter().for_each(|(_, inner)| collect_origins(inner, found)),
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
            (3, 1),
        ),
        (
            b"a: 1\nb: [",
            "`config.yaml` is not valid YAML: did not find expected node content",
            (2, 5),
        ),
        (b"a: *b", "`config.yaml` is not valid YAML: unknown anchor", (1, 4)),
        (
            b"a: &x\n  b: *x\n",
            "`config.yaml` is not valid YAML: recursion limit exceeded",
            (1, 4),
        ),
        (
            b"a:\n\tb: 1\n",
            "`config.yaml` is not valid YAML: a tab does not indent",
            (2, 1),
        ),
        (
            b"a: 1\nb: 'x\0'\n",
            "`config.yaml` is not valid YAML: it has the control character U+0000",
            (2, 6),
        ),
        (
            b"# c\n---\na: 1\n---\nb: 2\n",
            "`config.yaml` is not valid YAML: it holds more than one document",
            (4, 1),
        ),
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
fn what_is_no_readable_file_is_said_to_be_none() {
    let scene = Scene::new();
    fs::create_dir(scene.path("folder")).unwrap();
    let message = "The configuration file `folder` (--config) is a folder";
    expect(scene.load_with(&["folder"]), "file.unreadable", message, None);
    let scene = Scene::of("a: 1");
    fs::set_permissions(scene.path("config.yaml"), Permissions::from_mode(0o000)).unwrap();
    // root may read everything.
    if fs::File::open(scene.path("config.yaml")).is_err() {
        let message = "`config.yaml` cannot be read: Permission denied (os error 13)";
        expect(scene.load_with(&[]), "file.unreadable", message, None);
        let scene = Scene::of("a: 1");
        fs::create_dir(scene.path("closed")).unwrap();
        fs::set_permissions(scene.path("closed"), Permissions::from_mode(0o000)).unwrap();
        let message = "`closed/config.yaml` cannot be read: Permission denied (os error 13)";
        expect(
            scene.load_with(&["closed/config.yaml"]),
            "file.unreadable",
            message,
            None,
        );
    }
    let scene = Scene::new();
    mkfifo(&scene.path("config.yaml"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let path = scene.path("config.yaml");
    let writer = thread::spawn(move || fs::write(path, "a: 1\n"));
    assert_eq!(scene.load().dump(), json!({ "a": 1 }));
    writer.join().unwrap().unwrap();
}
