//! Meta-commands: what begins with `\` is done by the session itself.

mod changes;
mod describe;
mod help;
mod history;
mod list;
mod mode;
mod run;
mod save;
mod switch;

pub(super) use self::changes::Changes;

use std::path::PathBuf;

use super::conversation::{Conversation, Step};
use crate::{
    config::Environment,
    error::Result,
    host::repl::meta::{Call, Meta},
};

/// Does what a meta-command says.
///
/// # Errors
/// Those of each.
pub(super) fn answer(conversation: &mut Conversation, call: Call<'_>) -> Result<Step> {
    let Call { command, argument } = call;
    match command.meta {
        Meta::Quit => return Ok(Step::Leave),
        Meta::List => list::show(conversation)?,
        Meta::Describe => describe::show(conversation, argument)?,
        Meta::Help => help::show(conversation, argument)?,
        Meta::Scripts => help::show_scripts(conversation)?,
        Meta::Run => run::run(conversation, command, argument)?,
        Meta::Mode => mode::show_or_set(conversation, command, argument)?,
        Meta::Changes => conversation.changes.show()?,
        Meta::Expanded | Meta::Json | Meta::Timing => switch::turn(conversation, command, argument)?,
        Meta::Save | Meta::SaveOver => save::save(conversation, command, argument)?,
        Meta::History => history::show(conversation, command, argument)?,
    }
    Ok(Step::GoOn)
}

/// A path as it is written, where `~/` begins one in the home.
fn path_of(text: &str, environment: &Environment) -> PathBuf {
    match (environment.home(), text.strip_prefix("~/")) {
        (Some(home), Some(rest)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}
