//! Rows as text in one of the formats, as they come.

use std::{borrow::Cow, mem};

use serde_json::{Map, Value};

use super::{
    render::{self, Format, Wish},
    table::Layout,
    terminal::printable,
};
use crate::{
    console::{Cell, Row},
    error::{Code, Error, Result},
};

/// The names of fields that name a row to the next command of a pipe, the best first.
const NAMING: [&str; 5] = ["username", "email", "token", "id", "name"];

/// A list in the making. What it has of text is taken from it from time to time.
pub(super) struct Sheet {
    wish: Wish,
    /// Those that are shown, once the list has begun; none if its rows have no fields.
    columns: Option<Vec<Column>>,
    rows: u64,
    text: Vec<u8>,
    csv: csv::Writer<Vec<u8>>,
    layout: Layout,
}

/// A field that is shown.
struct Column {
    name: String,
    /// The name as JSON has it before the value.
    key: Vec<u8>,
    /// Its place among the fields of the rows that come.
    place: Option<usize>,
}

impl Sheet {
    /// An empty sheet; on a terminal, with its `width`.
    pub(super) fn new(wish: Wish, width: Option<usize>) -> Self {
        Self {
            wish,
            columns: None,
            rows: 0,
            text: Vec::new(),
            csv: csv::Writer::from_writer(Vec::new()),
            layout: Layout::new(width),
        }
    }

    /// Begins the list, or goes on with it: rows with these fields follow.
    ///
    /// # Errors
    /// `argument.invalid` if a field is wished for that there is not.
    pub(super) fn start(&mut self, fields: &[&str]) -> Result<()> {
        let wished = self.wish.fields.iter().flatten();
        if let Some(unknown) = wished.clone().find(|name| !fields.contains(&name.as_str()))
            && !fields.is_empty()
        {
            return Err(render::unknown_field(unknown, fields));
        }
        let names: Vec<String> = match (&self.columns, &self.wish.fields) {
            (Some(columns), _) if !self.names_each_row() => columns.iter().map(|column| column.name.clone()).collect(),
            (_, Some(_)) if !fields.is_empty() => wished.cloned().collect(),
            _ => fields.iter().map(|&name| name.to_owned()).collect(),
        };
        let place = |name: &String| fields.iter().position(|field| field == name);
        let column = |name: String| {
            Ok(Column {
                place: place(&name),
                key: [serde_json::to_vec(&name).map_err(unprintable)?, b":".to_vec()].concat(),
                name,
            })
        };
        self.columns = Some(names.into_iter().map(column).collect::<Result<_>>()?);
        Ok(())
    }

    /// Adds a row with the fields of the last start.
    ///
    /// # Errors
    /// Those of its cells.
    pub(super) fn row(&mut self, row: &dyn Row) -> Result<()> {
        let columns = self.columns.get_or_insert_default();
        let is_first = self.rows == 0;
        self.rows += 1;
        match self.wish.format {
            Format::Json => {
                self.text.push(if is_first { b'[' } else { b',' });
                json(row, columns, &mut self.text)
            }
            Format::Jsonl => {
                json(row, columns, &mut self.text)?;
                self.text.push(b'\n');
                Ok(())
            }
            Format::Yaml => yaml(row, columns, &mut self.text),
            Format::Ids => ids(row, columns, &mut self.text),
            Format::Csv => record(row, columns, is_first, &mut self.csv),
            Format::Table if columns.is_empty() => {
                row.cell(0, &mut |cell| line(&printable(&plain(cell)), &mut self.text))
            }
            Format::Table => {
                if is_first {
                    let names: Vec<_> = columns.iter().map(|column| printable(&column.name)).collect();
                    self.layout.start(&names);
                }
                let mut cells = Vec::with_capacity(columns.len());
                for column in columns {
                    column.show(row, &mut |cell| cells.push(printable(&plain(cell))))?;
                }
                self.layout.row(cells);
                Ok(())
            }
        }
    }

    /// Adds a result that is there as a whole: each item of a list, or the one thing that it is.
    ///
    /// # Errors
    /// As of [`Self::start`].
    pub(super) fn add(&mut self, result: &Value) -> Result<()> {
        let rows = render::rows(result);
        if rows.is_empty() {
            return Ok(());
        }
        let mut fields = render::columns(rows);
        let are_whole = match self.wish.format {
            Format::Table => !rows.iter().all(Value::is_object),
            _ => self.names_each_row() && self.wish.fields.is_none(),
        };
        if are_whole {
            fields.clear();
        }
        self.start(&fields)?;
        rows.iter()
            .try_for_each(|row| self.row(&Plain { row, fields: &fields }))
    }

    /// Whether the fields of each row are named with it, so that rows need not have the same.
    fn names_each_row(&self) -> bool {
        matches!(self.wish.format, Format::Json | Format::Jsonl | Format::Yaml)
    }

    /// Says that the rows so far are to be shown now: a table keeps the widths that it has from here on.
    pub(super) fn settle(&mut self) {
        self.layout.settle(&mut self.text);
    }

    /// Ends the list.
    pub(super) fn finish(&mut self) {
        self.layout.finish(&mut self.text);
        match (self.wish.format, self.rows) {
            (Format::Json | Format::Yaml, 0) => line("[]", &mut self.text),
            (Format::Json, _) => line("]", &mut self.text),
            _ => {}
        }
    }

    /// Ends the list in the middle, as far as its last line is open.
    pub(super) fn abandon(&mut self) {
        if self.wish.format == Format::Json {
            self.text.push(b'\n');
        }
    }

