//! `\x`, `\json`, `\timing`: how answers are shown.

use super::super::{
    conversation::Conversation,
    show::{Expanded, Format},
};
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
    let style = &mut conversation.style;
    let (is_on, what) = match command.meta {
        Meta::Expanded => (style.expanded == Expanded::On, "Expanded display"),
        Meta::Json => (style.format == Format::Json, "JSON"),
        _ => (conversation.timing, "Timing"),
    };
    let on = wanted.unwrap_or(!is_on);
    match command.meta {
        Meta::Expanded => style.expanded = if on { Expanded::On } else { Expanded::Auto },
        Meta::Json => style.format = if on { Format::Json } else { Format::Table },
        _ => conversation.timing = on,
    }
    let state = if on { "on" } else { "off" };
    conversation.console.say(&format!("{what} is {state}"));
    Ok(())
}
