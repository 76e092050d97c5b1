//! A value as the prompt shows it: plain data, read while its run is alive, and printed after the commit.

use std::{fmt, mem};

use rhai::Dynamic;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::{
    error::Result,
    primitives::{MASK, Outline, Secret, Whole, outline},
};

/// How many items of a list are shown.
pub const ITEMS: usize = 50;

/// How many fields of a map are shown.
const FIELDS: usize = 200;

/// How deep what is shown may be nested.
const DEEPEST: usize = 16;

/// How many characters are shown of a text that is the value itself, and of one inside of it.
const TEXT: usize = 10_000;
const INNER_TEXT: usize = 1000;

/// How many characters are shown of the name of a field.
const NAME: usize = 200;

/// How much is shown in all: so many values, so many bytes of text.
const VALUES: usize = 10_000;
const BYTES: usize = 256 << 10;

/// How many different places are remembered where something was cut, and of how many there is a note.
const CUTS: usize = 100;
const NOTES: usize = 5;

/// What stands where something was cut.
const ELLIPSIS: char = '…';

/// What is shown of a value. It may hold a secret that was revealed.
#[derive(Default)]
pub struct Shown {
    value: Value,
    secret: Option<String>,
    notes: Vec<String>,
}

impl Shown {
    /// Reads what is to be shown of a value, which stays what it was: a list that is read page by page is asked for its first
    /// rows only. Secrets stay masked unless `reveal`, which shows those that a run made.
    ///
    /// # Errors
    /// Those of the store, when such a list is read; `run.interrupted`.
    pub fn of(value: &Dynamic, reveal: bool) -> Result<Self> {
        let mut reader = Reader {
            reveal,
            values: VALUES,
            bytes: BYTES,
            path: Vec::new(),
            depth: 0,
            secrets: Vec::new(),
            cuts: Vec::new(),
        };
        let value = reader.read(value)?;
        let secret = match reader.secrets.as_mut_slice() {
            [secret] => Some(mem::take(secret)),
            _ => None,
        };
        let notes = reader.notes();
        Ok(Self { value, secret, notes })
    }

    /// As it would be of a value of which something was cut, or that is or has this secret.
    #[cfg(test)]
    pub(crate) fn example(value: Value, secret: Option<&str>, notes: &[&str]) -> Self {
        Self {
            value,
            secret: secret.map(str::to_owned),
            notes: notes.iter().map(|&note| note.to_owned()).collect(),
        }
    }

    /// The plain data; `null` if there is nothing to show.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The text of the secret, if the value is one or has exactly one among its fields.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// What is not shown, a sentence without its full stop for each place, the list itself first.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl From<Value> for Shown {
    fn from(value: Value) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}

/// Without what it holds, which may be secret.
impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").finish_non_exhaustive()
    }
}

/// Reads a value as far as it is shown.
struct Reader {
    reveal: bool,
    /// How many more values are shown, and how many more bytes of text.
    values: usize,
    bytes: usize,
    /// The names of the fields that lead to what is read.
    path: Vec<String>,
    depth: usize,
    /// The secrets that are the value itself or its fields.
    secrets: Vec<String>,
    cuts: Vec<Cut>,
}

impl Reader {
    fn read(&mut self, value: &Dynamic) -> Result<Value> {
        self.values = self.values.saturating_sub(1);
        outline(value, ITEMS, |seen| {
            Ok(match seen {
                Outline::Nothing => Value::Null,
                Outline::Bool(value) => value.into(),
                Outline::Int(value) => value.into(),
                // JSON has no infinity.
                Outline::Float(value) if !value.is_finite() => value.to_string().into(),
                Outline::Float(value) => value.into(),
                Outline::Text(text) => self.text(text),
                Outline::Named(text) => self.text(&text),
                Outline::Secret(secret) => self.secret(secret),
                Outline::List { items, .. } if self.depth == DEEPEST && !items.is_empty() => self.too_deep(),
                Outline::Record { count, .. } if self.depth == DEEPEST && count > 0 => self.too_deep(),
                Outline::List { items, whole } => self.list(items, whole)?,
                Outline::Record { fields, count } => self.record(fields, count)?,
            })
        })
    }

    fn text(&mut self, text: &str) -> Value {
        let most = if self.depth == 0 { TEXT } else { INNER_TEXT };
        let (mut shown, count) = beginning(text, most, self.bytes);
        self.bytes -= shown.len();
        if shown.len() < text.len() {
            shown.push(ELLIPSIS);
            self.cut(What::Characters, count, Some(text.chars().count()));
        }
        shown.into()
    }

    /// Never cut: a part of a secret is of no use.
    fn secret(&mut self, secret: &Secret) -> Value {
        let revealed = secret.reveal().filter(|_| self.reveal);
        let text = revealed.map_or(MASK, |text| text.expose_secret());
        // The items of a list have no names.
        if self.depth == self.path.len() && self.depth < 2 {
            self.secrets.push(text.to_owned());
        }
        text.into()
    }

