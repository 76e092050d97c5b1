//! The gallery of examples is whole, short, and right: `scripts/examples/`.

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use masctl::host::{Script, catalogue, check};

use crate::support::sandbox::Sandbox;

/// The longest that an example may be, in lines, and in columns: what a screen shows at once.
const LONGEST: usize = 50;
const WIDEST: usize = 125;

const INTRODUCTION: &str = "\
# Examples

Tasks that operators have asked for, each a script that fits on a screen. Copy one, change it, and run it as it is, or put it into a folder of
`masctl.scripts` to have it as a command of `masctl manage`. Beside each is its test, `NAME.test.rhai`, which also shows what it does and what not.

```sh
masctl run scripts/examples/lock-stale.rhai --help
masctl run scripts/examples/lock-stale.rhai --dry-run
masctl scripts test scripts/examples
```

| script | what it does |
|---|---|
";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/examples")
}

/// The names of the files in the gallery that end so, without the end.
fn names(end: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder()).expect("the gallery is there").flatten();
    let files = entries.filter_map(|entry| entry.file_name().into_string().ok());
    files
        .filter_map(|file| file.strip_suffix(end).map(str::to_owned))
        .collect()
}

fn examples() -> Vec<Script> {
    let names = names(".rhai").into_iter().filter(|name| !name.contains('.'));
    names
        .map(|name| {
            let path = folder().join(format!("{name}.rhai"));
            Script::read(&path).unwrap_or_else(|error| panic!("{error:?}"))
        })
        .collect()
}

#[test]
fn every_example_has_a_test_beside_it_and_every_test_an_example() {
    let examples: BTreeSet<String> = examples().into_iter().map(|script| script.name).collect();
    assert!(examples.len() >= 10, "{examples:?}");
    assert_eq!(names(".test.rhai"), examples);
}

#[test]
fn every_example_fits_on_a_screen_and_says_what_it_is_for() {
    for script in examples() {
        let (name, header) = (&script.name, &script.header);
        assert!(script.source.lines().count() <= LONGEST, "{name} is too long");
        for line in script.source.lines() {
            assert!(line.chars().count() <= WIDEST, "{name}: {line}");
        }
        assert!(!catalogue::is_manage_command(name), "{name} is a shipped command");
        assert!(header.states_needs && !header.details.is_empty(), "{name}");
        assert!(header.params.iter().all(|param| !param.help.is_empty()), "{name}");
        assert!(
            !header.destructive || header.loss.is_some(),
            "{name} does not say what is lost"
        );
        assert!(!header.examples.is_empty(), "{name}");
        let run = format!("masctl run {name}.rhai");
        for example in &header.examples {
            assert!(example.starts_with(&run), "{name}: {example}");
        }
    }
}

#[test]
fn the_check_finds_nothing_in_the_examples_and_their_tests() {
    for name in names(".rhai") {
        let path = folder().join(format!("{name}.rhai"));
        let script = Script::read(&path).unwrap_or_else(|error| panic!("{error:?}"));
        let findings = check::script(&script);
        assert!(findings.is_empty(), "{name}: {findings:#?}");
    }
}

#[test]
fn the_tests_of_the_examples_pass() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .command(env!("CARGO_BIN_EXE_masctl"))
        .args(["scripts", "test"])
        .arg(folder())
        .output()
        .expect("masctl runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{shown}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for name in names(".test.rhai") {
        assert!(
            shown.contains(&format!("/{name}.test.rhai\n")),
            "{name} was not tested: {shown}"
        );
    }
}

#[test]
fn the_page_lists_every_example() {
    let mut page = INTRODUCTION.to_owned();
    for script in examples() {
        let asks = if script.header.destructive { "; asks first" } else { "" };
        let _ = writeln!(
            page,
            "| [`{0}`]({0}.rhai) | {1}{asks} |",
            script.name, script.header.about
        );
    }
    let path = folder().join("README.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "scripts/examples/README.md is out of date: UPDATE=1 writes it anew"
    );
}
