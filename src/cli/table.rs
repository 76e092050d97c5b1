//! Data as a table for people.

use std::io::{self, IsTerminal};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};

use super::{
    render::{cell, columns, lines},
    terminal::{printable, terminal_width},
};

/// The columns of the terminal that stdout is; `None` if it is none.
pub(super) fn width() -> Option<usize> {
    io::stdout().is_terminal().then(|| terminal_width().unwrap_or(80))
}

/// The table. Elsewhere than on a terminal nothing is framed, cut or wrapped. On a terminal, rows that are wider than
/// it are shown one below the other, each field on a line: an id that is cut in two cannot be copied. Elsewhere a row
/// is one line, whatever it holds.
pub(super) fn text(value: &Value, width: Option<usize>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Array(rows) if rows.is_empty() => String::new(),
        Value::Array(rows) if rows.iter().all(Value::is_object) => {
            let table = of_rows(rows, width.is_some());
            if width.is_some_and(|width| table.lines().any(|line| line.chars().count() > width)) {
                let records: Vec<_> = rows.iter().filter_map(Value::as_object).map(of_fields).collect();
                return records.join("\n");
            }
            table
        }
        Value::Array(rows) => lines(rows.iter().map(|row| printable(&cell(row)))),
        Value::Object(fields) => of_fields(fields),
        scalar => format!("{}\n", printable(&cell(scalar))),
    }
}

fn of_rows(rows: &[Value], framed: bool) -> String {
    let columns = columns(rows);
    let mut table = Table::new();
    table.set_header(&columns);
    for row in rows {
        let cells = columns.iter().map(|name| row.get(name).map(cell).unwrap_or_default());
        table.add_row(cells.map(|text| printable(&text).replace('\n', "\\n")));
    }
    finished(table, framed)
}

fn of_fields(fields: &Map<String, Value>) -> String {
    let mut table = Table::new();
    for (name, value) in fields {
        table.add_row([name.clone(), printable(&cell(value))]);
    }
    finished(table, false)
}

fn finished(mut table: Table, framed: bool) -> String {
    table.set_content_arrangement(ContentArrangement::Disabled);
    if framed {
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    } else {
        table.load_style(presets::NOTHING);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
    }
    table.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn users() -> Value {
        json!([{"username": "alice", "admin": true}, {"username": "b\u{1b}ob", "admin": false}])
    }

    #[test]
    fn a_pipe_gets_plain_columns() {
        assert_eq!(
            text(&users(), None),
            "username   admin\nalice      true\nb\\u{1b}ob  false\n"
        );
        assert_eq!(text(&json!({"id": 1, "name": null}), None), "id    1\nname\n");
        assert_eq!(text(&json!(["a", "b\nc"]), None), "a\nb\nc\n");
        assert_eq!(text(&json!([{"why": "b\nc"}]), None), "why\nb\\nc\n");
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
        assert_eq!(text(&users(), Some(19)), framed);
        assert_eq!(
            text(&users(), Some(18)),
            "username  alice\nadmin     true\n\nusername  b\\u{1b}ob\nadmin     false\n"
        );
    }
}
