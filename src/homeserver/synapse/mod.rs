//! Synapse, through the API that it has for MAS: `/_synapse/mas/*`, Synapse 1.136 or later. Its lock needs 1.150.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Account, Availability, Homeserver, Limits, Provisioning, Setting, failure, impossible,
    transport::{Answer, Api, Call, Transport, made_by_another, removed_by_another},
};
use crate::{
    config::Matrix,
    error::{Code, Error, Result},
};

/// The most bytes of what is known of a user.
const ACCOUNT_LIMIT: usize = 1024 * 1024;

/// A client of Synapse. Nothing is opened before its first call.
#[derive(Debug)]
pub struct Synapse {
    transport: Transport,
    read_only: bool,
}

/// What `query_user` answers.
#[derive(Deserialize)]
struct Queried {
    user_id: String,
    display_name: Option<String>,
    avatar_url: Option<String>,
    is_suspended: bool,
    is_deactivated: bool,
}

impl Synapse {
    /// A client of the configured homeserver.
    #[must_use]
    pub fn new(matrix: &Matrix, limits: Limits) -> Self {
        Self {
            transport: Transport::new(matrix, Api::Mas, limits),
            read_only: false,
        }
    }

    /// A client that only reads: `matrix.kind: synapse_read_only`.
    #[must_use]
    pub fn read_only(matrix: &Matrix, limits: Limits) -> Self {
        Self {
            read_only: true,
            ..Self::new(matrix, limits)
        }
    }

    fn limits(&self) -> &Limits {
        self.transport.limits()
    }

    /// A call that asks for a user.
    fn query<'a>(&self, name: &str, localpart: &'a str) -> Call<'a> {
        Call::new(Method::GET, path(name), self.limits().read)
            .query("localpart", localpart)
            .reading(ACCOUNT_LIMIT)
    }

    /// A call that changes something, unless the configuration allows none.
    fn change(&self, name: &str, body: Value) -> Result<Call<'static>> {
        self.change_within(name, body, self.limits().write)
    }

    fn change_within(&self, name: &str, body: Value, limit: Duration) -> Result<Call<'static>> {
        if self.read_only {
            return Err(Error::new(
                Code::HomeserverUnsupported,
                "The configuration has `matrix.kind: synapse_read_only`: nothing may be changed on the homeserver",
            )
            .help("Set `matrix.kind: synapse`, for MAS too."));
        }
        Ok(Call::new(Method::POST, path(name), limit).body(body))
    }

    /// Makes a call about a user who must exist. Any 2xx means that it is done.
    async fn send(&self, localpart: &str, call: Call<'_>) -> Result<()> {
        let peer = self.transport.peer();
        match self.transport.send_unless(&call, removed_by_another).await? {
            Answer::Success(_) => Ok(()),
            Answer::Refusal(refusal) if refusal.is_not_found() => Err(failure::unknown_user(localpart)),
            Answer::Refusal(refusal) => Err(refusal.into_error(peer)),
        }
    }
}

#[async_trait]
impl Homeserver for Synapse {
    async fn is_localpart_available(&self, localpart: &str) -> Result<Availability> {
        if let Some(why) = impossible(localpart) {
            return Ok(Availability::Unavailable(why));
        }
        let peer = self.transport.peer();
        match self
            .transport
            .send(&self.query("is_localpart_available", localpart))
            .await?
        {
            Answer::Success(_) => Ok(Availability::Available),
            Answer::Refusal(refusal) => refusal.into_availability(peer),
        }
    }

    async fn query_user(&self, localpart: &str) -> Result<Option<Account>> {
        // Synapse takes only ASCII here, and has no other users.
        if impossible(localpart).is_some() {
            return Ok(None);
        }
        let peer = self.transport.peer();
        match self.transport.send(&self.query("query_user", localpart)).await? {
            Answer::Success(success) => Ok(Some(success.json::<Queried>(peer)?.into())),
            Answer::Refusal(refusal) if refusal.is_not_found() => Ok(None),
            Answer::Refusal(refusal) => Err(refusal.into_error(peer)),
        }
    }

