//! What there is to know for who writes scripts, as data: every fact is from the doc comment of what it is about.

mod builtins;
pub mod definitions;
mod entry;
pub mod markdown;
mod modules;
mod sections;
mod text;

use std::{collections::BTreeMap, sync::OnceLock};

pub(in crate::host) use self::{entry::first_sentence, text::uncommented};
pub use self::{
    entry::{Entry, EntryKind},
    text::{Block, blocks},
};
use super::catalogue;
use crate::error::{Code, Error, Result, shortened};

/// How many names an error offers.
const MOST_OFFERED: usize = 4;

/// All that there is to know.
#[derive(Clone, Debug)]
pub struct Reference {
    /// In the order of the page.
    pub sections: Vec<Section>,
}

/// What is of one kind.
#[derive(Clone, Debug)]
pub struct Section {
    /// The word by which it is looked up.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What stands before its entries.
    pub intro: String,
    /// Its entries, those that belong together in one group.
    pub groups: Vec<Group>,
}

/// Entries that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// The namespace, type or module that they belong to.
    pub head: Option<Entry>,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// What was found by a name.
#[derive(Clone, Copy, Debug)]
pub enum Hit<'a> {
    /// A whole section.
    Section(&'a Section),
    /// A namespace, type or module with all that belongs to it.
    Group(&'a Group),
    /// One entry.
    Entry(&'a Entry),
}

impl Reference {
    /// Gathers it.
    ///
    /// # Errors
    /// `script.syntax` if a module that ships cannot be parsed, which a test keeps from happening.
    pub fn new() -> Result<Self> {
        Ok(Self {
            sections: vec![
                sections::namespaces(),
                sections::globals(),
                sections::types(),
                sections::capabilities(),
                sections::errors(),
                sections::header(),
                sections::parameters(),
                sections::parameter_types(),
                modules::section()?,
                sections::meta_commands(),
                builtins::section(),
            ],
        })
    }

    /// That of this process, gathered once: it is asked for again and again in a session.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn get() -> Result<&'static Self> {
        static REFERENCE: OnceLock<Reference> = OnceLock::new();
        match REFERENCE.get() {
            Some(reference) => Ok(reference),
            None => Self::new().map(|reference| REFERENCE.get_or_init(|| reference)),
        }
    }

    /// Every entry, in the order of the page.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let groups = self.sections.iter().flat_map(|section| &section.groups);
        groups.flat_map(|group| group.head.iter().chain(&group.entries))
    }

    /// What is called so, in whatever case: `users::get`, `get`, `User`, `user.lock`, `user.not_found`, `users:write`,
    /// `std/registration`, `header`.
    ///
    /// # Errors
    /// `argument.invalid` if nothing is, with the nearest names.
    pub fn find(&self, name: &str) -> Result<Vec<Hit<'_>>> {
        let wanted = name.trim().trim_end_matches("()").to_lowercase();
        let mut hits = Vec::new();
        for section in &self.sections {
            if section.name == wanted {
                hits.push(Hit::Section(section));
                continue;
            }
            for group in &section.groups {
                if group.head.as_ref().is_some_and(|head| head.is_called(&wanted)) {
                    hits.push(Hit::Group(group));
                } else {
                    let found = group.entries.iter().filter(|entry| entry.is_called(&wanted));
                    hits.extend(found.map(Hit::Entry));
                }
            }
        }
        // A field is often called as something else is: by its bare name it is only meant if nothing else is.
        let is_field = |hit: &Hit<'_>| matches!(hit, Hit::Entry(entry) if entry.kind == EntryKind::Field);
        if !hits.iter().all(is_field) {
            hits.retain(|hit| !is_field(hit));
        }
        if hits.is_empty() {
            return Err(self.unknown(name, &wanted));
        }
        Ok(hits)
    }

    /// The error that nothing is called so.
    fn unknown(&self, name: &str, wanted: &str) -> Error {
        let shown = shortened(name, 64);
        if catalogue::is_manage_command(wanted) {
            let message = format!("`{shown}` is a command, no part of the reference");
            return Error::new(Code::ArgumentInvalid, message).help(format!(
                "`masctl manage {shown} --help` tells of it, `masctl scripts show {shown}` prints it."
            ));
        }
        let near = self.near(wanted);
        let help = if near.is_empty() {
            let sections: Vec<_> = self.sections.iter().map(|section| section.name).collect();
            format!(
                "`masctl reference` shows all; its sections are {}.",
                sections.join(", ")
            )
        } else {
            format!("Did you mean {}?", near.join(", "))
        };
        Error::new(
            Code::ArgumentInvalid,
            format!("The reference has nothing called `{shown}`"),
        )
        .help(help)
    }

    /// The names that somebody most likely meant, the nearest first.
    fn near(&self, wanted: &str) -> Vec<String> {
        // The longest known name has a few dozen letters; comparing a huge one would only cost time.
        if wanted.is_empty() || wanted.len() > 64 {
            return Vec::new();
        }
        let mut distances: BTreeMap<&str, usize> = BTreeMap::new();
        let names = self.entries().flat_map(|entry| {
            entry
                .spellings
                .iter()
                .map(move |spelling| (entry.name.as_str(), spelling.as_str()))
        });
        let sections = self.sections.iter().map(|section| (section.name, section.name));
        for (name, spelling) in sections.chain(names) {
            let distance = strsim::osa_distance(wanted, spelling);
            let is_near = distance <= 1 + spelling.len() / 4;
            // What contains it comes after all that is spelled alike.
            let distance = match is_near {
                true => distance,
                false if wanted.len() > 2 && spelling.contains(wanted) => 64 + spelling.len(),
                false => continue,
            };
            let least = distances.entry(name).or_insert(distance);
            *least = distance.min(*least);
        }
        let mut near: Vec<_> = distances.into_iter().map(|(name, distance)| (distance, name)).collect();
        near.sort_unstable();
        near.truncate(MOST_OFFERED);
        near.into_iter().map(|(_, name)| format!("`{name}`")).collect()
    }
}

#[cfg(test)]
mod tests;
