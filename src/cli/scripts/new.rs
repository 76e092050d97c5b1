//! `masctl scripts new`: begin a script from the template.

use clap::{Arg, ArgMatches, Command};

use super::{folder_arg, text, write};
use crate::{cli::options::Options, error::Result, host::drafts::Draft};

pub(super) fn command() -> Command {
    Command::new("new")
        .about("Write a script to begin with, and its test")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .help("What the command is to be called"),
        )
        .arg(folder_arg())
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<()> {
    write(&Draft::from_template(text(matches, "name")?)?, matches, options)
}
