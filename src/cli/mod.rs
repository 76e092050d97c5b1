//! The command line: clap, stdout and stderr, the terminal, exit codes. The only layer that knows any of them.

mod configuration;
mod database;
mod failure;
mod manage;
mod options;
mod render;
mod script_command;
mod signals;
mod terminal;

use std::{ffi::OsString, process::ExitCode};

use clap::error::ErrorKind;

use self::{options::Options, render::Format};
use crate::{
    config,
    error::{Code, Error, Result},
    host::catalogue,
};

/// Runs masctl with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Before anything reads the environment, as MAS does it.
    let status = config::load_dotenv().and_then(|_| run(&arguments));
    match status {
        Ok(status) => ExitCode::from(status),
        Err(error) => ExitCode::from(fail(&error, &arguments)),
    }
}

/// The exit status, or the error that is to be shown.
fn run(arguments: &[OsString]) -> Result<u8> {
    let scripts = catalogue::manage_scripts()?;
    let command = options::command(&scripts);
    let matches = match command.try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage(&error, arguments),
    };
    let options = Options::of(&matches);
    options::start_logging(options.verbose);
    match matches.subcommand() {
        Some(("manage", matches)) => manage::run(&scripts, matches, &options),
        Some(("database", matches)) => database::run(matches, &options).map(|()| 0),
        Some(("config", matches)) => configuration::run(matches, &options).map(|()| 0),
        _ => Err(Error::new(Code::Bug, "clap let a missing subcommand pass")),
    }
}

/// Help and version are no failures; a mistake in the arguments is, with clap's own words and status 2.
fn usage(error: &clap::Error, arguments: &[OsString]) -> Result<u8> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            Ok(0)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Ok(2)
        }
        _ if wants_json(arguments) => {
            let text = error.render().to_string();
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let message = lines
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            let help = lines.collect::<Vec<_>>().join("\n");
            Err(Error::new(Code::ArgumentInvalid, message).help(help))
        }
        _ => {
            let style = terminal::Terminal::style(false);
            let rendered = error.render();
            let text = if style.color {
                rendered.ansi().to_string()
            } else {
                rendered.to_string()
            };
            terminal::write_stderr(&text.replacen("error:", "Error:", 1));
            Ok(2)
        }
    }
}

/// Shows an error on stderr and returns its exit status.
fn fail(error: &Error, arguments: &[OsString]) -> u8 {
    if wants_json(arguments) {
        terminal::write_stderr(&format!("{}\n", failure::json(error)));
    } else {
        let verbose = arguments
            .iter()
            .any(|argument| argument == "-v" || argument == "--verbose");
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
