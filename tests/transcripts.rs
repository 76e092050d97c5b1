//! Every transcript, through the real binary, on both stores.

use std::{
    collections::BTreeSet,
    fs, iter,
    path::{Path, PathBuf},
    process::Command,
};

use masctl::host::catalogue::manage_groups;
use rstest::rstest;

use crate::support::{session::Program, store::Store, transcript::play};

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runner/masctl.sh");

#[rstest]
fn transcript(
    #[files("README.md")]
    #[files("tests/runner/*.md")]
    #[files("tests/manage/*.md")]
    #[files("tests/cli/*.md")]
    path: PathBuf,
    #[values(Store::Sqlite, Store::Postgres)] store: Store,
) {
    let is_of_the_runner = path.parent().is_some_and(|folder| folder.ends_with("runner"));
    play(
        &path,
        store,
        if is_of_the_runner {
            Program::StandIn(STAND_IN)
        } else {
            Program::Masctl
        },
    );
}

/// The stems of the files in `folder` of the package that end in `extension`; none if there is no such folder.
fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let wanted = paths.filter(|path| path.extension().is_some_and(|it| it == extension));
    wanted
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        // Tests of scripts lie beside them.
        .filter(|stem| !stem.contains('.'))
        .collect()
}

#[test]
fn every_shipped_script_has_a_transcript_and_every_transcript_a_script() {
    assert_eq!(stems("scripts/manage", "rhai"), stems("tests/manage", "md"));
}

#[test]
fn the_readme_lists_every_command_below_its_heading_as_the_help_does() {
    let readme = include_str!("../README.md");
    let commands = readme.split("\n## Commands\n").nth(1).expect("README has that section");
    let rows = commands.lines().skip_while(|line| *line != "|---|---|").skip(1);
    let listed: Vec<String> = rows
        .take_while(|line| line.starts_with('|'))
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| match cell.trim().strip_prefix("**") {
            Some(heading) => vec![heading.trim_end_matches("**").to_owned()],
            None => cell.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        })
        .collect();
    let shipped: Vec<String> = manage_groups()
        .flat_map(|(heading, names)| iter::once(heading).chain(names).map(str::to_owned))
        .collect();
    assert_eq!(listed, shipped);
}

/// The list of transcripts is made when this file is compiled, and cargo does not see new ones by itself.
#[test]
fn every_transcript_was_there_when_the_tests_were_compiled() {
    let listed = Command::new(std::env::current_exe().expect("this process has a file"))
        .args(["--list", "transcripts::transcript"])
        .output()
        .expect("the tests list themselves");
    let listed = String::from_utf8_lossy(&listed.stdout);
    for folder in ["runner", "manage", "cli"] {
        for stem in stems(&format!("tests/{folder}"), "md") {
            let test = format!("_tests_{folder}_{}_md: test", stem.replace('-', "_"));
            assert!(
                listed.contains(&test),
                "tests/{folder}/{stem}.md is new: touch tests/transcripts.rs, run again"
            );
        }
    }
}
