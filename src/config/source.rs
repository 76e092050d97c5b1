//! Reading a configuration file: finding it as MAS does, and turning its YAML into a [`Tree`] of bounded size.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize as _,
    de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
};
use serde_json::Number;
use zeroize::Zeroizing;

use super::{
    environment::Environment,
    file::{self, Unread},
    locate,
    tree::{Node, Origin, Source, Step, Tree},
};
use crate::error::{Code, Error, Result};

/// The most bytes of a configuration file.
const FILE_LIMIT: usize = 1024 * 1024;

/// The most opening brackets and braces in a file: the parser's time grows with the square of their depth.
const BRACKETS_LIMIT: usize = 10_000;

/// The most bytes that the values of a file may take once its aliases are expanded, counted roughly: a small file of
/// nested aliases can mean billions of values.
const TREE_LIMIT: usize = 64 * 1024 * 1024;

/// What one value takes besides its text, roughly.
const VALUE_SIZE: usize = 64;

/// Finds a configuration file: a relative name in the current directory, then in every parent; the first hit counts.
pub(super) fn find(name: &Path, environment: &Environment) -> Option<PathBuf> {
    let places = || environment.directory().ancestors().map(|parent| parent.join(name));
    // No check for a plain file: `--config <(…)` names a pipe.
    let found = places().find(|path| path.metadata().is_ok_and(|metadata| !metadata.is_dir()));
    // Reading a file behind a closed folder says what is wrong, and "not found" would not.
    found.or_else(|| {
        let closed = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        places().find(|path| path.metadata().is_err_and(closed))
    })
}

/// Reads and parses a configuration file.
pub(super) fn read(path: &Path, environment: &Environment) -> Result<Tree> {
    let name = path
        .strip_prefix(environment.directory())
        .unwrap_or(path)
        .display()
        .to_string();
    let bytes = file::read(path, FILE_LIMIT).map_err(|error| match error {
        Unread::Failed(error) => Error::new(Code::FileUnreadable, format!("`{name}` cannot be read: {error}"))
            .help("Make the configuration file readable for this user, or name another one with --config."),
        Unread::TooLarge => Error::new(Code::ConfigInvalid, format!("`{name}` is larger than 1 MiB"))
            .help("Is this a MAS configuration file?"),
    })?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(not_utf8(&name, &bytes));
    };
    let source = Arc::new(Source {
        name,
        text: SecretString::from(text),
    });
    parse(&source)
}

fn not_utf8(name: &str, bytes: &[u8]) -> Error {
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let (line, column) = line_and_column(valid);
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    Error::new(Code::ConfigInvalid, format!("`{name}` is not UTF-8"))
        .help("Save the file in UTF-8.")
        .at(locate::excerpt(name, &text, line, column))
}

/// Parses the YAML of a file. An empty file is an empty mapping.
pub(super) fn parse(source: &Arc<Source>) -> Result<Tree> {
    let origin = Origin::File {
        source: Arc::clone(source),
        trail: None,
    };
    let text = source.text.expose_secret();
    refuse_foreign(&source.name, text)?;
    let tree = from_yaml(text, &origin).map_err(|error| no_yaml(&source.name, text, &error))?;
    match tree.node {
        Node::Map(_) => Ok(tree),
        Node::Null => Ok(Tree {
            node: Node::Map(BTreeMap::new()),
            origin,
        }),
        other => Err(Error::new(
            Code::ConfigInvalid,
            format!("`{}` must be a mapping, but is {}", source.name, other.kind()),
        )
        .help("A configuration file has sections, such as `database:` and `matrix:`, each on its own line.")
        .at(locate::excerpt(&source.name, text, 1, 1))),
    }
}

