//! What holds of every row that masctl writes beside a living MAS, whichever command writes it: ids are of the time of
//! their rows, times are whole microseconds, no worker stumbles over a job, MAS recognizes the tokens, and what is MAS's
//! alone is left alone.

use chrono::DateTime;
use serde_json::{Value, json};
use ulid::Ulid;

use super::{snapshot::Difference, value::Cells};

/// The columns that masctl may change of rows that are there already.
const CHANGEABLE: [(&str, &str); 8] = [
    ("users", "locked_at"),
    ("users", "can_request_admin"),
    ("compat_sessions", "finished_at"),
    ("oauth2_sessions", "finished_at"),
    ("user_sessions", "finished_at"),
    ("personal_sessions", "revoked_at"),
    ("upstream_oauth_links", "user_id"),
    ("queue_jobs", "next_attempt_id"),
];

/// A table that masctl adds rows to, other than the queue.
struct Fresh {
    table: &'static str,
    /// What each new row holds.
    holds: &'static [(&'static str, &'static str)],
    /// The columns in which it holds nothing yet.
    lacks: &'static [&'static str],
}

const fn fresh(
    table: &'static str,
    holds: &'static [(&'static str, &'static str)],
    lacks: &'static [&'static str],
) -> Fresh {
    Fresh { table, holds, lacks }
}

const FRESH: [Fresh; 9] = [
    fresh("users", &[("is_guest", "false")], &["locked_at", "deactivated_at"]),
    fresh("user_passwords", &[], &["upgraded_from_id"]),
    fresh("user_emails", &[], &[]),
    fresh(
        "compat_sessions",
        &[],
        &[
            "last_active_at",
            "last_active_ip",
            "user_session_id",
            "user_agent",
            "human_name",
        ],
    ),
    fresh("compat_access_tokens", &[], &[]),
    fresh(
        "personal_sessions",
        &[],
        &[
            "owner_oauth2_client_id",
            "revoked_at",
            "last_active_at",
            "last_active_ip",
        ],
    ),
    fresh("personal_access_tokens", &[], &["revoked_at"]),
    fresh(
        "user_registration_tokens",
        &[("times_used", "0")],
        &["last_used_at", "revoked_at"],
    ),
    fresh("upstream_oauth_links", &[], &["human_account_name"]),
];

/// The rules that the differences which one command made break, one line each.
pub(crate) fn broken(differences: &[Difference<'_>]) -> Vec<String> {
    differences
        .iter()
        .flat_map(|difference| broken_by(difference, differences))
        .collect()
}

fn broken_by(difference: &Difference<'_>, all: &[Difference<'_>]) -> Vec<String> {
    match difference {
        Difference::Added { table, key, row } => {
            let mut problems = Problems::of(table, key);
            id_is_of_its_time(&mut problems, key, row);
            times_are_whole_microseconds(&mut problems, row);
            match *table {
                "queue_jobs" => job_is_what_workers_take(&mut problems, row),
                _ => row_is_new(&mut problems, table, row),
            }
            token_is_recognized(&mut problems, table, row);
            if *table == "compat_sessions" && get(row, "finished_at").is_some() {
                let is_synced = all.iter().any(|other| is_sync_of(other, get(row, "user_id")));
                problems.unless(is_synced, "it has ended, and nobody removes its device");
            }
            problems.found
        }
        Difference::Removed { table, key, .. } => vec![format!("{table} {key}: it was removed")],
        Difference::Changed {
            table,
            key,
            before,
            after,
        } => {
            let mut problems = Problems::of(table, key);
            times_are_whole_microseconds(&mut problems, after);
            for ((column, _), _) in before.iter().zip(*after).filter(|(old, new)| old != new) {
                problems.unless(
                    CHANGEABLE.contains(&(*table, column.as_str())),
                    &format!("{column} was changed"),
                );
            }
            problems.unless(
                *table != "queue_jobs" || get(before, "status") == Some("failed"),
                "a job was changed that has not failed",
            );
            problems.found
        }
    }
}

/// The problems of one row.
struct Problems {
    row: String,
    found: Vec<String>,
}

impl Problems {
    fn of(table: &str, key: &str) -> Self {
        Self {
            row: format!("{table} {key}"),
            found: Vec::new(),
        }
    }

    fn unless(&mut self, holds: bool, problem: &str) {
        if !holds {
            self.found.push(format!("{}: {problem}", self.row));
        }
    }
}

fn get<'a>(row: &'a Cells, column: &str) -> Option<&'a str> {
    let cell = row.iter().find(|(name, _)| name == column);
    cell.and_then(|(_, value)| value.as_deref())
}

fn id_is_of_its_time(problems: &mut Problems, key: &str, row: &Cells) {
    let created = get(row, "created_at").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let id = Ulid::from_string(key).ok();
    let agree = id
        .zip(created)
        .is_some_and(|(id, created)| i64::try_from(id.timestamp_ms()) == Ok(created.timestamp_millis()));
    problems.unless(agree, "its id is not of its created_at");
}

fn times_are_whole_microseconds(problems: &mut Problems, row: &Cells) {
    for (column, value) in row {
        let time = value
            .as_deref()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let is_whole = time.is_none_or(|time| time.timestamp_subsec_nanos().is_multiple_of(1000));
        problems.unless(is_whole, &format!("{column} has parts of a microsecond"));
    }
}

