//! Ctrl-C: what it stops, and what it must leave alone.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};

/// What a run is doing when Ctrl-C comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Reading, writing, computing: it stops, and nothing is changed.
    #[default]
    Working,
    /// Waiting for a person, with no transaction open.
    Asking,
    /// Waiting for somebody to read what is shown, with no transaction open.
    Showing,
    /// Waiting for the answer to COMMIT: nobody knows yet whether it goes through.
    Committing,
    /// The commit has gone through.
    Committed,
    /// Doing jobs, one after the other: the one at hand is finished first.
    Serving,
}

/// Ctrl-C, as a run and its signal handler share it.
#[derive(Debug, Default)]
pub struct Interrupt {
    token: CancellationToken,
    phase: Mutex<Phase>,
    done: AtomicU64,
    deadline: Option<Deadline>,
}

/// When something must be over, and how long it may take.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Interrupt {
    /// That of a part of the whole, which may take so long: Ctrl-C stops it with the whole, and its end by time does not
    /// stop the whole.
    #[must_use]
    pub fn below(&self, limit: Duration) -> Self {
        Self {
            token: self.token.child_token(),
            deadline: Instant::now().checked_add(limit).map(|at| Deadline { at, limit }),
            ..Self::default()
        }
    }

    /// That of a part which ends with the whole, by Ctrl-C and by time.
    #[must_use]
    pub fn part(&self) -> Self {
        Self {
            token: self.token.child_token(),
            deadline: self.deadline,
            ..Self::default()
        }
    }

    /// Why it must not go on, if it must not: Ctrl-C, or its time is over.
    #[must_use]
    pub fn stop(&self) -> Option<Error> {
        if self.token.is_cancelled() {
            return Some(interrupted());
        }
        let deadline = self.deadline.filter(|deadline| Instant::now() >= deadline.at)?;
        Some(out_of_time(deadline.limit))
    }

    /// Says that Ctrl-C was pressed, and returns what it came upon. False if it was pressed before.
    pub fn press(&self) -> (bool, Phase) {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !self.token.is_cancelled();
        self.token.cancel();
        (first, *phase)
    }

    /// Whether Ctrl-C was pressed.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Ends an operation when Ctrl-C is pressed.
    pub(super) async fn unless_pressed<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(deadline) = self.deadline else {
            return tokio::select! {
                biased;
                () = self.pressed() => Err(interrupted()),
                result = operation => result,
            };
        };
        tokio::select! {
            biased;
            () = self.pressed() => Err(interrupted()),
            () = tokio::time::sleep_until(deadline.at.into()) => Err(out_of_time(deadline.limit)),
            result = operation => result,
        }
    }

    /// Waits until Ctrl-C is pressed.
    pub(super) async fn pressed(&self) {
        self.token.cancelled().await;
    }

    /// Marks that the next part of a run is worked on, and that so many before it are done; fails if Ctrl-C was pressed.
    pub(super) fn start_part(&self, done: u64) -> Result<()> {
        self.done.store(done, Ordering::Relaxed);
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = self.stop() {
            return Err(why);
        }
        *phase = Phase::Working;
        Ok(())
    }

    /// How many parts of the run are done, and stay so.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Marks the moment after which Ctrl-C no longer stops the commit; fails if it was pressed before.
    pub(super) fn start_commit(&self) -> Result<()> {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = self.stop() {
            return Err(why);
        }
        *phase = Phase::Committing;
        Ok(())
    }

    /// Marks that the commit has gone through.
    pub(super) fn end_commit(&self) {
        self.set(Phase::Committed);
    }

    /// Marks that jobs are being done from now on.
    pub(super) fn start_serving(&self) {
        self.set(Phase::Serving);
    }

    /// Marks that a person is being asked, until the value is dropped: Ctrl-C then need not wait for the answer. Fails if
    /// it was pressed before.
    ///
    /// # Errors
    /// `run.interrupted`.
    pub fn while_asking(&self) -> Result<Waiting<'_>> {
        self.start_waiting(Phase::Asking)
    }

    /// Marks that a reader is waited for, until the value is dropped: Ctrl-C then need not wait for them. Fails if it was
    /// pressed before.
    pub(super) fn while_showing(&self) -> Result<Waiting<'_>> {
        self.start_waiting(Phase::Showing)
    }

    fn start_waiting(&self, phase: Phase) -> Result<Waiting<'_>> {
        let mut current = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if self.token.is_cancelled() {
            return Err(interrupted());
        }
        *current = phase;
        drop(current);
        Ok(Waiting(self))
    }

    fn set(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }
}

/// A person is being waited for.
#[derive(Debug)]
pub struct Waiting<'interrupt>(&'interrupt Interrupt);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(Phase::Working);
    }
}

fn out_of_time(limit: Duration) -> Error {
    let message = match limit.as_secs_f64() {
        1.0 => "It was not done after 1 second".to_owned(),
        seconds => format!("It was not done after {seconds} seconds"),
    };
    Error::new(Code::ScriptLimit, message)
}

pub(super) fn interrupted() -> Error {
    Error::new(Code::RunInterrupted, "Interrupted: nothing was changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_c_before_the_commit_stops_it_and_after_it_does_not() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.press(), (true, Phase::Working));
        assert_eq!(interrupt.start_commit().unwrap_err().code(), Code::RunInterrupted);

        let interrupt = Interrupt::default();
        interrupt.start_commit().unwrap();
        assert_eq!(interrupt.press(), (true, Phase::Committing));
        interrupt.end_commit();
        assert_eq!(interrupt.press(), (false, Phase::Committed));
    }

    #[test]
    fn a_part_ends_with_the_whole_and_by_its_own_time() {
        let whole = Interrupt::default();
        let (long, short) = (whole.below(Duration::from_hours(1)), whole.below(Duration::ZERO));
        assert!(long.stop().is_none());
        let late = short.part().stop().unwrap();
        assert_eq!(
            (late.code(), late.message()),
            (Code::ScriptLimit, "It was not done after 0 seconds")
        );
        assert_eq!(short.start_commit().unwrap_err().code(), Code::ScriptLimit);
        assert!(!whole.is_pressed());
        whole.press();
        for part in [&long, &short, &long.part()] {
            assert_eq!(part.stop().unwrap().code(), Code::RunInterrupted);
        }
    }

    /// Nobody would end the wait: only the press itself ends a process that waits.
    #[test]
    fn ctrl_c_before_a_wait_keeps_it_from_being_started() {
        let interrupt = Interrupt::default();
        drop(interrupt.while_showing().unwrap());
        interrupt.press();
        for waiting in [interrupt.while_showing(), interrupt.while_asking()] {
            assert_eq!(waiting.unwrap_err().code(), Code::RunInterrupted);
        }
        assert_eq!(interrupt.press(), (false, Phase::Working));
    }

    #[test]
    fn ctrl_c_in_one_part_keeps_the_next_from_being_started() {
        let interrupt = Interrupt::default();
        interrupt.start_part(0).unwrap();
        interrupt.start_commit().unwrap();
        interrupt.end_commit();
        interrupt.start_part(1).unwrap();
        assert_eq!((interrupt.press(), interrupt.done()), ((true, Phase::Working), 1));
        assert_eq!(interrupt.start_part(1).unwrap_err().code(), Code::RunInterrupted);
    }
}
