//! What each command leaves in a whole database, compared with MAS's contract: `tests/contract/COMMAND.md`.
//!
//! A file says in words what mas-cli leaves, and where masctl differs on purpose. Its commands run on a store with a
//! populace, and after each of them stands, marked `db>`, every row of every table that it added, changed or removed.
//! What does not stand there was not touched. Both stores give the same text; `UPDATE=1` rewrites it.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use rstest::rstest;

use crate::support::{
    session::Program,
    store::Store,
    transcript::{play, rehearse},
};

/// Commands of masctl's own that are no scripts and only read.
const READING: &str = "reading";

#[rstest]
fn contract(#[files("tests/contract/*.md")] path: PathBuf, #[values(Store::Sqlite, Store::Postgres)] store: Store) {
    play(&path, store, Program::Watched { real: false });
}

/// Ids, times, tokens and salts that nobody has fixed obey the same rules.
#[rstest]
fn rules_hold_in_the_real_world(
    #[files("tests/contract/*.md")] path: PathBuf,
    #[values(Store::Sqlite, Store::Postgres)] store: Store,
) {
    rehearse(&path, store);
}

fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter_map(|name| Some(name.strip_suffix(extension)?.to_owned()))
        // Tests of scripts lie beside them.
        .filter(|stem| !stem.contains('.'))
        .collect()
}

#[test]
fn every_command_is_compared_with_the_contract() {
    let mut expected = stems("scripts/manage", ".rhai");
    expected.insert(READING.to_owned());
    assert_eq!(stems("tests/contract", ".md"), expected);
}

/// The list of files is made when this file is compiled, and cargo does not see new ones by itself.
#[test]
fn every_file_was_there_when_the_tests_were_compiled() {
    let listed = Command::new(std::env::current_exe().expect("this process has a file"))
        .args(["--list", "contract::contract"])
        .output()
        .expect("the tests list themselves");
    let listed = String::from_utf8_lossy(&listed.stdout);
    for stem in stems("tests/contract", ".md") {
        let test = format!("_tests_contract_{}_md: test", stem.replace('-', "_"));
        assert!(
            listed.contains(&test),
            "tests/contract/{stem}.md is new: touch tests/contract.rs, run again"
        );
    }
}
