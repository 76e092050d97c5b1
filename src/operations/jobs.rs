//! The jobs that MAS's workers do after a deed, with the payload that each expects.

use serde_json::{Value, json};

use super::Deed;
use crate::{error::Result, model::Id, storage};

/// A job that is about to be queued.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Job {
    pub(super) queue: &'static str,
    pub(super) payload: Value,
}

impl Job {
    /// Brings the homeserver's account in line with MAS's. Absent, the display name is left as it is.
    pub(super) fn provision_user(user: Id, display_name: Option<&str>) -> Self {
        Self {
            queue: PROVISION_USER,
            payload: json!({"user_id": user, "set_display_name": display_name}),
        }
    }

    /// Removes the devices of sessions that have ended.
    pub(super) fn sync_devices(user: Id) -> Self {
        Self {
            queue: "sync-devices",
            payload: json!({"user_id": user}),
        }
    }

    /// Deactivates the account in MAS and on the homeserver.
    pub(super) fn deactivate_user(user: Id, erase: bool) -> Self {
        Self {
            queue: "deactivate-user",
            payload: json!({"user_id": user, "hs_erase": erase}),
        }
    }

    /// Reactivates the account on the homeserver and in MAS.
    pub(super) fn reactivate_user(user: Id) -> Self {
        Self {
            queue: "reactivate-user",
            payload: json!({"user_id": user}),
        }
    }
}

pub(super) const PROVISION_USER: &str = "provision-user";

impl Deed<'_> {
    /// Queues a job and returns its id.
    pub(super) async fn queue(&mut self, job: Job) -> Result<Id> {
        let (now, id) = self.new_row();
        let id = storage::jobs::job_add(self.store(), id, job.queue, &job.payload, now).await?;
        self.queued_jobs(1);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_what_mas_decodes() {
        let user: Id = "01GFWR28C4KNE04WG3HKXB7C9R".parse().unwrap();
        let jobs = [
            (
                Job::provision_user(user, None),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R","set_display_name":null}"#,
            ),
            (
                Job::provision_user(user, Some("A")),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R","set_display_name":"A"}"#,
            ),
            (Job::sync_devices(user), r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R"}"#),
            (
                Job::deactivate_user(user, false),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R","hs_erase":false}"#,
            ),
            (
                Job::reactivate_user(user),
                r#"{"user_id":"01GFWR28C4KNE04WG3HKXB7C9R"}"#,
            ),
        ];
        for (job, payload) in jobs {
            assert_eq!(job.payload.to_string(), payload);
        }
    }
}
