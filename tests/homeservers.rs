//! The homeserver of the tests answers as Synapse does.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use rstest::rstest;

use crate::support::homeserver::{Homeserver, SECRET};

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

#[rstest]
#[case::free("alice", "200", "{}")]
#[case::taken("taken", "400", "M_USER_IN_USE")]
#[case::upper_case("Alice", "400", "M_INVALID_USERNAME")]
#[case::digits("1234", "400", "M_INVALID_USERNAME")]
#[case::underscore("_alice", "400", "M_INVALID_USERNAME")]
#[case::empty("", "400", "M_INVALID_USERNAME")]
#[case::not_ascii("%C3%A9", "400", "M_UNKNOWN")]
fn a_localpart_is_available_or_not(#[case] localpart: &str, #[case] status: &str, #[case] code: &str) {
    let homeserver = Homeserver::start();
    let target = format!("GET /_synapse/mas/is_localpart_available?localpart={localpart}");
    let (got, body) = ask(&homeserver, SECRET, &target, "");
    assert_eq!(got, status);
    assert!(body.contains(code), "{body}");
}

#[rstest]
#[case::new(r#"{"localpart":"alice","device_id":"DEVICE"}"#, "201")]
#[case::broken(r#"{"localpart":"alice","device_id":"BROKEN"}"#, "500")]
#[case::no_device(r#"{"localpart":"alice"}"#, "400")]
#[case::no_json("alice", "400")]
fn a_device_is_made_or_not(#[case] body: &str, #[case] status: &str) {
    assert_eq!(
        ask(&Homeserver::start(), SECRET, "POST /_synapse/mas/upsert_device", body).0,
        status
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
