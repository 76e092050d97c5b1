//! `masctl scripts show`: the text of a command or module, exactly.

use std::{borrow::Cow, path::PathBuf};

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use super::text;
use crate::{
    cli::{
        options::Options,
        pager,
        render::{self, Format},
    },
    error::{Code, Error, Result, nearest, shortened},
    host::{catalogue, folders, script},
};

pub(super) fn command() -> Command {
    Command::new("show")
        .about("Print the source of a command, or of a module")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .help("Name of a command, or path of a module such as std/registration"),
        )
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<()> {
    let name = text(matches, "name")?;
    let (from, source) = match catalogue::source(name) {
        Some(source) => ("shipped".to_owned(), Cow::Borrowed(source)),
        None => own(name, options)?,
    };
    if options.wish.format == Format::Table {
        return pager::show(&source);
    }
    let value = json!({"name": name, "from": from, "source": source});
    render::print(&render::plain(&value, &options.wish)?)
}

/// Path and text of a script of the operator's, also of one that cannot be used.
fn own(name: &str, options: &Options) -> Result<(String, Cow<'static, str>)> {
    let folders = options.configuration()?.script_folders()?;
    let found = folders::named(&folders, name).ok_or_else(|| unknown(name, &folders))?;
    Ok((found.path.display().to_string(), script::read_text(&found.path)?.into()))
}

fn unknown(name: &str, folders: &[PathBuf]) -> Error {
    let shown = shortened(name, 64);
    let error = Error::new(Code::ScriptNotFound, format!("There is no script `{shown}`"));
    let modules: Vec<_> = catalogue::modules().map(|name| format!("std/{name}")).collect();
    let mut known: Vec<&str> = catalogue::command_names().collect();
    known.extend(modules.iter().map(String::as_str));
    let own: Vec<_> = folders::find(folders).into_iter().map(|found| found.name).collect();
    known.extend(own.iter().map(String::as_str));
    error.help(match nearest(name, &known) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!(
            "`masctl scripts list` lists the commands; the modules are {}.",
            modules.join(", ")
        ),
    })
}
