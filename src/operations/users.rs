//! Accounts: locking, deactivating, administrator rights, provisioning; finding and describing them.

mod describe;
mod find;

pub(super) use self::find::named;
pub use self::{
    describe::describe,
    find::{by_email, by_id, check, count, find, find_by_email, get, page},
};
use super::{Action, Change, Deed, MOST_SUBJECTS, Run, Subject, jobs::NewJob, sentence::moment};
use crate::{
    error::{Code, Error, Result, counted},
    homeserver::{Availability, Homeserver, NoHomeserver},
    model::{Id, User},
    storage,
};

const LOCK: Action = Action::new("user.lock", "Locked", "lock");
const UNLOCK: Action = Action::new("user.unlock", "Unlocked", "unlock");
const DEACTIVATE: Action = Action::new(
    "user.deactivate",
    "Queued the deactivation of",
    "queue the deactivation of",
);
const REACTIVATE: Action = Action::new(
    "user.reactivate",
    "Queued the reactivation of",
    "queue the reactivation of",
);
const PROMOTE: Action = Action::new("user.set_admin", "Promoted", "promote");
const DEMOTE: Action = Action::new("user.set_admin", "Demoted", "demote");
const PROVISION: Action = Action::new(
    "user.provision",
    "Queued the provisioning of",
    "queue the provisioning of",
);
const SYNC_DEVICES: Action = Action::new(
    "user.sync_devices",
    "Queued the device sync of",
    "queue the device sync of",
);
const SET_DISPLAY_NAME: Action = Action::new(
    "user.set_display_name",
    "Queued the display name of",
    "queue the display name of",
);
const PROVISION_ALL: Action = Action::new(
    "users.provision",
    "Queued the provisioning of",
    "queue the provisioning of",
);

/// How long the name that others see may be: that is Synapse's limit.
const DISPLAY_NAME_LIMIT: usize = 256;

/// How many jobs one statement queues.
const BATCH: i64 = 10_000;

/// Why a user cannot be renamed, and what to do in its place.
#[must_use]
pub fn cannot_rename(user: &User, name: &str) -> Error {
    Error::new(
        Code::UsernameFixed,
        format!("{} cannot be renamed: a MXID never changes, and no homeserver can change one", user.username),
    )
    .help(format!(
        "Register {name} as a new account, move the e-mail addresses and the upstream links to it, then lock {}. Rooms and \
         messages stay with the old MXID.",
        user.username
    ))
    .data("username", user.username.as_str())
    .data("name", name)
}

/// Makes sure that a new user may have this name: nobody has it in whatever case, and the homeserver has it free.
///
/// # Errors
/// `user.exists`, `username.unavailable`, and those of the homeserver.
pub async fn check_available(run: &Run, name: &str) -> Result<()> {
    check_unknown(run, name).await?;
    match run.homeserver()?.is_localpart_available(name).await? {
        Availability::Available => Ok(()),
        Availability::Unavailable(reason) => Err(Error::new(
            Code::UsernameUnavailable,
            format!("Username not available on homeserver: {reason}"),
        )
        .data("username", name)),
    }
}

/// Makes sure that a new user may have this name, whether or not the homeserver has an account of it: nobody has it
/// here in whatever case, and no homeserver refuses it for what it is. The homeserver is not asked.
///
/// # Errors
/// `user.exists`, `username.invalid`.
pub async fn check_adoptable(run: &Run, name: &str) -> Result<()> {
    check_unknown(run, name).await?;
    match NoHomeserver::new(run.server_name()?)
        .is_localpart_available(name)
        .await?
    {
        Availability::Available => Ok(()),
        Availability::Unavailable(reason) => Err(Error::new(
            Code::UsernameInvalid,
            format!("The username cannot be used: {reason}"),
        )
        .data("username", name)),
    }
}

async fn check_unknown(run: &Run, name: &str) -> Result<()> {
    let is_known = run
        .read(async |store| storage::users::user_exists(store, name).await)
        .await?;
    if is_known { Err(exists(name)) } else { Ok(()) }
}

