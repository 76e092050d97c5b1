//! What an input came to, on stdout: a table, a record or JSON.

use std::ops::ControlFlow;

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{
        record,
        render::{self, cell, write_stdout},
        table::{self, Headings},
        terminal::{Terminal, one_line, printable, printable_json, readable_json, write_stderr},
    },
    error::Result,
    host::repl::Shown,
};

/// How values are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Style {
    /// How the rows of a list are laid out.
    pub(in crate::cli) expanded: Expanded,
    /// What values are written as.
    pub(in crate::cli) format: Format,
}

/// How the rows of a list are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum Expanded {
    /// One below the other where the terminal is too narrow for a table.
    #[default]
    Auto,
    /// Always one below the other.
    On,
}

/// What values are written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum Format {
    /// Tables, records and texts for people.
    #[default]
    Table,
    /// JSON: on a terminal each field on a line, elsewhere each value.
    Json,
}

/// Prints a value. What was cut of it is said below it, or, where stdout is no terminal, on stderr. `Break` if the reader
/// of stdout has gone away.
///
/// # Errors
/// `file.unreadable` if stdout cannot be written.
pub(in crate::cli) fn print(shown: &Shown, style: Style) -> Result<ControlFlow<()>> {
    let page = Page::new(
        shown,
        style,
        Screen {
            width: table::width(),
            color: Terminal::style_of_stdout().color,
        },
    )?;
    let flow = write_stdout(page.data.as_bytes())?;
    write_stderr(&page.messages);
    Ok(flow)
}

/// What stdout is.
#[derive(Clone, Copy, Debug)]
struct Screen {
    /// The columns of the terminal; `None` if it is none.
    width: Option<usize>,
    /// Whether it has colors.
    color: bool,
}

/// The text for stdout and for stderr.
struct Page {
    data: String,
    messages: String,
}

impl Page {
    fn new(shown: &Shown, style: Style, screen: Screen) -> Result<Self> {
        let mut notes: Vec<String> = shown
            .notes()
            .iter()
            .map(|note| one_line(&printable(note)).into_owned())
            .collect();
        let value = shown.value();
        let mut data = match (style.format, screen.width) {
            _ if value.is_null() => String::new(),
            (Format::Json, Some(_)) => readable_json(value) + "\n",
            (Format::Json, None) => printable_json(value) + "\n",
            (Format::Table, None) => piped(shown, style.expanded)?,
            (Format::Table, Some(width)) => screen.table(value, width, style.expanded, &mut notes),
        };
        let notes = notes
            .iter()
            .map(|note| screen.headings().paint(note).into_owned() + "\n");
        if screen.width.is_some() {
            data.extend(notes);
            return Ok(Self {
                data,
                messages: String::new(),
            });
        }
        Ok(Self {
            data,
            messages: notes.collect(),
        })
    }
}

/// As commands print their results where there is no terminal: a secret alone, as a program needs it.
fn piped(shown: &Shown, expanded: Expanded) -> Result<String> {
    if let Some(secret) = shown.secret() {
        return Ok(format!("{secret}\n"));
    }
    match rows_of(shown.value()) {
        Some(rows) if expanded == Expanded::On => Ok(records(&rows, record::WIDTH, Headings::Plain)),
        _ => render::data(shown.value(), render::Format::Table, None),
    }
}

impl Screen {
    fn headings(self) -> Headings {
        if self.color { Headings::Dim } else { Headings::Plain }
    }

