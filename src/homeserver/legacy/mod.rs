//! Synapse, through the API that it has for administrators: `matrix.kind: synapse_legacy`.
//!
//! No current Synapse serves this: MAS was let in by the `admin_token` of `experimental_features.msc3861`, which
//! Synapse 1.157 removed. What the tests answer was recorded from Synapse 1.150.0.
//!
//! The API cannot lock a user in the sense of MAS, so **a lock never reaches the homeserver**: it keeps a user out only
//! because MAS answers that the user's tokens are not valid. And where the other API says that a user is not there,
//! this one makes it in [`Homeserver::reactivate_user`].

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Account, Availability, Homeserver, Limits, Provisioning, Setting, failure, impossible,
    transport::{Answer, Api, Call, Peer, Success, Transport, made_by_another},
};
use crate::{config::Matrix, error::Result};

/// What MAS calls itself as a provider of identities.
const AUTH_PROVIDER: &str = "oauth-delegated";

/// What is encoded in a path: all but the characters that never need it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The most bytes of what is known of a user: it may have many addresses.
const ACCOUNT_LIMIT: usize = 1024 * 1024;

/// The most bytes of a list of devices.
const DEVICES_LIMIT: usize = 16 * 1024 * 1024;

/// A client of an old Synapse. Nothing is opened before its first call.
#[derive(Debug)]
pub struct LegacySynapse {
    transport: Transport,
    server_name: String,
}

/// A user, as far as it is read.
#[derive(Deserialize)]
struct User {
    /// The MXID.
    name: String,
    displayname: Option<String>,
    avatar_url: Option<String>,
    #[serde(default)]
    deactivated: bool,
    #[serde(default)]
    suspended: bool,
}

#[derive(Deserialize)]
struct Named {
    available: bool,
}

#[derive(Deserialize)]
struct Devices {
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    device_id: String,
    /// It stands for the user while no client is there, and is none that MAS knows of.
    #[serde(default)]
    dehydrated: Option<bool>,
}

impl LegacySynapse {
    /// A client of the configured homeserver.
    #[must_use]
    pub fn new(matrix: &Matrix, limits: Limits) -> Self {
        Self {
            transport: Transport::new(matrix, Api::Admin, limits),
            server_name: matrix.homeserver.clone(),
        }
    }

    fn limits(&self) -> &Limits {
        self.transport.limits()
    }

    fn peer(&self) -> &Peer {
        self.transport.peer()
    }

    fn mxid(&self, localpart: &str) -> String {
        format!("@{localpart}:{}", self.server_name)
    }

    /// The path of something of a user, below `before` and above `after`.
    fn path(&self, before: &str, localpart: &str, after: &str) -> String {
        format!("{before}/{}{after}", encoded(&self.mxid(localpart)))
    }