/// Refuses what the parser would take long for, or say little about.
fn refuse_foreign(name: &str, text: &str) -> Result<()> {
    let help = "Is this a MAS configuration file?";
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{'));
    if brackets.count() > BRACKETS_LIMIT {
        let message = format!("`{name}` has more than {BRACKETS_LIMIT} opening brackets");
        return Err(Error::new(Code::ConfigInvalid, message).help(help));
    }
    let Some((index, found)) = text.char_indices().find(|(_, c)| locate::is_forbidden(*c)) else {
        return Ok(());
    };
    let (line, column) = line_and_column(&text[..index]);
    let message = format!(
        "`{name}` is not valid YAML: it has the control character U+{:04X}",
        u32::from(found)
    );
    Err(Error::new(Code::ConfigInvalid, message)
        .help(format!("Remove it. {help}"))
        .at(locate::excerpt(name, text, line, column)))
}

/// The line and the column, both from 1, of what comes after this text.
fn line_and_column(before: &str) -> (usize, usize) {
    let line = 1 + before.matches('\n').count();
    (line, 1 + before.rsplit('\n').next().unwrap_or_default().chars().count())
}

/// The error that the parser gives up on a text, in words of ours where its own are of little help.
fn no_yaml(name: &str, text: &str, error: &serde_yaml::Error) -> Error {
    let location = error.location().map(|location| (location.line(), location.column()));
    let reason = reason(error);
    let (reason, help, location) = if reason.contains("more than one document") {
        let help = "Leave one. A second file is named by a second `--config`, or after a `:` in MAS_CONFIG.";
        (
            "it holds more than one document".to_owned(),
            help,
            second_document(text),
        )
    } else if location.is_some_and(|(line, _)| is_indented_by_tab(text, line)) {
        ("a tab does not indent".to_owned(), "Indent with spaces.", location)
    } else {
        (reason, "Correct the line that is shown.", location)
    };
    let wrong = Error::new(Code::ConfigInvalid, format!("`{name}` is not valid YAML: {reason}")).help(help);
    match location {
        Some((line, column)) => wrong.at(locate::excerpt(name, text, line, column)),
        None => wrong,
    }
}

fn is_indented_by_tab(text: &str, line: usize) -> bool {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    line[..line.len() - line.trim_start().len()].contains('\t')
}

/// Where the marker of a second document is, which the parser does not say.
fn second_document(text: &str) -> Option<(usize, usize)> {
    let is_content = |line: &str| !line.trim().is_empty() && !line.starts_with(['#', '%']);
    let first = text.lines().position(is_content)?;
    let marker = text.lines().skip(first + 1).position(|line| line.starts_with("---"))?;
    Some((first + marker + 2, 1))
}

/// What a YAML error says, without the position, which is shown with the excerpt. The parser's messages hold no
/// values, but may name a key.
fn reason(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let mut reason = text.split(" at line ").next().unwrap_or_default().trim();
    if let Some((path, rest)) = reason.split_once(": ")
        && !path.contains(' ')
    {
        reason = rest;
    }
    reason.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Turns YAML into a tree whose values come from `origin`.
pub(super) fn from_yaml(text: &str, origin: &Origin) -> Result<Tree, serde_yaml::Error> {
    let budget = Cell::new(TREE_LIMIT);
    let build = Build {
        origin: origin.clone(),
        budget: &budget,
    };
    build.deserialize(serde_yaml::Deserializer::from_str(text))
}

/// Builds the tree while the parser walks the document.
struct Build<'a> {
    origin: Origin,
    budget: &'a Cell<usize>,
}

impl Build<'_> {
    fn spend<E: serde::de::Error>(&self, text: usize) -> Result<(), E> {
        let left = self.budget.get().checked_sub(VALUE_SIZE + text);
        self.budget
            .set(left.ok_or_else(|| E::custom("it has too many values once its aliases are expanded"))?);
        Ok(())
    }

    fn leaf<E: serde::de::Error>(self, node: Node) -> Result<Tree, E> {
        self.spend(0)?;
        Ok(Tree {
            node,
            origin: self.origin,
        })
    }

    fn inner(&self, step: impl FnOnce() -> Step) -> Self {
        Self {
            origin: self.origin.child(step),
            budget: self.budget,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = Tree;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Tree, E> {
        self.leaf(Node::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Tree, E> {
        self.leaf(Node::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Tree, E> {
        self.leaf(Node::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Tree, E> {
        self.leaf(Node::Number(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        self.leaf(Node::Number(value.into()))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "no setting is a number of this size: it is refused by its range"
    )]
    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Tree, E> {
        self.visit_f64(value as f64)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "no setting is a number of this size: it is refused by its range"
    )]
    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Tree, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        let node = Number::from_f64(value).map_or_else(|| Node::Text(value.to_string().into()), Node::Number);
        self.leaf(node)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Tree, E> {
        self.spend(value.len())?;
        Ok(Tree {
            node: Node::Text(value.into()),
            origin: self.origin,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        self.spend(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner(|| Step::Index(list.len())))? {
            list.push(item);
        }
        Ok(Tree {
            node: Node::List(list),
            origin: self.origin,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        self.spend(0)?;
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key_seed(Key(&map))? {
            self.spend(key.len())?;
            let value = entries.next_value_seed(self.inner(|| Step::Key(key.clone())))?;
            map.insert(key, value);
        }
        Ok(Tree {
            node: Node::Map(map),
            origin: self.origin,
        })
    }

    /// A tag such as `!secret` means nothing here: the value counts.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Tree, A::Error> {
        let (Tag, value) = data.variant_seed(Tag)?;
        value.newtype_variant_seed(self)
    }
}

/// The name of a YAML tag, which is passed over.
struct Tag;

impl<'de> DeserializeSeed<'de> for Tag {
    type Value = Self;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| self)
    }
}

/// A key of a mapping, as text: `1:` and `true:` are keys of things that masctl does not read. One that is there
/// already is refused while the parser still knows where the second is.
struct Key<'a>(&'a BTreeMap<String, Tree>);

impl Key<'_> {
    fn distinct<E: serde::de::Error>(&self, key: String) -> Result<String, E> {
        if self.0.contains_key(&key) {
            return Err(E::custom(format_args!("the key `{key}` is there twice")));
        }
        Ok(key)
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        self.distinct(key.to_owned())
    }

    fn visit_bool<E: serde::de::Error>(self, key: bool) -> Result<String, E> {
        self.distinct(key.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<String, E> {
        self.distinct(key.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<String, E> {
        self.distinct(key.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, key: f64) -> Result<String, E> {
        self.distinct(key.to_string())
    }
}
