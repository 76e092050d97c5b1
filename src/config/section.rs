//! Reading one section key by key: each value is checked, and one that is wrong is shown where it was written.

use std::{
    fs::File,
    io::Read,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{
    locate,
    tree::{Node, Origin, Tree},
};
use crate::error::{Code, Error, Excerpt, Result};

/// The most bytes of a file that holds a secret.
const SECRET_FILE_LIMIT: u64 = 64 * 1024;

/// The most characters of a wrong value that a message repeats.
const SHOWN_LIMIT: usize = 60;

/// A mapping of the configuration, its path in it, and the folder that its relative paths start from.
pub(super) struct Section<'a> {
    path: String,
    tree: &'a Tree,
    directory: &'a Path,
}

impl<'a> Section<'a> {
    /// A top-level section, unless it is absent or empty. Relative paths in it start from `directory`.
    pub(super) fn open(top: &'a Tree, name: &str, directory: &'a Path) -> Result<Option<Self>> {
        let top = Self {
            path: String::new(),
            tree: top,
            directory,
        };
        let Some(tree) = top.tree.get(name) else {
            return Ok(None);
        };
        match tree.node {
            Node::Map(_) => Ok(Some(Self {
                path: name.to_owned(),
                tree,
                directory,
            })),
            _ => Err(top.wrong_kind(name, tree, "a mapping")),
        }
    }

