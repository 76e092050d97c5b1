//! The homeserver of the tests answers as Synapse does.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use rstest::rstest;

use crate::support::homeserver::{BROKEN_USER, Homeserver, Mood, SECRET};

/// Sends one request and returns the status and what the body says.
fn ask(homeserver: &Homeserver, secret: &str, target: &str, body: &str) -> (String, String) {
    let endpoint = homeserver.endpoint();
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).expect("the homeserver listens");
    let length = body.len();
    write!(
        stream,
        "{target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .expect("the homeserver reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the homeserver answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    (head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned())
}

/// Asks in order, and compares each answer: the end of the path, the body or nothing for a query, the status, and a
/// part of what comes back.
fn converse(homeserver: &Homeserver, requests: &[(&str, &str, &str, &str)]) {
    for (name, body, status, part) in requests {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let target = format!("{method} /_synapse/mas/{name}");
        let answer = ask(homeserver, SECRET, &target, body);
        assert_eq!(&answer.0, status, "{target} {body}: {}", answer.1);
        assert!(answer.1.contains(part), "{target} {body}: {}", answer.1);
    }
}

#[rstest]
#[case::free("alice", "200", "{}")]
#[case::taken("taken", "400", "M_USER_IN_USE")]
#[case::upper_case("Alice", "400", "M_INVALID_USERNAME")]
#[case::digits("1234", "400", "M_INVALID_USERNAME")]
#[case::underscore("_alice", "400", "M_INVALID_USERNAME")]
#[case::empty("", "400", "M_INVALID_USERNAME")]
#[case::not_ascii("%C3%A9", "400", "M_UNKNOWN")]
fn a_localpart_is_available_or_not(#[case] localpart: &str, #[case] status: &str, #[case] code: &str) {
    let name = format!("is_localpart_available?localpart={localpart}");
    converse(&Homeserver::start(), &[(&name, "", status, code)]);
}

