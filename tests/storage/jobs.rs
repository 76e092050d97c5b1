//! The job queue.

use std::time::Duration;

use masctl::{
    model::{Id, Job, Payload},
    storage::jobs::{
        Filter, job, job_add, job_add_attempt, job_counts, job_for_change, job_id_page, job_metadata, job_page,
        job_set_next_attempt, jobs_add,
    },
};
use rstest::rstest;
use serde_json::json;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, BOB, CREATED_AT, id, time},
    specimen::{Specimen, execute},
    store::Store,
};

/// What MAS's workers read: any other shape than this ends MAS.
const METADATA: &str =
    r#"{"span_id":"0000000000000000","trace_flags":0,"trace_id":"00000000000000000000000000000000"}"#;

const ROWS: &str = "SELECT queue_job_id, status, created_at, started_at, started_by, completed_at, queue_name, payload, \
     metadata, failed_at, failed_reason, attempt, next_attempt_id, scheduled_at, schedule_name FROM queue_jobs \
     ORDER BY queue_job_id";

fn row(ulid: &str, queue: &str, payload: &str) -> String {
    format!(
        "{ulid} | available | {NOW_SHOWN} | null | null | null | {queue} | {payload} | {METADATA} | null | null | 0 | \
         null | null | null"
    )
}

