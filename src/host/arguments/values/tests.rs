use super::*;
use crate::host::header::Header;

/// A parameter with these keys.
fn param(keys: &str) -> Param {
    let source = format!("//! ---\n//! params:\n//!   it: {{ {keys} }}\n");
    let mut header = Header::parse("test.rhai", &source).unwrap_or_else(|error| panic!("{keys}: {error}"));
    header.params.remove(0)
}

fn shown(keys: &str, text: &str) -> String {
    match parse(&param(keys), text) {
        Ok(Value::Text(text)) => text,
        Ok(Value::Link { provider, subject }) => format!("{provider} {subject}"),
        Ok(Value::Time(time)) => time.to_rfc3339(),
        Ok(value) => format!("{value:?}"),
        Err(problem) => format!("! {problem}"),
    }
}

const ULID: &str = "01GFWR28C4KNE04WG3HKXB7C9R";
const NO_DURATION: &str = "! must be a duration: seconds, or a number with s, m, h, d or w, such as `30d`";
const NO_TIME: &str = "! must be a time such as `2026-01-31T12:00:00Z`, a date such as `2026-01-31`, or a duration such as `90d` for that long ago";
const NO_ULID: &str = "! must be a ULID, which has 26 characters of 0-9 and A-Z";
const NO_LINK: &str = "! must be the ULID of a provider and a subject, `ULID:SUBJECT`";

/// Keys of a parameter, a text, and its value or what is wrong.
const TEXTS: &[(&str, &str, &str)] = &[
    ("type: string", "", ""),
    ("type: string", "two words", "two words"),
    ("type: string, pattern: 'a|bc'", "bc", "bc"),
    (
        "type: string, pattern: 'a|bc'",
        "abc",
        "! must match the pattern `a|bc`",
    ),
    ("type: string, pattern: 'a'", "a\n", "! must match the pattern `a`"),
    ("type: path", "./a b", "./a b"),
    ("type: path", "", "! must be the path of a file or folder"),
    ("type: path", "a\0b", "! must be the path of a file or folder"),
    ("type: url", "https://example.com", "https://example.com/"),
    (
        "type: url",
        "example.com",
        "! must be a URL with its scheme: relative URL without a base",
    ),
    ("type: email", "Alice@localhost", "Alice@localhost"),
    ("type: email", "alice@[192.0.2.1]", "alice@[192.0.2.1]"),
    ("type: email", "ñ@example.com", "ñ@example.com"),
    (
        "type: email",
        "",
        "! must be an e-mail address: missing separator character '@'",
    ),
    (
        "type: email",
        "@example.com",
        "! must be an e-mail address: local part is empty",
    ),
    ("type: ulid", "01gfwr28c4kne04wg3hkxb7c9r", ULID),
    ("type: ulid", "01GFWR28C4KNE04WG3HKXB7C9", NO_ULID),
    ("type: ulid", "0183f981-2184-9d5c-0272-038cfab3b138", NO_ULID),
    ("type: provider", ULID, ULID),
    ("type: provider", "google", NO_ULID),
    ("type: user", "@Alice:example.com", "@Alice:example.com"),
    ("type: user", "", "! must not be empty"),
    ("type: user", "a\tb", "! must not have control characters"),
    ("type: enum, values: [low, high]", "low", "low"),
    ("type: enum, values: [low, high]", "Low", "! must be one of low, high"),
    (
        "type: link",
        "01GFWR28C4KNE04WG3HKXB7C9R:a:b",
        "01GFWR28C4KNE04WG3HKXB7C9R a:b",
    ),
    ("type: link", "01GFWR28C4KNE04WG3HKXB7C9R:", NO_LINK),
    ("type: link", "01GFWR28C4KNE04WG3HKXB7C9R", NO_LINK),
    (
        "type: link",
        ":a",
        "! must start with the ULID of a provider, and that must be a ULID, which has 26 characters of 0-9 and A-Z",
    ),
];

#[test]
fn texts_of_each_type() {
    for (keys, text, expected) in TEXTS {
        assert_eq!(shown(keys, text), *expected, "{keys} {text:?}");
    }
    assert!(shown("type: email", "Alice <alice@example.com>").starts_with("! must be an e-mail address: "));
    assert_eq!(
        shown("type: user", &"a".repeat(1025)),
        "! must not be longer than 1024 bytes"
    );
    assert_eq!(
        shown("type: string", &"a".repeat(MAX_BYTES + 1)),
        "! must not be longer than 64 KiB"
    );
}

