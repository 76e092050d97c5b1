//! The corpus: scripts that are right, which must be let pass, and scripts that are wrong, each with what is found.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rhai::{CallFnOptions, Dynamic, Map, Scope};

use super::*;
use crate::host::{catalogue, engine, program};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check").join(name)
}

fn scripts(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    assert!(paths.len() > 5);
    paths
}

/// A finding as the corpus writes it.
fn line(finding: &Finding) -> String {
    let json = finding.to_json();
    let at = |line: &str, column: &str| format!("{}:{}", json[line], json[column]);
    let file = Path::new(&finding.excerpt.name).file_name().unwrap().to_string_lossy();
    let root = format!("{}/", folder("wrong").display());
    format!(
        "//~ {file} {}-{} {}: {}{}",
        at("line", "column"),
        at("end_line", "end_column"),
        finding.rule.as_str(),
        finding.message.replace(&root, ""),
        finding
            .help
            .as_ref()
            .map(|help| format!(" [{help}]"))
            .unwrap_or_default()
    )
}

fn found_in(path: &Path) -> Vec<String> {
    let found = files(&[path.to_owned()]).unwrap();
    found.iter().map(line).collect()
}

#[test]
fn what_is_right_passes() {
    let found: Vec<_> = scripts("correct").iter().flat_map(|path| found_in(path)).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_passes_is_not_refused_by_rhai() {
    for path in scripts("correct") {
        if path.to_string_lossy().ends_with(".test.rhai") || path.ends_with("tested.rhai") {
            continue;
        }
        let script = Script::read(&path).unwrap();
        let engine = engine::bare(Modules::of(&script));
        let ast = engine.compile(script.code());
        assert!(ast.is_ok(), "{}: {ast:?}", path.display());
    }
}

/// What needs no run is run: the corpus is right by more than its word.
#[test]
fn what_is_right_can_be_run() {
    for name in ["closures", "maps", "standard", "flow", "modules"] {
        let script = Script::read(&folder("correct").join(format!("{name}.rhai"))).unwrap();
        let mut engine = engine::bare(Modules::of(&script));
        engine.register_fn("say", |_: Dynamic| ());
        let mut ast = engine.compile(script.code()).unwrap();
        ast.set_source(script.label.as_str());
        let done = program::on_deep_stack(|| {
            let options = CallFnOptions::new().eval_ast(true);
            let called =
                engine.call_fn_with_options::<Dynamic>(options, &mut Scope::new(), &ast, "main", (Map::new(),));
            Ok(called.map(|value| value.to_string()).map_err(|error| error.to_string()))
        });
        let done = done.unwrap();
        assert!(done.is_ok(), "{name}: {done:?}");
    }
}

/// A wrong script ends in the lines that say what is found in it; `UPDATE=1` writes them.
#[test]
fn what_is_wrong_is_found() {
    for path in scripts("wrong") {
        let text = fs::read_to_string(&path).unwrap();
        let (code, expected): (Vec<_>, Vec<_>) = text.lines().partition(|line| !line.starts_with("//~"));
        let found = found_in(&path);
        assert!(!found.is_empty(), "{}", path.display());
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, format!("{}\n{}\n", code.join("\n"), found.join("\n"))).unwrap();
            continue;
        }
        assert_eq!(found, expected, "{}", path.display());
    }
}

#[test]
fn every_rule_is_shown_to_be_broken() {
    let found: Vec<_> = scripts("wrong").iter().flat_map(|path| found_in(path)).collect();
    // What cannot be read has no text to keep here.
    for rule in Rule::ALL.iter().filter(|rule| **rule != Rule::Unreadable) {
        let is_shown = found.iter().any(|line| line.contains(&format!(" {}: ", rule.as_str())));
        assert!(is_shown, "{}", rule.as_str());
    }
}

/// A place costs the more the longer the text is.
#[test]
fn no_more_is_told_of_a_huge_text_than_is_read() {
    let wrong = "    nope(1);\n".repeat(50_000);
    let script = Script::new("huge", "huge.rhai", &format!("fn main(args) {{\n{wrong}}}")).unwrap();
    assert_eq!(super::script(&script).len(), MOST);
    let functions = |count: usize| {
        let all: Vec<_> = (0..count).map(|at| format!("fn f{at}() {{}}\n")).collect();
        all.concat()
    };
    let script = Script::new("many", "many.rhai", &format!("{}fn main(args) {{}}", functions(1900))).unwrap();
    assert_eq!(super::script(&script).len(), MOST);
    let script = Script::new("more", "more.rhai", &functions(2001)).unwrap();
    let found = super::script(&script);
    assert_eq!(found[0].message, "more.rhai has more than 2000 functions");
}

#[test]
fn mistakes_are_one_error_with_all_of_them() {
    let refused = |text: &str| refuse(&Script::new("x", "x.rhai", text).unwrap()).unwrap_err();
    let one = refused("fn main(args) { nope(1); }");
    assert_eq!(one.code(), Code::ScriptInvalid);
    assert_eq!(one.message(), "There is no function `nope`");
    assert_eq!(one.excerpts()[0].line_and_column(), (1, 17));
    let two = refused("fn main(args) { nope(1); users::get(args.x).lock(); }");
    assert_eq!(two.code(), Code::ScriptInvalid);
    assert_eq!(two.message(), "x.rhai has 3 mistakes, so nothing of it was run");
    assert_eq!(two.parts().len(), 3);
    assert_eq!(two.values()["findings"][0]["code"], "check.unknown_function");
    let denied = refused("fn main(args) { users::get(\"x\").lock(); emails::get(\"x\").remove(); }");
    assert_eq!(denied.code(), Code::CapabilityDenied);
}

#[test]
fn what_ships_is_right() {
    let scripts = catalogue::manage_scripts(|_| true).unwrap();
    let mut found: Vec<_> = scripts.iter().flat_map(super::script).collect();
    for name in catalogue::modules() {
        let path = format!("std/{name}");
        found.extend(super::module(&path, catalogue::module(&path).unwrap()));
    }
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), Vec::<String>::new());
}
