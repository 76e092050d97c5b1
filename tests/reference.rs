//! The pages under `docs/` that are made from the program itself. `UPDATE=1` writes them anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::PathBuf,
};

use masctl::{
    host::{
        catalogue::manage_scripts,
        reference::{Reference, definitions, markdown},
    },
    primitives::{Documented, documented},
};
use regex_lite::Regex;
use rstest::rstest;

/// Every request of MAS's admin API: method and path.
const REQUESTS: &str = include_str!("fixtures/mas/admin-api.tsv");

/// What masctl has for each of them: requests, primitives, commands, and what is different.
const COUNTERPARTS: &str = include_str!("reference/admin-api.tsv");

const INTRODUCTION: &str = "\
# MAS's admin API, and what masctl has for it

Each request of the admin API of MAS 1.22, below `/api/admin/v1`, with the primitive that scripts call for it and the command that
operators run. masctl does not call that API: it works on the database, as `mas-cli manage` does, and queues the job that MAS's worker
then does on the homeserver. So it needs no token, and works while MAS is down.
";

/// A line of [`COUNTERPARTS`].
struct Counterpart {
    requests: Vec<&'static str>,
    primitives: Vec<&'static str>,
    commands: Vec<&'static str>,
    remark: &'static str,
}

fn counterparts() -> Vec<Counterpart> {
    let lines = COUNTERPARTS.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let parts: Vec<&'static str> = line.split('\t').collect();
            let [requests, primitives, commands, remark] = parts[..] else {
                panic!("not four parts: {line}");
            };
            let list = |text: &'static str| text.split(", ").collect();
            Counterpart {
                requests: list(requests),
                primitives: list(primitives),
                commands: list(commands),
                remark,
            }
        })
        .collect()
}

/// All primitives by what scripts write. Several that differ by their parameters are one.
fn primitives() -> BTreeMap<String, Documented> {
    let functions = documented()
        .into_iter()
        .filter(|primitive| !primitive.name.starts_with("get$"));
    let mut functions: Vec<_> = functions.collect();
    // The last of a name stays: the one with the fewest parameters, whatever the order of the engine is.
    functions
        .sort_by_cached_key(|primitive| std::cmp::Reverse((primitive.parameters.len(), primitive.parameters.clone())));
    functions
        .into_iter()
        .map(|primitive| (primitive.written(), primitive))
        .collect()
}

/// The first sentence of a help.
fn sentence(help: &str) -> String {
    let paragraph = help.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    match paragraph.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => paragraph,
    }
}

fn page() -> String {
    let known = primitives();
    let scripts = manage_scripts(|_| true).expect("the shipped headers are right");
    let about: BTreeMap<&str, &str> = scripts
        .iter()
        .map(|script| (script.name.as_str(), script.header.about.as_str()))
        .collect();
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n| request | primitive | command | what is different |\n|---|---|---|---|\n");
    let (mut used, mut commands) = (BTreeSet::new(), BTreeSet::new());
    for row in counterparts() {
        let code = |names: &[&str]| {
            names
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let calls: Vec<String> = row.primitives.iter().map(|name| format!("`{name}()`")).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            code(&row.requests),
            calls.join(", "),
            code(&row.commands),
            row.remark
        );
        used.extend(row.primitives);
        commands.extend(row.commands);
    }
    page.push_str("\n## The primitives\n\n| primitive | what it does | needs |\n|---|---|---|\n");
    for name in used {
        let primitive = known
            .get(name)
            .unwrap_or_else(|| panic!("there is no primitive `{name}`"));
        let needs = primitive
            .needs()
            .map_or_else(|| "nothing".to_owned(), |needs| format!("`{needs}`"));
        let _ = writeln!(page, "| `{name}()` | {} | {needs} |", sentence(&primitive.help));
    }
    page.push_str("\n## The commands\n\n| command | what it does |\n|---|---|\n");
    for name in commands {
        let about = about
            .get(name)
            .unwrap_or_else(|| panic!("there is no command `{name}`"));
        let _ = writeln!(page, "| `{name}` | {about} |");
    }
    page
}

/// That a committed page is what this program makes of itself.
#[rstest]
#[case::admin_api("docs/admin-api.md", page())]
#[case::reference("docs/reference.md", markdown::page(&Reference::new().expect("what ships can be parsed")))]
#[case::definitions("docs/masctl.d.rhai", definitions::text())]
fn a_page_is_that_of_this_program(#[case] name: &str, #[case] page: String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "{name} is out of date: run the tests with UPDATE=1");
}

/// Rhai itself does not read definition files: each line is one of those that editors read.
#[test]
fn every_line_of_the_definitions_is_one_that_editors_read() {
    let name = "[a-z][a-z0-9_]*";
    let kind = r"(\?|\(\)|[A-Za-z]+|\[[A-Za-z]+\])( \| \(\))?";
    let given = format!(r"({name}: {kind}(, {name}: {kind})*)?");
    let lines = [
        "module static;".to_owned(),
        r" *///( .*)?".to_owned(),
        r"type [A-Z][A-Za-z]* = #\{".to_owned(),
        format!("    {name}: {kind},"),
        r"\};?".to_owned(),
        format!(r"op (==|!=|<|<=|>|>=)\({kind}, {kind}\) -> bool;"),
        format!(r"(    )?fn {name}\({given}\)( -> {kind})?;"),
        format!(r"module {name} \{{"),
        String::new(),
    ];
    let known = Regex::new(&format!("^({})$", lines.join("|"))).expect("the pattern is right");
    let text = definitions::text();
    let unknown: Vec<_> = text.lines().filter(|line| !known.is_match(line)).collect();
    assert_eq!(unknown, [""; 0]);
    let code: Vec<_> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("///"))
        .collect();
    let code = code.concat();
    assert_eq!(code.matches('{').count(), code.matches('}').count());
}

#[test]
fn every_request_of_the_admin_api_has_a_primitive_and_a_command() {
    let requests: BTreeSet<String> = REQUESTS.lines().map(|line| line.replace('\t', " ")).collect();
    let rows = counterparts();
    let answered: Vec<String> = rows
        .iter()
        .flat_map(|row| &row.requests)
        .map(|&request| request.to_owned())
        .collect();
    assert_eq!(answered.iter().cloned().collect::<BTreeSet<_>>(), requests);
    assert_eq!(answered.len(), requests.len(), "a request stands twice");
    let known = primitives();
    for row in rows {
        assert!(
            row.primitives.iter().all(|name| known.contains_key(*name)),
            "{:?}",
            row.primitives
        );
        assert!(!row.commands.is_empty(), "{:?}", row.requests);
    }
}
