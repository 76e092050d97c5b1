//! The checks of what lives beside masctl: the clock that passwords are told apart by, MAS's workers, and their jobs.

use chrono::TimeDelta;

use super::{Check, Status};
use crate::{
    error::{Code, Result},
    model::Time,
    operations::{World, jobs::WORKER_LIMIT},
    storage::{Connection, diagnosis, queue},
};

/// A clock that differs by more may make a password that was set before win over a new one.
const NOTABLE: TimeDelta = TimeDelta::seconds(1);

/// A clock that differs by more is not set at all.
const INTOLERABLE: TimeDelta = TimeDelta::minutes(1);

/// Compares this machine's clock with the database's.
pub(super) async fn clock(store: &mut Connection, world: &World) -> Check {
    let before = world.now();
    let theirs = match diagnosis::clock(store).await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return Check::ok("clock", "this machine's"),
        Err(error) => return Check::failed("clock", &error),
    };
    verdict(before, theirs, world.now())
}

/// The database's clock was read between two readings of this machine's, at best in the middle.
fn verdict(before: Time, theirs: Time, after: Time) -> Check {
    let half = (after - before) / 2;
    let ahead = before + half - theirs;
    let certain = ahead.abs() - half;
    if certain <= NOTABLE {
        return Check::ok("clock", "this machine's and the database's differ by less than 1 s");
    }
    let seconds = (ahead.abs() + TimeDelta::milliseconds(500)).num_seconds();
    let direction = if ahead > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let status = if certain > INTOLERABLE {
        Status::Wrong
    } else {
        Status::Warning
    };
    Check::new(
        "clock",
        status,
        format!(
            "This machine's clock is {seconds} s {direction} the database's: an older password may win over a new one"
        ),
    )
    .help("Set both clocks by NTP.")
}

/// The workers, and the jobs that wait for them. Both need the same two tables.
pub(super) async fn queue(store: &mut Connection) -> [Check; 2] {
    match read_queue(store).await {
        Ok((workers, jobs)) => [worker(workers, jobs.waiting), stuck(jobs)],
        Err(error) => ["worker", "jobs"].map(|check| match error.code() {
            // What lacks has been told by the checks before.
            Code::DatabaseRefused => Check::skipped(check, "the right to read the queue is lacking"),
            Code::SchemaMissing => Check::skipped(check, "the queue is not there"),
            _ => Check::failed(check, &error),
        }),
    }
}

/// Whether a worker is alive is measured by the database's clock, as far as it tells.
async fn read_queue(store: &mut Connection) -> Result<(i64, diagnosis::Jobs)> {
    let Some(now) = diagnosis::clock(store).await? else {
        return Ok((0, diagnosis::jobs(store).await?));
    };
    let workers = queue::live_workers(store, now - WORKER_LIMIT).await?;
    Ok((workers, diagnosis::jobs(store).await?))
}

fn worker(alive: i64, waiting: i64) -> Check {
    let waiting = match waiting {
        0 => "no job waits".to_owned(),
        1 => "1 job waits".to_owned(),
        more => format!("{more} jobs wait"),
    };
    match alive {
        0 => Check::new(
            "worker",
            Status::Wrong,
            format!("No MAS worker was seen for 2 minutes, and {waiting}: the homeserver learns of nothing"),
        )
        .help("Start `mas-cli server` or `mas-cli worker`, and look at its log."),
        1 => Check::ok("worker", format!("1 MAS worker is alive, and {waiting}")),
        more => Check::ok("worker", format!("{more} MAS workers are alive, and {waiting}")),
    }
}

fn stuck(jobs: diagnosis::Jobs) -> Check {
    let failed = match jobs.failed {
        0 => return held(jobs.stuck, ""),
        1 => "1 job is abandoned: it failed, and is not tried again".to_owned(),
        more => format!("{more} jobs are abandoned: they failed, and are not tried again"),
    };
    if jobs.stuck > 0 {
        return held(jobs.stuck, &format!("; {failed}"));
    }
    Check::new("jobs", Status::Warning, failed)
        .help("`masctl manage list-jobs --abandoned` shows why; `masctl manage retry-job` tries one again.")
}

fn held(stuck: i64, also: &str) -> Check {
    let held = match stuck {
        0 => return Check::ok("jobs", "none is stuck, and none is abandoned"),
        1 => "1 job is held by a worker that is shut down, and will never end".to_owned(),
        more => format!("{more} jobs are held by workers that are shut down, and will never end"),
    };
    Check::new("jobs", Status::Wrong, held + also)
        .help("`masctl manage release-jobs` gives them to the next worker; MAS never does.")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(milliseconds: i64) -> Time {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    #[test]
    fn clocks_are_compared_as_exactly_as_the_answer_came() {
        let status = |before, theirs, after| verdict(at(before), at(theirs), at(after)).status;
        assert_eq!(status(0, 0, 0), Status::Ok);
        assert_eq!(status(0, 1000, 0), Status::Ok);
        assert_eq!(status(0, 1001, 0), Status::Warning);
        assert_eq!(status(1001, 0, 1001), Status::Warning);
        // An answer that took long says less.
        assert_eq!(status(0, 4000, 4000), Status::Ok);
        assert_eq!(status(0, 60_000, 0), Status::Warning);
        assert_eq!(status(0, 60_001, 0), Status::Wrong);
    }

    #[test]
    fn the_difference_is_rounded_and_has_a_direction() {
        let check = verdict(at(89_600), at(0), at(89_620));
        assert_eq!(
            check.finding,
            "This machine's clock is 90 s ahead of the database's: an older password may win over a new one"
        );
        let check = verdict(at(0), at(2400), at(0));
        assert!(
            check
                .finding
                .starts_with("This machine's clock is 2 s behind the database's")
        );
    }

    #[test]
    fn jobs_that_nobody_works_on_are_counted() {
        let jobs = |stuck, failed| {
            let check = stuck_of(stuck, failed);
            (check.status, check.finding)
        };
        let none = "none is stuck, and none is abandoned".to_owned();
        assert_eq!(jobs(0, 0), (Status::Ok, none));
        assert_eq!(
            jobs(0, 2),
            (
                Status::Warning,
                "2 jobs are abandoned: they failed, and are not tried again".to_owned()
            )
        );
        assert_eq!(
            jobs(1, 1),
            (
                Status::Wrong,
                "1 job is held by a worker that is shut down, and will never end; 1 job is abandoned: \
                 it failed, and is not tried again"
                    .to_owned()
            )
        );
    }

    fn stuck_of(stuck: i64, failed: i64) -> Check {
        super::stuck(diagnosis::Jobs {
            stuck,
            failed,
            waiting: 0,
        })
    }
}
