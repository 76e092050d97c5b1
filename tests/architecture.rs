//! The rules of the sources: layers, lengths and words, by reading the sources as text.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::source::{code, own_modules, tokens, uses_of_crate, without_tests};

/// The layers, the lowest first. A module may import from lower layers, and from its own only in the lowest.
const LAYERS: [&[&str]; 7] = [
    &["model", "config", "console", "capability", "error"],
    &["storage", "homeserver", "password"],
    &["operations"],
    &["primitives"],
    &["host"],
    &["cli"],
    &["main", "lib"],
];

/// Crates, and the modules that alone may name them.
const CRATES: [(&str, &[&str]); 10] = [
    ("rhai", &["host", "primitives"]),
    ("sqlx", &["storage", "model"]),
    ("sea_query", &["storage"]),
    ("reqwest", &["homeserver"]),
    ("cap_std", &["host", "operations"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("crossterm", &["cli"]),
    ("inquire", &["cli"]),
    ("rustyline", &["cli"]),
];

/// The streams of the terminal, which only `cli` touches.
const STREAMS: [&str; 3] = ["stdin", "stdout", "stderr"];

const LONGEST_FILE: usize = 500;
const LONGEST_SCRIPT: usize = 80;

/// A text file of the package: its path in the package, and what it holds.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The module at the top of the crate that a file under `src/` belongs to.
    fn layer(&self) -> &str {
        let path = self.path.trim_start_matches("src/");
        path.split(['/', '.']).next().unwrap_or(path)
    }

    /// How deep below the crate's root its module lies.
    fn depth(&self) -> usize {
        let path = self.path.trim_start_matches("src/");
        let parts = path
            .split('/')
            .filter(|part| !matches!(*part, "mod.rs" | "lib.rs" | "main.rs"));
        parts.count()
    }

    fn at(&self, line: usize, rule: &str) -> String {
        format!("{}:{line}: {rule}", self.path)
    }
}

/// The files under `folders` that people write, in order; a folder that is not there has none.
fn files(folders: &[&str]) -> Vec<File> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = folders.iter().map(|folder| package.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder of the package can be read");
            paths.extend(entries.flatten().map(|entry| entry.path()));
        } else if path
            .extension()
            .is_some_and(|it| it == "rs" || it == "rhai" || it == "md")
        {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(package).unwrap_or(&path).display().to_string();
            files.push(File { path, text });
        }
    }
    files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
    files
}

fn sources() -> Vec<File> {
    files(&["src"])
}

