//! Where a value is in its file, and an excerpt of the file that shows no secrets.
//!
//! The parser keeps no positions, but it puts one on every error. So a position is found by parsing the file once more
//! and failing on purpose at the value that is meant.

use std::fmt;

use secrecy::ExposeSecret;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::{
    names,
    tree::{Source, Step},
};
use crate::error::Excerpt;

/// Words that make the value of a key a secret.
pub(super) const SECRET_WORDS: [&str; 7] = ["secret", "password", "passphrase", "token", "key", "encryption", "dsn"];

/// Ends of key names whose values are never secret, though a word in them says so.
const HARMLESS_ENDS: [&str; 10] = [
    "_file",
    "_id",
    "_ids",
    "_endpoint",
    "_method",
    "_alg",
    "_ttl",
    "_required",
    "_uri",
    "_url",
];

/// Whether a key of this name holds a secret, as far as its name tells.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word)) && !HARMLESS_ENDS.iter().any(|end| key.ends_with(end))
}

/// The line and the column, both from 1 and in characters, of the key or list item that `steps` lead to.
pub(super) fn position(source: &Source, steps: &[Step]) -> Option<(usize, usize)> {
    let deserializer = serde_yaml::Deserializer::from_str(source.text.expose_secret());
    let location = Follow(steps).deserialize(deserializer).err()?.location()?;
    Some((location.line(), location.column()))
}

/// An excerpt at the value that `steps` lead to.
pub(super) fn excerpt_of(source: &Source, steps: &[Step]) -> Option<Excerpt> {
    let (line, column) = position(source, steps)?;
    Some(excerpt(&source.name, source.text.expose_secret(), line, column))
}

/// An excerpt at a line and column, in which everything that may be secret is replaced, and every character that
/// would do something to a terminal.
pub(super) fn excerpt(name: &str, text: &str, line: usize, column: usize) -> Excerpt {
    let printable = |c: char| if is_forbidden(c) { '\u{FFFD}' } else { c };
    let text = &**Zeroizing::new(text.chars().map(printable).collect::<String>());
    let mut redacted = redact(text);
    let (line, column) = (line.max(1), column.max(1));
    let start_of_line: usize = redacted.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let content = redacted[start_of_line..].lines().next().unwrap_or_default().to_owned();
    let original = text.lines().nth(line - 1).unwrap_or_default();
    let (before, after) = original.split_at(byte_of(original, column - 1));
    let shown = if content.starts_with(before) && (content.len() > before.len() || content == original) {
        content
    } else {
        let shown = format!("{}{}", dotted(before), key_at(after));
        redacted.replace_range(start_of_line..start_of_line + content.len(), &shown);
        shown
    };
    let start = byte_of(&shown, column - 1);
    let word = shown[start..].find(|c: char| c == ':' || c.is_whitespace());
    let end = start + word.unwrap_or(shown.len() - start);
    Excerpt::new(name, redacted, start_of_line + start..start_of_line + end)
}

/// Whether YAML has no place for this character.
pub(super) fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
}

/// Where the character of this number begins, or the end of the line.
fn byte_of(line: &str, character: usize) -> usize {
    line.char_indices()
        .nth(character)
        .map_or(line.len(), |(index, _)| index)
}

/// Text of the same width that shows only how it is structured, so that what follows keeps its column.
fn dotted(text: &str) -> String {
    let dot = |c: char| {
        if c.is_whitespace() || "{}[],:".contains(c) {
            c
        } else {
            '.'
        }
    };
    text.chars().map(dot).collect()
}

/// The key that a text begins with, and an ellipsis for what follows it.
fn key_at(text: &str) -> String {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    match (&text[end..], text) {
        (_, "") => String::new(),
        (rest, _) if rest.starts_with(':') => format!("{}: …", &text[..end]),
        _ => "…".to_owned(),
    }
}

/// The text with the same lines, but without anything that may be a secret: what stays are keys, and the plain values
/// of keys whose names are harmless.
fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    // Lines that are indented more than this belong to a secret that spans lines.
    let mut hidden_below = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let indent = content.len() - content.trim_start_matches(' ').len();
        let hidden = hidden_below.is_some_and(|limit| indent > limit) && indent < content.len();
        if hidden {
            redacted.push_str(&content[..indent]);
            redacted.push('…');
        } else {
            let (kept, spans) = redact_line(content);
            redacted.push_str(&kept);
            if !content.trim().is_empty() {
                hidden_below = spans.then_some(indent);
            }
        }
        redacted.push_str(&line[content.len()..]);
    }
    redacted
}

/// One line without what may be a secret, and whether the value may go on in deeper lines.
fn redact_line(line: &str) -> (String, bool) {
    let body = line.trim_start_matches([' ', '-']);
    let lead = &line[..line.len() - body.len()];
    let name_end = body
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '-'))
        .unwrap_or(body.len());
    let (name, rest) = body.split_at(name_end);
    let value = match rest.strip_prefix(':') {
        Some(value) if !name.is_empty() && (value.is_empty() || value.starts_with(' ')) => value,
        _ if body.is_empty() => return (line.to_owned(), false),
        _ => return (format!("{lead}…"), false),
    };
    let value = value.find(" #").map_or(value, |comment| &value[..comment]);
    if value.trim().is_empty() {
        return (format!("{lead}{name}:"), false);
    }
    let lower = value.to_ascii_lowercase();
    let plain = !value.contains(['{', '[', '|', '>', '&', '*', '@', '?'])
        && !SECRET_WORDS.iter().any(|word| lower.contains(word));
    // Text in the place of a whole section may be a secret that slipped.
    let section = lead.is_empty() && names::OF_MAS.iter().chain([&names::OWN]).any(|known| *known == name);
    if plain && !section && !is_secret(name) {
        (format!("{lead}{name}:{value}"), false)
    } else {
        (format!("{lead}{name}: …"), true)
    }
}

