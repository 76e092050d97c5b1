//! What a session answers to each input, whoever enters it.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use super::{
    super::{
        execution,
        options::Options,
        pager,
        render::{self, Format},
        signals::{self, Inputs},
        terminal::Terminal,
    },
    agreement,
    meta::{self, Changes},
    show::{self, Style},
};
use crate::{
    console::Console,
    error::Result,
    host::repl::{Answer, Ask, Session, meta::Call},
    operations::Interrupt,
};

/// What follows an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next input.
    GoOn,
    /// The end of the session.
    Leave,
}

/// A session with how its answers are shown.
pub(super) struct Conversation {
    pub(super) session: Session,
    pub(super) console: Arc<Terminal>,
    pub(super) options: Options,
    pub(super) style: Style,
    /// Whether it is shown how long inputs take.
    pub(super) timing: bool,
    pub(super) changes: Changes,
    pub(super) inputs: Arc<Inputs>,
    /// What it was warned of: once is enough.
    warned: BTreeSet<String>,
}

impl Conversation {
    pub(super) fn new(session: Session, console: Arc<Terminal>, options: Options, inputs: Arc<Inputs>) -> Self {
        let style = Style {
            format: match options.wish.format {
                Format::Json => show::Format::Json,
                _ => show::Format::Table,
            },
            ..Style::default()
        };
        Self {
            session,
            console,
            options,
            style,
            timing: false,
            changes: Changes::default(),
            inputs,
            warned: BTreeSet::new(),
        }
    }

    /// Whether a signal has asked for the end of the session.
    pub(super) fn is_over(&self) -> bool {
        self.inputs.is_over()
    }

    /// Answers an input, or does what a meta-command says.
    ///
    /// # Errors
    /// Those of the input, which has changed nothing then, or of the meta-command.
    pub(super) fn answer(&mut self, input: &str) -> Result<Step> {
        let state = self.session.state();
        if let Some(call) = Call::of(input, |name| state.has_variable(name))? {
            return meta::answer(self, call);
        }
        self.carry_out(self.begin(), |session, interrupt, ask| {
            session.evaluate(input, interrupt, ask)
        })?;
        Ok(Step::GoOn)
    }

    /// Does the work of an input that has begun, and shows what comes of it. What it would change is asked about where the
    /// mode has it so.
    ///
    /// # Errors
    /// Those of the work, and those of [`Self::show`].
    pub(super) fn carry_out(
        &mut self,
        input: signals::Input,
        work: impl FnOnce(&mut Session, Arc<Interrupt>, &mut Ask<'_>) -> Result<Option<Answer>>,
    ) -> Result<()> {
        let started = Instant::now();
        let console = self.console.clone();
        let mut ask = |plan: &_| agreement::ask(plan, &*console);
        let answer = work(&mut self.session, input.interrupt(), &mut ask);
        drop(input);
        self.conclude(answer, started)
    }

    /// Begins an input: Ctrl-C stops it as long as what is returned lives.
    pub(super) fn begin(&self) -> signals::Input {
        self.inputs.start()
    }

    /// Shows what came of an input that began then, and notes what it has changed. Nothing comes of one that was declined.
    ///
    /// # Errors
    /// Those of the input, and those of [`Self::show`].
    fn conclude(&mut self, answer: Result<Option<Answer>>, started: Instant) -> Result<()> {
        let took = started.elapsed();
        let number = self.session.inputs();
        let shown = match answer {
            Ok(Some(mut answer)) => {
                self.changes.note(number, &answer.report);
                let warnings = &mut answer.report.warnings;
                warnings.retain(|warning| self.warned.insert(warning.clone()));
                self.show(&answer)
            }
            Ok(None) => {
                self.console.say("Nothing was changed");
                Ok(())
            }
            Err(error) => {
                self.changes.note_error(number, &error);
                Err(error)
            }
        };
        if self.timing {
            self.console
                .insist(&format!("Time: {:.1} ms", took.as_secs_f64() * 1000.0));
        }
        shown
    }

    /// Shows a text that may be long: to a person who is there, in their pager.
    ///
    /// # Errors
    /// `file.unreadable` if it cannot be written.
    pub(super) fn page(&self, text: &str) -> Result<()> {
        if self.console.interactive() {
            pager::show(text)
        } else {
            render::print(text)
        }
    }

    /// Shows what came of an input.
    ///
    /// # Errors
    /// `file.unreadable` if it cannot be written; what went wrong after the commit.
    pub(super) fn show(&self, answer: &Answer) -> Result<()> {
        execution::tell(&answer.report, &*self.console);
        execution::conclude(&answer.report, &*self.console);
        match &answer.report.failure {
            Some(error) => Err(error.clone()),
            None => show::print(&answer.shown, self.style).map(drop),
        }
    }
}
