//! What a worker tells of its work, as it happens and in the end.

use chrono::Duration;
use serde::Serialize;

use super::{LAST_ATTEMPT, Outcome};
use crate::{
    error::{Code, Error},
    model::{Id, Task, Time},
};

/// The most failures that a summary names.
const MOST_FAILURES: usize = 100;

/// The most characters of a reason.
const LONGEST_REASON: usize = 1000;

/// How long a job waits after its first attempt. It doubles with each further one.
const FIRST_WAIT: i64 = 5;

/// A job as people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    id: Id,
    queue: String,
    /// The username of the account that it is about, or, if there is none, its id.
    user: Option<String>,
}

impl Title {
    pub(super) fn new(job: &Task, user: Option<String>) -> Self {
        Self {
            id: job.id,
            queue: job.queue.clone(),
            user: user.or_else(|| job.payload.user_id().map(|id| id.to_string())),
        }
    }

    fn text(&self) -> String {
        match &self.user {
            Some(user) => format!("{} {user}", self.queue),
            None => format!("{} (job {})", self.queue, self.id),
        }
    }
}

/// When a job is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// In so many seconds.
    pub seconds: i64,
    /// That is then.
    pub at: Time,
}

impl Again {
    /// When MAS tries a job again that failed now. Never, if trying again cannot help.
    pub(super) fn after(job: &Task, error: &Error, now: Time) -> Option<Self> {
        if matches!(error.code(), Code::UserNotFound | Code::JobInvalid) || job.attempt >= LAST_ATTEMPT {
            return None;
        }
        let seconds = FIRST_WAIT << job.attempt.max(0);
        Some(Self {
            seconds,
            at: now + Duration::seconds(seconds),
        })
    }
}

/// Something that a worker did, or that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is registered.
    Started {
        /// Its id.
        worker: Id,
        /// The store, without user and password.
        store: String,
        /// Whether there is a homeserver.
        homeserver: bool,
    },
    /// Something about the store that an operator should know.
    Warning {
        /// What.
        message: String,
    },
    /// It took jobs away from workers that died.
    Released {
        /// How many.
        count: u64,
    },
    /// A job is done.
    Done {
        /// The job.
        job: Title,
    },
    /// A job failed.
    Failed {
        /// The job.
        job: Title,
        /// Why.
        reason: String,
        /// When it is tried again; never, if nothing.
        again: Option<Again>,
    },
    /// A job was taken away from it while it was done.
    Taken {
        /// The job.
        job: Title,
    },
    /// The database was lost.
    Disconnected {
        /// Why.
        reason: String,
        /// In how many seconds it is tried to reach it.
        seconds: u64,
    },
    /// The database is there again.
    Reconnected,
    /// It was told to stop, and finishes the job at hand.
    Stopping,
}

impl Event {
    /// One line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Started {
                worker,
                store,
                homeserver: true,
            } => format!("Worker {worker} serves {store}"),
            Self::Started { worker, store, .. } => {
                format!(
                    "Worker {worker} serves {store}; no homeserver is configured, so the jobs change the database alone"
                )
            }
            Self::Warning { message } => format!("Warning: {message}"),
            Self::Released { count: 1 } => "Released 1 job of a worker that died".to_owned(),
            Self::Released { count } => format!("Released {count} jobs of workers that died"),
            Self::Done { job } => format!("{}: done", job.text()),
            Self::Failed {
                job,
                reason,
                again: Some(again),
            } => format!("{}: failed, again in {} s: {reason}", job.text(), again.seconds),
            Self::Failed { job, reason, .. } => format!("{}: failed for good: {reason}", job.text()),
            Self::Taken { job } => format!("{}: somebody took the job away while it was done", job.text()),
            Self::Disconnected { reason, seconds } => format!("{reason}; trying again in {seconds} s"),
            Self::Reconnected => "The database is there again".to_owned(),
            Self::Stopping => "Stopping after the job at hand; Ctrl-C again does not wait for it".to_owned(),
        }
    }

    /// Whether it is something that ought not to happen.
    #[must_use]
    pub const fn is_trouble(&self) -> bool {
        matches!(
            self,
            Self::Failed { .. } | Self::Taken { .. } | Self::Disconnected { .. }
        )
    }
}