#[test]
fn what_is_no_request_is_refused_before_anything_is_looked_up() {
    let cases = [
        ("provision_user", "alice", "400", "M_NOT_JSON"),
        ("provision_user", "[]", "400", "M_BAD_JSON"),
        ("provision_user", "{}", "400", "M_MISSING_PARAM"),
        ("provision_user", r#"{"localpart":1}"#, "400", "M_BAD_JSON"),
        (
            "provision_user",
            r#"{"localpart":"alice","set_displayname":"A","unset_displayname":false}"#,
            "400",
            "M_INVALID_PARAM",
        ),
        ("delete_user", r#"{"localpart":"alice"}"#, "400", "M_MISSING_PARAM"),
        ("upsert_device", r#"{"localpart":"alice"}"#, "400", "M_MISSING_PARAM"),
        (
            "sync_devices",
            r#"{"localpart":"alice","devices":[1]}"#,
            "400",
            "M_BAD_JSON",
        ),
        (
            "set_displayname",
            r#"{"localpart":"alice","display_name":"A"}"#,
            "400",
            "M_MISSING_PARAM",
        ),
        ("provision_user", "", "405", "M_UNRECOGNIZED"),
        ("query_user", "{}", "405", "M_UNRECOGNIZED"),
        ("query_user", "", "400", "M_MISSING_PARAM"),
        ("query_users", "", "404", "<html>"),
    ];
    let homeserver = Homeserver::start();
    converse(&homeserver, &cases);
    assert_eq!(homeserver.users(), Vec::<String>::new());
}

#[test]
fn a_user_that_nobody_made_is_unknown() {
    let cases = [
        ("query_user?localpart=alice", "", "404", "M_NOT_FOUND"),
        (
            "upsert_device",
            r#"{"localpart":"alice","device_id":"A"}"#,
            "404",
            "M_NOT_FOUND",
        ),
        (
            "delete_device",
            r#"{"localpart":"alice","device_id":"A"}"#,
            "404",
            "M_NOT_FOUND",
        ),
        (
            "sync_devices",
            r#"{"localpart":"alice","devices":[]}"#,
            "404",
            "M_NOT_FOUND",
        ),
        (
            "delete_user",
            r#"{"localpart":"alice","erase":false}"#,
            "404",
            "M_NOT_FOUND",
        ),
        ("reactivate_user", r#"{"localpart":"alice"}"#, "404", "M_NOT_FOUND"),
        (
            "set_displayname",
            r#"{"localpart":"alice","displayname":"A"}"#,
            "404",
            "M_NOT_FOUND",
        ),
        ("unset_displayname", r#"{"localpart":"alice"}"#, "404", "M_NOT_FOUND"),
        (
            "allow_cross_signing_reset",
            r#"{"localpart":"alice"}"#,
            "404",
            "M_NOT_FOUND",
        ),
    ];
    converse(&Homeserver::start(), &cases);
}

#[test]
fn a_user_is_made_and_changed() {
    let homeserver = Homeserver::start();
    let provision = "provision_user";
    converse(
        &homeserver,
        &[(provision, r#"{"localpart":"alice","locked":false}"#, "201", "{}")],
    );
    assert_eq!(homeserver.users(), [r#"alice "alice""#]);
    let full = r#"{"localpart":"alice","locked":true,"set_displayname":"Alice","set_emails":["A@example.com","b@x"]}"#;
    converse(
        &homeserver,
        &[
            (provision, full, "200", "{}"),
            ("is_localpart_available?localpart=alice", "", "400", "M_USER_IN_USE"),
            (provision, r#"{"localpart":"Alice"}"#, "400", "M_INVALID_USERNAME"),
            (
                provision,
                r#"{"localpart":"alice","set_emails":["none"]}"#,
                "400",
                "M_UNKNOWN",
            ),
            (
                provision,
                r#"{"localpart":"bob","set_displayname":"","set_emails":["b@x"]}"#,
                "201",
                "{}",
            ),
        ],
    );
    assert_eq!(
        homeserver.users(),
        [r#"alice "Alice" locked <a@example.com>"#, "bob <b@x>"]
    );
}

#[test]
fn devices_are_made_named_and_removed() {
    let homeserver = Homeserver::start();
    homeserver.add_users(["alice"]);
    let device = |name| format!(r#"{{"localpart":"alice","device_id":"A","display_name":"{name}"}}"#);
    converse(
        &homeserver,
        &[
            ("update_device_display_name", &device("x"), "404", "M_NOT_FOUND"),
            ("upsert_device", r#"{"localpart":"alice","device_id":"A"}"#, "201", "{}"),
            ("update_device_display_name", &device("Phone"), "200", "{}"),
            ("upsert_device", &device(&"x".repeat(101)), "400", "M_TOO_LARGE"),
            ("upsert_device", r#"{"localpart":"alice","device_id":"A"}"#, "200", "{}"),
            (
                "sync_devices",
                r#"{"localpart":"alice","devices":["A","C"]}"#,
                "200",
                "{}",
            ),
        ],
    );
    assert_eq!(homeserver.users()[0], r#"alice "alice" A="Phone" C"#);
    converse(
        &homeserver,
        &[
            ("delete_device", r#"{"localpart":"alice","device_id":"C"}"#, "204", ""),
            ("delete_device", r#"{"localpart":"alice","device_id":"C"}"#, "204", ""),
        ],
    );
    assert_eq!(homeserver.users(), [r#"alice "alice" A="Phone""#]);
}

#[test]
fn a_user_is_deactivated_and_brought_back() {
    let homeserver = Homeserver::start();
    let full = r#"{"localpart":"alice","locked":true,"set_displayname":"Alice","set_emails":["a@x"]}"#;
    converse(
        &homeserver,
        &[
            ("provision_user", full, "201", "{}"),
            ("upsert_device", r#"{"localpart":"alice","device_id":"A"}"#, "201", "{}"),
            ("delete_user", r#"{"localpart":"alice","erase":true}"#, "200", "{}"),
            (
                "query_user?localpart=alice",
                "",
                "200",
                r#""display_name":null,"avatar_url":null"#,
            ),
            ("query_user?localpart=alice", "", "200", r#""is_deactivated":true"#),
        ],
    );
    assert_eq!(homeserver.users(), ["alice locked deactivated erased"]);
    converse(
        &homeserver,
        &[
            ("reactivate_user", r#"{"localpart":"alice"}"#, "200", "{}"),
            (
                "set_displayname",
                r#"{"localpart":"alice","displayname":"A"}"#,
                "200",
                "{}",
            ),
            (
                "query_user?localpart=alice",
                "",
                "200",
                r#""user_id":"@alice:example.com","display_name":"A""#,
            ),
            ("unset_displayname", r#"{"localpart":"alice"}"#, "200", "{}"),
            ("allow_cross_signing_reset", r#"{"localpart":"alice"}"#, "200", "{}"),
        ],
    );
    assert_eq!(homeserver.users(), ["alice locked"]);
}

#[test]
fn what_is_broken_fails() {
    let homeserver = Homeserver::start();
    homeserver.add_users(["alice"]);
    converse(
        &homeserver,
        &[
            (
                "upsert_device",
                r#"{"localpart":"alice","device_id":"BROKEN"}"#,
                "500",
                "M_UNKNOWN",
            ),
            (
                "sync_devices",
                r#"{"localpart":"alice","devices":["BROKEN"]}"#,
                "500",
                "M_UNKNOWN",
            ),
            (
                "provision_user",
                &format!(r#"{{"localpart":"{BROKEN_USER}"}}"#),
                "500",
                "M_UNKNOWN",
            ),
            (
                "reactivate_user",
                &format!(r#"{{"localpart":"{BROKEN_USER}"}}"#),
                "500",
                "M_UNKNOWN",
            ),
        ],
    );
    assert_eq!(homeserver.users(), [r#"alice "alice""#]);
}

#[rstest]
#[case::broken("broken", "500", "M_UNKNOWN")]
#[case::down("down", "502", "<html>")]
#[case::page("page", "200", "<html>")]
#[case::elsewhere("elsewhere", "307", "")]
#[case::healthy("healthy", "200", "{}")]
fn it_answers_as_it_feels(#[case] mood: &str, #[case] status: &str, #[case] part: &str) {
    let homeserver = Homeserver::start();
    homeserver.set_mood(Mood::parse(mood).expect("a mood"));
    converse(
        &homeserver,
        &[("is_localpart_available?localpart=alice", "", status, part)],
    );
}

#[test]
fn only_the_secret_opens_and_every_request_is_remembered_once() {
    let homeserver = Homeserver::start();
    let target = "POST /_synapse/mas/upsert_device";
    assert_eq!(ask(&homeserver, "guessed", target, "{}").0, "403");
    assert_eq!(ask(&homeserver, SECRET, "GET /elsewhere?a=b", "").0, "404");
    assert_eq!(
        homeserver.take_requests(),
        [&format!("{target} {{}}"), "GET /elsewhere?a=b"]
    );
    assert_eq!(homeserver.take_requests(), Vec::<String>::new());
}
