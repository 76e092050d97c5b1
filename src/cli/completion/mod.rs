//! Shell completion: the shell runs masctl with the words that were typed, and is told how the last one can go on.
//!
//! Whatever is wrong, nothing but offers is printed: all of it would land in somebody's prompt.

mod scripts;
mod shell;
mod source;
mod values;

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::{Arg, ArgMatches, Command, builder::PossibleValuesParser};
use clap_complete::engine;

use self::{
    shell::{Line, Shell, VARIABLE},
    source::Source,
};
use super::{
    command_line::Scripts,
    options, render,
    terminal::{one_line, printable},
};
use crate::{
    error::{Code, Error, Result},
    host::catalogue,
};

/// What a word can become.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    value: String,
    /// What it is, in one line. May be empty.
    help: String,
}

/// `masctl completions`.
pub(super) fn command() -> Command {
    Command::new("completions")
        .about("Print what makes bash, zsh or fish complete arguments")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(PossibleValuesParser::new(Shell::NAMES.map(|(name, _)| name)))
                .help("The shell that reads it"),
        )
        .after_help(
            "In ~/.bashrc:                   source <(masctl completions bash)\n\
             In ~/.zshrc, after compinit:    source <(masctl completions zsh)\n\
             In ~/.config/fish/config.fish:  masctl completions fish | source",
        )
}

/// Prints the script of the shell. It runs masctl by its name, so that it can be installed with it.
pub(super) fn run(matches: &ArgMatches) -> Result<()> {
    let name = matches.get_one::<String>("shell").map_or("", String::as_str);
    let shell = Shell::of(name).ok_or_else(|| Error::new(Code::Bug, "clap let an unknown shell pass"))?;
    render::print(&shell.script("masctl"))
}

/// Answers the shell that asks by the variable `COMPLETE`: with `--` and the words of a command line for what the last can
/// be, with nothing for its script. `None` if nobody asks.
///
/// # Errors
/// `argument.invalid` if it names a shell that has no script, which none that has one does.
pub(super) fn answer(arguments: &[OsString], started: Instant) -> Option<Result<()>> {
    let name = env::var_os(VARIABLE).filter(|name| !name.is_empty() && name != "0")?;
    let (program, words) = match arguments {
        [program] => (program, None),
        [program, escape, words @ ..] if escape == "--" => (program, Some(words)),
        _ => return None,
    };
    let Some(shell) = PathBuf::from(&name)
        .file_stem()
        .and_then(OsStr::to_str)
        .and_then(Shell::of)
    else {
        let name = printable(&name.to_string_lossy());
        let error = Error::new(
            Code::ArgumentInvalid,
            format!("There is no completion for the shell `{name}`"),
        );
        return Some(Err(error.help(
            "The variable COMPLETE can be bash, zsh or fish. Unset it to run masctl.",
        )));
    };
    Some(match words {
        None | Some([]) => render::print(&shell.script(&absolute(program))),
        Some(words) => {
            // A defect must not be seen either.
            std::panic::set_hook(Box::new(|_| {}));
            let line = Line::read(shell, words.to_vec());
            let offers = offers(&line.words, started).unwrap_or_default();
            render::print(&shell.answer(&line, &offers))
        }
    })
}

/// The program as a shell that is somewhere else finds it.
fn absolute(program: &OsStr) -> String {
    let path = PathBuf::from(program);
    let path = match env::current_dir() {
        Ok(folder) if path.components().count() > 1 => folder.join(path),
        _ => path,
    };
    path.to_string_lossy().into_owned()
}

/// How the last of the words can go on.
fn offers(words: &[OsString], started: Instant) -> Result<Vec<Offer>> {
    let Some((last, before)) = words.split_last() else {
        return Ok(Vec::new());
    };
    let mut manage = catalogue::outlined_manage_scripts(|name| before.iter().any(|word| word == name))?;
    let source = Arc::new(Source {
        files: options::configuration_files(before)
            .iter()
            .map(|file| at_home(file))
            .collect(),
        started,
    });
    if before.iter().any(|word| word == "manage") {
        manage.extend(source.scripts());
    }
    let scripts = Scripts {
        manage,
        asking: true,
        ..Scripts::default()
    };
    let command = scripts::offered(options::command(&scripts), before, last, &source);
    let mut command = values::offered(command, &scripts.manage, &source);
    let folder = env::current_dir().ok();
    let found = engine::complete(&mut command, words.to_vec(), before.len(), folder.as_deref());
    let mut offers: Vec<Offer> = found
        .unwrap_or_default()
        .iter()
        .filter_map(|candidate| {
            let value = candidate.get_value().to_str()?;
            let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
            let offer = Offer {
                value: value.to_owned(),
                help: printable(help.lines().next().unwrap_or_default()),
            };
            (*printable(value) == *value && one_line(value) == value).then_some(offer)
        })
        .collect();
    let is_option = |offer: &Offer| offer.value.starts_with('-');
    if last.is_empty() && !offers.iter().all(is_option) {
        offers.retain(|offer| !is_option(offer));
    }
    Ok(offers)
}

/// A path as the shell hands it over when the command runs.
fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_from_everywhere() {
        assert_eq!(absolute(OsStr::new("masctl")), "masctl");
        assert_eq!(absolute(OsStr::new("/opt/masctl")), "/opt/masctl");
        let folder = env::current_dir().unwrap();
        assert_eq!(
            absolute(OsStr::new("bin/masctl")),
            folder.join("bin/masctl").display().to_string()
        );
    }
}