    /// Takes the text out that there is.
    ///
    /// # Errors
    /// None that can happen: everything is in memory.
    pub(super) fn take(&mut self) -> Result<Vec<u8>> {
        if self.wish.format != Format::Csv {
            return Ok(mem::take(&mut self.text));
        }
        let fresh = csv::Writer::from_writer(Vec::new());
        let written = mem::replace(&mut self.csv, fresh);
        written.into_inner().map_err(unprintable)
    }
}

impl Column {
    /// Shows its cell of a row.
    fn show(&self, row: &dyn Row, show: &mut dyn FnMut(Cell<'_>)) -> Result<()> {
        if let Some(place) = self.place {
            return row.cell(place, show);
        }
        show(Cell::Missing);
        Ok(())
    }
}

/// A row of data that is there as a whole.
struct Plain<'a> {
    row: &'a Value,
    /// Their names; none if the row is shown as one cell.
    fields: &'a [&'a str],
}

impl Row for Plain<'_> {
    fn cell(&self, field: usize, show: &mut dyn FnMut(Cell<'_>)) -> Result<()> {
        let value = match self.fields.get(field) {
            Some(name) => self.row.get(name),
            None => Some(self.row),
        };
        show(match value {
            None | Some(Value::Null) => Cell::Missing,
            Some(Value::String(text)) => Cell::Text(text),
            Some(other) => Cell::Data(other),
        });
        Ok(())
    }
}

/// The row as one JSON value.
fn json(row: &dyn Row, columns: &[Column], text: &mut Vec<u8>) -> Result<()> {
    if columns.is_empty() {
        return json_cell(row, None, text);
    }
    for (at, column) in columns.iter().enumerate() {
        text.push(if at == 0 { b'{' } else { b',' });
        text.extend_from_slice(&column.key);
        json_cell(row, Some(column), text)?;
    }
    text.push(b'}');
    Ok(())
}

fn json_cell(row: &dyn Row, column: Option<&Column>, text: &mut Vec<u8>) -> Result<()> {
    let mut written = Ok(());
    let mut show = |cell: Cell<'_>| {
        written = match cell {
            Cell::Missing => serde_json::to_writer(&mut *text, &()),
            Cell::Bool(value) => serde_json::to_writer(&mut *text, &value),
            Cell::Int(value) => serde_json::to_writer(&mut *text, &value),
            Cell::Text(value) => serde_json::to_writer(&mut *text, value),
            Cell::Data(value) => serde_json::to_writer(&mut *text, value),
        };
    };
    match column {
        Some(column) => column.show(row, &mut show)?,
        None => row.cell(0, &mut show)?,
    }
    written.map_err(unprintable)
}

/// The row as the one item of a list: such lists make one, written one after the other.
fn yaml(row: &dyn Row, columns: &[Column], text: &mut Vec<u8>) -> Result<()> {
    let mut item = Value::Null;
    if columns.is_empty() {
        row.cell(0, &mut |cell| item = value(cell))?;
    } else {
        let mut fields = Map::new();
        for column in columns {
            column.show(row, &mut |cell| {
                fields.insert(column.name.clone(), value(cell));
            })?;
        }
        item = Value::Object(fields);
    }
    serde_yaml::to_writer(text, &[item]).map_err(unprintable)
}

/// What a pipe needs of a row to name it to the next command.
fn ids(row: &dyn Row, columns: &[Column], text: &mut Vec<u8>) -> Result<()> {
    let naming = NAMING
        .iter()
        .find_map(|name| columns.iter().find(|column| column.name == *name));
    match naming {
        Some(column) => column.show(row, &mut |cell| line(&plain(cell), text)),
        None if columns.is_empty() => row.cell(0, &mut |cell| line(&plain(cell), text)),
        None => {
            json(row, columns, text)?;
            text.push(b'\n');
            Ok(())
        }
    }
}

fn record(row: &dyn Row, columns: &[Column], is_first: bool, csv: &mut csv::Writer<Vec<u8>>) -> Result<()> {
    if is_first && !columns.is_empty() {
        csv.write_record(columns.iter().map(|column| &column.name))
            .map_err(unprintable)?;
    }
    let mut written = Ok(());
    let mut show = |cell: Cell<'_>| {
        if written.is_ok() {
            written = csv.write_field(&*plain(cell));
        }
    };
    if columns.is_empty() {
        row.cell(0, &mut show)?;
    }
    columns.iter().try_for_each(|column| column.show(row, &mut show))?;
    written
        .and_then(|()| csv.write_record(None::<&[u8]>))
        .map_err(unprintable)
}

/// A cell as people read it.
fn plain(cell: Cell<'_>) -> Cow<'_, str> {
    match cell {
        Cell::Missing => "".into(),
        Cell::Bool(true) => "true".into(),
        Cell::Bool(false) => "false".into(),
        Cell::Int(value) => value.to_string().into(),
        Cell::Text(text) => text.into(),
        Cell::Data(value) => render::cell(value).into(),
    }
}

fn value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Missing => Value::Null,
        Cell::Bool(value) => value.into(),
        Cell::Int(value) => value.into(),
        Cell::Text(text) => text.into(),
        Cell::Data(value) => value.clone(),
    }
}

fn line(line: &str, text: &mut Vec<u8>) {
    text.extend_from_slice(line.as_bytes());
    text.push(b'\n');
}

fn unprintable(cause: impl std::fmt::Display) -> Error {
    Error::new(Code::Bug, format!("The result cannot be printed: {cause}"))
}

#[cfg(test)]
mod tests;
