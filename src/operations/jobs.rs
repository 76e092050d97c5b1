//! The jobs that MAS's workers do after a deed, with the payload that each expects; and the queue as data.

mod retry;

use chrono::Duration;
use serde_json::{Value, json};

pub(super) use self::retry::next_attempt;
pub use self::retry::{retry, retry_abandoned};

use super::{Action, Change, Deed, MOST_SUBJECTS, Run, Subject, users};
use crate::{
    error::{Code, Error, Result, counted},
    model::{Id, JOB_STATUSES, Job, JobCount, Time},
    storage::{self, Connection, jobs::Filter},
};

const RELEASE: Action = Action::new("job.release", "Released", "release");

/// How long ago a worker must have been seen to count as alive. MAS itself declares it dead after that.
pub(super) const WORKER_LIMIT: Duration = Duration::minutes(2);

/// How many jobs one page of a list holds: the payload of each may have some kilobytes.
const PAGE: i64 = 200;

/// How many jobs one statement queues.
const BATCH: usize = 10_000;

/// The status of a job that failed.
const FAILED: &str = "failed";

/// The queues whose jobs are about an account and its devices: masctl's own worker serves them.
pub(super) const USER_QUEUES: [&str; 6] = [
    PROVISION_USER,
    SYNC_DEVICES,
    DEACTIVATE_USER,
    REACTIVATE_USER,
    PROVISION_DEVICE,
    DELETE_DEVICE,
];

/// The other queues of MAS 1.22. A job of none of them is of a newer MAS, or nobody's.
const OTHER_QUEUES: [&str; 27] = [
    "verify-email",
    "send-email-authentication-code",
    "send-account-recovery-email",
    "expire-inactive-oauth-sessions",
    "expire-inactive-compat-sessions",
    "expire-inactive-user-sessions",
    "expire-inactive-sessions",
    "prune-stale-policy-data",
    "cleanup-expired-tokens",
    "cleanup-revoked-oauth-access-tokens",
    "cleanup-expired-oauth-access-tokens",
    "cleanup-revoked-oauth-refresh-tokens",
    "cleanup-consumed-oauth-refresh-tokens",
    "cleanup-user-registrations",
    "cleanup-finished-compat-sessions",
    "cleanup-finished-oauth2-sessions",
    "cleanup-finished-user-sessions",
    "cleanup-oauth-authorization-grants",
    "cleanup-oauth-device-code-grants",
    "cleanup-user-recovery-sessions",
    "cleanup-user-email-authentications",
    "cleanup-upstream-oauth-sessions",
    "cleanup-upstream-oauth-links",
    "cleanup-queue-jobs",
    "cleanup-inactive-oauth2-session-ips",
    "cleanup-inactive-compat-session-ips",
    "cleanup-inactive-user-session-ips",
];

fn is_known_queue(name: &str) -> bool {
    USER_QUEUES.contains(&name) || OTHER_QUEUES.contains(&name)
}

/// A job that is about to be queued.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NewJob {
    pub(super) queue: &'static str,
    pub(super) payload: Value,
}

impl NewJob {
    /// Brings the homeserver's account in line with MAS's. Absent, the display name is left as it is.
    pub(super) fn provision_user(user: Id, display_name: Option<&str>) -> Self {
        Self {
            queue: PROVISION_USER,
            payload: json!({"user_id": user, "set_display_name": display_name}),
        }
    }

    /// Removes the devices of sessions that have ended.
    pub(super) fn sync_devices(user: Id) -> Self {
        Self {
            queue: SYNC_DEVICES,
            payload: json!({"user_id": user}),
        }
    }

    /// Deactivates the account in MAS and on the homeserver.
    pub(super) fn deactivate_user(user: Id, erase: bool) -> Self {
        Self {
            queue: DEACTIVATE_USER,
            payload: json!({"user_id": user, "hs_erase": erase}),
        }
    }

    /// Reactivates the account on the homeserver and in MAS.
    pub(super) fn reactivate_user(user: Id) -> Self {
        Self {
            queue: REACTIVATE_USER,
            payload: json!({"user_id": user}),
        }
    }

