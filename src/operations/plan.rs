//! What a run would commit, so that a second execution of the same can be compared with what a person has agreed to.

mod compare;
#[cfg(test)]
mod tests;

use std::fmt;

use super::{Change, Delivery, Record, Run, ledger::Ledger};
use crate::error::Result;

/// What a run would commit as it stands, and what its world has handed out.
#[derive(Default)]
pub struct Plan {
    record: Record,
    ledger: Ledger,
}

impl Run {
    /// What it would commit as it stands. What its world has handed out goes with it: a run is asked once.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let ledger = self.world().take_ledger();
        let record = self.with_record(|record| Record {
            changes: record.changes.clone(),
            effects: record.effects.clone(),
            notes: record.notes.clone(),
            jobs: record.jobs,
            queued: std::mem::take(&mut record.queued),
            unsaid: std::mem::take(&mut record.unsaid),
        });
        Plan { record, ledger }
    }

    /// Whether there is nothing to commit as it stands.
    #[must_use]
    pub fn has_done_nothing(&self) -> bool {
        self.with_record(|record| record.is_empty())
    }

    /// Whether a secret that it has made may be shown: what a dry run has to take back, it was made for nothing.
    #[must_use]
    pub fn may_reveal(&self) -> bool {
        !self.is_dry() || self.has_done_nothing()
    }
}

impl Plan {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record.is_empty()
    }

    /// The writes, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.record.changes
    }

    /// The calls to the homeserver that would follow, in order.
    #[must_use]
    pub fn effects(&self) -> &[Delivery] {
        &self.record.effects
    }

    /// Sentences for the person: why something would not change, for example.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.record.notes
    }

    /// How many jobs would be queued.
    #[must_use]
    pub const fn jobs(&self) -> u64 {
        self.record.jobs
    }

    /// Whether another execution would commit the same: the same changes, effects and jobs, in the same order, with its own
    /// times, ids and tokens in the places of these.
    ///
    /// # Errors
    /// `plan.changed`, which says the first difference.
    pub fn same_as(&self, other: &Self) -> Result<()> {
        compare::compare(self, other)
    }

    /// The jobs, each with its queue and its payload as JSON.
    fn each_job(&self) -> impl Iterator<Item = (&str, &str)> {
        let queued = self.record.queued.iter();
        queued.flat_map(|jobs| jobs.payloads.lines().map(|payload| (&*jobs.queue, payload)))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("changes", &self.record.changes)
            .field("effects", &self.record.effects)
            .field("jobs", &self.record.jobs)
            .finish_non_exhaustive()
    }
}
