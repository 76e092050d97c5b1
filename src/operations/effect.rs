//! Calls that change the homeserver: queued by a deed, sent after the commit, made good if they fail.

use serde::Serialize;

use super::{
    Action, Change, Report, Run, Subject, commit,
    jobs::{NewJob, WORKER_LIMIT},
};
use crate::{
    error::{Code, Error, Result},
    model::{Id, SessionKind},
    storage::{self, Connection},
};

const END: Action = Action::new("session.end", "Ended", "end");

/// A call to the homeserver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action")]
pub enum Effect {
    /// Makes a device known. If it fails, the session that holds the device is ended, and a sync of devices queued.
    #[serde(rename = "homeserver.upsert_device")]
    UpsertDevice {
        /// Whose device it is.
        localpart: String,
        /// The device.
        device_id: String,
        /// The same user in MAS.
        #[serde(skip)]
        user: Id,
        /// The session that holds the device.
        #[serde(skip)]
        session: (SessionKind, Id),
    },
}

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not sent: the run was a dry run.
    Planned,
    /// Sent, and the homeserver has done it.
    Sent,
    /// Not sent: the store has no homeserver.
    Skipped,
    /// The homeserver refused or did not answer; it was made good, unless the report says otherwise.
    Failed,
}

/// An effect with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The call.
    #[serde(flatten)]
    pub effect: Effect,
    /// What became of it.
    pub status: Status,
}

impl From<Effect> for Delivery {
    fn from(effect: Effect) -> Self {
        Self {
            effect,
            status: Status::Planned,
        }
    }
}

impl Delivery {
    /// One line for people; only of what a dry run did not send.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let Effect::UpsertDevice {
            localpart, device_id, ..
        } = &self.effect;
        (self.status == Status::Planned)
            .then(|| format!("Would make device {device_id} of {localpart} known to the homeserver"))
    }
}

/// Sends the effects in order. One that fails does not keep the next from being sent.
pub(super) async fn send_all(run: &Run, store: &mut Connection, report: &mut Report) {
    for at in 0..report.effects.len() {
        let effect = report.effects[at].effect.clone();
        report.effects[at].status = match send(run, &effect).await {
            Ok(Status::Sent) => {
                let mut seen = see_after(run, store, &effect, report).await;
                if reconnected(run, store, &seen).await {
                    seen = see_after(run, store, &effect, report).await;
                }
                if let Err(error) = seen {
                    report.warnings.push(format!(
                        "it is not known whether the device is still wanted ({error}): `masctl manage kill-sessions` removes it"
                    ));
                }
                Status::Sent
            }
            Ok(status) => status,
            Err(error) => {
                let mut done = make_good(run, store, &effect, report).await;
                if reconnected(run, store, &done).await {
                    done = make_good(run, store, &effect, report).await;
                }
                fail(report, error, &effect, &done);
                Status::Failed
            }
        };
    }
}

/// Whether the connection was lost while the homeserver was asked, and there is a new one now.
async fn reconnected(run: &Run, store: &mut Connection, done: &Result<()>) -> bool {
    let Err(error) = done else { return false };
    if !matches!(error.code(), Code::DatabaseLost | Code::CommitUnknown) {
        return false;
    }
    match commit::reconnect(run).await {
        Ok(connection) => {
            *store = connection;
            true
        }
        Err(error) => {
            tracing::debug!(%error, "connecting again after the commit");
            false
        }
    }
}

/// Puts into the report that an effect failed, and what has become of it. Its failure is the first one's; the others
/// are warnings.
fn fail(report: &mut Report, error: Error, effect: &Effect, done: &Result<()>) {
    let Effect::UpsertDevice {
        localpart, device_id, ..
    } = effect;
    let session = format!("The session of device {device_id} of {localpart} was committed first");
    let now = match done {
        Ok(()) => format!("{session}, and has been ended again: its token is not valid."),
        Err(worse) => format!(
            "{session}, and could not be ended again ({worse}): its token may be valid. \
             `masctl manage kill-sessions {localpart}` ends it, together with all other sessions."
        ),
    };
    if report.failure.is_some() {
        let why = error.message().trim_end_matches('.');
        report.warnings.push(format!("{why}. {now}"));
        return;
    }
    let help = error
        .help_text()
        .map_or_else(|| now.clone(), |help| format!("{help} {now}"));
    report.failure = Some(error.help(help));
}

