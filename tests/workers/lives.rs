//! How a worker begins, goes on and ends.

use std::{sync::Arc, time::Duration};

use masctl::{
    error::Code,
    operations::worker::{Parts, work},
};

use super::{JOBS, Told, add_job, client, double::Double, lines, parts, statuses, work_once};
use crate::support::{
    cast::{ALICE, BOB},
    homeserver::Mood,
    specimen::{Specimen, execute},
    store::{Store, migration_lock},
    wait_until,
};

const WORKERS: &str = "SELECT count(*) FROM queue_workers WHERE shutdown_at IS NULL";

fn of(user: &str) -> String {
    format!(r#"{{"user_id": "{user}"}}"#)
}

/// A worker that works until it is told to stop.
fn lasting(specimen: &Specimen, homeserver: Arc<dyn masctl::homeserver::Homeserver>) -> (Parts, Told) {
    let (mut parts, told) = parts(specimen, homeserver, 0);
    parts.once = false;
    (parts, told)
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..5000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not come");
}

/// Adds a worker that was seen an hour after the fixed world began.
fn add_live_worker(specimen: &Specimen) {
    specimen.seed(LIVE_WORKER);
}

const LIVE_WORKER: &str = "INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at) VALUES \
     ({ulid:01DXF6DT0000000000000000WW}, '2020-01-01T00:00:00+00:00', '2020-01-01T01:00:00+00:00')";

#[tokio::test]
async fn a_worker_of_mas_keeps_another_away_from_its_database() {
    let specimen = Specimen::create(Store::Postgres).await;
    add_job(&specimen, JOBS[0], "sync-devices", &of(ALICE));
    add_live_worker(&specimen);
    let (parts, told) = parts(&specimen, client(&specimen), 0);
    assert_eq!(work(&parts).await.unwrap_err().code(), Code::WorkerExists);
    assert!(told.lock().unwrap().is_empty());
    assert_eq!(specimen.rows("SELECT count(*) FROM queue_workers"), ["1"]);
    assert_eq!(statuses(&specimen), ["sync-devices | available | 0"]);
    // One that was not seen for long, or has shut down, does not count.
    specimen.seed("UPDATE queue_workers SET last_seen_at = '2019-12-31T23:58:00+00:00'");
    assert_eq!(
        work(&self::parts(&specimen, Double::new(|_| ()), 0).0)
            .await
            .unwrap()
            .done,
        1
    );
    assert_eq!(specimen.rows(WORKERS), ["1"], "it is not masctl's to declare dead");
}

#[tokio::test]
async fn a_worker_of_mas_that_appears_takes_over() {
    let specimen = Specimen::create(Store::Postgres).await;
    add_job(&specimen, JOBS[0], "sync-devices", &of(ALICE));
    add_job(&specimen, JOBS[1], "sync-devices", &of(BOB));
    let store = specimen.beside();
    let double = Double::new(move |_| drop(store.query(LIVE_WORKER)));
    let (parts, told) = lasting(&specimen, double);
    assert_eq!(work(&parts).await.unwrap_err().code(), Code::WorkerExists);
    assert_eq!(lines(&told), ["sync-devices alice: done"]);
    assert_eq!(
        statuses(&specimen),
        ["sync-devices | completed | 0", "sync-devices | available | 0"]
    );
    assert_eq!(specimen.rows(WORKERS), ["1"]);
    assert_eq!(specimen.rows("SELECT count(*) FROM queue_leader"), ["0"]);
}

/// Each job is done by one of them, and those about one account never at the same time.
#[tokio::test]
async fn two_workers_share_the_jobs_of_a_sqlite_store() {
    let specimen = Specimen::create(Store::Sqlite).await;
    for number in 0..40 {
        let user = if number % 2 == 0 { ALICE } else { BOB };
        add_job(
            &specimen,
            &format!("01HWT6000000000000000J{number:04}"),
            "sync-devices",
            &of(user),
        );
    }
    let double = || Double::slow(Duration::from_millis(2), |_| ());
    let (one, other) = (double(), double());
    let (one_parts, _) = parts(&specimen, one.clone(), 0);
    let (other_parts, _) = parts(&specimen, other.clone(), 1);
    let (one_done, other_done) = tokio::join!(work(&one_parts), work(&other_parts));
    let (one_done, other_done) = (one_done.unwrap().done, other_done.unwrap().done);
    assert_eq!(one_done + other_done, 40);
    assert!(one_done > 5 && other_done > 5, "{one_done} and {other_done}");
    assert_eq!((one.asked().len() + other.asked().len()), 40);
    assert_eq!(
        specimen.rows("SELECT status, count(*), count(DISTINCT started_by) FROM queue_jobs GROUP BY status"),
        ["completed | 40 | 2"]
    );
    assert_eq!(specimen.rows(WORKERS), ["0"]);
}

/// Time runs as fast as nothing happens.
#[tokio::test(start_paused = true)]
async fn a_worker_that_waits_is_seen_and_stops_once_it_is_declared_dead() {
    let specimen = Specimen::create(Store::Sqlite).await;
    let (parts, _) = lasting(&specimen, Double::new(|_| ()));
    let mut beside = specimen.connect().await;
    let ended = tokio::select! {
        ended = work(&parts) => ended,
        () = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                execute(
                    &mut beside,
                    "UPDATE queue_workers SET shutdown_at = '2020-01-01T00:00:01+00:00' WHERE last_seen_at > registered_at",
                )
                .await;
            }
        } => unreachable!(),
    };
    assert_eq!(ended.unwrap_err().code(), Code::WorkerExpired);
    let ends = "SELECT shutdown_at FROM queue_workers";
    assert_eq!(specimen.rows(ends), ["2020-01-01T00:00:01Z"]);
}

