//! Ctrl-C and SIGTERM in a session: Ctrl-C ends the input at hand and keeps the session, SIGTERM ends the session.

use std::{
    io::{self, IsTerminal},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::termios::tcgetattr;
use tokio::signal::unix::SignalKind;

use super::{leave, parting, restore, spawn, watched};
use crate::{
    cli::{options::Options, render::Format, terminal::write_stderr},
    error::Result,
    host,
    operations::{Interrupt, Phase},
};

/// How often Ctrl-C is pressed within one input by somebody who does not want to wait for its end.
const MOST_PRESSES: u32 = 3;

/// Has a terminal no longer mark what is pasted, as the line editor has it do at the prompt.
const PLAIN_PASTE: &str = "\x1b[?2004l";

/// The inputs of a session, as signals find them.
#[derive(Debug)]
pub(in crate::cli) struct Inputs {
    /// Whether they are typed at a prompt, to which Ctrl-C leads back.
    at_prompt: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    is_over: bool,
}

#[derive(Debug)]
struct Current {
    interrupt: Arc<Interrupt>,
    presses: u32,
}

/// One input, from its start until it is dropped: Ctrl-C stops it, and none before or after it.
#[derive(Debug)]
pub(in crate::cli) struct Input {
    inputs: Arc<Inputs>,
    interrupt: Arc<Interrupt>,
}

/// What a signal leads to.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    /// The operator is told why it takes so long.
    Say(&'static str),
    /// The process ends at once, with these words if there is something to say.
    Leave(Option<String>),
}

/// Watches for signals as long as the process lives. To be called before the line editor is used for the first time: it
/// gives a signal that nobody watches for back to the system, which ends the process.
///
/// `at_leaving` is done when the process ends by a signal, without the end of the session.
pub(in crate::cli) fn watch_inputs(
    at_prompt: bool,
    options: &Options,
    at_leaving: impl Fn() + Send + 'static,
) -> Result<Arc<Inputs>> {
    let inputs = Arc::new(Inputs {
        at_prompt,
        state: Mutex::default(),
    });
    let json = options.wish.format == Format::Json;
    let terminal = tcgetattr(io::stdin()).ok();
    let runtime = host::runtime()?;
    let context = runtime.enter();
    let mut interrupts = watched(SignalKind::interrupt())?;
    let mut terminations = watched(SignalKind::terminate())?;
    // The terminal is gone: nobody is left at the prompt.
    let mut hangups = watched(SignalKind::hangup())?;
    drop(context);
    let watched = inputs.clone();
    spawn(move || {
        // What is done at leaving may wait in a runtime of its own.
        while let Some(answer) = runtime.block_on(async {
            tokio::select! {
                Some(()) = interrupts.recv() => Some(watched.interrupted(json)),
                Some(()) = terminations.recv() => Some(watched.terminated(json)),
                Some(()) = hangups.recv() => Some(watched.terminated(json)),
                else => None,
            }
        }) {
            match answer {
                Answer::Nothing => {}
                Answer::Say(words) => write_stderr(&format!("{words}\n")),
                Answer::Leave(words) => {
                    restore(terminal.as_ref());
                    write_stderr(&words.unwrap_or_else(after_the_prompt));
                    at_leaving();
                    // The line editor may have been about to start.
                    restore(terminal.as_ref());
                    leave();
                }
            }
        }
    })?;
    Ok(inputs)
}

/// What brings a terminal back from the prompt to the beginning of a line.
fn after_the_prompt() -> String {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return String::new();
    }
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    format!("{}\n", if is_dumb { "" } else { PLAIN_PASTE })
}

impl Inputs {
    /// Starts an input, with a Ctrl-C of its own.
    pub(in crate::cli) fn start(self: &Arc<Self>) -> Input {
        let interrupt = Arc::new(Interrupt::default());
        self.state().current = Some(Current {
            interrupt: interrupt.clone(),
            presses: 0,
        });
        Input {
            inputs: self.clone(),
            interrupt,
        }
    }