    /// The full path of a key of this section, as messages name it.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Whether the key has a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.tree.get(key).is_some()
    }

    /// Text that is no secret.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>> {
        Ok(self.secret(key)?.map(|text| text.expose_secret().to_owned()))
    }

    /// Text that may be a secret.
    pub(super) fn secret(&self, key: &str) -> Result<Option<SecretString>> {
        match self.tree.get(key) {
            None => Ok(None),
            Some(Tree {
                node: Node::Text(text), ..
            }) => Ok(Some(text.clone())),
            Some(tree) => Err(self.wrong_kind(key, tree, "text")),
        }
    }

    /// The path of a file or folder, made absolute.
    pub(super) fn file(&self, key: &str) -> Result<Option<PathBuf>> {
        match self.text(key)? {
            Some(text) if text.is_empty() => Err(self.invalid(key, "is empty", "Give the path of a file.")),
            Some(text) => Ok(Some(self.directory.join(text))),
            None => Ok(None),
        }
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.tree.get(key) {
            None => Ok(None),
            Some(Tree {
                node: Node::Bool(value),
                ..
            }) => Ok(Some(*value)),
            Some(tree) => Err(self.wrong_kind(key, tree, "true or false")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number<T: TryFrom<u64>>(&self, key: &str, allowed: RangeInclusive<u64>) -> Result<Option<T>> {
        let (least, most) = (allowed.start(), allowed.end());
        let kind = format!("a whole number from {least} to {most}");
        match self.tree.get(key) {
            None => Ok(None),
            Some(tree) => match &tree.node {
                Node::Number(number) => number
                    .as_u64()
                    .filter(|number| allowed.contains(number))
                    .and_then(|number| T::try_from(number).ok())
                    .map(Some)
                    .ok_or_else(|| self.wrong_kind(key, tree, &kind)),
                _ => Err(self.wrong_kind(key, tree, &kind)),
            },
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let chosen = choices.iter().find(|(name, _)| *name == text);
        chosen.map(|(_, value)| Some(*value)).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            self.invalid(
                key,
                &format!("is `{}`, which is not a value of it", shown(&text)),
                &format!("Allowed are {}.", names.join(", ")),
            )
        })
    }

    /// The sections in a list.
    pub(super) fn list(&self, key: &str) -> Result<Option<Vec<Self>>> {
        let Some(tree) = self.tree.get(key) else {
            return Ok(None);
        };
        let Node::List(items) = &tree.node else {
            return Err(self.wrong_kind(key, tree, "a list"));
        };
        let path = self.path_of(key);
        let item = |(index, tree): (usize, &'a Tree)| {
            let path = format!("{path}[{index}]");
            match tree.node {
                Node::Map(_) => Ok(Self {
                    path,
                    tree,
                    directory: self.directory,
                }),
                _ => Err(wrong_kind(&path, tree, "a mapping")),
            }
        };
        items.iter().enumerate().map(item).collect::<Result<_>>().map(Some)
    }

    /// Refuses `key` together with any of `others`.
    pub(super) fn exclusive(&self, key: &str, others: &[&str]) -> Result<()> {
        let Some(other) = others.iter().find(|other| self.has(key) && self.has(other)) else {
            return Ok(());
        };
        let (ours, theirs) = (self.path_of(key), self.path_of(other));
        let message = format!("`{ours}` and `{theirs}` exclude each other");
        Err(self.at(
            other,
            Error::new(Code::ConfigInvalid, message)
                .help(format!("Remove one of the two. {}", self.both_origins(key, other)).trim_end()),
        ))
    }

    /// Says where two keys come from if that is not one file, where seeing both is easy.
    fn both_origins(&self, key: &str, other: &str) -> String {
        match (self.origin_name(key), self.origin_name(other)) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                format!(
                    "`{}` comes from {ours}, `{}` from {theirs}.",
                    self.path_of(key),
                    self.path_of(other)
                )
            }
            _ => String::new(),
        }
    }

    fn origin_name(&self, key: &str) -> Option<String> {
        match &self.tree.get(key)?.origin {
            Origin::Top => None,
            Origin::Variable(name) => Some(format!("the variable {name}")),
            Origin::File { source, .. } => Some(format!("`{}`", source.name)),
        }
    }

    /// The bytes of a file that holds a secret, given under `key`.
    pub(super) fn read_secret(&self, key: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::new());
        let read = File::open(path).and_then(|file| file.take(SECRET_FILE_LIMIT + 1).read_to_end(&mut bytes));
        if let Err(error) = read {
            let message = format!("`{}` (`{}`) cannot be read: {error}", path.display(), self.path_of(key));
            return Err(self.at(
                key,
                Error::new(Code::FileUnreadable, message)
                    .help("The path is relative to the current folder. The file must be readable for this user."),
            ));
        }
        if bytes.len() as u64 > SECRET_FILE_LIMIT {
            return Err(self.invalid(
                key,
                &format!("names `{}`, which is larger than 64 KiB", path.display()),
                "Name a file that holds the secret alone.",
            ));
        }
        Ok(bytes)
    }

    /// The text of a file that holds a secret, without the white space around it. An empty one is refused.
    pub(super) fn read_secret_text(&self, key: &str) -> Result<Option<SecretString>> {
        let Some(path) = self.file(key)? else {
            return Ok(None);
        };
        let bytes = self.read_secret(key, &path)?;
        match std::str::from_utf8(&bytes).map(str::trim) {
            Ok("") => Err(self.invalid(
                key,
                &format!("names `{}`, which is empty", path.display()),
                "Put the secret into the file.",
            )),
            Ok(text) => Ok(Some(text.into())),
            Err(_) => Err(self.invalid(
                key,
                &format!("names `{}`, which is not UTF-8", path.display()),
                "Name a file that holds the secret as text.",
            )),
        }
    }

    /// The error that a value is wrong: `problem` goes on from the key's path, without a final stop.
    pub(super) fn invalid(&self, key: &str, problem: &str, help: &str) -> Error {
        let origin = self.tree.get(key).map_or(&self.tree.origin, |tree| &tree.origin);
        invalid(&self.path_of(key), origin, problem, help)
    }

    /// The error that a key is missing, shown at the section.
    pub(super) fn missing(&self, key: &str, help: &str) -> Error {
        let path = self.path_of(key);
        let error = Error::new(Code::ConfigMissing, format!("`{path}` is missing"))
            .help(help)
            .data("key", path);
        place(&self.tree.origin, error)
    }

    /// Adds the place of a key to an error.
    fn at(&self, key: &str, error: Error) -> Error {
        let error = error.data("key", self.path_of(key));
        match self.tree.get(key) {
            Some(tree) => place(&tree.origin, error),
            None => error,
        }
    }

    fn wrong_kind(&self, key: &str, tree: &Tree, wanted: &str) -> Error {
        wrong_kind(&self.path_of(key), tree, wanted)
    }
}

/// The error that a value is of another type than `wanted`. The value is shown unless it may be a secret.
fn wrong_kind(path: &str, tree: &Tree, wanted: &str) -> Error {
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
        (Node::Text(_), Origin::File { .. }) if wanted != "text" => {
            format!("Write {wanted}, without quotes.")
        }
        _ => format!("Write {wanted}."),
    };
    invalid(path, &tree.origin, &format!("must be {wanted}, but is {value}"), &help)
}

/// The error that the value at `path` is wrong.
fn invalid(path: &str, origin: &Origin, problem: &str, help: &str) -> Error {
    let variable = match origin {
        Origin::Variable(name) => format!(" (variable {name})"),
        _ => String::new(),
    };
    let error = Error::new(Code::ConfigInvalid, format!("`{path}`{variable} {problem}"))
        .help(help)
        .data("key", path);
    place(origin, error)
}

/// Adds where a value was written.
fn place(origin: &Origin, error: Error) -> Error {
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

/// A value fit for a message: one line, not endless.
fn shown(text: &str) -> String {
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
