//! `masctl scripts`: see the commands, begin one of one's own, and test it.

mod check;
mod eject;
mod list;
mod new;
mod show;
mod test;

pub(super) use self::list::listed;

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::{
    options::Options,
    render::{self, Format},
    terminal::Terminal,
};
use crate::{
    console::Console,
    error::{Code, Error, Result},
    host::drafts::{self, Draft},
};

pub(super) fn command() -> Command {
    Command::new("scripts")
        .about("Begin, check and test your own scripts, and see those that ship")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list::command())
        .subcommand(show::command())
        .subcommand(new::command())
        .subcommand(eject::command())
        .subcommand(check::command())
        .subcommand(test::command())
}

/// Does it, and returns the exit status.
pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    match matches.subcommand() {
        Some(("check", matches)) => check::run(matches, options),
        Some(("test", matches)) => test::run(matches, options),
        _ => see_or_begin(matches, options).map(|()| 0),
    }
}

fn see_or_begin(matches: &ArgMatches, options: &Options) -> Result<()> {
    match matches.subcommand() {
        Some(("list", _)) => list::run(options),
        Some(("show", matches)) => show::run(matches, options),
        Some(("new", matches)) => new::run(matches, options),
        Some(("eject", matches)) => eject::run(matches, options),
        _ => Err(Error::new(Code::Bug, "clap let a missing subcommand pass")),
    }
}

/// The argument that names the folder of a new script.
fn folder_arg() -> Arg {
    Arg::new("folder")
        .long("folder")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Write it into this folder instead of the first scripts folder")
}

/// The value of an argument that must be there.
fn text<'a>(matches: &'a ArgMatches, name: &str) -> Result<&'a str> {
    let value = matches.get_one::<String>(name).map(String::as_str);
    value.ok_or_else(|| Error::new(Code::Bug, format!("clap let a missing {name} pass")))
}

/// Writes a draft, and says what was written and what to do next.
fn write(draft: &Draft, matches: &ArgMatches, options: &Options) -> Result<()> {
    let named = matches.get_one::<PathBuf>("folder");
    let folder = match named {
        Some(folder) if folder.is_dir() => folder.clone(),
        Some(folder) => {
            let message = format!("There is no folder `{}`: nothing was written", folder.display());
            return Err(Error::new(Code::FileUnwritable, message));
        }
        None => options.configuration()?.new_scripts_folder()?,
    };
    let console = Terminal::new(options);
    if options.dry_run {
        draft.check(&folder)?;
    } else {
        if named.is_none() {
            drafts::make_folder(&folder)?;
        }
        draft.write(&folder)?;
    }
    let paths: Vec<_> = draft
        .paths(&folder)
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let written = if options.dry_run { "Would write" } else { "Wrote" };
    for path in &paths {
        console.say(&format!("{written} {path}"));
    }
    if options.dry_run {
        console.say("Dry run: nothing was written");
    } else {
        for hint in next(draft, &folder, named.is_some()) {
            console.say(&hint);
        }
    }
    if options.wish.format != Format::Table {
        let value = json!({"name": draft.name, "dry_run": options.dry_run, "files": paths});
        render::print(&render::plain(&value, &options.wish)?)?;
    }
    console.release();
    Ok(())
}

/// What to type next: to try the script, and its test if it has one.
fn next(draft: &Draft, folder: &Path, is_elsewhere: bool) -> Vec<String> {
    let path = folder.join(format!("{}.rhai", draft.name)).display().to_string();
    let path = shlex::try_quote(&path).map_or_else(|_| path.clone(), Into::into);
    let run = if is_elsewhere {
        format!("run {path}")
    } else {
        format!("manage {}", draft.name)
    };
    let mut hints = vec![format!("Change it, then try it: masctl {run} --help")];
    if draft.files.len() > 1 {
        hints.push(format!("Its test: masctl scripts test {path}"));
    }
    hints
}