    /// Whether the session is to end with the input that has just ended.
    pub(in crate::cli) fn is_over(&self) -> bool {
        self.state().is_over
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ctrl-C. At a prompt the line editor has it, and between two inputs there is nothing to stop.
    fn interrupted(&self, json: bool) -> Answer {
        let mut state = self.state();
        let Some(current) = &mut state.current else {
            return if self.at_prompt {
                Answer::Nothing
            } else {
                Answer::Leave(Some(super::between(json)))
            };
        };
        current.presses += 1;
        let (first, phase) = current.interrupt.press();
        if !self.at_prompt {
            // Nobody is there who would go on with the next input.
            return match phase {
                Phase::Asking | Phase::Showing => Answer::Leave(Some(parting(phase, 0, json))),
                _ if first => Answer::Nothing,
                _ => Answer::Leave(Some(parting(phase, 0, json))),
            };
        }
        match (current.presses, phase) {
            (MOST_PRESSES.., _) => Answer::Leave(Some(parting(phase, current.interrupt.done(), json))),
            (1, Phase::Committing) => Answer::Say("COMMIT is not interrupted: waiting for the answer of the database"),
            (1, _) => Answer::Nothing,
            (_, Phase::Committing) => {
                Answer::Say("Still waiting for the answer to COMMIT: Ctrl-C once more leaves masctl without it")
            }
            _ => Answer::Say("The input is being stopped: Ctrl-C once more leaves masctl"),
        }
    }

    /// SIGTERM. An input is stopped first; the session ends after it. Nobody answers a question any more.
    fn terminated(&self, json: bool) -> Answer {
        let mut state = self.state();
        let is_again = std::mem::replace(&mut state.is_over, true);
        let Some(current) = &state.current else {
            return Answer::Leave(None);
        };
        let (_, phase) = current.interrupt.press();
        if is_again || matches!(phase, Phase::Asking | Phase::Showing) {
            return Answer::Leave(Some(parting(phase, current.interrupt.done(), json)));
        }
        Answer::Nothing
    }
}

impl Input {
    /// What stops it.
    pub(in crate::cli) fn interrupt(&self) -> Arc<Interrupt> {
        self.interrupt.clone()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.inputs.state().current = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(at_prompt: bool) -> Arc<Inputs> {
        Arc::new(Inputs {
            at_prompt,
            state: Mutex::default(),
        })
    }

    /// The words, if the process is left.
    fn left(answer: Answer) -> String {
        match answer {
            Answer::Leave(words) => words.unwrap_or_default(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ctrl_c_stops_one_input_and_none_before_or_after_it() {
        let inputs = inputs(true);
        assert_eq!(inputs.interrupted(false), Answer::Nothing);
        let first = inputs.start();
        let stopped = first.interrupt();
        assert!(!stopped.is_pressed());
        assert_eq!(inputs.interrupted(false), Answer::Nothing);
        assert!(stopped.is_pressed());
        drop(first);
        assert_eq!(inputs.interrupted(false), Answer::Nothing);
        let second = inputs.start();
        assert!(!second.interrupt().is_pressed() && !inputs.is_over());
    }

    #[test]
    fn the_third_ctrl_c_within_one_input_leaves_and_those_of_others_do_not_count() {
        let inputs = inputs(true);
        for _ in 0..2 {
            let _input = inputs.start();
            assert_eq!(inputs.interrupted(false), Answer::Nothing);
            assert_eq!(
                inputs.interrupted(false),
                Answer::Say("The input is being stopped: Ctrl-C once more leaves masctl")
            );
        }
        let _input = inputs.start();
        for _ in 0..2 {
            assert!(!matches!(inputs.interrupted(false), Answer::Leave(_)));
        }
        assert_eq!(
            left(inputs.interrupted(false)),
            "Error: Interrupted: nothing was changed\n"
        );
    }

    #[test]
    fn without_a_prompt_ctrl_c_ends_everything() {
        let inputs = inputs(false);
        assert_eq!(
            left(inputs.interrupted(false)),
            "Error: Interrupted between two inputs: what those before it have done stays\n"
        );
        let _input = inputs.start();
        assert_eq!(inputs.interrupted(false), Answer::Nothing);
        assert_eq!(
            left(inputs.interrupted(true)),
            "{\"error\":{\"code\":\"run.interrupted\",\"message\":\"Interrupted: nothing was changed\",\
             \"help\":null,\"data\":{},\"at\":null}}\n"
        );
    }

    #[test]
    fn sigterm_ends_the_session_after_the_input_that_it_stops() {
        let inputs = inputs(true);
        assert_eq!(inputs.terminated(false), Answer::Leave(None));
        let inputs = self::inputs(true);
        let input = inputs.start();
        assert_eq!(inputs.terminated(false), Answer::Nothing);
        assert!(input.interrupt().is_pressed() && inputs.is_over());
        assert_eq!(
            left(inputs.terminated(false)),
            "Error: Interrupted: nothing was changed\n"
        );
    }

    #[test]
    fn a_question_keeps_the_session_at_ctrl_c_and_ends_with_it_at_sigterm() {
        let inputs = inputs(true);
        let input = inputs.start();
        let interrupt = input.interrupt();
        let asking = interrupt.while_asking().unwrap();
        assert_eq!(inputs.interrupted(false), Answer::Nothing);
        assert_eq!(
            left(inputs.terminated(false)),
            "Error: Interrupted: nothing was changed\n"
        );
        drop(asking);
    }
}
