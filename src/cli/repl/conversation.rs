//! What a session answers to each input, whoever enters it.

use std::sync::Arc;

use super::{
    super::{execution, options::Options, signals::Inputs, terminal::Terminal},
    show::{self, Style},
};
use crate::{
    error::Result,
    host::repl::{Answer, Session},
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
    inputs: Arc<Inputs>,
}

impl Conversation {
    pub(super) fn new(session: Session, console: Arc<Terminal>, options: Options, inputs: Arc<Inputs>) -> Self {
        Self {
            session,
            console,
            options,
            style: Style::default(),
            inputs,
        }
    }

    /// Whether a signal has asked for the end of the session.
    pub(super) fn is_over(&self) -> bool {
        self.inputs.is_over()
    }

    /// Answers an input.
    ///
    /// # Errors
    /// Those of the input, which has changed nothing then.
    pub(super) fn answer(&mut self, input: &str) -> Result<Step> {
        let answer = {
            let watched = self.inputs.start();
            self.session.evaluate(input, watched.interrupt())?
        };
        self.show(&answer)?;
        Ok(Step::GoOn)
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
