//! The root of the command line: global options, and the subcommands that are no scripts.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{PossibleValuesParser, ValueParser},
    value_parser,
};
use tracing_subscriber::EnvFilter;

use super::{
    command_line::Scripts,
    completion, configuration, database, doctor, eval, manage, reference,
    render::{Format, Wish},
    repl, run, scripts,
    terminal::help_width,
    worker,
};
use crate::{
    capability::{Capability, Narrowing, Need},
    config::{Configuration, Environment},
    error::{Code, Error, Result},
};

/// The letters of flags that take no value: `-c` may stand behind them. Scripts that ask have `-y`.
const SWITCHES: &[char] = &['q', 'v', 'y'];

/// The options that every command takes, before or after its name.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) files: Vec<PathBuf>,
    pub(super) dry_run: bool,
    pub(super) prompt: bool,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
    pub(super) wish: Wish,
    /// All that a script may do of what it needs, if something is said of that.
    pub(super) allow: Option<Vec<Need>>,
    /// What a script may not do.
    pub(super) deny: Vec<Capability>,
}

impl Options {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let format = matches
            .get_one::<String>("format")
            .and_then(|name| Format::of(name))
            .unwrap_or_default();
        Self {
            files: matches
                .get_many("config")
                .map(|files| files.cloned().collect())
                .unwrap_or_default(),
            dry_run: matches.get_flag("dry_run"),
            prompt: matches.get_flag("prompt"),
            quiet: matches.get_flag("quiet"),
            verbose: matches.get_count("verbose"),
            wish: Wish {
                format,
                fields: matches.get_many("fields").map(|fields| fields.cloned().collect()),
            },
            allow: matches.get_many("allow").map(|needs| needs.cloned().collect()),
            deny: matches
                .get_many("deny")
                .map(|denied| denied.copied().collect())
                .unwrap_or_default(),
        }
    }

    /// Refuses to narrow what no script does.
    ///
    /// # Errors
    /// `argument.invalid`.
    pub(super) fn require_no_narrowing(&self, command: &str) -> Result<()> {
        let flag = match (&self.allow, &self.deny[..]) {
            (None, []) => return Ok(()),
            (Some(_), _) => "--allow",
            (None, _) => "--deny",
        };
        let message = format!("`{flag}` narrows what a script may do, and `masctl {command}` runs none");
        Err(Error::new(Code::ArgumentInvalid, message).help(format!("Leave `{flag}` out.")))
    }

    /// Reads the configuration that these options name.
    pub(super) fn configuration(&self) -> Result<Configuration> {
        Configuration::load(&self.files, &Environment::current()?)
    }

    /// What they and a configuration take from what a script needs.
    pub(super) fn narrowing(&self, configuration: &Configuration) -> Result<Narrowing> {
        Ok(Narrowing {
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            configured: configuration.masctl()?.deny,
            only_read: false,
        })
    }
}