    async fn provision_user(&self, user: &Provisioning<'_>) -> Result<bool> {
        let call = self.change("provision_user", provisioning(user))?;
        let answer = self.transport.send_unless(&call, made_by_another).await?;
        answer.into_created(self.transport.peer(), user.localpart)
    }

    async fn upsert_device(&self, localpart: &str, device_id: &str, display_name: Option<&str>) -> Result<()> {
        let mut body = json!({ "localpart": localpart, "device_id": device_id });
        if let Some(name) = display_name {
            body["display_name"] = name.into();
        }
        self.send(localpart, self.change("upsert_device", body)?).await
    }

    async fn update_device_display_name(&self, localpart: &str, device_id: &str, display_name: &str) -> Result<()> {
        let body = json!({ "localpart": localpart, "device_id": device_id, "display_name": display_name });
        let call = self.change("update_device_display_name", body)?;
        let peer = self.transport.peer();
        match self.transport.send(&call).await? {
            Answer::Success(_) => Ok(()),
            Answer::Refusal(refusal) if refusal.is_not_found() => Err(failure::unknown_device(localpart, device_id)),
            Answer::Refusal(refusal) => Err(refusal.into_error(peer)),
        }
    }

    async fn delete_device(&self, localpart: &str, device_id: &str) -> Result<()> {
        let body = json!({ "localpart": localpart, "device_id": device_id });
        self.send(localpart, self.change("delete_device", body)?).await
    }

    async fn sync_devices(&self, localpart: &str, devices: &BTreeSet<String>) -> Result<()> {
        let body = json!({ "localpart": localpart, "devices": devices });
        let limit = self.limits().of_devices(devices.len());
        self.send(localpart, self.change_within("sync_devices", body, limit)?)
            .await
    }

    async fn delete_user(&self, localpart: &str, erase: bool) -> Result<()> {
        let body = json!({ "localpart": localpart, "erase": erase });
        self.send(localpart, self.change("delete_user", body)?).await
    }

    async fn reactivate_user(&self, localpart: &str) -> Result<()> {
        let body = json!({ "localpart": localpart });
        self.send(localpart, self.change("reactivate_user", body)?).await
    }

    async fn set_display_name(&self, localpart: &str, display_name: &str) -> Result<()> {
        // Here, and only here, the name has no underscore.
        let body = json!({ "localpart": localpart, "displayname": display_name });
        self.send(localpart, self.change("set_displayname", body)?).await
    }

    async fn unset_display_name(&self, localpart: &str) -> Result<()> {
        let body = json!({ "localpart": localpart });
        self.send(localpart, self.change("unset_displayname", body)?).await
    }

    async fn allow_cross_signing_reset(&self, localpart: &str) -> Result<()> {
        let body = json!({ "localpart": localpart });
        self.send(localpart, self.change("allow_cross_signing_reset", body)?)
            .await
    }

    fn connected(&self) -> bool {
        true
    }
}

impl From<Queried> for Account {
    fn from(queried: Queried) -> Self {
        Self {
            user_id: queried.user_id,
            display_name: queried.display_name,
            avatar_url: queried.avatar_url,
            suspended: queried.is_suspended,
            deactivated: queried.is_deactivated,
        }
    }
}

fn path(name: &str) -> String {
    format!("_synapse/mas/{name}")
}

/// What shall stay as it is, is left out: Synapse refuses a field that is both set and unset, whatever the values are.
fn provisioning(user: &Provisioning<'_>) -> Value {
    let mut body = json!({ "localpart": user.localpart, "locked": user.locked });
    for (field, setting) in [("displayname", user.display_name), ("avatar_url", user.avatar_url)] {
        match setting {
            Setting::Keep => {}
            Setting::Set(value) => body[format!("set_{field}")] = value.into(),
            Setting::Unset => body[format!("unset_{field}")] = true.into(),
        }
    }
    if let Some(emails) = user.emails {
        body["set_emails"] = emails.into();
    }
    body
}
