//! `masctl repl`: inputs at a prompt, one after the other.

mod conversation;
mod show;

use std::sync::Arc;

use clap::{Arg, ArgMatches, Command, builder::PossibleValuesParser};
use rustyline::{DefaultEditor, error::ReadlineError};

use self::conversation::{Conversation, Step};
use super::{
    failure,
    options::Options,
    signals::{self, INTERRUPTED},
    surroundings,
    terminal::{Terminal, write_stderr},
};
use crate::{
    capability::Narrowing,
    config::Database,
    error::{Code, Error, Result},
    host::{
        self,
        repl::{Mode, Session, Setup},
    },
    operations::Keeper,
};

pub(super) fn command() -> Command {
    Command::new("repl")
        .about("Look at accounts and change them at a prompt")
        .arg(
            Arg::new("mode")
                .long("mode")
                .value_name("MODE")
                .value_parser(PossibleValuesParser::new(Mode::ALL.iter().map(|mode| mode.as_str())))
                .help("What inputs may do at first"),
        )
}

/// Holds a session, and returns its exit status.
pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    let console = Arc::new(Terminal::at_once(options));
    let configuration = Arc::new(options.configuration()?);
    let database = configuration.database()?;
    let narrowing = Narrowing {
        allow: options.allow.clone(),
        deny: options.deny.clone(),
        configured: configuration.masctl()?.deny,
        only_read: false,
    };
    let mode = matches.get_one::<String>("mode");
    let mode = mode.and_then(|mode| Mode::ALL.iter().find(|known| known.as_str() == mode));
    let mode = mode.copied().unwrap_or(match database {
        Database::Postgres(_) => Mode::Read,
        Database::Embedded(_) | Database::Sqlite(_) => Mode::Plan,
    });
    let runtime = Arc::new(host::runtime()?);
    let keeper = Arc::new(Keeper::new(
        &configuration,
        database.clone(),
        runtime,
        surroundings::idle()?,
    )?);
    let closing = keeper.clone();
    let inputs = signals::watch_inputs(true, options, move || closing.close())?;
    let setup = Setup {
        configuration,
        database,
        narrowing,
        console: console.clone(),
        world: surroundings::world()?,
        keeper: keeper.clone(),
    };
    // What scripts made is dropped where it was made: as deep as it may be.
    let held = host::on_deep_stack(|| {
        let session = Session::new(setup, mode);
        converse(Conversation::new(session, console, options.clone(), inputs))
    });
    keeper.close();
    held
}

fn converse(mut conversation: Conversation) -> Result<u8> {
    let mut editor = DefaultEditor::new().map_err(|error| unusable(&error))?;
    loop {
        let prompt = format!("{}> ", conversation.session.mode().as_str().to_uppercase());
        let text = match editor.readline(&prompt) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(0),
            Err(error) => return Err(unusable(&error)),
        };
        match conversation.answer(&text) {
            Ok(Step::GoOn) => {}
            Ok(Step::Leave) => return Ok(0),
            Err(error) => write_stderr(&failure::report(&error, Terminal::style(false))),
        }
        if conversation.is_over() {
            return Ok(INTERRUPTED);
        }
    }
}

fn unusable(cause: &ReadlineError) -> Error {
    Error::new(
        Code::InputNotInteractive,
        format!("The terminal cannot be used: {cause}"),
    )
}
