//! Checking a section against a table of its keys, where nothing but `config check` reads it.

use std::collections::BTreeMap;

use url::Url;

use super::{section::Section, wrong};
use crate::{error::Result, model::Id};

/// What the value of a key may be.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// Text that no message repeats.
    Secret,
    /// The path of a file that holds a secret.
    SecretFile,
    Flag,
    Url,
    Urls,
    Ulid,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A mapping that is looked at no further.
    Mapping,
}

/// A key, what its value may be, and whether it must be there.
pub(super) struct Key(pub(super) &'static str, pub(super) Kind, pub(super) Need);

/// Whether a key must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// Checks each of the keys. Others are tolerated, as everywhere in MAS's sections.
pub(super) fn check(section: &Section<'_>, keys: &[Key]) -> Result<()> {
    section.every(keys.iter().map(|key| check_one(section, key))).map(drop)
}

fn check_one(section: &Section<'_>, Key(key, kind, need): &Key) -> Result<()> {
    if *need == Need::Required && !section.has(key) {
        return Err(section.missing(key, &expected(*kind)));
    }
    match kind {
        Kind::Text => section.text(key).map(drop),
        Kind::Secret => section.secret(key).map(drop),
        Kind::SecretFile => section.read_secret_text(key).map(drop),
        Kind::Flag => section.flag(key).map(drop),
        Kind::Mapping => section.section(key).map(drop),
        Kind::Word(words) => {
            let choices: Vec<_> = words.iter().map(|word| (*word, ())).collect();
            section.choice(key, &choices).map(drop)
        }
        Kind::Ulid => match section.text(key)? {
            Some(text) if text.parse::<Id>().is_err() => {
                let problem = format!("is `{}`, which is not a ULID", wrong::shown(&text));
                Err(section.invalid(key, &problem, &expected(*kind)))
            }
            _ => Ok(()),
        },
        Kind::Url => match section.text(key)?.map(|text| Url::parse(&text)) {
            Some(Err(error)) => Err(section.invalid(key, &format!("is not a URL ({error})"), &expected(*kind))),
            _ => Ok(()),
        },
        Kind::Urls => {
            let texts = section.texts(key)?.into_iter();
            let urls = texts.map(|(path, text, origin)| match Url::parse(text) {
                Ok(_) => Ok(()),
                Err(error) => {
                    let problem = format!("is not a URL ({error})");
                    Err(section.invalid_at(&path, origin, &problem, &expected(*kind)))
                }
            });
            section.every(urls).map(drop)
        }
    }
}

/// What to write.
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Text | Kind::Secret => "Write text.".to_owned(),
        Kind::SecretFile => "Give the path of a file.".to_owned(),
        Kind::Flag => "Write true or false.".to_owned(),
        Kind::Url | Kind::Urls => "Write a whole URL, such as `https://example.com/`.".to_owned(),
        Kind::Ulid => "Write a ULID: 26 characters of 0-9 and A-Z without I, L, O and U.".to_owned(),
        Kind::Word(words) => format!("Allowed are {}.", wrong::listed(words)),
        Kind::Mapping => "Write its keys below it, each on a line of its own, indented.".to_owned(),
    }
}

/// Refuses an id that an earlier section of the list has. Lists of several files are joined, which makes them easily.
pub(super) fn distinct(sections: &[Section<'_>], key: &str) -> Result<()> {
    let mut seen = BTreeMap::new();
    let Some(first) = sections.first() else { return Ok(()) };
    first
        .every(sections.iter().map(|section| {
            let Some(id) = section.glimpse(key).and_then(|text| text.parse::<Id>().ok()) else {
                return Ok(());
            };
            match seen.insert(id, section.path()) {
                None => Ok(()),
                Some(other) => Err(section.invalid(
                    key,
                    &format!("is `{id}`, as in `{other}`"),
                    "Give each an id of its own. The lists of several files are joined.",
                )),
            }
        }))
        .map(drop)
}
