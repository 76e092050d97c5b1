//! Ctrl-C and SIGTERM: the first stops the run, the second does not wait.

use std::{io, sync::Arc};

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use super::terminal::write_stderr;
use crate::{
    error::{Code, Error, Result},
    operations::{Interrupt, Phase},
};

/// The exit status of a run that was interrupted.
const INTERRUPTED: i32 = 130;

/// Watches for both signals as long as the runtime lives.
pub(super) fn watch(runtime: &Runtime, interrupt: &Arc<Interrupt>) -> Result<()> {
    // A prompt that is killed must not leave the terminal without echo.
    let terminal = rustix::termios::tcgetattr(io::stdin()).ok();
    let _context = runtime.enter();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals =
            signal(kind).map_err(|cause| Error::new(Code::Bug, format!("Signals cannot be watched: {cause}")))?;
        let (interrupt, terminal) = (interrupt.clone(), terminal.clone());
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                let parting = match interrupt.press() {
                    (true, Phase::Asking) => "Error: interrupted: nothing was changed\n",
                    (true, _) => continue,
                    (false, Phase::Committing) => {
                        "Error: interrupted during COMMIT: the changes are either all there or none is\n"
                    }
                    (false, Phase::Committed) => {
                        "Error: interrupted after the changes were committed; the homeserver may not know of them\n"
                    }
                    (false, _) => "Error: interrupted: nothing was changed\n",
                };
                if let Some(terminal) = &terminal {
                    let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, terminal);
                }
                write_stderr(parting);
                #[expect(
                    clippy::exit,
                    clippy::disallowed_methods,
                    reason = "the operator does not want to wait"
                )]
                std::process::exit(INTERRUPTED);
            }
        });
    }
    Ok(())
}
