//! Rows as a table for people.

use std::{
    borrow::Cow,
    io::{self, IsTerminal},
    iter, mem,
};

use unicode_width::UnicodeWidthStr;

use super::terminal::{one_line, terminal_width};

/// The columns of the terminal that stdout is; `None` if it is none.
pub(super) fn width() -> Option<usize> {
    io::stdout().is_terminal().then(|| terminal_width().unwrap_or(80))
}

/// How the names of fields look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Headings {
    /// As the values do.
    #[default]
    Plain,
    /// Dim, where the terminal has colors.
    Dim,
}

const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

impl Headings {
    /// The name as it is written.
    pub(super) fn paint(self, name: &str) -> Cow<'_, str> {
        if self == Self::Plain || name.is_empty() {
            name.into()
        } else {
            format!("{DIM}{name}{RESET}").into()
        }
    }

    /// How wide a line is in which names may be painted.
    pub(super) fn width(line: &str) -> usize {
        line.replace(DIM, "").replace(RESET, "").width()
    }
}

/// A table in the making. Elsewhere than on a terminal nothing is framed, cut or wrapped. On a terminal, rows that are
/// wider than it are shown one below the other, each field on a line: an id that is cut in two cannot be copied.
///
/// The rows that are there when it is first settled say how wide the columns are. A later row that is wider sticks out.
pub(super) struct Layout {
    terminal: Option<usize>,
    headings: Headings,
    columns: Vec<String>,
    waiting: Vec<Vec<String>>,
    shape: Option<Shape>,
    /// Whether a row was shown.
    begun: bool,
}

/// How the rows are laid out.
enum Shape {
    /// In columns of these widths.
    Columns(Vec<usize>),
    /// In columns with lines between the rows.
    Framed(Vec<usize>),
    /// Each field on a line.
    Stacked,
}

impl Layout {
    /// A table without columns; on a terminal, with its width.
    pub(super) fn new(terminal: Option<usize>) -> Self {
        Self {
            terminal,
            headings: Headings::Plain,
            columns: Vec::new(),
            waiting: Vec::new(),
            shape: None,
            begun: false,
        }
    }

    /// Says how its headings look.
    pub(super) fn headed(self, headings: Headings) -> Self {
        Self { headings, ..self }
    }

    /// Names the columns.
    pub(super) fn start(&mut self, columns: &[String]) {
        self.columns = columns.iter().map(|name| one_line(name).into_owned()).collect();
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.waiting.push(cells);
    }

    /// Lays out the rows that wait.
    pub(super) fn settle(&mut self, text: &mut Vec<u8>) {
        if self.waiting.is_empty() {
            return;
        }
        let waiting = mem::take(&mut self.waiting);
        let shape = self.shape.take().unwrap_or_else(|| self.begin(&waiting, text));
        for row in waiting {
            match &shape {
                Shape::Columns(widths) => columns(&row, widths, (0, 2), Headings::Plain, text),
                Shape::Framed(widths) => {
                    if self.begun {
                        rule('─', widths, text);
                    }
                    columns(&row, widths, (1, 2), Headings::Plain, text);
                }
                Shape::Stacked => {
                    if self.begun {
                        text.push(b'\n');
                    }
                    record(self.columns.iter().map(String::as_str).zip(&row), self.headings, text);
                }
            }
            self.begun = true;
        }
        self.shape = Some(shape);
    }

    /// Lays out the rows that wait, and ends the table.
    pub(super) fn finish(&mut self, text: &mut Vec<u8>) {
        self.settle(text);
        if let Some(Shape::Framed(widths)) = &self.shape {
            rule('─', widths, text);
        }
    }

    /// Writes the headings of the shape that these rows fit in.
    fn begin(&self, rows: &[Vec<String>], text: &mut Vec<u8>) -> Shape {
        let width = |column: usize| {
            let cells = rows.iter().map(|row| one_line(&row[column]).width());
            cells.chain([self.columns[column].width()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        match self.terminal {
            None => {
                columns(&self.columns, &widths, (0, 2), self.headings, text);
                Shape::Columns(widths)
            }
            Some(terminal) if framed_width(&widths) <= terminal => {
                rule('─', &widths, text);
                columns(&self.columns, &widths, (1, 2), self.headings, text);
                rule('═', &widths, text);
                Shape::Framed(widths)
            }
            Some(_) => Shape::Stacked,
        }
    }
}

/// The fields of one thing, each on a line; a value of several lines stays in its column.
pub(super) fn record<'a, V: AsRef<str>>(
    fields: impl Iterator<Item = (&'a str, V)> + Clone,
    headings: Headings,
    text: &mut Vec<u8>,
) {
    let longest = fields.clone().map(|(name, _)| name.width()).max().unwrap_or_default();
    for (name, value) in fields {
        let names = iter::once(name).chain(iter::repeat(""));
        for (name, line) in names.zip(value.as_ref().split('\n')) {
            let start = text.len();
            cell(name, (longest, 2), headings, text);
            cell(line, (0, 0), Headings::Plain, text);
            end_line(start, text);
        }
    }
}

/// One line of cells, each as wide as its column, with so much room before and after it.
pub(super) fn columns(
    cells: &[impl AsRef<str>],
    widths: &[usize],
    (before, after): (usize, usize),
    headings: Headings,
    text: &mut Vec<u8>,
) {
    let start = text.len();
    for (content, width) in cells.iter().zip(widths) {
        text.extend(iter::repeat_n(b' ', before));
        cell(content.as_ref(), (*width, after), headings, text);
    }
    end_line(start, text);
}

/// One cell, with blanks up to its width, and so much room after it.
fn cell(content: &str, (width, after): (usize, usize), headings: Headings, text: &mut Vec<u8>) {
    let content = one_line(content);
    text.extend_from_slice(headings.paint(&content).as_bytes());
    text.extend(iter::repeat_n(b' ', width.saturating_sub(content.width()) + after));
}

/// Ends the line that began at `start`, without blanks at its end.
fn end_line(start: usize, text: &mut Vec<u8>) {
    let line = text[start..].trim_ascii_end().len();
    text.truncate(start + line);
    text.push(b'\n');
}

fn rule(character: char, widths: &[usize], text: &mut Vec<u8>) {
    let line: String = iter::repeat_n(character, framed_width(widths)).collect();
    text.extend_from_slice(line.as_bytes());
    text.push(b'\n');
}

/// Between two columns are three blanks, and one at each end.
fn framed_width(widths: &[usize]) -> usize {
    widths.iter().map(|width| width + 3).sum::<usize>().saturating_sub(1)
}
