//! What a command returned, on stdout, in the format that was asked for.

use std::{
    fmt::Display,
    io::{self, Write},
    ops::ControlFlow,
};

use serde_json::{Map, Value, json};

use super::{
    record,
    sheet::Sheet,
    table::{self, Headings},
};
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
    let width = table::width();
    match wish.format {
        Format::Json | Format::Yaml if !read_only => data(&envelope(outcome, &result), wish.format, width),
        Format::Table => match &outcome.secret {
            Some(secret) if wish.fields.is_none() => Ok(format!("{secret}\n")),
            _ => data(&result, Format::Table, width),
        },
        format => data(&result, format, width),
    }
}

/// The text for stdout of a command that is no script.
pub(super) fn plain(value: &Value, wish: &Wish) -> Result<String> {
    data(&selected(value, wish.fields.as_deref())?, wish.format, table::width())
}

/// The result of a script beside what it changed.
pub(super) fn envelope(outcome: &Outcome, result: &Value) -> Value {
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

/// Data in one of the formats, on a terminal of this width.
pub(super) fn data(value: &Value, format: Format, width: Option<usize>) -> Result<String> {
    let unprintable = |cause: &dyn Display| Error::new(Code::Bug, format!("The result cannot be printed: {cause}"));
    match (format, value) {
        (Format::Json, _) => Ok(format!("{value}\n")),
        (Format::Yaml, _) => serde_yaml::to_string(value).map_err(|error| unprintable(&error)),
        (Format::Table, Value::Object(fields)) => {
            Ok(record::text(fields, width.unwrap_or(record::WIDTH), Headings::Plain))
        }
        _ => {
            let wish = Wish { format, fields: None };
            let mut sheet = Sheet::new(wish, width);
            sheet.add(value)?;
            sheet.finish();
            Ok(String::from_utf8_lossy(&sheet.take()?).into_owned())
        }
    }
}

pub(super) fn rows(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(rows) => rows,
        one => std::slice::from_ref(one),
    }
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

/// Keeps the fields that were asked for, in that order.
pub(super) fn selected(value: &Value, fields: Option<&[String]>) -> Result<Value> {
    let Some(fields) = fields else { return Ok(value.clone()) };
    match value {
        Value::Array(rows) => rows.iter().map(|row| selected(row, Some(fields))).collect(),
        Value::Object(row) => fields
            .iter()
            .map(|name| match row.get(name) {
                Some(value) => Ok((name.clone(), value.clone())),
                None => Err(unknown_field(name, &row.keys().map(String::as_str).collect::<Vec<_>>())),
            })
            .collect::<Result<Map<_, _>>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

pub(super) fn unknown_field(name: &str, known: &[&str]) -> Error {
    Error::new(Code::ArgumentInvalid, format!("The result has no field `{name}`"))
        .help(format!("The fields are {}.", known.join(", ")))
}

/// Prints a text on stdout. A reader that has gone away is none of our business.
pub(super) fn print(text: &str) -> Result<()> {
    write_stdout(text.as_bytes()).map(drop)
}

/// Writes to stdout. `Break` if its reader has gone away.
pub(super) fn write_stdout(bytes: &[u8]) -> Result<ControlFlow<()>> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(Error::new(
            Code::FileUnreadable,
            format!("Standard output cannot be written: {error}"),
        )),
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
        let shown = |format| data(&users(), format, None).unwrap();
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
            assert_eq!(data(&Value::Null, format, None).unwrap(), "");
            assert_eq!(data(&json!([]), format, None).unwrap(), "");
        }
        assert_eq!(data(&json!([]), Format::Json, None).unwrap(), "[]\n");
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

    #[test]
    fn a_pipe_gets_plain_columns() {
        let shown = |value: Value| data(&value, Format::Table, None).unwrap();
        let admins = json!([{"username": "alice", "admin": true}, {"username": "b\u{1b}ob", "admin": false}]);
        assert_eq!(shown(admins), "username   admin\nalice      true\nb\\u{1b}ob  false\n");
        assert_eq!(shown(json!({"id": 1, "name": null})), "id    1\nname\n");
        assert_eq!(shown(json!({"id": 1, "why": "b\nc"})), "id   1\nwhy  b\n     c\n");
        assert_eq!(shown(json!(["a", "b\nc"])), "a\nb\nc\n");
        assert_eq!(
            shown(json!([{"why": "b\nc"}, {"else": "日本", "why": 1}])),
            "why   else\nb\\nc\n1     日本\n"
        );
        assert_eq!(shown(json!("a")), "a\n");
    }

    #[test]
    fn rows_wider_than_the_terminal_are_shown_one_below_the_other() {
        let framed = "\
───────────────────
 username    admin
═══════════════════
 alice       true
───────────────────
 b\\u{1b}ob   false
───────────────────
";
        let admins = json!([{"username": "alice", "admin": true}, {"username": "b\u{1b}ob", "admin": false}]);
        assert_eq!(data(&admins, Format::Table, Some(19)).unwrap(), framed);
        assert_eq!(
            data(&admins, Format::Table, Some(18)).unwrap(),
            "username  alice\nadmin     true\n\nusername  b\\u{1b}ob\nadmin     false\n"
        );
    }
}
