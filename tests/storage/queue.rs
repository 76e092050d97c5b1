//! The job queue as workers use it.

use chrono::Duration;
use masctl::{
    model::{Payload, Task},
    storage::{
        Connection,
        queue::{
            due_jobs_make_available, job_complete, job_fail, job_reserve, jobs_give_back, jobs_of_silent_workers,
            jobs_release, live_workers, lock_registration, other_live_worker, silent_workers_shut_down, worker_add,
            worker_seen, worker_shut_down,
        },
    },
};
use rstest::rstest;
use serde_json::json;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, BOB, CREATED_AT, id, time},
    specimen::Specimen,
    store::Store,
};

const WORKERS: [&str; 3] = [
    "01HWT6000000000000000000WA",
    "01HWT6000000000000000000WB",
    "01HWT6000000000000000000WC",
];

/// The same moment as [`LATER`] as rows show it.
const LATER_SHOWN: &str = "2024-05-01T12:00:01Z";

const QUEUES: [&str; 2] = ["provision-user", "sync-devices"];

const STATES: &str = "SELECT queue_job_id, status, started_at, started_by, completed_at, failed_at, failed_reason FROM queue_jobs \
     ORDER BY queue_job_id";

async fn with_workers(kind: Store) -> Specimen {
    let mut specimen = Specimen::create(kind).await;
    for ulid in WORKERS {
        let added = worker_add(&mut specimen.connection, id(ulid), time(NOW)).await;
        assert_eq!(added.expect("the SQL is right"), id(ulid));
    }
    specimen
}

/// Adds a job; `rest` sets further columns.
fn add_job(specimen: &Specimen, ulid: &str, queue: &str, user: &str, rest: &[(&str, &str)]) {
    let columns: String = rest.iter().flat_map(|(name, _)| [", ", name]).collect();
    let values: String = rest.iter().flat_map(|(_, value)| [", ", value]).collect();
    specimen.seed(&format!(
        "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, created_at{columns}) \
         VALUES ({{ulid:{ulid}}}, '{queue}', '{{\"user_id\": \"{user}\"}}', '{CREATED_AT}'{values})"
    ));
}

