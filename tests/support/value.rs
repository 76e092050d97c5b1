//! How a transcript shows a value of a database, such that equal values look equal on both stores.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;
use sqlx::{Column, Row, TypeInfo, ValueRef, postgres::PgRow, sqlite::SqliteRow};
use ulid::Ulid;
use uuid::Uuid;

/// Columns that hold booleans: SQLite has only numbers for them.
const BOOLEANS: [&str; 5] = [
    "can_request_admin",
    "is_guest",
    "is_synapse_admin",
    "is_static",
    "success",
];

/// The columns of a row: their names, and what they hold unless it is NULL.
pub(crate) type Cells = Vec<(String, Option<String>)>;

/// The columns of a row of PostgreSQL in one line.
pub(crate) fn show_postgres(row: &PgRow) -> String {
    line(cells_postgres(row))
}

/// The columns of a row of SQLite in one line.
pub(crate) fn show_sqlite(row: &SqliteRow) -> String {
    line(cells_sqlite(row))
}

/// The columns of a row of PostgreSQL that a simple query returned, hence as text.
pub(crate) fn cells_postgres(row: &PgRow) -> Cells {
    cells(row.columns(), |index| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(None);
        }
        let kind = value.type_info().name().to_owned();
        Ok(Some(match kind.as_str() {
            "BOOL" => row.try_get::<bool, _>(index)?.to_string(),
            "UUID" => show_id(&row.try_get(index)?),
            "TIMESTAMPTZ" => show_time(row.try_get(index)?),
            "BYTEA" => show_bytes(&row.try_get::<Vec<u8>, _>(index)?),
            "TEXT[]" => Value::from(row.try_get::<Vec<String>, _>(index)?).to_string(),
            _ => show_text(value.as_str().map_err(sqlx::Error::Decode)?),
        }))
    })
}

/// The columns of a row of SQLite, whose ids are BLOBs of 16 bytes and whose times are TEXT.
pub(crate) fn cells_sqlite(row: &SqliteRow) -> Cells {
    cells(row.columns(), |index| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(None);
        }
        let column = row.column(index);
        let is_boolean = column.type_info().name() == "BOOLEAN" || BOOLEANS.contains(&column.name());
        let kind = value.type_info().name().to_owned();
        Ok(Some(match kind.as_str() {
            "BLOB" => show_bytes(&row.try_get_unchecked::<Vec<u8>, _>(index)?),
            "REAL" => row.try_get_unchecked::<f64, _>(index)?.to_string(),
            "TEXT" => show_text(&row.try_get_unchecked::<String, _>(index)?),
            _ if is_boolean => (row.try_get_unchecked::<i64, _>(index)? != 0).to_string(),
            _ => row.try_get_unchecked::<i64, _>(index)?.to_string(),
        }))
    })
}

fn cells<C: Column>(columns: &[C], show: impl Fn(usize) -> sqlx::Result<Option<String>>) -> Cells {
    let shown = columns.iter().enumerate().map(|(index, column)| {
        let value = show(index).unwrap_or_else(|error| Some(format!("<{error}>")));
        (column.name().to_owned(), value)
    });
    shown.collect()
}

fn line(cells: Cells) -> String {
    let values = cells
        .into_iter()
        .map(|(_, value)| value.unwrap_or_else(|| "null".to_owned()));
    values.collect::<Vec<_>>().join(" | ")
}

fn show_id(id: &Uuid) -> String {
    Ulid(id.as_u128()).to_string()
}

fn show_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Sixteen bytes are an id, others are shown in hexadecimal.
fn show_bytes(bytes: &[u8]) -> String {
    match Uuid::from_slice(bytes) {
        Ok(id) => show_id(&id),
        Err(_) => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat(),
    }
}

/// SQLite has neither JSON nor times, so text that is one is shown as PostgreSQL's value is.
fn show_text(text: &str) -> String {
    if let Ok(mut value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
        value.sort_all_objects();
        return value.to_string();
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return show_time(time.to_utc());
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f") {
        return show_time(time.and_utc());
    }
    text.replace('\n', "\\n")
}

#[test]
fn text_is_shown_as_what_it_holds() {
    assert_eq!(show_text(r#"{"b": [1, 2], "a": {}}"#), r#"{"a":{},"b":[1,2]}"#);
    assert_eq!(
        show_text("2020-01-01T00:01:00.250000+00:00"),
        "2020-01-01T00:01:00.250Z"
    );
    assert_eq!(show_text("2020-01-01 00:01:00"), "2020-01-01T00:01:00Z");
    assert_eq!(show_text("17"), "17");
    assert_eq!(show_text("two\nlines"), "two\\nlines");
}

#[test]
fn bytes_are_shown_as_an_id_if_there_are_sixteen() {
    assert_eq!(show_bytes(&[0; 16]), "00000000000000000000000000");
    assert_eq!(show_bytes(&[1, 254]), "01fe");
}
