//! Which values the arguments are offered.

use std::{any::TypeId, ffi::OsStr, path::PathBuf, sync::Arc};

use clap::{Arg, Command};
use clap_complete::{
    CompletionCandidate, PathCompleter,
    engine::{ArgValueCompleter, ValueCompleter},
};

use super::{
    scripts,
    source::{Question, Source},
};
use crate::{
    capability::{Access, Capability, Resource},
    cli::script_command,
    host::{
        Script,
        header::{Completion, Kind, Param},
    },
};

/// The command line with what its arguments are offered. Only the scripts whose whole header was read have any.
pub(super) fn offered(command: Command, scripts: &[Script], source: &Arc<Source>) -> Command {
    let command = command.mut_subcommand("manage", |manage| {
        scripts
            .iter()
            .filter(|script| !script.header.params.is_empty())
            .fold(manage, |manage, script| {
                manage.mut_subcommand(&script.name, |command| with_params(command, script, source))
            })
    });
    everywhere(command, false)
}

/// The command of a script with the values of its parameters.
pub(super) fn with_params(command: Command, script: &Script, source: &Arc<Source>) -> Command {
    command.mut_args(|arg| match script_command::param_of(&script.header, &arg) {
        Some(param) => with_values(arg, param, source),
        None => arg,
    })
}

fn with_values(arg: Arg, param: &Param, source: &Arc<Source>) -> Arg {
    let after = if param.kind == Kind::Link { ":" } else { "" };
    match param.completion() {
        Completion::Users => asking(arg, source, Question::Users),
        Completion::Providers => asking(arg, source, move |typed| Question::Providers(typed, after)),
        Completion::Clients => asking(arg, source, Question::Clients),
        Completion::Paths => with(arg, PathCompleter::any()),
        Completion::Files => with(arg, PathCompleter::file()),
        Completion::Folders => with(arg, PathCompleter::dir()),
        Completion::Nothing => arg,
    }
}

/// An argument whose values the database has.
fn asking(arg: Arg, source: &Arc<Source>, question: impl Fn(String) -> Question + Send + Sync + 'static) -> Arg {
    let source = Arc::clone(source);
    with(arg, move |typed: &OsStr| match typed.to_str() {
        Some(typed) => source.ask(question(typed.to_owned())),
        None => Vec::new(),
    })
}

fn with(arg: Arg, completer: impl ValueCompleter + 'static) -> Arg {
    arg.add(ArgValueCompleter::new(completer))
}

/// What each argument is offered that is the same in all commands: those about scripts take files of scripts.
fn everywhere(command: Command, of_scripts: bool) -> Command {
    let is_path = |arg: &Arg| arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    command
        .mut_args(|arg| match arg.get_id().as_str() {
            "allow" | "deny" => with(arg, capabilities),
            _ if !is_path(&arg) => arg,
            _ if of_scripts && arg.is_positional() => with(arg, scripts::files()),
            _ => with(arg, PathCompleter::file()),
        })
        .mut_subcommands(|inner| {
            let of_scripts = of_scripts || inner.get_name() == "scripts";
            everywhere(inner, of_scripts)
        })
}

fn capabilities(typed: &OsStr) -> Vec<CompletionCandidate> {
    let resources = Resource::ALL.iter();
    let all =
        resources.flat_map(|&resource| [Access::Read, Access::Write].map(|access| Capability { resource, access }));
    all.map(|capability| capability.to_string())
        .filter(|text| typed.to_str().is_some_and(|typed| text.starts_with(typed)))
        .map(CompletionCandidate::new)
        .collect()
}
