//! A session: one input after the other, each a run of its own.

use std::sync::Arc;

use rhai::Dynamic;

use super::{
    Mode, Shown,
    input::Input,
    plan::{self, Execution, Planned},
    state::State,
    unasked::Unasked,
};
use crate::{
    capability::{Capabilities, Granted, Narrowing},
    config::{Configuration, Database},
    console::Console,
    error::Result,
    homeserver::Homeserver,
    host::{Script, arguments::Arguments, capabilities, engine::Limits, execute::map_of, program::Program},
    operations::{Interrupt, Keeper, Parts, Plan, Report, Run, World},
    storage::Access,
};

/// What a session is made of.
pub struct Setup {
    /// What MAS's configuration says.
    pub configuration: Arc<Configuration>,
    /// Which store the inputs work on.
    pub database: Database,
    /// The homeserver, if it is not that of the configuration.
    pub homeserver: Option<Arc<dyn Homeserver>>,
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
    state: Arc<State>,
    /// How many inputs there were.
    inputs: u64,
    done: Vec<Done>,
}

/// An input that worked.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its number.
    pub number: u64,
    /// What was entered.
    pub text: String,
    /// What it has made use of, of what it may do.
    pub used: Capabilities,
    /// Whether it came to something, which was `_` then.
    pub has_value: bool,
}

/// What came of an input.
#[derive(Debug)]
pub struct Answer {
    /// What was changed.
    pub report: Report,
    /// What is shown of its value.
    pub shown: Shown,
}

/// Shows what an input would change, and asks whether to do it.
pub type Ask<'a> = dyn FnMut(&Plan) -> Result<bool> + 'a;

/// What the work of a run leaves.
struct Worked {
    shown: Shown,
    state: State,
    used: Capabilities,
}

