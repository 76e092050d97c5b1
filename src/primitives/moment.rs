//! Moments as text, RFC 3339 in UTC with as many digits of the second as it has: `2020-01-01T00:00:30.250Z`.

use chrono::{Datelike, SecondsFormat, Timelike};

use crate::model::Time;

/// The moment as text. A list of many rows has so many of them that writing them is worth some care.
pub(super) fn text(time: Time) -> String {
    let (date, clock) = (time.date_naive(), time.time());
    let (year, nanoseconds) = (date.year(), clock.nanosecond());
    let is_usual = (0..=9999).contains(&year) && nanoseconds < 1_000_000_000 && nanoseconds.is_multiple_of(1000);
    if !is_usual {
        return time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    }
    let mut text = String::with_capacity("2020-01-01T00:00:00.000000Z".len());
    let parts = [
        (year.unsigned_abs(), 4, '-'),
        (date.month(), 2, '-'),
        (date.day(), 2, 'T'),
        (clock.hour(), 2, ':'),
        (clock.minute(), 2, ':'),
    ];
    for (number, digits, after) in parts {
        write(number, digits, &mut text);
        text.push(after);
    }
    write(clock.second(), 2, &mut text);
    if nanoseconds > 0 {
        text.push('.');
        if nanoseconds.is_multiple_of(1_000_000) {
            write(nanoseconds / 1_000_000, 3, &mut text);
        } else {
            write(nanoseconds / 1000, 6, &mut text);
        }
    }
    text.push('Z');
    text
}

/// A number with so many digits.
fn write(number: u32, digits: u32, text: &mut String) {
    for place in (0..digits).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_is_written_as_chrono_does_it() {
        for moment in [
            "2020-01-01T00:00:00Z",
            "2020-12-31T23:59:59.250Z",
            "0000-01-01T10:20:30.000001Z",
            "9999-12-31T23:59:59.999999Z",
            "2024-02-29T01:02:03.4Z",
            "2024-02-29T01:02:03.123456789Z",
            "2016-12-31T23:59:60Z",
            "+10000-01-01T00:00:00Z",
            "-0001-01-01T00:00:00.5Z",
        ] {
            let time: Time = moment.parse().unwrap();
            assert_eq!(text(time), time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        }
        assert_eq!(
            text("2020-01-01T00:00:30.25Z".parse().unwrap()),
            "2020-01-01T00:00:30.250Z"
        );
    }
}