    /// A value for people.
    fn table(self, value: &Value, width: usize, expanded: Expanded, notes: &mut Vec<String>) -> String {
        let headings = self.headings();
        match value {
            Value::Object(fields) if fields.is_empty() => {
                notes.push("no fields".to_owned());
                String::new()
            }
            Value::Object(fields) => record::text(fields, width, headings),
            Value::Array(items) if items.is_empty() => {
                notes.push("no rows".to_owned());
                String::new()
            }
            Value::Array(items) => {
                let Some(rows) = rows_of(value) else {
                    let lines = items
                        .iter()
                        .map(|item| one_line(&printable(&cell(item))).into_owned() + "\n");
                    return lines.collect();
                };
                let table = match expanded {
                    Expanded::Auto => Table::new(items, width),
                    Expanded::On => None,
                };
                match table {
                    Some(table) => {
                        notes.extend(table.empty_columns());
                        table.text(headings)
                    }
                    None => records(&rows, width, headings),
                }
            }
            scalar => printable(&cell(scalar)) + "\n",
        }
    }
}

/// The rows of a list whose items all have fields.
fn rows_of(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let rows = value.as_array()?.iter().map(Value::as_object);
    let rows: Vec<_> = rows.collect::<Option<_>>()?;
    rows.iter().any(|row| !row.is_empty()).then_some(rows)
}

/// Rows one below the other.
fn records(rows: &[&Map<String, Value>], width: usize, headings: Headings) -> String {
    let records: Vec<_> = rows.iter().map(|row| record::text(row, width, headings)).collect();
    records.join("\n")
}

/// Rows that fit the terminal.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
    /// The names of the columns that are left out: no row has anything in them.
    empty: Vec<String>,
}

impl Table {
    /// Lays out rows, without the columns that are empty if they would not fit with them; `None` if they do not fit either way.
    fn new(items: &[Value], width: usize) -> Option<Self> {
        let names = render::columns(items);
        let line = |item: &Value| {
            let cells = names.iter().map(|name| item.get(name).map(cell).unwrap_or_default());
            cells.map(|cell| one_line(&printable(&cell)).into_owned()).collect()
        };
        let rows: Vec<Vec<String>> = items.iter().map(line).collect();
        let names = names
            .iter()
            .map(|name| one_line(&printable(name)).into_owned())
            .collect();
        let table = Self::of(names, rows, Vec::new());
        if table.fits(width) {
            return Some(table);
        }
        Some(table.without_empty_columns()).filter(|table| table.fits(width))
    }

    fn of(names: Vec<String>, rows: Vec<Vec<String>>, empty: Vec<String>) -> Self {
        let width = |(column, name): (usize, &String)| {
            let cells = rows.iter().map(|row| row[column].width());
            cells.chain([name.width()]).max().unwrap_or_default()
        };
        Self {
            widths: names.iter().enumerate().map(width).collect(),
            names,
            rows,
            empty,
        }
    }

    fn fits(&self, width: usize) -> bool {
        !self.names.is_empty() && self.widths.iter().sum::<usize>() + 2 * (self.widths.len() - 1) <= width
    }

    fn without_empty_columns(self) -> Self {
        let is_empty = |column: usize| self.rows.iter().all(|row| row[column].is_empty());
        let (empty, full): (Vec<_>, Vec<_>) = (0..self.names.len()).partition(|&column| is_empty(column));
        let of = |columns: &[usize], cells: &[String]| columns.iter().map(|&column| cells[column].clone()).collect();
        let rows = self.rows.iter().map(|row| of(&full, row)).collect();
        Self::of(of(&full, &self.names), rows, of(&empty, &self.names))
    }

    /// What is said of the columns that are left out.
    fn empty_columns(&self) -> Option<String> {
        (!self.empty.is_empty()).then(|| format!("Empty in all rows: {}", self.empty.join(", ")))
    }

    fn text(&self, headings: Headings) -> String {
        let mut text = Vec::new();
        let rules: Vec<_> = self.widths.iter().map(|&width| "─".repeat(width)).collect();
        table::columns(&self.names, &self.widths, (0, 2), headings, &mut text);
        table::columns(&rules, &self.widths, (0, 2), headings, &mut text);
        for row in &self.rows {
            table::columns(row, &self.widths, (0, 2), Headings::Plain, &mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[cfg(test)]
mod tests;
