//! What the jobs of users do, as MAS's worker does it. Done twice, each leaves what it leaves done once.

use super::{NewJob, Parts};
use crate::{
    error::{Code, Error, Result},
    homeserver::Provisioning,
    model::{SessionKind, Task, User},
    operations::{
        jobs::{DEACTIVATE_USER, DELETE_DEVICE, PROVISION_DEVICE, PROVISION_USER, REACTIVATE_USER, SYNC_DEVICES},
        users,
    },
    storage::{self, Connection},
};

/// How often the homeserver is told again because the account changed while it was told.
const ROUNDS: usize = 20;

/// The account that a job is about.
///
/// # Errors
/// `job.invalid`, `user.not_found`: neither ever becomes better.
pub(super) async fn user_of(store: &mut Connection, job: &Task) -> Result<User> {
    let id = job.payload.user_id().ok_or_else(|| invalid(job, "`user_id`, a ULID"))?;
    let user = storage::users::user_by_id(store, id).await?;
    user.ok_or_else(|| users::not_found(&id.to_string()))
}

/// Does a job, and returns what is to be queued with its completion.
///
/// # Errors
/// `job.invalid`, and those of the store and the homeserver.
pub(super) async fn execute(parts: &Parts, store: &mut Connection, job: &Task, user: &User) -> Result<Vec<NewJob>> {
    match job.queue.as_str() {
        PROVISION_USER => provision(parts, store, job, user).await,
        SYNC_DEVICES => sync_devices(parts, store, user).await.map(|()| Vec::new()),
        DEACTIVATE_USER => deactivate(parts, store, job, user).await.map(|()| Vec::new()),
        REACTIVATE_USER => {
            parts.homeserver.reactivate_user(&user.username).await?;
            storage::users::user_reactivate(store, user.id).await?;
            Ok(Vec::new())
        }
        // MAS means to do this, but forgets to commit it.
        PROVISION_DEVICE | DELETE_DEVICE => Ok(vec![NewJob::sync_devices(user.id)]),
        other => Err(Error::new(
            Code::Bug,
            format!("A worker took a job of the queue `{other}`"),
        )),
    }
}

/// The homeserver is told again if the account changed meanwhile: others may have told it of the change first.
async fn provision(parts: &Parts, store: &mut Connection, job: &Task, user: &User) -> Result<Vec<NewJob>> {
    let display_name = match job.payload.0.get("set_display_name") {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(name)) => Some(name.as_str()),
        Some(_) => return Err(invalid(job, "`set_display_name`, a text or null")),
    };
    let mut locked = user.locked_at.is_some();
    let mut emails = storage::emails::addresses_of_user(store, user.id).await?;
    for _ in 0..ROUNDS {
        let telling = Provisioning {
            emails: Some(&emails),
            display_name: display_name.into(),
            ..Provisioning::new(&user.username, user.id, locked)
        };
        parts.homeserver.provision_user(&telling).await?;
        let now_locked = user_of(store, job).await?.locked_at.is_some();
        let now_emails = storage::emails::addresses_of_user(store, user.id).await?;
        if (now_locked, &now_emails) == (locked, &emails) {
            return Ok(vec![NewJob::sync_devices(user.id)]);
        }
        (locked, emails) = (now_locked, now_emails);
    }
    Err(restless())
}

/// On PostgreSQL the user's device lock is held until the homeserver has answered: who makes a device meanwhile, MAS
/// or masctl, waits. SQLite's only lock would keep everybody waiting: there it is looked again after the answer, and
/// a device that came meanwhile is made again.
async fn sync_devices(parts: &Parts, store: &mut Connection, user: &User) -> Result<()> {
    let homeserver = &parts.homeserver;
    if store.is_postgres() {
        return storage::in_transaction(store, async |store| {
            storage::devices::wait_for_homeserver(store).await?;
            storage::sessions::lock_user_devices(store, user.id).await?;
            let devices = storage::devices::devices_of_user(store, user.id).await?;
            homeserver.sync_devices(&user.username, &devices).await
        })
        .await;
    }
    let mut devices = storage::devices::devices_of_user(store, user.id).await?;
    for _ in 0..ROUNDS {
        homeserver.sync_devices(&user.username, &devices).await?;
        let now = storage::devices::devices_of_user(store, user.id).await?;
        if now == devices {
            return Ok(());
        }
        devices = now;
    }
    Err(restless())
}

/// What MAS forgets is committed before the homeserver is asked to forget.
async fn deactivate(parts: &Parts, store: &mut Connection, job: &Task, user: &User) -> Result<()> {
    let erase = job.payload.0.get("hs_erase").and_then(serde_json::Value::as_bool);
    let erase = erase.ok_or_else(|| invalid(job, "`hs_erase`, true or false"))?;
    let now = parts.world.now();
    storage::in_transaction(store, async |store| {
        storage::users::user_for_change(store, user.id).await?;
        storage::users::user_deactivate(store, user.id, now).await?;
        for kind in [
            SessionKind::Browser,
            SessionKind::OAuth,
            SessionKind::Compatibility,
            SessionKind::Personal,
        ] {
            storage::sessions::sessions_end(store, kind, user.id, now).await?;
        }
        storage::emails::addresses_delete(store, user.id).await
    })
    .await?;
    parts.homeserver.delete_user(&user.username, erase).await
}

fn invalid(job: &Task, missing: &str) -> Error {
    Error::new(
        Code::JobInvalid,
        format!("The payload of a job of `{}` needs {missing}", job.queue),
    )
}

fn restless() -> Error {
    Error::new(
        Code::DatabaseBusy,
        "The account changes faster than the homeserver can be told",
    )
}
