//! `masctl manage`: one subcommand for each shipped script.

use std::fmt::Write;

use clap::{ArgMatches, Command, builder::Styles};

use super::{
    command_line::Scripts,
    execution,
    options::Options,
    own::Listed,
    script_command,
    terminal::{help_width, wrapped},
};
use crate::{
    error::{Code, Error, Result},
    host::{Script, catalogue},
};

pub(super) fn command(scripts: &Scripts) -> Command {
    let of_script = |script| script_command::command(script, scripts.asking);
    Command::new("manage")
        .about("Manage accounts, tokens and sessions; each command is a script")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .help_template(page(&scripts.manage, &scripts.own, help_width()))
        .subcommands(scripts.manage.iter().map(of_script))
        .subcommands(scripts.own.iter().filter_map(Listed::stand_in))
}

/// The help that lists the scripts: clap would give each of them two lines.
fn page(scripts: &[Script], own: &[Listed], width: usize) -> String {
    let shown = || scripts.iter().filter(|script| !script.header.hidden);
    let names = shown().map(|script| script.name.as_str());
    let names = names.chain(own.iter().map(|own| own.name.as_str()));
    let longest = names.map(|name| name.chars().count()).max().unwrap_or_default();
    let style = *Styles::default().get_header();
    let mut page = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in catalogue::manage_groups() {
        let _ = writeln!(page, "\n{style}{heading}:{style:#}");
        for script in names.filter_map(|name| shown().find(|script| script.name == name)) {
            page.push_str(&line(&script.name, &script.header.about, longest, width));
        }
    }
    if !own.is_empty() {
        let _ = writeln!(page, "\n{style}Your scripts:{style:#}");
        for own in own {
            page.push_str(&line(&own.name, &own.about, longest, width));
        }
    }
    page + "\nGive one of them --help to read more.\nThe global options are those of `masctl --help`."
}

/// A command and what it does, as lines that its name stands before.
fn line(name: &str, about: &str, longest: usize, width: usize) -> String {
    let indent = longest + 4;
    let lines = wrapped(about, width.saturating_sub(indent).max(20));
    let about = lines.join(&format!("\n{:indent$}", ""));
    // What others wrote is no template.
    let literal = |text: &str| text.replace('{', "(").replace('}', ")");
    format!("  {:longest$}  {}\n", literal(name), literal(&about))
}

/// Runs the script that was named, and returns its exit status.
pub(super) fn run(scripts: &[Script], matches: &ArgMatches, options: &Options) -> Result<u8> {
    let (script, matches) = matches
        .subcommand()
        .and_then(|(name, matches)| Some((scripts.iter().find(|script| script.name == name)?, matches)))
        .ok_or_else(|| Error::new(Code::Bug, "clap let an unknown command pass"))?;
    execution::run(script, matches, options)
}