/// The whole command line.
pub(super) fn command(given: &Scripts) -> Command {
    Command::new("masctl")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The scriptable operator console for Matrix Authentication Service")
        .after_help(
            "Without any MAS configuration, masctl works on an embedded SQLite store.\n\
             Exit status: 0 done, 1 failed, 2 wrong usage, 4 some failed, 130 interrupted.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .term_width(help_width())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .propagate_version(true)
        .args(globals())
        .subcommand(manage::command(given))
        .subcommand(run::command(given.run.as_ref(), given.asking))
        .subcommand(eval::command())
        .subcommand(repl::command())
        .subcommand(worker::command())
        .subcommand(database::command())
        .subcommand(configuration::command())
        .subcommand(doctor::command())
        .subcommand(scripts::command())
        .subcommand(reference::command())
        .subcommand(completion::command())
}

pub(super) fn globals() -> [Arg; 11] {
    let global = |name: &'static str| {
        Arg::new(name)
            .long(name.replace('_', "-"))
            .global(true)
            .help_heading("Global options")
    };
    [
        global("config")
            .short('c')
            .value_name("FILE")
            .action(ArgAction::Append)
            .value_parser(value_parser!(PathBuf))
            .help("Configuration file of MAS; may be repeated"),
        global("dry_run")
            .action(ArgAction::SetTrue)
            .help("Show what would change, and change nothing"),
        global("prompt")
            .action(ArgAction::SetTrue)
            .help("Ask for the arguments of a script that are missing"),
        global("format")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(Format::NAMES.map(|(name, _)| name)))
            .help("How data is printed"),
        global("fields")
            .value_name("FIELDS")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .help("Which fields to print, separated by commas"),
        global("allow")
            .value_name("CAPABILITY")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(ValueParser::new(|text: &str| {
                text.parse::<Need>().map_err(|error| in_one_line(&error))
            }))
            .help("Let the script do no more than this"),
        global("deny")
            .value_name("CAPABILITY")
            .value_delimiter(',')
            .action(ArgAction::Append)
            .value_parser(ValueParser::new(denied))
            .help("Keep the script from doing this"),
        global("quiet")
            .short('q')
            .action(ArgAction::SetTrue)
            .help("Print data and errors only"),
        global("verbose")
            .short('v')
            .action(ArgAction::Count)
            .help("Log more, to stderr; -vv logs the SQL too"),
        // Both spellings print the same: one page that fits a screen.
        global("help")
            .short('h')
            .action(ArgAction::HelpShort)
            .help("Print help"),
        global("version")
            .short('V')
            .action(ArgAction::Version)
            .help("Print the version"),
    ]
}

/// Whether a word is an option whose value is the next one.
pub(super) fn is_before_value(arg: &Arg, word: &OsStr) -> bool {
    let is_long = |name: &str| word.to_str().and_then(|word| word.strip_prefix("--")) == Some(name);
    let is_short = |letter: char| word.to_str() == Some(&format!("-{letter}"));
    arg.get_action().takes_values() && (arg.get_long().is_some_and(is_long) || arg.get_short().is_some_and(is_short))
}

/// The configuration files among words that cannot be parsed, for want of the script that they are for.
pub(super) fn configuration_files(words: &[OsString]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut words = words.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        let value = if word == "--config" {
            words.next().cloned()
        } else if let Some(value) = word.to_str().and_then(|text| text.strip_prefix("--config=")) {
            Some(value.into())
        } else {
            match short_config(word) {
                Some("") => words.next().cloned(),
                Some(value) => Some(value.strip_prefix('=').unwrap_or(value).into()),
                None => None,
            }
        };
        files.extend(value.map(PathBuf::from));
    }
    files
}

/// What follows `-c`, which may stand behind switches: `-qc`.
fn short_config(word: &OsStr) -> Option<&str> {
    let letters = word.to_str()?.strip_prefix('-')?;
    letters.trim_start_matches(SWITCHES).strip_prefix('c')
}

fn denied(text: &str) -> std::result::Result<Capability, String> {
    text.parse().map_err(|error: Error| {
        if text.starts_with("files:read:") {
            "files are denied together: write `files:read`".to_owned()
        } else {
            in_one_line(&error)
        }
    })
}

/// An error as clap shows one of a value.
fn in_one_line(error: &Error) -> String {
    format!("{error}. {}", error.help_text().unwrap_or_default())
}

/// Logs to stderr: warnings, more with `-v`, or what `RUST_LOG` says.
pub(super) fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "off",
        1 => "masctl=debug",
        _ => "masctl=trace,sqlx::query=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // It fails only if logging was started before, and then that goes on.
    let _ = logging.try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_found_among_words() {
        let files = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            let files = configuration_files(&words);
            files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            files("masctl --config a manage -c b --config=c lock-user"),
            ["a", "b", "c"]
        );
        assert_eq!(files("masctl -qvc a -cb -vc=d -q --configx e"), ["a", "b", "d"]);
        assert_eq!(files("masctl manage --format csv -- -c a"), [""; 0]);
        assert_eq!(files("masctl -c"), [""; 0]);
    }
}
