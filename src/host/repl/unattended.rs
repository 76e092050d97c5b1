//! Inputs that nobody types: their results go to a program, and nobody can be asked.

use std::{path::Path, sync::Arc};

use super::{Session, input::Input};
use crate::{
    capability::{Capabilities, Granted, Narrowing},
    console::Rows,
    error::Result,
    host::execute::{Outcome, Returned},
    operations::{Interrupt, Run},
};

impl Session {
    /// Evaluates an input as a script is executed: its result is all there is, and a list goes to `rows` while it is read,
    /// if there are any. Errors call the input `label`.
    ///
    /// One that would change something in [`Mode::Plan`](super::Mode::Plan) leaves everything as it was, as one that fails does: what it would
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
            let returned = Returned::read(&value, run.may_reveal(), &run, rows)?;
            let would_change = !run.has_done_nothing();
            let mut outcome = returned.of(run.finish()?);
            outcome.report.dry_run &= would_change;
            Ok((outcome, state))
        });
        let (outcome, state) = evaluated.map_err(|error| run.abandon(error))?;
        if !outcome.report.dry_run {
            self.keep(text, run.used(), state);
        }
        Ok(outcome)
    }

    /// Evaluates the text of a file before the first input: what it defines stays. It can only read, whatever the mode is,
    /// and its value is nobody's last.
    ///
    /// # Errors
    /// Those of scripts. Nothing of it stays then.
    pub fn load(&mut self, file: &Path, text: &str, interrupt: Arc<Interrupt>) -> Result<()> {
        let narrowing = Narrowing {
            only_read: true,
            ..self.narrowing()
        };
        let granted = Granted::new(Capabilities::of_session(), narrowing, |_| Vec::new());
        let run = Arc::new(self.begin(Run::new(self.parts(granted, interrupt)())));
        let evaluated = Input::of_file(file, text).evaluate(self.state(), &run);
        let (_, mut state) = evaluated
            .and_then(|evaluated| run.finish().map(|_| evaluated))
            .map_err(|error| run.abandon(error))?;
        state.forget_last();
        self.keep_unnumbered(state);
        Ok(())
    }
}
