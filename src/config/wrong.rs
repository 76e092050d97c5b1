//! What is said of a wrong value, and where it was written. Nothing that may be a secret is repeated.

use secrecy::ExposeSecret;

use super::{
    locate,
    tree::{Node, Origin, Tree},
};
use crate::error::{Code, Error, Excerpt};

/// The most characters of a wrong value that a message repeats.
const SHOWN_LIMIT: usize = 60;

/// The error that a value is of another type than `wanted`. The value is shown unless it may be a secret.
pub(super) fn kind(path: &str, tree: &Tree, wanted: &str) -> Error {
    // Where a mapping is due, its key does not say whether the text in its place is a secret.
    let secret = locate::is_secret(path.rsplit('.').next().unwrap_or(path)) || matches!(wanted, "a mapping" | "a list");
    let value = match &tree.node {
        Node::Bool(value) if !secret => format!("`{value}`"),
        Node::Number(value) if !secret => format!("the number `{value}`"),
        Node::Text(value) if !secret && !value.expose_secret().contains("://") => {
            format!("the text `{}`", shown(value.expose_secret()))
        }
        node => node.kind().to_owned(),
    };
    let help = match (&tree.node, &tree.origin) {
        (Node::Bool(_) | Node::Number(_), Origin::Variable(name)) if wanted == "text" => {
            format!("To keep it text, put double quotes into the value: {name}='\"…\"'.")
        }
        (Node::Bool(_) | Node::Number(_), _) if wanted == "text" => "Put the value in quotes.".to_owned(),
        _ if wanted == "a mapping" => "Write its keys below it, each on a line of its own, indented.".to_owned(),
        _ if wanted == "a list" => "Write its items below it, each on a line of its own after `- `.".to_owned(),
        (Node::Text(_), Origin::File { .. }) if wanted != "text" => format!("Write {wanted}, without quotes."),
        _ => format!("Write {wanted}."),
    };
    value_at(path, &tree.origin, &format!("must be {wanted}, but is {value}"), &help)
}

/// The error that the value at `path` is wrong, without its place. `problem` goes on from the path, without a final
/// stop.
pub(super) fn value_at(path: &str, origin: &Origin, problem: &str, help: &str) -> Error {
    let variable = match origin {
        Origin::Variable(name) => format!(" (variable {name})"),
        _ => String::new(),
    };
    Error::new(Code::ConfigInvalid, format!("`{path}`{variable} {problem}"))
        .help(help)
        .data("key", path)
}

/// Adds where a value was written.
pub(super) fn place(origin: &Origin, error: Error) -> Error {
    match origin {
        Origin::Top => error,
        Origin::Variable(name) => error.data("variable", &**name),
        Origin::File { source, trail } => match locate::excerpt_of(source, &Origin::steps(trail.as_ref())) {
            Some(excerpt) => located(error, excerpt),
            None => error.data("file", source.name.clone()),
        },
    }
}

fn located(error: Error, excerpt: Excerpt) -> Error {
    let (line, column) = excerpt.line_and_column();
    error
        .data("file", excerpt.name.clone())
        .data("line", line)
        .data("column", column)
        .at(excerpt)
}

/// Words in code marks, as people list them.
pub(super) fn listed(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    words
        .into_iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Two keys of which one is to be given.
pub(super) fn either([one, other]: [&str; 2]) -> String {
    format!("`{one}` or `{other}`")
}

/// A value fit for a message: one line, not endless.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_LIMIT).flat_map(escaped).collect();
    if text.chars().nth(SHOWN_LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let control = c.is_control().then(|| c.escape_default());
    let plain = (!c.is_control()).then_some(c);
    control.into_iter().flatten().chain(plain)
}