#[rstest]
#[tokio::test]
async fn a_job_is_available_at_once(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let provision = json!({"user_id": ALICE, "set_display_name": null});
    let deactivate = json!({"user_id": ALICE, "hs_erase": false});
    let added = job_add(store, id(NEW[0]), "provision-user", &provision, time(NOW)).await;
    assert_eq!(added.unwrap(), id(NEW[0]));
    let added = job_add(store, id(NEW[1]), "deactivate-user", &deactivate, time(NOW)).await;
    assert_eq!(added.unwrap(), id(NEW[1]));
    // The same job again is another one.
    let added = job_add(store, id(NEW[2]), "provision-user", &provision, time(NOW)).await;
    assert_eq!(added.unwrap(), id(NEW[2]));
    let shown = format!(r#"{{"set_display_name":null,"user_id":"{ALICE}"}}"#);
    assert_eq!(
        specimen.rows(ROWS),
        [
            row(NEW[0], "provision-user", &shown),
            row(
                NEW[1],
                "deactivate-user",
                &format!(r#"{{"hs_erase":false,"user_id":"{ALICE}"}}"#)
            ),
            row(NEW[2], "provision-user", &shown),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_job_of_many_is_like_a_single_one(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let names = ["\"", "é\u{1f600}', (", "{}"];
    let payloads = names.map(|name| json!({"user_id": ALICE, "set_display_name": name}).to_string());
    let ids = [NEW[2], NEW[0], NEW[1]].map(id);
    jobs_add(&mut specimen.connection, "provision-user", (&ids, &payloads), time(NOW))
        .await
        .unwrap();
    let shown = |name: &str| json!({"set_display_name": name, "user_id": ALICE}).to_string();
    assert_eq!(
        specimen.rows(ROWS),
        [
            row(NEW[0], "provision-user", &shown(names[1])),
            row(NEW[1], "provision-user", &shown(names[2])),
            row(NEW[2], "provision-user", &shown(names[0])),
        ]
    );
}

#[rstest]
#[case(0)]
#[case(1000)]
#[case(25_000)]
#[tokio::test]
async fn any_number_of_jobs_is_added(#[values(Store::Sqlite, Store::Postgres)] kind: Store, #[case] count: u32) {
    let mut specimen = Specimen::create(kind).await;
    let ids: Vec<Id> = (0..count).map(|number| Id::new(time(NOW), number.into())).collect();
    let payloads: Vec<String> = ids.iter().map(|id| json!({"user_id": id}).to_string()).collect();
    specimen.connection.begin().await.unwrap();
    jobs_add(&mut specimen.connection, "sync-devices", (&ids, &payloads), time(NOW))
        .await
        .unwrap();
    specimen.connection.commit().await.unwrap();
    let own = match kind {
        Store::Sqlite => "count(DISTINCT payload ->> 'user_id')",
        Store::Postgres => "count(DISTINCT payload ->> 'user_id')::bigint",
    };
    assert_eq!(
        specimen.rows(&format!(
            "SELECT count(*), {own} FROM queue_jobs WHERE attempt = 0 AND status = 'available'"
        )),
        [format!("{count} | {count}")]
    );
}

/// Identical notifications of one transaction are one; what was rolled back was never sent.
#[tokio::test]
async fn workers_are_woken_at_commit() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    let payload = json!({"user_id": ALICE});
    let mut listener = listener(&specimen).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    job_add(store, id(NEW[0]), "deactivate-user", &payload, time(NOW))
        .await
        .unwrap();
    store.rollback().await.unwrap();
    store.begin().await.unwrap();
    for (ulid, queue) in [
        (NEW[0], "provision-user"),
        (NEW[1], "provision-user"),
        (NEW[2], "sync-devices"),
    ] {
        job_add(store, id(ulid), queue, &payload, time(NOW)).await.unwrap();
    }
    let mut other = specimen.connect().await;
    execute(&mut other, "NOTIFY queue_available, 'before the commit'").await;
    specimen.connection.commit().await.unwrap();
    execute(&mut other, "NOTIFY queue_available, 'after the commit'").await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "after the commit") {
        let notification = tokio::time::timeout(Duration::from_secs(10), listener.recv()).await;
        heard.push(notification.unwrap().unwrap().payload().to_owned());
    }
    assert_eq!(
        heard,
        [
            "before the commit",
            r#"{"queue" : "provision-user"}"#,
            r#"{"queue" : "sync-devices"}"#,
            "after the commit"
        ]
    );
}

async fn listener(specimen: &Specimen) -> PgListener {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(specimen.options());
    let mut listener = PgListener::connect_with(&pool).await.expect("the server is there");
    listener.listen("queue_available").await.expect("anybody may listen");
    listener
}

/// A job of each status, and a second failed one that a third tries again; of three users and two queues.
fn add_jobs(specimen: &Specimen) {
    let worker = "01HWT6000000000000000000WA";
    specimen.seed(&format!(
        "INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at) \
         VALUES ({{ulid:{worker}}}, '{NOW}', '{NOW}')"
    ));
    specimen.seed("INSERT INTO queue_schedules (schedule_name) VALUES ('recurring')");
    let rows = [
        (JOBS[0], "provision-user", "available", ALICE, ""),
        (JOBS[1], "sync-devices", "running", ALICE, "started_by"),
        (JOBS[2], "sync-devices", "failed", BOB, "failed_reason"),
        (JOBS[3], "sync-devices", "failed", ALICE, "next_attempt_id"),
        (JOBS[4], "provision-user", "scheduled", BOB, "schedule_name"),
        (JOBS[5], "cleanup-queue-jobs", "lost", "", ""),
    ];
    for (ulid, queue, status, user, with) in rows.into_iter().rev() {
        let payload = match user {
            "" => "null".to_owned(),
            user => format!(r#"{{"user_id": "{user}"}}"#),
        };
        let (column, value) = match with {
            "started_by" => (", started_by", format!(", {{ulid:{worker}}}")),
            "failed_reason" => (", failed_reason", format!(", '{}'", "é\n".repeat(600))),
            "next_attempt_id" => (", next_attempt_id", format!(", {{ulid:{}}}", JOBS[4])),
            "schedule_name" => (", schedule_name", ", 'recurring'".to_owned()),
            _ => ("", String::new()),
        };
        specimen.seed(&format!(
            "INSERT INTO queue_jobs (queue_job_id, queue_name, status, payload, created_at{column}) \
             VALUES ({{ulid:{ulid}}}, '{queue}', '{status}', '{payload}', '{NOW}'{value})"
        ));
    }
}

const JOBS: [&str; 6] = [
    "01HWT600000000000000000J0A",
    "01HWT600000000000000000J0B",
    "01HWT600000000000000000J0C",
    "01HWT600000000000000000J0D",
    "01HWT600000000000000000J0E",
    "01HWT600000000000000000J0F",
];

fn filter(queue: Option<&str>, status: Option<&str>, user: Option<&str>, last_attempt: bool) -> Filter {
    Filter {
        queue: queue.map(str::to_owned),
        status: status.map(str::to_owned),
        user: user.map(id),
        last_attempt,
    }
}

#[rstest]
#[case::all(filter(None, None, None, false), &[5, 4, 3, 2, 1, 0])]
#[case::queue(filter(Some("sync-devices"), None, None, false), &[3, 2, 1])]
#[case::status(filter(None, Some("failed"), None, false), &[3, 2])]
#[case::lost(filter(None, Some("lost"), None, false), &[5])]
#[case::user(filter(None, None, Some(ALICE), false), &[3, 1, 0])]
#[case::abandoned(filter(None, Some("failed"), None, true), &[2])]
#[case::every_part(filter(Some("sync-devices"), Some("failed"), Some(BOB), true), &[2])]
#[case::none(filter(Some("sync-devices"), Some("available"), None, false), &[])]
#[case::hostile(filter(Some("' OR 1=1 --"), None, None, false), &[])]
#[tokio::test]
async fn jobs_are_listed_newest_first(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[case] filter: Filter,
    #[case] expected: &[usize],
) {
    let mut specimen = Specimen::create(kind).await;
    add_jobs(&specimen);
    if kind == Store::Sqlite {
        specimen.seed("UPDATE queue_jobs SET payload = 'no JSON' WHERE payload = 'null'");
    }
    let store = &mut specimen.connection;
    let expected: Vec<Id> = expected.iter().map(|&number| id(JOBS[number])).collect();
    let ids = |jobs: Vec<Job>| -> Vec<Id> { jobs.into_iter().map(|job| job.id).collect() };
    let all = job_page(store, &filter, Id::greatest(), 100).await.unwrap();
    assert_eq!(ids(all), expected);
    let (mut before, mut walked) = (Id::greatest(), Vec::new());
    loop {
        let page = ids(job_page(store, &filter, before, 1).await.unwrap());
        let [next] = page[..] else { break };
        before = next;
        walked.push(next);
    }
    assert_eq!(walked, expected);
    let mut oldest_first = expected.clone();
    oldest_first.reverse();
    assert_eq!(
        job_id_page(store, &filter, Id::least(), 100).await.unwrap(),
        oldest_first
    );
    let rest = job_id_page(store, &filter, oldest_first.first().copied().unwrap_or(Id::least()), 1).await;
    assert_eq!(
        rest.unwrap(),
        oldest_first.get(1).copied().into_iter().collect::<Vec<_>>()
    );
    let counted: i64 = job_counts(store, &filter)
        .await
        .unwrap()
        .iter()
        .map(|row| row.count)
        .sum();
    assert_eq!(counted, i64::try_from(expected.len()).unwrap());
}

#[rstest]
#[tokio::test]
async fn jobs_are_counted_by_queue_and_status(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_jobs(&specimen);
    specimen.seed(&format!(
        "UPDATE queue_jobs SET created_at = '{CREATED_AT}' WHERE queue_job_id = {{ulid:{}}}",
        JOBS[3]
    ));
    let counts = job_counts(&mut specimen.connection, &Filter::default()).await.unwrap();
    let mut shown: Vec<String> = counts
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {}",
                row.queue,
                row.status,
                row.count,
                row.oldest_at == time(CREATED_AT)
            )
        })
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "cleanup-queue-jobs lost 1 false",
            "provision-user available 1 false",
            "provision-user scheduled 1 false",
            "sync-devices failed 2 true",
            "sync-devices running 1 false",
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_job_is_read_as_it_is_and_what_is_too_long_is_cut(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_jobs(&specimen);
    let store = &mut specimen.connection;
    assert_eq!(job(store, id(NEW[0])).await.unwrap(), None);
    assert_eq!(job_for_change(store, id(NEW[0])).await.unwrap(), None);
    let plain = Job {
        id: id(JOBS[2]),
        queue: "sync-devices".to_owned(),
        user: None,
        status: "failed".to_owned(),
        attempt: 0,
        created_at: time(NOW),
        scheduled_at: None,
        started_at: None,
        started_by: None,
        completed_at: None,
        failed_at: None,
        failed_reason: Some("é\n".repeat(500) + "…"),
        next_attempt_id: None,
        schedule_name: None,
        payload: Payload(json!({"user_id": BOB})),
    };
    assert_eq!(job(store, id(JOBS[2])).await.unwrap(), Some(plain.clone()));
    assert_eq!(job_for_change(store, id(JOBS[2])).await.unwrap(), Some(plain));
    specimen.seed(&format!(
        "UPDATE queue_jobs SET payload = '\"{}\"' WHERE queue_job_id = {{ulid:{}}}",
        "x".repeat(20_000),
        JOBS[2]
    ));
    let cut = job(&mut specimen.connection, id(JOBS[2]))
        .await
        .unwrap()
        .unwrap()
        .payload
        .0;
    assert_eq!(cut, json!(format!("\"{}…", "x".repeat(16_383))));
}

#[rstest]
#[tokio::test]
async fn a_failed_job_is_tried_again_by_another_one(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[values(None, Some(LATER))] scheduled_at: Option<&str>,
) {
    let mut specimen = Specimen::create(kind).await;
    add_jobs(&specimen);
    specimen.seed("UPDATE queue_jobs SET schedule_name = 'recurring', attempt = 4");
    let store = &mut specimen.connection;
    let metadata = json!({"trace_id": "t", "span_id": "s", "trace_flags": 1});
    let again = (id(NEW[0]), time(NOW));
    let scheduled = scheduled_at.map(time);
    let added = job_add_attempt(store, id(JOBS[2]), again, &metadata, scheduled)
        .await
        .unwrap();
    let added = added.expect("the failed one is there");
    assert_eq!(
        (added.id, added.attempt, added.scheduled_at),
        (id(NEW[0]), 5, scheduled)
    );
    assert!(job_set_next_attempt(store, id(JOBS[2]), id(NEW[0])).await.unwrap());
    assert!(
        !job_set_next_attempt(store, id(JOBS[2]), id(NEW[0])).await.unwrap(),
        "it has one"
    );
    assert!(
        !job_set_next_attempt(store, id(JOBS[1]), id(NEW[0])).await.unwrap(),
        "it has not failed"
    );
    let nobody = job_add_attempt(store, id(NEW[1]), (id(NEW[2]), time(NOW)), &metadata, scheduled).await;
    assert_eq!(nobody.unwrap(), None);
    let (status, at) = match scheduled_at {
        Some(_) => ("scheduled", "2024-05-01T12:00:01Z"),
        None => ("available", "null"),
    };
    let row = format!(
        "{} | {status} | {NOW_SHOWN} | null | null | null | sync-devices | {{\"user_id\":\"{BOB}\"}} | \
         {{\"span_id\":\"s\",\"trace_flags\":1,\"trace_id\":\"t\"}} | null | null | 5 | null | {at} | recurring",
        NEW[0]
    );
    assert!(specimen.rows(ROWS).contains(&row), "{:#?}", specimen.rows(ROWS));
    let failed = "SELECT next_attempt_id, status, attempt FROM queue_jobs WHERE queue_name = 'sync-devices' \
         AND status = 'failed' ORDER BY queue_job_id";
    assert_eq!(
        specimen.rows(failed),
        [format!("{} | failed | 4", NEW[0]), format!("{} | failed | 4", JOBS[4])]
    );
}

/// MAS ends itself on a negative count, and so would on one that is too large.
#[rstest]
#[tokio::test]
async fn a_count_out_of_range_starts_again(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[values((-1, 1), (0, 1), (32_766, 32_767), (i32::MAX, 1))] counts: (i32, i32),
) {
    let mut specimen = Specimen::create(kind).await;
    add_jobs(&specimen);
    specimen.seed(&format!("UPDATE queue_jobs SET attempt = {}", counts.0));
    let again = (id(NEW[0]), time(NOW));
    let added = job_add_attempt(&mut specimen.connection, id(JOBS[2]), again, &json!({}), None).await;
    assert_eq!(added.unwrap().map(|job| job.attempt), Some(counts.1));
}

#[rstest]
#[tokio::test]
async fn metadata_is_read_as_text_of_some_length(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_jobs(&specimen);
    let store = &mut specimen.connection;
    assert_eq!(job_metadata(store, id(NEW[0])).await.unwrap(), None);
    assert_eq!(job_metadata(store, id(JOBS[0])).await.unwrap().as_deref(), Some("{}"));
    specimen.seed(&format!("UPDATE queue_jobs SET metadata = '\"{}\"'", "x".repeat(5000)));
    let text = job_metadata(&mut specimen.connection, id(JOBS[0])).await.unwrap();
    assert_eq!(text.map(|text| text.len()), Some(1000));
}