    fn list(&mut self, items: &[Dynamic], whole: Whole) -> Result<Value> {
        let mut shown = Vec::with_capacity(items.len());
        self.depth += 1;
        for item in items {
            if self.is_full() {
                break;
            }
            shown.push(self.read(item)?);
        }
        self.depth -= 1;
        let what = if shown.iter().all(Value::is_object) {
            What::Rows
        } else {
            What::Items
        };
        match whole {
            Whole::Counted(count) if count > shown.len() => self.cut(what, shown.len(), Some(count)),
            Whole::Counted(_) => {}
            Whole::More => self.cut(what, shown.len(), None),
        }
        Ok(shown.into())
    }

    fn record<'value>(
        &mut self,
        fields: &mut dyn Iterator<Item = (&'value str, &'value Dynamic)>,
        count: usize,
    ) -> Result<Value> {
        let mut shown = Map::new();
        self.depth += 1;
        for (name, value) in fields.take(FIELDS) {
            if self.is_full() {
                break;
            }
            let (mut short, _) = beginning(name, NAME, self.bytes);
            self.bytes -= short.len();
            if short.len() < name.len() {
                // Names that begin with the same stay apart.
                let number = shown.len() + 1;
                short.push(ELLIPSIS);
                short.push_str(&number.to_string());
            }
            self.path.push(short.clone());
            let value = self.read(value)?;
            self.path.pop();
            shown.insert(short, value);
        }
        self.depth -= 1;
        if count > shown.len() {
            self.cut(What::Fields, shown.len(), Some(count));
        }
        Ok(shown.into())
    }

    /// Whether no more is shown, whatever there is.
    const fn is_full(&self) -> bool {
        self.values == 0 || self.bytes == 0
    }

    fn too_deep(&mut self) -> Value {
        self.cut(What::Depth, DEEPEST, None);
        ELLIPSIS.to_string().into()
    }

    /// Remembers that only so much of what is read is shown.
    fn cut(&mut self, what: What, shown: usize, whole: Option<usize>) {
        let at = match what {
            What::Depth => String::new(),
            _ => self.path.join("."),
        };
        let depth = self.depth;
        let is_same = |cut: &&mut Cut| cut.what == what && cut.at == at && (cut.depth > 0) == (depth > 0);
        if let Some(cut) = self.cuts.iter_mut().find(is_same) {
            cut.places += 1;
        } else if self.cuts.len() < CUTS || depth == 0 {
            self.cuts.push(Cut {
                what,
                at,
                depth,
                shown,
                whole,
                places: 1,
            });
        }
    }

    /// What is said of the cuts, those of the value itself first.
    fn notes(&mut self) -> Vec<String> {
        self.cuts.sort_by_key(|cut| cut.depth > 0);
        let more = self.cuts.len().saturating_sub(NOTES);
        let mut notes: Vec<_> = self.cuts.iter().take(NOTES).map(Cut::sentence).collect();
        if more > 0 {
            notes.push("More is cut in other fields".to_owned());
        }
        notes
    }
}

/// What was not shown, and where.
struct Cut {
    what: What,
    /// The names of the fields that lead to it.
    at: String,
    depth: usize,
    shown: usize,
    whole: Option<usize>,
    /// How often it happened there, in one row after the other.
    places: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Rows,
    Items,
    Fields,
    Characters,
    Depth,
}

impl Cut {
    fn sentence(&self) -> String {
        let unit = match self.what {
            What::Rows => "rows",
            What::Items => "items",
            What::Fields => "fields",
            What::Characters => "characters",
            What::Depth => return format!("What is nested more than {DEEPEST} deep is left out"),
        };
        let of = match (self.at.as_str(), self.what) {
            ("", _) if self.depth == 0 => String::new(),
            ("", What::Characters) => " of a text in it".to_owned(),
            ("", What::Fields) => " of a map in it".to_owned(),
            ("", _) => " of a list in it".to_owned(),
            (at, _) => format!(" of `{at}`"),
        };
        let cut = match self.whole {
            Some(whole) => format!("{} of {whole} {unit}{of}", self.shown),
            None => format!("{} {unit}{of}, and there are more", self.shown),
        };
        match self.places {
            1 => cut,
            2 => cut + "; one more is cut so",
            more => format!("{cut}; {} more are cut so", more - 1),
        }
    }
}

/// The first characters of a text, within so many bytes, and how many they are.
fn beginning(text: &str, most: usize, bytes: usize) -> (String, usize) {
    let text = &text[..text.floor_char_boundary(bytes)];
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    (text[..end].to_owned(), text[..end].chars().count())
}

#[cfg(test)]
mod tests;
