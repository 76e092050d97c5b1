//! Inputs that nobody types: their results go to a program, and nobody can be asked.

use std::sync::Arc;

use rhai::Dynamic;

use super::{Session, input::Input};
use crate::{
    console::Rows,
    error::Result,
    host::execute::{Outcome, Returned},
    operations::{Interrupt, Run},
    primitives::stream,
};

impl Session {
    /// Evaluates an input as a script is executed: its result is all there is, and a list goes to `rows` while it is read,
    /// if there are any. Errors call the input `label`.
    ///
    /// One that would change something in [`Mode::Plan`] leaves everything as it was, as one that fails does: what it would
    /// have changed is in the report, which says that it was taken back.
    ///
    /// # Errors
    /// Those of scripts.
    pub fn execute(
        &mut self,
        label: &str,
        text: &str,
        interrupt: Arc<Interrupt>,
        rows: Option<&mut dyn Rows>,
    ) -> Result<Outcome> {
        let input = Input::new(label, text);
        let run = Arc::new(self.start_unattended(interrupt));
        let evaluated = input.evaluate(self.state(), &run).and_then(|(value, state)| {
            let returned = returned(&value, run.may_reveal(), &run, rows)?;
            Ok((returned.of(run.finish()?), state))
        });
        let (mut outcome, state) = evaluated.map_err(|error| run.abandon(error))?;
        let report = &mut outcome.report;
        let would_change = !report.changes.is_empty() || !report.effects.is_empty() || report.jobs > 0;
        report.dry_run &= would_change;
        if !report.dry_run {
            self.keep(text, run.used(), state);
        }
        Ok(outcome)
    }
}

/// The value of an input: a list that was shown, or all of it.
fn returned(value: &Dynamic, reveal: bool, run: &Run, rows: Option<&mut dyn Rows>) -> Result<Returned> {
    let rows = rows.filter(|_| !run.is_writing());
    match rows.and_then(|rows| stream(value, reveal, run, rows)) {
        Some(shown) => shown.map(|()| Returned::shown()),
        None => Returned::new(value, reveal),
    }
}
