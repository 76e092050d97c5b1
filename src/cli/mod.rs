//! The command line: clap, stdout and stderr, the terminal, exit codes. The only layer that knows any of them.

mod annotated;
mod command_line;
mod completion;
mod configuration;
mod database;
mod doctor;
mod eval;
mod execution;
mod failure;
mod first_run;
#[doc(hidden)]
pub mod invariants;
mod manage;
mod many;
mod options;
mod own;
mod pager;
mod printer;
mod record;
mod reference;
mod render;
mod repl;
mod run;
mod script_command;
mod scripts;
mod sheet;
mod signals;
mod surroundings;
mod table;
mod terminal;
mod usage;
mod window;
mod worker;

use std::{ffi::OsString, process::ExitCode, time::Instant};

use self::{options::Options, render::Format};
use crate::{
    config,
    error::{Code, Error, Result},
};

/// Runs masctl with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let started = Instant::now();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // A shell that asks is answered first of all: nothing that can fail may come before.
    if let Some(answered) = completion::answer(&arguments, started) {
        return ExitCode::from(answered.map_or_else(|error| fail(&error, &arguments), |()| 0));
    }
    // Before anything reads the environment, as MAS does it.
    let status = config::load_dotenv().and_then(|_| run(&arguments));
    match status {
        Ok(status) => ExitCode::from(status),
        Err(error) => ExitCode::from(fail(&error, &arguments)),
    }
}

/// The exit status, or the error that is to be shown.
fn run(arguments: &[OsString]) -> Result<u8> {
    let (scripts, matches) = match command_line::parse(arguments)? {
        Ok(parsed) => parsed,
        Err(error) => return usage::answer(error, arguments, wants_json(arguments)),
    };
    let options = Options::of(&matches);
    options::start_logging(options.verbose);
    if let Some((name @ ("worker" | "database" | "doctor" | "config" | "reference"), _)) = matches.subcommand() {
        options.require_no_narrowing(name)?;
    }
    match matches.subcommand() {
        Some(("manage", matches)) => manage::run(&scripts.manage, matches, &options),
        Some(("run", matches)) => run::run(scripts.run.as_ref(), matches, &options),
        Some(("eval", matches)) => eval::run(matches, &options),
        Some(("repl", matches)) => repl::run(matches, &options),
        Some(("scripts", matches)) => scripts::run(matches, &options),
        Some(("worker", matches)) => worker::run(matches, &options),
        Some(("database", matches)) => database::run(matches, &options).map(|()| 0),
        Some(("completions", matches)) => completion::run(matches).map(|()| 0),
        Some(("doctor", _)) => doctor::run(&options).map(|()| 0),
        Some(("reference", matches)) => reference::run(matches, &options).map(|()| 0),
        Some(("config", matches)) => configuration::run(matches, &options).map(|()| 0),
        _ => Err(Error::new(Code::Bug, "clap let a missing subcommand pass")),
    }
}

/// Shows an error on stderr and returns its exit status.
fn fail(error: &Error, arguments: &[OsString]) -> u8 {
    if wants_json(arguments) {
        terminal::write_stderr(&format!("{}\n", terminal::printable_json(&failure::json(error))));
    } else {
        let verbose = arguments
            .iter()
            .filter_map(|argument| argument.to_str())
            .any(|argument| argument.starts_with("-v") || argument == "--verbose");
        terminal::write_stderr(&failure::report(error, terminal::Terminal::style(verbose)));
    }
    error.code().exit_status()
}

/// Whether errors are to be JSON, also where the arguments could not be parsed.
fn wants_json(arguments: &[OsString]) -> bool {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
    let mut format = None;
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--format") {
            Some("") => format = arguments.next(),
            Some(value) => format = value.strip_prefix('=').or(format),
            None if argument == "--" => break,
            None => {}
        }
    }
    format.and_then(Format::of) == Some(Format::Json)
}
