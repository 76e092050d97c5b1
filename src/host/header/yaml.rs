//! The YAML of a header as a tree whose nodes are numbered, so that every error can point at its place.
//!
//! serde hides where a value stands; only an error that a visitor returns carries its place. So [`parse`] numbers all
//! keys and values in the order in which they are visited, and [`place`] visits them again and fails at the one that is
//! sought.

use std::{cell::Cell, fmt};

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess};

use super::{Fault, lines::is_invisible};
use crate::error::nearest;

/// A value of the YAML.
#[derive(Debug)]
pub(super) struct Node {
    /// Its number, for [`place`].
    pub(super) id: usize,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// In decimal.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In written order. A key may repeat.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    /// The number of the key.
    pub(super) id: usize,
    pub(super) key: String,
    pub(super) node: Node,
}

/// What the YAML parser refuses, and where: line and column from 0.
pub(super) struct Problem {
    pub(super) place: (usize, usize),
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Parses the text. Anchors, aliases and tags are refused: a header reads without looking elsewhere.
pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    match serde_yaml::from_str::<IgnoredAny>(text) {
        Err(error) if error.to_string().starts_with("unknown anchor") => return Err(indirection(text, &error)),
        Err(error) => return Err(problem(&error)),
        Ok(_) => {}
    }
    // Only at the start of a node do these three characters mean something, and there an alias that nothing defines is
    // an error. So a text that parses, but no longer does once they all are `*`, has an anchor or a tag just there.
    if text.contains(['&', '!', '*'])
        && let Err(error) = serde_yaml::from_str::<IgnoredAny>(&text.replace(['&', '!'], "*"))
    {
        return Err(indirection(text, &error));
    }
    visit(text, None).map_err(|error| problem(&error))
}

/// The line and the column, both from 0, of the key or value with this number.
pub(super) fn place(text: &str, id: usize) -> (usize, usize) {
    visit(text, Some(id)).err().as_ref().map(location).unwrap_or_default()
}

fn visit(text: &str, stop: Option<usize>) -> Result<Node, serde_yaml::Error> {
    let count = Cell::new(0);
    let visitor = Visitor { count: &count, stop };
    serde_yaml::Deserializer::from_str(text).deserialize_any(visitor)
}

fn location(error: &serde_yaml::Error) -> (usize, usize) {
    error
        .location()
        .map(|at| (at.line().saturating_sub(1), at.column().saturating_sub(1)))
        .unwrap_or_default()
}

fn indirection(text: &str, error: &serde_yaml::Error) -> Problem {
    let (row, column) = location(error);
    // The parser stops after the signs of a tag.
    let line: Vec<char> = text
        .split('\n')
        .nth(row)
        .unwrap_or_default()
        .chars()
        .take(column)
        .collect();
    let signs = line.iter().rev().take_while(|char| **char == '!').count();
    Problem {
        place: (row, column - signs),
        message: "a header has no anchors, aliases or tags".to_owned(),
        help: Some("write the value out; put text that starts with `&`, `*` or `!` in quotes".to_owned()),
    }
}

fn problem(error: &serde_yaml::Error) -> Problem {
    // The parser counts from the start of the YAML: its numbers would mislead beside the script's own.
    let text = error.to_string();
    let mut parts = text.split(" at line ");
    let mut message = format!("the header is no valid YAML: {}", parts.next().unwrap_or_default());
    for part in parts {
        let after = part.split_once(" column ").map_or(part, |(_, after)| after);
        message.push_str(after.trim_start_matches(|char: char| char.is_ascii_digit()));
    }
    // The parser's words are for those who know YAML by heart.
    let help = if text.contains("cannot start any token") {
        Some("indent with spaces; put text that starts with a sign in quotes")
    } else if ["did not find expected", "not allowed in this context", "while scanning"]
        .iter()
        .any(|it| text.contains(it))
    {
        Some("a key ends in `:`, what is opened is closed, and text with `: `, `,` or `#` in it stands in quotes")
    } else {
        None
    };
    Problem {
        place: location(error),
        message,
        help: help.map(str::to_owned),
    }
}

/// Builds the tree, or stops with an error at the node `stop`.
#[derive(Clone, Copy)]
struct Visitor<'a> {
    count: &'a Cell<usize>,
    stop: Option<usize>,
}

impl Visitor<'_> {
    fn number<E: de::Error>(self) -> Result<usize, E> {
        let id = self.count.get();
        self.count.set(id + 1);
        if self.stop == Some(id) {
            return Err(E::custom("here"));
        }
        Ok(id)
    }

    fn node<E: de::Error>(self, value: Value) -> Result<Node, E> {
        Ok(Node {
            id: self.number()?,
            value,
        })
    }
}

