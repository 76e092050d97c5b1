//! `masctl config`: what the configuration comes to.

use clap::{ArgMatches, Command};

use super::{
    failure,
    options::Options,
    render::{self, Format},
    terminal::{Terminal, write_stderr},
};
use crate::{config::Configuration, console::Console, error::Result};

pub(super) fn command() -> Command {
    Command::new("config")
        .about("Check or show the configuration")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("check").about("Check every section that masctl uses, and the files that it names"))
        .subcommand(Command::new("dump").about("Print the merged configuration, with secrets masked"))
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<()> {
    let configuration = options.configuration()?;
    match matches.subcommand_name() {
        Some("check") => check(&configuration, options),
        _ => dump(&configuration, options),
    }
}

/// All sections are looked at before the first error ends the command; the last error is returned to be shown last.
fn check(configuration: &Configuration, options: &Options) -> Result<()> {
    let console = Terminal::new(options);
    match configuration.check() {
        Ok(findings) => {
            for file in configuration.files() {
                console.say(&format!("Read {}", file.display()));
            }
            for finding in findings {
                let origin = if finding.present { "" } else { " (not configured)" };
                console.say(&format!("{}: {}{origin}", finding.section, finding.summary));
            }
            console.say("The configuration is valid");
            console.release();
            Ok(())
        }
        Err(mut errors) => {
            let Some(last) = errors.pop() else { return Ok(()) };
            if options.wish.format == Format::Json {
                // A program reads one object: the others are in it.
                let others: Vec<_> = errors
                    .iter()
                    .map(|error| failure::json(error)["error"].take())
                    .collect();
                return Err(if others.is_empty() {
                    last
                } else {
                    last.data("others", others)
                });
            }
            for error in &errors {
                write_stderr(&failure::report(error, Terminal::style(options.verbose > 0)));
            }
            Err(last)
        }
    }
}

/// A configuration is a tree, which a table cannot show: YAML unless another format is asked for.
fn dump(configuration: &Configuration, options: &Options) -> Result<()> {
    let mut wish = options.wish.clone();
    if wish.format == Format::Table {
        wish.format = Format::Yaml;
    }
    render::print(&render::plain(&configuration.dump(), &wish)?)
}
