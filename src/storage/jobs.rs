//! The job queue as data: what waits, what became of it, and what is added. A trigger wakes MAS's workers at COMMIT;
//! nothing here may.

use serde_json::{Value, json};
use sqlx::types::Json;

use super::{Connection, count, dialect, failure, on};
use crate::{
    error::Result,
    model::{Id, Job, JobCount, Time},
};

/// The columns of a job. Reason and payload are others' texts of whatever length: what is longer than any that MAS
/// writes is cut.
macro_rules! columns {
    () => {
        "queue_job_id, queue_name, CAST(status AS TEXT) AS status, \
         CASE WHEN attempt BETWEEN -32768 AND 32767 THEN attempt ELSE 32767 END AS attempt, \
         created_at, scheduled_at, started_at, \
         started_by, completed_at, failed_at, CASE WHEN length(failed_reason) > 1000 \
         THEN substr(failed_reason, 1, 1000) || '…' ELSE failed_reason END AS failed_reason, next_attempt_id, \
         schedule_name, CASE WHEN length(CAST(payload AS TEXT)) > 16384 \
         THEN substr(CAST(payload AS TEXT), 1, 16384) || '…' ELSE CAST(payload AS TEXT) END AS payload"
    };
}

/// Which jobs are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this queue.
    pub queue: Option<String>,
    /// Those of this status.
    pub status: Option<String>,
    /// Those about this account.
    pub user: Option<Id>,
    /// Those that no other job tries again.
    pub last_attempt: bool,
}

macro_rules! with_filter {
    ($before:expr, $status:literal, $user:literal, $after:literal) => {
        concat!(
            $before,
            " FROM queue_jobs WHERE ($1 IS NULL OR queue_name = $1) AND ($2 IS NULL OR status = ",
            $status,
            ") AND ($3 IS NULL OR ",
            $user,
            " = $3) AND (NOT $4 OR next_attempt_id IS NULL)",
            $after
        )
    };
}

/// A statement with the filter, for each database: a status is an enum on the one and a text on the other, and only one
/// of them refuses payloads that are no JSON.
macro_rules! filtered {
    ($store:expr, $filter:expr, $fetch:ident, $row:ty, $before:expr, $after:literal $(, $bind:expr)*) => {{
        const POSTGRES: &str = with_filter!($before, "CAST($2 AS queue_job_status)", "payload ->> 'user_id'", $after);
        const SQLITE: &str =
            with_filter!($before, "$2", "CASE WHEN json_valid(payload) THEN payload ->> 'user_id' END", $after);
        let user = $filter.user.map(|id| id.to_string());
        match $store {
            Connection::Postgres(connection) => filtered!(POSTGRES, $filter, user, $row $(, $bind)*)
                .$fetch(&mut **connection)
                .await
                .map_err(failure::of_statement),
            Connection::Sqlite(connection) => filtered!(SQLITE, $filter, user, $row $(, $bind)*)
                .$fetch(&mut **connection)
                .await
                .map_err(failure::of_statement),
        }
    }};
    ($statement:ident, $filter:expr, $user:ident, $row:ty $(, $bind:expr)*) => {
        sqlx::query_as::<_, $row>($statement)
            .bind($filter.queue.as_deref())
            .bind($filter.status.as_deref())
            .bind($user)
            .bind($filter.last_attempt)
            $(.bind($bind))*
    };
}

/// One page of the jobs that fit, those before `before`, newest first.
///
/// # Errors
/// As of any statement.
pub async fn job_page(store: &mut Connection, filter: &Filter, before: Id, limit: i64) -> Result<Vec<Job>> {
    filtered!(
        store,
        filter,
        fetch_all,
        Job,
        concat!("SELECT ", columns!()),
        " AND queue_job_id < $5 ORDER BY queue_job_id DESC LIMIT $6",
        before,
        limit
    )
}

/// One page of the ids of the jobs that fit, those after `after`, oldest first.
///
/// # Errors
/// As of any statement.
pub async fn job_id_page(store: &mut Connection, filter: &Filter, after: Id, limit: i64) -> Result<Vec<Id>> {
    let page: Vec<(Id,)> = filtered!(
        store,
        filter,
        fetch_all,
        (Id,),
        "SELECT queue_job_id",
        " AND queue_job_id > $5 ORDER BY queue_job_id LIMIT $6",
        after,
        limit
    )?;
    Ok(page.into_iter().map(|(id,)| id).collect())
}

