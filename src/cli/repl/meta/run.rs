//! `\run`: a script inside of the session, with the command line that its header makes.

use clap::{Arg, ArgAction, ArgMatches, Command, error::ErrorKind};

use super::{super::conversation::Conversation, path_of};
use crate::{
    cli::{execution, first_run, script_command, terminal::help_width, usage},
    config::Configuration,
    console::Console,
    error::{Code, Error, Result, nearest, shortened},
    host::{
        Script,
        arguments::{Arguments, Sources, Stdin},
        catalogue, consent,
        folders::{self, Found},
        repl::{Mode, meta::MetaCommand},
    },
    operations::Interrupt,
};

/// How many characters of a name are repeated that is none.
const LONGEST_SHOWN: usize = 64;

/// Runs a script.
pub(super) fn run(conversation: &mut Conversation, command: &MetaCommand, line: &str) -> Result<()> {
    let Some(words) = shlex::split(line) else {
        let message = "A quote is not closed, or a backslash ends the line";
        return Err(command.refuse(Code::ArgumentInvalid, message));
    };
    let Some((name, words)) = words.split_first() else {
        return Err(command.refuse(Code::ArgumentMissing, "`\\run` lacks the name of a script"));
    };
    let script = find(conversation.session.configuration(), name)?;
    let parsed = command_of(&script, name, conversation.options.prompt).try_get_matches_from(words);
    let matches = match parsed {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => return show_help(conversation, &error),
        Err(error) => return Err(wrong(error)),
    };
    let watched = conversation.begin();
    let arguments = prepare(conversation, &script, &matches, &watched.interrupt())?;
    let text = format!("\\run {line}");
    conversation.carry_out(watched, |session, interrupt, ask| {
        session.run_script(&text, &script, &arguments, interrupt, ask)
    })
}

/// Shows the help of a script.
pub(super) fn help(conversation: &Conversation, name: &str) -> Result<()> {
    let script = find(conversation.session.configuration(), name)?;
    match command_of(&script, name, false).try_get_matches_from(["--help"]) {
        Err(error) => show_help(conversation, &error),
        Ok(_) => Err(Error::new(Code::Bug, "clap has no help")),
    }
}

fn show_help(conversation: &Conversation, error: &clap::Error) -> Result<()> {
    let text = error.render();
    let color = crate::cli::pager::wants_color();
    conversation.page(&if color {
        text.ansi().to_string()
    } else {
        text.to_string()
    })
}

/// The command of a script, as it is called here.
fn command_of(script: &Script, name: &str, asking: bool) -> Command {
    let called = shlex::try_quote(name).map_or_else(|_| name.to_owned(), String::from);
    let help = Arg::new("help").long("help").short('h').action(ArgAction::HelpShort);
    script_command::command(script, asking)
        .no_binary_name(true)
        .bin_name(format!("\\run {called}"))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .term_width(help_width())
        .arg(help.help("Print help"))
}

/// A mistake in the arguments; that of an option which every command has elsewhere says what there is in its place.
fn wrong(error: clap::Error) -> Error {
    let place = match error.get(clap::error::ContextKind::InvalidArg) {
        Some(clap::error::ContextValue::String(name)) => match name.as_str() {
            "--dry-run" => Some("`\\mode plan` shows what would change, and asks."),
            "--format" | "--fields" => Some("`\\json` shows values as JSON."),
            _ => None,
        },
        _ => None,
    };
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let error = usage::error(error, "\n");
    match place.filter(|_| is_unknown) {
        Some(help) => error.help(help),
        None => error,
    }
}

/// The script of this name, or in the file of this path.
fn find(configuration: &Configuration, name: &str) -> Result<Script> {
    if name == "-" {
        let message = "A session has no script on its standard input: that is where its inputs are from";
        return Err(Error::new(Code::ArgumentInvalid, message).help("Name the file: `\\run ./NAME.rhai`."));
    }
    if name.contains('/') {
        return Script::read(&path_of(name, configuration.environment()));
    }
    if let Some(script) = catalogue::manage_scripts(|known| known == name)?.pop() {
        return Ok(script);
    }
    let folders = configuration.script_folders()?;
    let found = folders::named(&folders, name);
    found.map_or_else(|| Err(unknown(name, &folders::find(&folders))), |found| found.script)
}

fn unknown(name: &str, own: &[Found]) -> Error {
    let own = own.iter().filter(|found| found.script.is_ok());
    let mut names: Vec<&str> = catalogue::command_names().collect();
    names.extend(own.map(|found| found.name.as_str()));
    let help = match nearest(name, &names) {
        _ if std::path::Path::new(name).extension().is_some() => {
            format!(
                "A file is named by a path: `\\run ./{}`.",
                shortened(name, LONGEST_SHOWN)
            )
        }
        Some(meant) => format!("Did you mean `\\run {meant}`? `\\scripts` lists them."),
        None => "`\\scripts` lists them.".to_owned(),
    };
    let message = format!("There is no script `{}`", shortened(name, LONGEST_SHOWN));
    Error::new(Code::ScriptNotFound, message).help(help)
}

/// The arguments, once all is asked that is to be asked before.
fn prepare(
    conversation: &Conversation,
    script: &Script,
    matches: &ArgMatches,
    interrupt: &Interrupt,
) -> Result<Arguments> {
    let configuration = conversation.session.configuration();
    let mode = conversation.session.mode();
    first_run::tell(script, configuration.environment(), &conversation.console);
    let _asking = interrupt.while_asking()?;
    let variable = |name: &str| configuration.environment().get(name).map(str::to_owned);
    let asked = conversation.session.console_of(script);
    let console: &dyn Console = &*asked;
    let sources = Sources {
        console,
        variable: &variable,
        stdin: Stdin::Inputs,
        prompt: conversation.options.prompt,
    };
    let mut arguments = execution::arguments(script, matches, &sources)?;
    if arguments.name_a_server(&script.header.params) {
        arguments.reduce_users(&script.header.params, &configuration.server_name()?)?;
    }
    match mode {
        // Where nothing can be changed, there is nothing to agree to.
        Mode::Read => {}
        // It is agreed to once it is seen.
        Mode::Plan => consent::tell(script, &arguments, console),
        Mode::Write if script_command::says_yes(script, matches) => {}
        Mode::Write => consent::obtain(script, &arguments, None, console)?,
    }
    Ok(arguments)
}
