//! A homeserver that lets a test act while it is asked.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use masctl::{
    error::Result,
    homeserver::{Account, Availability, Homeserver, Provisioning},
};

/// What a test does when it is asked for the nth time, from 0.
type During = dyn Fn(usize) + Send + Sync;

/// It agrees to everything, and remembers it.
pub(super) struct Double {
    asked: Mutex<Vec<String>>,
    during: Box<During>,
    takes: Duration,
}

impl Double {
    /// One that does `during` before it answers.
    pub(super) fn new(during: impl Fn(usize) + Send + Sync + 'static) -> Arc<Self> {
        Self::slow(Duration::ZERO, during)
    }

    /// One that takes so long to answer after it has done `during`.
    pub(super) fn slow(takes: Duration, during: impl Fn(usize) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            asked: Mutex::default(),
            during: Box::new(during),
            takes,
        })
    }

    /// What it was asked.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn done(&self, asked: String) -> Result<()> {
        let number = {
            let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(asked);
            all.len() - 1
        };
        (self.during)(number);
        tokio::time::sleep(self.takes).await;
        Ok(())
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Double")
    }
}

#[async_trait]
impl Homeserver for Double {
    async fn is_localpart_available(&self, _: &str) -> Result<Availability> {
        Ok(Availability::Available)
    }

    async fn query_user(&self, _: &str) -> Result<Option<Account>> {
        Ok(None)
    }

    async fn provision_user(&self, user: &Provisioning<'_>) -> Result<bool> {
        let locked = if user.locked { " locked" } else { "" };
        self.done(format!("provision {}{locked} {:?}", user.localpart, user.emails))
            .await
            .map(|()| true)
    }

    async fn upsert_device(&self, localpart: &str, device_id: &str, _: Option<&str>) -> Result<()> {
        self.done(format!("upsert {localpart} {device_id}")).await
    }

    async fn update_device_display_name(&self, localpart: &str, device_id: &str, _: &str) -> Result<()> {
        self.done(format!("rename {localpart} {device_id}")).await
    }

    async fn delete_device(&self, localpart: &str, device_id: &str) -> Result<()> {
        self.done(format!("delete {localpart} {device_id}")).await
    }

    async fn sync_devices(&self, localpart: &str, devices: &BTreeSet<String>) -> Result<()> {
        self.done(format!("sync {localpart} {devices:?}")).await
    }

    async fn delete_user(&self, localpart: &str, erase: bool) -> Result<()> {
        self.done(format!("deactivate {localpart} {erase}")).await
    }

    async fn reactivate_user(&self, localpart: &str) -> Result<()> {
        self.done(format!("reactivate {localpart}")).await
    }

    async fn set_display_name(&self, localpart: &str, _: &str) -> Result<()> {
        self.done(format!("name {localpart}")).await
    }

    async fn unset_display_name(&self, localpart: &str) -> Result<()> {
        self.done(format!("unname {localpart}")).await
    }

    async fn allow_cross_signing_reset(&self, localpart: &str) -> Result<()> {
        self.done(format!("reset {localpart}")).await
    }

    fn connected(&self) -> bool {
        true
    }
}
