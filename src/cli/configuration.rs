//! `masctl config`: what the configuration comes to.

use std::path::PathBuf;

use clap::{ArgMatches, Command};

use super::{
    annotated, failure,
    options::Options,
    render::{self, Format},
    terminal::{Terminal, write_stderr},
};
use crate::{
    config::{Configuration, Finding, Traced, Unused},
    console::Console,
    error::Result,
};

/// The most sections of unknown names that are listed.
const MOST_UNKNOWN: usize = 20;

pub(super) fn command() -> Command {
    Command::new("config")
        .about("Check or show the configuration")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("check").about("Check every section that masctl reads, and the files that they name"))
        .subcommand(
            Command::new("dump")
                .about("Print the merged configuration, with secrets masked; -v says where each value is from"),
        )
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<()> {
    let configuration = options.configuration()?;
    match matches.subcommand_name() {
        Some("check") => check(&configuration, options),
        _ => dump(&configuration, options),
    }
}

/// All sections are looked at before the first error ends the command; the last error is returned to be shown last.
fn check(configuration: &Configuration, options: &Options) -> Result<()> {
    let console = Terminal::new(options);
    match configuration.check() {
        Ok(findings) => {
            for file in configuration.files() {
                console.say(&format!("Read {}", file.display()));
            }
            say_findings(&findings, &console);
            say_unused(&configuration.unused(), &console);
            say_folders(&configuration.script_folders()?, &console);
            console.say("The configuration is valid");
            console.release();
            Ok(())
        }
        Err(mut errors) => {
            let Some(last) = errors.pop() else { return Ok(()) };
            if options.wish.format == Format::Json {
                // A program reads one object: the others are in it.
                let others: Vec<_> = errors
                    .iter()
                    .map(|error| failure::json(error)["error"].take())
                    .collect();
                return Err(if others.is_empty() {
                    last
                } else {
                    last.data("others", others)
                });
            }
            for error in &errors {
                write_stderr(&failure::report(error, Terminal::style(options.verbose > 0)));
            }
            Err(last)
        }
    }
}

fn say_findings(findings: &[Finding], console: &Terminal) {
    for finding in findings {
        let origin = if finding.present { "" } else { " (not configured)" };
        console.say(&format!("{}: {}{origin}", finding.section, finding.summary));
    }
    for file in findings.iter().flat_map(|finding| &finding.files) {
        console.say(&format!("{}: {} can be read", file.key, file.path.display()));
    }
}

fn say_folders(folders: &[PathBuf], console: &Terminal) {
    for folder in folders {
        if folder.is_dir() {
            console.say(&format!("masctl.scripts: {} has your scripts", folder.display()));
        } else {
            console.warn(&format!(
                "`masctl.scripts` names `{}`, which is no folder",
                folder.display()
            ));
        }
    }
}

fn say_unused(unused: &[Unused], console: &Terminal) {
    let named = |of_mas| {
        let names = unused.iter().filter(move |section| section.of_mas == of_mas);
        names.map(|section| section.name.as_str()).collect::<Vec<_>>()
    };
    let (of_mas, mut unknown) = (named(true), named(false));
    if !of_mas.is_empty() {
        console.say(&format!("Not used by masctl: {}", of_mas.join(", ")));
    }
    let more = unknown.len().saturating_sub(MOST_UNKNOWN);
    unknown.truncate(MOST_UNKNOWN);
    if !unknown.is_empty() {
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        console.say(&format!("Unknown and ignored: {}{more}", unknown.join(", ")));
    }
    let slips = unused
        .iter()
        .filter_map(|section| Some((&section.name, section.meant?)));
    for (name, meant) in slips.take(MOST_UNKNOWN) {
        console.warn(&format!("`{name}` is ignored: did you mean `{meant}`?"));
    }
}

/// A configuration is a tree, which a table cannot show: YAML unless another format is asked for.
fn dump(configuration: &Configuration, options: &Options) -> Result<()> {
    let mut wish = options.wish.clone();
    if wish.format == Format::Table {
        wish.format = Format::Yaml;
    }
    // Also with `-v`, where it says which sections there are instead of the one that was asked for.
    let dump = render::plain(&configuration.dump(), &wish)?;
    if options.verbose == 0 {
        return render::print(&dump);
    }
    let traced = selected(configuration.traced(), wish.fields.take());
    if wish.format == Format::Yaml {
        return render::print(&annotated::yaml(&traced)?);
    }
    render::print(&render::plain(&annotated::rows(&traced), &wish)?)
}

/// Keeps the sections that were asked for, in that order.
fn selected(traced: Traced, sections: Option<Vec<String>>) -> Traced {
    match (traced, sections) {
        (Traced::Map(entries), Some(sections)) => {
            let section = |name: &String| entries.iter().find(|(key, _)| key == name).cloned();
            Traced::Map(sections.iter().filter_map(section).collect())
        }
        (traced, _) => traced,
    }
}
