//! Which scripts and names of the reference are offered, and the command of the script that `run` was given.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    sync::Arc,
};

use clap::Command;
use clap_complete::{
    CompletionCandidate, PathCompleter,
    engine::{ArgValueCandidates, SubcommandCandidates, ValueCompleter},
};

use super::{at_home, source::Source, values};
use crate::{
    cli::{options, script_command},
    host::{
        Script, catalogue,
        reference::{Entry, Reference},
        script::is_script,
    },
};

/// The command line with what has to do with scripts. `before` is what stands before `last`, the word at the cursor.
pub(super) fn offered(command: Command, before: &[OsString], last: &OsStr, source: &Arc<Source>) -> Command {
    let has = |command: &Command, name: &str| command.find_subcommand(name).is_some();
    let mut command = command;
    if has(&command, "run") {
        command = command.mut_subcommand("run", |run| with_file(run, before, last, source));
    }
    if has(&command, "scripts") {
        command = command.mut_subcommand("scripts", |scripts| {
            let named = ["show", "eject"]
                .into_iter()
                .filter(|name| has(&scripts, name))
                .collect::<Vec<_>>();
            named.into_iter().fold(scripts, |scripts, name| {
                scripts.mut_subcommand(name, |it| with_names(it, names))
            })
        });
    }
    if has(&command, "reference") {
        command = command.mut_subcommand("reference", |it| with_names(it, entries));
    }
    command
}

/// Files of scripts, and folders that lead to more.
pub(super) fn files() -> PathCompleter {
    PathCompleter::any().filter(|path| path.is_file() && is_script(path))
}

/// `run` as the command of the file that it was given; without one, files are offered.
fn with_file(run: Command, before: &[OsString], last: &OsStr, source: &Arc<Source>) -> Command {
    let Some(file) = file_of_run(before) else {
        let last = last.to_owned();
        return run.add(SubcommandCandidates::new(move || files().complete(&last)));
    };
    let path = at_home(Path::new(file));
    // What is no plain file may never end.
    match path.is_file().then(|| Script::read(&path)) {
        Some(Ok(script)) => {
            let command = script_command::command(&script, true).name(file.to_string_lossy().into_owned());
            run.subcommand(values::with_params(command, &script, source))
        }
        _ => run,
    }
}

/// The file that `run` was given before the word at the cursor.
fn file_of_run(before: &[OsString]) -> Option<&OsStr> {
    let globals = options::globals();
    let takes_the_next = |word: &OsString| globals.iter().any(|arg| options::is_before_value(arg, word));
    let mut words = before.iter().skip(1);
    let mut place = || {
        loop {
            let word = words.next()?;
            if takes_the_next(word) {
                words.next();
            } else if !word.as_encoded_bytes().starts_with(b"-") {
                return Some(word);
            }
        }
    };
    if place()? == "run" {
        place().map(OsString::as_os_str)
    } else {
        None
    }
}

/// A command whose first place takes one of the names.
fn with_names(command: Command, names: fn() -> Vec<CompletionCandidate>) -> Command {
    let place = command.get_positionals().next().map(|arg| arg.get_id().clone());
    // `mut_arg` would put it behind the others.
    command.mut_args(|arg| {
        if Some(arg.get_id()) == place.as_ref() {
            arg.add(ArgValueCandidates::new(names))
        } else {
            arg
        }
    })
}

fn names() -> Vec<CompletionCandidate> {
    let scripts = catalogue::outlined_manage_scripts(|_| false).unwrap_or_default();
    let named = scripts
        .into_iter()
        .map(|script| CompletionCandidate::new(script.name).help(Some(script.header.about.into())));
    named.collect()
}

/// What the reference has.
fn entries() -> Vec<CompletionCandidate> {
    let Ok(reference) = Reference::new() else {
        return Vec::new();
    };
    // What is called in several ways has an entry for each; only the first of an id is shown.
    let entry = |entry: &Entry| {
        let candidate = CompletionCandidate::new(entry.name.clone()).id(Some(entry.name.clone()));
        candidate.help(Some(entry.about().into()))
    };
    reference.entries().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_run_is_found_behind_global_options() {
        let file = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            file_of_run(&words).map(|file| file.to_string_lossy().into_owned())
        };
        assert_eq!(file("masctl run a.rhai --days"), Some("a.rhai".to_owned()));
        assert_eq!(
            file("masctl -c x -q run --format csv a.rhai b"),
            Some("a.rhai".to_owned())
        );
        assert_eq!(file("masctl --config=x run -- a.rhai"), Some("a.rhai".to_owned()));
        assert_eq!(file("masctl run"), None);
        assert_eq!(file("masctl manage run a"), None);
        assert_eq!(file("masctl"), None);
    }
}
