//! `matrix.kind: synapse_legacy`: the admin API of Synapse before 1.135, which masctl does not speak.

use async_trait::async_trait;

use super::{Availability, Homeserver};
use crate::error::{Code, Error, Result};

/// A homeserver that is there, but that masctl cannot talk to. Commands that do not need it work.
#[derive(Debug)]
pub(super) struct LegacySynapse;

#[async_trait]
impl Homeserver for LegacySynapse {
    async fn is_localpart_available(&self, _localpart: &str) -> Result<Availability> {
        Err(unsupported())
    }

    async fn upsert_device(&self, _localpart: &str, _device_id: &str, _display_name: Option<&str>) -> Result<()> {
        Err(unsupported())
    }

    fn connected(&self) -> bool {
        true
    }
}

fn unsupported() -> Error {
    Error::new(
        Code::HomeserverUnsupported,
        "masctl does not speak the API of `matrix.kind: synapse_legacy`",
    )
    .help("Upgrade Synapse to 1.136 or later and set `matrix.kind: synapse`.")
}