/// A homeserver may take minutes for a job: others must not think that its worker has died.
#[tokio::test(start_paused = true)]
async fn a_worker_is_seen_while_its_homeserver_lets_it_wait() {
    let specimen = Specimen::create(Store::Sqlite).await;
    add_job(&specimen, JOBS[0], "reactivate-user", &of(ALICE));
    let (parts, _) = parts(&specimen, Double::slow(Duration::from_secs(200), |_| ()), 0);
    assert_eq!(work(&parts).await.unwrap().done, 1);
    let seen = "SELECT last_seen_at > registered_at, shutdown_at IS NULL FROM queue_workers";
    assert_eq!(specimen.rows(seen), ["1 | 0"]);
}

/// The job is somebody else's then, and what came of it here is nobody's.
#[tokio::test]
async fn a_job_that_was_taken_away_is_left_alone() {
    let specimen = Specimen::create(Store::Sqlite).await;
    add_job(&specimen, JOBS[0], "provision-user", &of(ALICE));
    let store = specimen.beside();
    let double = Double::new(move |_| {
        drop(store.query("UPDATE queue_jobs SET status = 'failed', started_by = NULL"));
    });
    let (parts, told) = parts(&specimen, double, 0);
    assert_eq!(work(&parts).await.unwrap().done, 0);
    assert_eq!(
        lines(&told),
        ["provision-user alice: somebody took the job away while it was done"]
    );
    assert_eq!(statuses(&specimen), ["provision-user | failed | 0"]);
}

