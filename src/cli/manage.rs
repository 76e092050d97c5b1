//! `masctl manage`: one subcommand for each shipped script.

use std::{fmt::Write, sync::Arc};

use clap::{ArgMatches, Command, builder::Styles};
use tokio::runtime::{Builder, Runtime};

use super::{
    many,
    options::Options,
    printer::Printer,
    render::{self, Format, Wish},
    script_command, signals,
    terminal::{Terminal, help_width, one_line},
};
use crate::{
    config::Configuration,
    console::Console,
    error::{Code, Error, Result},
    host::{
        self, Outcome,
        arguments::{self, Arguments, Sources},
        catalogue::{self, Script},
        consent,
    },
    operations::{Interrupt, Parts, Report, World},
};

pub(super) fn command(scripts: &[Script]) -> Command {
    Command::new("manage")
        .about("Manage accounts, tokens and sessions; each command is a script")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .help_template(page(scripts, help_width()))
        .subcommands(
            scripts
                .iter()
                .map(|script| script_command::command(&script.name, &script.header)),
        )
}

/// The help that lists the scripts: clap would give each of them two lines.
fn page(scripts: &[Script], width: usize) -> String {
    let shown = || scripts.iter().filter(|script| !script.header.hidden);
    let longest = shown().map(|script| script.name.len()).max().unwrap_or_default();
    let style = *Styles::default().get_header();
    let mut page = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in catalogue::manage_groups() {
        let _ = writeln!(page, "\n{style}{heading}:{style:#}");
        for script in names.filter_map(|name| shown().find(|script| script.name == name)) {
            page.push_str(&line(script, longest, width));
        }
    }
    page + "\nGive one of them --help to read more.\nThe global options are those of `masctl --help`."
}

/// A command and what it does, as lines that its name stands before.
fn line(script: &Script, longest: usize, width: usize) -> String {
    let indent = longest + 4;
    let lines = wrapped(&script.header.about, width.saturating_sub(indent).max(20));
    let about = lines.join(&format!("\n{:indent$}", ""));
    // The prose of a header is no template.
    let about = about.replace('{', "(").replace('}', ")");
    format!("  {:longest$}  {about}\n", script.name)
}

/// The words of a text in lines of at most `width` characters, as far as the words fit.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Runs the script that was named, and returns its exit status.
pub(super) fn run(scripts: &[Script], matches: &ArgMatches, options: &Options) -> Result<u8> {
    let (script, matches) = matches
        .subcommand()
        .and_then(|(name, matches)| Some((scripts.iter().find(|script| script.name == name)?, matches)))
        .ok_or_else(|| Error::new(Code::Bug, "clap let an unknown command pass"))?;
    let console = Arc::new(Terminal::new(options));
    let configuration = Arc::new(options.configuration()?);
    let interrupt = Arc::new(Interrupt::default());
    signals::watch(&interrupt, options)?;
    let (arguments, accounts) = {
        // A secret may be waited for, which nobody types any more once they have pressed Ctrl-C.
        let _asking = interrupt.while_asking()?;
        let mut arguments = arguments(script, matches, &configuration, &*console)?;
        // A MXID may be that of somebody who is called `-`: it is a name only after this.
        let accounts = many::accounts(script, &arguments, &configuration, &*console)?;
        if arguments.name_a_server(&script.header.params) {
            arguments.reduce_users(&script.header.params, &configuration.server_name()?)?;
        }
        let is_nothing = accounts.as_ref().is_some_and(|accounts| accounts.names.is_empty());
        if !(options.dry_run || is_nothing || script_command::says_yes(&script.name, &script.header, matches)) {
            let count = accounts.as_ref().map(|accounts| accounts.names.len());
            consent::obtain(script, &arguments, count, &*console)?;
        }
        (arguments, accounts)
    };
    let database = configuration.database()?;
    tracing::debug!(
        script = script.label,
        store = database.label(),
        dry_run = options.dry_run,
        "run"
    );
    let parts = Parts {
        database,
        configuration,
        capabilities: script.header.needs.clone(),
        console: console.clone(),
        world: world()?,
        dry_run: options.dry_run,
        runtime: Arc::new(runtime()?),
        interrupt,
    };
    if let Some(accounts) = accounts {
        return many::run(script, &arguments, &accounts, parts, options, &console);
    }
    let outcome = execute(script, &arguments, parts, options)?;
    tell(&outcome.report, &*console);
    conclude(&outcome.report, &*console);
    let status = show(&outcome, script, options, &*console)?;
    console.release();
    Ok(status)
}

