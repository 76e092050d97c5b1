//! A homeserver that is only memory, for the tests of scripts: it keeps accounts and does what the calls say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Account, Availability, Homeserver, NoHomeserver, Provisioning, Setting, failure};
use crate::error::{Code, Error, Result};

/// An account of the fake homeserver, with what a real one tells only its own administrators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own, as on Synapse")]
pub struct FakeAccount {
    /// The name that others see.
    pub display_name: Option<String>,
    /// Where its picture is.
    pub avatar_url: Option<String>,
    /// Whether it is deactivated.
    pub deactivated: bool,
    /// Whether it is deactivated and erased.
    pub erased: bool,
    /// Whether it is locked.
    pub locked: bool,
    /// Whether it administers the homeserver.
    pub admin: bool,
    /// Its addresses, as it was told of them last.
    pub emails: Vec<String>,
    /// Its devices by their ids, with their names.
    pub devices: BTreeMap<String, Option<String>>,
}

/// A homeserver in memory. Usernames are those that Synapse would have.
#[derive(Debug)]
pub struct FakeHomeserver {
    server_name: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<String, FakeAccount>,
    down: bool,
}

impl FakeHomeserver {
    /// One without accounts. `server_name` is the part of an MXID after the colon.
    #[must_use]
    pub fn new(server_name: impl Into<String>) -> Self {
        Self {
            server_name: server_name.into(),
            state: Mutex::default(),
        }
    }

    /// Makes an account, or puts this one in its place.
    pub fn put(&self, localpart: &str, account: FakeAccount) {
        self.state().accounts.insert(localpart.to_owned(), account);
    }

    /// The account of this localpart.
    #[must_use]
    pub fn account(&self, localpart: &str) -> Option<FakeAccount> {
        self.state().accounts.get(localpart).cloned()
    }

    /// From now on it does not answer, or it does again.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, if it answers.
    fn answer(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.down {
            return Err(Error::new(
                Code::HomeserverUnreachable,
                "The homeserver does not answer: the test says so",
            ));
        }
        Ok(state)
    }

    /// Does something to an account that must be there.
    fn with<T>(&self, localpart: &str, deed: impl FnOnce(&mut FakeAccount) -> T) -> Result<T> {
        let mut state = self.answer()?;
        let account = state.accounts.get_mut(localpart);
        account.map(deed).ok_or_else(|| failure::unknown_user(localpart))
    }
}

fn set(field: &mut Option<String>, setting: Setting<'_>) {
    match setting {
        Setting::Keep => {}
        Setting::Set(value) => *field = Some(value.to_owned()),
        Setting::Unset => *field = None,
    }
}

#[async_trait]
impl Homeserver for FakeHomeserver {
    async fn is_localpart_available(&self, localpart: &str) -> Result<Availability> {
        if self.answer()?.accounts.contains_key(localpart) {
            let why = "the homeserver has a user of this name".to_owned();
            return Ok(Availability::Unavailable(why));
        }
        NoHomeserver::new(self.server_name.as_str())
            .is_localpart_available(localpart)
            .await
    }

    async fn query_user(&self, localpart: &str) -> Result<Option<Account>> {
        let state = self.answer()?;
        Ok(state.accounts.get(localpart).map(|account| Account {
            user_id: format!("@{localpart}:{}", self.server_name),
            display_name: account.display_name.clone(),
            avatar_url: account.avatar_url.clone(),
            suspended: false,
            deactivated: account.deactivated,
        }))
    }

    async fn provision_user(&self, user: &Provisioning<'_>) -> Result<bool> {
        let mut state = self.answer()?;
        let is_new = !state.accounts.contains_key(user.localpart);
        let account = state.accounts.entry(user.localpart.to_owned()).or_default();
        account.locked = user.locked;
        set(&mut account.display_name, user.display_name);
        set(&mut account.avatar_url, user.avatar_url);
        if let Some(emails) = user.emails {
            account.emails = emails.to_vec();
        }
        Ok(is_new)
    }

    async fn upsert_device(&self, localpart: &str, device_id: &str, display_name: Option<&str>) -> Result<()> {
        self.with(localpart, |account| {
            let name = account.devices.entry(device_id.to_owned()).or_default();
            set(name, display_name.into());
        })
    }

