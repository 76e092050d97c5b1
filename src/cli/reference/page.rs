//! The reference as people read it on a terminal: no wider than that, and elsewhere not wrapped.

use std::fmt::{Display, Write};

use clap::builder::Styles;

use crate::{
    cli::{pager, table, terminal::wrapped},
    host::reference::{Block, Entry, EntryKind, Group, Hit, Section, blocks},
};

/// The widest lines that one likes to read.
const WIDEST: usize = 100;

/// How far what is told stands from the left.
const INDENT: usize = 4;

/// The longest name that others are aligned with.
const LONGEST: usize = 30;

/// The least room for what is told beside a name.
const LEAST: usize = 30;

/// A text in the making.
pub(in crate::cli) struct Page {
    text: String,
    width: Option<usize>,
    color: bool,
}

impl Page {
    /// An empty page for stdout.
    pub(in crate::cli) fn for_people() -> Self {
        Self::new(table::width().map(|width| width.min(WIDEST)), pager::wants_color())
    }

    /// An empty page; on a terminal, with its `width`.
    pub(in crate::cli) fn new(width: Option<usize>, color: bool) -> Self {
        Self {
            text: String::new(),
            width,
            color,
        }
    }

    /// All of it.
    pub(in crate::cli) fn text(self) -> String {
        self.text
    }

    /// A whole section.
    pub(super) fn section(&mut self, section: &Section) {
        self.heading(section.title);
        self.gap();
        self.prose(&section.intro, 0);
        for group in &section.groups {
            self.group(group, false);
        }
    }

