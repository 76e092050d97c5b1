//! The corpus: scripts that are right, which must be let pass, and scripts that are wrong, each with what is found.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
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
    let found = match Script::read(path) {
        Ok(script) => super::script(&script),
        Err(error) => vec![Finding::of(&error, &path.display().to_string())],
    };
    found.iter().map(line).collect()
}

#[test]
fn what_is_right_passes() {
    for path in scripts("correct") {
        assert_eq!(found_in(&path), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn what_passes_is_not_refused_by_rhai() {
    for path in scripts("correct") {
        if path.to_string_lossy().ends_with(".test.rhai") || path.ends_with("tested.rhai") {
            continue;
        }
        let script = Script::read(&path).unwrap();
        let engine = engine::bare(Modules::of(&script));
        let ast = engine.compile(&*script.source);
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
        let mut ast = engine.compile(&*script.source).unwrap();
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
    for rule in Rule::ALL {
        let is_shown = found.iter().any(|line| line.contains(&format!(" {}: ", rule.as_str())));
        assert!(is_shown, "{}", rule.as_str());
    }
}

#[test]
fn what_ships_is_right() {
    let scripts = catalogue::manage_scripts(|_| true).unwrap();
    for script in &scripts {
        let found: Vec<_> = super::script(script).iter().map(line).collect();
        assert_eq!(found, Vec::<String>::new(), "{}", script.name);
    }
    for name in catalogue::modules() {
        let path = format!("std/{name}");
        let text: Arc<str> = catalogue::module(&path).unwrap().into();
        let found = super::module(&path, &text);
        assert_eq!(
            found.iter().map(line).collect::<Vec<_>>(),
            Vec::<String>::new(),
            "{path}"
        );
    }
}
