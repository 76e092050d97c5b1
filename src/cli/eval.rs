//! `masctl eval`: statements of the command line in the place of a script.

use std::io;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{execution, options::Options};
use crate::{
    capability::{Capabilities, Denier, FileScope, Need},
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
                .value_parser(need)
                .help("What it may do, as in the header of a script, such as users:write"),
        )
        .after_help(NOTES)
}

/// clap puts the help of an error nowhere, so that it is a part of the message.
fn need(text: &str) -> Result<Need, String> {
    let need = text.parse().and_then(Need::exact);
    let need = need.map_err(|error: Error| match error.help_text() {
        Some(help) => format!("{error}. {help}"),
        None => error.to_string(),
    })?;
    match need {
        Need::Files(FileScope::Given(_)) => Err("an expression has no parameters; give the path itself".to_owned()),
        need => Ok(need),
    }
}

/// What would be said of a script's header is said of `--needs`.
fn without_header(error: Error) -> Error {
    let value = |key: &str| error.values().get(key).and_then(serde_json::Value::as_str);
    match (value("denied_by"), value("capability")) {
        (Some(by), Some(capability)) if by == Denier::Header.as_str() && error.help_text().is_some() => {
            let help = format!("Give `--needs {capability}` if it may.");
            error.help(help)
        }
        _ => error,
    }
}

/// Evaluates it, and returns the exit status.
pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    let source = match matches.get_one::<String>("expression").map(String::as_str) {
        Some("-") => script::stdin_text(io::stdin().lock())?,
        source => source.unwrap_or_default().to_owned(),
    };
    let needs = matches.get_many::<Need>("needs");
    let needs = needs.map(|needs| needs.cloned().collect::<Capabilities>());
    execution::run(&Script::expression(&source, needs), matches, options).map_err(without_header)
}
