//! `masctl worker`: does the jobs of users where no MAS does.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value};

use super::{
    options::Options,
    render::{self, Format},
    signals, surroundings,
    terminal::Terminal,
};
use crate::{
    config::Database,
    console::Console,
    error::{Code, Error, Result},
    homeserver, host,
    operations::{
        Interrupt,
        worker::{self, Event, Parts, Summary},
    },
};

/// The exit status when some of the jobs failed.
const SOME_FAILED: u8 = 4;

/// The exit status of a worker that was to do everything, and was stopped before.
const INTERRUPTED: u8 = 130;

pub(super) fn command() -> Command {
    Command::new("worker")
        .about("Do the jobs of users where no MAS does")
        .arg(
            Arg::new("once")
                .long("once")
                .action(ArgAction::SetTrue)
                .help("End once nothing is left to do"),
        )
        .after_help(
            "Without --once it works until SIGTERM or Ctrl-C, finishes the job at hand, and ends with status 0.\n\
             With --once the status is 4 if a job failed, even if it is tried again later, and 130 if it was stopped.\n\
             A PostgreSQL database is MAS's own worker's: it is refused while one is alive.",
        )
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    if options.dry_run {
        return Err(Error::new(
            Code::ArgumentInvalid,
            "A worker has no dry run: what the homeserver has done cannot be taken back",
        )
        .help("`masctl manage list-jobs --status available` lists what it would do."));
    }
    let once = matches.get_flag("once");
    let configuration = options.configuration()?;
    let database = configuration.database()?;
    // What it tells is told as it happens, also to a program.
    let console = Arc::new(Terminal::at_once(options));
    if let Database::Embedded(_) = &database {
        console.name_store(&database.display(configuration.environment()), true);
    }
    let interrupt = Arc::new(Interrupt::default());
    signals::watch(&interrupt, options)?;
    let parts = Parts {
        homeserver: homeserver::of(&configuration, &database)?,
        database,
        world: surroundings::world()?,
        interrupt: interrupt.clone(),
        once,
        tell: {
            let console = console.clone();
            Box::new(move |event| tell(&console, event, once))
        },
    };
    let summary = host::runtime()?.block_on(worker::work(&parts))?;
    if once && summary == Summary::default() {
        console.say("No job is waiting");
    }
    if options.wish.format != Format::Table {
        render::print(&render::plain(&with_store(&summary, &parts.database), &options.wish)?)?;
    }
    Ok(match once {
        true if interrupt.is_pressed() => INTERRUPTED,
        true if summary.has_failures() => SOME_FAILED,
        _ => 0,
    })
}

fn tell(console: &Terminal, event: &Event, once: bool) {
    match event {
        Event::Started { homeserver: true, .. } if once => {}
        Event::Started { .. } if once => {
            console.say("No homeserver is configured: the jobs change the database alone");
        }
        event if event.is_trouble() => console.insist(&event.sentence()),
        event => console.say(&event.sentence()),
    }
}

fn with_store(summary: &Summary, database: &Database) -> Value {
    let mut fields = Map::from_iter([("store".to_owned(), Value::from(database.label()))]);
    if let Ok(Value::Object(counts)) = serde_json::to_value(summary) {
        fields.extend(counts);
    }
    Value::Object(fields)
}
