//! A session: one input after the other, each a run of its own.

use std::sync::Arc;

use rhai::Dynamic;
use tokio::runtime::Runtime;

use super::{Mode, Shown, input::Input, state::State, unasked::Unasked};
use crate::{
    capability::{Capabilities, Granted, Narrowing},
    config::{Configuration, Database},
    console::Console,
    error::Result,
    host::{Script, arguments::Arguments, capabilities, engine::Limits, execute::map_of, program::Program},
    operations::{Interrupt, Parts, Report, Run, World},
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
    /// Where asynchronous work happens.
    pub runtime: Arc<Runtime>,
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
    pub const fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// How many inputs there were, scripts that were run among them. They are numbered from 1.
    #[must_use]
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// What MAS's configuration says.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.setup.configuration
    }

    /// Which store the inputs work on.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.setup.database
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
        let run = self.start(self.granted_to_inputs(), self.setup.console.clone(), interrupt);
        let reveal = self.mode != Mode::Plan;
        let (answer, state) = perform(run, reveal, |run| input.evaluate(&self.state, run))?;
        self.state = state;
        Ok(answer)
    }

    /// Evaluates what is only looked at: it has no number, and leaves nothing. `label` is what errors call it.
    ///
    /// # Errors
    /// As those of [`Self::evaluate`].
    pub fn look(&self, label: &str, text: &str, interrupt: Arc<Interrupt>) -> Result<Answer> {
        let input = Input::new(label, text);
        let run = self.start(self.granted_to_inputs(), self.setup.console.clone(), interrupt);
        let (answer, _) = perform(run, true, |run| input.evaluate(&State::default(), run))?;
        Ok(answer)
    }

    /// Runs a script as an input: it may do what its header needs, as far as the session may. Its result is `_` then.
    ///
    /// # Errors
    /// Those of scripts.
    pub fn run_script(&mut self, script: &Script, arguments: &Arguments, interrupt: Arc<Interrupt>) -> Result<Answer> {
        self.inputs += 1;
        let granted = capabilities::granted(script, arguments, self.narrowing());
        let run = self.start(granted, self.console_of(script), interrupt);
        let (answer, state) = perform(run, self.mode != Mode::Plan, |run| {
            let program = Program::new(script, run, &Limits::none())?;
            let value = program.call(map_of(arguments, run.world()))?.flatten();
            let mut state = self.state.clone();
            state.keep_last(value.clone());
            Ok((value, state))
        })?;
        self.state = state;
        Ok(answer)
    }

    /// Who is asked by a script. One that changes something asks before it does, and where it may not, nobody is to be
    /// asked in vain.
    #[must_use]
    pub fn console_of(&self, script: &Script) -> Arc<dyn Console> {
        let console = self.setup.console.clone();
        if self.mode == Mode::Read && !script.header.needs.only_read() {
            Arc::new(Unasked::new(console))
        } else {
            console
        }
    }

    fn narrowing(&self) -> Narrowing {
        Narrowing {
            only_read: self.mode == Mode::Read,
            ..self.setup.narrowing.clone()
        }
    }

    fn granted_to_inputs(&self) -> Granted {
        Granted::new(Capabilities::of_session(), self.narrowing(), |_| Vec::new())
    }

    fn start(&self, capabilities: Granted, console: Arc<dyn Console>, interrupt: Arc<Interrupt>) -> Run {
        Run::new(Parts {
            configuration: self.setup.configuration.clone(),
            database: self.setup.database.clone(),
            capabilities,
            console,
            world: self.setup.world.clone(),
            dry_run: self.mode == Mode::Plan,
            runtime: self.setup.runtime.clone(),
            interrupt,
        })
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
