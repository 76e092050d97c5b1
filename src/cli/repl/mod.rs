//! `masctl repl`: inputs at a prompt, one after the other.

mod agreement;
mod assistant;
mod conversation;
mod editor;
mod feed;
mod ground;
mod highlight;
mod history;
mod keys;
mod meta;
mod piped;
mod prompt;
mod show;
mod startup;
mod suggest;

use std::{fs, sync::Arc};

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{PossibleValuesParser, ValueParser},
};

use self::{
    conversation::{Conversation, Step},
    editor::{Editor, Read},
    ground::Ground,
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
    config::Database,
    error::{Code, Error, Result},
    host::{
        self,
        repl::{Mode, Session, Setup, complete, entry},
    },
    operations::Keeper,
};

const NOTES: &str = "\
Without a terminal, inputs are taken from standard input: `masctl repl < FILE`.
Each result is printed as `masctl eval` prints it, by `--format` and
`--fields`. The first error ends the session, with its exit status.";

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
        .arg(
            Arg::new("sandbox")
                .long("sandbox")
                .action(ArgAction::SetTrue)
                .help("Learn on sample accounts: nothing of the session stays"),
        )
        .arg(
            Arg::new("no_rc")
                .long("no-rc")
                .action(ArgAction::SetTrue)
                .help("Do not load ~/.config/masctl/replrc.rhai"),
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
    let world = surroundings::world()?;
    let runtime = Arc::new(host::runtime()?);
    let ground = if matches.get_flag("sandbox") {
        Ground::sandbox(&world, &runtime)?
    } else {
        Ground::configured(options)?
    };
    let mode = matches.get_one::<String>("mode");
    let mode = mode.and_then(|name| Mode::named(name)).unwrap_or(ground.mode());
    let keeper = Arc::new(ground.keeper(runtime, surroundings::idle()?)?);
    let inputs = signals::watch_inputs(is_at_prompt, options, at_leaving(&ground, &keeper))?;
    let editor = if is_at_prompt {
        Some(Editor::new(&ground.environment, ground.keys()?, console.clone())?)
    } else {
        None
    };
    let setup = Setup {
        configuration: ground.configuration.clone(),
        database: ground.database.clone(),
        homeserver: ground.homeserver(),
        narrowing: options.narrowing(&ground.configuration)?,
        console: console.clone(),
        world,
        keeper: keeper.clone(),
    };
    ground.tell(&*console);
    let startup = (!matches.get_flag("no_rc")).then_some(&ground.environment);
    // What scripts made is dropped where it was made: as deep as it may be.
    let held = host::on_deep_stack(|| {
        let session = Session::new(setup, mode);
        let mut conversation = Conversation::new(session, console, options.clone(), inputs);
        match startup.map_or(Ok(()), |environment| startup::load(&mut conversation, environment)) {
            Err(error) if is_at_prompt => write_stderr(&failure::report(&error, Terminal::style(false))),
            loaded => loaded?,
        }
        match editor {
            Some(editor) => converse(conversation, editor, &keeper),
            None => piped::converse(conversation),
        }
    });
    keeper.close();
    held
}

/// What is left to do where a signal ends the process.
fn at_leaving(ground: &Ground, keeper: &Arc<Keeper>) -> impl Fn() + Send + 'static {
    let (keeper, folder) = (keeper.clone(), ground.folder());
    move || {
        keeper.close();
        if let Some(folder) = &folder {
            // It is among the temporary files: what cannot be removed is not for long either.
            let _ = fs::remove_dir_all(folder);
        }
    }
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
    if matches.get_flag("sandbox") && !options.files.is_empty() {
        return refuse(
            "`--sandbox` reads no configuration",
            "Leave `--config` or `--sandbox` out.",
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
    // The first key would wait for it.
    std::thread::spawn(complete::prepare);
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
