//! Long texts on a terminal: through the person's pager.

use std::{
    env,
    io::{self, ErrorKind, IsTerminal, Write},
    process::{Command, Stdio},
};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    render,
    terminal::{color_is_wanted, terminal_height},
};
use crate::{error::Result, host};

/// What is used if `PAGER` does not say otherwise: it passes colors through, and ends at once if all fits.
const PAGER: &str = "less -FIRX";

/// Whether a text on stdout should have colors.
pub(super) fn wants_color() -> bool {
    color_is_wanted() && io::stdout().is_terminal()
}

/// Shows a text: on a terminal that it is too long for, in `$PAGER`; else on stdout.
pub(super) fn show(text: &str) -> Result<()> {
    let is_long = || terminal_height().is_none_or(|height| text.lines().count() >= height);
    if io::stdout().is_terminal()
        && is_long()
        && let Some(words) = chosen()
        && page(&words, text)?
    {
        return Ok(());
    }
    render::print(text)
}

/// The words of the pager's command line; nothing if there is to be none.
fn chosen() -> Option<Vec<String>> {
    let wish = match env::var("PAGER") {
        Ok(wish) => wish,
        Err(env::VarError::NotPresent) => PAGER.to_owned(),
        Err(env::VarError::NotUnicode(_)) => return None,
    };
    shlex::split(&wish).filter(|words| words.first().is_some_and(|program| program != "cat"))
}

/// Whether the pager was there to show the text.
fn page(words: &[String], text: &str) -> Result<bool> {
    let [program, arguments @ ..] = words else {
        return Ok(false);
    };
    // Ctrl-C is for the pager: it must not be left alone with the terminal.
    let runtime = host::runtime()?;
    let _within = runtime.enter();
    let _ignored = signal(SignalKind::interrupt());
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped());
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FIRX");
    }
    let Ok(mut child) = command.spawn() else {
        return Ok(false);
    };
    if let Some(mut input) = child.stdin.take()
        && let Err(error) = input.write_all(text.as_bytes())
        // Who has seen enough quits before the end.
        && error.kind() != ErrorKind::BrokenPipe
    {
        tracing::debug!(%error, "the pager does not read");
    }
    let ended = child.wait();
    tracing::debug!(?ended, "pager");
    Ok(true)
}
