//! What Synapse answers, and what that means to the person who asked.

use reqwest::{Response, StatusCode, header};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Api, Peer, SHORT};
use crate::{
    error::{Code, Error, Result},
    homeserver::{Availability, failure},
};

/// An answer, as far as masctl looks at it.
#[derive(Debug)]
pub(in crate::homeserver) enum Answer {
    /// Any 2xx.
    Success(Success),
    /// Anything else.
    Refusal(Refusal),
}

/// An answer that something is done.
#[derive(Debug)]
pub(in crate::homeserver) struct Success {
    status: StatusCode,
    /// Whether it comes with a page for people: Synapse has none for its API.
    is_page: bool,
    /// Absent if it is too large.
    body: Option<Vec<u8>>,
}

/// An answer that something is not done.
#[derive(Debug)]
pub(in crate::homeserver) struct Refusal {
    status: StatusCode,
    /// Where a redirect leads to.
    location: Option<String>,
    /// Absent if the body is none of Matrix: the page of a proxy, for example.
    matrix: Option<MatrixError>,
}

/// The body of an error in Matrix.
#[derive(Debug)]
struct MatrixError {
    errcode: String,
    error: String,
}

impl Answer {
    /// Reads an answer, and of its body `most` bytes.
    pub(super) async fn read(mut response: Response, most: usize) -> reqwest::Result<Self> {
        let status = response.status();
        let text = |name| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let location = text(header::LOCATION);
        let is_page = text(header::CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
        let most = if status.is_success() { most } else { SHORT };
        let mut body = Some(Vec::new());
        while let Some(chunk) = response.chunk().await? {
            body = body.filter(|body: &Vec<u8>| body.len() + chunk.len() <= most);
            let Some(body) = &mut body else { break };
            body.extend_from_slice(&chunk);
        }
        Ok(if status.is_success() {
            Self::Success(Success { status, is_page, body })
        } else {
            let matrix = body.as_deref().and_then(MatrixError::parse);
            Self::Refusal(Refusal {
                status,
                location,
                matrix,
            })
        })
    }

    /// Whether a user that the homeserver was told of is new to it.
    pub(in crate::homeserver) fn into_created(self, peer: &Peer, localpart: &str) -> Result<bool> {
        match self {
            Self::Success(success) => {
                let status = success.one_of(&[StatusCode::CREATED, StatusCode::OK], peer)?.status;
                Ok(status == StatusCode::CREATED)
            }
            Self::Refusal(refusal) => Err(match refusal.unavailable(peer) {
                Some(why) => failure::impossible_user(localpart, &why).data("status", refusal.status.as_u16()),
                None => refusal.into_error(peer),
            }),
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Success(success) => success.status.as_u16(),
            Self::Refusal(refusal) => refusal.status.as_u16(),
        }
    }

    /// Some web servers answer every path with the same page and with status 200: nothing was done then.
    pub(super) fn checked(self, peer: &Peer) -> Result<Self> {
        match self {
            Self::Success(success) if success.is_page => {
                Err(peer.strange(success.status, "with a web page: it is not Synapse"))
            }
            answer => Ok(answer),
        }
    }
}

impl Success {
    /// Itself, if it is one of these successes.
    pub(in crate::homeserver) fn one_of(self, expected: &[StatusCode], peer: &Peer) -> Result<Self> {
        if expected.contains(&self.status) {
            Ok(self)
        } else {
            let expected: Vec<&str> = expected.iter().map(StatusCode::as_str).collect();
            let what = format!("only {} means that it is done", expected.join(" or "));
            Err(peer.strange(self.status, &what))
        }
    }

    /// Reads the body.
    pub(in crate::homeserver) fn json<T: DeserializeOwned>(&self, peer: &Peer) -> Result<T> {
        let Some(body) = self.body.as_deref() else {
            return Err(peer.strange(self.status, "with more than masctl reads"));
        };
        serde_json::from_slice(body).map_err(|_| peer.strange(self.status, "not what it was asked for"))
    }
}

impl Refusal {
    /// Why a username cannot be had, if that is what the answer says.
    fn unavailable(&self, peer: &Peer) -> Option<String> {
        let matrix = self.matrix.as_ref()?;
        match matrix.errcode.as_str() {
            "M_USER_IN_USE" => Some("the homeserver has a user of this name".to_owned()),
            "M_EXCLUSIVE" => Some("an application service of the homeserver reserves it".to_owned()),
            "M_INVALID_USERNAME" => {
                let words = peer.words(&matrix.error);
                Some(if words.is_empty() {
                    "the homeserver does not allow it".to_owned()
                } else {
                    format!("the homeserver does not allow it ({words})")
                })
            }
            _ => None,
        }
    }

