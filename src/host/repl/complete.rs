//! How what is typed at the prompt can go on.
//!
//! Nothing is run for it, and nothing is read of the store: of a value that the session has, its type and its fields are
//! looked at; of what a function gives, its documentation.

mod chain;
mod code;
mod context;
mod declared;
mod files;
mod meta;
mod names;
mod resolve;
mod sources;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(super) use self::{
    code::Code,
    context::{Cursor, Place},
    names::{Function, functions, functions_of},
    sources::Sources,
};
use super::{State, meta::MARK};

/// How many candidates there are at most.
const MOST: usize = 500;

/// What there is beside the session.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The working directory.
    pub folder: &'a Path,
    /// Where the operator's own scripts are.
    pub script_folders: &'a [PathBuf],
}

/// How what is typed can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The byte at which what is replaced begins. It ends at the cursor.
    pub start: usize,
    /// What can take its place, in order.
    pub candidates: Vec<Candidate>,
}

/// What can take the place of what is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What takes its place.
    pub replacement: String,
    /// What it is, as the reference writes it.
    pub signature: String,
    /// The first sentence of its documentation. May be empty.
    pub about: String,
}

impl Candidate {
    fn new(replacement: String, signature: &str, about: &str) -> Self {
        Self {
            replacement,
            signature: signature.to_owned(),
            about: about.to_owned(),
        }
    }

    /// A function of this signature.
    fn of_signature(signature: &str, about: &str) -> Self {
        let name = signature.split('(').next().unwrap_or_default();
        let taken = signature.get(name.len()..).unwrap_or_default();
        // What it takes is left to be filled in.
        let brackets = if taken.starts_with("()") { "()" } else { "(" };
        Self::new(format!("{name}{brackets}"), signature, about)
    }
}

/// Makes what is the same for all sessions, which takes a moment.
pub fn prepare() {
    Sources::get();
}

/// How the text before the cursor can go on. A cursor inside of a character counts as one before it.
#[must_use]
pub fn candidates(state: &State, around: &Around<'_>, text: &str, cursor: usize) -> Completion {
    let before = before(text, cursor);
    if let Some(line) = before.trim_start().strip_prefix(MARK) {
        let (start, found) = meta::candidates(state, around, line);
        return Completion::new(before.len() - line.len() + start, found);
    }
    let cursor = Cursor::new(state, before);
    let (start, found) = cursor.candidates(around);
    Completion::new(start, found)
}

/// What stands before the cursor.
pub(super) fn before(text: &str, cursor: usize) -> &str {
    let cursor = cursor.min(text.len());
    let boundary = (0..=cursor).rev().find(|&at| text.is_char_boundary(at));
    text.get(..boundary.unwrap_or(0)).unwrap_or_default()
}

impl Completion {
    /// Puts candidates in order. Of those that are written alike, the first counts.
    fn new(start: usize, found: Vec<Candidate>) -> Self {
        let mut kept = BTreeMap::new();
        for candidate in found {
            if kept.len() < MOST {
                kept.entry(candidate.replacement.clone()).or_insert(candidate);
            }
        }
        Self {
            start,
            candidates: kept.into_values().collect(),
        }
    }
}

/// Whether a name begins with what is typed, in whatever case.
fn fits(name: &str, typed: &str) -> bool {
    let mut name = name.chars().flat_map(char::to_lowercase);
    typed
        .chars()
        .flat_map(char::to_lowercase)
        .all(|wanted| name.next() == Some(wanted))
}

/// Whether a name can stand in quotes as it is, and is what it looks like: the prompt drops what steers the terminal.
fn is_plain(name: &str) -> bool {
    let is_wrong = |char: char| {
        char.is_control() || matches!(char, '"' | '\\' | '`' | '$' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !name.chars().any(is_wrong)
}

#[cfg(test)]
mod tests;