fn broken(rule: impl Fn(&File) -> Vec<String>, files: &[File]) -> String {
    files.iter().flat_map(rule).map(|problem| problem + "\n").collect()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn imports_upward(file: &File) -> Vec<String> {
    let from = file.layer();
    let Some(own) = rank(from) else {
        return vec![file.at(1, &format!("`{from}` has no layer: give it one here and in src/lib.rs"))];
    };
    let code = code(&file.text);
    let found = own_modules(&tokens(&code), file.depth());
    let is_forbidden =
        |to: &str| rank(to).is_some_and(|other| from != to && (other > own || (other == own && own > 0)));
    let forbidden = found.into_iter().filter(|(_, to)| is_forbidden(to));
    forbidden
        .map(|(line, to)| file.at(line, &format!("`{from}` may not import `{to}`: it is not below it")))
        .collect()
}

fn strays_crates(file: &File) -> Vec<String> {
    let code = code(&file.text);
    let tokens = tokens(&code);
    let mut problems = Vec::new();
    for (name, homes) in CRATES.iter().filter(|(_, homes)| !homes.contains(&file.layer())) {
        let rule = format!("`{name}` belongs to {} alone", homes.join(" and "));
        problems.extend(
            uses_of_crate(&tokens, name)
                .into_iter()
                .map(|line| file.at(line, &rule)),
        );
    }
    if file.layer() != "cli" {
        let streams = tokens
            .windows(2)
            .filter(|pair| STREAMS.contains(&pair[0].1) && pair[1].1 == "(");
        problems.extend(streams.map(|pair| file.at(pair[0].0, "the terminal belongs to cli alone")));
    }
    problems
}

fn is_too_long(file: &File) -> Vec<String> {
    let limit = if file.path.starts_with("scripts/") {
        LONGEST_SCRIPT
    } else {
        LONGEST_FILE
    };
    let length = file.text.lines().count();
    let rule = format!("has {length} lines, more than {limit}: it holds more than one idea");
    if length > limit {
        vec![file.at(limit + 1, &rule)]
    } else {
        Vec::new()
    }
}

/// Words in comments and strings count too: unfinished work is mostly confessed there.
fn is_unfinished(file: &File) -> Vec<String> {
    // Taken apart, so that this file does not hold them.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let macros = [concat!("to", "do"), concat!("db", "g"), concat!("unimpl", "emented")];
    let tokens = tokens(&file.text);
    let pairs = tokens
        .iter()
        .zip(tokens.iter().skip(1).map(|(_, next)| *next).chain([""]));
    let found = pairs.filter(|((_, word), next)| words.contains(word) || (macros.contains(word) && *next == "!"));
    found
        .map(|((line, word), _)| file.at(*line, &format!("`{word}` is work left undone")))
        .collect()
}

fn unwraps(file: &File) -> Vec<String> {
    if file.path.ends_with("/tests.rs") || file.path.contains("/tests/") {
        return Vec::new();
    }
    let code = code(&file.text);
    let tokens = without_tests(&tokens(&code));
    let found = tokens
        .windows(3)
        .filter(|three| three[0].1 == "." && three[1].1 == "unwrap" && three[2].1 == "(");
    found
        .map(|three| file.at(three[1].0, "`unwrap` has no reason to give: return an error"))
        .collect()
}

/// A file that no `mod` names is never compiled, and its tests never run.
fn is_forgotten(file: &File, all: &[File]) -> Vec<String> {
    let path = Path::new(&file.path);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let folder = path.parent().unwrap_or(path);
    let (name, folder) = match stem {
        "mod" => (
            folder.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
            folder.parent(),
        ),
        "main" | "lib" => return Vec::new(),
        _ => (stem, Some(folder)),
    };
    let folder = folder.unwrap_or(path);
    let parents = ["mod.rs", "main.rs", "lib.rs"]
        .map(|parent| folder.join(parent))
        .into_iter();
    let parents: Vec<PathBuf> = parents.chain([folder.with_extension("rs")]).collect();
    let is_named = all
        .iter()
        .filter(|other| parents.iter().any(|parent| *parent == Path::new(&other.path)))
        .any(|other| {
            let code = code(&other.text);
            tokens(&code)
                .windows(3)
                .any(|three| three.iter().map(|(_, token)| *token).eq(["mod", name, ";"]))
        });
    if is_named {
        Vec::new()
    } else {
        vec![file.at(1, &format!("no `mod {name};` names it"))]
    }
}

#[test]
fn nothing_imports_upward() {
    assert_eq!(broken(imports_upward, &sources()), "");
}

#[test]
fn crates_and_the_terminal_stay_in_their_layers() {
    assert_eq!(broken(strays_crates, &sources()), "");
}

#[test]
fn files_hold_one_idea_each() {
    assert_eq!(
        broken(
            is_too_long,
            &files(&["src", "tests", "scripts", "stdlib", "benches", "fuzz/fuzz_targets"])
        ),
        ""
    );
}

#[test]
fn no_work_is_left_undone() {
    assert_eq!(
        broken(
            is_unfinished,
            &files(&["src", "tests", "scripts", "stdlib", "benches", "fuzz/fuzz_targets"])
        ),
        ""
    );
}

#[test]
fn nothing_unwraps() {
    assert_eq!(broken(unwraps, &sources()), "");
}

#[test]
fn no_file_is_forgotten() {
    let mut all = files(&["src", "tests"]);
    all.retain(|file| Path::new(&file.path).extension().is_some_and(|it| it == "rs"));
    assert_eq!(broken(|file| is_forgotten(file, &all), &all), "");
}

/// The rules refuse what they are there to refuse.
mod refused {
    use super::{File, broken, imports_upward, is_forgotten, is_too_long, is_unfinished, strays_crates, unwraps};

    fn file(path: &str, text: &str) -> [File; 1] {
        [File {
            path: path.to_owned(),
            text: text.to_owned(),
        }]
    }

    #[test]
    fn an_import_from_above_or_beside() {
        let text = "use crate::{error::Error, host::Engine};\nuse super::super::password;\nuse super::rows;\n";
        assert_eq!(
            broken(imports_upward, &file("src/storage/users.rs", text)),
            "src/storage/users.rs:1: `storage` may not import `host`: it is not below it\n\
             src/storage/users.rs:2: `storage` may not import `password`: it is not below it\n"
        );
        assert_eq!(
            broken(imports_upward, &file("src/config/mod.rs", "use crate::error::Error;")),
            ""
        );
    }

    #[test]
    fn a_module_without_a_layer() {
        let problem = "src/extra.rs:1: `extra` has no layer: give it one here and in src/lib.rs\n";
        assert_eq!(broken(imports_upward, &file("src/extra.rs", "")), problem);
    }

    #[test]
    fn a_crate_or_a_stream_outside_of_its_layer() {
        let text = "// use clap;\nuse sqlx::Row;\nstd::io::stdout().flush();\n";
        assert_eq!(
            broken(strays_crates, &file("src/host/engine.rs", text)),
            "src/host/engine.rs:2: `sqlx` belongs to storage and model alone\n\
             src/host/engine.rs:3: the terminal belongs to cli alone\n"
        );
        assert_eq!(
            broken(strays_crates, &file("src/cli/mod.rs", "use clap::Command; stdout();")),
            ""
        );
    }

    #[test]
    fn a_long_file() {
        let long = "x\n".repeat(81);
        let rule = "has 81 lines, more than 80: it holds more than one idea\n";
        assert_eq!(
            broken(is_too_long, &file("scripts/manage/a.rhai", &long)),
            format!("scripts/manage/a.rhai:81: {rule}")
        );
        assert_eq!(broken(is_too_long, &file("stdlib/a.rhai", &long)), "");
    }

    #[test]
    fn work_left_undone() {
        let word = concat!("TO", "DO");
        let text = format!("fn a() {{}}\n// {word}: b\n");
        let problem = format!("src/model.rs:2: `{word}` is work left undone\n");
        assert_eq!(broken(is_unfinished, &file("src/model.rs", &text)), problem);
        assert_eq!(broken(is_unfinished, &file("src/model.rs", "todo_list!(); dbg;")), "");
    }

    #[test]
    fn an_unwrap_outside_of_tests() {
        let text = "fn a() { b.unwrap(); c.unwrap_or(1); }\n#[cfg(test)]\nmod tests { fn d() { e.unwrap(); } }\n";
        let problem = "src/model.rs:1: `unwrap` has no reason to give: return an error\n";
        assert_eq!(broken(unwraps, &file("src/model.rs", text)), problem);
    }

    #[test]
    fn a_file_that_no_module_names() {
        let main = file("tests/main.rs", "mod named;\n// mod forgotten;\n");
        let all: Vec<File> = [main, file("tests/named.rs", ""), file("tests/forgotten.rs", "")]
            .into_iter()
            .flatten()
            .collect();
        let rule = |file: &File| is_forgotten(file, &all);
        assert_eq!(
            broken(rule, &all),
            "tests/forgotten.rs:1: no `mod forgotten;` names it\n"
        );
    }
}