impl Session {
    /// Starts a session. Nothing is opened yet.
    #[must_use]
    pub fn new(setup: Setup, mode: Mode) -> Self {
        setup.keeper.set_access(access(mode));
        Self {
            setup,
            mode,
            state: Arc::default(),
            inputs: 0,
            done: Vec::new(),
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

    /// How many inputs there were, scripts that were run among them. They are numbered from 1.
    #[must_use]
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// The inputs that worked, in order.
    #[must_use]
    pub fn done(&self) -> &[Done] {
        &self.done
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
    pub fn state(&self) -> &State {
        &self.state
    }

    /// As [`Self::state`], for who looks at it while the session goes on.
    #[must_use]
    pub fn shared_state(&self) -> Arc<State> {
        self.state.clone()
    }

    /// Evaluates an input. One that fails leaves everything as it was, and so does one that would change something and is
    /// declined: nothing comes of it then.
    ///
    /// # Errors
    /// Those of scripts, and of `ask`.
    pub fn evaluate(&mut self, text: &str, interrupt: Arc<Interrupt>, ask: &mut Ask<'_>) -> Result<Option<Answer>> {
        self.inputs += 1;
        let input = Input::new(&format!("input {}", self.inputs), text);
        let parts = self.parts(self.granted_to_inputs(), interrupt);
        let work = |run: &Arc<Run>| input.evaluate(&self.state, run);
        let done = self.perform(self.setup.console.clone(), &parts, ask, work)?;
        Ok(self.answer(text, done))
    }

    /// Evaluates what is only looked at: it has no number, and leaves nothing. `label` is what errors call it.
    ///
    /// # Errors
    /// As those of [`Self::evaluate`].
    pub fn look(&self, label: &str, text: &str, interrupt: Arc<Interrupt>) -> Result<Answer> {
        let input = Input::new(label, text);
        let run = Arc::new(self.begin(Run::new(Parts {
            world: self.setup.world.clone(),
            ..self.parts(self.granted_to_inputs(), interrupt)()
        })));
        let evaluated = input.evaluate(&State::default(), &run);
        let looked = evaluated.and_then(|(value, _)| Shown::of(&value, run.may_reveal()));
        looked
            .and_then(|shown| {
                let report = run.finish()?;
                Ok(Answer { report, shown })
            })
            .map_err(|error| run.abandon(error))
    }

    /// Runs a script as an input: it may do what its header needs, as far as the session may. Its result is `_` then.
    /// `text` is what was entered.
    ///
    /// # Errors
    /// Those of scripts, and of `ask`.
    pub fn run_script(
        &mut self,
        text: &str,
        script: &Script,
        arguments: &Arguments,
        interrupt: Arc<Interrupt>,
        ask: &mut Ask<'_>,
    ) -> Result<Option<Answer>> {
        self.inputs += 1;
        let granted = capabilities::granted(script, arguments, self.narrowing());
        let parts = self.parts(granted, interrupt);
        let work = |run: &Arc<Run>| {
            let program = Program::new(script, run, &Limits::none())?;
            let value = program.call(map_of(arguments, run.world()))?.flatten();
            let mut state = self.state.for_run(run);
            state.keep_last(value.clone());
            Ok((value, state))
        };
        let done = self.perform(self.console_of(script), &parts, ask, work)?;
        Ok(self.answer(text, done))
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

    /// Keeps what was left by something that is no input.
    pub(super) fn keep_unnumbered(&mut self, state: State) {
        self.state = state.into();
    }

    /// Keeps what an input that worked has left.
    pub(super) fn keep(&mut self, text: &str, used: Capabilities, state: State) {
        self.state = Arc::new(state);
        self.done.push(Done {
            number: self.inputs,
            text: text.to_owned(),
            used,
            has_value: self.state.has_value(),
        });
    }

    /// Starts the run of an input that nobody types, which is taken back where it would have to be agreed to.
    pub(super) fn start_unattended(&mut self, interrupt: Arc<Interrupt>) -> Run {
        self.inputs += 1;
        let parts = self.parts(self.granted_to_inputs(), interrupt)();
        self.begin(Run::new(Parts {
            dry_run: self.mode == Mode::Plan,
            ..parts
        }))
    }

    fn answer(&mut self, text: &str, done: Option<(Worked, Report)>) -> Option<Answer> {
        let (Worked { shown, state, used }, report) = done?;
        // What failed after the commit may have been made undone.
        if report.failure.is_none() {
            self.keep(text, used, state);
        }
        Some(Answer { report, shown })
    }

    /// Does the work of an input as the mode has it.
    fn perform(
        &self,
        console: Arc<dyn Console>,
        parts: &impl Fn() -> Parts,
        ask: &mut Ask<'_>,
        work: impl Fn(&Arc<Run>) -> Result<(Dynamic, State)>,
    ) -> Result<Option<(Worked, Report)>> {
        let work = |run: &Arc<Run>| {
            let (value, state) = work(run)?;
            let shown = Shown::of(&value, run.may_reveal())?;
            let used = run.used();
            Ok(Worked { shown, state, used })
        };
        if self.mode == Mode::Plan {
            let start = |execution: Execution| self.begin(execution.start(parts()));
            return Ok(match plan::execute(&self.setup.world, console, start, work, ask)? {
                Planned::Nothing(done) | Planned::Applied(done) => Some(done),
                Planned::Declined => None,
            });
        }
        let run = Arc::new(self.begin(Run::new(Parts { console, ..parts() })));
        work(&run)
            .and_then(|worked| Ok(Some((worked, run.finish()?))))
            .map_err(|error| run.abandon(error))
    }

    pub(super) fn narrowing(&self) -> Narrowing {
        Narrowing {
            only_read: self.mode == Mode::Read,
            ..self.setup.narrowing.clone()
        }
    }

    fn granted_to_inputs(&self) -> Granted {
        Granted::new(Capabilities::of_session(), self.narrowing(), |_| Vec::new())
    }

    /// Makes the parts of the runs of one input.
    pub(super) fn parts(&self, capabilities: Granted, interrupt: Arc<Interrupt>) -> impl Fn() -> Parts + use<> {
        let configuration = self.setup.configuration.clone();
        let (database, console) = (self.setup.database.clone(), self.setup.console.clone());
        let (world, runtime) = (self.setup.world.clone(), self.setup.keeper.runtime().clone());
        move || Parts {
            configuration: configuration.clone(),
            database: database.clone(),
            capabilities: capabilities.clone(),
            console: console.clone(),
            world: world.clone(),
            dry_run: false,
            runtime: runtime.clone(),
            interrupt: interrupt.clone(),
        }
    }

    /// A run with what it has in common with the others of the session.
    pub(super) fn begin(&self, run: Run) -> Run {
        let run = run.kept_by(self.setup.keeper.clone());
        match &self.setup.homeserver {
            Some(homeserver) => run.thrown_away(homeserver.clone()),
            None => run,
        }
    }
}

/// What the connection is for in a mode.
const fn access(mode: Mode) -> Access {
    match mode {
        Mode::Read => Access::Read,
        Mode::Plan | Mode::Write => Access::Write,
    }
}
