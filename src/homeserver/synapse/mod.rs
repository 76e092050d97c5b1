//! Synapse, through the API that it has for MAS: `/_synapse/mas/*`, Synapse 1.136 or later.

mod answer;
mod body;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, future::Future, sync::OnceLock, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

use self::{
    answer::{Answer, Peer},
    body::{AllDevices, Deletion, DisplayName, OfDevice, OfUser, Provision, Queried},
};
use super::{Account, Availability, Homeserver, MXID_LIMIT, Provisioning};
use crate::{
    config::Matrix,
    error::{Code, Error, Result},
};

const USER_AGENT: &str = concat!("masctl/", env!("CARGO_PKG_VERSION"));

/// How long to wait before a connection that could not be made is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// How long to wait for the homeserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For a whole call.
    pub total: Duration,
    /// For the whole call that asks for a username: somebody may be waiting at a prompt.
    pub availability: Duration,
}

impl Default for Limits {
    /// MAS's own limits, and 10 seconds for a username.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            total: Duration::from_mins(1),
            availability: Duration::from_secs(10),
        }
    }
}

/// A client of Synapse. Nothing is opened before its first call.
#[derive(Debug)]
pub struct Synapse {
    endpoint: Url,
    secret: SecretString,
    limits: Limits,
    read_only: bool,
    client: OnceLock<Client>,
}

impl Synapse {
    /// A client of the configured homeserver.
    #[must_use]
    pub fn new(matrix: &Matrix, limits: Limits) -> Self {
        Self {
            endpoint: base(&matrix.endpoint),
            secret: matrix.secret.clone(),
            limits,
            read_only: false,
            client: OnceLock::new(),
        }
    }

    /// A client that only reads: `matrix.kind: synapse_read_only`.
    #[must_use]
    pub fn read_only(matrix: &Matrix, limits: Limits) -> Self {
        Self {
            read_only: true,
            ..Self::new(matrix, limits)
        }
    }

    fn peer(&self) -> Peer<'_> {
        Peer {
            endpoint: &self.endpoint,
            secret: &self.secret,
        }
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
            .timeout(self.limits.total)
            .redirect(redirect::Policy::none());
        if self.endpoint.scheme() == "http" {
            // No roots are needed, and small containers have none: do not fail for want of them.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| self.peer().unusable(&error))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// A call of the API, with the secret.
    fn request(&self, method: Method, name: &str) -> Result<RequestBuilder> {
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{}_synapse/mas/{name}", self.endpoint.path()));
        let bearer = Zeroizing::new(format!("Bearer {}", self.secret.expose_secret()));
        let mut bearer = header::HeaderValue::from_bytes(bearer.as_bytes()).map_err(|_| {
            Error::new(
                Code::ConfigInvalid,
                "`matrix.secret` cannot be sent to the homeserver: it has a line break or another control character",
            )
            .help("Write the secret without it, or as `matrix.secret_file`, which is trimmed.")
        })?;
        bearer.set_sensitive(true);
        Ok(self
            .client()?
            .request(method, url)
            .header(header::AUTHORIZATION, bearer))
    }

    /// Sends a request, again if no connection could be made.
    async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Answer> {
        let client = self.client()?;
        let request = request
            .timeout(limit)
            .build()
            .map_err(|error| self.peer().unusable(&error))?;
        let attempt = || {
            let request = request.try_clone();
            async move {
                match request {
                    Some(request) => client.execute(request).await.map(Some),
                    None => Ok(None),
                }
            }
        };
        let response: Option<Response> = twice(attempt, |error: &reqwest::Error| {
            error.is_connect() && !error.is_timeout()
        })
        .await
        .map_err(|error| self.peer().unreachable(error, limit))?;
        let response =
            response.ok_or_else(|| Error::new(Code::Bug, "A request to the homeserver cannot be repeated"))?;
        self.peer().read(response, limit).await
    }

    /// Asks for a change, unless the configuration allows none. Any 2xx means that it is made.
    async fn change(&self, name: &str, localpart: &str, body: &impl Serialize, limit: Duration) -> Result<()> {
        match self.ask_for(name, body, limit).await? {
            Answer::Success(_) => Ok(()),
            Answer::Refusal(refusal) if refusal.is_unknown_user() => Err(unknown(localpart)),
            Answer::Refusal(refusal) => Err(refusal.into_error(self.peer())),
        }
    }

    async fn ask_for(&self, name: &str, body: &impl Serialize, limit: Duration) -> Result<Answer> {
        if self.read_only {
            return Err(Error::new(
                Code::HomeserverUnsupported,
                "The configuration has `matrix.kind: synapse_read_only`: nothing may be changed on the homeserver",
            )
            .help("Set `matrix.kind: synapse`, for MAS too."));
        }
        self.send(self.request(Method::POST, name)?.json(body), limit).await
    }
}

fn unknown(localpart: &str) -> Error {
    Error::new(
        Code::HomeserverFailed,
        format!("The homeserver has no user `{}` yet", localpart.escape_debug()),
    )
    .help("MAS makes it there with a job; look at its queue, or run `masctl manage provision-all-users`.")
}

#[async_trait]
impl Homeserver for Synapse {
    async fn is_localpart_available(&self, localpart: &str) -> Result<Availability> {
        if !localpart.is_ascii() {
            return Ok(Availability::Unavailable(
                "it has characters that are not ASCII".to_owned(),
            ));
        }
        if localpart.len() > MXID_LIMIT {
            return Ok(Availability::Unavailable(format!(
                "its MXID is longer than {MXID_LIMIT} bytes"
            )));
        }
        let request = self
            .request(Method::GET, "is_localpart_available")?
            .query(&[("localpart", localpart)]);
        let refusal = match self.send(request, self.limits.availability).await? {
            Answer::Success(_) => return Ok(Availability::Available),
            Answer::Refusal(refusal) => refusal,
        };
        match refusal.unavailable(self.peer()) {
            Some(why) => Ok(Availability::Unavailable(why)),
            None => Err(refusal.into_error(self.peer())),
        }
    }