/// Counts the jobs that fit by queue and status.
///
/// # Errors
/// As of any statement.
pub async fn job_counts(store: &mut Connection, filter: &Filter) -> Result<Vec<JobCount>> {
    filtered!(
        store,
        filter,
        fetch_all,
        JobCount,
        "SELECT queue_name, CAST(status AS TEXT) AS status, count(*) AS jobs, min(created_at) AS oldest_at",
        " GROUP BY queue_name, status LIMIT 1000"
    )
}

/// Finds a job.
///
/// # Errors
/// As of any statement.
pub async fn job(store: &mut Connection, id: Id) -> Result<Option<Job>> {
    const STATEMENT: &str = concat!("SELECT ", columns!(), " FROM queue_jobs WHERE queue_job_id = $1");
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// Reads a job and keeps others from changing it until the transaction ends.
///
/// # Errors
/// As of any statement.
pub async fn job_for_change(store: &mut Connection, id: Id) -> Result<Option<Job>> {
    const LOCKED: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM queue_jobs WHERE queue_job_id = $1 FOR UPDATE"
    );
    match store {
        Connection::Postgres(connection) => sqlx::query_as(LOCKED)
            .bind(id)
            .fetch_optional(&mut **connection)
            .await
            .map_err(failure::of_statement),
        Connection::Sqlite(_) => job(store, id).await,
    }
}

/// What MAS writes as a job's metadata when it exports no traces. MAS ends itself on any other shape than this or `{}`.
pub(super) fn metadata() -> Json<Value> {
    Json(json!({
        "trace_id": "00000000000000000000000000000000",
        "span_id": "0000000000000000",
        "trace_flags": 0,
    }))
}

/// The metadata of a job as JSON text, of which only the beginning if it is longer than any that MAS writes.
///
/// # Errors
/// As of any statement.
pub async fn job_metadata(store: &mut Connection, id: Id) -> Result<Option<String>> {
    const STATEMENT: &str = "SELECT substr(CAST(metadata AS TEXT), 1, 1000) FROM queue_jobs WHERE queue_job_id = $1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
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

/// Adds the job that tries again what `failed` did: as it, but counted once more. It waits for `scheduled_at`, if that
/// is given. A count that is out of the range of MAS's starts again: MAS ends itself on a negative one.
///
/// # Errors
/// As of any statement.
pub async fn job_add_attempt(
    store: &mut Connection,
    failed: Id,
    (id, created_at): (Id, Time),
    metadata: &Value,
    scheduled_at: Option<Time>,
) -> Result<Option<Job>> {
    macro_rules! statement {
        ($columns:literal, $values:literal) => {
            concat!(
                "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at, attempt, schedule_name",
                $columns,
                ") SELECT $2, queue_name, payload, $4, $3, \
                 CASE WHEN attempt BETWEEN 0 AND 32766 THEN attempt + 1 ELSE 1 END, schedule_name",
                $values,
                " FROM queue_jobs WHERE queue_job_id = $1 RETURNING ",
                columns!()
            )
        };
    }
    const AT_ONCE: &str = statement!("", "");
    const LATER: &str = statement!(", status, scheduled_at", ", 'scheduled', $5");
    on!(store, |connection| async {
        let statement = if scheduled_at.is_some() { LATER } else { AT_ONCE };
        let query = sqlx::query_as(statement)
            .bind(failed)
            .bind(id)
            .bind(created_at)
            .bind(Json(metadata));
        let query = match scheduled_at {
            Some(time) => query.bind(time),
            None => query,
        };
        query.fetch_optional(&mut **connection).await
    })
}

/// Notes on a failed job which job tries again. False if it is not failed, or another one does.
///
/// # Errors
/// As of any statement.
pub async fn job_set_next_attempt(store: &mut Connection, id: Id, next: Id) -> Result<bool> {
    const STATEMENT: &str = "UPDATE queue_jobs SET next_attempt_id = $2 \
         WHERE queue_job_id = $1 AND status = 'failed' AND next_attempt_id IS NULL";
    count!(store, sqlx::query(STATEMENT).bind(id).bind(next)).map(|count| count == 1)
}
