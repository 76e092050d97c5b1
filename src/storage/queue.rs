//! The job queue as workers use it: workers register and are seen; jobs are taken, done, failed and released.

use chrono::Duration;
use sqlx::types::Json;

use super::{Connection, count, dialect, failure, on};
use crate::{
    error::Result,
    model::{Id, StoredTime, Task, Time},
};

/// The key of the lock under which workers of masctl register, one after the other. MAS knows nothing of it.
const REGISTRATION: i64 = i64::from_be_bytes(*b"mctlwork");

/// Keeps other workers of masctl from registering until the transaction ends.
///
/// # Errors
/// As of any statement.
pub async fn lock_registration(store: &mut Connection) -> Result<()> {
    dialect::lock(store, REGISTRATION).await
}

/// Counts the workers that are alive: seen after `since`, and not shut down.
///
/// # Errors
/// As of any statement.
pub async fn live_workers(store: &mut Connection, since: Time) -> Result<i64> {
    const STATEMENT: &str = "SELECT count(*) FROM queue_workers WHERE last_seen_at > $1 AND shutdown_at IS NULL";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(since)
        .fetch_one(&mut **connection))
}

/// The live worker other than `own` that was seen last, and when. Alive is who was seen less than `limit` ago.
/// PostgreSQL may be on another machine, with MAS: there a worker is alive if it is by either clock.
///
/// # Errors
/// As of any statement.
pub async fn other_live_worker(
    store: &mut Connection,
    own: Id,
    now: Time,
    limit: Duration,
) -> Result<Option<(Id, Time)>> {
    macro_rules! statement {
        ($since:literal) => {
            concat!(
                "SELECT queue_worker_id, last_seen_at FROM queue_workers WHERE shutdown_at IS NULL AND last_seen_at > ",
                $since,
                " AND queue_worker_id <> $1 ORDER BY last_seen_at DESC LIMIT 1"
            )
        };
    }
    const POSTGRES: &str = statement!("LEAST($2, now() - $3 * interval '1 second')");
    const SQLITE: &str = statement!("$2");
    let since = now - limit;
    let found: Option<(Id, StoredTime)> = match store {
        Connection::Postgres(connection) => {
            let query = sqlx::query_as(POSTGRES).bind(own).bind(since);
            query.bind(limit.num_seconds()).fetch_optional(&mut **connection).await
        }
        Connection::Sqlite(connection) => {
            let query = sqlx::query_as(SQLITE).bind(own).bind(since);
            query.fetch_optional(&mut **connection).await
        }
    }
    .map_err(failure::of_statement)?;
    Ok(found.and_then(|(worker, seen_at)| Some((worker, Option::from(seen_at)?))))
}

/// Registers a worker.
///
/// # Errors
/// As of any statement.
pub async fn worker_add(store: &mut Connection, id: Id, now: Time) -> Result<Id> {
    const STATEMENT: &str = "INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at) VALUES ($1, $2, $2) \
         RETURNING queue_worker_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .bind(now)
        .fetch_one(&mut **connection))
}

/// Shows that a worker is alive. False if it was declared dead.
///
/// # Errors
/// As of any statement.
pub async fn worker_seen(store: &mut Connection, id: Id, now: Time) -> Result<bool> {
    const STATEMENT: &str =
        "UPDATE queue_workers SET last_seen_at = $2 WHERE queue_worker_id = $1 AND shutdown_at IS NULL";
    count!(store, sqlx::query(STATEMENT).bind(id).bind(now)).map(|count| count == 1)
}

/// Shuts down a worker. False if it was shut down before.
///
/// # Errors
/// As of any statement.
pub async fn worker_shut_down(store: &mut Connection, id: Id, now: Time) -> Result<bool> {
    const STATEMENT: &str =
        "UPDATE queue_workers SET shutdown_at = $2 WHERE queue_worker_id = $1 AND shutdown_at IS NULL";
    count!(store, sqlx::query(STATEMENT).bind(id).bind(now)).map(|count| count == 1)
}

/// Declares the workers dead that were not seen since `since`, and returns how many.
///
/// # Errors
/// As of any statement.
pub async fn silent_workers_shut_down(store: &mut Connection, since: Time, now: Time) -> Result<u64> {
    const STATEMENT: &str = "UPDATE queue_workers SET shutdown_at = $2 WHERE shutdown_at IS NULL AND last_seen_at < $1";
    count!(store, sqlx::query(STATEMENT).bind(since).bind(now))
}

/// Gives back the jobs that workers hold which have shut down, and returns them. A job of a live worker is never
/// touched.
///
/// # Errors
/// As of any statement.
pub async fn jobs_release(store: &mut Connection) -> Result<Vec<(Id, String)>> {
    const STATEMENT: &str = "UPDATE queue_jobs SET status = 'available', started_at = NULL, started_by = NULL \
         WHERE status = 'running' AND started_by IN \
         (SELECT queue_worker_id FROM queue_workers WHERE shutdown_at IS NOT NULL) RETURNING queue_job_id, queue_name";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .fetch_all(&mut **connection))
}

/// Gives back all jobs that one worker holds, and returns how many.
///
/// # Errors
/// As of any statement.
pub async fn jobs_give_back(store: &mut Connection, worker: Id) -> Result<u64> {
    const STATEMENT: &str = "UPDATE queue_jobs SET status = 'available', started_at = NULL, started_by = NULL \
         WHERE status = 'running' AND started_by = $1";
    count!(store, sqlx::query(STATEMENT).bind(worker))
}

