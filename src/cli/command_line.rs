//! From the arguments of the process to matches: which scripts they name, and the command line that is made of those.

use std::ffi::OsString;

use clap::ArgMatches;

use super::{
    options,
    own::{self, Asked, Listed},
    run,
};
use crate::{
    error::Result,
    host::{Script, catalogue},
};

/// The scripts that the command line is made of.
#[derive(Default)]
pub(super) struct Scripts {
    /// Those that are commands of `manage`.
    pub(super) manage: Vec<Script>,
    /// The operator's own, where only the help lists them.
    pub(super) own: Vec<Listed>,
    /// The one that `run` was given.
    pub(super) run: Option<Script>,
    /// Whether what is missing is asked for.
    pub(super) asking: bool,
}

/// What the arguments say, or the help or the mistake that is to be shown.
pub(super) type Parsed = Result<(Scripts, ArgMatches), clap::Error>;

/// Parses the arguments. Only a script that they name can be reached by them, so that others are read only for the help
/// or a mistake.
///
/// # Errors
/// Those of reading a script.
pub(super) fn parse(arguments: &[OsString]) -> Result<Parsed> {
    let is_named = |name: &str| arguments.iter().any(|argument| argument == name);
    let asking = arguments.iter().take_while(|argument| *argument != "--");
    let asking = asking.into_iter().any(|argument| argument == "--prompt");
    let named = Scripts {
        manage: catalogue::manage_scripts(is_named)?,
        asking,
        ..Scripts::default()
    };
    if let Ok(matches) = options::command(&named).try_get_matches_from(arguments) {
        return match run::Named::of(&matches) {
            Ok(Some(file)) => parse_run(arguments, &file, asking),
            Ok(None) => Ok(Ok((named, matches))),
            Err(error) => Ok(Err(error)),
        };
    }
    let mut all = Scripts {
        manage: catalogue::outlined_manage_scripts(is_named)?,
        asking,
        ..Scripts::default()
    };
    match Asked::of(arguments) {
        Asked::Nothing => {}
        Asked::All(files) => all.own = own::list(&files),
        Asked::One(name, files) => match own::one(&name, &files)? {
            Some(script) => all.manage.push(script),
            None => all.own = own::list(&files),
        },
    }
    Ok(parse_with(all, arguments))
}

/// Parses once more, with the command of the script in the file that `run` was given.
fn parse_run(arguments: &[OsString], file: &run::Named, asking: bool) -> Result<Parsed> {
    let scripts = Scripts {
        run: Some(file.read()?),
        asking,
        ..Scripts::default()
    };
    Ok(parse_with(scripts, &file.arguments(arguments)))
}

fn parse_with(scripts: Scripts, arguments: &[OsString]) -> Parsed {
    let matches = options::command(&scripts).try_get_matches_from(arguments)?;
    Ok((scripts, matches))
}
