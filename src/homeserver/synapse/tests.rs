use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_json, header, method, path, query_param},
};

use super::*;
use crate::config::HomeserverKind;

const SECRET: &str = "correct-horse";

const SHORT: Limits = Limits {
    connect: Duration::from_secs(5),
    total: Duration::from_millis(200),
    availability: Duration::from_millis(100),
};

fn matrix(endpoint: &str) -> Matrix {
    Matrix {
        kind: HomeserverKind::Synapse,
        homeserver: "example.com".to_owned(),
        endpoint: endpoint.parse().unwrap(),
        secret: SECRET.into(),
    }
}

fn synapse(endpoint: &str) -> Synapse {
    Synapse::new(&matrix(endpoint), Limits::default())
}

/// A homeserver that answers everything alike.
async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(response).mount(&server).await;
    server
}

fn refusal(status: u16, errcode: &str, error: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"errcode": errcode, "error": error}))
}

/// What `upsert_device` fails with, after a look that the secret is not in it.
async fn failure(response: ResponseTemplate) -> (Code, String, String) {
    let server = answering(response).await;
    let error = synapse(&server.uri())
        .upsert_device("alice", "LAPTOP", None)
        .await
        .unwrap_err();
    let (code, message, help) = shown(&error);
    (code, message.replace(&server.uri(), "URI"), help)
}

fn shown(error: &Error) -> (Code, String, String) {
    let source = std::error::Error::source(error).map(|source| format!("{source:?} {source}"));
    let help = error.help_text().unwrap_or_default();
    let everything = format!("{error} {error:?} {help} {:?} {source:?}", error.values());
    assert!(!everything.contains(SECRET), "{everything}");
    assert!(!everything.contains('\n'), "{everything}");
    (error.code(), error.message().to_owned(), help.to_owned())
}

#[tokio::test]
async fn a_free_localpart_is_available() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/_synapse/mas/is_localpart_available"))
        .and(query_param("localpart", "a/b+c=d"))
        .and(header("authorization", "Bearer correct-horse"))
        .and(header("user-agent", USER_AGENT))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .expect(1)
        .mount(&server)
        .await;
    let availability = synapse(&server.uri()).is_localpart_available("a/b+c=d").await.unwrap();
    assert_eq!(availability, Availability::Available);
}

#[tokio::test]
async fn a_localpart_that_cannot_be_had_is_unavailable_with_the_reason() {
    let words = "User ID can only contain characters a-z, 0-9, or '=_-./+'";
    for (errcode, error, why) in [
        (
            "M_USER_IN_USE",
            "User ID already taken.",
            "the homeserver has a user of this name".to_owned(),
        ),
        (
            "M_EXCLUSIVE",
            "reserved",
            "an application service of the homeserver reserves it".to_owned(),
        ),
        (
            "M_INVALID_USERNAME",
            words,
            format!("the homeserver does not allow it ({words})"),
        ),
        ("M_INVALID_USERNAME", "", "the homeserver does not allow it".to_owned()),
    ] {
        let server = answering(refusal(400, errcode, error)).await;
        let availability = synapse(&server.uri()).is_localpart_available("alice").await.unwrap();
        assert_eq!(availability, Availability::Unavailable(why), "{errcode}");
    }
    let server = answering(refusal(400, "M_UNKNOWN", "must be ascii")).await;
    let error = synapse(&server.uri())
        .is_localpart_available("alice")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::HomeserverFailed);
}

#[tokio::test]
async fn what_no_user_can_have_is_not_asked() {
    let homeserver = synapse("http://localhost:1/");
    for localpart in ["ålice", &"a".repeat(256)] {
        let availability = homeserver.is_localpart_available(localpart).await.unwrap();
        assert!(matches!(availability, Availability::Unavailable(_)), "{localpart}");
    }
    assert!(homeserver.client.get().is_none(), "no client was needed");
}

