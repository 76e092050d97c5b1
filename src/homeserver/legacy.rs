//! `matrix.kind: synapse_legacy`: the admin API of Synapse before 1.135, which masctl does not speak.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Account, Availability, Homeserver, Provisioning};
use crate::error::{Code, Error, Result};

/// A homeserver that is there, but that masctl cannot talk to. Commands that do not need it work.
#[derive(Debug)]
pub(super) struct LegacySynapse;

#[async_trait]
impl Homeserver for LegacySynapse {
    async fn is_localpart_available(&self, _localpart: &str) -> Result<Availability> {
        Err(unsupported())
    }

    async fn query_user(&self, _localpart: &str) -> Result<Option<Account>> {
        Err(unsupported())
    }

    async fn provision_user(&self, _user: &Provisioning<'_>) -> Result<bool> {
        Err(unsupported())
    }

    async fn upsert_device(&self, _localpart: &str, _device_id: &str, _display_name: Option<&str>) -> Result<()> {
        Err(unsupported())
    }

    async fn update_device_display_name(&self, _localpart: &str, _device_id: &str, _display_name: &str) -> Result<()> {
        Err(unsupported())
    }

    async fn delete_device(&self, _localpart: &str, _device_id: &str) -> Result<()> {
        Err(unsupported())
    }

    async fn sync_devices(&self, _localpart: &str, _devices: &BTreeSet<String>) -> Result<()> {
        Err(unsupported())
    }

    async fn delete_user(&self, _localpart: &str, _erase: bool) -> Result<()> {
        Err(unsupported())
    }

    async fn reactivate_user(&self, _localpart: &str) -> Result<()> {
        Err(unsupported())
    }

    async fn set_display_name(&self, _localpart: &str, _display_name: &str) -> Result<()> {
        Err(unsupported())
    }

    async fn unset_display_name(&self, _localpart: &str) -> Result<()> {
        Err(unsupported())
    }

    async fn allow_cross_signing_reset(&self, _localpart: &str) -> Result<()> {
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
