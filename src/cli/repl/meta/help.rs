//! `\h` and `\scripts`: help, as `masctl reference` and `masctl scripts list` print it.

use super::{super::conversation::Conversation, describe, list, run};
use crate::{
    cli::{reference::Page, scripts},
    error::{Code, Result},
    host::{
        catalogue,
        reference::Reference,
        repl::meta::{MARK, META_COMMANDS},
    },
};

/// Shows the help of a primitive, type, error or whatever else the reference tells of; of a script, a meta-command, or a
/// function of the session.
pub(super) fn show(conversation: &Conversation, name: &str) -> Result<()> {
    if name.is_empty() {
        return list::show(conversation);
    }
    let mut page = Page::for_people();
    if let Some(meta) = name.strip_prefix(MARK) {
        let known = META_COMMANDS
            .iter()
            .find(|command| command.name == meta || command.aliases.contains(&meta));
        if let Some(command) = known {
            page.rows(&[(command.usage(), command.about.to_owned())]);
            return conversation.page(&page.text());
        }
    }
    if catalogue::is_manage_command(name) {
        return run::help(conversation, name);
    }
    let reference = Reference::get()?;
    match reference.find(name) {
        Ok(hits) => page.hits(&hits),
        Err(error) => {
            if describe::made_here(conversation.session.state(), name, &mut page) {
                return conversation.page(&page.text());
            }
            return match run::help(conversation, name) {
                Err(unknown) if unknown.code() == Code::ScriptNotFound => Err(error),
                shown => shown,
            };
        }
    }
    conversation.page(&page.text())
}

/// Lists the scripts that can be run.
pub(super) fn show_scripts(conversation: &Conversation) -> Result<()> {
    let configuration = conversation.session.configuration();
    let text = scripts::listed(configuration.script_folders(), &*conversation.console)?;
    conversation.page(&text)
}