/// Counts the jobs of workers that were not seen since `since`, but that nobody has declared dead.
///
/// # Errors
/// As of any statement.
pub async fn jobs_of_silent_workers(store: &mut Connection, since: Time) -> Result<i64> {
    const STATEMENT: &str = "SELECT count(*) FROM queue_jobs JOIN queue_workers ON queue_worker_id = started_by \
         WHERE status = 'running' AND shutdown_at IS NULL AND last_seen_at < $1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(since)
        .fetch_one(&mut **connection))
}

/// Makes the jobs of these queues available whose time has come, and returns how many. Those of a recurring schedule
/// are left to MAS, which keeps account of them.
///
/// # Errors
/// As of any statement.
pub async fn due_jobs_make_available(store: &mut Connection, queues: &[&str], now: Time) -> Result<u64> {
    macro_rules! statement {
        ($queues:literal) => {
            concat!(
                "UPDATE queue_jobs SET status = 'available' WHERE status = 'scheduled' AND scheduled_at <= $1 \
                 AND schedule_name IS NULL AND queue_name ",
                $queues
            )
        };
    }
    const POSTGRES: &str = statement!("= ANY($2)");
    const SQLITE: &str = statement!("IN (SELECT value FROM json_each($2))");
    match store {
        Connection::Postgres(connection) => {
            let query = sqlx::query(POSTGRES).bind(now).bind(queues);
            query.execute(&mut **connection).await.map(|done| done.rows_affected())
        }
        Connection::Sqlite(connection) => {
            let query = sqlx::query(SQLITE).bind(now).bind(Json(queues));
            query.execute(&mut **connection).await.map(|done| done.rows_affected())
        }
    }
    .map_err(failure::of_statement)
}

/// Takes the available job of these queues that has the least id and that nobody else is taking.
///
/// A payload that is larger than any that MAS writes is not read. The first of each queue is found by its index. On
/// SQLite, where several workers of masctl may share a queue, a job has to wait while another one about the same
/// account runs.
///
/// # Errors
/// As of any statement.
pub async fn job_reserve(store: &mut Connection, queues: &[&str], worker: Id, now: Time) -> Result<Option<Task>> {
    macro_rules! statement {
        ($chosen:literal) => {
            concat!(
                "UPDATE queue_jobs SET status = 'running', started_at = $1, started_by = $2 WHERE queue_job_id = (",
                $chosen,
                ") RETURNING queue_job_id, queue_name, \
                 CASE WHEN attempt BETWEEN -32768 AND 32767 THEN attempt ELSE 32767 END AS attempt, \
                 CASE WHEN length(CAST(payload AS TEXT)) > 16384 THEN '' ELSE CAST(payload AS TEXT) END AS payload"
            )
        };
    }
    const POSTGRES: &str = statement!(
        "SELECT first.queue_job_id FROM unnest($3) AS queue (name), LATERAL (SELECT queue_job_id FROM queue_jobs \
         WHERE status = 'available' AND queue_name = queue.name ORDER BY queue_job_id LIMIT 1 FOR UPDATE SKIP LOCKED) \
         AS first ORDER BY first.queue_job_id LIMIT 1"
    );
    const SQLITE: &str = statement!(
        "SELECT min((SELECT queue_job_id FROM queue_jobs AS job WHERE status = 'available' AND queue_name = queue.value \
         AND NOT EXISTS (SELECT 1 FROM queue_jobs AS other WHERE other.status = 'running' \
         AND CASE WHEN json_valid(other.payload) THEN other.payload ->> 'user_id' END \
         = CASE WHEN json_valid(job.payload) THEN job.payload ->> 'user_id' END) \
         ORDER BY queue_job_id LIMIT 1)) FROM json_each($3) AS queue"
    );
    match store {
        Connection::Postgres(connection) => {
            let query = sqlx::query_as(POSTGRES).bind(now).bind(worker).bind(queues);
            query.fetch_optional(&mut **connection).await
        }
        Connection::Sqlite(connection) => {
            let query = sqlx::query_as(SQLITE).bind(now).bind(worker).bind(Json(queues));
            query.fetch_optional(&mut **connection).await
        }
    }
    .map_err(failure::of_statement)
}

/// Ends a job of a worker well. False if it is no longer the worker's.
///
/// # Errors
/// As of any statement.
pub async fn job_complete(store: &mut Connection, id: Id, worker: Id, now: Time) -> Result<bool> {
    const STATEMENT: &str = "UPDATE queue_jobs SET status = 'completed', completed_at = $3 \
         WHERE queue_job_id = $1 AND status = 'running' AND started_by = $2";
    count!(store, sqlx::query(STATEMENT).bind(id).bind(worker).bind(now)).map(|count| count == 1)
}

/// Ends a job of a worker with the reason for which it failed. False if it is no longer the worker's.
///
/// # Errors
/// As of any statement.
pub async fn job_fail(store: &mut Connection, id: Id, worker: Id, now: Time, reason: &str) -> Result<bool> {
    const STATEMENT: &str = "UPDATE queue_jobs SET status = 'failed', failed_at = $3, failed_reason = $4 \
         WHERE queue_job_id = $1 AND status = 'running' AND started_by = $2";
    count!(
        store,
        sqlx::query(STATEMENT).bind(id).bind(worker).bind(now).bind(reason)
    )
    .map(|count| count == 1)
}
