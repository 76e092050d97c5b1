//! `masctl manage`: one subcommand for each shipped script.

use std::fmt::Write;

use clap::{ArgMatches, Command, builder::Styles};

use super::{
    execution,
    options::Options,
    script_command,
    terminal::{help_width, wrapped},
};
use crate::{
    error::{Code, Error, Result},
    host::{Script, catalogue},
};

pub(super) fn command(scripts: &[Script]) -> Command {
    Command::new("manage")
        .about("Manage accounts, tokens and sessions; each command is a script")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .help_template(page(scripts, help_width()))
        .subcommands(scripts.iter().map(script_command::command))
}

/// The help that lists the scripts: clap would give each of them two lines.
fn page(scripts: &[Script], width: usize) -> String {
    let shown = || scripts.iter().filter(|script| !script.header.hidden);
    let longest = shown().map(|script| script.name.len()).max().unwrap_or_default();
    let style = *Styles::default().get_header();
    let mut page = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in catalogue::manage_groups() {
        let _ = writeln!(page, "\n{style}{heading}:{style:#}");
        for script in names.filter_map(|name| shown().find(|script| script.name == name)) {
            page.push_str(&line(script, longest, width));
        }
    }
    page + "\nGive one of them --help to read more.\nThe global options are those of `masctl --help`."
}

/// A command and what it does, as lines that its name stands before.
fn line(script: &Script, longest: usize, width: usize) -> String {
    let indent = longest + 4;
    let lines = wrapped(&script.header.about, width.saturating_sub(indent).max(20));
    let about = lines.join(&format!("\n{:indent$}", ""));
    // The prose of a header is no template.
    let about = about.replace('{', "(").replace('}', ")");
    format!("  {:longest$}  {about}\n", script.name)
}

/// Runs the script that was named, and returns its exit status.
pub(super) fn run(scripts: &[Script], matches: &ArgMatches, options: &Options) -> Result<u8> {
    let (script, matches) = matches
        .subcommand()
        .and_then(|(name, matches)| Some((scripts.iter().find(|script| script.name == name)?, matches)))
        .ok_or_else(|| Error::new(Code::Bug, "clap let an unknown command pass"))?;
    execution::run(script, matches, options)
}