/// What came of an attempt, to be told.
pub(super) fn of_attempt(job: Title, outcome: Outcome, again: Option<Again>) -> Event {
    match outcome {
        Ok(_) => Event::Done { job },
        Err(error) => Event::Failed {
            job,
            reason: reason(&error),
            again,
        },
    }
}

/// An error as one line, as long as anybody would read.
pub(super) fn reason(error: &Error) -> String {
    let mut line: String = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_REASON) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// A job that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The job.
    pub id: Id,
    /// Its queue.
    pub queue: String,
    /// The account that it is about.
    pub user: Option<String>,
    /// Why it failed.
    pub reason: String,
    /// When it is tried again; never, if nothing.
    pub again_at: Option<Time>,
}

/// What a worker has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many jobs are done.
    pub done: u64,
    /// How many failed and are tried again.
    pub retried: u64,
    /// How many failed and are not tried again.
    pub abandoned: u64,
    /// How many were taken away from workers that died.
    pub released: u64,
    /// The first hundred that failed.
    pub failures: Vec<Failure>,
}

impl Summary {
    /// Whether a job failed.
    #[must_use]
    pub const fn has_failures(&self) -> bool {
        self.retried + self.abandoned > 0
    }

    pub(super) fn add(&mut self, event: Event) {
        match event {
            Event::Done { .. } => self.done += 1,
            Event::Released { count } => self.released += count,
            Event::Failed { job, reason, again } => {
                *(if again.is_some() {
                    &mut self.retried
                } else {
                    &mut self.abandoned
                }) += 1;
                if self.failures.len() < MOST_FAILURES {
                    self.failures.push(Failure {
                        id: job.id,
                        queue: job.queue,
                        user: job.user,
                        reason,
                        again_at: again.map(|again| again.at),
                    });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::model::Payload;

    fn job(attempt: i32) -> Task {
        Task {
            id: Id::least(),
            queue: "sync-devices".to_owned(),
            attempt,
            payload: Payload(json!({"user_id": "01HV00000000000000000000A1"})),
        }
    }

    #[test]
    fn a_job_waits_twice_as_long_after_each_attempt_and_is_abandoned_after_the_eleventh() {
        let down = Error::new(Code::HomeserverUnreachable, "down");
        let seconds = |attempt| Again::after(&job(attempt), &down, DateTime::UNIX_EPOCH).map(|again| again.seconds);
        let waits: Vec<_> = (0..=10).map(seconds).collect();
        let expected = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560].map(Some);
        assert_eq!(waits, [&expected[..], &[None]].concat());
        assert_eq!(seconds(-1), Some(5));
        assert_eq!(seconds(i32::MAX), None);
        for code in [Code::UserNotFound, Code::JobInvalid] {
            let useless = Error::new(code, "no");
            assert_eq!(Again::after(&job(0), &useless, DateTime::UNIX_EPOCH), None);
        }
    }

    #[test]
    fn a_reason_is_one_line_of_some_length() {
        let error = Error::new(
            Code::HomeserverFailed,
            format!("two\n  lines\u{a0}{}", "é".repeat(2000)),
        );
        let line = reason(&error);
        assert!(line.starts_with("two lines é") && line.ends_with("é…"), "{line}");
        assert_eq!(line.chars().count(), 1001);
    }

    #[test]
    fn a_summary_counts_all_failures_and_names_the_first_hundred() {
        let mut summary = Summary::default();
        let failed = |again| Event::Failed {
            job: Title::new(&job(0), None),
            reason: "no".to_owned(),
            again,
        };
        let again = Again {
            seconds: 5,
            at: DateTime::UNIX_EPOCH,
        };
        for _ in 0..101 {
            summary.add(failed(Some(again)));
        }
        summary.add(failed(None));
        assert_eq!(
            (summary.retried, summary.abandoned, summary.failures.len()),
            (101, 1, 100)
        );
        assert!(summary.has_failures());
    }
}