/// Executes the script. A list that it reads goes to stdout while it is read, unless it is to be part of an object that
/// says what was changed.
fn execute(script: &Script, arguments: &Arguments, parts: Parts, options: &Options) -> Result<Outcome> {
    if !script.header.needs.only_read() && matches!(options.wish.format, Format::Json | Format::Yaml) {
        return host::execute(script, arguments, parts, None);
    }
    let mut printer = Printer::new(&options.wish);
    match host::execute(script, arguments, parts, Some(&mut printer)) {
        Ok(outcome) if outcome.shown => printer.finish().map(|()| outcome),
        Ok(outcome) => Ok(outcome),
        Err(error) => {
            printer.abandon();
            Err(error)
        }
    }
}

/// The arguments of the script, its MXIDs as they were given.
fn arguments(
    script: &Script,
    matches: &ArgMatches,
    configuration: &Configuration,
    console: &dyn Console,
) -> Result<Arguments> {
    let params = &script.header.params;
    let variable = |name: &str| configuration.environment().get(name).map(str::to_owned);
    let sources = Sources {
        console,
        variable: &variable,
    };
    let arguments = arguments::collect(params, script_command::given(&script.header, matches), &sources)?;
    for warning in &arguments.warnings {
        console.warn(warning);
    }
    Ok(arguments)
}

/// Prints the result; what went wrong after the commit makes the exit status 1.
fn show(outcome: &Outcome, script: &Script, options: &Options, console: &dyn Console) -> Result<u8> {
    if outcome.shown {
        return Ok(0);
    }
    let only_reads = script.header.needs.only_read();
    let text = match render::outcome(outcome, only_reads, &options.wish) {
        // What was committed may have made a secret that nothing else shows: a wrong field must not lose it.
        Err(error) if !only_reads => {
            console.warn(&format!("{error}; all of it is printed"));
            let wish = Wish {
                fields: None,
                ..options.wish.clone()
            };
            render::outcome(outcome, only_reads, &wish)
        }
        text => text,
    }?;
    render::print(&text)?;
    match &outcome.report.failure {
        Some(error) => Err(error.clone()),
        None => Ok(0),
    }
}

/// What people see of what was done: one line for each change, then what else there is to say. A name that somebody else
/// chose must not look like a line of masctl's.
pub(super) fn tell(report: &Report, console: &dyn Console) {
    for change in &report.changes {
        console.say(&one_line(&change.sentence(report.dry_run)));
    }
    for sentence in report.effects.iter().filter_map(crate::operations::Delivery::sentence) {
        console.say(&sentence);
    }
    for note in &report.notes {
        console.say(&one_line(note));
    }
}

/// What people see at the end of a run.
pub(super) fn conclude(report: &Report, console: &dyn Console) {
    if report.dry_run {
        console.say("Dry run: nothing was changed");
    }
    for warning in &report.warnings {
        console.warn(warning);
    }
}

/// Without threads of its own: an answer of the database wakes the one that waits for it, and no other first.
pub(super) fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::new(Code::Bug, format!("No runtime: {cause}")))
}

#[cfg(not(feature = "fixed-world"))]
#[expect(clippy::unnecessary_wraps, reason = "the world of the tests can be misnamed")]
pub(super) fn world() -> Result<World> {
    Ok(World::system())
}

/// Tests name a world by number, so that each command of a transcript has a time and ids of its own, or the system's,
/// with a clock that is some seconds ahead: `now`, `now+90`, `now-5`.
#[cfg(feature = "fixed-world")]
pub(super) fn world() -> Result<World> {
    let Ok(name) = std::env::var("MASCTL_FIXED_WORLD") else {
        return Ok(World::system());
    };
    let world = match name.strip_prefix("now") {
        Some("") => Some(World::system()),
        Some(seconds) => seconds.parse().ok().map(World::ahead),
        None => name.parse().ok().map(World::fixed),
    };
    world.ok_or_else(|| {
        Error::new(
            Code::ArgumentInvalid,
            "MASCTL_FIXED_WORLD takes a number, or now+SECONDS",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_between_its_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one incomprehensibly", 7), ["one", "incomprehensibly"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}
