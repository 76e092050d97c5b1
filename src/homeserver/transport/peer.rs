//! The other side: where it is, and what is said of it when it does not answer as it should.

use std::{error::Error as StdError, time::Duration};

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::error::{Code, Error};

/// The most characters of a text of others that are shown.
const WORDS_LIMIT: usize = 300;

/// Which API of Synapse is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::homeserver) enum Api {
    /// The one for MAS.
    Mas,
    /// The one for administrators.
    Admin,
}

impl Api {
    pub(super) fn where_it_is(self) -> &'static str {
        match self {
            Self::Mas => {
                "Check that `matrix.endpoint` leads to Synapse, and that its proxy passes on `/_synapse/mas/`."
            }
            Self::Admin => {
                "Check that `matrix.endpoint` leads to Synapse, and that its proxy passes on `/_synapse/admin/` and \
                 `/_matrix/client/`."
            }
        }
    }

    pub(super) fn where_the_secret_is(self) -> &'static str {
        match self {
            Self::Mas => {
                "`matrix.secret` must be the `secret` in Synapse's section `matrix_authentication_service`. \
                 A proxy that blocks `/_synapse/mas/` answers like this too."
            }
            Self::Admin => {
                "With `matrix.kind: synapse_legacy`, `matrix.secret` must be the `admin_token` in Synapse's section \
                 `experimental_features.msc3861`. Synapse 1.157 and later have none: set `matrix.kind: synapse`, for MAS too."
            }
        }
    }

    pub(super) fn how_to_enable_it(self) -> &'static str {
        match self {
            Self::Mas => {
                "Enable the section `matrix_authentication_service` in the configuration of Synapse 1.136 or later."
            }
            Self::Admin => "Serve the resource `client` of Synapse there, or set `matrix.kind: synapse`, for MAS too.",
        }
    }
}

/// A homeserver, and the secret that it is shown.
#[derive(Clone, Debug)]
pub(in crate::homeserver) struct Peer {
    endpoint: Url,
    secret: SecretString,
    api: Api,
}

impl Peer {
    pub(super) fn new(endpoint: &Url, secret: SecretString, api: Api) -> Self {
        Self {
            endpoint: base(endpoint),
            secret,
            api,
        }
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(super) fn api(&self) -> Api {
        self.api
    }

    pub(super) fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.endpoint.scheme() == "https"
    }

    /// The URL of a path below the endpoint. The path is percent-encoded and has no segment of dots alone.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{}{path}", self.endpoint.path()));
        url
    }

    /// A call was not answered in time.
    pub(in crate::homeserver) fn silent(&self, limit: Duration, is_read: bool) -> Error {
        let help = if is_read {
            "Check `matrix.endpoint`, and what the homeserver is busy with."
        } else {
            "It may still do what it was asked to; to ask again is safe. \
             Check `matrix.endpoint`, and what the homeserver is busy with."
        };
        self.unreachable(&format!("no answer within {} s", limit.as_secs_f32()), help)
    }

    /// A call was not answered at all.
    pub(super) fn failed(&self, error: reqwest::Error, connect: Duration, is_read: bool) -> Error {
        if error.is_builder() {
            return self.unusable(&error);
        }
        let words = self.words(&innermost(&error));
        let unreachable = if error.is_connect() && error.is_timeout() {
            let why = format!("no connection within {} s", connect.as_secs_f32());
            self.unreachable(&why, "Check `matrix.endpoint`, and that no firewall is in between.")
        } else if error.is_connect() && words.contains("certificate") {
            let help = "Its certificate must be valid for the host in `matrix.endpoint`, and this machine must trust who \
                        issued it.";
            self.unreachable(&words, help)
        } else if error.is_connect() {
            self.unreachable(&words, "Check `matrix.endpoint`, and that this machine can reach it.")
        } else if is_read {
            let help = "Check `matrix.endpoint`, and the log of the homeserver and of its proxy.";
            self.unreachable(&format!("the connection was lost ({words})"), help)
        } else {
            let help = "It may have done what it was asked to; to ask again is safe. \
                        Check `matrix.endpoint`, and the log of the homeserver and of its proxy.";
            self.unreachable(&format!("the connection was lost before the answer ({words})"), help)
        };
        unreachable.caused_by(error.without_url())
    }

    fn unreachable(&self, why: &str, help: &str) -> Error {
        Error::new(
            Code::HomeserverUnreachable,
            format!("The homeserver at `{}` cannot be reached: {why}", self.place()),
        )
        .help(help)
    }

    /// The client itself cannot be made.
    pub(super) fn unusable(&self, error: &reqwest::Error) -> Error {
        Error::new(
            Code::HomeserverUnreachable,
            format!(
                "No request to the homeserver at `{}` can be made: {}",
                self.place(),
                self.words(&innermost(error))
            ),
        )
        .help("An `https` endpoint needs the system's CA certificates, often the package `ca-certificates`.")
    }

    /// The answer is a success, but not one of Synapse.
    pub(in crate::homeserver) fn strange(&self, status: StatusCode, what: &str) -> Error {
        let status = status.as_u16();
        Error::new(
            Code::HomeserverFailed,
            format!("The homeserver at `{}` answers {status}, but {what}", self.place()),
        )
        .help(self.api.where_it_is())
        .data("status", status)
    }

    /// The endpoint for people: never a name or a password.
    pub(super) fn place(&self) -> String {
        place(&self.endpoint)
    }

    /// Text of others made fit for one line. A homeserver might repeat the secret.
    pub(super) fn words(&self, text: &str) -> String {
        let text = text.replace(self.secret.expose_secret(), "<secret>");
        let line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(WORDS_LIMIT)
            .collect();
        line.trim().trim_end_matches('.').to_owned()
    }
}

/// Scheme, host, port and path of an endpoint, for people: a wrong path is as often the fault as a wrong host.
#[must_use]
pub fn place(endpoint: &Url) -> String {
    let origin = endpoint.origin().ascii_serialization();
    format!("{origin}{}", endpoint.path().trim_end_matches('/'))
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

/// The first cause: the outer ones only say that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn StdError = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