async fn send(run: &Run, effect: &Effect) -> Result<Status> {
    let homeserver = run.homeserver()?;
    if !homeserver.connected() {
        return Ok(Status::Skipped);
    }
    let Effect::UpsertDevice {
        localpart, device_id, ..
    } = effect;
    match run
        .unless_interrupted(homeserver.upsert_device(localpart, device_id, None))
        .await
    {
        Err(error) if error.code() == Code::RunInterrupted => Err(Error::new(
            Code::RunInterrupted,
            "Interrupted before the homeserver answered",
        )),
        Err(error) => Err(error),
        Ok(()) => Ok(Status::Sent),
    }
}

/// Between the commit and the call somebody else may have ended the session, and a worker been done with the user's
/// devices: then the device that has just been made is nobody's.
async fn see_after(run: &Run, store: &mut Connection, effect: &Effect, report: &mut Report) -> Result<()> {
    let Effect::UpsertDevice {
        user,
        session,
        device_id,
        localpart,
    } = effect;
    let (kind, id) = *session;
    if storage::sessions::session_is_active(store, kind, id).await? {
        return Ok(());
    }
    let now = run.world().now();
    let row = (now, run.world().new_id(now));
    NewJob::sync_devices(*user).add(store, row).await?;
    report.jobs += 1;
    report.warnings.push(format!(
        "the session of device {device_id} of {localpart} was ended meanwhile: its token is not valid"
    ));
    Ok(())
}

/// Ends the session whose device the homeserver does not know, in a transaction of its own.
async fn make_good(run: &Run, store: &mut Connection, effect: &Effect, report: &mut Report) -> Result<()> {
    let Effect::UpsertDevice {
        user,
        session,
        device_id,
        localpart,
    } = effect;
    let now = run.world().now();
    let (kind, id) = *session;
    let ended = storage::in_transaction(store, async |store| {
        let ended = storage::sessions::session_end(store, kind, id, now).await?;
        if kind == SessionKind::Personal {
            storage::personal_tokens::personal_tokens_revoke(store, id, now).await?;
        }
        let row = (now, run.world().new_id(now));
        NewJob::sync_devices(*user).add(store, row).await?;
        Ok(ended)
    })
    .await?;
    report.jobs += 1;
    if ended {
        let subject = Subject {
            kind: kind.noun(),
            id: Some(id),
            name: None,
        };
        report.changes.push(
            Change::of(END, subject)
                .said(format!("the session of device {device_id} of {localpart}"))
                .before(kind.end(), ())
                .after(kind.end(), now),
        );
    }
    Ok(())
}

/// Warns if jobs were queued that nobody is there to execute. A store without a homeserver has nobody to tell of them.
pub(super) async fn look_for_workers(run: &Run, store: &mut Connection, report: &mut Report) {
    // Where everything is thrown away, nobody waits for a worker.
    if report.jobs == 0 || run.is_thrown_away() {
        return;
    }
    let warning = if store.is_postgres() {
        "no MAS worker was seen for 2 minutes: nothing will happen on the homeserver until one runs"
    } else if run.homeserver().is_ok_and(|homeserver| homeserver.connected()) {
        "no worker was seen for 2 minutes: nothing will happen on the homeserver until `masctl worker` runs"
    } else {
        return;
    };
    match storage::queue::live_workers(store, run.world().now() - WORKER_LIMIT).await {
        Ok(0) => report.warnings.push(warning.to_owned()),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "looking for workers"),
    }
}
