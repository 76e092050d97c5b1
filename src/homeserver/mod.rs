//! The homeserver that MAS serves: what masctl asks of it and does on it.

mod legacy;
mod none;
mod synapse;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use self::legacy::LegacySynapse;
pub use self::{
    none::NoHomeserver,
    synapse::{Limits, Synapse},
};
use crate::{
    config::{HomeserverKind, Matrix},
    error::Result,
};

/// The most bytes of an MXID.
const MXID_LIMIT: usize = 255;

/// Whether a new user can have a username.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Available,
    /// It cannot. Why, as a part of a sentence: `the homeserver has a user of this name`.
    Unavailable(String),
}

/// What masctl needs of a homeserver. Everything is safe to repeat.
#[async_trait]
pub trait Homeserver: fmt::Debug + Send + Sync {
    /// Whether a new user can have this localpart. Waits only a short time for the answer.
    ///
    /// # Errors
    /// `homeserver.unreachable`, `homeserver.refused`, `homeserver.failed`, `homeserver.unsupported`.
    async fn is_localpart_available(&self, localpart: &str) -> Result<Availability>;

    /// Makes a device of a user, or renames the one of this id. Without a name, one that it has is kept.
    ///
    /// # Errors
    /// As those of [`Self::is_localpart_available`]; `homeserver.failed` also if the homeserver has no such user yet.
    async fn upsert_device(&self, localpart: &str, device_id: &str, display_name: Option<&str>) -> Result<()>;

    /// Whether there is a homeserver behind this. If not, deeds on it do nothing, and the caller says so.
    fn connected(&self) -> bool;
}

/// The client that the configuration asks for. Opens nothing: that is left to the first call.
#[must_use]
pub fn connect(matrix: &Matrix) -> Arc<dyn Homeserver> {
    match matrix.kind {
        HomeserverKind::Synapse => Arc::new(Synapse::new(matrix, Limits::default())),
        HomeserverKind::SynapseReadOnly => Arc::new(Synapse::read_only(matrix, Limits::default())),
        HomeserverKind::SynapseLegacy => Arc::new(LegacySynapse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[tokio::test]
    async fn the_kind_chooses_the_client() {
        let mut matrix = Matrix {
            kind: HomeserverKind::Synapse,
            homeserver: "example.com".to_owned(),
            endpoint: "http://localhost:8008/".parse().unwrap(),
            secret: "correct-horse".into(),
        };
        assert!(connect(&matrix).connected());
        for kind in [HomeserverKind::SynapseReadOnly, HomeserverKind::SynapseLegacy] {
            matrix.kind = kind;
            let homeserver = connect(&matrix);
            assert!(homeserver.connected());
            let error = homeserver.upsert_device("alice", "LAPTOP", None).await.unwrap_err();
            assert_eq!(error.code(), Code::HomeserverUnsupported);
        }
        let error = connect(&matrix).is_localpart_available("alice").await.unwrap_err();
        assert_eq!(error.code(), Code::HomeserverUnsupported);
    }
}
