//! `masctl run`: a script in a file, whose command is made of its header.

use std::{ffi::OsString, io, path::Path};

use clap::{ArgMatches, Command, builder::ValueParser};

use super::{execution, options::Options, script_command, terminal::printable};
use crate::{
    error::{Code, Error, Result},
    host::{Script, catalogue},
};

/// What stands for standard input.
const STDIN: &str = "-";

/// What is parsed in the place of the file, whose own name may look like an option.
const PLACE: &str = "#script";

const NOTES: &str = "`-` reads the script from standard input. A file that may be executed and whose\n\
                     first line is `#!/usr/bin/env -S masctl run` is a command of its own.";

/// The command: of the script, once that is known; before, whatever comes first names its file.
pub(super) fn command(script: Option<&Script>, asking: bool) -> Command {
    let command = Command::new("run")
        .about("Run a script from a file; `run FILE --help` shows what it takes")
        .disable_help_subcommand(true);
    match script {
        Some(script) => {
            let of_script = script_command::command(script, asking);
            command.subcommand(of_script.name(shown(script)).alias(PLACE))
        }
        None => command
            .override_usage("masctl run [OPTIONS] <FILE> [ARGS]...")
            .arg_required_else_help(true)
            .allow_external_subcommands(true)
            .external_subcommand_value_parser(ValueParser::os_string())
            .after_help(NOTES),
    }
}

/// The file as one writes it after `run`.
fn shown(script: &Script) -> String {
    let label = match script.label.as_str() {
        _ if script.is_of_stdin() => STDIN.to_owned(),
        label if label.starts_with('-') => format!("./{label}"),
        label => printable(label),
    };
    shlex::try_quote(&label).map_or_else(|_| label.clone(), String::from)
}

/// The script that is to be run, and what stands behind it in the arguments.
pub(super) struct Named {
    file: OsString,
    rest: usize,
}

impl Named {
    /// What the arguments name, if they are to run something. They were parsed without knowing the script.
    pub(super) fn of(matches: &ArgMatches) -> Result<Option<Self>, clap::Error> {
        let Some(("run", run)) = matches.subcommand() else {
            return Ok(None);
        };
        let Some((file, rest)) = run.subcommand() else {
            let message = "the following required arguments were not provided:\n  <FILE>";
            return Err(command(None, false).error(clap::error::ErrorKind::MissingRequiredArgument, message));
        };
        let rest = rest.get_many::<OsString>("").map_or(0, Iterator::count);
        Ok(Some(Self {
            file: file.into(),
            rest,
        }))
    }

    /// Reads the script.
    ///
    /// # Errors
    /// Those of [`Script::read`] and [`Script::of_stdin`].
    pub(super) fn read(&self) -> Result<Script> {
        if self.file == STDIN {
            return Script::of_stdin(io::stdin().lock());
        }
        Script::read(Path::new(&self.file)).map_err(|error| {
            let is_shipped = self.file.to_str().filter(|name| catalogue::is_manage_command(name));
            match is_shipped {
                Some(name) if error.code() == Code::FileUnreadable => {
                    error.help(format!("`masctl manage {name}` ships with masctl; `run` takes a file."))
                }
                _ => error,
            }
        })
    }

    /// The arguments of the process, as the command of the script is to parse them.
    pub(super) fn arguments(&self, arguments: &[OsString]) -> Vec<OsString> {
        let at = arguments.len() - self.rest - 1;
        let before = &arguments[..at];
        let before = before.strip_suffix(&[OsString::from("--")]).unwrap_or(before);
        let place = [OsString::from(PLACE)];
        [before, &place, &arguments[at + 1..]].concat()
    }
}

/// Runs the script, and returns its exit status.
pub(super) fn run(script: Option<&Script>, matches: &ArgMatches, options: &Options) -> Result<u8> {
    let (script, (_, matches)) = script
        .zip(matches.subcommand())
        .ok_or_else(|| Error::new(Code::Bug, "clap let a missing file pass"))?;
    execution::run(script, matches, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_wherever_it_stands() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let parsed = |text: &str, rest| {
            let named = Named {
                file: OsString::from("f"),
                rest,
            };
            named.arguments(&words(text))
        };
        assert_eq!(parsed("masctl -q run f", 0), words("masctl -q run #script"));
        assert_eq!(
            parsed("masctl run -q f -- --a", 2),
            words("masctl run -q #script -- --a")
        );
        assert_eq!(parsed("masctl run -- -f --a", 1), words("masctl run #script --a"));
    }
}
