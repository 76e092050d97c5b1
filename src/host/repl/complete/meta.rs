//! A line that begins with a backslash: names of meta-commands, and what they take.

use std::path::Path;

use super::{
    Around, Candidate,
    files::{self, Wanted},
    fits, names,
    sources::Sources,
};
use crate::host::{
    Script, catalogue, folders,
    header::{Completion, Kind, Param},
    repl::{
        Mode, State,
        meta::{META_COMMANDS, MetaCommand, Takes},
    },
};

/// What can take the place of the end of a line, of which the backslash is left out, and where that begins.
pub(super) fn candidates(state: &State, around: &Around<'_>, line: &str) -> (usize, Vec<Candidate>) {
    let Some(space) = line.find(char::is_whitespace) else {
        return (0, commands(line));
    };
    let (name, rest) = line.split_at(space);
    let command = META_COMMANDS
        .iter()
        .find(|command| command.name == name || command.aliases.contains(&name));
    let word = line
        .rfind(char::is_whitespace)
        .map_or(0, |space| space + last_char(line, space));
    let typed = line.get(word..).unwrap_or_default();
    let mut start = word;
    let mut found = match command.map_or(Takes::Nothing, |command| command.takes) {
        Takes::Nothing | Takes::Count => Vec::new(),
        Takes::Mode => modes(),
        Takes::Switch => ["off", "on"]
            .map(|word| Candidate::new(word.to_owned(), word, ""))
            .into(),
        Takes::Thing => subjects(state, typed),
        Takes::Name => {
            let mut found = subjects(state, typed);
            found.extend(scripts(around, typed));
            found
        }
        Takes::File => {
            let path = rest.trim_start();
            start = line.len() - path.len() + files::last_part(path);
            files::candidates(around.folder, path, Wanted::Files)
        }
        Takes::Script => {
            let given: Vec<&str> = line.get(space..word).unwrap_or_default().split_whitespace().collect();
            let (skipped, found) = script(around, &given, typed);
            start += skipped;
            found
        }
    };
    let typed = line.get(start..).unwrap_or_default();
    found.retain(|candidate| fits(&candidate.replacement, typed));
    (start, found)
}

/// How many bytes the character at a place has.
fn last_char(line: &str, at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    rest.chars().next().map_or(0, char::len_utf8)
}

fn commands(typed: &str) -> Vec<Candidate> {
    let fitting = META_COMMANDS.iter().filter(|command| fits(command.name, typed));
    let candidate = |command: &MetaCommand| {
        let behind = if command.takes == Takes::Nothing { "" } else { " " };
        Candidate::new(format!("{}{behind}", command.name), &command.usage(), command.about)
    };
    fitting.map(candidate).collect()
}

fn modes() -> Vec<Candidate> {
    let all = Mode::ALL.iter();
    all.map(|mode| Candidate::new(mode.as_str().to_owned(), mode.as_str(), mode.meaning()))
        .collect()
}

fn subjects(state: &State, typed: &str) -> Vec<Candidate> {
    let sources = Sources::get();
    let functions = names::functions(state).into_iter();
    let functions = functions.map(|function| Candidate::new(function.name, &function.signature, &function.about));
    let known = sources
        .subjects()
        .iter()
        .filter(|subject| fits(&subject.replacement, typed));
    let found = functions.chain(names::variables(state, sources, typed));
    found.chain(known.cloned()).collect()
}

/// The name of a script, or what its header says that can follow. Also how much of what is typed stays.
fn script(around: &Around<'_>, given: &[&str], typed: &str) -> (usize, Vec<Candidate>) {
    let Some((name, given)) = given.split_first() else {
        if files::is_path(typed) {
            let found = files::candidates(around.folder, typed, Wanted::Files);
            return (files::last_part(typed), found);
        }
        return (0, scripts(around, typed));
    };
    match named(around, name) {
        Some(script) => arguments(around, &script, given, typed),
        None => (0, Vec::new()),
    }
}

