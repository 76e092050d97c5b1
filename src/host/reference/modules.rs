//! The standard library, from the comments in its files.

use rhai::{Engine, FnAccess};

use super::{Entry, EntryKind, Group, Section, text::uncommented};
use crate::{
    error::Result,
    host::{catalogue, diagnose},
};

pub(super) fn section() -> Result<Section> {
    let groups = catalogue::modules().map(|name| {
        let path = format!("std/{name}");
        let source = catalogue::module(&path).unwrap_or_default();
        group(name, &path, source)
    });
    Ok(Section {
        name: "modules",
        title: "Standard library",
        intro:
            "Scripts that ship inside of masctl for others to import: `import \"std/passwords\" as passwords_of;`. An \
                alias cannot be called as a namespace is."
                .to_owned(),
        groups: groups.collect::<Result<_>>()?,
    })
}

/// A module with its functions that have a doc comment; the others are its own affair.
fn group(name: &str, path: &str, source: &str) -> Result<Group> {
    let mut engine = Engine::new_raw();
    engine.set_max_expr_depths(256, 256);
    let ast = engine
        .compile(source)
        .map_err(|error| diagnose::of_parsing(&error, path, source))?;
    let functions = ast
        .iter_functions()
        .filter(|function| function.access == FnAccess::Public && !function.comments.is_empty());
    let mut entries: Vec<_> = functions
        .map(|function| {
            let written = format!("{path}::{}", function.name);
            Entry::new(
                EntryKind::ModuleFunction,
                &written,
                uncommented(&function.comments.join("\n")),
            )
            .signature(format!("{written}({})", function.params.join(", ")))
            .also(function.name)
            .also(&format!("{name}::{}", function.name))
            .data("module", path)
            .data("parameters", function.params.clone())
        })
        .collect();
    entries.sort_by(|one, other| one.signature.cmp(&other.signature));
    Ok(Group {
        head: Some(Entry::new(EntryKind::Module, path, prose(source)).also(name)),
        entries,
    })
}

/// What the leading comment of a file says.
fn prose(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//"));
    let lines = lines.map(|line| line.strip_prefix('!').unwrap_or(line));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}
