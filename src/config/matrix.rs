//! The section `matrix`: which homeserver MAS serves, and how to talk to it.

use secrecy::SecretString;
use url::Url;

/// How to talk to the homeserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Synapse 1.135 or later, through the API that it has for MAS: `synapse`, and `synapse_modern`, which is the same.
    Synapse,
    /// An older Synapse, through its admin API: `synapse_legacy`.
    SynapseLegacy,
    /// As [`Kind::Synapse`], but nothing may be written: `synapse_read_only`.
    SynapseReadOnly,
}

/// The section `matrix`.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// How to talk to the homeserver.
    pub kind: Kind,
    /// The server name, the part of an MXID after the colon.
    pub homeserver: String,
    /// The base URL of its API; `http` or `https`.
    pub endpoint: Url,
    /// The secret that MAS and the homeserver share. Not empty.
    pub secret: SecretString,
}
