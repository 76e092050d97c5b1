//! `masctl scripts show`: the text of a command or module, exactly.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use super::text;
use crate::{
    cli::{
        options::Options,
        pager,
        render::{self, Format},
    },
    error::{Code, Error, Result, nearest},
    host::catalogue,
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
    let source = catalogue::source(name).ok_or_else(|| unknown(name))?;
    if options.wish.format == Format::Table {
        return pager::show(source);
    }
    let value = json!({"name": name, "from": "shipped", "source": source});
    render::print(&render::plain(&value, &options.wish)?)
}

fn unknown(name: &str) -> Error {
    let shown: String = name.chars().take(64).collect();
    let error = Error::new(Code::ScriptNotFound, format!("There is no script `{shown}`"));
    let modules: Vec<_> = catalogue::modules().map(|name| format!("std/{name}")).collect();
    let mut known: Vec<&str> = catalogue::command_names().collect();
    known.extend(modules.iter().map(String::as_str));
    error.help(match nearest(name, &known) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!(
            "`masctl scripts list` lists the commands; the modules are {}.",
            modules.join(", ")
        ),
    })
}
