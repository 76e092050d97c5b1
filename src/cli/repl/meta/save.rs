//! `\save`: the inputs that worked, as a script.

use super::{super::conversation::Conversation, path_of};
use crate::{
    console::Console,
    error::{Code, Result, counted, listed},
    host::repl::{
        meta::{Meta, MetaCommand},
        save::{self, Saved},
    },
};

/// Writes the script.
pub(super) fn save(conversation: &Conversation, command: &MetaCommand, argument: &str) -> Result<()> {
    let words = shlex::split(argument).unwrap_or_default();
    let [path] = &words[..] else {
        let message = "The path is not one word: quote it if there is a blank in it";
        return Err(command.refuse(Code::ArgumentInvalid, message));
    };
    let session = &conversation.session;
    let path = path_of(path, session.configuration().environment());
    let saved = session.script(&path)?;
    save::write(&path, &saved.text, command.meta == Meta::SaveOver)?;
    let shown = path.display().to_string();
    let console = &conversation.console;
    console.say(&told(&saved, &shown));
    let quoted = shlex::try_quote(&shown).map_or_else(|_| shown.clone(), Into::into);
    console.say(&format!("Run it: masctl run {quoted}"));
    Ok(())
}

fn told(saved: &Saved, path: &str) -> String {
    let inputs = counted(saved.inputs as u64, "input");
    let left_out: Vec<String> = saved.left_out.iter().map(|number| format!("input {number}")).collect();
    match left_out.len() {
        0 => format!("Wrote {inputs} into {path}"),
        1 => format!(
            "Wrote {inputs} into {path}, without {}, which has a secret",
            left_out[0]
        ),
        _ => format!(
            "Wrote {inputs} into {path}, without {}, which have secrets",
            listed(&left_out)
        ),
    }
}