    async fn query_user(&self, localpart: &str) -> Result<Option<Account>> {
        // Synapse takes only ASCII in a query, and has no such user.
        if !localpart.is_ascii() {
            return Ok(None);
        }
        let request = self
            .request(Method::GET, "query_user")?
            .query(&[("localpart", localpart)]);
        match self.send(request, self.limits.total).await? {
            Answer::Success(success) => Ok(Some(success.json::<Queried>(self.peer())?.into())),
            Answer::Refusal(refusal) if refusal.is_unknown_user() => Ok(None),
            Answer::Refusal(refusal) => Err(refusal.into_error(self.peer())),
        }
    }

    async fn provision_user(&self, user: &Provisioning<'_>) -> Result<bool> {
        let body = Provision::from(user);
        let ask = || self.ask_for("provision_user", &body, self.limits.total);
        let mut answer = ask().await?;
        // Two that make the same user at once: Synapse answers one of them so. Now the user exists.
        if matches!(&answer, Answer::Refusal(refusal) if refusal.is_user_in_use()) {
            answer = ask().await?;
        }
        match answer {
            Answer::Success(success) => match success.status {
                StatusCode::CREATED => Ok(true),
                StatusCode::OK => Ok(false),
                status => Err(self
                    .peer()
                    .strange(status, "only 200 and 201 mean that the user is there")),
            },
            Answer::Refusal(refusal) => Err(refusal.into_error(self.peer())),
        }
    }

    async fn upsert_device(&self, localpart: &str, device_id: &str, display_name: Option<&str>) -> Result<()> {
        let body = OfDevice {
            localpart,
            device_id,
            display_name,
        };
        self.change("upsert_device", localpart, &body, self.limits.total).await
    }

    async fn update_device_display_name(&self, localpart: &str, device_id: &str, display_name: &str) -> Result<()> {
        let body = OfDevice {
            localpart,
            device_id,
            display_name: Some(display_name),
        };
        self.change("update_device_display_name", localpart, &body, self.limits.total)
            .await
    }

    async fn delete_device(&self, localpart: &str, device_id: &str) -> Result<()> {
        let body = OfDevice {
            localpart,
            device_id,
            display_name: None,
        };
        self.change("delete_device", localpart, &body, self.limits.total).await
    }

    async fn sync_devices(&self, localpart: &str, devices: &BTreeSet<String>) -> Result<()> {
        let body = AllDevices { localpart, devices };
        self.change("sync_devices", localpart, &body, self.limits.total).await
    }

    async fn delete_user(&self, localpart: &str, erase: bool) -> Result<()> {
        let body = Deletion { localpart, erase };
        self.change("delete_user", localpart, &body, self.limits.total).await
    }

    async fn reactivate_user(&self, localpart: &str) -> Result<()> {
        let body = OfUser { localpart };
        self.change("reactivate_user", localpart, &body, self.limits.total)
            .await
    }

    async fn set_display_name(&self, localpart: &str, display_name: &str) -> Result<()> {
        let body = DisplayName {
            localpart,
            displayname: display_name,
        };
        self.change("set_displayname", localpart, &body, self.limits.total)
            .await
    }

    async fn unset_display_name(&self, localpart: &str) -> Result<()> {
        let body = OfUser { localpart };
        self.change("unset_displayname", localpart, &body, self.limits.total)
            .await
    }

    async fn allow_cross_signing_reset(&self, localpart: &str) -> Result<()> {
        let body = OfUser { localpart };
        self.change("allow_cross_signing_reset", localpart, &body, self.limits.total)
            .await
    }

    fn connected(&self) -> bool {
        true
    }
}

/// The endpoint as a folder: joined as MAS does it, one without the last slash would lose its last segment. A name and
/// password in it would become a second header of authorization.
fn base(endpoint: &Url) -> Url {
    let mut base = endpoint.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", endpoint.path()));
    }
    base.set_query(None);
    base.set_fragment(None);
    // Both fail only for a URL without a host, which has neither.
    let _ = base.set_username("");
    let _ = base.set_password(None);
    base
}

/// Tries a second time, after a pause, if the first error is `passing`.
async fn twice<T, E, F: Future<Output = Result<T, E>>>(
    attempt: impl Fn() -> F,
    passing: impl Fn(&E) -> bool,
) -> Result<T, E> {
    match attempt().await {
        Err(error) if passing(&error) => {
            tokio::time::sleep(RETRY_PAUSE).await;
            attempt().await
        }
        result => result,
    }
}
