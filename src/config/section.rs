//! Reading one section key by key: each value is checked, and one that is wrong is shown where it was written.

use std::{
    iter,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{
    file::{self, Unread},
    inspection::Inspection,
    tree::{Node, Origin, Tree},
    wrong,
};
use crate::error::{Code, Error, Result};

/// The most bytes of a file that holds a secret.
const SECRET_FILE_LIMIT: usize = 64 * 1024;

/// The most bytes of a PEM file: a system's whole list of authorities has some hundred thousand.
const PEM_FILE_LIMIT: usize = 4 * 1024 * 1024;

/// A mapping of the configuration, its path in it, and the folder that its relative paths start from.
///
/// While it is checked, it takes note of every error that it makes: what reads it tries all keys before it gives up.
#[derive(Clone)]
pub(super) struct Section<'a> {
    path: String,
    tree: &'a Tree,
    directory: &'a Path,
    inspection: Option<&'a Inspection>,
}

impl<'a> Section<'a> {
    /// The whole configuration. Relative paths in it start from `directory`.
    pub(super) fn top(tree: &'a Tree, directory: &'a Path, inspection: Option<&'a Inspection>) -> Self {
        Self {
            path: String::new(),
            tree,
            directory,
            inspection,
        }
    }

    /// The section under a key, unless it is absent or empty.
    pub(super) fn section(&self, key: &str) -> Result<Option<Self>> {
        match self.tree.get(key) {
            None => Ok(None),
            Some(tree) => self.inner(self.path_of(key), tree).map(Some),
        }
    }

    /// The sections in the list under a key.
    pub(super) fn list(&self, key: &str) -> Result<Option<Vec<Self>>> {
        let Some(tree) = self.tree.get(key) else {
            return Ok(None);
        };
        let Node::List(items) = &tree.node else {
            return Err(self.wrong_kind(&self.path_of(key), tree, "a list"));
        };
        let path = self.path_of(key);
        let item = |(index, tree)| self.inner(format!("{path}[{index}]"), tree);
        self.every(items.iter().enumerate().map(item)).map(Some)
    }

    fn inner(&self, path: String, tree: &'a Tree) -> Result<Self> {
        match tree.node {
            Node::Map(_) => Ok(Self {
                path,
                tree,
                ..self.clone()
            }),
            _ => Err(self.wrong_kind(&path, tree, "a mapping")),
        }
    }

