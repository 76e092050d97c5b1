//! How a homeserver is asked, whichever of its APIs is spoken.
//!
//! # What is sent a second time
//!
//! A call is tried again once, after a pause, and only where that is safe:
//!
//! - if no connection could be made: nothing was sent. (Not if making it took too long: whoever waits has waited
//!   enough.)
//! - if the connection was lost before the whole answer was there. The homeserver may have done what it was asked to,
//!   but every call of [`Homeserver`](super::Homeserver) leaves the same, done twice or done once.
//!
//! It is never tried again after its time is over: the homeserver may still be at work, and would then do the same
//! thing twice at once. Nor after an answer, whatever it says: that a job is tried again later is for its queue to
//! decide. The one exception is a user that two make at once, see [`made_by_another`].

mod answer;
mod peer;
#[cfg(test)]
pub(super) mod tests;

use std::{mem, sync::OnceLock, time::Duration};

use reqwest::{Client, Method, RequestBuilder, header, redirect};
use secrecy::ExposeSecret;
use serde_json::Value;
use zeroize::Zeroizing;

pub use self::peer::place;
pub(super) use self::{
    answer::{Answer, Success},
    peer::{Api, Peer},
};
use crate::{
    config::Matrix,
    error::{Code, Error, Result},
};

const USER_AGENT: &str = concat!("masctl/", env!("CARGO_PKG_VERSION"));

/// How long to wait before something is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The most bytes that are read of an answer that should be short.
const SHORT: usize = 64 * 1024;

/// How long to wait for the homeserver. Each limit is for all attempts of a call together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For a call that only asks: somebody may be waiting at a prompt.
    pub read: Duration,
    /// For a call that changes something.
    pub write: Duration,
    /// For each device of a user, on top of `write`: Synapse writes them one after the other.
    pub device: Duration,
    /// For all devices of a user. What was done by then stays done, so that the next attempt has less to do.
    pub devices: Duration,
    /// For the deactivation of a user through the admin API, which answers only after the user has left all rooms.
    pub deactivation: Duration,
}

impl Default for Limits {
    /// MAS's own limits, but 10 seconds for a call that only asks, and more for many devices: a Synapse with other work
    /// to do took 8 seconds for 500 new ones.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            read: Duration::from_secs(10),
            write: Duration::from_mins(1),
            device: Duration::from_millis(50),
            devices: Duration::from_mins(10),
            deactivation: Duration::from_mins(5),
        }
    }
}

impl Limits {
    /// For a call that is about so many devices.
    pub(super) fn of_devices(&self, count: usize) -> Duration {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.write
            .saturating_add(self.device.saturating_mul(count))
            .min(self.devices)
    }
}

/// One call of an API.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    method: Method,
    /// The path below the endpoint, without a first slash, percent-encoded.
    path: String,
    query: Option<(&'static str, &'a str)>,
    body: Option<Value>,
    limit: Duration,
    /// The most bytes of a success that are read.
    most: usize,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, path: impl Into<String>, limit: Duration) -> Self {
        Self {
            method,
            path: path.into(),
            query: None,
            body: None,
            limit,
            most: SHORT,
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: &'a str) -> Self {
        self.query = Some((name, value));
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn reading(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    fn is_read(&self) -> bool {
        self.method == Method::GET
    }
}

/// Speaks to one homeserver. Nothing is opened before the first call.
#[derive(Debug)]
pub(super) struct Transport {
    peer: Peer,
    limits: Limits,
    client: OnceLock<Client>,
}

impl Transport {
    pub(super) fn new(matrix: &Matrix, api: Api, limits: Limits) -> Self {
        Self {
            peer: Peer::new(&matrix.endpoint, matrix.secret.clone(), api),
            limits,
            client: OnceLock::new(),
        }
    }

    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a call, and makes it again where that is safe.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        self.send_unless(call, |_| false).await
    }

    /// As [`Self::send`], and makes the call again, once, if the answer to it is only `passing`.
    pub(super) async fn send_unless(&self, call: &Call<'_>, passing: impl Fn(&Answer) -> bool) -> Result<Answer> {
        let bearer = self.bearer()?;
        let client = self.client()?;
        let attempt = || async {
            let answered = Answer::read(self.request(client, &bearer, call).send().await?, call.most).await?;
            tracing::debug!(method = %call.method, path = call.path, status = answered.status(), "the homeserver answered");
            Ok(answered)
        };
        let attempts = async {
            let (mut if_lost, mut if_passing) = (true, true);
            loop {
                let result = attempt().await;
                let may_repeat = match &result {
                    Ok(answer) if passing(answer) => &mut if_passing,
                    Err(error) if is_safe_to_repeat(error) => &mut if_lost,
                    _ => return result,
                };
                if !mem::take(may_repeat) {
                    return result;
                }
                tracing::debug!(path = call.path, "asking the homeserver again");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        };
        let answered = tokio::time::timeout(call.limit, attempts)
            .await
            .map_err(|_| self.peer.silent(call.limit, call.is_read()))?;
        let answer = answered.map_err(|error| self.peer.failed(error, self.limits.connect, call.is_read()))?;
        answer.checked(&self.peer)
    }

    /// The client, made at the first call: reading the trusted roots takes time.
    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another one that is installed is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(self.limits.connect)
            .redirect(redirect::Policy::none());
        if !self.peer.is_encrypted() {
            // No roots are needed, and small containers have none: do not fail for want of them.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| self.peer.unusable(&error))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The header that carries the secret.
    fn bearer(&self) -> Result<header::HeaderValue> {
        let bearer = Zeroizing::new(format!("Bearer {}", self.peer.secret().expose_secret()));
        let mut bearer = header::HeaderValue::from_bytes(bearer.as_bytes()).map_err(|_| {
            Error::new(
                Code::ConfigInvalid,
                "`matrix.secret` cannot be sent to the homeserver: it has a line break or another control character",
            )
            .help("Write the secret without it, or as `matrix.secret_file`, which is trimmed.")
        })?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }

    fn request(&self, client: &Client, bearer: &header::HeaderValue, call: &Call<'_>) -> RequestBuilder {
        let mut request = client
            .request(call.method.clone(), self.peer.url(&call.path))
            .header(header::AUTHORIZATION, bearer);
        if let Some(pair) = call.query {
            request = request.query(&[pair]);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        request
    }
}

/// Whether an answer says that somebody else has just made the user that was to be made. Of those who make one user at
/// the same time, Synapse answers only the first one well. To the others the user is now one that exists.
pub(super) fn made_by_another(answer: &Answer) -> bool {
    matches!(answer, Answer::Refusal(refusal) if refusal.errcode() == Some("M_USER_IN_USE"))
}

/// Whether an answer says that a device was removed while it was being made: Synapse finds it, and a moment later does
/// not.
pub(super) fn removed_by_another(answer: &Answer) -> bool {
    matches!(answer, Answer::Refusal(refusal) if answer.status() == 404 && refusal.errcode() == Some("M_UNKNOWN"))
}

fn is_safe_to_repeat(error: &reqwest::Error) -> bool {
    let was_lost = error.is_request() || error.is_body() || error.is_decode();
    (error.is_connect() || was_lost) && !error.is_timeout() && !error.is_builder()
}
