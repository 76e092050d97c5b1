//! The rules refuse what they are there to refuse.

use super::{Cells, Difference, Snapshot, broken};

const ID: &str = "01DXF6FMK1EV4J8R6Y6NEH0N3E";
const PAYLOAD: &str = r#"{"user_id":"01DXF6DT00000000000000000A"}"#;
const CREATED: (&str, Option<&str>) = ("created_at", Some("2020-01-01T00:01:00.001Z"));

fn row(cells: &[(&str, Option<&str>)]) -> Cells {
    let owned = cells
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
    owned.collect()
}

fn added(table: &str, cells: &[(&str, Option<&str>)]) -> Vec<String> {
    let row = &row(cells);
    broken(&Snapshot::default(), &[Difference::Added { table, key: ID, row }])
}

/// The problems of a job in which one column is another.
fn job(change: (&str, Option<&str>)) -> Vec<String> {
    const METADATA: &str =
        r#"{"span_id":"0000000000000000","trace_flags":0,"trace_id":"00000000000000000000000000000000"}"#;
    let mut cells = vec![
        ("queue_job_id", Some(ID)),
        ("status", Some("available")),
        CREATED,
        ("queue_name", Some("sync-devices")),
        ("payload", Some(PAYLOAD)),
        ("metadata", Some(METADATA)),
        ("attempt", Some("0")),
    ];
    cells.retain(|(name, _)| *name != change.0);
    cells.push(change);
    added("queue_jobs", &cells)
}

fn problem(text: &str) -> Vec<String> {
    vec![format!("queue_jobs {ID}: {text}")]
}

#[test]
fn an_id_or_a_time_that_is_not_mas() {
    assert_eq!(job(CREATED), [""; 0]);
    let later = job(("created_at", Some("2020-01-01T00:01:00.002Z")));
    assert_eq!(later, problem("its id is not of its created_at"));
    let finer = job(("created_at", Some("2020-01-01T00:01:00.001000001Z")));
    assert_eq!(finer, problem("created_at has parts of a microsecond"));
}

#[test]
fn a_job_that_workers_stumble_over() {
    for metadata in [r#"{"trace_id":null}"#, "{}", "null"] {
        assert_eq!(
            job(("metadata", Some(metadata))),
            problem("its metadata is not MAS's"),
            "{metadata}"
        );
    }
    for payload in [
        "null",
        "{}",
        r#"{"user_id":"01dxf6dt00000000000000000a"}"#,
        r#"{"user_id":"016f5e66-e800-0000-0000-00000000000a"}"#,
        r#"{"user_id":"01DXF6DT00000000000000000A","more":1}"#,
    ] {
        assert_eq!(
            job(("payload", Some(payload))),
            problem("its payload is not MAS's"),
            "{payload}"
        );
    }
    assert_eq!(
        job(("queue_name", Some("sync_devices"))),
        problem("its payload is not MAS's")
    );
    assert_eq!(job(("status", Some("running"))), problem("it is not available"));
    assert_eq!(job(("attempt", Some("1"))), problem("its attempt is not the next"));
    assert_eq!(
        job(("started_at", Some("2020-01-01T00:01:00Z"))),
        problem("started_at is not null")
    );
}

