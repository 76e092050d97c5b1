//! What the tests of all clients stand on: a homeserver that answers what it is told to, and every call there is.

use std::{collections::BTreeSet, collections::VecDeque, sync::Mutex};

use serde_json::json;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::{
    config::{HomeserverKind, Matrix},
    error::{Code, Error, Result},
    homeserver::{Homeserver, Provisioning},
    model::Id,
};

pub(in crate::homeserver) const SECRET: &str = "correct-horse";

pub(in crate::homeserver) fn matrix(endpoint: &str) -> Matrix {
    Matrix {
        kind: HomeserverKind::Synapse,
        homeserver: "example.com".to_owned(),
        endpoint: endpoint.parse().unwrap(),
        secret: SECRET.into(),
    }
}

/// A homeserver that answers everything alike.
pub(in crate::homeserver) async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(response).mount(&server).await;
    server
}

/// A homeserver that gives these answers in turn.
pub(in crate::homeserver) async fn replaying(answers: impl IntoIterator<Item = ResponseTemplate>) -> MockServer {
    struct Replay(Mutex<VecDeque<ResponseTemplate>>);

    impl Respond for Replay {
        fn respond(&self, _: &Request) -> ResponseTemplate {
            let next = self.0.lock().unwrap().pop_front();
            next.unwrap_or_else(|| refusal(418, "M_UNKNOWN", "More was asked than was expected"))
        }
    }

    let server = MockServer::start().await;
    let replay = Replay(Mutex::new(answers.into_iter().collect()));
    Mock::given(any()).respond_with(replay).mount(&server).await;
    server
}

/// What a homeserver was asked: `METHOD path?query body`.
pub(in crate::homeserver) async fn requests(server: &MockServer) -> Vec<String> {
    let line = |request: &Request| {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body);
        format!("{} {}{query} {body}", request.method, request.url.path())
            .trim_end()
            .to_owned()
    };
    server.received_requests().await.unwrap().iter().map(line).collect()
}

pub(in crate::homeserver) fn refusal(status: u16, errcode: &str, error: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "errcode": errcode, "error": error }))
}

/// Code, message and help, after a look that the secret is nowhere in an error, and that it is one line.
pub(in crate::homeserver) fn shown(error: &Error) -> (Code, String, String) {
    let source = std::error::Error::source(error).map(|source| format!("{source:?} {source}"));
    let help = error.help_text().unwrap_or_default();
    let everything = format!("{error} {error:?} {help} {:?} {source:?}", error.values());
    assert!(!everything.contains(SECRET), "{everything}");
    assert!(!everything.contains('\n'), "{everything}");
    (error.code(), error.message().to_owned(), help.to_owned())
}

pub(in crate::homeserver) fn sub() -> Id {
    "01HV00000000000000000000A1".parse().unwrap()
}

/// Makes every call there is, each about alice, with the name of the call.
pub(in crate::homeserver) async fn every_call(homeserver: &dyn Homeserver) -> Vec<(&'static str, Result<()>)> {
    let user = Provisioning::new("alice", sub(), false);
    let devices = BTreeSet::from(["LAPTOP".to_owned(), "PHONE".to_owned()]);
    vec![
        (
            "is_localpart_available",
            homeserver.is_localpart_available("alice").await.map(drop),
        ),
        ("query_user", homeserver.query_user("alice").await.map(drop)),
        ("provision_user", homeserver.provision_user(&user).await.map(drop)),
        (
            "upsert_device",
            homeserver.upsert_device("alice", "LAPTOP", Some("Laptop")).await,
        ),
        (
            "update_device_display_name",
            homeserver.update_device_display_name("alice", "LAPTOP", "Laptop").await,
        ),
        ("delete_device", homeserver.delete_device("alice", "LAPTOP").await),
        ("sync_devices", homeserver.sync_devices("alice", &devices).await),
        ("delete_user", homeserver.delete_user("alice", true).await),
        ("reactivate_user", homeserver.reactivate_user("alice").await),
        ("set_display_name", homeserver.set_display_name("alice", "Alice").await),
        ("unset_display_name", homeserver.unset_display_name("alice").await),
        (
            "allow_cross_signing_reset",
            homeserver.allow_cross_signing_reset("alice").await,
        ),
    ]
}