    /// Adds its row, made at that time with that id.
    pub(super) async fn add(&self, store: &mut Connection, (now, id): (Time, Id)) -> Result<Id> {
        storage::jobs::job_add(store, id, self.queue, &self.payload, now).await
    }
}

pub(super) const PROVISION_USER: &str = "provision-user";
pub(super) const SYNC_DEVICES: &str = "sync-devices";
pub(super) const DEACTIVATE_USER: &str = "deactivate-user";
pub(super) const REACTIVATE_USER: &str = "reactivate-user";
/// Queues of an older MAS, whose jobs come to nothing today.
pub(super) const PROVISION_DEVICE: &str = "provision-device";
pub(super) const DELETE_DEVICE: &str = "delete-device";

impl Deed<'_> {
    /// Queues a job and returns its id.
    pub(super) async fn queue(&mut self, job: NewJob) -> Result<Id> {
        let row = self.new_row();
        let id = job.add(self.store(), row).await?;
        self.queued_jobs(1);
        self.keep_job(job.queue, &job.payload);
        Ok(id)
    }

    /// Queues one job of the same queue for each of many accounts, some thousand with each statement.
    pub(super) async fn queue_for_each(&mut self, users: &[Id], job: impl Fn(Id) -> NewJob) -> Result<()> {
        for users in users.chunks(BATCH) {
            let now = self.run().world().now();
            // Ids in order make PostgreSQL append to the index instead of searching it.
            let mut ids: Vec<Id> = users.iter().map(|_| self.run().world().new_id(now)).collect();
            ids.sort_unstable();
            let jobs: Vec<NewJob> = users.iter().map(|&user| job(user)).collect();
            let payloads: Vec<String> = jobs.iter().map(|job| job.payload.to_string()).collect();
            if let Some(first) = jobs.first() {
                storage::jobs::jobs_add(self.store(), first.queue, (&ids, &payloads), now).await?;
                if self.run().world().is_recording() {
                    self.keep_jobs(first.queue, payloads.join("\n"));
                }
            }
            self.queued_jobs(users.len() as u64);
        }
        Ok(())
    }
}

/// Which jobs a list shows: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those of this queue.
    pub queue: Option<String>,
    /// Those of this status.
    pub status: Option<String>,
    /// Those about the account of this name.
    pub user: Option<String>,
    /// Those that failed and that nobody will try again.
    pub abandoned: bool,
}

/// What is wanted, as the store can look for it.
///
/// # Errors
/// `user.not_found`; `value.invalid` for a status that there is not, or for one beside `abandoned`.
pub async fn filter(run: &Run, wanted: Wanted) -> Result<Filter> {
    let status = wanted.status.as_deref();
    if let Some(unknown) = status.filter(|status| !JOB_STATUSES.contains(status)) {
        return Err(
            Error::new(Code::ValueInvalid, format!("There is no status `{unknown}` of jobs"))
                .help(format!("The statuses are {}.", JOB_STATUSES.join(", "))),
        );
    }
    if wanted.abandoned && status.is_some_and(|status| status != FAILED) {
        return Err(Error::new(
            Code::ValueInvalid,
            "An abandoned job has the status `failed`, and no other",
        ));
    }
    let user = users::named(run, wanted.user.as_deref()).await?;
    Ok(Filter {
        queue: wanted.queue,
        status: if wanted.abandoned {
            Some(FAILED.to_owned())
        } else {
            wanted.status
        },
        user,
        last_attempt: wanted.abandoned,
    })
}

/// One page of jobs before `before` (the newest if there is none), newest first: at most `most` of them.
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, before: Option<Id>, most: u64) -> Result<Vec<Job>> {
    let limit = i64::try_from(most).unwrap_or(PAGE).min(PAGE);
    let before = before.unwrap_or(Id::greatest());
    run.read(async |store| {
        let mut jobs = storage::jobs::job_page(store, filter, before, limit).await?;
        name_users(store, &mut jobs).await?;
        Ok(jobs)
    })
    .await
}

/// Counts jobs by queue and status.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter) -> Result<Vec<JobCount>> {
    let mut counts = run
        .read(async |store| storage::jobs::job_counts(store, filter).await)
        .await?;
    // The databases do not agree on the order of texts.
    counts.sort_unstable_by(|one, other| (&one.queue, &one.status).cmp(&(&other.queue, &other.status)));
    Ok(counts)
}

