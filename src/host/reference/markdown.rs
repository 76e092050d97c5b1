//! The reference as a page of Markdown.

use std::fmt::Write;

use super::{Entry, EntryKind, Group, Reference, Section};

const INTRODUCTION: &str = "\
# Reference

What a script of masctl can call and see. `masctl reference NAME` shows a part of it on the terminal.
";

/// The page.
#[must_use]
pub fn page(reference: &Reference) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push('\n');
    for section in &reference.sections {
        // Writing to a text cannot fail.
        let _ = writeln!(page, "- [{}](#{})", section.title, anchor(section.title));
    }
    for section in &reference.sections {
        write_section(section, &mut page);
    }
    page
}

fn write_section(section: &Section, page: &mut String) {
    let _ = write!(page, "\n## {}\n", section.title);
    if !section.intro.is_empty() {
        let _ = write!(page, "\n{}\n", section.intro);
    }
    for group in &section.groups {
        write_group(group, page);
    }
}

fn write_group(group: &Group, page: &mut String) {
    if let Some(head) = &group.head {
        if head.kind == EntryKind::Builtin {
            let _ = write!(page, "\n{}\n", head.description);
            return;
        }
        let _ = write!(page, "\n### `{}`\n\n{}\n", head.name, head.description);
        if !head.terms.is_empty() {
            let _ = write!(page, "\n{}\n", head.terms);
        }
    }
    if group.entries.is_empty() {
        return;
    }
    if group.entries.iter().all(|entry| entry.kind.is_called()) {
        group.entries.iter().for_each(|entry| write_entry(entry, page));
    } else {
        write_table(&group.entries, page);
    }
}

fn write_entry(entry: &Entry, page: &mut String) {
    let _ = write!(page, "\n#### `{}`\n\n{}\n", entry.signature, entry.description);
    if !entry.terms.is_empty() {
        let _ = write!(page, "\n{}\n", entry.terms);
    }
    if !entry.example.is_empty() {
        let _ = write!(page, "\n```rhai\n{}\n```\n", entry.example.trim_end());
    }
}

fn write_table(entries: &[Entry], page: &mut String) {
    page.push_str("\n| | |\n|---|---|\n");
    for entry in entries {
        let told = format!("{} {}", entry.description, entry.terms);
        let _ = writeln!(
            page,
            "| `{}` | {} |",
            entry.signature.replace('|', "\\|"),
            told.trim().replace('\n', " ").replace('|', "\\|")
        );
    }
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|char| char.is_alphanumeric() || *char == ' ');
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
