//! What Synapse answers, and what that means to the person who asked.

use std::{error::Error as StdError, time::Duration};

use reqwest::{Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use crate::error::{Code, Error, Result};

/// The most bytes of an answer that are read.
const BODY_LIMIT: usize = 64 * 1024;

/// The most characters of the homeserver's own words that are shown.
const WORDS_LIMIT: usize = 300;

/// An answer, as far as masctl looks at it.
pub(super) enum Answer {
    /// Any 2xx.
    Success(Success),
    /// Anything else.
    Refusal(Refusal),
}

/// An answer that something was done.
pub(super) struct Success {
    pub(super) status: StatusCode,
    /// Absent if it is too large.
    body: Option<Vec<u8>>,
}

impl Success {
    /// Reads the body.
    pub(super) fn json<T: DeserializeOwned>(&self, peer: Peer<'_>) -> Result<T> {
        let body = self
            .body
            .as_deref()
            .ok_or_else(|| peer.strange(self.status, "more than masctl reads"))?;
        serde_json::from_slice(body).map_err(|_| peer.strange(self.status, "not what it was asked for"))
    }
}

/// An answer that is no success.
pub(super) struct Refusal {
    status: StatusCode,
    /// Where a redirect leads to.
    location: Option<String>,
    /// Absent if the body is none of Matrix: the page of a proxy, for example.
    matrix: Option<MatrixError>,
}

/// The body of an error in Matrix.
struct MatrixError {
    errcode: String,
    error: String,
}

/// The other side, for messages.
#[derive(Clone, Copy)]
pub(super) struct Peer<'a> {
    pub(super) endpoint: &'a Url,
    pub(super) secret: &'a SecretString,
}

impl Peer<'_> {
    /// Reads an answer, of its body no more than needed.
    pub(super) async fn read(self, mut response: Response, limit: Duration) -> Result<Answer> {
        let status = response.status();
        let location = response.headers().get(header::LOCATION);
        let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let mut body = Some(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error, limit))? {
            body = body.filter(|body| body.len() + chunk.len() <= BODY_LIMIT);
            let Some(body) = &mut body else { break };
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(Answer::Success(Success { status, body }));
        }
        let matrix = body.as_deref().and_then(MatrixError::parse);
        Ok(Answer::Refusal(Refusal {
            status,
            location,
            matrix,
        }))
    }

    /// No answer came.
    pub(super) fn unreachable(self, error: reqwest::Error, limit: Duration) -> Error {
        let why = if error.is_timeout() {
            format!("no answer within {} s", limit.as_secs_f32())
        } else {
            self.words(&innermost(&error))
        };
        Error::new(
            Code::HomeserverUnreachable,
            format!("The homeserver at `{}` cannot be reached: {why}", self.origin()),
        )
        .help("Check `matrix.endpoint`, and that this machine can reach it.")
        .caused_by(error.without_url())
    }

    /// The answer is a success, but none of Synapse.
    pub(super) fn strange(self, status: StatusCode, what: &str) -> Error {
        let status = status.as_u16();
        Error::new(
            Code::HomeserverFailed,
            format!("The homeserver at `{}` answers {status}, but {what}", self.origin()),
        )
        .help("Check that `matrix.endpoint` leads to Synapse, and that its proxy passes on `/_synapse/mas/`.")
        .data("status", status)
    }

    /// The client itself cannot be made.
    pub(super) fn unusable(self, error: &reqwest::Error) -> Error {
        Error::new(
            Code::HomeserverUnreachable,
            format!(
                "No request to the homeserver at `{}` can be made: {}",
                self.origin(),
                self.words(&innermost(error))
            ),
        )
        .help("An `https` endpoint needs the system's CA certificates, often the package `ca-certificates`.")
    }

    /// Scheme, host and port: never a path, a name or a password.
    fn origin(self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    /// Foreign text made fit for one line. A homeserver might repeat the secret.
    fn words(self, text: &str) -> String {
        let text = text.replace(self.secret.expose_secret(), "<secret>");
        let line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(WORDS_LIMIT)
            .collect();
        line.trim().trim_end_matches('.').to_owned()
    }
}

impl Refusal {
    /// Why a username cannot be had, if that is what the answer says.
    pub(super) fn unavailable(&self, peer: Peer<'_>) -> Option<String> {
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

    pub(super) fn is_unknown_user(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.errcode() == Some("M_NOT_FOUND")
    }

    pub(super) fn is_user_in_use(&self) -> bool {
        self.errcode() == Some("M_USER_IN_USE")
    }

    fn errcode(&self) -> Option<&str> {
        self.matrix.as_ref().map(|matrix| matrix.errcode.as_str())
    }

    /// What went wrong, for the person who has to mend it.
    pub(super) fn into_error(self, peer: Peer<'_>) -> Error {
        let homeserver = format!("The homeserver at `{}`", peer.origin());
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
                "`matrix.secret` must be the `secret` in Synapse's section `matrix_authentication_service`. \
                 A proxy that blocks `/_synapse/mas/` answers like this too.",
            )
        } else if self.status == StatusCode::NOT_FOUND && self.errcode() == Some("M_UNRECOGNIZED") {
            (
                Code::HomeserverFailed,
                format!("{homeserver} has no MAS integration enabled ({answer})."),
                "Enable the section `matrix_authentication_service` in the configuration of Synapse 1.136 or later.",
            )
        } else if self.matrix.is_none() {
            (
                Code::HomeserverFailed,
                format!("{homeserver} answers {answer}."),
                "Check that `matrix.endpoint` leads to Synapse, and that its proxy passes on `/_synapse/mas/`.",
            )
        } else {
            (
                Code::HomeserverFailed,
                format!("{homeserver} answers {answer}."),
                "Look at the homeserver's log.",
            )
        };
        Error::new(code, message)
            .help(help)
            .data("status", self.status.as_u16())
    }

    /// The answer in a few words.
    fn summary(&self, peer: Peer<'_>) -> String {
        let status = self.status.as_u16();
        let Some(matrix) = &self.matrix else {
            return format!("{status} without a Matrix error");
        };
        let words = peer.words(&matrix.error);
        let separator = if words.is_empty() { "" } else { ": " };
        format!("{status} {}{separator}{words}", matrix.errcode)
    }

    /// Where a redirect leads to: scheme, host and port.
    fn target(&self, peer: Peer<'_>) -> String {
        let location = self.location.as_deref();
        let url = location.and_then(|location| peer.endpoint.join(location).ok());
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

/// The first cause: the outer ones only say that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn StdError = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
