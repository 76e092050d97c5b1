//! The jobs of MAS's queue.

use serde_json::Value;
use sqlx::FromRow;

use super::{Id, StoredTime, Time};

/// The statuses that MAS knows of a job. None is `lost` so far.
pub const JOB_STATUSES: [&str; 6] = ["available", "running", "completed", "lost", "failed", "scheduled"];

/// A piece of work for MAS's workers, or the trace of one.
#[derive(Clone, Debug, PartialEq, FromRow, serde::Serialize)]
pub struct Job {
    /// Its id. Workers take the least first.
    #[sqlx(rename = "queue_job_id")]
    pub id: Id,
    /// What kind of work it is: `provision-user`.
    #[sqlx(rename = "queue_name")]
    pub queue: String,
    /// The username of the account that it is about. Not part of the row: who shows a job looks it up.
    #[sqlx(skip)]
    pub user: Option<String>,
    /// What became of it, one of [`JOB_STATUSES`] unless MAS has new ones.
    pub status: String,
    /// How often it was tried before.
    pub attempt: i32,
    /// When it was queued.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
    /// Before when no worker takes it.
    #[sqlx(try_from = "StoredTime")]
    pub scheduled_at: Option<Time>,
    /// When a worker took it.
    #[sqlx(try_from = "StoredTime")]
    pub started_at: Option<Time>,
    /// The worker that took it.
    pub started_by: Option<Id>,
    /// When it was done.
    #[sqlx(try_from = "StoredTime")]
    pub completed_at: Option<Time>,
    /// When it failed.
    #[sqlx(try_from = "StoredTime")]
    pub failed_at: Option<Time>,
    /// Why it failed, cut to the first thousand characters.
    pub failed_reason: Option<String>,
    /// The job that tries the same again after this one failed.
    pub next_attempt_id: Option<Id>,
    /// The recurring schedule that queued it.
    pub schedule_name: Option<String>,
    /// What exactly is to be done.
    #[sqlx(try_from = "String")]
    pub payload: Payload,
}

impl Job {
    /// The account that it is about, if the payload names one.
    #[must_use]
    pub fn user_id(&self) -> Option<Id> {
        self.payload.user_id()
    }
}

/// A job that a worker has taken: as much of it as is needed to do it.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Task {
    /// The id of the job.
    #[sqlx(rename = "queue_job_id")]
    pub id: Id,
    /// What kind of work it is.
    #[sqlx(rename = "queue_name")]
    pub queue: String,
    /// How often it was tried before.
    pub attempt: i32,
    /// What exactly is to be done.
    #[sqlx(try_from = "String")]
    pub payload: Payload,
}

/// What a job is to do. One that is no JSON, or too large to be any that MAS writes, is a text.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct Payload(pub Value);

impl Payload {
    /// The account that the job is about, if it names one.
    #[must_use]
    pub fn user_id(&self) -> Option<Id> {
        self.0.get("user_id")?.as_str()?.parse().ok()
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

/// How many jobs of one queue have one status.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct JobCount {
    /// The queue.
    #[sqlx(rename = "queue_name")]
    pub queue: String,
    /// The status.
    pub status: String,
    /// How many.
    #[sqlx(rename = "jobs")]
    pub count: i64,
    /// When the oldest of them was queued.
    #[sqlx(try_from = "StoredTime")]
    pub oldest_at: Time,
}