    /// A call about a user, or about something of one.
    fn user(&self, method: Method, localpart: &str, after: &str) -> Call<'static> {
        let path = self.path("_synapse/admin/v2/users", localpart, after);
        Call::new(method, path, self.limits().write)
    }

    /// Makes a call about a user who must exist, and which must be answered with one of these.
    async fn send(&self, localpart: &str, call: Call<'_>, expected: &[StatusCode]) -> Result<Success> {
        match self.transport.send(&call).await? {
            Answer::Success(success) => success.one_of(expected, self.peer()),
            Answer::Refusal(refusal) if refusal.is_not_found() => Err(failure::unknown_user(localpart)),
            Answer::Refusal(refusal) => Err(refusal.into_error(self.peer())),
        }
    }

    /// Makes a device. One that exists stays as it is.
    async fn add_device(&self, localpart: &str, device_id: &str) -> Result<()> {
        let call = self
            .user(Method::POST, localpart, "/devices")
            .body(json!({ "device_id": device_id }));
        self.send(localpart, call, &[StatusCode::CREATED]).await.map(drop)
    }

    /// Removes devices, of which some may not be there.
    async fn delete_devices(&self, localpart: &str, devices: &[&str]) -> Result<()> {
        let call = self
            .user(Method::POST, localpart, "/delete_devices")
            .body(json!({ "devices": devices }));
        self.send(localpart, call, &[StatusCode::OK]).await.map(drop)
    }

    /// Removes what is too much, then makes what is missing, one after the other.
    async fn replace_devices(&self, localpart: &str, wanted: &BTreeSet<String>) -> Result<()> {
        let call = self.user(Method::GET, localpart, "/devices").reading(DEVICES_LIMIT);
        let answer = self.send(localpart, call, &[StatusCode::OK]).await?;
        let there = answer.json::<Devices>(self.peer())?.devices;
        let there: BTreeSet<&str> = there
            .iter()
            .filter(|device| device.dehydrated != Some(true))
            .map(|device| device.device_id.as_str())
            .collect();
        let surplus: Vec<&str> = there.iter().copied().filter(|id| !wanted.contains(*id)).collect();
        self.delete_devices(localpart, &surplus).await?;
        for device_id in wanted.iter().filter(|id| !there.contains(id.as_str())) {
            self.add_device(localpart, device_id).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Homeserver for LegacySynapse {
    async fn is_localpart_available(&self, localpart: &str) -> Result<Availability> {
        if let Some(why) = impossible(localpart) {
            return Ok(Availability::Unavailable(why));
        }
        let call = Call::new(Method::GET, "_synapse/admin/v1/username_available", self.limits().read)
            .query("username", localpart);
        match self.transport.send(&call).await? {
            Answer::Success(success) if success.json::<Named>(self.peer())?.available => Ok(Availability::Available),
            Answer::Success(_) => Ok(Availability::Unavailable("the homeserver says so".to_owned())),
            Answer::Refusal(refusal) => refusal.into_availability(self.peer()),
        }
    }

    async fn query_user(&self, localpart: &str) -> Result<Option<Account>> {
        if impossible(localpart).is_some() {
            return Ok(None);
        }
        let path = self.path("_synapse/admin/v2/users", localpart, "");
        let call = Call::new(Method::GET, path, self.limits().read).reading(ACCOUNT_LIMIT);
        match self.transport.send(&call).await? {
            Answer::Success(success) => {
                let user: User = success.json(self.peer())?;
                Ok(Some(Account {
                    user_id: user.name,
                    display_name: user.displayname,
                    avatar_url: user.avatar_url,
                    suspended: user.suspended,
                    deactivated: user.deactivated,
                }))
            }
            Answer::Refusal(refusal) if refusal.is_not_found() => Ok(None),
            Answer::Refusal(refusal) => Err(refusal.into_error(self.peer())),
        }
    }

    async fn provision_user(&self, user: &Provisioning<'_>) -> Result<bool> {
        let call = self.user(Method::PUT, user.localpart, "").body(provisioning(user));
        let answer = self.transport.send_unless(&call, made_by_another).await?;
        answer.into_created(self.peer(), user.localpart)
    }

    async fn upsert_device(&self, localpart: &str, device_id: &str, display_name: Option<&str>) -> Result<()> {
        self.add_device(localpart, device_id).await?;
        match display_name {
            Some(name) => self.update_device_display_name(localpart, device_id, name).await,
            None => Ok(()),
        }
    }

    async fn update_device_display_name(&self, localpart: &str, device_id: &str, display_name: &str) -> Result<()> {
        let Some(segment) = segment(device_id) else {
            return Err(failure::unspeakable(device_id));
        };
        let call = self
            .user(Method::PUT, localpart, &format!("/devices/{segment}"))
            .body(json!({ "display_name": display_name }));
        match self.transport.send(&call).await? {
            Answer::Success(success) => success.one_of(&[StatusCode::OK], self.peer()).map(drop),
            Answer::Refusal(refusal) if refusal.is_not_found() => Err(failure::unknown_device(localpart, device_id)),
            Answer::Refusal(refusal) => Err(refusal.into_error(self.peer())),
        }
    }

    async fn delete_device(&self, localpart: &str, device_id: &str) -> Result<()> {
        let Some(segment) = segment(device_id) else {
            return self.delete_devices(localpart, &[device_id]).await;
        };
        let call = self.user(Method::DELETE, localpart, &format!("/devices/{segment}"));
        self.send(localpart, call, &[StatusCode::OK]).await.map(drop)
    }

    async fn sync_devices(&self, localpart: &str, devices: &BTreeSet<String>) -> Result<()> {
        let limit = self.limits().of_devices(devices.len());
        tokio::time::timeout(limit, self.replace_devices(localpart, devices))
            .await
            .unwrap_or_else(|_| Err(self.peer().silent(limit, false)))
    }

    async fn delete_user(&self, localpart: &str, erase: bool) -> Result<()> {
        let path = self.path("_synapse/admin/v1/deactivate", localpart, "");
        let call = Call::new(Method::POST, path, self.limits().deactivation).body(json!({ "erase": erase }));
        self.send(localpart, call, &[StatusCode::OK]).await.map(drop)
    }

    async fn reactivate_user(&self, localpart: &str) -> Result<()> {
        let call = self
            .user(Method::PUT, localpart, "")
            .body(json!({ "deactivated": false }));
        self.send(localpart, call, &[StatusCode::OK, StatusCode::CREATED])
            .await
            .map(drop)
    }

    async fn set_display_name(&self, localpart: &str, display_name: &str) -> Result<()> {
        let path = self.path("_matrix/client/v3/profile", localpart, "/displayname");
        let call = Call::new(Method::PUT, path, self.limits().write).body(json!({ "displayname": display_name }));
        self.send(localpart, call, &[StatusCode::OK]).await.map(drop)
    }

    async fn unset_display_name(&self, localpart: &str) -> Result<()> {
        self.set_display_name(localpart, "").await
    }

    async fn allow_cross_signing_reset(&self, localpart: &str) -> Result<()> {
        let path = self.path(
            "_synapse/admin/v1/users",
            localpart,
            "/_allow_cross_signing_replacement_without_uia",
        );
        let call = Call::new(Method::POST, path, self.limits().write).body(json!({}));
        match self.transport.send(&call).await? {
            Answer::Success(success) => success.one_of(&[StatusCode::OK], self.peer()).map(drop),
            Answer::Refusal(refusal) if refusal.is_not_found() => Err(failure::unknown(localpart, "cross-signing key")),
            Answer::Refusal(refusal) => Err(refusal.into_error(self.peer())),
        }
    }

    fn connected(&self) -> bool {
        true
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A device as a segment of a path. None where the path would then be another one: dots mean the same, encoded or not.
fn segment(device_id: &str) -> Option<String> {
    (!matches!(device_id, "" | "." | "..")).then(|| encoded(device_id))
}

/// What this API can be told. An empty text is how it unsets one.
fn provisioning(user: &Provisioning<'_>) -> Value {
    let identity = json!({ "auth_provider": AUTH_PROVIDER, "external_id": user.sub });
    let mut body = json!({ "external_ids": [identity] });
    for (field, setting) in [("displayname", user.display_name), ("avatar_url", user.avatar_url)] {
        match setting {
            Setting::Keep => {}
            Setting::Set(value) => body[field] = value.into(),
            Setting::Unset => body[field] = "".into(),
        }
    }
    if let Some(emails) = user.emails {
        let address = |address: &String| json!({ "medium": "email", "address": address });
        body["threepids"] = emails.iter().map(address).collect();
    }
    body
}
