//! One deed of a run: what it may use while it is done, and how it is undone.

use std::borrow::Cow;

use secrecy::SecretString;
use serde_json::Value;

use super::{
    Change, Effect, Record, Run,
    record::{Queued, Unsaid, What},
};
use crate::{
    error::{Code, Error},
    model::{Id, Time},
    storage::{self, Connection},
};

/// One deed while it is being done: the connection, and what to record once it is whole.
pub struct Deed<'run> {
    run: &'run Run,
    store: &'run mut Connection,
    record: Record,
}

impl<'run> Deed<'run> {
    pub(super) fn new(run: &'run Run, store: &'run mut Connection) -> Self {
        Self {
            run,
            store,
            record: Record::default(),
        }
    }

    /// What it did, now that it is whole.
    pub(super) fn into_record(self) -> Record {
        self.record
    }

    /// The run that the deed is part of.
    #[must_use]
    pub fn run(&self) -> &Run {
        self.run
    }

    /// The connection, inside of the transaction.
    pub fn store(&mut self) -> &mut Connection {
        self.store
    }

    /// The time now, and an id for a row made at that time.
    #[must_use]
    pub fn new_row(&self) -> (Time, Id) {
        let now = self.run.world().now();
        (now, self.run.world().new_id(now))
    }

    /// Records what was changed.
    pub fn changed(&mut self, change: impl Into<Option<Change>>) {
        self.record.changes.extend(change.into());
    }

    /// Tells the person something once the run is over: why nothing changed, for example.
    pub fn note(&mut self, note: impl Into<String>) {
        self.record.notes.push(note.into());
    }

    /// Queues a call to the homeserver for after the commit.
    pub fn effect(&mut self, effect: Effect) {
        self.record.effects.push(effect.into());
    }

    /// Keeps what a job was queued with, if the run is to be compared with another.
    pub(super) fn keep_job(&mut self, queue: impl Into<Cow<'static, str>>, payload: &Value) {
        if self.run.world().is_recording() {
            self.keep_jobs(queue, payload.to_string());
        }
    }

    /// As [`Self::keep_job`], jobs of one queue: the payload of each in a line.
    pub(super) fn keep_jobs(&mut self, queue: impl Into<Cow<'static, str>>, payloads: String) {
        self.record.queued.push(Queued {
            queue: queue.into(),
            payloads,
        });
    }

    /// Keeps which things the next change is about that does not name them all, if the run is to be compared with another.
    pub(super) fn keep_things(&mut self, ids: impl IntoIterator<Item = Id>) {
        if self.run.world().is_recording() {
            self.keep_unsaid(What::Things(ids.into_iter().collect()));
        }
    }

    /// Keeps a secret that the next change is about, if the run is to be compared with another.
    pub(super) fn keep_secret(&mut self, secret: &SecretString) {
        if self.run.world().is_recording() {
            self.keep_unsaid(What::Secret(secret.clone()));
        }
    }

    fn keep_unsaid(&mut self, what: What) {
        let change = self.record.changes.len();
        self.record.unsaid.push(Unsaid { change, what });
    }

    /// Remembers that jobs wait for a worker.
    pub(super) fn queued_jobs(&mut self, count: u64) {
        self.record.jobs += count;
    }
}

/// Takes back what failed with `error`, so that the script can go on. If that cannot be done the run is over: it must
/// not go on in a transaction that the database may have ended.
pub(super) async fn undone(store: &mut Connection, error: Error) -> Error {
    match store.undo_deed().await {
        Ok(()) => storage::rights::explain(store, error).await,
        // The first error says why.
        Err(_) if error.code() == Code::DatabaseLost => error,
        Err(lost) => {
            tracing::debug!(%error, "a deed that could not be undone failed with this");
            Error::new(Code::DatabaseLost, "The transaction was lost").caused_by(lost)
        }
    }
}
