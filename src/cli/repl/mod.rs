//! `masctl repl`: inputs at a prompt, one after the other.

mod agreement;
mod assistant;
mod conversation;
mod editor;
mod feed;
mod highlight;
mod history;
mod keys;
mod meta;
mod piped;
mod prompt;
mod show;
mod suggest;

use std::sync::Arc;

use clap::{
    Arg, ArgMatches, Command,
    builder::{PossibleValuesParser, ValueParser},
};

use self::{
    conversation::{Conversation, Step},
    editor::{Editor, Read},
    prompt::Parts,
    suggest::{Known, Surroundings},
};
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
        repl::{Mode, Session, Setup, entry},
    },
    operations::Keeper,
};

const NOTES: &str = "Without a terminal, inputs are taken from standard input: `masctl repl < FILE`. Each result is
printed as `masctl eval` prints it, by `--format` and `--fields`, and the first error ends the
session with its exit status.";

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
        // Not shown: what is given here is meant for `run`.
        .arg(
            Arg::new("script")
                .hide(true)
                .num_args(1..)
                .value_parser(ValueParser::os_string()),
        )
        .after_help(NOTES)
}

/// Holds a session, and returns its exit status.
pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    refuse_options(matches, options)?;
    let is_at_prompt = piped::is_at_prompt();
    let console = Arc::new(if is_at_prompt {
        Terminal::at_once(options)
    } else {
        Terminal::beside_inputs(options)
    });
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
    let inputs = signals::watch_inputs(is_at_prompt, options, move || closing.close())?;
    let editor = if is_at_prompt {
        let keys = configuration.masctl()?.editor;
        Some(Editor::new(configuration.environment(), keys, console.clone())?)
    } else {
        None
    };
    let setup = Setup {
        configuration,
        database,
        homeserver: None,
        narrowing,
        console: console.clone(),
        world: surroundings::world()?,
        keeper: keeper.clone(),
    };
    // What scripts made is dropped where it was made: as deep as it may be.
    let held = host::on_deep_stack(|| {
        let session = Session::new(setup, mode);
        let conversation = Conversation::new(session, console, options.clone(), inputs);
        match editor {
            Some(editor) => converse(conversation, editor, &keeper),
            None => piped::converse(conversation),
        }
    });
    keeper.close();
    held
}

/// Refuses what is meant for a script.
fn refuse_options(matches: &ArgMatches, options: &Options) -> Result<()> {
    let refuse = |message: &str, help: &str| Err(Error::new(Code::ArgumentInvalid, message).help(help));
    if matches.contains_id("script") {
        return refuse(
            "`masctl repl` takes no script",
            "`masctl run FILE` runs one, and `masctl repl < FILE` takes inputs from a file.",
        );
    }
    if options.dry_run {
        return refuse(
            "`--dry-run` is for one command, and a session has many inputs",
            "`--mode plan` shows what each would change, and asks before it is changed.",
        );
    }
    if options.prompt {
        return refuse(
            "`--prompt` asks for the arguments of a script, and `masctl repl` takes none",
            "Leave `--prompt` out.",
        );
    }
    Ok(())
}

fn converse(mut conversation: Conversation, mut editor: Editor, keeper: &Keeper) -> Result<u8> {
    let surroundings = Surroundings::of(conversation.session.configuration());
    if let Database::Postgres(_) = conversation.session.database() {
        // The prompt shows the schema.
        let opening = conversation.begin();
        keeper.open(&*conversation.console, &opening.interrupt())?;
    }
    loop {
        let parts = Parts::of(conversation.session.mode(), keeper.place());
        let known = Known {
            state: conversation.session.shared_state(),
            surroundings: surroundings.clone(),
        };
        let text = match editor.read(&parts, Box::new(known))? {
            Read::Input(text) => text,
            Read::Interrupted => continue,
            Read::End => return Ok(0),
        };
        for input in entry::inputs(&text) {
            match conversation.answer(input.text) {
                Ok(Step::GoOn) => {}
                Ok(Step::Leave) => return Ok(0),
                Err(error) => {
                    write_stderr(&failure::report(&error, Terminal::style(false)));
                    break;
                }
            }
        }
        if conversation.is_over() {
            return Ok(INTERRUPTED);
        }
    }
}