/// Gets a job.
///
/// # Errors
/// `job.not_found`.
pub async fn get(run: &Run, id: Id) -> Result<Job> {
    run.read(async |store| {
        let job = storage::jobs::job(store, id).await?.ok_or_else(|| not_found(id))?;
        with_user(store, job).await
    })
    .await
}

/// Gives back the jobs that workers hold which have shut down, so that the next worker takes them, and returns how
/// many. MAS never does it: they would be held for ever.
///
/// # Errors
/// Those of the store.
pub async fn release(run: &Run) -> Result<u64> {
    run.write(async |deed| {
        let mut released = storage::queue::jobs_release(deed.store()).await?;
        released.sort_unstable();
        let count = released.len() as u64;
        let silent_since = run.world().now() - WORKER_LIMIT;
        let silent = storage::queue::jobs_of_silent_workers(deed.store(), silent_since).await?;
        if silent > 0 {
            let jobs = if silent == 1 {
                "1 job is".to_owned()
            } else {
                format!("{silent} jobs are")
            };
            let remedy = if deed.store().is_postgres() {
                "a worker of MAS marks it once it runs, then run this again"
            } else {
                "the next `masctl worker` gives back what it held"
            };
            deed.note(format!(
                "{jobs} held by a worker that was not seen for 2 minutes, but is not marked as shut down: {remedy}"
            ));
        }
        if count == 0 {
            deed.note("No job is held by a worker that has shut down");
            return Ok(0);
        }
        deed.queued_jobs(count);
        deed.keep_things(released.iter().map(|&(id, _)| id));
        let subjects = released.into_iter().take(MOST_SUBJECTS).map(|(id, queue)| Subject {
            kind: "job",
            id: Some(id),
            name: Some(queue),
        });
        deed.changed(
            Change::of_many(RELEASE, count, subjects.collect())
                .said(counted(count, "job"))
                .before("status", "running")
                .after("status", "available"),
        );
        Ok(count)
    })
    .await
}

impl From<&Job> for Subject {
    fn from(job: &Job) -> Self {
        Self {
            kind: "job",
            id: Some(job.id),
            name: Some(job.queue.clone()),
        }
    }
}

/// What people call a job: "provision-user of alice".
fn title(job: &Job) -> String {
    match &job.user {
        Some(user) => format!("{} of {user}", job.queue),
        None => job.queue.clone(),
    }
}

async fn with_user(store: &mut Connection, mut job: Job) -> Result<Job> {
    name_users(store, std::slice::from_mut(&mut job)).await?;
    Ok(job)
}

/// Looks up the names of the accounts that jobs are about, with one statement.
async fn name_users(store: &mut Connection, jobs: &mut [Job]) -> Result<()> {
    let names = storage::users::usernames(store, jobs.iter().filter_map(Job::user_id)).await?;
    for job in jobs {
        job.user = job.user_id().and_then(|id| names.get(&id).cloned());
    }
    Ok(())
}

fn not_found(id: Id) -> Error {
    Error::new(Code::JobNotFound, format!("There is no job {id}"))
        .help("`masctl manage list-jobs` shows them. MAS deletes jobs that are over after 30 days.")
        .data("id", id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_what_mas_decodes() {
        let user: Id = "01GFWR28C4KNE04WG3HKXB7C9R".parse().unwrap();
        let jobs = [
            (
                NewJob::provision_user(user, None),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R","set_display_name":null}"#,
            ),
            (
                NewJob::provision_user(user, Some("A")),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R","set_display_name":"A"}"#,
            ),
            (
                NewJob::sync_devices(user),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R"}"#,
            ),
            (
                NewJob::deactivate_user(user, false),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R","hs_erase":false}"#,
            ),
            (
                NewJob::reactivate_user(user),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R"}"#,
            ),
        ];
        for (job, payload) in jobs {
            assert_eq!(job.payload.to_string(), payload);
        }
    }

    #[test]
    fn queues_are_named_once() {
        let mut names = [&USER_QUEUES[..], &OTHER_QUEUES].concat();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
