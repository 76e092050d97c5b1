//! What a run leaves behind: changes, effects, notes, and the report of them.

use std::borrow::Cow;

use secrecy::SecretString;

use super::{Change, Delivery};
use crate::{error::Error, model::Id};

/// What was done so far, kept until the end decides whether it stays.
#[derive(Debug, Default)]
pub struct Record {
    /// The writes, in order.
    pub changes: Vec<Change>,
    /// The calls to the homeserver that follow the commit, in order.
    pub effects: Vec<Delivery>,
    /// Sentences for the person.
    pub notes: Vec<String>,
    /// How many jobs were queued.
    pub jobs: u64,
    /// Those jobs, in order, if the run's world keeps what it hands out.
    pub(super) queued: Vec<Queued>,
    /// What the changes do not say, in order, if the run's world keeps what it hands out.
    pub(super) unsaid: Vec<Unsaid>,
}

/// Jobs that were queued at once.
#[derive(Debug)]
pub(super) struct Queued {
    /// Of which queue.
    pub(super) queue: Cow<'static, str>,
    /// Their payloads as JSON, one in each line: of very many jobs this is the smallest.
    pub(super) payloads: String,
}

/// What a change is made of and does not say, and yet must be the same in another execution.
#[derive(Debug)]
pub(super) struct Unsaid {
    /// Of which change.
    pub(super) change: usize,
    /// What it is.
    pub(super) what: What,
}

/// What a change does not say.
#[derive(Debug)]
pub(super) enum What {
    /// Which things it has changed, in the order of their ids: it says how many there are.
    Things(Vec<Id>),
    /// A secret that somebody has chosen.
    Secret(SecretString),
}

impl Record {
    /// Whether nothing was done.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.effects.is_empty() && self.jobs == 0
    }

    /// Adds what a deed recorded.
    pub fn append(&mut self, mut other: Self) {
        let before = self.changes.len();
        self.unsaid.extend(other.unsaid.into_iter().map(|unsaid| Unsaid {
            change: before + unsaid.change,
            ..unsaid
        }));
        self.changes.append(&mut other.changes);
        self.effects.append(&mut other.effects);
        self.notes.append(&mut other.notes);
        self.jobs += other.jobs;
        self.queued.append(&mut other.queued);
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    /// The writes that were committed, or, in a dry run, taken back.
    pub changes: Vec<Change>,
    /// The calls to the homeserver, with what became of them.
    pub effects: Vec<Delivery>,
    /// Sentences for the person.
    pub notes: Vec<String>,
    /// Sentences of warning for the person.
    pub warnings: Vec<String>,
    /// How many jobs were queued.
    pub jobs: u64,
    /// Whether everything was taken back.
    pub dry_run: bool,
    /// The store, without user and password.
    pub store: String,
    /// What went wrong after the commit.
    pub failure: Option<Error>,
}

impl Report {
    /// The report of a run that recorded this.
    #[must_use]
    pub fn new(record: Record, dry_run: bool, store: String) -> Self {
        let Record {
            changes,
            effects,
            notes,
            jobs,
            queued: _,
            unsaid: _,
        } = record;
        Self {
            changes,
            effects,
            notes,
            warnings: Vec::new(),
            jobs,
            dry_run,
            store,
            failure: None,
        }
    }

    /// Whether anything but the queue was changed, or would be.
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.changes.is_empty()
    }
}