fn scripts(around: &Around<'_>, typed: &str) -> Vec<Candidate> {
    let shipped = catalogue::outlined_manage_scripts(|_| false).unwrap_or_default();
    let own = folders::find(around.script_folders).into_iter();
    let all = shipped.into_iter().chain(own.filter_map(|found| found.script.ok()));
    let fitting = all.filter(|script| fits(&script.name, typed) && !script.header.hidden);
    fitting
        .map(|script| Candidate::new(format!("{} ", script.name), &script.name, &script.header.about))
        .collect()
}

fn named(around: &Around<'_>, name: &str) -> Option<Script> {
    if files::is_path(name) {
        let path = around.folder.join(name);
        // What is no plain file may never end.
        return path.is_file().then(|| Script::read(&path).ok())?;
    }
    let shipped = catalogue::manage_scripts(|known| known == name).ok()?.pop();
    shipped.or_else(|| folders::named(around.script_folders, name)?.script.ok())
}

/// The flags of a script that can still be given, or the values of one.
fn arguments(around: &Around<'_>, script: &Script, given: &[&str], typed: &str) -> (usize, Vec<Candidate>) {
    let params = &script.header.params;
    let flagged = |word: &str| {
        let name = word.strip_prefix("--")?;
        params.iter().find(|param| param.flag_name() == name && is_flag(param))
    };
    if let Some((flag, value)) = typed.split_once('=') {
        let Some(param) = flagged(flag) else {
            return (0, Vec::new());
        };
        let (skipped, found) = values(around.folder, param, value);
        return (flag.len() + 1 + skipped, found);
    }
    let open = given
        .last()
        .and_then(|word| flagged(word))
        .filter(|param| param.kind != Kind::Bool);
    if let Some(param) = open {
        return values(around.folder, param, typed);
    }
    if typed.starts_with('-') {
        return (0, flags(params, given));
    }
    let mut places = given.iter().enumerate().filter(|(at, word)| {
        let is_value = at
            .checked_sub(1)
            .and_then(|before| flagged(given[before]))
            .is_some_and(|it| it.kind != Kind::Bool);
        !word.starts_with('-') && !is_value
    });
    let mut positional = params.iter().filter(|param| param.positional);
    let found = loop {
        match (positional.next(), places.next()) {
            (Some(param), None) => break Some(param),
            (Some(param), Some(_)) if param.repeated => break Some(param),
            (Some(_), Some(_)) => {}
            (None, _) => break None,
        }
    };
    let (skipped, mut found) = found.map_or_else(Default::default, |param| values(around.folder, param, typed));
    if typed.is_empty() && found.is_empty() {
        found = flags(params, given);
    }
    (skipped, found)
}

fn is_flag(param: &Param) -> bool {
    param.flag || !param.positional
}

fn flags(params: &[Param], given: &[&str]) -> Vec<Candidate> {
    let is_given = |param: &Param| {
        let flag = format!("--{}", param.flag_name());
        given.iter().any(|word| word.split('=').next() == Some(flag.as_str()))
    };
    let open = params
        .iter()
        .filter(|param| is_flag(param) && !param.hidden && (param.repeated || !is_given(param)));
    // What was given excludes some.
    let open = open.filter(|param| !params.iter().any(|other| other.excludes(param) && is_given(other)));
    open.map(|param| {
        let flag = format!("--{}", param.flag_name());
        let signature = match param.kind {
            Kind::Bool => flag.clone(),
            _ => format!("{flag} {}", param.value_name()),
        };
        Candidate::new(format!("{flag} "), &signature, &param.help)
    })
    .collect()
}

/// The values of a parameter, and how much of what is typed stays.
fn values(folder: &Path, param: &Param, typed: &str) -> (usize, Vec<Candidate>) {
    if matches!(
        param.completion(),
        Completion::Paths | Completion::Files | Completion::Folders
    ) {
        return (files::last_part(typed), files::candidates(folder, typed, Wanted::Files));
    }
    let all = param.values.iter();
    let found = all.map(|value| Candidate::new(format!("{value} "), value, ""));
    (0, found.collect())
}
