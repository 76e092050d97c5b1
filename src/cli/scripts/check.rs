//! `masctl scripts check`: what is wrong with scripts, all at once, without running any of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::Value;

use crate::{
    cli::{
        failure,
        options::Options,
        render::{self, Format},
        terminal::Terminal,
    },
    console::Console,
    error::{Code, Error, Result, counted, listed},
    host::{
        check::{self, Finding, Severity},
        script::is_script,
    },
};

const NOTES: &str = "Examples:
  masctl scripts check lock-stale.rhai
  masctl scripts check /etc/masctl/scripts --strict --format json";

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Say what is wrong with scripts, without running them")
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .num_args(0..)
                .value_parser(value_parser!(PathBuf))
                .help("Script, or folder of scripts; your scripts folders if there is none"),
        )
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("Fail of warnings too"),
        )
        .after_help(NOTES)
}

/// Prints what was found. A mistake makes the exit status 1.
pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    let named = matches.get_many::<PathBuf>("files").into_iter().flatten();
    let mut paths = named.map(|path| scripts_in(path)).collect::<Result<Vec<_>>>()?.concat();
    if !matches.contains_id("files") {
        paths = own_scripts(&options.configuration()?.script_folders()?)?;
    }
    let findings = check::files(&paths)?;
    if options.wish.format == Format::Table && options.wish.fields.is_none() {
        let style = Terminal::style_of_stdout();
        let texts: Vec<_> = findings
            .iter()
            .map(|finding| failure::finding(finding, style))
            .collect();
        render::print(&texts.join("\n"))?;
    } else {
        let list: Vec<_> = findings.iter().map(Finding::to_json).collect();
        render::print(&render::plain(&Value::from(list), &options.wish)?)?;
    }
    conclude(&findings, paths.len(), matches.get_flag("strict"), options)
}

fn conclude(findings: &[Finding], scripts: usize, strict: bool, options: &Options) -> Result<u8> {
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.iter().partition(|it| it.severity() == Severity::Error);
    let counts = [(errors.len(), "mistake"), (warnings.len(), "warning")];
    let found = counts.iter().filter(|(count, _)| *count > 0);
    let found: Vec<_> = found.map(|(count, noun)| counted(*count as u64, noun)).collect();
    let place = counted(scripts as u64, "script");
    let conclusion = if found.is_empty() {
        format!("Nothing is wrong in {place}")
    } else {
        format!("{} in {place}", listed(&found))
    };
    if errors.is_empty() && (warnings.is_empty() || !strict) {
        let console = Terminal::new(options);
        console.say(&conclusion);
        console.release();
        return Ok(0);
    }
    Err(Error::new(Code::ScriptInvalid, conclusion)
        .data("errors", errors.len())
        .data("warnings", warnings.len()))
}

/// The scripts of the scripts folders. One of those without scripts is as good as others.
fn own_scripts(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let scripts = folders
        .iter()
        .map(|folder| listing(folder))
        .collect::<Result<Vec<_>>>()?;
    let scripts = scripts.concat();
    if scripts.is_empty() {
        let message = "There is no script in your scripts folders";
        return Err(Error::new(Code::ScriptNotFound, message)
            .help("Name a file or folder, or begin a script with `masctl scripts new NAME`."));
    }
    Ok(scripts)
}

/// The scripts that a path names: itself, or those in the folder, tests among them.
fn scripts_in(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let scripts = listing(path)?;
    if scripts.is_empty() {
        let message = format!("The folder `{}` has no scripts", path.display());
        return Err(Error::new(Code::ScriptNotFound, message).help("A script is a file whose name ends in `.rhai`."));
    }
    Ok(scripts)
}

fn listing(path: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |cause| {
        let message = format!("The folder `{}` cannot be read: {cause}", path.display());
        Error::new(Code::FileUnreadable, message)
    };
    let mut scripts = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_script(&path) && path.is_file() {
            scripts.push(path);
        }
    }
    scripts.sort();
    Ok(scripts)
}