/// Works on two jobs of a homeserver that takes so long to answer, and is told to stop at its first question.
async fn stopped(takes: Duration) -> (Specimen, Vec<String>) {
    let specimen = Specimen::create(Store::Sqlite).await;
    add_job(&specimen, JOBS[0], "sync-devices", &of(ALICE));
    add_job(&specimen, JOBS[1], "sync-devices", &of(BOB));
    let interrupt = Arc::new(masctl::operations::Interrupt::default());
    let pressed = interrupt.clone();
    let double = Double::slow(takes, move |_| {
        pressed.press();
    });
    let (mut parts, told) = lasting(&specimen, double);
    parts.interrupt = interrupt;
    work(&parts).await.expect("it ends well");
    assert_eq!(specimen.rows(WORKERS), ["0"]);
    let mut told = lines(&told);
    assert_eq!(
        told.remove(0),
        "Stopping after the job at hand; Ctrl-C again does not wait for it"
    );
    (specimen, told)
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_finishes_the_job_at_hand() {
    let (specimen, told) = stopped(Duration::from_millis(100)).await;
    assert_eq!(told, ["sync-devices alice: done"]);
    assert_eq!(
        statuses(&specimen),
        ["sync-devices | completed | 0", "sync-devices | available | 0"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_does_not_end_is_tried_again_by_the_next_worker() {
    let (specimen, told) = stopped(Duration::from_secs(100)).await;
    assert_eq!(
        told,
        ["sync-devices alice: failed, again in 5 s: The worker was stopped before the homeserver had answered"]
    );
    assert_eq!(
        statuses(&specimen),
        [
            "sync-devices | failed | 0",
            "sync-devices | available | 0",
            "sync-devices | scheduled | 1",
        ]
    );
}

#[tokio::test]
async fn a_lost_database_is_waited_for_and_what_was_done_is_recorded() {
    const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
         WHERE application_name = 'masctl' AND datname = current_database()";
    const LOST: &str = "The database ended the connection: terminating connection due to administrator command";
    let specimen = Specimen::create(Store::Postgres).await;
    add_job(&specimen, JOBS[0], "provision-user", &of(ALICE));
    let store = specimen.beside();
    let double = Double::new(move |number| {
        if number == 0 {
            drop(store.query(TERMINATE));
        }
    });
    let (parts, told) = lasting(&specimen, double.clone());
    let (ended, ()) = tokio::join!(work(&parts), async {
        let left = "SELECT count(*) FROM queue_jobs WHERE status <> 'completed' AND status <> 'failed'";
        until("the failed attempt", || {
            specimen.rows("SELECT count(*) FROM queue_jobs") != ["1"]
        })
        .await;
        specimen.seed("UPDATE queue_jobs SET scheduled_at = '2020-01-01T00:00:00+00:00' WHERE status = 'scheduled'");
        until("the end of the jobs", || specimen.rows(left) == ["0"]).await;
        parts.interrupt.press();
    });
    ended.unwrap();
    assert_eq!(
        lines(&told),
        [
            &format!("{LOST}; trying again in 1 s"),
            "The database is there again",
            &format!("provision-user alice: failed, again in 5 s: {LOST}"),
            "provision-user alice: done",
            "sync-devices alice: done",
        ]
    );
    assert_eq!(
        statuses(&specimen),
        [
            "provision-user | failed | 0",
            "provision-user | completed | 1",
            "sync-devices | completed | 0",
        ]
    );
    assert_eq!(specimen.rows(WORKERS), ["0"]);
}

/// MAS migrates its database when it starts: what was done meanwhile is recorded after that.
#[tokio::test]
async fn a_migration_of_mas_is_waited_for() {
    let specimen = Specimen::create(Store::Postgres).await;
    add_job(&specimen, JOBS[0], "reactivate-user", &of(ALICE));
    let key = migration_lock(&specimen.rows("SELECT current_database()").concat());
    let mut mas = specimen.connect().await;
    execute(&mut mas, &format!("SELECT pg_advisory_lock({key})")).await;
    let (waiting, told) = lasting(&specimen, Double::new(|_| ()));
    assert_eq!(work(&waiting).await.unwrap_err().code(), Code::SchemaMigrating);
    assert!(told.lock().unwrap().is_empty());
    execute(&mut mas, &format!("SELECT pg_advisory_unlock({key})")).await;

    let store = specimen.beside();
    let holding = format!("SELECT pg_advisory_lock({key}), pg_sleep(1.5)");
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let double = Double::new(move |_| {
        let holder = store.clone();
        let holding = holding.clone();
        std::thread::spawn(move || holder.query(&holding));
        wait_until("the migration", || store.query(held).is_ok_and(|rows| rows == ["1"]));
    });
    let (parts, told) = parts(&specimen, double, 1);
    assert_eq!(work(&parts).await.unwrap().done, 1);
    assert_eq!(lines(&told), ["reactivate-user alice: done"]);
    assert_eq!(statuses(&specimen), ["reactivate-user | completed | 0"]);
}

#[tokio::test]
async fn a_worker_that_does_not_wait_for_work_says_that_the_database_is_lost() {
    let specimen = Specimen::create(Store::Postgres).await;
    add_job(&specimen, JOBS[0], "sync-devices", &of(ALICE));
    let store = specimen.beside();
    let double = Double::new(move |_| {
        drop(store.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
             WHERE application_name = 'masctl' AND datname = current_database()",
        ));
    });
    let (parts, _) = parts(&specimen, double, 0);
    assert_eq!(work(&parts).await.unwrap_err().code(), Code::DatabaseLost);
    // What it could not record is given back: no other worker would ever do so here.
    assert_eq!(statuses(&specimen), ["sync-devices | available | 0"]);
    assert_eq!(specimen.rows(WORKERS), ["0"]);
}

/// No MAS writes it, but a row that cannot be read would keep every worker from the rows behind it.
#[tokio::test]
async fn an_attempt_that_mas_cannot_count_ends_no_worker() {
    let specimen = Specimen::create(Store::Sqlite).await;
    add_job(&specimen, JOBS[0], "sync-devices", "{}");
    add_job(&specimen, JOBS[1], "sync-devices", &of(ALICE));
    specimen.seed("UPDATE queue_jobs SET attempt = 1000000000000 WHERE payload = '{}'");
    let summary = work(&parts(&specimen, Double::new(|_| ()), 0).0).await.unwrap();
    assert_eq!((summary.done, summary.abandoned), (1, 1));
    let mut store = specimen.connect().await;
    let filter = masctl::storage::jobs::Filter::default();
    let page = masctl::storage::jobs::job_page(&mut store, &filter, masctl::model::Id::greatest(), 10).await;
    assert_eq!(page.unwrap()[1].attempt, 32767);
}

/// A homeserver that is down costs each job an attempt, and the worker nothing.
#[tokio::test]
async fn a_homeserver_that_is_down_ends_no_worker() {
    let specimen = Specimen::create(Store::Sqlite).await;
    specimen.homeserver().set_mood(Mood::Down);
    add_job(&specimen, JOBS[0], "provision-user", &of(ALICE));
    add_job(&specimen, JOBS[1], "sync-devices", &of(BOB));
    for (number, wait) in [(0, 5), (1, 10), (2, 20)] {
        let (summary, told) = work_once(&specimen, number).await;
        assert_eq!(summary.unwrap().retried, 2);
        assert!(
            told.iter()
                .all(|line| line.contains(&format!("failed, again in {wait} s: "))),
            "{told:?}"
        );
    }
    let chain =
        specimen.rows("SELECT attempt, status FROM queue_jobs WHERE queue_name = 'sync-devices' ORDER BY attempt");
    assert_eq!(chain, ["0 | failed", "1 | failed", "2 | failed", "3 | scheduled"]);
    let linked = "SELECT count(*) FROM queue_jobs AS failed JOIN queue_jobs AS next \
         ON next.queue_job_id = failed.next_attempt_id WHERE next.attempt = failed.attempt + 1";
    assert_eq!(specimen.rows(linked), ["6"]);
}

/// MAS ends itself on metadata that it cannot read: it is not passed on.
#[tokio::test]
async fn the_next_attempt_has_metadata_that_mas_can_read() {
    let specimen = Specimen::create(Store::Postgres).await;
    specimen.homeserver().set_mood(Mood::Down);
    add_job(&specimen, JOBS[0], "sync-devices", &of(ALICE));
    specimen.seed(r#"UPDATE queue_jobs SET metadata = '{"trace_flags": 256}', attempt = -3"#);
    assert_eq!(work_once(&specimen, 0).await.0.unwrap().retried, 1);
    let next = specimen.rows("SELECT metadata, attempt FROM queue_jobs WHERE status = 'scheduled'");
    assert_eq!(next, ["{} | 1"]);
}
