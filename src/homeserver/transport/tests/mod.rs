//! What holds for every call, whichever API is spoken: what failures are said to be, and that the secret is in none of
//! them.

mod retries;
mod stage;

use reqwest::{Method, StatusCode};
use serde_json::json;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

pub(in crate::homeserver) use self::stage::{
    SECRET, answering, every_call, matrix, refusal, replaying, requests, shown, sub,
};
use super::*;
use crate::homeserver::{Homeserver, LegacySynapse, Synapse};

const SHORT: Limits = Limits {
    connect: Duration::from_secs(5),
    read: Duration::from_millis(100),
    write: Duration::from_millis(200),
    device: Duration::from_millis(1),
    devices: Duration::from_millis(300),
    deactivation: Duration::from_millis(250),
};

/// One client of each API.
fn clients(endpoint: &str, limits: Limits) -> [Box<dyn Homeserver>; 2] {
    let matrix = matrix(endpoint);
    [
        Box::new(Synapse::new(&matrix, limits)),
        Box::new(LegacySynapse::new(&matrix, limits)),
    ]
}

/// What a device that is to be made fails with: code, message and help, with `URI` for where the homeserver is.
async fn failure(response: ResponseTemplate) -> (Code, String, String) {
    let server = answering(response).await;
    let homeserver = Synapse::new(&matrix(&server.uri()), Limits::default());
    let error = homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err();
    let (code, message, help) = shown(&error);
    (code, message.replace(&server.uri(), "URI"), help)
}

/// What every call of both APIs fails with where everything is answered alike.
async fn failures(response: ResponseTemplate) -> Vec<(&'static str, Code, String, String)> {
    let server = answering(response).await;
    let mut failures = Vec::new();
    for homeserver in clients(&server.uri(), Limits::default()) {
        for (call, result) in every_call(homeserver.as_ref()).await {
            let (code, message, help) = shown(&result.expect_err(call));
            failures.push((call, code, message.replace(&server.uri(), "URI"), help));
        }
    }
    assert_eq!(failures.len(), 24);
    failures
}

