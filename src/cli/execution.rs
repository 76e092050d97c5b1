//! One script with the arguments of its command line: from consent to exit status.

use std::sync::Arc;

use clap::ArgMatches;

use super::{
    first_run, many,
    options::Options,
    printer::Printer,
    render::{self, Format, Wish},
    script_command, signals, surroundings,
    terminal::{Terminal, one_line},
};
use crate::{
    capability::Narrowing,
    config::Configuration,
    console::Console,
    error::Result,
    host::{
        self, Outcome, Script,
        arguments::{self, Arguments, Sources, Stdin},
        capabilities, consent,
    },
    operations::{Interrupt, Parts, Report},
};

/// Runs a script, and returns its exit status.
pub(super) fn run(script: &Script, matches: &ArgMatches, options: &Options) -> Result<u8> {
    let console = Arc::new(Terminal::new(options));
    let configuration = Arc::new(options.configuration()?);
    let narrowing = narrowing(script, &configuration, options)?;
    // Before anything is asked for, such as a secret.
    first_run::tell(script, configuration.environment(), &console);
    let interrupt = Arc::new(Interrupt::default());
    signals::watch(&interrupt, options)?;
    let (arguments, accounts) = {
        // A secret may be waited for, which nobody types any more once they have pressed Ctrl-C.
        let _asking = interrupt.while_asking()?;
        let variable = |name: &str| configuration.environment().get(name).map(str::to_owned);
        let sources = Sources {
            console: &*console,
            variable: &variable,
            stdin: if script.is_of_stdin() {
                Stdin::Script
            } else {
                Stdin::Free
            },
            prompt: options.prompt,
        };
        let mut arguments = arguments(script, matches, &sources)?;
        // A MXID may be that of somebody who is called `-`: it is a name only after this.
        let accounts = many::accounts(script, &arguments, &configuration, &*console)?;
        if arguments.name_a_server(&script.header.params) {
            arguments.reduce_users(&script.header.params, &configuration.server_name()?)?;
        }
        let is_nothing = accounts.as_ref().is_some_and(|accounts| accounts.names.is_empty());
        if !(options.dry_run || is_nothing || script_command::says_yes(script, matches)) {
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
        capabilities: capabilities::granted(script, &arguments, narrowing),
        console: console.clone(),
        world: surroundings::world()?,
        dry_run: options.dry_run,
        runtime: Arc::new(host::runtime()?),
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

/// What is taken from what the script needs.
fn narrowing(script: &Script, configuration: &Configuration, options: &Options) -> Result<Narrowing> {
    let narrowing = options.narrowing(configuration)?;
    narrowing.check(&script.header.needs, &script.name)?;
    Ok(narrowing)
}

/// Executes the script. A list that it reads goes to stdout while it is read, unless it is to be part of an object that
/// says what was changed.
fn execute(script: &Script, arguments: &Arguments, parts: Parts, options: &Options) -> Result<Outcome> {
    if !streams(script.header.needs.only_read(), &options.wish) {
        return host::execute(script, arguments, parts, None);
    }
    let mut printer = Printer::new(&options.wish);
    match host::execute(script, arguments, parts, Some(&mut printer)) {
        Ok(outcome) if outcome.shown => printer.finish().map(|_| outcome),
        Ok(outcome) => Ok(outcome),
        Err(error) => {
            printer.abandon();
            Err(error)
        }
    }
}

/// Whether a list goes to stdout while it is read.
pub(super) const fn streams(only_reads: bool, wish: &Wish) -> bool {
    only_reads || !matches!(wish.format, Format::Json | Format::Yaml)
}

/// The arguments of the script, its MXIDs as they were given.
pub(super) fn arguments(script: &Script, matches: &ArgMatches, sources: &Sources) -> Result<Arguments> {
    let given = script_command::given(&script.header, matches);
    let arguments = arguments::collect(&script.header.params, given, sources)?;
    for warning in &arguments.warnings {
        sources.console.warn(warning);
    }
    Ok(arguments)
}

/// Prints the result; what went wrong after the commit makes the exit status 1.
fn show(outcome: &Outcome, script: &Script, options: &Options, console: &dyn Console) -> Result<u8> {
    if outcome.shown {
        return Ok(0);
    }
    let only_reads = script.header.needs.only_read();
    render::print(&text(outcome, only_reads, &options.wish, console)?)?;
    match &outcome.report.failure {
        Some(error) => Err(error.clone()),
        None => Ok(0),
    }
}

/// The result for stdout.
pub(super) fn text(outcome: &Outcome, only_reads: bool, wish: &Wish, console: &dyn Console) -> Result<String> {
    match render::outcome(outcome, only_reads, wish) {
        // What was committed may have made a secret that nothing else shows: a wrong field must not lose it.
        Err(error) if !only_reads => {
            console.warn(&format!("{error}; all of it is printed"));
            let wish = Wish {
                fields: None,
                ..wish.clone()
            };
            render::outcome(outcome, only_reads, &wish)
        }
        text => text,
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
