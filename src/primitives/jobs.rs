//! `jobs::`: look at the job queue, retry and release jobs.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{ArrayOf, Scripted, call, expose, id_of, lazy::Lazy, options::Options, run_of};
use crate::{
    capability::{Capability, Resource},
    error::Result,
    model::{Job, JobCount},
    operations::{self, jobs::Wanted},
};

const READ: Capability = Capability::read(Resource::Jobs);
const WRITE: Capability = Capability::write(Resource::Jobs);

pub(super) type Jobs = Lazy<Job>;

pub(super) fn module() -> Module {
    let mut module = exported_module!(jobs);
    expose::<Job>(&mut module);
    expose::<JobCount>(&mut module);
    module.set_iterable_result::<Jobs, Job>();
    module
}

/// What a filter is made of.
const PARTS: &[&str] = &["queue", "status", "user", "abandoned"];

/// Which jobs are meant.
fn wanted(options: &mut Options) -> Result<Wanted> {
    Ok(Wanted {
        queue: options.text("queue")?,
        status: options.text("status")?,
        user: options.text("user")?,
        abandoned: options.bool("abandoned")?.unwrap_or_default(),
    })
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod jobs {
    /// A job of the queue that MAS's workers take from.
    pub type Job = crate::model::Job;

    /// How many jobs of one queue have one status.
    pub type JobCount = crate::model::JobCount;

    /// List jobs, newest first.
    ///
    /// Options: `queue`; `status`, one of `available`, `running`, `completed`, `lost`, `failed`, `scheduled`; `user`,
    /// the name of the account that they are about; `abandoned` for those that failed and that nobody will try again;
    /// `limit`. The list is read page by page while it is walked.
    ///
    /// Needs `jobs:read`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// for job in jobs::list(#{ abandoned: true, user: "alice" }) { say(`${job.queue}: ${job.failed_reason}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, options: Map) -> Scripted<Jobs> {
        let (filter, limit) = call(&context, READ, |run| {
            let (mut options, limit) = Options::of_list(options, PARTS)?;
            Ok((run.wait(operations::jobs::filter(run, wanted(&mut options)?))?, limit))
        })?;
        let run = run_of(&context)?;
        Ok(Jobs::new(run, limit, move |run, last, most| {
            run.wait(operations::jobs::page(run, &filter, last.map(|job: &Job| job.id), most))
        }))
    }

    /// Count jobs by queue and status, and tell when the oldest of each was queued.
    ///
    /// Takes the options of `list` but `limit`.
    ///
    /// Needs `jobs:read`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// for row in jobs::count(#{ status: "failed" }) { say(`${row.queue}: ${row.count}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<ArrayOf<JobCount>> {
        let counts = call(&context, READ, |run| {
            let mut options = Options::new(options, PARTS)?;
            run.wait(async {
                let filter = operations::jobs::filter(run, wanted(&mut options)?).await?;
                operations::jobs::count(run, &filter).await
            })
        })?;
        Ok(counts.into_iter().map(Dynamic::from::<JobCount>).collect())
    }

    /// Get a job by its id.
    ///
    /// Needs `jobs:read`. Fails with `job.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(jobs::get("01HV00000000000000000000F6").status);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<Job> {
        call(&context, READ, |run| run.wait(operations::jobs::get(run, id_of(id)?)))
    }

    /// Try a failed job again, at once, and return the new job: as the failed one, but counted once more.
    ///
    /// Needs `jobs:write`. Fails with `job.not_failed`, `job.not_found`, `job.retried`.
    ///
    /// ```rhai
    /// let again = jobs::get("01HV00000000000000000000F6").retry();
    /// say(again.attempt);
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn retry(context: NativeCallContext, job: &mut Job) -> Scripted<Job> {
        call(&context, WRITE, |run| run.wait(operations::jobs::retry(run, job.id)))
    }

    /// Try every abandoned job again that fits, oldest first, and return how many there were.
    ///
    /// Options: `queue`, `user`. A deactivation that is tried again also deactivates who has been reactivated since:
    /// name the queue.
    ///
    /// Needs `jobs:write`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// let count = jobs::retry_abandoned(#{ queue: "sync-devices" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn retry_abandoned(context: NativeCallContext, options: Map) -> Scripted<i64> {
        let count = call(&context, WRITE, |run| {
            let mut options = Options::new(options, &["queue", "user"])?;
            run.wait(async {
                let filter = operations::jobs::filter(run, wanted(&mut options)?).await?;
                operations::jobs::retry_abandoned(run, filter).await
            })
        })?;
        Ok(count.cast_signed())
    }

    /// Give back the jobs that workers hold which have shut down, and return how many there were.
    ///
    /// Those of a live worker are never touched.
    ///
    /// Needs `jobs:write`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// let count = jobs::release();
    /// ```
    #[rhai_fn(return_raw)]
    pub fn release(context: NativeCallContext) -> Scripted<i64> {
        let count = call(&context, WRITE, |run| run.wait(operations::jobs::release(run)))?;
        Ok(count.cast_signed())
    }
}
