//! `replrc.rhai`: what a person has loaded before the first input of each session.

use std::path::PathBuf;

use super::conversation::Conversation;
use crate::{
    capability::Denier,
    config::Environment,
    error::{Code, Error, Result},
    host::folders,
};

/// Where it is in the folder for settings.
const FILE: &str = "masctl/replrc.rhai";

/// Loads the file, if there is one: what it defines is there for the inputs.
///
/// # Errors
/// `script.untrusted` if others may have written it; `file.unreadable`; those of an input. Nothing of it stays then.
pub(super) fn load(conversation: &mut Conversation, environment: &Environment) -> Result<()> {
    let Some(file) = file(environment).filter(|file| file.symlink_metadata().is_ok()) else {
        return Ok(());
    };
    let text = folders::read_own("startup file", &file)?;
    let watched = conversation.begin();
    conversation
        .session
        .load(&file, &text, watched.interrupt())
        .map_err(|error| of_file(error, &file.display().to_string()))
}

/// `$XDG_CONFIG_HOME/masctl/replrc.rhai`.
fn file(environment: &Environment) -> Option<PathBuf> {
    Some(environment.base_folder("XDG_CONFIG_HOME", ".config")?.join(FILE))
}

/// What is said of the mode of a session is said of the file.
fn of_file(error: Error, file: &str) -> Error {
    let by = error.values().get("denied_by").and_then(serde_json::Value::as_str);
    if error.code() == Code::CapabilityDenied && by == Some(Denier::Mode.as_str()) {
        error
            .reworded(format!("`{file}` can change nothing: it is loaded at each start"))
            .help("Put what changes something into a function of it, and call that when it is meant.")
    } else {
        error
    }
}