#[tokio::test]
async fn a_device_is_sent_with_its_name_or_without() {
    for (name, body, status) in [
        (None, json!({"localpart": "alice", "device_id": "LAPTOP"}), 201),
        (
            Some("Laptop"),
            json!({"localpart": "alice", "device_id": "LAPTOP", "display_name": "Laptop"}),
            200,
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/_synapse/mas/upsert_device"))
            .and(header("authorization", "Bearer correct-horse"))
            .and(body_json(body))
            .respond_with(ResponseTemplate::new(status).set_body_json(json!({})))
            .expect(1)
            .mount(&server)
            .await;
        synapse(&server.uri())
            .upsert_device("alice", "LAPTOP", name)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_may_have_a_path_with_or_without_its_last_slash() {
    for suffix in ["", "/", "/synapse", "/synapse/", "/synapse?x=y#z"] {
        let server = MockServer::start().await;
        let prefix = if suffix.len() > 1 { "/synapse" } else { "" };
        Mock::given(path(format!("{prefix}/_synapse/mas/upsert_device")))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let endpoint = format!("{}{suffix}", server.uri());
        synapse(&endpoint).upsert_device("alice", "LAPTOP", None).await.unwrap();
    }
}

#[tokio::test]
async fn a_password_in_the_endpoint_is_neither_sent_nor_shown() {
    let server = answering(ResponseTemplate::new(500)).await;
    let endpoint = server.uri().replace("http://", "http://bob:hunter2@");
    let homeserver = synapse(&endpoint);
    let error = homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err();
    assert!(!format!("{error} {homeserver:?}").contains("hunter2"));
    let requests = server.received_requests().await.unwrap();
    let sent: Vec<_> = requests[0].headers.get_all("authorization").iter().collect();
    assert_eq!(sent, ["Bearer correct-horse"]);
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
        "M_NOT_JSON",
        "Content not JSON.",
        Code::HomeserverFailed,
        "400 M_NOT_JSON: Content not JSON.",
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
        "M_MISSING_PARAM",
        "missing",
        Code::HomeserverFailed,
        "400 M_MISSING_PARAM: missing.",
        LOG,
    ),
    (
        400,
        "M_TOO_LARGE",
        "too long",
        Code::HomeserverFailed,
        "400 M_TOO_LARGE: too long.",
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
async fn a_page_is_not_shown() {
    let page = "<html><title>correct-horse</title>Bad gateway</html>";
    for (status, code) in [
        (404, Code::HomeserverFailed),
        (502, Code::HomeserverFailed),
        (403, Code::HomeserverRefused),
    ] {
        let (shown, message, _) = failure(ResponseTemplate::new(status).set_body_raw(page, "text/html")).await;
        assert_eq!(shown, code);
        assert!(
            message.contains(&format!("{status} without a Matrix error")),
            "{message}"
        );
        assert!(!message.contains("gateway"), "{message}");
    }
    let (_, message, _) = failure(ResponseTemplate::new(400).set_body_json(json!(["a", "list"]))).await;
    assert_eq!(message, "The homeserver at `URI` answers 400 without a Matrix error.");
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
async fn a_redirect_is_an_error_that_names_where_it_leads() {
    let elsewhere = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&elsewhere)
        .await;
    let location = format!("{}/_synapse/mas/upsert_device?a=b", elsewhere.uri());
    let (code, message, _) = failure(ResponseTemplate::new(307).insert_header("location", location)).await;
    assert_eq!(code, Code::HomeserverFailed);
    assert_eq!(
        message,
        format!("The homeserver at `URI` redirects to `{}`.", elsewhere.uri())
    );
    let (_, message, _) = failure(ResponseTemplate::new(302)).await;
    assert_eq!(message, "The homeserver at `URI` redirects to nowhere.");
}

#[tokio::test]
async fn an_answer_is_not_waited_for_longer_than_the_limit() {
    let server = answering(ResponseTemplate::new(200).set_delay(Duration::from_secs(20))).await;
    let homeserver = Synapse::new(&matrix(&server.uri()), SHORT);
    for (error, limit) in [
        (homeserver.is_localpart_available("alice").await.unwrap_err(), "0.1 s"),
        (
            homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err(),
            "0.2 s",
        ),
    ] {
        let (code, message, _) = shown(&error);
        assert_eq!(code, Code::HomeserverUnreachable);
        let expected = format!(
            "The homeserver at `{}` cannot be reached: no answer within {limit}",
            server.uri()
        );
        assert_eq!(message, expected);
    }
}

#[tokio::test]
async fn a_homeserver_that_is_not_there_is_named_without_its_path() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let homeserver = synapse(&format!("http://127.0.0.1:{port}/path/"));
    let (code, message, help) = shown(&homeserver.is_localpart_available("alice").await.unwrap_err());
    assert_eq!(code, Code::HomeserverUnreachable);
    let start = format!("The homeserver at `http://127.0.0.1:{port}` cannot be reached: Connection refused");
    assert!(message.starts_with(&start), "{message}");
    assert_eq!(help, "Check `matrix.endpoint`, and that this machine can reach it.");
}

#[tokio::test]
async fn a_homeserver_that_speaks_no_tls_is_not_sent_the_secret() {
    let server = answering(ResponseTemplate::new(200)).await;
    let homeserver = synapse(&server.uri().replace("http://", "https://"));
    let (code, message, _) = shown(&homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err());
    assert_eq!(code, Code::HomeserverUnreachable, "{message}");
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_secret_that_no_header_can_carry_is_refused() {
    let mut matrix = matrix("http://localhost:1/");
    matrix.secret = "correct-horse\n".into();
    let homeserver = Synapse::new(&matrix, SHORT);
    let (code, message, _) = shown(&homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err());
    assert_eq!(code, Code::ConfigInvalid);
    assert!(message.starts_with("`matrix.secret` cannot be sent"), "{message}");
}

#[tokio::test]
async fn a_read_only_client_asks_but_does_not_write() {
    let server = answering(ResponseTemplate::new(200)).await;
    let homeserver = Synapse::read_only(&matrix(&server.uri()), Limits::default());
    assert_eq!(
        homeserver.is_localpart_available("alice").await.unwrap(),
        Availability::Available
    );
    let (code, ..) = shown(&homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err());
    assert_eq!(code, Code::HomeserverUnsupported);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_secret_is_not_shown_by_the_client_itself() {
    let server = answering(ResponseTemplate::new(200)).await;
    let homeserver = synapse(&server.uri());
    homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap();
    assert!(!format!("{homeserver:?}").contains(SECRET));
}

#[tokio::test]
async fn only_a_passing_error_is_tried_again_and_only_once() {
    for (passing, attempts) in [(true, 2), (false, 1)] {
        let count = AtomicU32::new(0);
        let result: Result<(), &str> = twice(
            || async {
                count.fetch_add(1, Ordering::Relaxed);
                Err("refused")
            },
            |_| passing,
        )
        .await;
        assert_eq!(result, Err("refused"));
        assert_eq!(count.into_inner(), attempts);
    }
}
