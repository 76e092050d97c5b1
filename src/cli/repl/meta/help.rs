//! `\h` and `\scripts`: help, as `masctl reference` and `masctl scripts list` print it.

use super::{super::conversation::Conversation, describe, list, run};
use crate::{
    cli::{reference::Page, scripts},
    error::{Code, Error, Result},
    host::{catalogue, reference::Reference},
};

/// Shows the help of a primitive, type, error or whatever else the reference tells of; of a script, a meta-command, or a
/// function of the session.
pub(super) fn show(conversation: &Conversation, name: &str) -> Result<()> {
    if name.is_empty() {
        return list::show(conversation);
    }
    let mut page = Page::for_people();
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
                Err(unknown) if unknown.code() == Code::ScriptNotFound => Err(nearer(error, &unknown)),
                shown => shown,
            };
        }
    }
    conversation.page(&page.text())
}

/// The error that nothing is called so, with what is called nearly so: of the reference, or else of scripts.
fn nearer(error: Error, of_scripts: &Error) -> Error {
    let meant = |error: &Error| {
        error
            .help_text()
            .filter(|help| help.starts_with("Did you mean"))
            .map(str::to_owned)
    };
    match (meant(&error), meant(of_scripts)) {
        (None, Some(script)) => error.help(script),
        _ => error,
    }
}

/// Lists the scripts that can be run.
pub(super) fn show_scripts(conversation: &Conversation) -> Result<()> {
    let configuration = conversation.session.configuration();
    let text = scripts::listed(configuration.script_folders(), &*conversation.console)?;
    conversation.page(&text)
}
