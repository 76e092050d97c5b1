//! `input::`: ask the person at the terminal. Nobody is asked while changes wait to be committed.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Array, FnPtr, Module, NativeCallContext};

use super::{Scripted, Secret, call_freely, error_of, words::words};
use crate::error::{Code, Error};

pub(super) fn module() -> Module {
    exported_module!(input)
}

#[export_module]
mod input {
    /// Whether somebody is there to be asked.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// if input::interactive() { say("hello"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn interactive(context: NativeCallContext) -> Scripted<bool> {
        call_freely(&context, |run| Ok(run.console().interactive()))
    }

    /// Fail because arguments are missing, naming those that would do.
    ///
    /// Needs nothing. Fails with `argument.missing`, always.
    ///
    /// ```rhai
    /// if input::interactive() { input::require(["--yes"]); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn require(context: NativeCallContext, arguments: Array) -> Scripted<()> {
        let missing: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        call_freely(&context, |_| {
            Err(Error::new(
                Code::ArgumentMissing,
                format!("An argument is missing: give {}", missing.join(" and ")),
            ))
        })
    }

    /// Ask for one line of text. `check` is called with the answer: if it throws, its message is shown and the question
    /// put again.
    ///
    /// Needs nothing. Fails with `input.not_interactive`, `input.aborted`, `run.writing`.
    ///
    /// ```rhai
    /// if input::interactive() { input::ask("Username", |answer| users::check_available(answer)); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ask(context: NativeCallContext, question: &str, check: FnPtr) -> Scripted<String> {
        call_freely(&context, |run| {
            run.ask(|console| {
                console.ask(question, &|answer| {
                    let checked = check.call_within_context::<rhai::Dynamic>(&context, (answer.to_owned(),));
                    checked.map(drop).map_err(|error| error_of(&error))
                })
            })
        })
    }

    /// Ask for a secret twice, without echo.
    ///
    /// Needs nothing. Fails with `input.not_interactive`, `input.aborted`, `run.writing`.
    ///
    /// ```rhai
    /// if input::interactive() { passwords::check(input::ask_secret("Password")); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ask_secret(context: NativeCallContext, question: &str) -> Scripted<Secret> {
        call_freely(&context, |run| {
            run.ask(|console| Ok(Secret::given(console.ask_secret(question, true)?)))
        })
    }

    /// Ask for one of several answers, and return its index.
    ///
    /// Needs nothing. Fails with `input.not_interactive`, `input.aborted`, `run.writing`.
    ///
    /// ```rhai
    /// if input::interactive() { input::choose("Which?", ["this", "that"]); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn choose(context: NativeCallContext, question: &str, answers: Array) -> Scripted<i64> {
        let answers: Vec<String> = answers.iter().map(super::words).collect();
        let chosen = call_freely(&context, |run| run.ask(|console| console.choose(question, &answers)))?;
        Ok(i64::try_from(chosen).unwrap_or_default())
    }

    /// Ask for yes or no.
    ///
    /// Needs nothing. Fails with `input.not_interactive`, `input.aborted`, `run.writing`.
    ///
    /// ```rhai
    /// if input::interactive() && input::confirm("Go on?", true) { say("going on"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn confirm(context: NativeCallContext, question: &str, preset: bool) -> Scripted<bool> {
        call_freely(&context, |run| run.ask(|console| console.confirm(question, preset)))
    }
}