#[test]
fn a_token_that_mas_does_not_recognize() {
    let token = |text: &str| added("compat_access_tokens", &[CREATED, ("access_token", Some(text))]);
    assert_eq!(token("mct_000000000000000000000000000398_00icWJ"), [""; 0]);
    for wrong in [
        "mct_000000000000000000000000000398_icWJ00",
        "mpt_FM44zJN5qePGMLvvMXC4Ds1A3lCWc6_bJ9Wj1",
        "mct",
    ] {
        assert_eq!(token(wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn a_row_that_is_mas_alone_or_whose_device_stays() {
    assert_eq!(added("queue_workers", &[CREATED]).len(), 1);
    let over = [
        CREATED,
        ("user_id", Some("01DXF6DT00000000000000000A")),
        ("finished_at", CREATED.1),
    ];
    assert_eq!(
        added("compat_sessions", &over),
        [format!(
            "compat_sessions {ID}: it has ended, and nobody removes its device"
        )]
    );
    let (before, after) = (&row(&[("finished_at", None)]), &row(&[("finished_at", CREATED.1)]));
    for (table, count) in [("compat_sessions", 0), ("users", 1), ("queue_jobs", 2)] {
        let changed = Difference::Changed {
            table,
            key: ID,
            before,
            after,
        };
        assert_eq!(broken(&Snapshot::default(), &[changed]).len(), count, "{table}");
    }
    let removed = Difference::Removed {
        table: "compat_sessions",
        key: ID,
        row: before,
    };
    assert_eq!(
        broken(&Snapshot::default(), &[removed]),
        [format!("compat_sessions {ID}: it was removed")]
    );
}

#[test]
fn an_address_that_is_removed_behind_the_homeservers_back() {
    const USER: &str = "01DXF6DT00000000000000000A";
    let email = &row(&[("user_id", Some(USER)), ("email", Some("alice@example.com"))]);
    let removed = || Difference::Removed {
        table: "user_emails",
        key: ID,
        row: email,
    };
    assert_eq!(
        broken(&Snapshot::default(), &[removed()]),
        [format!(
            "user_emails {ID}: it was removed, and the homeserver is not told"
        )]
    );
    let provisioning = |user: &str| {
        let payload = format!(r#"{{"user_id":"{user}","set_display_name":null}}"#);
        let metadata =
            r#"{"span_id":"0000000000000000","trace_flags":0,"trace_id":"00000000000000000000000000000000"}"#;
        row(&[
            ("queue_job_id", Some(ID)),
            ("status", Some("available")),
            CREATED,
            ("queue_name", Some("provision-user")),
            ("payload", Some(&payload)),
            ("metadata", Some(metadata)),
            ("attempt", Some("0")),
        ])
    };
    for (user, count) in [(USER, 0), (ID, 1)] {
        let job = &provisioning(user);
        let added = Difference::Added {
            table: "queue_jobs",
            key: ID,
            row: job,
        };
        assert_eq!(broken(&Snapshot::default(), &[removed(), added]).len(), count, "{user}");
    }
}

/// A job in the hands of a worker is released whole, and only if MAS has declared the worker dead.
#[test]
fn a_job_that_is_taken_from_a_worker() {
    const WORKER: &str = "01DXF6DT000000000000000WK1";
    let taken = row(&[
        ("status", Some("running")),
        ("started_at", CREATED.1),
        ("started_by", Some(WORKER)),
    ]);
    let released = row(&[
        ("status", Some("available")),
        ("started_at", None),
        ("started_by", None),
    ]);
    let half = row(&[
        ("status", Some("available")),
        ("started_at", None),
        ("started_by", Some(WORKER)),
    ]);
    for (shutdown_at, after, expected) in [
        (CREATED.1, &released, vec![]),
        (CREATED.1, &half, problem("a job was not released whole")),
        (None, &released, problem("a job was changed that its worker holds")),
    ] {
        let before = Snapshot::of_row("queue_workers", WORKER, row(&[("shutdown_at", shutdown_at)]));
        let changed = Difference::Changed {
            table: "queue_jobs",
            key: ID,
            before: &taken,
            after,
        };
        assert_eq!(broken(&before, &[changed]), expected);
    }
}

#[test]
fn a_retry_that_is_not_the_failed_job_again() {
    let failed = |attempt| {
        row(&[
            ("status", Some("failed")),
            ("queue_name", Some("sync-devices")),
            ("payload", Some(PAYLOAD)),
            ("metadata", Some("{}")),
            ("attempt", Some(attempt)),
            ("next_attempt_id", Some(ID)),
        ])
    };
    let new = |metadata| {
        row(&[
            CREATED,
            ("status", Some("available")),
            ("queue_name", Some("sync-devices")),
            ("payload", Some(PAYLOAD)),
            ("metadata", Some(metadata)),
            ("attempt", Some("4")),
        ])
    };
    for (attempt, metadata, expected) in [
        ("3", "{}", vec![]),
        ("4", "{}", problem("its attempt is not the next")),
        ("3", "[]", problem("its metadata is another")),
    ] {
        let (before, after, row) = (&failed(attempt), &failed(attempt), &new(metadata));
        let changed = Difference::Changed {
            table: "queue_jobs",
            key: "B",
            before,
            after,
        };
        let added = Difference::Added {
            table: "queue_jobs",
            key: ID,
            row,
        };
        assert_eq!(
            broken(&Snapshot::default(), &[changed, added]),
            expected,
            "{attempt} {metadata}"
        );
    }
}
