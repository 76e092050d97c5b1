//! A session: one input after the other, each a run of its own.

use std::sync::Arc;

use rhai::Dynamic;

use super::{Mode, Shown, input::Input, state::State};
use crate::{
    capability::{Capabilities, Granted, Narrowing},
    config::{Configuration, Database},
    console::Console,
    error::Result,
    operations::{Interrupt, Keeper, Parts, Report, Run, World},
    storage::Access,
};

/// What a session is made of.
pub struct Setup {
    /// What MAS's configuration says.
    pub configuration: Arc<Configuration>,
    /// Which store the inputs work on.
    pub database: Database,
    /// What is taken from what inputs and scripts may do.
    pub narrowing: Narrowing,
    /// The person at the prompt.
    pub console: Arc<dyn Console>,
    /// Clock and randomness.
    pub world: World,
    /// What keeps the connection from one input to the next.
    pub keeper: Arc<Keeper>,
}

/// One input after the other, and what they leave.
pub struct Session {
    setup: Setup,
    mode: Mode,
    state: State,
    /// How many inputs there were.
    inputs: u64,
}

/// What came of an input.
#[derive(Debug)]
pub struct Answer {
    /// What was changed.
    pub report: Report,
    /// What is shown of its value.
    pub shown: Shown,
}

impl Session {
    /// Starts a session. Nothing is opened yet.
    #[must_use]
    pub fn new(setup: Setup, mode: Mode) -> Self {
        setup.keeper.set_access(access(mode));
        Self {
            setup,
            mode,
            state: State::default(),
            inputs: 0,
        }
    }

    /// What inputs may do to the store.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Sets what inputs may do to the store, from the next one on.
    pub fn set_mode(&mut self, mode: Mode) {
        self.setup.keeper.set_access(access(mode));
        self.mode = mode;
    }

    /// What the inputs have left.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Evaluates an input. One that fails leaves everything as it was.
    ///
    /// # Errors
    /// Those of scripts.
    pub fn evaluate(&mut self, text: &str, interrupt: Arc<Interrupt>) -> Result<Answer> {
        self.inputs += 1;
        let input = Input::new(&format!("input {}", self.inputs), text);
        let run = self.start(Capabilities::of_session(), interrupt);
        let (answer, state) = perform(run, self.mode != Mode::Plan, |run| input.evaluate(&self.state, run))?;
        self.state = state;
        Ok(answer)
    }

    fn start(&self, capabilities: Capabilities, interrupt: Arc<Interrupt>) -> Run {
        let narrowing = Narrowing {
            only_read: self.mode == Mode::Read,
            ..self.setup.narrowing.clone()
        };
        Run::new(Parts {
            configuration: self.setup.configuration.clone(),
            database: self.setup.database.clone(),
            capabilities: Granted::new(capabilities, narrowing, |_| Vec::new()),
            console: self.setup.console.clone(),
            world: self.setup.world.clone(),
            dry_run: self.mode == Mode::Plan,
            runtime: self.setup.keeper.runtime().clone(),
            interrupt,
        })
        .kept_by(self.setup.keeper.clone())
    }
}

/// What the connection is for in a mode.
const fn access(mode: Mode) -> Access {
    match mode {
        Mode::Read => Access::Read,
        Mode::Plan | Mode::Write => Access::Write,
    }
}

/// Does the work of a run, and ends it as the work ended. Secrets that it made are shown if `reveal`.
fn perform<T>(run: Run, reveal: bool, work: impl FnOnce(&Arc<Run>) -> Result<(Dynamic, T)>) -> Result<(Answer, T)> {
    let run = Arc::new(run);
    let worked = work(&run).and_then(|(value, left)| Ok((Shown::of(&value, reveal)?, left)));
    worked
        .and_then(|(shown, left)| {
            let report = run.finish()?;
            Ok((Answer { report, shown }, left))
        })
        .map_err(|error| run.abandon(error))
}