fn row_is_new(problems: &mut Problems, table: &str, row: &Cells) {
    let Some(fresh) = FRESH.iter().find(|fresh| fresh.table == table) else {
        return problems.unless(false, "masctl adds nothing to this table");
    };
    for (column, value) in fresh.holds {
        problems.unless(get(row, column) == Some(value), &format!("{column} is not {value}"));
    }
    for column in fresh.lacks {
        problems.unless(get(row, column).is_none(), &format!("{column} is not null"));
    }
}

/// A worker of MAS ends, and MAS with it, on metadata of another shape.
fn job_is_what_workers_take(problems: &mut Problems, row: &Cells) {
    let metadata = json!({
        "trace_id": "00000000000000000000000000000000", "span_id": "0000000000000000", "trace_flags": 0,
    });
    let parsed = |column| get(row, column).and_then(|text| serde_json::from_str::<Value>(text).ok());
    problems.unless(parsed("metadata") == Some(metadata), "its metadata is not MAS's");
    let payload = parsed("payload").unwrap_or_default();
    let queue = get(row, "queue_name").unwrap_or_default();
    problems.unless(payload_is_known(queue, &payload), "its payload is not MAS's");
    let is_first = get(row, "attempt") == Some("0");
    problems.unless(is_first, "it is not the first attempt");
    problems.unless(get(row, "status") == Some("available"), "it is not available");
    for column in [
        "started_at",
        "started_by",
        "completed_at",
        "failed_at",
        "failed_reason",
        "next_attempt_id",
        "scheduled_at",
        "schedule_name",
    ] {
        problems.unless(get(row, column).is_none(), &format!("{column} is not null"));
    }
}

fn payload_is_known(queue: &str, payload: &Value) -> bool {
    let keys: &[&str] = match queue {
        "provision-user" => &["user_id", "set_display_name"],
        "deactivate-user" => &["user_id", "hs_erase"],
        "sync-devices" | "reactivate-user" => &["user_id"],
        _ => return false,
    };
    let fits = |key: &str, value: &Value| match key {
        "user_id" => value.as_str().is_some_and(is_ulid),
        "hs_erase" => value.is_boolean(),
        _ => value.is_string() || value.is_null(),
    };
    let fields = payload.as_object();
    fields.is_some_and(|fields| fields.len() == keys.len())
        && keys
            .iter()
            .all(|key| payload.get(key).is_some_and(|value| fits(key, value)))
}

/// 26 characters in upper case, as MAS writes an id into a payload.
fn is_ulid(text: &str) -> bool {
    let is_digit = |byte: u8| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&byte);
    text.len() == 26 && text.starts_with(|first| ('0'..='7').contains(&first)) && text.bytes().all(is_digit)
}

/// Whether a difference is the job that removes the devices of sessions of a user that have ended.
fn is_sync_of(difference: &Difference<'_>, user: Option<&str>) -> bool {
    let Difference::Added {
        table: "queue_jobs",
        row,
        ..
    } = difference
    else {
        return false;
    };
    let payload = get(row, "payload").unwrap_or_default();
    get(row, "queue_name") == Some("sync-devices") && user.is_some_and(|user| payload.contains(user))
}

fn token_is_recognized(problems: &mut Problems, table: &str, row: &Cells) {
    match table {
        "compat_access_tokens" => {
            let is_token = get(row, "access_token").is_some_and(|token| is_token_of("mct", token));
            problems.unless(is_token, "MAS would not recognize its token");
        }
        "personal_access_tokens" => {
            let is_hash = get(row, "access_token_sha256").is_some_and(|hash| hash.len() == 64);
            problems.unless(is_hash, "it is not a SHA-256");
        }
        _ => {}
    }
}

/// The format of MAS's tokens, written down a second time.
fn is_token_of(prefix: &str, token: &str) -> bool {
    let parts: Vec<&str> = token.split('_').collect();
    let [found, random, sum] = parts[..] else { return false };
    let start = format!("{found}_{random}");
    let mut rest = start.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    }) ^ u32::MAX;
    let alphabet: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let mut digits = String::new();
    while rest > 0 {
        digits.push(alphabet[(rest % 62) as usize]);
        rest /= 62;
    }
    found == prefix
        && random.len() == 30
        && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && sum == format!("{digits:0>6}")
}

/// The rules refuse what they are there to refuse.
mod refused {
    use super::{Cells, Difference, broken};

    const ID: &str = "01DXF6FMK1EV4J8R6Y6NEH0N3E";
    const CREATED: (&str, Option<&str>) = ("created_at", Some("2020-01-01T00:01:00.001Z"));

    fn row(cells: &[(&str, Option<&str>)]) -> Cells {
        let owned = cells
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
        owned.collect()
    }

    fn added(table: &str, cells: &[(&str, Option<&str>)]) -> Vec<String> {
        let row = &row(cells);
        broken(&[Difference::Added { table, key: ID, row }])
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
            ("payload", Some(r#"{"user_id":"01DXF6DT00000000000000000A"}"#)),
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
        assert_eq!(job(("attempt", Some("1"))), problem("it is not the first attempt"));
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
            assert_eq!(broken(&[changed]).len(), count, "{table}");
        }
        let removed = Difference::Removed {
            table: "user_emails",
            key: ID,
            row: before,
        };
        assert_eq!(broken(&[removed]), [format!("user_emails {ID}: it was removed")]);
    }
}
