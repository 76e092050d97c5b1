//! What holds of every row that masctl writes beside a living MAS, whichever command writes it: ids are of the time of
//! their rows, times are whole microseconds, no worker stumbles over a job, MAS recognizes the tokens, and what is
//! MAS's alone is left alone.

mod refused;

use chrono::DateTime;
use serde_json::{Value, json};
use ulid::Ulid;

use super::{
    snapshot::{Difference, Snapshot},
    value::Cells,
};

/// The columns that masctl may change of rows that are there already.
const CHANGEABLE: &[(&str, &str)] = &[
    ("users", "locked_at"),
    ("users", "can_request_admin"),
    ("compat_sessions", "finished_at"),
    ("oauth2_sessions", "finished_at"),
    ("user_sessions", "finished_at"),
    ("personal_sessions", "revoked_at"),
    ("compat_access_tokens", "expires_at"),
    ("compat_refresh_tokens", "consumed_at"),
    ("personal_access_tokens", "revoked_at"),
    ("user_registration_tokens", "usage_limit"),
    ("user_registration_tokens", "expires_at"),
    ("user_registration_tokens", "revoked_at"),
    ("upstream_oauth_links", "user_id"),
    ("upstream_oauth_links", "human_account_name"),
    ("upstream_oauth_authorization_sessions", "upstream_oauth_link_id"),
    ("upstream_oauth_authorization_sessions", "unlinked_at"),
    ("queue_jobs", "next_attempt_id"),
    // What the database itself does where a password is removed.
    ("user_passwords", "upgraded_from_id"),
    ("user_session_authentications", "user_password_id"),
];

/// The tables that masctl may remove rows from. The database itself removes tickets with an address.
const REMOVABLE: &[&str] = &[
    "upstream_oauth_links",
    "user_emails",
    "user_passwords",
    "user_recovery_tickets",
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

const FRESH: [Fresh; 10] = [
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
    fresh("upstream_oauth_links", &[], &[]),
    fresh("policy_data", &[], &[]),
];

/// The rules that the differences break which one command made of what was there before, one line each.
pub(crate) fn broken(before: &Snapshot, differences: &[Difference<'_>]) -> Vec<String> {
    let problems = differences.iter().flat_map(|difference| match difference {
        Difference::Added { table, key, row } => broken_by_new(table, key, row, differences),
        Difference::Removed { table, key, row } => broken_by_removed(table, key, row, differences),
        Difference::Changed {
            table,
            key,
            before: old,
            after: new,
        } => broken_by_changed((table, key), old, new, before),
    });
    problems.collect()
}

fn broken_by_new(table: &str, key: &str, row: &Cells, all: &[Difference<'_>]) -> Vec<String> {
    let mut problems = Problems::of(table, key);
    id_is_of_its_time(&mut problems, key, row);
    times_are_whole_microseconds(&mut problems, row);
    match table {
        "queue_jobs" => job_is_what_workers_take(&mut problems, key, row, all),
        _ => row_is_new(&mut problems, table, row),
    }
    token_is_recognized(&mut problems, table, row);
    if table == "compat_sessions" && get(row, "finished_at").is_some() {
        let is_synced = all
            .iter()
            .any(|other| is_job_for(other, "sync-devices", get(row, "user_id")));
        problems.unless(is_synced, "it has ended, and nobody removes its device");
    }
    problems.found
}

fn broken_by_changed((table, key): (&str, &str), old: &Cells, new: &Cells, before: &Snapshot) -> Vec<String> {
    let mut problems = Problems::of(table, key);
    times_are_whole_microseconds(&mut problems, new);
    let changed = old.iter().zip(new).filter(|(old, new)| old != new);
    let columns: Vec<&str> = changed.map(|((column, _), _)| column.as_str()).collect();
    if table == "queue_jobs" && get(old, "status") == Some("running") {
        let worker = get(old, "started_by").and_then(|worker| before.row("queue_workers", worker));
        let is_dead = worker.is_some_and(|worker| get(worker, "shutdown_at").is_some());
        problems.unless(is_dead, "a job was changed that its worker holds");
        problems.unless(
            columns == ["status", "started_at", "started_by"] && get(new, "status") == Some("available"),
            "a job was not released whole",
        );
        return problems.found;
    }
    for column in columns {
        problems.unless(CHANGEABLE.contains(&(table, column)), &format!("{column} was changed"));
    }
    problems.unless(
        table != "queue_jobs" || get(old, "status") == Some("failed"),
        "a job was changed that has not failed",
    );
    problems.found
}

fn broken_by_removed(table: &str, key: &str, row: &Cells, all: &[Difference<'_>]) -> Vec<String> {
    let mut problems = Problems::of(table, key);
    problems.unless(REMOVABLE.contains(&table), "it was removed");
    if table == "user_emails" {
        let is_told = all
            .iter()
            .any(|other| is_job_for(other, "provision-user", get(row, "user_id")));
        problems.unless(is_told, "it was removed, and the homeserver is not told");
    }
    problems.found
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
fn job_is_what_workers_take(problems: &mut Problems, key: &str, row: &Cells, all: &[Difference<'_>]) {
    let metadata = json!({
        "trace_id": "00000000000000000000000000000000", "span_id": "0000000000000000", "trace_flags": 0,
    });
    let parsed = |column| get(row, column).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let failed = all.iter().find_map(|other| failed_with_next(other, key));
    if let Some(failed) = failed {
        for column in ["queue_name", "payload", "metadata"] {
            problems.unless(
                get(row, column) == get(failed, column),
                &format!("its {column} is another"),
            );
        }
    } else {
        problems.unless(parsed("metadata") == Some(metadata), "its metadata is not MAS's");
    }
    let payload = parsed("payload").unwrap_or_default();
    let queue = get(row, "queue_name").unwrap_or_default();
    problems.unless(payload_is_known(queue, &payload), "its payload is not MAS's");
    let attempt = |row| get(row, "attempt").and_then(|text| text.parse::<u32>().ok());
    let expected = failed.map_or(Some(0), |failed| attempt(failed).map(|attempt| attempt + 1));
    problems.unless(attempt(row) == expected, "its attempt is not the next");
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

/// The failed job, if a difference is that it got this one as its next attempt.
fn failed_with_next<'a>(difference: &Difference<'a>, next: &str) -> Option<&'a Cells> {
    let Difference::Changed {
        table: "queue_jobs",
        after,
        ..
    } = difference
    else {
        return None;
    };
    (get(after, "next_attempt_id") == Some(next)).then_some(*after)
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

/// Whether a difference is a new job of a queue about a user.
fn is_job_for(difference: &Difference<'_>, queue: &str, user: Option<&str>) -> bool {
    let Difference::Added {
        table: "queue_jobs",
        row,
        ..
    } = difference
    else {
        return false;
    };
    let payload = get(row, "payload").unwrap_or_default();
    get(row, "queue_name") == Some(queue) && user.is_some_and(|user| payload.contains(user))
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
