//! `output::`: tell the person at the terminal. Data is what `main` returns, not what is said.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Array, Module, NativeCallContext};

use super::{Scripted, call_freely};

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
    /// Needs nothing. Fails with `value.invalid` for a word with a NUL character.
    ///
    /// ```rhai
    /// say(output::shell_quote(["masctl", "manage", "register-user", "it's me"]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn shell_quote(context: NativeCallContext, words: Array) -> Scripted<String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        call_freely(&context, |_| {
            shlex::try_join(words.iter().map(String::as_str)).map_err(|_| {
                crate::error::Error::new(
                    crate::error::Code::ValueInvalid,
                    "a shell takes no word with a NUL character",
                )
            })
        })
    }
}