/// Walks along the steps and fails at their end, or passes over everything if they lead nowhere.
struct Follow<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Follow<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // At the end of the way every value is one that the visitor does not expect, which is the error wanted.
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Follow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a way on")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Index(index), rest)) = self.0.split_first() else {
            return Err(A::Error::custom("here"));
        };
        for _ in 0..*index {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Follow(rest))?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.0.split_first() else {
            return Err(A::Error::custom("here"));
        };
        let last = rest.is_empty();
        while let Some(found) = entries.next_key_seed(Matching { wanted, last })? {
            if found {
                entries.next_value_seed(Follow(rest))?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Compares a key, and fails at the last one that is wanted.
struct Matching<'a> {
    wanted: &'a str,
    last: bool,
}

impl<'de> DeserializeSeed<'de> for Matching<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Matching<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        if key == self.wanted && self.last {
            return Err(E::custom("here"));
        }
        Ok(key == self.wanted)
    }

    fn visit_bool<E: serde::de::Error>(self, key: bool) -> Result<bool, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<bool, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<bool, E> {
        self.visit_str(&key.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, key: f64) -> Result<bool, E> {
        self.visit_str(&key.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Step {
        text.parse().map_or_else(|_| Step::Key(text.to_owned()), Step::Index)
    }

    #[test]
    fn positions_are_those_of_keys_and_items_in_every_style() {
        let text =
            "# c\na:\n  - x: &o {y: 1}\n    ñ: {\"q\": 2, z: [3,\n       4]}\n  - *o\n? b\n: |\n  text\nc: !t {d: 1}\n";
        let source = Source {
            name: "x".to_owned(),
            text: text.into(),
        };
        for (path, place) in [
            ("a", Some((2, 1))),
            ("a 0", Some((3, 5))),
            ("a 0 x y", Some((3, 12))),
            ("a 0 ñ q", Some((4, 9))),
            ("a 0 ñ z 1", Some((5, 8))),
            ("b", Some((7, 3))),
            ("e", None),
            ("a 7", None),
        ] {
            let steps: Vec<_> = path.split(' ').map(step).collect();
            assert_eq!(position(&source, &steps), place, "{path}");
        }
    }

    #[test]
    fn an_excerpt_marks_the_key_and_hides_secrets() {
        let text = "database:\n  uri: postgresql://u:p@h/db # the p\n  port: 'x' # note\r\n  password: hunter2\n  \
                    secrets:\n    keys:\n    - kid: a\n      key: |\n        AAAA\n        b: BBBB\n    - b: {key: x}\n  \
                    # password: x\n  hunter2\nlist:\n- hunter2\n- password: p\n- uri: >-\n    x: y\n";
        let expected = "database:\n  uri: …\n  port: 'x'\r\n  password: …\n  secrets:\n    keys:\n    - kid: a\n      \
                        key: …\n        …\n        …\n    - b: …\n  …\n  …\nlist:\n- …\n- password: …\n- uri: …\n    …\n";
        let excerpt = excerpt("x", text, 3, 3);
        assert_eq!(&*excerpt.text, expected);
        assert_eq!(&excerpt.text[excerpt.span.clone()], "port");
        assert_eq!(excerpt.line_and_column(), (3, 3));
    }

    #[test]
    fn an_excerpt_keeps_the_column_in_a_line_with_secrets() {
        for (text, column, shown, word) in [
            ("d: {password: p, port: x}", 18, ".: {........: ., port: …", "port"),
            ("d: [p, x]", 8, ".: [., …", "…"),
            ("á: x", 4, ".: …", "…"),
            ("'pass", 6, ".....", ""),
        ] {
            let excerpt = excerpt("x", format!("a: 1\n{text}\n").as_str(), 2, column);
            assert_eq!(&*excerpt.text, format!("a: 1\n{shown}\n"));
            assert_eq!(&excerpt.text[excerpt.span.clone()], word);
            assert_eq!(excerpt.line_and_column(), (2, column));
        }
    }

    #[test]
    fn an_excerpt_hides_a_text_in_the_place_of_a_section_and_what_moves_a_terminal() {
        let text = "matrix: hunter2\nx: a\u{1b}[2Jb\n";
        let excerpt = excerpt("x", text, 2, 4);
        assert_eq!(&*excerpt.text, "matrix: …\nx: …\n");
        let text = "x:\n  y: a\u{1b}b\n";
        assert_eq!(&*super::excerpt("x", text, 2, 3).text, "x:\n  y: a\u{fffd}b\n");
    }

    #[test]
    fn a_place_outside_of_the_text_does_no_harm() {
        for (line, column) in [(0, 0), (1, 99), (99, 1), (usize::MAX, usize::MAX)] {
            let excerpt = excerpt("x", "a: 1\n", line, column);
            assert!(excerpt.span.end <= excerpt.text.len());
        }
        assert_eq!(excerpt("x", "", 1, 1).span, 0..0);
    }
}