/// Locks a user: nobody can log in as it, and its sessions rest. A locked user keeps the time of its lock.
///
/// # Errors
/// `user.not_found`.
pub async fn lock(run: &Run, user: &User) -> Result<User> {
    run.write(async |deed| {
        let before = current(deed, user).await?;
        let (now, _) = deed.new_row();
        let after = storage::users::user_lock(deed.store(), user.id, now)
            .await?
            .unwrap_or_else(|| before.clone());
        if let Some(since) = before.locked_at {
            deed.note(format!(
                "{} is locked already, since {}",
                before.username,
                moment(since)
            ));
        }
        deed.changed(Change::between(LOCK, (&after).into(), &before, &after));
        deed.queue(NewJob::provision_user(user.id, None)).await?;
        Ok(after)
    })
    .await
}

/// Unlocks a user. Its sessions work again.
///
/// # Errors
/// `user.not_found`.
pub async fn unlock(run: &Run, user: &User) -> Result<User> {
    run.write(async |deed| {
        let before = current(deed, user).await?;
        deed.queue(NewJob::provision_user(user.id, None)).await?;
        let after = storage::users::user_unlock(deed.store(), user.id)
            .await?
            .unwrap_or_else(|| before.clone());
        if before.locked_at.is_none() {
            deed.note(format!("{} is not locked", before.username));
        }
        deed.changed(Change::between(UNLOCK, (&after).into(), &before, &after));
        Ok(after)
    })
    .await
}

/// Queues the job that deactivates a user: MAS's worker ends its sessions, deletes its e-mail addresses, and has the
/// homeserver delete the account, with everything it wrote if `erase`.
///
/// # Errors
/// `user.not_found`.
pub async fn deactivate(run: &Run, user: &User, erase: bool) -> Result<User> {
    run.write(async |deed| {
        let user = current(deed, user).await?;
        if let Some(since) = user.deactivated_at {
            deed.note(format!(
                "{} is deactivated already, since {}",
                user.username,
                moment(since)
            ));
        }
        let job = deed.queue(NewJob::deactivate_user(user.id, erase)).await?;
        let erasure = if erase { " and the erasure of its data" } else { "" };
        deed.changed(
            Change::of(DEACTIVATE, (&user).into())
                .said(format!("{}{erasure}", user.username))
                .after("job_id", job)
                .after("erase", erase),
        );
        Ok(user)
    })
    .await
}

/// Queues the job that reactivates a user on the homeserver and in MAS. What deactivating deleted does not come back.
///
/// # Errors
/// `user.not_found`.
pub async fn reactivate(run: &Run, user: &User) -> Result<User> {
    run.write(async |deed| {
        let user = current(deed, user).await?;
        if user.deactivated_at.is_none() {
            deed.note(format!("{} is not deactivated", user.username));
        }
        if user.locked_at.is_some() {
            deed.note(format!("{} stays locked: unlock-user unlocks it", user.username));
        }
        let job = deed.queue(NewJob::reactivate_user(user.id)).await?;
        deed.changed(Change::of(REACTIVATE, (&user).into()).after("job_id", job));
        Ok(user)
    })
    .await
}

/// Queues the job that tells the homeserver of a user: that it exists, whether it is locked, its e-mail addresses, and,
/// if it is given, the name that others see.
///
/// # Errors
/// `user.not_found`; `value.invalid` for a display name that the homeserver would refuse.
pub async fn provision(run: &Run, user: &User, display_name: Option<&str>) -> Result<User> {
    display_name.map_or(Ok(()), check_display_name)?;
    run.write(async |deed| {
        let user = current(deed, user).await?;
        let job = deed.queue(NewJob::provision_user(user.id, display_name)).await?;
        deed.changed(
            Change::of(PROVISION, (&user).into())
                .after("job_id", job)
                .after("display_name", display_name),
        );
        Ok(user)
    })
    .await
}

