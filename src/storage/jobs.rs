//! The job queue that MAS's workers take from. A trigger wakes them at COMMIT; nothing here may.

use serde_json::{Value, json};
use sqlx::types::Json;

use super::{Connection, dialect, on};
use crate::{
    error::Result,
    model::{Id, Time},
};

/// What MAS writes as a job's metadata when it exports no traces. MAS ends itself on any other shape than this or `{}`.
pub(super) fn metadata() -> Json<Value> {
    Json(json!({
        "trace_id": "00000000000000000000000000000000",
        "span_id": "0000000000000000",
        "trace_flags": 0,
    }))
}

/// Adds a job that is to run at once.
///
/// # Errors
/// As of any statement.
pub async fn job_add(store: &mut Connection, id: Id, queue: &str, payload: &Value, created_at: Time) -> Result<Id> {
    const STATEMENT: &str = "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at) \
         VALUES ($1, $2, $3, $4, $5) RETURNING queue_job_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .bind(queue)
        .bind(Json(payload))
        .bind(metadata())
        .bind(created_at)
        .fetch_one(&mut **connection))
}

/// Adds many jobs of one queue at once. `jobs` are ids with payloads as JSON text.
///
/// # Errors
/// As of any statement.
pub async fn jobs_add(store: &mut Connection, queue: &str, jobs: (&[Id], &[String]), created_at: Time) -> Result<()> {
    dialect::jobs_add(store, queue, jobs, created_at).await
}

/// Counts the workers of MAS that are alive: seen after `since`, and not shut down.
///
/// # Errors
/// As of any statement.
pub async fn live_workers(store: &mut Connection, since: Time) -> Result<i64> {
    const STATEMENT: &str = "SELECT count(*) FROM queue_workers WHERE last_seen_at > $1 AND shutdown_at IS NULL";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(since)
        .fetch_one(&mut **connection))
}