    /// What was found, in the order of the sections. Entries that have one line each stand together.
    pub(in crate::cli) fn hits(&mut self, hits: &[Hit<'_>]) {
        let mut short: Vec<&Entry> = Vec::new();
        for hit in hits {
            match hit {
                Hit::Entry(entry) if !entry.kind.is_called() => {
                    if short.last().is_some_and(|last| last.kind != entry.kind) {
                        self.short(&short);
                        short.clear();
                    }
                    short.push(entry);
                    continue;
                }
                _ => {
                    self.short(&short);
                    short.clear();
                }
            }
            match hit {
                Hit::Section(section) => self.section(section),
                Hit::Group(group) => self.group(group, true),
                Hit::Entry(entry) => self.entry(entry),
            }
        }
        self.short(&short);
    }

    /// Entries of one line each that were found by themselves: what they are is not said by a heading above them.
    fn short(&mut self, entries: &[&Entry]) {
        let Some(first) = entries.first() else { return };
        let heading = match (first.kind, entries.len()) {
            (EntryKind::Field, _) => "fields".to_owned(),
            (kind, 1) => kind.as_str().to_owned(),
            (EntryKind::Capability, _) => "capabilities".to_owned(),
            (kind, _) => format!("{}s", kind.as_str()),
        };
        self.heading(&capitalized(&heading));
        self.gap();
        let row = |entry: &&Entry| {
            // A field alone does not say of what.
            let left = match entry.kind {
                EntryKind::Field => entry
                    .signature
                    .split_once(':')
                    .map_or_else(|| entry.name.clone(), |(_, kind)| format!("{}:{kind}", entry.name)),
                _ => entry.signature.clone(),
            };
            (left, told(entry))
        };
        self.rows(&entries.iter().map(row).collect::<Vec<_>>());
    }

    /// A group. In a namespace that is looked up by itself, each function has one line.
    fn group(&mut self, group: &Group, is_outline: bool) {
        if let Some(head) = &group.head {
            if head.kind == EntryKind::Builtin {
                self.gap();
                self.prose(&head.description, 0);
                return;
            }
            self.gap();
            self.name(&head.name);
            self.prose(&head.description, INDENT);
            if !head.terms.is_empty() {
                self.gap();
                self.prose(&head.terms, INDENT);
            }
        }
        if group.entries.is_empty() {
            return;
        }
        let is_long = group.entries.iter().all(|entry| entry.kind.is_called());
        if is_long && !is_outline {
            group.entries.iter().for_each(|entry| self.entry(entry));
            return;
        }
        self.gap();
        if is_long {
            for entry in &group.entries {
                self.below(&entry.signature, &entry.about());
            }
            return;
        }
        let row = |entry: &Entry| (entry.signature.clone(), told(entry));
        self.rows(&group.entries.iter().map(row).collect::<Vec<_>>());
    }

    /// An entry with room of its own.
    fn entry(&mut self, entry: &Entry) {
        self.gap();
        self.name(&entry.signature);
        self.prose(&entry.description, INDENT);
        if !entry.terms.is_empty() {
            self.gap();
            self.prose(&entry.terms, INDENT);
        }
        if !entry.example.is_empty() {
            self.gap();
            self.code(&entry.example, INDENT);
        }
    }

    /// A heading.
    pub(in crate::cli) fn heading(&mut self, title: &str) {
        self.gap();
        let style = *Styles::default().get_header();
        self.styled(&style, &style.render_reset(), title);
    }

    fn name(&mut self, name: &str) {
        let style = *Styles::default().get_literal();
        self.styled(&style, &style.render_reset(), name);
    }

    fn styled(&mut self, on: &dyn Display, off: &dyn Display, text: &str) {
        // Writing to a text cannot fail.
        let _ = if self.color {
            writeln!(self.text, "{on}{text}{off}")
        } else {
            writeln!(self.text, "{text}")
        };
    }

    /// An empty line, but not at the top and not two.
    pub(in crate::cli) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// The parts of a text, with an empty line between those that are no items of one list.
    pub(in crate::cli) fn prose(&mut self, text: &str, indent: usize) {
        let mut before = None;
        for block in blocks(text) {
            let is_item = matches!(block, Block::Item(_));
            if before.is_some_and(|before| !(before && is_item)) {
                self.gap();
            }
            match &block {
                Block::Paragraph(text) => self.lines(text, indent, indent),
                Block::Item(text) => self.lines(&format!("- {text}"), indent, indent + 2),
                Block::Code(text) => self.code(text, indent),
            }
            before = Some(is_item);
        }
    }

    fn code(&mut self, code: &str, indent: usize) {
        for line in code.trim_end().lines() {
            let line = format!("{:indent$}  {line}", "");
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// Names, and what is told of them beside each, or below it where there is no room.
    pub(in crate::cli) fn rows(&mut self, rows: &[(String, String)]) {
        let lengths = rows.iter().map(|(left, _)| left.chars().count());
        let longest = lengths.filter(|&length| length <= LONGEST).max().unwrap_or_default();
        let column = INDENT + longest + 2;
        let is_narrow = self.width.is_some_and(|width| width < column + LEAST);
        for (left, right) in rows {
            if is_narrow || left.chars().count() > longest {
                self.below(left, right);
                continue;
            }
            let start = self.text.len();
            self.lines(right, column, column);
            self.text
                .replace_range(start..start + column, &format!("{:INDENT$}{left:longest$}  ", ""));
        }
    }

    /// A name, and what is told of it below.
    pub(in crate::cli) fn below(&mut self, left: &str, right: &str) {
        let _ = writeln!(self.text, "{:INDENT$}{left}", "");
        self.lines(right, 2 * INDENT, 2 * INDENT);
    }

    /// A paragraph; its first line stands `first` from the left, the others `rest`.
    fn lines(&mut self, text: &str, first: usize, rest: usize) {
        let lines = match self.width {
            Some(width) => wrapped(text, width.saturating_sub(rest).max(20)),
            None => vec![text.to_owned()],
        };
        for (at, line) in lines.iter().enumerate() {
            let indent = if at == 0 { first } else { rest };
            let _ = writeln!(self.text, "{:indent$}{line}", "");
        }
    }
}

/// All that there is to say in one line.
fn told(entry: &Entry) -> String {
    let told = format!("{} {}", entry.description.replace('\n', " "), entry.terms);
    told.trim().to_owned()
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::reference::Reference;

    fn shown(name: &str, width: Option<usize>) -> String {
        let reference = Reference::new().unwrap();
        let mut page = Page::new(width, false);
        page.hits(&reference.find(name).unwrap());
        page.text()
    }

    #[test]
    fn nothing_is_wider_than_the_terminal_but_code_and_names() {
        let reference = Reference::new().unwrap();
        for width in [40, 80] {
            let mut page = Page::new(Some(width), false);
            reference.sections.iter().for_each(|section| page.section(section));
            let text = page.text();
            // Only code and signatures are, and what has no blank in it.
            let wide = text.lines().filter(|line| line.chars().count() > width);
            let wide = wide.filter(|line| !(line.contains(['(', '{', ';', '=']) || line.trim().split(' ').count() < 3));
            assert_eq!(wide.collect::<Vec<_>>(), [""; 0]);
            assert!(!text.contains("\n\n\n") && !text.contains(" \n"));
        }
    }

    #[test]
    fn a_field_says_of_what_it_is() {
        let text = shown("locked_at", None);
        assert!(
            text.starts_with("Fields\n\n    description.locked_at: Time | ()"),
            "{text}"
        );
        assert!(text.contains("\n    user.locked_at: Time | ()"), "{text}");
    }

    #[test]
    fn only_a_terminal_is_given_colors() {
        let reference = Reference::new().unwrap();
        let mut page = Page::new(Some(80), true);
        page.hits(&reference.find("say").unwrap());
        assert!(page.text().starts_with("\u{1b}[1m"));
        assert!(shown("say", Some(80)).starts_with("say(message: ?)\n    Tell people"));
    }
}