fn running_by(worker: &str) -> [(&'static str, String); 3] {
    [
        ("status", "'running'".to_owned()),
        ("started_at", format!("'{NOW}'")),
        ("started_by", format!("{{ulid:{worker}}}")),
    ]
}

fn add_running(specimen: &Specimen, ulid: &str, worker: &str) {
    let rest = running_by(worker);
    let rest: Vec<(&str, &str)> = rest.iter().map(|(name, value)| (*name, value.as_str())).collect();
    add_job(specimen, ulid, "provision-user", ALICE, &rest);
}

async fn reserve(store: &mut Connection, worker: &str) -> Option<Task> {
    job_reserve(store, &QUEUES, id(worker), time(LATER))
        .await
        .expect("the SQL is right")
}

async fn reserved(store: &mut Connection, worker: &str) -> Option<String> {
    reserve(store, worker).await.map(|task| task.id.to_string())
}

#[rstest]
#[tokio::test]
async fn workers_live_while_they_are_seen(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let count = async |store: &mut Connection, since: &str| live_workers(store, time(since)).await.unwrap();
    assert_eq!(count(&mut specimen.connection, NOW).await, 0);
    for (ulid, seen_at, shutdown_at) in [
        (NEW[0], NOW, "NULL"),
        (NEW[1], LATER, "NULL"),
        (NEW[2], LATER, &format!("'{LATER}'")),
        (NEW[3], "2024-05-01T12:00:00+00:00", "NULL"),
    ] {
        specimen.seed(&format!(
            "INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at, shutdown_at) \
             VALUES ({{ulid:{ulid}}}, '{NOW}', '{seen_at}', {shutdown_at})"
        ));
    }
    for (since, expected) in [
        ("2024-05-01T11:59:59.999999+00:00", 3),
        ("2024-05-01T12:00:00+00:00", 2),
        (NOW, 1),
        ("2024-05-01T12:00:00.5+00:00", 1),
        (LATER, 0),
    ] {
        assert_eq!(count(&mut specimen.connection, since).await, expected, "{since}");
    }
    let store = &mut specimen.connection;
    let limit = Duration::minutes(2);
    let other = other_live_worker(store, id(NEW[0]), time(CREATED_AT) + limit, limit)
        .await
        .unwrap();
    assert_eq!(other, Some((id(NEW[1]), time(LATER))));
    let other = other_live_worker(store, id(NEW[1]), time(NOW) + limit, limit)
        .await
        .unwrap();
    assert_eq!(other, None);
}

/// A fast clock must not lead masctl to work beside MAS.
#[tokio::test]
async fn a_worker_that_the_server_has_just_seen_is_alive_by_every_clock() {
    let mut specimen = with_workers(Store::Postgres).await;
    specimen.seed("UPDATE queue_workers SET last_seen_at = now() - interval '1 minute', shutdown_at = NULL");
    let store = &mut specimen.connection;
    let fast = time("2124-05-01T12:00:00+00:00");
    let limit = Duration::minutes(2);
    assert!(
        other_live_worker(store, id(NEW[0]), fast, limit)
            .await
            .unwrap()
            .is_some()
    );
    specimen.seed("UPDATE queue_workers SET last_seen_at = now() - interval '3 minutes'");
    let store = &mut specimen.connection;
    assert!(
        other_live_worker(store, id(NEW[0]), fast, limit)
            .await
            .unwrap()
            .is_none()
    );
}

#[rstest]
#[tokio::test]
async fn a_worker_is_seen_until_it_is_shut_down(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_workers(kind).await;
    let store = &mut specimen.connection;
    assert!(worker_seen(store, id(WORKERS[0]), time(LATER)).await.unwrap());
    assert!(worker_shut_down(store, id(WORKERS[1]), time(LATER)).await.unwrap());
    assert!(!worker_shut_down(store, id(WORKERS[1]), time(NOW)).await.unwrap());
    assert!(!worker_seen(store, id(WORKERS[1]), time(LATER)).await.unwrap());
    assert!(!worker_seen(store, id(NEW[0]), time(LATER)).await.unwrap());
    let rows = "SELECT * FROM queue_workers ORDER BY queue_worker_id";
    assert_eq!(
        specimen.rows(rows),
        [
            format!("{} | {NOW_SHOWN} | {LATER_SHOWN} | null", WORKERS[0]),
            format!("{} | {NOW_SHOWN} | {NOW_SHOWN} | {LATER_SHOWN}", WORKERS[1]),
            format!("{} | {NOW_SHOWN} | {NOW_SHOWN} | null", WORKERS[2]),
        ]
    );
    let store = &mut specimen.connection;
    assert_eq!(
        silent_workers_shut_down(store, time(NOW), time(LATER)).await.unwrap(),
        0
    );
    assert_eq!(
        silent_workers_shut_down(store, time(LATER), time(LATER)).await.unwrap(),
        1
    );
    let shut_down = "SELECT queue_worker_id FROM queue_workers WHERE shutdown_at IS NOT NULL ORDER BY queue_worker_id";
    assert_eq!(specimen.rows(shut_down), [WORKERS[1], WORKERS[2]]);
}

#[rstest]
#[tokio::test]
async fn only_jobs_of_workers_that_have_shut_down_are_released(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_workers(kind).await;
    add_running(&specimen, NEW[0], WORKERS[0]);
    add_running(&specimen, NEW[1], WORKERS[1]);
    add_job(
        &specimen,
        NEW[2],
        "cleanup-queue-jobs",
        ALICE,
        &[("status", "'running'")],
    );
    let mine = format!("{{ulid:{}}}", WORKERS[1]);
    add_job(
        &specimen,
        NEW[3],
        "sync-devices",
        ALICE,
        &[("status", "'completed'"), ("started_by", &mine)],
    );
    let store = &mut specimen.connection;
    assert_eq!(jobs_release(store).await.unwrap(), []);
    assert_eq!(jobs_of_silent_workers(store, time(LATER)).await.unwrap(), 2);
    assert_eq!(jobs_of_silent_workers(store, time(NOW)).await.unwrap(), 0);
    worker_shut_down(store, id(WORKERS[1]), time(LATER)).await.unwrap();
    assert_eq!(jobs_of_silent_workers(store, time(LATER)).await.unwrap(), 1);
    let released = jobs_release(store).await.unwrap();
    assert_eq!(released, [(id(NEW[1]), "provision-user".to_owned())]);
    assert_eq!(jobs_release(store).await.unwrap(), []);
    assert_eq!(
        specimen.rows(STATES),
        [
            format!(
                "{} | running | {NOW_SHOWN} | {} | null | null | null",
                NEW[0], WORKERS[0]
            ),
            format!("{} | available | null | null | null | null | null", NEW[1]),
            format!("{} | running | null | null | null | null | null", NEW[2]),
            format!("{} | completed | null | {} | null | null | null", NEW[3], WORKERS[1]),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_worker_gives_back_what_it_holds(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_workers(kind).await;
    for (ulid, worker) in NEW.iter().zip([WORKERS[0], WORKERS[1], WORKERS[0]]) {
        add_running(&specimen, ulid, worker);
    }
    let mine = format!("{{ulid:{}}}", WORKERS[0]);
    let done = [("status", "'completed'"), ("started_by", mine.as_str())];
    add_job(&specimen, NEW[3], "sync-devices", ALICE, &done);
    let given = jobs_give_back(&mut specimen.connection, id(WORKERS[0])).await;
    assert_eq!(given.unwrap(), 2);
    assert_eq!(
        specimen.rows("SELECT status, started_at, started_by FROM queue_jobs ORDER BY queue_job_id"),
        [
            "available | null | null".to_owned(),
            format!("running | {NOW_SHOWN} | {}", WORKERS[1]),
            "available | null | null".to_owned(),
            format!("completed | null | {}", WORKERS[0]),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_job_becomes_available_when_its_time_comes(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_workers(kind).await;
    specimen.seed("INSERT INTO queue_schedules (schedule_name) VALUES ('sync-devices')");
    let scheduled = ("status", "'scheduled'");
    let (now, later) = (format!("'{NOW}'"), format!("'{LATER}'"));
    add_job(
        &specimen,
        NEW[0],
        QUEUES[0],
        ALICE,
        &[scheduled, ("scheduled_at", &now)],
    );
    add_job(
        &specimen,
        NEW[1],
        QUEUES[0],
        ALICE,
        &[scheduled, ("scheduled_at", &later)],
    );
    add_job(
        &specimen,
        NEW[2],
        "verify-email",
        ALICE,
        &[scheduled, ("scheduled_at", &now)],
    );
    let recurring = ("schedule_name", "'sync-devices'");
    add_job(
        &specimen,
        NEW[3],
        QUEUES[1],
        ALICE,
        &[scheduled, ("scheduled_at", &now), recurring],
    );
    let due = due_jobs_make_available(&mut specimen.connection, &QUEUES, time(NOW)).await;
    assert_eq!(due.unwrap(), 1);
    let states = "SELECT status FROM queue_jobs ORDER BY queue_job_id";
    assert_eq!(
        specimen.rows(states),
        ["available", "scheduled", "scheduled", "scheduled"]
    );
    assert_eq!(
        specimen.rows("SELECT scheduled_at FROM queue_jobs WHERE status = 'available'"),
        [NOW_SHOWN]
    );
    let due = due_jobs_make_available(&mut specimen.connection, &QUEUES, time(LATER)).await;
    assert_eq!(due.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn jobs_are_taken_in_the_order_of_their_ids_from_served_queues(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
) {
    let mut specimen = with_workers(kind).await;
    add_job(&specimen, NEW[2], QUEUES[0], ALICE, &[]);
    add_job(&specimen, NEW[1], QUEUES[1], BOB, &[("attempt", "3")]);
    add_job(&specimen, NEW[0], "verify-email", ALICE, &[]);
    add_job(&specimen, NEW[3], QUEUES[0], ALICE, &[("status", "'scheduled'")]);
    let store = &mut specimen.connection;
    assert_eq!(
        reserve(store, WORKERS[0]).await,
        Some(Task {
            id: id(NEW[1]),
            queue: QUEUES[1].to_owned(),
            attempt: 3,
            payload: Payload(json!({"user_id": BOB})),
        })
    );
    assert_eq!(reserved(store, WORKERS[1]).await.as_deref(), Some(NEW[2]));
    assert_eq!(reserved(store, WORKERS[1]).await, None);
    assert_eq!(
        specimen.rows("SELECT started_at, started_by FROM queue_jobs WHERE status = 'running' ORDER BY queue_job_id"),
        [
            format!("{LATER_SHOWN} | {}", WORKERS[0]),
            format!("{LATER_SHOWN} | {}", WORKERS[1]),
        ]
    );
}

/// Neither what MAS cannot read nor what is huge keeps a worker from the next job.
#[rstest]
#[tokio::test]
async fn no_row_stops_a_worker(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_workers(kind).await;
    let metadata = ("metadata", "'{\"trace_id\": null}'");
    add_job(
        &specimen,
        NEW[0],
        QUEUES[0],
        &"x".repeat(1 << 20),
        &[metadata, ("attempt", "-1")],
    );
    add_job(
        &specimen,
        NEW[1],
        QUEUES[0],
        "nobody",
        &[metadata, ("attempt", "2147483647")],
    );
    let rest = if kind == Store::Sqlite { "'no JSON'" } else { "'[1]'" };
    specimen.seed(&format!(
        "UPDATE queue_jobs SET payload = {rest} WHERE queue_job_id = {{ulid:{}}}",
        NEW[1]
    ));
    add_job(&specimen, NEW[2], QUEUES[0], ALICE, &[]);
    let store = &mut specimen.connection;
    for (ulid, user) in [(NEW[0], None), (NEW[1], None), (NEW[2], Some(id(ALICE)))] {
        let task = reserve(store, WORKERS[0]).await.unwrap();
        assert_eq!((task.id, task.payload.user_id()), (id(ulid), user));
    }
}

/// What another transaction is taking is passed over; nobody waits for it.
#[tokio::test]
async fn what_another_takes_is_skipped() {
    let mut specimen = with_workers(Store::Postgres).await;
    add_job(&specimen, NEW[0], QUEUES[0], ALICE, &[]);
    add_job(&specimen, NEW[1], QUEUES[0], ALICE, &[]);
    let mut other = specimen.connect().await;
    other.begin().await.unwrap();
    assert_eq!(reserved(&mut other, WORKERS[1]).await.as_deref(), Some(NEW[0]));
    let store = &mut specimen.connection;
    assert_eq!(reserved(store, WORKERS[0]).await.as_deref(), Some(NEW[1]));
    assert_eq!(reserved(store, WORKERS[0]).await, None);
    other.rollback().await.unwrap();
    assert_eq!(reserved(store, WORKERS[0]).await.as_deref(), Some(NEW[0]));
}

/// Several workers share a SQLite store: two jobs about one account are never done at the same time.
#[tokio::test]
async fn a_job_waits_for_another_about_the_same_account() {
    let mut specimen = with_workers(Store::Sqlite).await;
    add_job(&specimen, NEW[0], QUEUES[0], ALICE, &[]);
    add_job(&specimen, NEW[1], QUEUES[1], ALICE, &[]);
    add_job(&specimen, NEW[2], QUEUES[0], BOB, &[]);
    let mut other = specimen.connect().await;
    let store = &mut specimen.connection;
    assert_eq!(reserved(store, WORKERS[0]).await.as_deref(), Some(NEW[0]));
    assert_eq!(reserved(&mut other, WORKERS[1]).await.as_deref(), Some(NEW[2]));
    assert_eq!(reserved(&mut other, WORKERS[1]).await, None);
    assert!(
        job_complete(store, id(NEW[0]), id(WORKERS[0]), time(LATER))
            .await
            .unwrap()
    );
    assert_eq!(reserved(&mut other, WORKERS[1]).await.as_deref(), Some(NEW[1]));
}

#[rstest]
#[tokio::test]
async fn only_the_worker_that_runs_a_job_ends_it(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_workers(kind).await;
    for ulid in &NEW[..3] {
        add_running(&specimen, ulid, WORKERS[0]);
    }
    let store = &mut specimen.connection;
    let (own, other) = (id(WORKERS[0]), id(WORKERS[1]));
    assert!(!job_complete(store, id(NEW[0]), other, time(LATER)).await.unwrap());
    assert!(!job_fail(store, id(NEW[1]), other, time(LATER), "no").await.unwrap());
    assert!(job_complete(store, id(NEW[0]), own, time(LATER)).await.unwrap());
    assert!(
        job_fail(store, id(NEW[1]), own, time(LATER), "it's down")
            .await
            .unwrap()
    );
    assert!(!job_fail(store, id(NEW[0]), own, time(LATER), "no").await.unwrap());
    assert!(!job_complete(store, id(NEW[1]), own, time(LATER)).await.unwrap());
    let taken = format!("{NOW_SHOWN} | {}", WORKERS[0]);
    assert_eq!(
        specimen.rows(STATES),
        [
            format!("{} | completed | {taken} | {LATER_SHOWN} | null | null", NEW[0]),
            format!("{} | failed | {taken} | null | {LATER_SHOWN} | it's down", NEW[1]),
            format!("{} | running | {taken} | null | null | null", NEW[2]),
        ]
    );
}

#[tokio::test]
async fn workers_of_masctl_register_one_after_the_other() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    let mut other = specimen.connect().await;
    other.begin().await.unwrap();
    lock_registration(&mut other).await.unwrap();
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    crate::support::specimen::lose_patience(store).await;
    let busy = lock_registration(store).await.unwrap_err();
    assert_eq!(busy.code(), masctl::error::Code::DatabaseBusy);
    store.rollback().await.unwrap();
    other.commit().await.unwrap();
    store.begin().await.unwrap();
    lock_registration(store).await.unwrap();
    store.commit().await.unwrap();
}