impl<'de> de::DeserializeSeed<'de> for Visitor<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for Visitor<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text, a number, a list or a mapping")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        self.node(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        self.node(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        self.node(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        self.node(Value::Number(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        self.node(Value::Number(value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Node, E> {
        self.node(Value::Number(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Node, E> {
        self.node(Value::Number(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        self.node(Value::Number(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        self.node(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let id = self.number()?;
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element_seed(self)? {
            nodes.push(node);
        }
        Ok(Node {
            id,
            value: Value::List(nodes),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let id = self.number()?;
        let mut entries = Vec::new();
        while let Some((id, key)) = items.next_key_seed(Key(self))? {
            let node = items.next_value_seed(self)?;
            entries.push(Entry { id, key, node });
        }
        Ok(Node {
            id,
            value: Value::Map(entries),
        })
    }
}

struct Key<'a>(Visitor<'a>);

impl<'de> de::DeserializeSeed<'de> for Key<'_> {
    type Value = (usize, String);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(usize, String), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl de::Visitor<'_> for Key<'_> {
    type Value = (usize, String);

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<(usize, String), E> {
        Ok((self.0.number()?, key.to_owned()))
    }
}

/// The entries of a mapping whose keys are known and there once.
pub(super) struct Fields<'a> {
    /// The number of the mapping, or of the key that it belongs to.
    id: usize,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// Checks the keys against `known`; `owner` is what has them, such as `a parameter`.
    pub(super) fn new(id: usize, owner: &str, entries: &'a [Entry], known: &[&str]) -> Result<Self, Fault> {
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let fault = Fault::new(entry.id, format!("{owner} has no key `{}`", clipped(&entry.key)));
                return Err(fault.help(suggestion(&entry.key, known)));
            }
        }
        refuse_repetition(entries)?;
        Ok(Self { id, entries })
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// A fault at a key, or at the whole if the key is not there.
    pub(super) fn fault(&self, key: &str, message: impl Into<String>) -> Fault {
        Fault::new(self.entry(key).map_or(self.id, |entry| entry.id), message)
    }

    /// A switch: absent is false.
    pub(super) fn truth(&self, key: &str) -> Result<bool, Fault> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.fault(key, format!("`{key}` must be `true` or `false`"))),
        }
    }

    /// One line of text.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Fault> {
        self.node(key).map(|node| text(&format!("`{key}`"), node)).transpose()
    }

    /// One line of text that is a sentence, for people; `wanted` is what it should be.
    pub(super) fn sentence(&self, key: &str, wanted: &str) -> Result<Option<String>, Fault> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let unfit = || {
            let fault = self.fault(key, format!("`{key}` must be {wanted}"));
            fault.help("for example `Its sessions end; that cannot be undone.`")
        };
        if !matches!(node.value, Value::Text(_)) {
            return Err(unfit());
        }
        let text = text(&format!("`{key}`"), node)?;
        if text.ends_with('.') {
            Ok(Some(text))
        } else {
            Err(unfit())
        }
    }

    /// A list of texts, with their numbers.
    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<(usize, String)>>, Fault> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let Value::List(nodes) = &node.value else {
            return Err(self.fault(key, format!("`{key}` must be a list, such as `[one, two]`")));
        };
        let texts = nodes
            .iter()
            .map(|node| Ok((node.id, text(&format!("an item of `{key}`"), node)?)));
        texts.collect::<Result<_, Fault>>().map(Some)
    }

    /// A mapping.
    pub(super) fn map(&self, key: &str) -> Result<Option<&'a [Entry]>, Fault> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Map(entries)) => Ok(Some(entries)),
            Some(_) => Err(self.fault(key, format!("`{key}` must be a mapping"))),
        }
    }
}

/// One line of text for `what`, neither empty nor with characters that steer a terminal.
pub(super) fn text(what: &str, node: &Node) -> Result<String, Fault> {
    let text = match &node.value {
        Value::Text(text) => text.trim(),
        Value::Bool(_) | Value::Number(_) => {
            return Err(Fault::new(node.id, format!("{what} must be text")).help("put the value in quotes"));
        }
        Value::Null => "",
        Value::List(_) | Value::Map(_) => return Err(Fault::new(node.id, format!("{what} must be text"))),
    };
    if text.is_empty() {
        return Err(Fault::new(node.id, format!("{what} must not be empty")));
    }
    if text.contains(is_invisible) {
        let fault = Fault::new(node.id, format!("{what} must be one line without control characters"));
        return Err(fault.help("fold a long text with `>-`"));
    }
    Ok(text.to_owned())
}

/// Refuses a key that is there twice, on its second line.
pub(super) fn refuse_repetition(entries: &[Entry]) -> Result<(), Fault> {
    let mut seen = std::collections::HashSet::new();
    match entries.iter().find(|entry| !seen.insert(&entry.key)) {
        None => Ok(()),
        Some(entry) => {
            let message = format!("the key `{}` is there twice", clipped(&entry.key));
            Err(Fault::new(entry.id, message).help("remove one of the two"))
        }
    }
}

/// Text of a stranger, short and printable enough for a message.
pub(super) fn clipped(text: &str) -> String {
    let start: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        start + "…"
    } else {
        start
    }
}

/// What to write instead of `wrong`: the nearest of `known`, or all of them.
pub(super) fn suggestion(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("it can be {}", known.join(", ")),
    }
}
