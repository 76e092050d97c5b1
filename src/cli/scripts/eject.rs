//! `masctl scripts eject`: copy a shipped command, to change it.

use clap::{Arg, ArgMatches, Command};

use super::{folder_arg, text, write};
use crate::{cli::options::Options, error::Result, host::drafts::Draft};

pub(super) fn command() -> Command {
    Command::new("eject")
        .about("Copy a shipped command under another name, to change it")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .help("The command that ships"),
        )
        .arg(
            Arg::new("new_name")
                .value_name("NEW-NAME")
                .help("What the copy is to be called, such as my-lock-user"),
        )
        .arg(folder_arg())
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<()> {
    let name = matches.get_one::<String>("new_name").map(String::as_str);
    write(&Draft::of_shipped(text(matches, "name")?, name)?, matches, options)
}
