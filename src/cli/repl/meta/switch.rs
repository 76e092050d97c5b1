//! `\x`, `\json`, `\timing`: how answers are shown.

use super::super::conversation::Conversation;
use crate::{
    console::Console,
    error::{Code, Result},
    host::repl::meta::{Meta, MetaCommand},
};

/// Turns it on or off, or, where nothing is said of that, over.
pub(super) fn turn(conversation: &mut Conversation, command: &MetaCommand, argument: &str) -> Result<()> {
    let wanted = match argument.to_lowercase().as_str() {
        "" => None,
        "on" => Some(true),
        "off" => Some(false),
        _ => {
            let message = format!("`\\{}` is turned on or off", command.name);
            return Err(command.refuse(Code::ArgumentInvalid, message));
        }
    };
    let (switch, what) = match command.meta {
        Meta::Expanded => (&mut conversation.expanded, "Each field of a list is shown on a line"),
        Meta::Json => (&mut conversation.json, "Values are shown as JSON"),
        _ => (&mut conversation.timing, "How long each input takes is shown"),
    };
    *switch = wanted.unwrap_or(!*switch);
    let state = if *switch { "on" } else { "off" };
    conversation.console.say(&format!("{what}: {state}"));
    Ok(())
}
