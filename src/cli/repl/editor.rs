//! Where inputs are typed: a line editor with a history.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    termios::{QueueSelector, tcflush},
};
use rustyline::{
    Config, EditMode, GraphemeClusterMode,
    config::{BellStyle, ColorMode, CompletionType},
    error::ReadlineError,
    history::MemHistory,
};

use super::{
    super::terminal::{Terminal, color_is_wanted, terminal_width},
    assistant::{Assistant, Suggest},
    highlight::is_hidden,
    history::{self, History},
    keys::Keys,
    prompt::{Parts, Prompt},
};
use crate::{
    config::{EditorKeys, Environment},
    console::Console,
    error::{Code, Error, Result},
    host::repl::entry,
};

/// How long nothing comes after a text that is pasted, and how long at most one is waited for.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PASTE: Duration = Duration::from_secs(5);

/// What came of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// What was entered: one input or several, or nothing but white space.
    Input(String),
    /// Ctrl-C: what was typed is dropped.
    Interrupted,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// A line editor on the terminal.
pub(super) struct Editor {
    lines: rustyline::Editor<Assistant, MemHistory>,
    history: Option<History>,
    console: Arc<Terminal>,
    color: bool,
    /// Whether it was told how to leave.
    leaving_told: bool,
}

impl Editor {
    /// Makes an editor with the history of this person. If there can be none, that is said, and the session goes on.
    ///
    /// # Errors
    /// `input.not_interactive` if the terminal cannot be used.
    pub(super) fn new(environment: &Environment, keys: EditorKeys, console: Arc<Terminal>) -> Result<Self> {
        let color = color_is_wanted();
        let widths = GraphemeClusterMode::from_env();
        let builder = Config::builder()
            .edit_mode(match keys {
                EditorKeys::Emacs => EditMode::Emacs,
                EditorKeys::Vi => EditMode::Vi,
            })
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .bell_style(BellStyle::None)
            .bracketed_paste(true)
            .grapheme_cluster_mode(widths)
            // Without colors too, what would steer the terminal is to be left out.
            .color_mode(ColorMode::Forced);
        let builder = builder
            .max_history_size(history::MOST)
            .map_err(|error| unusable(&error))?;
        let config = builder.build();
        let lines = rustyline::Editor::with_history(config.clone(), MemHistory::with_config(&config));
        let mut lines = lines.map_err(|error| unusable(&error))?;
        let bound = Keys::default();
        bound.bind(&mut lines);
        lines.set_helper(Some(Assistant::new(color, widths, bound)));
        let mut editor = Self {
            lines,
            history: None,
            console,
            color,
            leaving_told: false,
        };
        match History::open(environment) {
            Ok((history, inputs)) => {
                editor.history = Some(history);
                editor.remember(&inputs)?;
            }
            Err(problem) => editor.tell_without_history(&problem),
        }
        Ok(editor)
    }

    /// Waits for an input, at a prompt of these parts.
    ///
    /// # Errors
    /// `input.not_interactive` if the terminal cannot be used.
    pub(super) fn read(&mut self, parts: &Parts, suggest: Box<dyn Suggest>) -> Result<Read> {
        let prompt = Prompt::new(parts, terminal_width().unwrap_or(80), self.color);
        if let Some(assistant) = self.lines.helper_mut() {
            *assistant.suggest.get_mut() = suggest;
            assistant.prompt_width.set(prompt.width());
            assistant.is_empty.set(true);
        }
        let text = match self.lines.readline(&(prompt.plain.as_str(), prompt.styled.as_str())) {
            Ok(text) => text,
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                self.drop_typed();
                return Ok(Read::Interrupted);
            }
            Err(ReadlineError::Interrupted) => {
                self.tell_how_to_leave();
                return Ok(Read::Interrupted);
            }
            Err(ReadlineError::Eof) => return Ok(Read::End),
            Err(error) => return Err(unusable(&error)),
        };
        if text.len() > entry::LONGEST {
            let most = entry::LONGEST / 1024;
            self.console.warn(&format!(
                "An input has at most {most} KiB: put this into a script, and `\\run` it"
            ));
            return Ok(Read::Interrupted);
        }
        // What was not seen is not done.
        let text: String = text.chars().filter(|character| !is_hidden(*character)).collect();
        self.keep(&text)?;
        Ok(Read::Input(text))
    }

    /// Drops what was typed with something that is no text, and what comes with it: the rest of a text that is pasted must
    /// not be entered line by line.
    fn drop_typed(&self) {
        if let Some(assistant) = self.lines.helper() {
            assistant.keys.give_up();
        }
        let end = Instant::now() + LONGEST_PASTE;
        let pause = Timespec::try_from(PAUSE).ok();
        while Instant::now() < end {
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
            let stdin = io::stdin();
            let mut waited = [PollFd::new(&stdin, PollFlags::IN)];
            if !matches!(poll(&mut waited, pause.as_ref()), Ok(1..)) {
                break;
            }
        }
        self.console.warn("What was typed is not UTF-8, and was dropped");
    }

    /// The inputs that are remembered, the oldest first.
    pub(super) fn remembered(&self) -> impl Iterator<Item = &str> {
        self.lines.history().into_iter().map(String::as_str)
    }

    fn keep(&mut self, text: &str) -> Result<()> {
        if !history::is_kept(text) {
            return Ok(());
        }
        match self.history.as_ref().map(|history| history.add(text)) {
            Some(Ok(inputs)) => return self.remember(&inputs),
            Some(Err(error)) => {
                self.history = None;
                self.tell_without_history(&error.to_string());
            }
            None => {}
        }
        let inputs: Vec<String> = self
            .remembered()
            .filter(|known| *known != text)
            .map(str::to_owned)
            .collect();
        self.remember(&[inputs, vec![text.to_owned()]].concat())
    }

    fn remember(&mut self, inputs: &[String]) -> Result<()> {
        use rustyline::history::History as _;

        let history = self.lines.history_mut();
        history.clear().map_err(|error| unusable(&error))?;
        for input in inputs {
            history.add(input).map_err(|error| unusable(&error))?;
        }
        Ok(())
    }

    fn tell_without_history(&self, problem: &str) {
        self.console
            .warn(&format!("What is entered is not kept for the next session: {problem}"));
    }

    fn tell_how_to_leave(&mut self) {
        let is_empty = self.lines.helper().is_some_and(|assistant| assistant.is_empty.get());
        if is_empty && !std::mem::replace(&mut self.leaving_told, true) {
            self.console.say("Ctrl-D or `\\q` leaves.");
        }
    }
}

fn unusable(cause: &ReadlineError) -> Error {
    let message = format!("The terminal cannot be used: {cause}");
    Error::new(Code::InputNotInteractive, message)
}