    /// Why a username cannot be had; else what went wrong.
    pub(in crate::homeserver) fn into_availability(self, peer: &Peer) -> Result<Availability> {
        match self.unavailable(peer) {
            Some(why) => Ok(Availability::Unavailable(why)),
            None => Err(self.into_error(peer)),
        }
    }

    /// Whether it says that something is not there.
    pub(in crate::homeserver) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.errcode() == Some("M_NOT_FOUND")
    }

    /// The code of Matrix.
    pub(in crate::homeserver) fn errcode(&self) -> Option<&str> {
        self.matrix.as_ref().map(|matrix| matrix.errcode.as_str())
    }

    /// What went wrong, for the person who has to mend it.
    pub(in crate::homeserver) fn into_error(self, peer: &Peer) -> Error {
        let homeserver = format!("The homeserver at `{}`", peer.place());
        let answer = self.summary(peer);
        let (code, message, help) = if self.status.is_redirection() {
            (
                Code::HomeserverFailed,
                format!("{homeserver} redirects to {}.", self.target(peer)),
                "Set `matrix.endpoint` to the URL of the homeserver itself: the secret is not sent elsewhere.",
            )
        } else if matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            (
                Code::HomeserverRefused,
                format!("{homeserver} refuses the secret ({answer})."),
                peer.api().where_the_secret_is(),
            )
        } else if self.status == StatusCode::NOT_FOUND && self.errcode() == Some("M_UNRECOGNIZED") {
            let what = match peer.api() {
                Api::Mas => "MAS integration",
                Api::Admin => "admin API",
            };
            (
                Code::HomeserverFailed,
                format!("{homeserver} has no {what} enabled ({answer})."),
                peer.api().how_to_enable_it(),
            )
        } else {
            (
                Code::HomeserverFailed,
                format!("{homeserver} answers {answer}."),
                self.advice(peer),
            )
        };
        Error::new(code, message)
            .help(help)
            .data("status", self.status.as_u16())
    }

    /// What to do about an answer that is no special one.
    fn advice(&self, peer: &Peer) -> &'static str {
        let Some(matrix) = &self.matrix else {
            return peer.api().where_it_is();
        };
        match (peer.api(), self.status) {
            // Synapse reads the header as ASCII, and fails at anything else.
            (_, StatusCode::INTERNAL_SERVER_ERROR) if !peer.secret().expose_secret().is_ascii() => {
                "`matrix.secret` must be ASCII: Synapse fails at any other. Otherwise, look at the homeserver's log."
            }
            // It does not know the secret as its own, and MAS, whom it asks about tokens, is not there.
            (Api::Admin, StatusCode::SERVICE_UNAVAILABLE) => peer.api().where_the_secret_is(),
            (Api::Admin, StatusCode::CONFLICT) => {
                "Another user of the homeserver belongs to this account of MAS: look for its id in their `external_ids`."
            }
            (Api::Admin, StatusCode::BAD_REQUEST) if matrix.error.contains("local users") => {
                "Check that `matrix.homeserver` is the `server_name` of the homeserver."
            }
            _ => "Look at the homeserver's log.",
        }
    }

    /// The answer in a few words.
    fn summary(&self, peer: &Peer) -> String {
        let status = self.status.as_u16();
        let Some(matrix) = &self.matrix else {
            return format!("{status} without a Matrix error");
        };
        let (errcode, words) = (peer.words(&matrix.errcode), peer.words(&matrix.error));
        let separator = if words.is_empty() { "" } else { ": " };
        format!("{status} {errcode}{separator}{words}")
    }

    /// Where a redirect leads to: scheme, host and port.
    fn target(&self, peer: &Peer) -> String {
        let location = self.location.as_deref();
        let url = location.and_then(|location| peer.endpoint().join(location).ok());
        url.map_or_else(
            || "nowhere".to_owned(),
            |url| format!("`{}`", peer.words(&url.origin().ascii_serialization())),
        )
    }
}

impl MatrixError {
    /// Reads a body. None if it is anything but an error of Matrix with a code that may be shown as it is.
    fn parse(body: &[u8]) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let text = |field| body.get(field).and_then(Value::as_str);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        let errcode = text("errcode")?;
        ((1..=64).contains(&errcode.len()) && errcode.bytes().all(allowed)).then(|| Self {
            errcode: errcode.to_owned(),
            error: text("error").unwrap_or_default().to_owned(),
        })
    }
}