/// Queues the job that sets the name of a user that others see, on the homeserver, which alone keeps it. An empty one is
/// removed there.
///
/// # Errors
/// `user.not_found`; `value.invalid` for a display name that the homeserver would refuse.
pub async fn set_display_name(run: &Run, user: &User, display_name: &str) -> Result<User> {
    check_display_name(display_name)?;
    let shown = if display_name.is_empty() { "none" } else { display_name };
    run.write(async |deed| {
        let user = current(deed, user).await?;
        let job = deed.queue(NewJob::provision_user(user.id, Some(display_name))).await?;
        deed.changed(
            Change::of(SET_DISPLAY_NAME, (&user).into())
                .said(format!("{}: {shown}", user.username))
                .after("job_id", job)
                .after("display_name", display_name),
        );
        Ok(user)
    })
    .await
}

fn check_display_name(name: &str) -> Result<()> {
    if name.chars().count() <= DISPLAY_NAME_LIMIT {
        return Ok(());
    }
    Err(Error::new(
        Code::ValueInvalid,
        format!("A display name has at most {DISPLAY_NAME_LIMIT} characters"),
    ))
}

/// Queues the job that makes the devices of a user's active sessions its only ones on the homeserver.
///
/// # Errors
/// `user.not_found`.
pub async fn sync_devices(run: &Run, user: &User) -> Result<User> {
    run.write(async |deed| {
        let user = current(deed, user).await?;
        let job = deed.queue(NewJob::sync_devices(user.id)).await?;
        deed.changed(Change::of(SYNC_DEVICES, (&user).into()).after("job_id", job));
        Ok(user)
    })
    .await
}

/// Sets whether a user may ask for administrator scopes. Sessions keep what they were granted.
///
/// # Errors
/// `user.not_found`.
pub async fn set_admin(run: &Run, user: &User, admin: bool) -> Result<User> {
    run.write(async |deed| {
        let before = current(deed, user).await?;
        let after = storage::users::user_set_admin(deed.store(), user.id, admin).await?;
        let after = after.ok_or_else(|| not_found(&user.username))?;
        if before.admin == admin {
            let what = if admin {
                "is an administrator already"
            } else {
                "is not an administrator"
            };
            deed.note(format!("{} {what}", before.username));
        }
        deed.changed(Change::between(
            if admin { PROMOTE } else { DEMOTE },
            (&after).into(),
            &before,
            &after,
        ));
        Ok(after)
    })
    .await
}

/// Queues a provisioning job for every user, page by page, and returns how many.
///
/// # Errors
/// Those of the store.
pub async fn provision_all(run: &Run) -> Result<u64> {
    run.write(async |deed| {
        let mut after = Id::least();
        let (mut count, mut first) = (0, Vec::new());
        loop {
            let users = storage::users::user_id_page(deed.store(), after, BATCH).await?;
            let Some(&last) = users.last() else { break };
            deed.queue_for_each(&users, |user| NewJob::provision_user(user, None))
                .await?;
            let named = MOST_SUBJECTS.saturating_sub(first.len());
            first.extend(users.iter().take(named).map(|&id| Subject {
                kind: "user",
                id: Some(id),
                name: None,
            }));
            count += users.len() as u64;
            after = last;
            run.console().progress("Queueing provisioning jobs", count, None);
        }
        if count == 0 {
            deed.note("There is no user to provision");
        } else {
            deed.changed(Change::of_many(PROVISION_ALL, count, first).said(counted(count, "user")));
        }
        Ok(count)
    })
    .await
}

/// The user as it is now, kept from being changed by others until the transaction ends.
pub(super) async fn current(deed: &mut Deed<'_>, user: &User) -> Result<User> {
    storage::users::user_for_change(deed.store(), user.id)
        .await?
        .ok_or_else(|| not_found(&user.username))
}

pub(super) fn not_found(name: &str) -> Error {
    Error::new(Code::UserNotFound, format!("User not found: {name}")).data("username", name)
}

/// Playbooks look for this sentence, word for word.
pub(super) fn exists(name: &str) -> Error {
    Error::new(Code::UserExists, "User already exists").data("username", name)
}
