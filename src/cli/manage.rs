//! `masctl manage`: one subcommand for each shipped script.

use std::sync::Arc;

use clap::{ArgMatches, Command};
use tokio::runtime::{Builder, Runtime};

use super::{options::Options, render, script_command, signals, terminal::Terminal};
use crate::{
    config::Configuration,
    console::Console,
    error::{Code, Error, Result},
    host::{
        self, Outcome,
        arguments::{self, Arguments, Sources},
        catalogue::Script,
    },
    operations::{Interrupt, Parts, Report, World},
};

pub(super) fn command(scripts: &[Script]) -> Command {
    Command::new("manage")
        .about("Manage accounts, tokens and sessions; each command is a script")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(
            scripts
                .iter()
                .map(|script| script_command::command(&script.name, &script.header)),
        )
}

/// Runs the script that was named, and returns its exit status.
pub(super) fn run(scripts: &[Script], matches: &ArgMatches, options: &Options) -> Result<u8> {
    let (script, matches) = matches
        .subcommand()
        .and_then(|(name, matches)| Some((scripts.iter().find(|script| script.name == name)?, matches)))
        .ok_or_else(|| Error::new(Code::Bug, "clap let an unknown command pass"))?;
    let console = Arc::new(Terminal::new(options.quiet));
    let configuration = Arc::new(options.configuration()?);
    let runtime = runtime()?;
    let interrupt = Arc::new(Interrupt::default());
    signals::watch(&runtime, &interrupt)?;
    let arguments = arguments(script, matches, &configuration, &*console)?;
    let parts = Parts {
        database: configuration.database()?,
        configuration,
        capabilities: script.header.needs.clone(),
        console: console.clone(),
        world: world()?,
        dry_run: options.dry_run,
        runtime: runtime.handle().clone(),
        interrupt,
    };
    let outcome = host::execute(script, &arguments, parts)?;
    report(&outcome.report, &*console);
    show(&outcome, script, options)
}

/// The arguments of the script as it sees them. A MXID needs the server's name, which only then is looked for.
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
    let mut arguments = arguments::collect(params, script_command::given(&script.header, matches), &sources)?;
    for warning in &arguments.warnings {
        console.warn(warning);
    }
    if arguments.name_a_server(params) {
        arguments.reduce_users(params, &configuration.server_name()?)?;
    }
    Ok(arguments)
}

/// Prints the result; what went wrong after the commit makes the exit status 1.
fn show(outcome: &Outcome, script: &Script, options: &Options) -> Result<u8> {
    let read_only = script.header.needs.only_read();
    let (text, refused) = match render::outcome(outcome, read_only, &options.wish) {
        // What was issued is committed by now, and nobody could read it again.
        Err(error) if !read_only => (render::outcome(outcome, read_only, &options.wish.whole())?, Some(error)),
        rendered => (rendered?, None),
    };
    render::print(&text)?;
    match outcome.report.failure.clone().or(refused) {
        Some(error) => Err(error),
        None => Ok(0),
    }
}

/// What people see of a run that ended well: one line for each change, then what else there is to say.
fn report(report: &Report, console: &dyn Console) {
    for change in &report.changes {
        console.say(&change.sentence(report.dry_run));
    }
    for sentence in report.effects.iter().filter_map(crate::operations::Delivery::sentence) {
        console.say(&sentence);
    }
    for note in &report.notes {
        console.say(note);
    }
    if report.dry_run {
        console.say("Dry run: nothing was changed");
    }
    for warning in &report.warnings {
        console.warn(warning);
    }
}

/// Two workers are enough: one connection, one homeserver, one person.
pub(super) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|cause| Error::new(Code::Bug, format!("No runtime: {cause}")))
}

#[cfg(not(feature = "fixed-world"))]
#[expect(clippy::unnecessary_wraps, reason = "the world of the tests can be misnamed")]
fn world() -> Result<World> {
    Ok(World::system())
}

/// Tests name a world by number, so that each command of a transcript has a time and ids of its own.
#[cfg(feature = "fixed-world")]
fn world() -> Result<World> {
    match std::env::var("MASCTL_FIXED_WORLD") {
        Ok(number) => number
            .parse()
            .map(World::fixed)
            .map_err(|_| Error::new(Code::ArgumentInvalid, "MASCTL_FIXED_WORLD takes a number")),
        Err(_) => Ok(World::system()),
    }
}
