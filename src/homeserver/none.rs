//! No homeserver: the embedded store stands alone, with the rules for usernames that Synapse has.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Account, Availability, Homeserver, MXID_LIMIT, Provisioning};
use crate::error::Result;

/// Stands in for a homeserver where none is configured. It refuses the usernames that Synapse refuses.
#[derive(Clone, Debug)]
pub struct NoHomeserver {
    server_name: String,
}

impl NoHomeserver {
    /// `server_name` is the part of an MXID after the colon.
    #[must_use]
    pub fn new(server_name: impl Into<String>) -> Self {
        Self {
            server_name: server_name.into(),
        }
    }

    /// Why Synapse would not let anybody register this localpart.
    fn objection(&self, localpart: &str) -> Option<String> {
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '=' | '_' | '-' | '.' | '/' | '+');
        if localpart.is_empty() {
            Some("it is empty".to_owned())
        } else if !localpart.chars().all(allowed) {
            Some("it has characters other than a-z 0-9 = _ - . / +".to_owned())
        } else if localpart.starts_with('_') {
            Some("it starts with `_`".to_owned())
        } else if localpart.bytes().all(|byte| byte.is_ascii_digit()) {
            Some("it has only digits".to_owned())
        } else if "@:".len() + localpart.len() + self.server_name.len() > MXID_LIMIT {
            Some(format!("its MXID is longer than {MXID_LIMIT} bytes"))
        } else {
            None
        }
    }
}

#[async_trait]
impl Homeserver for NoHomeserver {
    async fn is_localpart_available(&self, localpart: &str) -> Result<Availability> {
        Ok(self
            .objection(localpart)
            .map_or(Availability::Available, Availability::Unavailable))
    }

    async fn query_user(&self, _localpart: &str) -> Result<Option<Account>> {
        Ok(None)
    }

    async fn provision_user(&self, _user: &Provisioning<'_>) -> Result<bool> {
        Ok(false)
    }

    async fn upsert_device(&self, _localpart: &str, _device_id: &str, _display_name: Option<&str>) -> Result<()> {
        Ok(())
    }

    async fn update_device_display_name(&self, _localpart: &str, _device_id: &str, _display_name: &str) -> Result<()> {
        Ok(())
    }

    async fn delete_device(&self, _localpart: &str, _device_id: &str) -> Result<()> {
        Ok(())
    }

    async fn sync_devices(&self, _localpart: &str, _devices: &BTreeSet<String>) -> Result<()> {
        Ok(())
    }

    async fn delete_user(&self, _localpart: &str, _erase: bool) -> Result<()> {
        Ok(())
    }

    async fn reactivate_user(&self, _localpart: &str) -> Result<()> {
        Ok(())
    }

    async fn set_display_name(&self, _localpart: &str, _display_name: &str) -> Result<()> {
        Ok(())
    }

    async fn unset_display_name(&self, _localpart: &str) -> Result<()> {
        Ok(())
    }

    async fn allow_cross_signing_reset(&self, _localpart: &str) -> Result<()> {
        Ok(())
    }

    fn connected(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::homeserver::transport::tests::{every_call, sub};

    #[tokio::test]
    async fn usernames_follow_the_rules_of_synapse() {
        let homeserver = NoHomeserver::new("example.com");
        let longest = "a".repeat(255 - "@:example.com".len());
        for localpart in ["alice", "a", "0a", "a_b", "=-./+", longest.as_str()] {
            let availability = homeserver.is_localpart_available(localpart).await.unwrap();
            assert_eq!(availability, Availability::Available, "{localpart}");
        }
        let too_long = format!("{longest}a");
        for (localpart, why) in [
            ("", "it is empty"),
            ("Alice", "it has characters other than a-z 0-9 = _ - . / +"),
            ("ålice", "it has characters other than a-z 0-9 = _ - . / +"),
            ("al ice", "it has characters other than a-z 0-9 = _ - . / +"),
            ("alice\n", "it has characters other than a-z 0-9 = _ - . / +"),
            ("_alice", "it starts with `_`"),
            ("123", "it has only digits"),
            (too_long.as_str(), "its MXID is longer than 255 bytes"),
        ] {
            let availability = homeserver.is_localpart_available(localpart).await.unwrap();
            assert_eq!(availability, Availability::Unavailable(why.to_owned()), "{localpart}");
        }
    }

    #[tokio::test]
    async fn nothing_is_connected_and_deeds_do_nothing() {
        let homeserver = NoHomeserver::new("example.com");
        assert!(!homeserver.connected());
        for (call, result) in every_call(&homeserver).await {
            result.expect(call);
        }
        assert_eq!(homeserver.query_user("alice").await.unwrap(), None);
        let user = Provisioning::new("alice", sub(), false);
        assert!(!homeserver.provision_user(&user).await.unwrap());
    }
}
