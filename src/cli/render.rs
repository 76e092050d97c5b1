//! What a command returned, on stdout, in the format that was asked for.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::table;
use crate::{
    error::{Code, Error, Result},
    host::Outcome,
};

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Table,
    Json,
    Jsonl,
    Csv,
    Yaml,
    Ids,
}

impl Format {
    pub(super) const NAMES: [(&str, Self); 6] = [
        ("table", Self::Table),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("csv", Self::Csv),
        ("yaml", Self::Yaml),
        ("ids", Self::Ids),
    ];

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, format)| *format)
    }
}

/// How the data is to be printed, and which fields of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) format: Format,
    pub(super) fields: Option<Vec<String>>,
}

/// The text for stdout of a script that ended well.
///
/// A script that only reads prints its result bare; any other wraps it in what it changed, for programs.
pub(super) fn outcome(outcome: &Outcome, read_only: bool, wish: &Wish) -> Result<String> {
    let result = selected(&outcome.result, wish.fields.as_deref())?;
    match wish.format {
        Format::Json | Format::Yaml if !read_only => data(&envelope(outcome, &result), wish.format),
        Format::Table => match &outcome.secret {
            Some(secret) if wish.fields.is_none() => Ok(format!("{secret}\n")),
            _ => data(&result, Format::Table),
        },
        format => data(&result, format),
    }
}

/// The text for stdout of a command that is no script.
pub(super) fn plain(value: &Value, wish: &Wish) -> Result<String> {
    data(&selected(value, wish.fields.as_deref())?, wish.format)
}

fn envelope(outcome: &Outcome, result: &Value) -> Value {
    let report = &outcome.report;
    json!({
        "changed": report.changed(),
        "dry_run": report.dry_run,
        "store": report.store,
        "changes": report.changes,
        "effects": report.effects,
        "result": result,
    })
}

/// Data in one of the formats.
fn data(value: &Value, format: Format) -> Result<String> {
    let unprintable = |cause: String| Error::new(Code::Bug, format!("The result cannot be printed: {cause}"));
    match format {
        Format::Table => Ok(table::text(value, table::width())),
        Format::Json => Ok(format!("{value}\n")),
        Format::Jsonl => Ok(lines(rows(value).iter().map(Value::to_string))),
        Format::Yaml => serde_yaml::to_string(value).map_err(|error| unprintable(error.to_string())),
        Format::Csv => csv(value).map_err(|error| unprintable(error.to_string())),
        Format::Ids => Ok(lines(rows(value).iter().map(id))),
    }
}

pub(super) fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn rows(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(rows) => rows,
        one => std::slice::from_ref(one),
    }
}

/// What a pipe needs of a row to name it to the next command.
fn id(row: &Value) -> String {
    let named = ["username", "email", "token", "id"]
        .iter()
        .find_map(|name| row.get(name));
    cell(named.unwrap_or(row))
}

pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(super) fn columns(rows: &[Value]) -> Vec<&str> {
    let mut columns: Vec<&str> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    columns
}

fn csv(value: &Value) -> Result<String, csv::Error> {
    let rows = rows(value);
    let columns = columns(rows);
    let mut writer = csv::Writer::from_writer(Vec::new());
    if columns.is_empty() {
        for row in rows {
            writer.write_record([cell(row)])?;
        }
    } else {
        writer.write_record(&columns)?;
        for row in rows {
            writer.write_record(columns.iter().map(|name| row.get(name).map(cell).unwrap_or_default()))?;
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| csv::Error::from(io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Keeps the fields that were asked for, in that order.
fn selected(value: &Value, fields: Option<&[String]>) -> Result<Value> {
    let Some(fields) = fields else { return Ok(value.clone()) };
    match value {
        Value::Array(rows) => rows.iter().map(|row| selected(row, Some(fields))).collect(),
        Value::Object(row) => fields
            .iter()
            .map(|name| match row.get(name) {
                Some(value) => Ok((name.clone(), value.clone())),
                None => Err(unknown_field(name, row)),
            })
            .collect::<Result<Map<_, _>>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

fn unknown_field(name: &str, row: &Map<String, Value>) -> Error {
    let known: Vec<_> = row.keys().map(String::as_str).collect();
    Error::new(Code::ArgumentInvalid, format!("The result has no field `{name}`"))
        .help(format!("The fields are {}.", known.join(", ")))
}

/// Writes to stdout. A reader that has gone away is none of our business.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::new(
            Code::FileUnreadable,
            format!("Standard output cannot be written: {error}"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Value {
        json!([{"id": "01", "username": "alice", "locked_at": null}, {"id": "02", "username": "b\u{1b}ob", "locked_at": "x,y"}])
    }

    #[test]
    fn rows_in_every_format() {
        let shown = |format| data(&users(), format).unwrap();
        assert_eq!(shown(Format::Ids), "alice\nb\u{1b}ob\n");
        assert_eq!(
            shown(Format::Csv),
            "id,username,locked_at\n01,alice,\n02,b\u{1b}ob,\"x,y\"\n"
        );
        assert_eq!(
            shown(Format::Jsonl),
            "{\"id\":\"01\",\"username\":\"alice\",\"locked_at\":null}\n{\"id\":\"02\",\"username\":\"b\\u001bob\",\"locked_at\":\"x,y\"}\n"
        );
        assert_eq!(shown(Format::Yaml).lines().next(), Some("- id: '01'"));
    }

    #[test]
    fn nothing_is_nothing_in_every_format_but_json() {
        for format in [Format::Table, Format::Jsonl, Format::Csv, Format::Ids] {
            assert_eq!(data(&Value::Null, format).unwrap(), "");
            assert_eq!(data(&json!([]), format).unwrap(), "");
        }
        assert_eq!(data(&json!([]), Format::Json).unwrap(), "[]\n");
    }

    #[test]
    fn fields_are_kept_in_the_order_asked_for_and_unknown_ones_refused() {
        let wished = ["username".to_owned(), "id".to_owned()];
        assert_eq!(
            selected(&users(), Some(&wished)).unwrap()[0].to_string(),
            "{\"username\":\"alice\",\"id\":\"01\"}"
        );
        let error = selected(&users(), Some(&["name".to_owned()])).unwrap_err();
        assert_eq!(error.message(), "The result has no field `name`");
        assert_eq!(error.help_text(), Some("The fields are id, username, locked_at."));
    }
}
