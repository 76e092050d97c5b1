//! Data of MAS's policy. Rows are only added; the newest is in force.

use serde_json::Value;
use sqlx::types::Json;

use super::{Connection, on};
use crate::{
    error::{Code, Error, Result},
    model::{Id, PolicyData, StoredTime, Time},
};

/// How long data may be, in characters of its JSON: others may have written any.
const LIMIT: usize = 4 << 20;

/// A row as text, which is missing if it is too long.
type Row = (Id, StoredTime, Option<String>);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT policy_data_id, created_at, CASE WHEN length(CAST(data AS TEXT)) <= 4194304 \
             THEN CAST(data AS TEXT) END FROM policy_data ",
            $rest
        )
    };
}

/// The data that is in force.
///
/// # Errors
/// `policy.invalid` if it is too long, or no JSON; else as of any statement.
pub async fn policy_latest(store: &mut Connection) -> Result<Option<PolicyData>> {
    const STATEMENT: &str = select!("ORDER BY policy_data_id DESC LIMIT 1");
    let row: Option<Row> = on!(store, |connection| sqlx::query_as(STATEMENT)
        .fetch_optional(&mut **connection))?;
    row.map(read).transpose()
}

/// Finds the data of this id.
///
/// # Errors
/// `policy.invalid` if it is too long, or no JSON; else as of any statement.
pub async fn policy(store: &mut Connection, id: Id) -> Result<Option<PolicyData>> {
    const STATEMENT: &str = select!("WHERE policy_data_id = $1");
    let row: Option<Row> = on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))?;
    row.map(read).transpose()
}

/// Adds data.
///
/// # Errors
/// As of any statement.
pub async fn policy_add(store: &mut Connection, id: Id, data: &Value, created_at: Time) -> Result<PolicyData> {
    const STATEMENT: &str = "INSERT INTO policy_data (policy_data_id, created_at, data) VALUES ($1, $2, $3) \
         RETURNING policy_data_id, created_at, CAST(data AS TEXT)";
    let row: Row = on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(created_at)
        .bind(Json(data))
        .fetch_one(&mut **connection))?;
    read(row)
}

fn read((id, created_at, text): Row) -> Result<PolicyData> {
    let unreadable = |why: String| {
        Error::new(
            Code::PolicyInvalid,
            format!("The policy data {id} cannot be read: {why}"),
        )
        .data("policy_data", id.to_string())
    };
    let text = text.ok_or_else(|| unreadable(format!("it is longer than {LIMIT} characters")))?;
    let parsed = serde_json::from_str::<Value>(&text);
    let mut data = parsed.map_err(|error| unreadable(format!("it is no JSON: {error}")))?;
    // PostgreSQL keeps no order of fields.
    data.sort_all_objects();
    let created_at = Time::try_from(created_at).map_err(|why| unreadable(why.to_owned()))?;
    Ok(PolicyData { id, created_at, data })
}
