//! Times as scripts get, read, compare and move them.

use masctl::error::Code;
use rstest::rstest;
use serde_json::json;

use crate::support::{cast::CREATED_AT, scripted::Stage, store::Store};

fn stage(kind: Store, name: &str) -> Stage {
    Stage::open(kind, &format!("{name}_{kind:?}").to_lowercase(), "{}")
}

#[rstest]
fn times_of_the_store_are_compared_moved_and_counted(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "times_moved");
    let body = format!(
        r#"
        let made = users::get("alice").created_at;
        let now = time::now();
        #{{
            same: made == time::parse("{CREATED_AT}"),
            later: now > made && made < now && now >= made && made <= now && now != made,
            day: time::parse("2024-04-08T23:00:00+02:00") - time::parse("2024-04-08"),
            back: time::parse("2024-04-08") - time::parse("2024-04-09"),
            cut: time::parse("2024-04-08T00:00:01.999999Z") - time::parse("2024-04-08"),
            moved: [time::parse("2024-02-28") + 86400, time::parse("2024-03-01") - 86400],
            ago: now - time::ago("90d") < 90 * 86400,
            alike: time::ago(3600) - time::ago("1h"),
            used: users::count(#{{ created_before: time::ago("1w") }}),
            text: `${{time::parse("2024-04-08T01:02:03.5+01:00")}}`,
        }}"#
    );
    let outcome = stage.run(&["users:read"], &[], &body).unwrap();
    let midnight = "2024-02-29T00:00:00Z";
    assert_eq!(
        outcome.result,
        json!({
            "same": true,
            // The tests' clock stands in 2020, before the cast was made.
            "later": false,
            "day": 21 * 3600,
            "back": -86400,
            "cut": 1,
            "moved": [midnight, midnight],
            "ago": true,
            "alike": 0,
            "used": 0,
            "text": "2024-04-08T00:02:03.500Z",
        })
    );
}

#[rstest]
fn what_is_no_time_is_refused() {
    let stage = stage(Store::Sqlite, "times_refused");
    for (body, message) in [
        (
            "time::parse(\"90d\")",
            "A time is written `2026-01-31T12:00:00Z` or `2026-01-31`",
        ),
        (
            "time::parse(\"2024-02-30\")",
            "A time is written `2026-01-31T12:00:00Z` or `2026-01-31`",
        ),
        (
            "time::parse(\"\")",
            "A time is written `2026-01-31T12:00:00Z` or `2026-01-31`",
        ),
        (
            "time::ago(\"1 day\")",
            "How long ago it was must be a duration: seconds, or a number with s, m, h, d or w, such as `30d`",
        ),
        (
            "time::ago(\"-1d\")",
            "How long ago it was must be a duration: seconds, or a number with s, m, h, d or w, such as `30d`",
        ),
        ("time::ago(-1)", "How long ago it was must not be negative"),
        (
            "time::ago(\"1001000d\")",
            "How long ago it was must not be longer ago than 1000 years",
        ),
        (
            "time::now() + 9223372036854775807",
            "There is no calendar that far away",
        ),
        (
            "time::now() - (-9223372036854775807 - 1)",
            "There is no calendar that far away",
        ),
    ] {
        let error = stage.run(&[], &[], body).unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::ValueInvalid, message), "{body}");
        assert!(!error.excerpts().is_empty(), "{body}");
    }
}
