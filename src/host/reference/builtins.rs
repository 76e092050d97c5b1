//! What Rhai itself brings: the functions of its packages, as it documents them.

use std::collections::BTreeSet;

use rhai::Engine;

use super::{Entry, EntryKind, Group, Section, text::uncommented};
use crate::primitives::{scripted, signature};

/// The types that scripts of masctl have to do with, as Rhai has them in what its functions take first.
const TYPES: [(&str, &str); 10] = [
    ("String", "text"),
    ("Array", "array"),
    ("Map", "map"),
    ("int", "int"),
    ("float", "float"),
    ("char", "char"),
    ("Fn", "function"),
    ("Blob", "blob"),
    ("Instant", "timestamp"),
    ("?", "anything"),
];

pub(super) fn section() -> Section {
    let functions = functions();
    let groups = TYPES.iter().map(|(kind, name)| {
        let entries: Vec<_> = functions.iter().filter(|function| function.receiver == *kind).collect();
        let names: BTreeSet<_> = entries.iter().map(|function| function.name.as_str()).collect();
        let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
        Group {
            head: Some(Entry::new(
                EntryKind::Builtin,
                format!("of {name}"),
                format!("Of {}: {}.", article(name), names.join(", ")),
            )),
            entries: entries.into_iter().map(|function| function.entry(name)).collect(),
        }
    });
    Section {
        name: "rhai",
        title: "Rhai's own functions",
        intro: "`masctl reference split` tells more of each. `print` is the same as `say`, and `debug` also names the line. \
                The language is described at <https://rhai.rs/book/language/>."
            .to_owned(),
        groups: groups.collect(),
    }
}

struct Function {
    name: String,
    receiver: String,
    parameters: Vec<(String, String)>,
    returns: String,
    help: String,
}

impl Function {
    fn entry(&self, of: &str) -> Entry {
        Entry::new(EntryKind::Builtin, &self.name, &self.help)
            .signature(signature(&self.name, &self.parameters, &self.returns))
            .data("of", of)
    }
}

/// The functions of one of the types above that have names, by type, name and number of what they take.
fn functions() -> Vec<Function> {
    let mut all = Engine::new().collect_fn_metadata(
        None,
        |function| {
            let metadata = function.metadata;
            let split = |parameter: &str| {
                let (name, kind) = parameter.split_once(':').unwrap_or((parameter, ""));
                (name.trim().to_owned(), scripted(kind))
            };
            let parameters: Vec<_> = metadata.params_info.iter().map(|parameter| split(parameter)).collect();
            let (_, receiver) = parameters.first()?.clone();
            let is_name = metadata
                .name
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '_');
            let is_told = !metadata.comments.is_empty();
            (is_name && is_told && TYPES.iter().any(|(kind, _)| *kind == receiver)).then(|| Function {
                name: metadata.name.to_string(),
                receiver,
                parameters,
                returns: scripted(&metadata.return_type),
                help: uncommented(&metadata.comments.join("\n")),
            })
        },
        true,
    );
    all.sort_by_cached_key(|function| {
        (
            function.name.clone(),
            function.parameters.len(),
            function.parameters.clone(),
        )
    });
    all
}

fn article(noun: &str) -> String {
    match noun {
        "anything" => noun.to_owned(),
        _ if noun.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {noun}"),
        _ => format!("a {noun}"),
    }
}
