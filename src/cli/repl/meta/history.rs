//! `\history`: what was entered, in all sessions of this person.

use super::super::{conversation::Conversation, history::History};
use crate::{
    cli::terminal::printable,
    error::{Code, Error, Result},
    host::repl::meta::MetaCommand,
};

/// How many entries are listed, if nothing is said of that.
const MANY: usize = 50;

/// Lists the latest, the newest last.
pub(super) fn show(conversation: &Conversation, command: &MetaCommand, count: &str) -> Result<()> {
    let count = match count {
        "" => MANY,
        count => count.parse().ok().filter(|count| *count > 0).ok_or_else(|| {
            let message = "How many entries are listed is a number from 1 on";
            command.refuse(Code::ArgumentInvalid, message)
        })?,
    };
    let environment = conversation.session.configuration().environment();
    let (_, entries) = History::open(environment).map_err(|problem| {
        let message = format!("There is no history: {problem}");
        Error::new(Code::FileUnreadable, message)
    })?;
    let latest = &entries[entries.len().saturating_sub(count)..];
    let text: String = latest.iter().map(|entry| printable(entry) + "\n").collect();
    conversation.page(&text)
}
