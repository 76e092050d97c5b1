//! Ctrl-C and SIGTERM: the first stops the run, the second does not wait.

mod inputs;

use std::{
    io::{self, IsTerminal},
    sync::Arc,
    thread,
};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    failure,
    options::Options,
    render::Format,
    terminal::{Terminal, write_stderr},
};
use crate::{
    error::{Code, Error, Result},
    host,
    operations::{Interrupt, Phase},
};

pub(super) use self::inputs::{Input, Inputs, watch_inputs};

/// The exit status of a run that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;

/// Watches for both signals as long as the process lives, on a thread of its own: a script that only computes is
/// stopped too.
pub(super) fn watch(interrupt: &Arc<Interrupt>, options: &Options) -> Result<()> {
    let json = options.wish.format == Format::Json;
    // A prompt that is killed must not leave the terminal without echo.
    let terminal = tcgetattr(io::stdin()).ok();
    let interrupt = interrupt.clone();
    let runtime = host::runtime()?;
    let context = runtime.enter();
    let (mut interrupts, mut terminations) = (watched(SignalKind::interrupt())?, watched(SignalKind::terminate())?);
    drop(context);
    spawn(move || {
        runtime.block_on(async {
            while let Some(()) = tokio::select! {
                received = interrupts.recv() => received,
                received = terminations.recv() => received,
            } {
                answer(&interrupt, terminal.as_ref(), json);
            }
        });
    })
}

/// Has a thread of its own watch.
fn spawn(watching: impl FnOnce() + Send + 'static) -> Result<()> {
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

/// Stops the run; ends the process where somebody pressed Ctrl-C again, or while they are waited for.
fn answer(interrupt: &Interrupt, terminal: Option<&Termios>, json: bool) {
    let (first, phase) = interrupt.press();
    if first && !matches!(phase, Phase::Asking | Phase::Showing) {
        return;
    }
    restore(terminal);
    if phase == Phase::Asking && io::stderr().is_terminal() {
        // The question stays on its line.
        write_stderr("\n");
    }
    write_stderr(&parting(phase, interrupt.done(), json));
    leave();
}

/// Gives the terminal back as it was.
fn restore(terminal: Option<&Termios>) {
    if let Some(terminal) = terminal {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, terminal);
    }
}

/// Ends the process, whatever it is doing.
fn leave() -> ! {
    #[expect(
        clippy::exit,
        clippy::disallowed_methods,
        reason = "the operator does not want to wait"
    )]
    std::process::exit(INTERRUPTED.into());
}

/// What is said in leaving without waiting for the run's own end.
fn parting(phase: Phase, done: u64, json: bool) -> String {
    let message = match phase {
        Phase::Committing => "Interrupted during COMMIT: the changes are either all there or none is",
        Phase::Committed => "Interrupted after the changes were committed: the homeserver may not know of them",
        Phase::Serving => {
            "Interrupted: the job at hand stays `running`, and `masctl manage release-jobs` says what gives it back"
        }
        Phase::Working | Phase::Asking | Phase::Showing => match done {
            0 => "Interrupted: nothing was changed",
            1 => "Interrupted: 1 account was done, and stays so",
            many => &format!("Interrupted: {many} accounts were done, and stay so"),
        },
    };
    last_words(message, json)
}

/// What is said where the next input is waited for that nobody types at a prompt.
fn between(json: bool) -> String {
    last_words(
        "Interrupted between two inputs: what those before it have done stays",
        json,
    )
}

fn last_words(message: &str, json: bool) -> String {
    let error = Error::new(Code::RunInterrupted, message);
    if json {
        format!("{}\n", failure::json(&error))
    } else {
        failure::report(&error, Terminal::style(false))
    }
}
