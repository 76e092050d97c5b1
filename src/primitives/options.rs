//! The maps that primitives take: `#{ limit: 3 }`. An unknown key or a wrong type is an error that lists what is known.

use rhai::{Dynamic, Map};
use secrecy::SecretString;

use super::{Secret, id_of};
use crate::{
    error::{Code, Error, Result},
    model::{Id, Time},
};

/// A map of options being read.
pub(super) struct Options {
    values: Map,
}

impl Options {
    /// Refuses keys that are not among `known`.
    pub(super) fn new(values: Map, known: &[&str]) -> Result<Self> {
        match values.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Error::new(Code::ValueInvalid, format!("There is no option `{key}`"))
                .help(format!("The options are {}.", known.join(", ")))),
            None => Ok(Self { values }),
        }
    }

    /// As [`Self::new`], of a list: it also takes `limit`, how many items there are at most.
    pub(super) fn of_list(values: Map, known: &[&str]) -> Result<(Self, Option<u64>)> {
        let mut options = Self::new(values, &[known, &["limit"]].concat())?;
        let limit = options.take("limit", "a number that is not negative", |value| {
            value.as_int().ok()?.try_into().ok()
        })?;
        Ok((options, limit))
    }

    /// A text, if it is there.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>> {
        self.take(key, "a text", |value| value.into_string().ok())
    }

    /// A whole number, if it is there.
    pub(super) fn int(&mut self, key: &str) -> Result<Option<i64>> {
        self.take(key, "a whole number", |value| value.as_int().ok())
    }

    /// True or false, if it is there.
    pub(super) fn bool(&mut self, key: &str) -> Result<Option<bool>> {
        self.take(key, "true or false", |value| value.as_bool().ok())
    }

    /// A moment, if it is there.
    pub(super) fn time(&mut self, key: &str) -> Result<Option<Time>> {
        self.take(key, "a time", Dynamic::try_cast::<Time>)
    }

    /// The id of a row as text, if it is there.
    pub(super) fn id(&mut self, key: &str) -> Result<Option<Id>> {
        self.text(key)?.as_deref().map(id_of).transpose()
    }

    /// One of several words, if it is there.
    pub(super) fn one_of<T: Copy>(&mut self, key: &str, known: &[(&str, T)]) -> Result<Option<T>> {
        let Some(word) = self.text(key)? else { return Ok(None) };
        if let Some((_, meant)) = known.iter().find(|(name, _)| *name == word) {
            return Ok(Some(*meant));
        }
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        Err(
            Error::new(Code::ValueInvalid, format!("The option `{key}` cannot be `{word}`"))
                .help(format!("It can be {}.", names.join(", "))),
        )
    }

    /// A secret, if it is there.
    pub(super) fn secret(&mut self, key: &str) -> Result<Option<SecretString>> {
        self.take(key, "a secret", |value| {
            value.try_cast::<Secret>().map(|secret| secret.text().clone())
        })
    }

    /// A list, empty if it is not there.
    pub(super) fn list<T>(&mut self, key: &str, what: &str, convert: impl Fn(Dynamic) -> Option<T>) -> Result<Vec<T>> {
        let list = self
            .take(key, what, |value| value.into_array().ok())?
            .unwrap_or_default();
        list.into_iter()
            .map(|item| convert(item).ok_or_else(|| wrong(key, what)))
            .collect()
    }

    /// `()` counts as absent, since that is what arguments that were not given are.
    fn take<T>(&mut self, key: &str, what: &str, convert: impl FnOnce(Dynamic) -> Option<T>) -> Result<Option<T>> {
        match self.values.remove(key) {
            Some(value) if !value.is_unit() => convert(value).map(Some).ok_or_else(|| wrong(key, what)),
            _ => Ok(None),
        }
    }
}

fn wrong(key: &str, what: &str) -> Error {
    Error::new(Code::ValueInvalid, format!("The option `{key}` takes {what}"))
}
