//! Moments and durations as people write them: `2026-01-31T12:00:00Z`, `2026-01-31`, `90d`.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{Time, to_stored_precision};

/// How long ago a time may be that is given so, in seconds: its year has four digits then.
const LONGEST_AGO: i64 = 1000 * 365 * 24 * 60 * 60;

/// A moment, or how many seconds ago it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This moment.
    At(Time),
    /// So many seconds before now.
    Ago(i64),
}

/// The seconds of a duration: a number of them, or one with a unit.
///
/// # Errors
/// What is wrong, as a predicate such as `must be a duration`. It never holds the text.
pub fn duration(text: &str) -> Result<i64, &'static str> {
    let Some((count, unit)) = count_and_unit(text) else {
        return Err("must be a duration: seconds, or a number with s, m, h, d or w, such as `30d`");
    };
    let seconds = count.parse::<i64>().ok().and_then(|count| count.checked_mul(unit));
    seconds.ok_or("must be a duration that fits in 64 bits of seconds")
}

/// The digits of a duration, and how many seconds each of its units has: one if none is written.
fn count_and_unit(text: &str) -> Option<(&str, i64)> {
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(60 * 60),
        "d" => Some(24 * 60 * 60),
        "w" => Some(7 * 24 * 60 * 60),
        _ => None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    unit.filter(|_| is_number).map(|unit| (digits, unit))
}

/// How many seconds ago a moment was, if it is not too long.
///
/// # Errors
/// As of [`duration`].
pub fn ago(seconds: i64) -> Result<i64, &'static str> {
    match seconds {
        ..0 => Err("must not be negative"),
        0..=LONGEST_AGO => Ok(seconds),
        _ => Err("must not be longer ago than 1000 years"),
    }
}

/// A moment, or how long ago it was. A number without a unit could be either, and is neither.
///
/// # Errors
/// As of [`duration`].
pub fn when(text: &str) -> Result<When, &'static str> {
    match moment(text) {
        Some(time) => Ok(When::At(time)),
        None if text.ends_with(|last: char| last.is_ascii_lowercase()) && count_and_unit(text).is_some() => {
            let seconds = duration(text).unwrap_or(i64::MAX);
            ago(seconds).map(When::Ago)
        }
        None => Err(
            "must be a time such as `2026-01-31T12:00:00Z`, a date such as `2026-01-31`, or a duration such as `90d` for that long ago",
        ),
    }
}

/// A moment in RFC 3339, or the beginning of a day in UTC.
#[must_use]
pub fn moment(text: &str) -> Option<Time> {
    // chrono alone would take years of any length and dates without their zeros.
    let date = (text.len() == "YYYY-MM-DD".len())
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten();
    let time = match date {
        Some(date) => Some(date.and_time(NaiveTime::MIN).and_utc()),
        None => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.with_timezone(&Utc)),
    };
    time.map(to_stored_precision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_a_date_or_so_long_ago() {
        let noon = When::At("2026-01-31T12:00:00Z".parse().unwrap());
        assert_eq!(when("2026-01-31T13:00:00+01:00"), Ok(noon));
        let midnight = When::At("2026-01-31T00:00:00Z".parse().unwrap());
        assert_eq!(when("2026-01-31"), Ok(midnight));
        assert_eq!(when("2w"), Ok(When::Ago(14 * 24 * 60 * 60)));
        for wrong in [
            "",
            "90",
            "2026-1-31",
            "2026-02-30",
            "12026-01-31",
            "90 d",
            "-1d",
            "1000001d",
            "ñd",
        ] {
            assert!(when(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn so_long_ago_is_no_future_and_no_eternity() {
        assert_eq!(ago(0), Ok(0));
        assert_eq!(ago(-1), Err("must not be negative"));
        assert_eq!(ago(i64::MAX), Err("must not be longer ago than 1000 years"));
        assert_eq!(
            when("99999999999999999999d"),
            Err("must not be longer ago than 1000 years")
        );
    }
}
