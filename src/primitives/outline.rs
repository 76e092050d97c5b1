//! A value one level deep: what a prompt shows of it. Of a list only the first items are read.

use std::{any::TypeId, ops};

use rhai::{Array, Blob, Dynamic, FnPtr, INT, ImmutableString, Map};

use super::{
    Secret,
    fields::{self, types},
    moment,
};
use crate::{
    error::{Error, Result},
    model::Time,
};

/// A value, one level deep.
pub enum Outline<'value> {
    /// `()`.
    Nothing,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(&'value str),
    /// What has no data of its own to show: a function, a range, a moment.
    Named(String),
    /// A secret.
    Secret(&'value Secret),
    /// A list.
    List {
        /// Its first items.
        items: &'value [Dynamic],
        /// How many it has in all.
        whole: Whole,
    },
    /// A map, or a type with fields.
    Record {
        /// Its fields, in order.
        fields: &'value mut dyn Iterator<Item = (&'value str, &'value Dynamic)>,
        /// How many it has in all.
        count: usize,
    },
}

/// How many items a list has in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// So many.
    Counted(usize),
    /// More than were read; nobody has counted them.
    More,
}

/// Looks at a value one level deep, and returns what is seen in it. Of a list the first `most` items are there; one that
/// is read page by page is asked for one more item than these, and stays what it was.
///
/// # Errors
/// Those of the store, where such a list is read, and those of `see`.
pub fn outline<R>(value: &Dynamic, most: usize, see: impl FnOnce(Outline<'_>) -> Result<R>) -> Result<R> {
    if value.is_unit() {
        return see(Outline::Nothing);
    }
    if let Ok(value) = value.as_bool() {
        return see(Outline::Bool(value));
    }
    if let Ok(value) = value.as_int() {
        return see(Outline::Int(value));
    }
    if let Ok(value) = value.as_float() {
        return see(Outline::Float(value));
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return see(Outline::Text(&text));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return see(Outline::Secret(&secret));
    }
    if let Some(array) = value.read_lock::<Array>() {
        let items = array.get(..most).unwrap_or(&array);
        return see(Outline::List {
            items,
            whole: Whole::Counted(array.len()),
        });
    }
    if let Some(map) = value.read_lock::<Map>() {
        return see(Outline::Record {
            fields: &mut map.iter().map(|(name, item)| (name.as_str(), item)),
            count: map.len(),
        });
    }
    if let Some(fields) = fields_of(value) {
        return see(Outline::Record {
            fields: &mut fields.iter().map(|(name, item)| (*name, item)),
            count: fields.len(),
        });
    }
    if let Some(beginning) = fields::beginning(value, most) {
        let (items, has_more) = beginning?;
        let whole = if has_more {
            Whole::More
        } else {
            Whole::Counted(items.len())
        };
        return see(Outline::List { items: &items, whole });
    }
    see(Outline::Named(named(value, most)))
}

/// The fields of a type that has some, and of an error that was caught.
fn fields_of(value: &Dynamic) -> Option<fields::Named> {
    if let Some(error) = value.read_lock::<Error>() {
        let data = rhai::serde::to_dynamic(error.values()).unwrap_or_default();
        return Some(vec![
            ("code", error.code().as_str().into()),
            ("message", error.message().into()),
            ("data", data),
        ]);
    }
    fields::fields_of(value)
}

/// What is shown of a value that is one word.
fn named(value: &Dynamic, most: usize) -> String {
    if let Some(time) = value.read_lock::<Time>() {
        return moment::text(*time);
    }
    if let Ok(character) = value.as_char() {
        return character.to_string();
    }
    if let Some(range) = value.read_lock::<ops::Range<INT>>() {
        return format!("{}..{}", range.start, range.end);
    }
    if let Some(range) = value.read_lock::<ops::RangeInclusive<INT>>() {
        return format!("{}..={}", range.start(), range.end());
    }
    // What a closure holds is its own, and may be the closure itself.
    if let Some(function) = value.read_lock::<FnPtr>() {
        return if function.is_anonymous() {
            "<closure>".to_owned()
        } else {
            format!("<function {}>", function.fn_name())
        };
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        let shown: Vec<_> = bytes.iter().take(most).map(|byte| format!("{byte:02x}")).collect();
        let more = if bytes.len() > most { " …" } else { "" };
        return format!("<{} bytes: {}{more}>", bytes.len(), shown.join(" "));
    }
    format!("<{}>", type_of(value))
}

/// What scripts call the type of a value that is none of those that have data.
fn type_of(value: &Dynamic) -> String {
    let id: TypeId = value.type_id();
    let known = types().into_iter().find(|known| known.id == id);
    match known {
        Some(known) => known.name.to_owned(),
        None => value.type_name().rsplit("::").next().unwrap_or_default().to_owned(),
    }
}