#[tokio::test]
async fn an_endpoint_may_have_a_path_with_or_without_its_last_slash() {
    for suffix in ["", "/", "/sub/path", "/sub/path/", "/sub/path?x=y#z"] {
        let prefix = if suffix.len() > 1 { "/sub/path" } else { "" };
        let server = answering(ResponseTemplate::new(201)).await;
        for homeserver in clients(&format!("{}{suffix}", server.uri()), Limits::default()) {
            homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap();
        }
        let asked = requests(&server).await;
        let expected = [
            format!(r#"POST {prefix}/_synapse/mas/upsert_device {{"localpart":"alice","device_id":"LAPTOP"}}"#),
            format!(r#"POST {prefix}/_synapse/admin/v2/users/%40alice%3Aexample.com/devices {{"device_id":"LAPTOP"}}"#),
        ];
        assert_eq!(asked, expected, "{suffix}");
    }
}

#[tokio::test]
async fn a_call_carries_the_secret_and_nothing_that_is_in_the_endpoint() {
    let server = answering(ResponseTemplate::new(500)).await;
    let endpoint = server.uri().replace("http://", "http://bob:hunter2@");
    for homeserver in clients(&endpoint, Limits::default()) {
        let error = homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err();
        let shown = format!("{error} {homeserver:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(SECRET), "{shown}");
    }
    for request in server.received_requests().await.unwrap() {
        let sent: Vec<_> = request.headers.get_all("authorization").iter().collect();
        assert_eq!(sent, ["Bearer correct-horse"]);
        assert_eq!(request.headers["user-agent"], USER_AGENT);
        assert_eq!(request.headers["content-type"], "application/json");
    }
}

const LOG: &str = "Look at the homeserver's log.";

/// Status, errcode and error of an answer; code and a part of the message and of the help that it becomes.
const REFUSALS: &[(u16, &str, &str, Code, &str, &str)] = &[
    (
        403,
        "M_UNKNOWN",
        "This endpoint must only be called by MAS",
        Code::HomeserverRefused,
        "refuses the secret",
        "matrix.secret",
    ),
    (
        401,
        "M_MISSING_TOKEN",
        "Missing access token",
        Code::HomeserverRefused,
        "refuses the secret",
        "matrix.secret",
    ),
    (
        500,
        "M_UNKNOWN",
        "Internal server error",
        Code::HomeserverFailed,
        "answers 500 M_UNKNOWN: Internal server error.",
        LOG,
    ),
    (
        404,
        "M_NOT_FOUND",
        "User not found",
        Code::HomeserverFailed,
        "The homeserver has no user `alice` yet",
        "job",
    ),
    (
        404,
        "M_UNRECOGNIZED",
        "Unrecognized request",
        Code::HomeserverFailed,
        "has no MAS integration enabled (404 M_UNRECOGNIZED: Unrecognized request).",
        "matrix_authentication_service",
    ),
    (
        405,
        "M_UNRECOGNIZED",
        "Unrecognized request",
        Code::HomeserverFailed,
        "answers 405 M_UNRECOGNIZED",
        LOG,
    ),
    (
        400,
        "M_BAD_JSON",
        "field\nrequired",
        Code::HomeserverFailed,
        "400 M_BAD_JSON: field required.",
        LOG,
    ),
    (
        400,
        "<b>",
        "no code of Matrix",
        Code::HomeserverFailed,
        "answers 400 without a Matrix error.",
        "matrix.endpoint",
    ),
    (
        400,
        "M_UNKNOWN",
        "token correct-horse",
        Code::HomeserverFailed,
        "M_UNKNOWN: token <secret>",
        LOG,
    ),
];

#[tokio::test]
async fn each_refusal_has_its_own_words() {
    for &(status, errcode, error, code, message, help) in REFUSALS {
        let shown = failure(refusal(status, errcode, error)).await;
        assert_eq!(shown.0, code, "{status} {errcode}");
        assert!(shown.1.contains(message), "{status} {errcode}: {}", shown.1);
        assert!(shown.2.contains(help), "{status} {errcode}: {}", shown.2);
    }
}

#[tokio::test]
async fn every_call_says_that_the_secret_is_wrong() {
    for status in [401, 403] {
        for (call, code, message, help) in failures(refusal(status, "M_UNKNOWN_TOKEN", SECRET)).await {
            assert_eq!(code, Code::HomeserverRefused, "{call}");
            let expected = format!("The homeserver at `URI` refuses the secret ({status} M_UNKNOWN_TOKEN: <secret>).");
            assert_eq!(message, expected, "{call}");
            assert!(help.contains("`matrix.secret` must be the"), "{call}: {help}");
        }
    }
}

#[tokio::test]
async fn every_call_takes_a_page_for_a_failure_and_does_not_show_it() {
    let page = format!("<html><title>{SECRET}</title>Bad gateway</html>");
    for (status, code, message) in [
        (
            200,
            Code::HomeserverFailed,
            "The homeserver at `URI` answers 200, but with a web page: it is not Synapse",
        ),
        (
            201,
            Code::HomeserverFailed,
            "The homeserver at `URI` answers 201, but with a web page: it is not Synapse",
        ),
        (
            404,
            Code::HomeserverFailed,
            "The homeserver at `URI` answers 404 without a Matrix error.",
        ),
        (
            502,
            Code::HomeserverFailed,
            "The homeserver at `URI` answers 502 without a Matrix error.",
        ),
        (
            403,
            Code::HomeserverRefused,
            "The homeserver at `URI` refuses the secret (403 without a Matrix error).",
        ),
    ] {
        let response = ResponseTemplate::new(status).set_body_raw(page.clone(), "text/html; charset=utf-8");
        for (call, shown, words, help) in failures(response).await {
            assert_eq!((shown, words.as_str()), (code, message), "{call}");
            assert!(
                help.contains("`/_synapse/") || help.contains("`matrix.secret`"),
                "{call}: {help}"
            );
        }
    }
    let (_, message, _) = failure(ResponseTemplate::new(400).set_body_json(json!(["a", "list"]))).await;
    assert_eq!(message, "The homeserver at `URI` answers 400 without a Matrix error.");
}

#[tokio::test]
async fn every_call_about_a_user_that_the_homeserver_lacks_names_it() {
    let server = answering(refusal(404, "M_NOT_FOUND", "User not found")).await;
    for homeserver in clients(&server.uri(), Limits::default()) {
        for (call, result) in every_call(homeserver.as_ref()).await {
            if call == "query_user" {
                result.expect(call);
                continue;
            }
            let (code, message, help) = shown(&result.expect_err(call));
            assert_eq!(code, Code::HomeserverFailed, "{call}");
            if matches!(call, "is_localpart_available" | "provision_user") {
                let expected = "answers 404 M_NOT_FOUND: User not found.";
                assert!(message.ends_with(expected), "{call}: {message}");
            } else {
                let expected = "The homeserver has no user `alice` yet";
                assert!(message.starts_with(expected), "{call}: {message}");
                assert!(help.contains("provision-all-users"), "{call}: {help}");
            }
        }
    }
}

#[tokio::test]
async fn every_call_fails_where_the_homeserver_fails() {
    for (call, code, message, help) in failures(refusal(500, "M_UNKNOWN", &format!("at {SECRET}"))).await {
        assert_eq!(code, Code::HomeserverFailed, "{call}");
        assert_eq!(
            message, "The homeserver at `URI` answers 500 M_UNKNOWN: at <secret>.",
            "{call}"
        );
        assert_eq!(help, LOG, "{call}");
    }
    for (call, _, message, _) in failures(refusal(400, SECRET, "")).await {
        assert_eq!(
            message, "The homeserver at `URI` answers 400 without a Matrix error.",
            "{call}"
        );
    }
    for (call, _, message, _) in failures(refusal(404, "M_UNRECOGNIZED", "Unrecognized request")).await {
        assert!(
            message.contains(" enabled (404 M_UNRECOGNIZED: Unrecognized request)."),
            "{call}: {message}"
        );
    }
}

#[tokio::test]
async fn a_code_that_is_the_secret_is_not_shown_either() {
    let server = answering(refusal(500, "correct.horse", "")).await;
    let mut matrix = matrix(&server.uri());
    matrix.secret = "correct.horse".into();
    let homeserver = Synapse::new(&matrix, Limits::default());
    let error = homeserver.reactivate_user("alice").await.unwrap_err();
    assert!(error.message().ends_with("answers 500 <secret>."), "{error}");
}

#[tokio::test]
async fn a_secret_that_synapse_fails_at_is_suspected() {
    let server = answering(refusal(500, "M_UNKNOWN", "Internal server error")).await;
    let mut matrix = matrix(&server.uri());
    matrix.secret = "corréct-horse".into();
    let homeserver = Synapse::new(&matrix, Limits::default());
    let (_, _, help) = shown(&homeserver.reactivate_user("alice").await.unwrap_err());
    assert!(help.starts_with("`matrix.secret` must be ASCII"), "{help}");
}

#[tokio::test]
async fn of_an_endless_answer_only_a_part_is_read_and_of_a_long_one_a_part_shown() {
    let (_, message, _) = failure(refusal(400, "M_UNKNOWN", &"x".repeat(70_000))).await;
    assert_eq!(message, "The homeserver at `URI` answers 400 without a Matrix error.");
    let (_, message, _) = failure(refusal(400, "M_UNKNOWN", &"x".repeat(60_000))).await;
    let words = "x".repeat(300);
    assert_eq!(
        message,
        format!("The homeserver at `URI` answers 400 M_UNKNOWN: {words}.")
    );
}

#[tokio::test]
async fn a_name_of_any_length_makes_a_message_of_one_line() {
    let server = answering(refusal(404, "M_NOT_FOUND", "User not found")).await;
    let homeserver = Synapse::new(&matrix(&server.uri()), Limits::default());
    let name = format!("{}\n{}", "x".repeat(10), "y".repeat(10_000));
    let (_, message, _) = shown(&homeserver.delete_device(&name, "LAPTOP").await.unwrap_err());
    let expected = format!("The homeserver has no user `xxxxxxxxxx\\n{}` yet", "y".repeat(288));
    assert_eq!(message, expected);
}

#[tokio::test]
async fn no_call_follows_a_redirect_but_says_where_it_leads() {
    let elsewhere = MockServer::start().await;
    let never = Mock::given(any()).respond_with(ResponseTemplate::new(200));
    never.expect(0).mount(&elsewhere).await;
    let location = format!("{}/{SECRET}?a=b", elsewhere.uri());
    for status in [301, 302, 307, 308] {
        let response = ResponseTemplate::new(status).insert_header("location", location.as_str());
        for (call, code, message, _) in failures(response).await {
            assert_eq!(code, Code::HomeserverFailed, "{call}");
            let expected = format!("The homeserver at `URI` redirects to `{}`.", elsewhere.uri());
            assert_eq!(message, expected, "{call}");
        }
    }
    let (_, message, _) = failure(ResponseTemplate::new(302)).await;
    assert_eq!(message, "The homeserver at `URI` redirects to nowhere.");
}

#[tokio::test]
async fn no_call_waits_longer_than_its_limit() {
    let server = answering(ResponseTemplate::new(200).set_delay(Duration::from_secs(20))).await;
    for homeserver in clients(&server.uri(), SHORT) {
        let is_legacy = format!("{homeserver:?}").starts_with("Legacy");
        for (call, result) in every_call(homeserver.as_ref()).await {
            let (code, message, help) = shown(&result.expect_err(call));
            assert_eq!(code, Code::HomeserverUnreachable, "{call}");
            let limit = match call {
                "is_localpart_available" | "query_user" => "0.1",
                "delete_user" if is_legacy => "0.25",
                // Two devices, of which the legacy kind first asks.
                "sync_devices" if !is_legacy => "0.202",
                _ => "0.2",
            };
            let expected = format!(
                "The homeserver at `{}` cannot be reached: no answer within {limit} s",
                server.uri()
            );
            assert_eq!(message, expected, "{call}");
            // The legacy kind asks for the devices first, which changes nothing.
            let is_read = limit == "0.1" || (is_legacy && call == "sync_devices");
            assert_eq!(
                help.starts_with("It may still do what it was asked to"),
                !is_read,
                "{call}: {help}"
            );
        }
    }
    assert_eq!(requests(&server).await.len(), 24, "none is sent a second time");
}

#[test]
fn many_devices_have_more_time_but_not_for_ever() {
    let limits = Limits::default();
    assert_eq!(limits.of_devices(0), Duration::from_mins(1));
    assert_eq!(limits.of_devices(500), Duration::from_secs(85));
    assert_eq!(limits.of_devices(usize::MAX), Duration::from_mins(10));
}

#[tokio::test]
async fn a_homeserver_that_speaks_no_tls_is_not_sent_the_secret() {
    let server = answering(ResponseTemplate::new(200)).await;
    for homeserver in clients(&server.uri().replace("http://", "https://"), Limits::default()) {
        let (code, message, _) = shown(&homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err());
        assert_eq!(code, Code::HomeserverUnreachable, "{message}");
    }
    assert_eq!(requests(&server).await.len(), 0);
}

#[tokio::test]
async fn a_secret_that_no_header_can_carry_is_refused() {
    let mut matrix = matrix("http://localhost:1/");
    matrix.secret = "correct-horse\n".into();
    for (call, result) in every_call(&Synapse::new(&matrix, SHORT)).await {
        let (code, message, _) = shown(&result.expect_err(call));
        assert_eq!(code, Code::ConfigInvalid, "{call}");
        assert!(
            message.starts_with("`matrix.secret` cannot be sent"),
            "{call}: {message}"
        );
    }
}

#[tokio::test]
async fn nothing_is_opened_before_it_is_needed() {
    let transport = Transport::new(&matrix("http://localhost:1/"), Api::Mas, SHORT);
    assert!(transport.client.get().is_none());
    let call = Call::new(Method::GET, "_synapse/mas/query_user", SHORT.read);
    transport.send(&call).await.unwrap_err();
    assert!(transport.client.get().is_some());
}

#[tokio::test]
async fn only_the_successes_that_are_expected_count() {
    let server = answering(ResponseTemplate::new(202).set_body_json(json!({}))).await;
    let transport = Transport::new(&matrix(&server.uri()), Api::Mas, Limits::default());
    let call = Call::new(Method::POST, "_synapse/mas/provision_user", Duration::from_secs(5));
    let Answer::Success(success) = transport.send(&call).await.unwrap() else {
        panic!("202 is a success");
    };
    let error = success
        .one_of(&[StatusCode::CREATED, StatusCode::OK], transport.peer())
        .unwrap_err();
    let (code, message, _) = shown(&error);
    assert_eq!(code, Code::HomeserverFailed);
    assert!(
        message.ends_with("answers 202, but only 201 or 200 means that it is done"),
        "{message}"
    );
}
