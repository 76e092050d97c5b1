//! A Synapse that answers as little as masctl asks: `/_synapse/mas/is_localpart_available` and
//! `/_synapse/mas/upsert_device`, as Synapse 1.163 answers them, for the server `example.com`.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::wait_for;

/// What MAS and the homeserver share.
pub(crate) const SECRET: &str = "homeserver-secret";

/// A localpart that someone has.
pub(crate) const TAKEN: &str = "taken";

/// A device that the homeserver fails to make.
pub(crate) const BROKEN: &str = "BROKEN";

/// A homeserver that remembers what it was asked.
pub(crate) struct Homeserver {
    server: MockServer,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Homeserver {
    /// Starts one on a free port of 127.0.0.1.
    pub(crate) fn start() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let synapse = Synapse {
            requests: Arc::clone(&requests),
        };
        let server = wait_for(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(synapse).mount(&server).await;
            server
        });
        Self { server, requests }
    }

    /// Its base URL, with the final slash.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}/", self.server.uri())
    }

    /// What was asked since the last call: a line `METHOD path?query body` for each request.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Synapse {
    requests: Arc<Mutex<Vec<String>>>,
}

impl Respond for Synapse {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body);
        let line = format!("{} {}{query} {body}", request.method, request.url.path());
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.trim_end().to_owned());
        answer(request).unwrap_or_else(|refusal| *refusal)
    }
}

type Answer = Result<ResponseTemplate, Box<ResponseTemplate>>;

/// Synapse looks at the path, the method, the secret and the body, in this order.
fn answer(request: &Request) -> Answer {
    match (request.url.path(), request.method.as_str()) {
        ("/_synapse/mas/is_localpart_available", "GET") => {
            authorized(request)?;
            localpart_available(request)
        }
        ("/_synapse/mas/upsert_device", "POST") => {
            authorized(request)?;
            device_upserted(request)
        }
        ("/_synapse/mas/is_localpart_available" | "/_synapse/mas/upsert_device", _) => {
            Err(refusal(405, "M_UNRECOGNIZED", "Unrecognized request"))
        }
        _ => Ok(ResponseTemplate::new(404).set_body_raw("<html>No Such Resource</html>", "text/html")),
    }
}

fn authorized(request: &Request) -> Result<(), Box<ResponseTemplate>> {
    let header = request
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    match header.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(SECRET) => Ok(()),
        Some(_) => Err(refusal(403, "M_UNKNOWN", "This endpoint must only be called by MAS")),
        None => Err(refusal(401, "M_MISSING_TOKEN", "Missing access token")),
    }
}

fn localpart_available(request: &Request) -> Answer {
    let Some((_, localpart)) = request.url.query_pairs().find(|(name, _)| name == "localpart") else {
        return Err(refusal(400, "M_UNKNOWN", "Query parameter 'localpart' is missing"));
    };
    if !localpart.is_ascii() {
        return Err(refusal(400, "M_UNKNOWN", "Query parameter 'localpart' must be ascii"));
    }
    if !is_valid(&localpart) {
        return Err(refusal(
            400,
            "M_INVALID_USERNAME",
            "User ID can only contain characters a-z, 0-9, or '=_-./+'",
        ));
    }
    if localpart == TAKEN {
        return Err(refusal(400, "M_USER_IN_USE", "User ID already taken."));
    }
    Ok(ResponseTemplate::new(200).set_body_json(json!({})))
}

fn is_valid(localpart: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"=_-./+".contains(&byte);
    !localpart.starts_with('_')
        && localpart.bytes().all(is_allowed)
        && !localpart.bytes().all(|byte| byte.is_ascii_digit())
        && localpart.len() + "@:example.com".len() <= 255
}

fn device_upserted(request: &Request) -> Answer {
    let body: Value = request
        .body_json()
        .map_err(|_| refusal(400, "M_NOT_JSON", "Content not JSON."))?;
    let field = |name: &str| {
        let missing = || refusal(400, "M_MISSING_PARAM", "Field required");
        body.get(name).and_then(Value::as_str).ok_or_else(missing)
    };
    field("localpart")?;
    if field("device_id")? == BROKEN {
        return Err(refusal(500, "M_UNKNOWN", "Internal server error"));
    }
    Ok(ResponseTemplate::new(201).set_body_json(json!({})))
}

fn refusal(status: u16, code: &str, message: &str) -> Box<ResponseTemplate> {
    Box::new(ResponseTemplate::new(status).set_body_json(json!({ "errcode": code, "error": message })))
}
