//! The section `matrix`: which homeserver MAS serves, and how to talk to it.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::section::Section;
use crate::error::{Code, Error, Result};

/// The server name that MAS assumes when the section has none.
const DEFAULT_HOMESERVER: &str = "localhost:8008";

/// Where MAS assumes the homeserver when the section does not say.
const DEFAULT_ENDPOINT: &str = "http://localhost:8008/";

const KINDS: [(&str, Kind); 4] = [
    ("synapse", Kind::Synapse),
    ("synapse_modern", Kind::Synapse),
    ("synapse_legacy", Kind::SynapseLegacy),
    ("synapse_read_only", Kind::SynapseReadOnly),
];

/// How to talk to the homeserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Synapse 1.136 or later, through the API that it has for MAS: `synapse`, and `synapse_modern`, which is the same.
    Synapse,
    /// An older Synapse, through its admin API: `synapse_legacy`. Locks do not reach it.
    SynapseLegacy,
    /// As [`Kind::Synapse`], but nothing may be written: `synapse_read_only`.
    SynapseReadOnly,
}

impl Kind {
    /// The name that the configuration uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synapse => "synapse",
            Self::SynapseLegacy => "synapse_legacy",
            Self::SynapseReadOnly => "synapse_read_only",
        }
    }
}

/// The section `matrix`.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// How to talk to the homeserver.
    pub kind: Kind,
    /// The server name, the part of an MXID after the colon.
    pub homeserver: String,
    /// The base URL of its API; `http` or `https`. It may have a path, with or without a last slash. A password or a
    /// query that may hold a secret is left out: the secret below is what masctl is known by.
    pub endpoint: Url,
    /// The secret that MAS and the homeserver share. Not empty.
    pub secret: SecretString,
}

impl Matrix {
    /// Reads the section from the whole configuration.
    pub(super) fn read(top: &Section<'_>) -> Result<Self> {
        let Some(section) = top.section("matrix")? else {
            return Err(absent());
        };
        let kind = kind(&section);
        let homeserver = homeserver(&section);
        let endpoint = endpoint(&section);
        let secret = secret(&section);
        Ok(Self {
            kind: kind?,
            homeserver: homeserver?,
            endpoint: endpoint?,
            secret: secret?,
        })
    }
}

/// The error that there is no section `matrix`.
pub(super) fn absent() -> Error {
    Error::new(
        Code::ConfigMissing,
        "The configuration has no section `matrix`: the homeserver is unknown",
    )
    .help(
        "Name MAS's own configuration file with --config or MAS_CONFIG, \
         or set MAS_MATRIX_HOMESERVER, MAS_MATRIX_ENDPOINT and MAS_MATRIX_SECRET.",
    )
}

/// Whether an existing section says how to talk to the homeserver, and not only what the server is called.
pub(super) fn has_secret(section: &Section<'_>) -> bool {
    section.has_any(&["secret", "secret_file"])
}

/// How to talk to the homeserver of an existing section, and where it is.
pub(super) fn place(section: &Section<'_>) -> Result<(Kind, Url)> {
    Ok((kind(section)?, endpoint(section)?))
}

fn kind(section: &Section<'_>) -> Result<Kind> {
    Ok(section.choice("kind", &KINDS)?.unwrap_or(Kind::Synapse))
}

/// The server name of an existing section.
pub(super) fn homeserver(section: &Section<'_>) -> Result<String> {
    let name = section
        .text("homeserver")?
        .unwrap_or_else(|| DEFAULT_HOMESERVER.to_owned());
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@')) {
        return Err(section.invalid(
            "homeserver",
            "is not a server name",
            "Write the part of a Matrix ID after the colon, such as `example.com`, not a URL.",
        ));
    }
    Ok(name)
}

fn endpoint(section: &Section<'_>) -> Result<Url> {
    let text = section.text("endpoint")?.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    let help = "Write the URL at which MAS reaches the homeserver, such as `https://matrix.example.com/`.";
    let mut url =
        Url::parse(&text).map_err(|error| section.invalid("endpoint", &format!("is not a URL ({error})"), help))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(section.invalid("endpoint", "is not a URL of `http` or `https`", help));
    }
    // Neither fails for a URL of these, which has a host.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    Ok(url)
}

fn secret(section: &Section<'_>) -> Result<SecretString> {
    section.exclusive("secret", &["secret_file"])?;
    if let Some(secret) = section.secret("secret")? {
        if secret.expose_secret().is_empty() {
            return Err(section.invalid(
                "secret",
                "is empty",
                "Write the secret that MAS and the homeserver share.",
            ));
        }
        return Ok(secret);
    }
    section.read_secret_text("secret_file")?.ok_or_else(|| {
        section.missing(
            "secret",
            "Give the secret that MAS and the homeserver share as `matrix.secret` or `matrix.secret_file`.",
        )
    })
}
