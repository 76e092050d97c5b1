//! What the fuzzers start from, through the functions that they call: `fuzz/seeds/TARGET/*`.

use std::{fs, path::Path};

use masctl::cli::invariants::{of_header, of_input, of_module_path, of_position};

#[path = "../fuzz/folder.rs"]
mod folder;

/// The seeds of a target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let entries = fs::read_dir(folder).expect("the seeds are there").flatten();
    let seeds: Vec<_> = entries
        .map(|entry| fs::read(entry.path()).expect("a seed is a file"))
        .collect();
    assert!(seeds.len() > 5, "the seeds of {target} are gone");
    seeds
}

#[test]
fn headers() {
    for seed in &seeds("header") {
        of_header(seed);
    }
}

#[test]
fn positions() {
    for seed in &seeds("position") {
        of_position(seed);
    }
}

#[test]
fn inputs() {
    for seed in seeds("input") {
        of_input(&String::from_utf8(seed).expect("the seed is text"));
    }
}

#[test]
fn module_paths() {
    let around = tempfile::tempdir().expect("a temporary folder");
    let folder = folder::make(around.path());
    let texts = seeds("module_path").into_iter().map(String::from_utf8);
    let read: Vec<_> = texts
        .filter_map(|text| of_module_path(&folder, &text.expect("a seed is text")))
        .collect();
    assert!(
        read.iter().any(|text| text == "fn two() {}"),
        "nothing below the folder was read"
    );
    assert!(
        read.iter().all(|text| text != folder::OUTSIDE),
        "a file outside was read"
    );
}
