//! The operator's scripts that the arguments ask for. The folders are read only where no shipped command is meant, since
//! the configuration has to be read to know them.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgAction, ArgMatches, Command, builder::ValueParser};

use super::{
    options,
    terminal::{one_line, printable},
};
use crate::{
    config::{Configuration, Environment},
    error::{Error, Result},
    host::{
        Script, catalogue,
        folders::{self, Found},
    },
};

/// How many characters of a name are shown that is none.
const LONGEST_SHOWN: usize = 40;

/// How many characters of what a script does, or of what is wrong with it, are shown.
const LONGEST_ABOUT: usize = 300;

/// A script as the help lists it.
pub(super) struct Listed {
    pub(super) name: String,
    /// What it does, or why it cannot be used.
    pub(super) about: String,
    is_command: bool,
}

impl Listed {
    fn of(found: &Found) -> Option<Self> {
        let about = match &found.script {
            Ok(script) if script.header.hidden => return None,
            Ok(script) => script.header.about.clone(),
            Err(error) => problem(found, error),
        };
        Some(Self {
            name: shortened(&found.name),
            about: cut(&about, LONGEST_ABOUT),
            is_command: folders::is_name(&found.name) && !catalogue::is_manage_command(&found.name),
        })
    }

    /// A command of its name, for what is only looked up by name: a suggestion.
    pub(super) fn stand_in(&self) -> Option<Command> {
        self.is_command.then(|| Command::new(self.name.clone()))
    }
}

/// What is wrong, without the path, which would not leave room for it.
fn problem(found: &Found, error: &Error) -> String {
    let path = found.path.display();
    let short = error.message().replace(&format!("`{path}` is ignored: "), "");
    let short = short.replace(&format!("The script `{path}` "), "it ");
    format!(
        "Cannot be used: {}",
        short.replace(&format!("The scripts folder `{path}` "), "the folder ")
    )
}

fn shortened(name: &str) -> String {
    if folders::is_name(name) {
        return name.to_owned();
    }
    cut(name, LONGEST_SHOWN)
}

/// Text of others as one line of so many characters at most.
fn cut(text: &str, most: usize) -> String {
    let text = one_line(&printable(text)).into_owned();
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// What of the operator's scripts is asked for, with the configuration files that are named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing.
    Nothing,
    /// The list of them.
    All(Vec<PathBuf>),
    /// The one of this name.
    One(String, Vec<PathBuf>),
}

impl Asked {
    /// Looks for it in the arguments of the process.
    pub(super) fn of(arguments: &[OsString]) -> Self {
        let Ok(matches) = skeleton().try_get_matches_from(arguments) else {
            return Self::Nothing;
        };
        let (name, rest) = match matches.subcommand() {
            Some(("manage", manage)) => match manage.subcommand() {
                Some(("help", rest)) => first(rest),
                Some((name, rest)) => (Some(name.to_owned()), words(rest)),
                None => (None, Vec::new()),
            },
            Some(("help", rest)) => match first(rest) {
                (Some(manage), rest) if manage == "manage" => (rest.first().and_then(text), rest),
                _ => return Self::Nothing,
            },
            _ => return Self::Nothing,
        };
        let files = named_files(&matches, &rest);
        match name {
            Some(name) if catalogue::is_manage_command(&name) => Self::Nothing,
            Some(name) => Self::One(name, files),
            None => Self::All(files),
        }
    }
}

/// The command line as far as it is known without a script: the global options, and what they stand before.
fn skeleton() -> Command {
    let open = |name: &'static str| {
        Command::new(name)
            .disable_help_flag(true)
            .disable_help_subcommand(true)
            .allow_external_subcommands(true)
            .external_subcommand_value_parser(ValueParser::os_string())
    };
    let globals = options::globals().map(|arg| match arg.get_id().as_str() {
        "help" | "version" => arg.action(ArgAction::SetTrue),
        _ => arg,
    });
    open("masctl").args(globals).subcommand(open("manage"))
}

fn words(matches: &ArgMatches) -> Vec<OsString> {
    matches
        .get_many("")
        .map(|words| words.cloned().collect())
        .unwrap_or_default()
}

/// The first word, and those behind it.
fn first(matches: &ArgMatches) -> (Option<String>, Vec<OsString>) {
    let words = words(matches);
    match words.split_first() {
        Some((name, rest)) => (text(name), rest.to_vec()),
        None => (None, Vec::new()),
    }
}

