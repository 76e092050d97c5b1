//! A script for many accounts: `main(args)` once for each, all on one connection, each in a transaction of its own.

use std::{ops::ControlFlow, sync::Arc};

use rhai::Map;

use super::{
    arguments::Arguments,
    engine::Limits,
    execute::{Outcome, Returned, map_of},
    names::Names,
    program::{Program, on_deep_stack},
    script::Script,
};
use crate::{
    error::{Code, Error, Result},
    operations::{Parts, Report, Run},
};

/// The accounts that a script is for.
pub struct Accounts {
    /// The parameter that takes their names.
    pub param: String,
    /// Their names.
    pub names: Names,
}

/// How many accounts a script was done for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that it was done for.
    pub done: u64,
    /// Those that it failed for.
    pub failed: u64,
}

/// Takes what came of the script for one account, by its name and how many there were before. `Break` ends the whole.
pub type Each<'a> = dyn FnMut(&str, u64, &Result<Outcome>) -> Result<ControlFlow<()>> + Send + 'a;

/// Runs a script for one account after the other. What is done for one is committed, and handed to `each`, before the
/// next is touched. What fails for one, and need not for the next, is handed to `each` too.
///
/// Returns how many there were, and what there is to say of all together.
///
/// # Errors
/// What ended the whole. It says which accounts were done, and where to go on.
pub fn execute_each(
    script: &Script,
    arguments: &Arguments,
    accounts: &Accounts,
    parts: Parts,
    each: &mut Each,
) -> Result<(Tally, Report)> {
    let reveal = !parts.dry_run;
    let run = Arc::new(Run::new(parts));
    let mut walk = Walk {
        accounts,
        at: 0,
        tally: Tally::default(),
    };
    let arguments = map_of(arguments, run.world());
    let walked = on_deep_stack(|| {
        let program = Program::new(script, &run, &Limits::none())?;
        walk.all(&program, &arguments, &run, reveal, each)
    });
    match walked.and_then(|()| run.finish()) {
        Ok(report) => Ok((walk.tally, report)),
        Err(error) => Err(run.abandon(walk.stopped(error))),
    }
}

/// Where one is among the accounts.
struct Walk<'a> {
    accounts: &'a Accounts,
    /// The account at hand, by its place.
    at: usize,
    tally: Tally,
}

impl Walk<'_> {
    fn all(&mut self, program: &Program, arguments: &Map, run: &Arc<Run>, reveal: bool, each: &mut Each) -> Result<()> {
        for name in self.accounts.names.iter() {
            run.start_part(self.tally.done)?;
            let mut arguments = arguments.clone();
            arguments.insert(self.accounts.param.as_str().into(), name.into());
            let done = program
                .call(arguments)
                .and_then(|returned| Returned::new(&returned, reveal))
                .and_then(|returned| Ok(returned.of(run.finish_part()?)));
            let failure = match &done {
                Ok(outcome) => outcome.report.failure.as_ref(),
                Err(error) => Some(error),
            };
            let fatal = failure.filter(|error| error.code().concerns_all());
            match (&done, fatal) {
                (Err(_), Some(fatal)) => return Err(fatal.clone()),
                (Err(_), None) => run.take_back_part()?,
                (Ok(_), _) => {}
            }
            match failure {
                None => self.tally.done += 1,
                Some(_) => self.tally.failed += 1,
            }
            self.at += 1;
            let goes_on = each(name, self.at as u64, &done)?;
            if let Some(fatal) = fatal {
                return Err(fatal.clone());
            }
            if goes_on.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The error as it is said where accounts were done before.
    fn stopped(&self, error: Error) -> Error {
        let Tally { done, failed } = self.tally;
        // Nothing was done, or what is wrong is how the result is to be shown.
        if self.at == 0 || error.code() == Code::ArgumentInvalid {
            return error;
        }
        let total = self.accounts.names.len();
        let done_of_all = match (done, total) {
            (_, 1) => format!("{done} of 1 account was done"),
            (1, _) => format!("1 of {total} accounts was done"),
            _ => format!("{done} of {total} accounts were done"),
        };
        let failures = match failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let next = self.accounts.names.iter().nth(self.at);
        let goes_on = match next {
            Some(name) if error.code() == Code::CommitUnknown => format!("; {name} is in doubt"),
            Some(name) => format!("; go on with {name}"),
            None => String::new(),
        };
        let where_to = format!("{done_of_all}{failures}{goes_on}");
        let error = error.data("done", done).data("failed", failed).data("next", next);
        // It is true of the account at hand only.
        if let Some(start) = error.message().strip_suffix(": nothing was changed") {
            let message = format!("{start}: {where_to}");
            return error.reworded(message);
        }
        let help = match error.help_text() {
            None if error.code() == Code::DatabaseLost => {
                format!("What a lost connection has not committed is taken back. {where_to}.")
            }
            None => format!("{where_to}."),
            Some(help) => format!("{} {where_to}.", help.trim_end()),
        };
        error.help(help)
    }
}
