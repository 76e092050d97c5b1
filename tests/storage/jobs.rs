//! The job queue.

use std::time::Duration;

use masctl::{
    model::Id,
    storage::{
        Connection,
        jobs::{job_add, jobs_add, live_workers},
    },
};
use rstest::rstest;
use serde_json::json;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, id, time},
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
}
