//! `masctl eval`: statements of the command line in the place of a script.

use std::io;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{execution, options::Options};
use crate::{
    capability::{Capabilities, Capability},
    error::{Error, Result},
    host::{Script, script},
};

const NOTES: &str = "Examples:
  masctl eval 'users::get(\"alice\").emails()' --format json
  masctl eval 'users::list(#{ locked: true })' --format csv
  masctl eval 'users::get(\"alice\").lock()' --needs users:write --dry-run";

pub(super) fn command() -> Command {
    Command::new("eval")
        .about("Evaluate an expression, or statements whose last value is the result")
        .before_help("It reads all of MAS's data and changes nothing, unless `--needs` says what it may do.")
        .help_template("{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}")
        .arg_required_else_help(true)
        .arg(
            Arg::new("expression")
                .value_name("EXPR")
                .required(true)
                .help("What to evaluate; `-` reads it from standard input"),
        )
        .arg(
            Arg::new("needs")
                .long("needs")
                .value_name("CAPABILITIES")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(capability)
                .help("What it may do, as in the header of a script, such as users:write"),
        )
        .after_help(NOTES)
}

/// clap puts the help of an error nowhere, so that it is a part of the message.
fn capability(text: &str) -> Result<Capability, String> {
    text.parse().map_err(|error: Error| match error.help_text() {
        Some(help) => format!("{error}. {help}"),
        None => error.to_string(),
    })
}

/// Evaluates it, and returns the exit status.
pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    let source = match matches.get_one::<String>("expression").map(String::as_str) {
        Some("-") => script::stdin_text(io::stdin().lock())?,
        source => source.unwrap_or_default().to_owned(),
    };
    let needs = matches.get_many::<Capability>("needs");
    let needs = needs.map(|needs| needs.copied().collect::<Capabilities>());
    execution::run(&Script::expression(&source, needs), matches, options)
}
