//! Ctrl-C and SIGTERM: the first stops the run, the second does not wait.

use std::{io, sync::Arc, thread};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{manage::runtime, terminal::write_stderr};
use crate::{
    error::{Code, Error, Result},
    operations::{Interrupt, Phase},
};

/// The exit status of a run that was interrupted.
const INTERRUPTED: i32 = 130;

/// Watches for both signals as long as the process lives, on a thread of its own: a script that only computes is
/// stopped too.
pub(super) fn watch(interrupt: &Arc<Interrupt>) -> Result<()> {
    // A prompt that is killed must not leave the terminal without echo.
    let terminal = tcgetattr(io::stdin()).ok();
    let interrupt = interrupt.clone();
    let runtime = runtime()?;
    let context = runtime.enter();
    let (mut interrupts, mut terminations) = (watched(SignalKind::interrupt())?, watched(SignalKind::terminate())?);
    drop(context);
    let watching = move || {
        runtime.block_on(async {
            while let Some(()) = tokio::select! {
                received = interrupts.recv() => received,
                received = terminations.recv() => received,
            } {
                answer(&interrupt, terminal.as_ref());
            }
        });
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watching)
        .map(drop)
        .map_err(|cause| unwatched(&cause))
}

fn watched(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|cause| unwatched(&cause))
}

fn unwatched(cause: &io::Error) -> Error {
    Error::new(Code::Bug, format!("Signals cannot be watched: {cause}"))
}

/// Stops the run; ends the process where somebody pressed Ctrl-C again, or at a prompt.
fn answer(interrupt: &Interrupt, terminal: Option<&Termios>) {
    let parting = match interrupt.press() {
        (true, Phase::Asking) => "Error: interrupted: nothing was changed\n",
        (true, _) => return,
        (false, Phase::Committing) => "Error: interrupted during COMMIT: the changes are either all there or none is\n",
        (false, Phase::Committed) => {
            "Error: interrupted after the changes were committed; the homeserver may not know of them\n"
        }
        (false, _) => "Error: interrupted: nothing was changed\n",
    };
    if let Some(terminal) = terminal {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, terminal);
    }
    write_stderr(parting);
    #[expect(
        clippy::exit,
        clippy::disallowed_methods,
        reason = "the operator does not want to wait"
    )]
    std::process::exit(INTERRUPTED);
}