    /// The full path of this section, as messages name it.
    pub(super) fn path(&self) -> &str {
        &self.path
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

    /// Whether one of the keys has a value.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// All keys, also those without a value.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let entries = match &self.tree.node {
            Node::Map(entries) => Some(entries),
            _ => None,
        };
        entries
            .into_iter()
            .flat_map(|entries| entries.keys().map(String::as_str))
    }

    /// All results, or the first error. While the section is checked, the others are made too, and taken note of.
    pub(super) fn every<T>(&self, results: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
        if self.inspection.is_some() {
            let results: Vec<_> = results.into_iter().collect();
            return results.into_iter().collect();
        }
        results.into_iter().collect()
    }

    /// The text under a key, if it is text: what is wrong with it otherwise is said elsewhere.
    pub(super) fn glimpse(&self, key: &str) -> Option<&'a str> {
        match &self.tree.get(key)?.node {
            Node::Text(text) => Some(text.expose_secret()),
            _ => None,
        }
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
            Some(tree) => Err(self.wrong_kind(&self.path_of(key), tree, "text")),
        }
    }

    /// The texts in a list, each with its path and where it was written.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<(String, &'a str, &'a Origin)>> {
        let Some(tree) = self.tree.get(key) else {
            return Ok(Vec::new());
        };
        let path = self.path_of(key);
        let Node::List(items) = &tree.node else {
            return Err(self.wrong_kind(&path, tree, "a list"));
        };
        self.every(items.iter().enumerate().map(|(index, item)| {
            let path = format!("{path}[{index}]");
            match &item.node {
                Node::Text(text) => Ok((path, text.expose_secret(), &item.origin)),
                _ => Err(self.wrong_kind(&path, item, "text")),
            }
        }))
    }

    /// The path of a file or folder, made absolute.
    pub(super) fn file(&self, key: &str) -> Result<Option<PathBuf>> {
        match self.text(key)? {
            Some(text) if text.is_empty() => Err(self.invalid(key, "is empty", "Give the path of a file.")),
            Some(text) => Ok(Some(self.directory.join(text))),
            None => Ok(None),
        }
    }

    /// The folder of the file that something is written in; for a variable, the current one.
    pub(super) fn folder_of(&self, origin: &Origin) -> PathBuf {
        let file = match origin {
            Origin::File { source, .. } => Path::new(&source.name).parent(),
            _ => None,
        };
        self.directory.join(file.unwrap_or(Path::new("")))
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.tree.get(key) {
            None => Ok(None),
            Some(Tree {
                node: Node::Bool(value),
                ..
            }) => Ok(Some(*value)),
            Some(tree) => Err(self.wrong_kind(&self.path_of(key), tree, "true or false")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number<T: TryFrom<u64>>(&self, key: &str, allowed: RangeInclusive<u64>) -> Result<Option<T>> {
        self.number_of(key, "a whole number", allowed)
    }

    /// A number within bounds that counts what `counted` says.
    pub(super) fn number_of<T: TryFrom<u64>>(
        &self,
        key: &str,
        counted: &str,
        allowed: RangeInclusive<u64>,
    ) -> Result<Option<T>> {
        let Some(tree) = self.tree.get(key) else {
            return Ok(None);
        };
        let number = match &tree.node {
            Node::Number(number) => number.as_u64().filter(|number| allowed.contains(number)),
            _ => None,
        };
        number
            .and_then(|number| T::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| {
                let bounds = match (allowed.start(), allowed.end()) {
                    (least, &u64::MAX) => format!("{counted}, {least} or more"),
                    (least, most) => format!("{counted} from {least} to {most}"),
                };
                self.wrong_kind(&self.path_of(key), tree, &bounds)
            })
    }

    /// One of a few words, as what it stands for.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let chosen = choices.iter().find(|(name, _)| *name == text);
        chosen.map(|(_, value)| Some(*value)).ok_or_else(|| {
            self.invalid(
                key,
                &format!("is `{}`, which is not a value of it", wrong::shown(&text)),
                &allowed(choices),
            )
        })
    }

    /// As [`Self::choice`], of a key that must be there.
    pub(super) fn required_choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T> {
        self.choice(key, choices)?
            .ok_or_else(|| self.missing(key, &allowed(choices)))
    }

    /// Refuses `key` together with any of `others`, and names all of them that are there.
    pub(super) fn exclusive(&self, key: &str, others: &[&str]) -> Result<()> {
        let there: Vec<_> = others
            .iter()
            .copied()
            .filter(|other| self.has(key) && self.has(other))
            .collect();
        let ours = self.path_of(key);
        let theirs = wrong::listed(there.iter().map(|other| self.path_of(other)));
        let (message, help) = match there.as_slice() {
            [] => return Ok(()),
            [_] => (
                format!("`{ours}` and {theirs} exclude each other"),
                "Remove one of the two.".to_owned(),
            ),
            _ => (
                format!("`{ours}` excludes {theirs}"),
                format!("Remove `{ours}`, or the others."),
            ),
        };
        let help = [help, self.sources_of(key, &there)].join(" ");
        let error = Error::new(Code::ConfigInvalid, message).help(help.trim_end());
        Err(self.about(there[0], error))
    }

    /// Says where keys come from if that is not one file, where seeing all is easy.
    fn sources_of(&self, key: &str, others: &[&str]) -> String {
        let all: Vec<_> = iter::once(&key)
            .chain(others)
            .filter_map(|key| Some((self.path_of(key), self.origin_name(key)?)))
            .collect();
        if all.windows(2).all(|two| two[0].1 == two[1].1) {
            return String::new();
        }
        let verbs = iter::once("is from").chain(iter::repeat("from"));
        let each = all
            .iter()
            .zip(verbs)
            .map(|((key, origin), verb)| format!("`{key}` {verb} {origin}"));
        each.collect::<Vec<_>>().join(", ") + "."
    }

    fn origin_name(&self, key: &str) -> Option<String> {
        match self.origin_of(key) {
            Origin::Top => None,
            Origin::Variable(name) => Some(format!("the variable {name}")),
            Origin::File { source, .. } => Some(format!("`{}`", source.name)),
        }
    }

    /// Where a key was written, or this section if it was not.
    pub(super) fn origin_of(&self, key: &str) -> &Origin {
        self.tree.written(key).map_or(&self.tree.origin, |tree| &tree.origin)
    }

    /// All bytes of the file that holds a secret. An empty one is refused.
    pub(super) fn read_secret(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let bytes = self.read(key, SECRET_FILE_LIMIT, "Name a file that holds the secret alone.")?;
        match bytes {
            Some(bytes) if bytes.is_empty() => Err(self.empty_file(key)),
            bytes => Ok(bytes),
        }
    }

    /// The text of the file that holds a secret, without the white space around it. An empty one is refused.
    pub(super) fn read_secret_text(&self, key: &str) -> Result<Option<SecretString>> {
        let Some(bytes) = self.read_secret(key)? else {
            return Ok(None);
        };
        match std::str::from_utf8(&bytes).map(str::trim) {
            Ok("") => Err(self.empty_file(key)),
            Ok(text) => Ok(Some(text.into())),
            Err(_) => Err(self.wrong_file(key, "is not UTF-8", "Name a file that holds the secret as text.")),
        }
    }

    /// The path of a PEM file, whose content is not needed here. While the section is checked, it is looked at.
    pub(super) fn pem_file(&self, key: &str) -> Result<Option<PathBuf>> {
        if self.inspection.is_some()
            && let Some(bytes) = self.read(key, PEM_FILE_LIMIT, "Name a file in PEM.")?
            && !bytes.windows(11).any(|window| window == b"-----BEGIN ")
        {
            return Err(self.wrong_file(
                key,
                "is not in PEM",
                "A certificate or key in PEM begins with `-----BEGIN `.",
            ));
        }
        self.file(key)
    }

    /// The bytes of a file that has at most `limit` of them.
    fn read(&self, key: &str, limit: usize, alone: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some(path) = self.file(key)? else {
            return Ok(None);
        };
        match file::read(&path, limit) {
            Ok(bytes) => {
                if let Some(inspection) = self.inspection {
                    inspection.file(self.path_of(key), &path);
                }
                Ok(Some(bytes))
            }
            Err(Unread::TooLarge) => {
                let problem = format!("is larger than {} KiB", limit / 1024);
                Err(self.wrong_file(key, &problem, alone))
            }
            Err(Unread::Failed(error)) => {
                let message = format!("`{}` (`{}`) cannot be read: {error}", path.display(), self.path_of(key));
                let help = "The file must be readable for this user. A relative path starts from the current folder.";
                Err(self.about(key, Error::new(Code::FileUnreadable, message).help(help)))
            }
        }
    }

    fn empty_file(&self, key: &str) -> Error {
        self.wrong_file(key, "is empty", "Put the secret into the file, or name another.")
    }

    /// The error that the content of the file that `key` names is wrong.
    fn wrong_file(&self, key: &str, problem: &str, help: &str) -> Error {
        let path = self.file(key).ok().flatten().unwrap_or_default();
        self.invalid(key, &format!("names `{}`, which {problem}", path.display()), help)
    }

    /// The error that a value is wrong: `problem` goes on from the key's path, without a final stop.
    pub(super) fn invalid(&self, key: &str, problem: &str, help: &str) -> Error {
        self.invalid_at(&self.path_of(key), self.origin_of(key), problem, help)
    }

    /// The error that the value at this path, written there, is wrong.
    pub(super) fn invalid_at(&self, path: &str, origin: &Origin, problem: &str, help: &str) -> Error {
        self.told(origin, wrong::value_at(path, origin, problem, help))
    }

    /// The error that a key is missing, shown at the section.
    pub(super) fn missing(&self, key: &str, help: &str) -> Error {
        let path = self.path_of(key);
        let error = Error::new(Code::ConfigMissing, format!("`{path}` is missing"))
            .help(help)
            .data("key", path);
        self.told(&self.tree.origin, error)
    }

    /// Adds the place of a key to an error.
    fn about(&self, key: &str, error: Error) -> Error {
        self.told(self.origin_of(key), error.data("key", self.path_of(key)))
    }

    fn wrong_kind(&self, path: &str, tree: &Tree, wanted: &str) -> Error {
        self.told(&tree.origin, wrong::kind(path, tree, wanted))
    }

    /// Adds the place to an error, and takes note of it while the section is checked. Finding the place costs time,
    /// so it is left out once no more errors are wanted.
    fn told(&self, origin: &Origin, error: Error) -> Error {
        let Some(inspection) = self.inspection else {
            return wrong::place(origin, error);
        };
        let error = if inspection.is_full() {
            error
        } else {
            wrong::place(origin, error)
        };
        inspection.problem(&error);
        error
    }
}

fn allowed<T>(choices: &[(&str, T)]) -> String {
    format!("Allowed are {}.", wrong::listed(choices.iter().map(|(name, _)| *name)))
}