#[test]
fn numbers_and_switches() {
    let table = [
        ("type: int", "-9223372036854775808", "Int(-9223372036854775808)"),
        (
            "type: int",
            "9223372036854775808",
            "! must be a whole number that fits in 64 bits",
        ),
        ("type: int", "1.0", "! must be a whole number"),
        ("type: int", "", "! must be a whole number"),
        ("type: int, min: 0, max: 0x10", "16", "Int(16)"),
        ("type: int, min: 0, max: 16", "-1", "! must be at least 0"),
        ("type: int, min: 0, max: 16", "17", "! must be at most 16"),
        ("type: float", "-0.5e1", "Float(-5.0)"),
        ("type: float", "nan", "! must be a finite number, such as `0.5`"),
        ("type: float", "1e999", "! must be a finite number, such as `0.5`"),
        ("type: float, min: 0.5", "0.4", "! must be at least 0.5"),
        ("type: bool", "true", "Bool(true)"),
        ("type: bool", "0", "Bool(false)"),
        ("type: bool", "yes", "! must be `true` or `false`"),
    ];
    for (keys, text, expected) in table {
        assert_eq!(shown(keys, text), expected, "{keys} {text:?}");
    }
}

#[test]
fn durations_and_times() {
    let table = [
        ("type: duration", "0", "Int(0)"),
        ("type: duration", "90", "Int(90)"),
        ("type: duration", "90s", "Int(90)"),
        ("type: duration", "15m", "Int(900)"),
        ("type: duration", "2h", "Int(7200)"),
        ("type: duration", "30d", "Int(2592000)"),
        ("type: duration", "2w", "Int(1209600)"),
        ("type: duration", "", NO_DURATION),
        ("type: duration", "d", NO_DURATION),
        ("type: duration", "-1", NO_DURATION),
        ("type: duration", "+1", NO_DURATION),
        ("type: duration", "1.5h", NO_DURATION),
        ("type: duration", "1h30m", NO_DURATION),
        ("type: duration", "1 h", NO_DURATION),
        ("type: duration", "1H", NO_DURATION),
        ("type: duration", "９s", NO_DURATION),
        (
            "type: duration",
            "15250284452472w",
            "! must be a duration that fits in 64 bits of seconds",
        ),
        (
            "type: duration",
            "9223372036854775808",
            "! must be a duration that fits in 64 bits of seconds",
        ),
        ("type: duration, min: 1h, max: 1d", "59m", "! must last at least 1h"),
        ("type: duration, min: 1h, max: 1d", "60m", "Int(3600)"),
        ("type: duration, min: 1h, max: 1d", "25h", "! must last at most 1d"),
        ("type: time", "2026-01-31", "2026-01-31T00:00:00+00:00"),
        (
            "type: time",
            "2026-01-31T12:00:00.1234567+02:00",
            "2026-01-31T10:00:00.123456+00:00",
        ),
        ("type: time", "2026-01-31T12:00:00", NO_TIME),
        ("type: time", "2026-02-30", NO_TIME),
        ("type: time", "2026-1-31", NO_TIME),
        ("type: time", "+262142-1-1", NO_TIME),
        ("type: time", "now", NO_TIME),
        ("type: time", "90d", "Ago(7776000)"),
        ("type: time", "12h", "Ago(43200)"),
        ("type: time", "0s", "Ago(0)"),
        ("type: time", "52143w", "! must not be longer ago than 1000 years"),
        (
            "type: time",
            "15250284452472w",
            "! must not be longer ago than 1000 years",
        ),
        ("type: time", "365000d", "Ago(31536000000)"),
        // It could be seconds ago, or since 1970, or a year.
        ("type: time", "90", NO_TIME),
        ("type: time", "2026", NO_TIME),
        ("type: time", "-90d", NO_TIME),
        ("type: time", "90d ago", NO_TIME),
        ("type: time", "90y", NO_TIME),
    ];
    for (keys, text, expected) in table {
        assert_eq!(shown(keys, text), expected, "{keys} {text:?}");
    }
}

#[test]
fn secrets_are_taken_as_they_are_and_never_shown() {
    let shown = shown("type: secret", " hunter2 ");
    assert!(shown.starts_with("Secret(") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(parse(&param("type: secret"), "").unwrap_err(), "must not be empty");
}
