//! Ctrl-C and SIGTERM: the first stops the run, the second does not wait.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use super::{
    failure,
    options::Options,
    render::Format,
    terminal::{Terminal, write_stderr},
};
use crate::{
    error::{Code, Error, Result},
    operations::{Interrupt, Phase},
};

/// The exit status of a run that was interrupted.
const INTERRUPTED: i32 = 130;

/// Watches for both signals as long as the runtime lives.
pub(super) fn watch(runtime: &Runtime, interrupt: &Arc<Interrupt>, options: &Options) -> Result<()> {
    let json = options.wish.format == Format::Json;
    // A prompt that is killed must not leave the terminal without echo.
    let terminal = rustix::termios::tcgetattr(io::stdin()).ok();
    let _context = runtime.enter();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals =
            signal(kind).map_err(|cause| Error::new(Code::Bug, format!("Signals cannot be watched: {cause}")))?;
        let (interrupt, terminal) = (interrupt.clone(), terminal.clone());
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                let (first, phase) = interrupt.press();
                if first && phase != Phase::Asking {
                    continue;
                }
                if let Some(terminal) = &terminal {
                    let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, terminal);
                }
                if phase == Phase::Asking && io::stderr().is_terminal() {
                    // The question stays on its line.
                    write_stderr("\n");
                }
                write_stderr(&parting(phase, json));
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

/// What is said in leaving without waiting for the run's own end.
fn parting(phase: Phase, json: bool) -> String {
    let message = match phase {
        Phase::Committing => "Interrupted during COMMIT: the changes are either all there or none is",
        Phase::Committed => "Interrupted after the changes were committed: the homeserver may not know of them",
        Phase::Working | Phase::Asking => "Interrupted: nothing was changed",
    };
    let error = Error::new(Code::RunInterrupted, message);
    if json {
        format!("{}\n", failure::json(&error))
    } else {
        failure::report(&error, Terminal::style(false))
    }
}
