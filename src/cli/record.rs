//! One thing for people: each field on a line, and the lists in it on lines of their own, beside their name.

use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use super::{
    render::{cell, columns},
    table::{self, Headings, Layout},
    terminal::{one_line, printable},
};

/// How wide the lists may be where there is no terminal.
pub(super) const WIDTH: usize = 80;

/// The fields. A list in one of them is a table, or, if that is wider than what is left of `width`, one record below the
/// other.
pub(super) fn text(fields: &Map<String, Value>, width: usize, headings: Headings) -> String {
    let names: Vec<_> = fields
        .keys()
        .map(|name| one_line(&printable(name)).into_owned())
        .collect();
    let longest = names.iter().map(|name| name.width()).max().unwrap_or_default();
    let left = width.saturating_sub(longest + 2);
    let values = fields.values().map(|value| nested(value, left, headings));
    let cells: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
    let mut text = Vec::new();
    table::record(cells.iter().map(|(name, cell)| (*name, cell)), headings, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The value of one field, without the end of its last line.
fn nested(value: &Value, width: usize, headings: Headings) -> String {
    let text = match value {
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => list(items, width, headings),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| printable(&cell(item))).collect();
            return items.join("\n");
        }
        Value::Object(fields) => text(fields, width, headings),
        scalar => return printable(&cell(scalar)),
    };
    text.trim_end_matches('\n').to_owned()
}

fn list(rows: &[Value], width: usize, headings: Headings) -> String {
    let names = columns(rows);
    let mut layout = Layout::new(None).headed(headings);
    layout.start(&names.iter().map(|name| printable(name)).collect::<Vec<_>>());
    for row in rows {
        let cells = names.iter().map(|name| row.get(name).map(cell).unwrap_or_default());
        layout.row(cells.map(|cell| printable(&cell)).collect());
    }
    let mut table = Vec::new();
    layout.finish(&mut table);
    let table = String::from_utf8_lossy(&table).into_owned();
    if table.lines().all(|line| Headings::width(line) <= width) {
        return table;
    }
    let records: Vec<_> = rows
        .iter()
        .filter_map(Value::as_object)
        .map(|fields| text(fields, width, headings))
        .collect();
    records.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Value, width: usize) -> String {
        text(value.as_object().unwrap(), width, Headings::Plain)
    }

    #[test]
    fn lists_are_tables_beside_their_name() {
        let record = json!({
            "username": "alice",
            "emails": [{"email": "a@b.c", "created_at": "2020"}, {"email": "\u{1b}", "created_at": "2021"}],
            "sessions": {"browser": 1, "oauth": 12},
            "tags": ["a", "b"],
            "links": [],
            "password": null,
        });
        let table = "\
username  alice
emails    email   created_at
          a@b.c   2020
          \\u{1b}  2021
sessions  browser  1
          oauth    12
tags      a
          b
links
password
";
        assert_eq!(shown(&record, WIDTH), table);
    }

    #[test]
    fn a_list_that_is_too_wide_is_shown_one_below_the_other() {
        let record = json!({"emails": [{"email": "a@b.c", "at": "2020"}, {"email": "日本", "at": "2021"}]});
        let table = "emails  email  at\n        a@b.c  2020\n        日本   2021\n";
        assert_eq!(shown(&record, 19), table);
        let below = "emails  email  a@b.c\n        at     2020\n\n        email  日本\n        at     2021\n";
        assert_eq!(shown(&record, 18), below);
    }
}