    async fn update_device_display_name(&self, localpart: &str, device_id: &str, display_name: &str) -> Result<()> {
        let mut state = self.answer()?;
        let account = state.accounts.get_mut(localpart);
        let device = account.and_then(|account| account.devices.get_mut(device_id));
        let device = device.ok_or_else(|| failure::unknown_device(localpart, device_id))?;
        *device = Some(display_name.to_owned());
        Ok(())
    }

    async fn delete_device(&self, localpart: &str, device_id: &str) -> Result<()> {
        self.with(localpart, |account| drop(account.devices.remove(device_id)))
    }

    async fn sync_devices(&self, localpart: &str, devices: &BTreeSet<String>) -> Result<()> {
        self.with(localpart, |account| {
            account.devices.retain(|id, _| devices.contains(id));
            for id in devices {
                account.devices.entry(id.clone()).or_default();
            }
        })
    }

    async fn delete_user(&self, localpart: &str, erase: bool) -> Result<()> {
        self.with(localpart, |account| {
            *account = FakeAccount {
                display_name: account.display_name.take().filter(|_| !erase),
                avatar_url: account.avatar_url.take().filter(|_| !erase),
                deactivated: true,
                erased: erase || account.erased,
                locked: account.locked,
                ..FakeAccount::default()
            };
        })
    }

    async fn reactivate_user(&self, localpart: &str) -> Result<()> {
        self.with(localpart, |account| {
            account.deactivated = false;
            account.erased = false;
        })
    }

    async fn set_display_name(&self, localpart: &str, display_name: &str) -> Result<()> {
        self.with(localpart, |account| {
            account.display_name = Some(display_name.to_owned());
        })
    }

    async fn unset_display_name(&self, localpart: &str) -> Result<()> {
        self.with(localpart, |account| account.display_name = None)
    }

    async fn allow_cross_signing_reset(&self, localpart: &str) -> Result<()> {
        self.with(localpart, |_| ())
    }

    fn connected(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::homeserver::transport::tests::{every_call, sub};

    #[tokio::test]
    async fn it_does_what_the_calls_say() {
        let homeserver = FakeHomeserver::new("example.com");
        let missing = homeserver.delete_user("alice", false).await.unwrap_err();
        assert_eq!(missing.message(), "The homeserver has no user `alice` yet");
        let emails = ["alice@example.com".to_owned()];
        let user = Provisioning {
            emails: Some(&emails),
            display_name: Setting::Set("Alice"),
            ..Provisioning::new("alice", sub(), true)
        };
        assert!(homeserver.provision_user(&user).await.unwrap());
        assert!(!homeserver.provision_user(&user).await.unwrap());
        let taken = homeserver.is_localpart_available("alice").await.unwrap();
        let why = "the homeserver has a user of this name".to_owned();
        assert_eq!(taken, Availability::Unavailable(why));

        homeserver.upsert_device("alice", "PHONE", Some("phone")).await.unwrap();
        homeserver.upsert_device("alice", "PHONE", None).await.unwrap();
        let devices = ["PHONE", "LAPTOP"].map(str::to_owned).into();
        homeserver.sync_devices("alice", &devices).await.unwrap();
        let account = homeserver.account("alice").unwrap();
        let expected = [("LAPTOP", None), ("PHONE", Some("phone"))];
        let shown = account.devices.iter().map(|(id, name)| (id.as_str(), name.as_deref()));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert!(account.locked && account.emails == emails);

        homeserver.delete_user("alice", true).await.unwrap();
        let found = homeserver.query_user("alice").await.unwrap().unwrap();
        assert!(found.deactivated && found.display_name.is_none());
        assert_eq!(homeserver.account("alice").unwrap().devices.len(), 0);
        homeserver.reactivate_user("alice").await.unwrap();
        assert!(!homeserver.account("alice").unwrap().deactivated);
    }

    #[tokio::test]
    async fn it_is_down_where_a_test_says_so() {
        let homeserver = FakeHomeserver::new("example.com");
        homeserver.put("alice", FakeAccount::default());
        for (call, result) in every_call(&homeserver).await {
            if !matches!(call, "update_device_display_name") {
                result.expect(call);
            }
        }
        homeserver.set_down(true);
        for (call, result) in every_call(&homeserver).await {
            assert_eq!(result.unwrap_err().code(), Code::HomeserverUnreachable, "{call}");
        }
    }
}
