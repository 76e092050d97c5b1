//! `output::`: tell the person at the terminal. Data is what `main` returns, not what is said.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Array, Dynamic, Module, NativeCallContext};

use super::{Scripted, Secret, call_freely, words::words};
use crate::error::{Code, Error};

pub(super) fn module() -> Module {
    exported_module!(output)
}

#[export_module]
mod output {
    /// Print a warning for people on stderr, marked as one. `--quiet` silences it.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// output::warn("this takes a while");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn warn(context: NativeCallContext, message: &str) -> Scripted<()> {
        call_freely(&context, |run| {
            run.console().warn(message);
            Ok(())
        })
    }

    /// Quote words for a POSIX shell and join them to a command line.
    ///
    /// Needs nothing. Fails with `value.invalid` for a word with a NUL character, or that is a secret.
    ///
    /// ```rhai
    /// say(output::shell_quote(["masctl", "manage", "register-user", "it's me"]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn shell_quote(context: NativeCallContext, words: Array) -> Scripted<String> {
        let refuse = |message| Error::new(Code::ValueInvalid, message);
        call_freely(&context, |_| {
            // A command line is there to be shown.
            if words.iter().any(Dynamic::is::<Secret>) {
                return Err(refuse("a secret cannot be a word of a command line"));
            }
            let words: Vec<String> = words.iter().map(super::words).collect();
            shlex::try_join(words.iter().map(String::as_str))
                .map_err(|_| refuse("a shell takes no word with a NUL character"))
        })
    }
}