fn text(word: &OsString) -> Option<String> {
    word.to_str().map(str::to_owned)
}

/// The list of the help. A configuration that cannot be read is said there, and breaks no help.
pub(super) fn list(files: &[PathBuf]) -> Vec<Listed> {
    let folders = match folders_of(files) {
        Ok(folders) => folders,
        Err(error) => {
            return vec![Listed {
                name: "(unknown)".to_owned(),
                about: cut(
                    &format!("Your configuration is wrong: {}", error.message()),
                    LONGEST_ABOUT,
                ),
                is_command: false,
            }];
        }
    };
    let mut found = folders::find(&folders);
    // A script that comes before another one of its name was meant to.
    found.dedup_by(|later, first| later.name == first.name);
    found.iter().filter_map(Listed::of).collect()
}

/// The names of the operator's commands, as far as the arguments say where those are: for a suggestion.
pub(super) fn names(arguments: &[OsString]) -> Vec<String> {
    let Ok(matches) = skeleton().try_get_matches_from(arguments) else {
        return Vec::new();
    };
    let behind = matches
        .subcommand()
        .and_then(|(_, rest)| rest.try_get_many("").ok().flatten());
    let behind: Vec<OsString> = behind.map(|words| words.cloned().collect()).unwrap_or_default();
    let listed = list(&named_files(&matches, &behind)).into_iter();
    listed.filter(|it| it.is_command).map(|it| it.name).collect()
}

/// The configuration files that are named before a command, or behind it, which replaces those.
fn named_files(matches: &ArgMatches, behind: &[OsString]) -> Vec<PathBuf> {
    let mut files = options::configuration_files(behind);
    if files.is_empty() {
        files.extend(matches.get_many::<PathBuf>("config").into_iter().flatten().cloned());
    }
    files
}

/// The script of this name, if there is one.
///
/// # Errors
/// What is wrong with the configuration, or with the script.
pub(super) fn one(name: &str, files: &[PathBuf]) -> Result<Option<Script>> {
    let folders = folders_of(files)?;
    // A file whose name cannot be that of a command says so.
    let found =
        folders::named(&folders, name).or_else(|| folders::find(&folders).into_iter().find(|found| found.name == name));
    found.map(|found| found.script).transpose()
}

fn folders_of(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    Configuration::load(files, &Environment::current()?)?.script_folders()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Asked {
        Asked::of(&text.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    fn one(name: &str, files: &[&str]) -> Asked {
        Asked::One(name.to_owned(), files.iter().map(PathBuf::from).collect())
    }

    #[test]
    fn a_name_that_does_not_ship_is_looked_for() {
        assert_eq!(asked("masctl manage lock-stale --days 3"), one("lock-stale", &[]));
        assert_eq!(
            asked("masctl -q --format json manage -v lock-stale -h"),
            one("lock-stale", &[])
        );
        assert_eq!(asked("masctl help manage lock-stale"), one("lock-stale", &[]));
        assert_eq!(asked("masctl manage help lock-stale"), one("lock-stale", &[]));
        for text in ["lock-user alice", "lock-user --help", "help lock-user"] {
            assert_eq!(asked(&format!("masctl manage {text}")), Asked::Nothing, "{text}");
        }
        for text in [
            "--help",
            "worker x",
            "help",
            "help worker",
            "run manage x",
            "manage --formt x y",
        ] {
            assert_eq!(asked(&format!("masctl {text}")), Asked::Nothing, "{text}");
        }
        for text in ["manage", "manage --help", "help manage", "manage help"] {
            assert_eq!(asked(&format!("masctl {text}")), Asked::All(Vec::new()), "{text}");
        }
    }

    #[test]
    fn the_configuration_counts_before_and_behind_the_name() {
        for text in [
            "-c a manage x",
            "--config=a manage x",
            "manage -c a x",
            "manage x y -c a",
            "manage x --config a y",
            "manage x --config=a",
            "manage x -ca -- -c b",
            "manage x -qc a",
        ] {
            assert_eq!(asked(&format!("masctl {text}")), one("x", &["a"]), "{text}");
        }
        // As clap has it of a global option that is given twice over.
        assert_eq!(asked("masctl -c a manage x -c b -c d"), one("x", &["b", "d"]));
    }
}
