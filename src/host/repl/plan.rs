//! Changes that are shown before they are made: what is entered is executed and taken back; who agrees to what it would
//! change has it executed again, and committed if it is the same.

use std::sync::Arc;

use crate::{
    console::{Console, Rehearsal, Rows},
    error::{Code, Error, Result},
    host::{Outcome, Script, arguments::Arguments, engine::Limits, execute::perform},
    operations::{Parts, Plan, Report, Run, World, files::KeptFiles},
};

/// One of the two executions: what its run has in common with the other's, and apart from it.
pub struct Execution {
    world: World,
    console: Arc<Rehearsal>,
    files: Arc<KeptFiles>,
    dry_run: bool,
}

impl Execution {
    /// Starts its run, on other parts that are the same for both. Their world, console and `dry_run` are not used.
    #[must_use]
    pub fn start(self, parts: Parts) -> Run {
        let parts = Parts {
            world: self.world,
            console: self.console,
            dry_run: self.dry_run,
            ..parts
        };
        Run::new(parts).sharing(self.files)
    }
}

/// What became of something that was to be shown before it changes anything.
#[derive(Debug)]
pub enum Planned<T> {
    /// It would change nothing, and was executed once.
    Nothing(T),
    /// It was executed once and taken back: the person did not agree.
    Declined,
    /// The person agreed, and it is committed.
    Applied(T),
}

impl<T> Planned<T> {
    /// The same with something made of what came of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Planned<U> {
        match self {
            Self::Nothing(value) => Planned::Nothing(make(value)),
            Self::Declined => Planned::Declined,
            Self::Applied(value) => Planned::Applied(make(value)),
        }
    }
}

/// Executes something so that a person sees what it would change, and makes only the changes that they agreed to.
///
/// `start` starts a run by [`Execution::start`]; `perform` does everything up to the run's end, at most twice; `ask` shows
/// the plan and asks for yes or no, when no transaction is open and no connection held. `console` is the person's, and
/// `world` the one that both executions go on in.
///
/// What `perform` shows of secrets, [`Run::may_reveal`] tells it: what it returns is handed out after the commit, and
/// from an execution that was taken back never.
///
/// # Errors
/// Those of `perform`, of `ask` and of [`Run::finish`]; `plan.changed`; `run.interrupted`. Nothing was changed then, unless
/// it is `commit.unknown`.
pub fn execute<T>(
    world: &World,
    console: Arc<dyn Console>,
    start: impl Fn(Execution) -> Run,
    mut perform: impl FnMut(&Arc<Run>) -> Result<T>,
    ask: impl FnOnce(&Plan) -> Result<bool>,
) -> Result<Planned<(T, Report)>> {
    let console = Arc::new(Rehearsal::new(console));
    let files = Arc::new(KeptFiles::default());
    let start = |dry_run| {
        Arc::new(start(Execution {
            world: world.recording(),
            console: console.clone(),
            files: files.clone(),
            dry_run,
        }))
    };
    let first = start(true);
    let (value, plan, mut report) = perform(&first)
        .and_then(|value| Ok((value, first.plan(), first.finish()?)))
        .map_err(|error| first.abandon(error))?;
    if plan.is_empty() {
        report.dry_run = false;
        return Ok(Planned::Nothing((value, report)));
    }
    // Its secrets are worth nothing, and nobody is to see them.
    drop((value, report));
    if !first.ask(|_| ask(&plan))? {
        return Ok(Planned::Declined);
    }
    drop(first);
    let second = start(false);
    // What there is to say of another connection is no repetition.
    let begun = second.start_part(0).and_then(|()| second.connect());
    let done = begun.and_then(|()| {
        console.begin_second();
        let value = perform(&second)?;
        plan.same_as(&second.plan())?;
        console.end();
        Ok(value)
    });
    let value = done.map_err(|error| second.abandon(of_second(error)))?;
    let report = second.finish().map_err(|error| second.abandon(error))?;
    Ok(Planned::Applied((value, report)))
}

/// The error of the second execution: the first had none.
fn of_second(error: Error) -> Error {
    if !error.code().catchable() || error.code() == Code::PlanChanged {
        return error;
    }
    let now = "It did not fail before you agreed: something else has changed meanwhile. Nothing was changed by it.";
    let help = error
        .help_text()
        .map_or_else(|| now.to_owned(), |help| format!("{help} {now}"));
    error.help(help)
}

/// As [`execute`], a script with its arguments. A list that it returns before anything is written goes to `rows`.
///
/// # Errors
/// As those of [`execute`].
pub fn execute_script(
    script: &Script,
    arguments: &Arguments,
    world: &World,
    console: Arc<dyn Console>,
    start: impl Fn(Execution) -> Run,
    ask: impl FnOnce(&Plan) -> Result<bool>,
    mut rows: Option<&mut dyn Rows>,
) -> Result<Planned<Outcome>> {
    let called = |run: &Arc<Run>| {
        let rows = rows.as_mut().map(|rows| &mut **rows as &mut dyn Rows);
        perform(script, arguments, run, || run.may_reveal(), &Limits::none(), rows)
    };
    let planned = execute(world, console, start, called, ask)?;
    Ok(planned.map(|(returned, report)| returned.of(report)))
}
