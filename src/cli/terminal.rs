//! The person's side of a run: stderr, and the terminal for questions.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, IsTerminal, Read, Write},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Select, Text, ui::RenderConfig};
use secrecy::SecretString;
use serde_json::Value;

use super::{failure::Style, options::Options, render::Format};
use crate::{
    console::{Console, NoSecret, secret_from},
    error::{Code, Error, Result},
};

/// The most answers that are shown at once.
const PAGE: usize = 12;

/// What comes from standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// The answers of a person who sees the questions.
    Person,
    /// Whatever a script reads.
    Data,
    /// The inputs of a session, so that nothing else can be read from it.
    Inputs,
}

/// stderr and the terminal behind it.
#[derive(Debug)]
pub(super) struct Terminal {
    quiet: bool,
    /// Whether somebody looks at stderr.
    watched: bool,
    input: Input,
    store_named: AtomicBool,
    progress_shown: AtomicBool,
    held_back: Option<Mutex<String>>,
}

impl Terminal {
    /// Looks at what stdin and stderr are.
    ///
    /// With `--format json` messages to a program are held back until [`Self::release`]: if the command fails, the
    /// error is all that it reads.
    pub(super) fn new(options: &Options) -> Self {
        let watched = io::stderr().is_terminal();
        Self {
            quiet: options.quiet,
            watched,
            input: if io::stdin().is_terminal() && watched {
                Input::Person
            } else {
                Input::Data
            },
            store_named: AtomicBool::new(false),
            progress_shown: AtomicBool::new(false),
            held_back: (options.wish.format == Format::Json && !watched).then(Mutex::default),
        }
    }

    /// As [`Self::new`], but nothing is held back: for commands that do not end.
    pub(super) fn at_once(options: &Options) -> Self {
        Self {
            held_back: None,
            ..Self::new(options)
        }
    }

    /// As [`Self::new`], where the inputs of a session come from standard input: nobody can be asked there.
    pub(super) fn beside_inputs(options: &Options) -> Self {
        Self {
            input: Input::Inputs,
            ..Self::new(options)
        }
    }

    /// Whether somebody sees what is said.
    pub(super) fn is_watched(&self) -> bool {
        self.watched && !self.quiet
    }

    /// Prints the messages that were held back.
    pub(super) fn release(&self) {
        if let Some(held) = &self.held_back {
            write_stderr(&std::mem::take(
                &mut *held.lock().unwrap_or_else(PoisonError::into_inner),
            ));
        }
    }

    /// How errors are drawn on stderr.
    pub(super) fn style(verbose: bool) -> Style {
        Style {
            causes: verbose,
            ..style_of(&io::stderr())
        }
    }

    /// How findings are drawn on stdout.
    pub(super) fn style_of_stdout() -> Style {
        style_of(&io::stdout())
    }

    /// Clears the line that says how far it is: something else is about to be shown.
    pub(super) fn clear_progress(&self) {
        if self.progress_shown.swap(false, Ordering::Relaxed) {
            write_stderr("\r\x1b[2K");
        }
    }

    fn line(&self, text: &str) {
        self.clear_progress();
        let line = format!("{}\n", printable(text));
        match &self.held_back {
            Some(held) => held.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line),
            None => write_stderr(&line),
        }
    }

    fn require_somebody(&self) -> Result<()> {
        let (why, help) = match self.input {
            Input::Person => return Ok(()),
            Input::Data => (
                "this is not a terminal",
                "Give the answers as arguments; `--help` lists them.",
            ),
            Input::Inputs => (
                "the inputs are read from standard input",
                "Start `masctl repl` on a terminal to be asked.",
            ),
        };
        Err(Error::new(Code::InputNotInteractive, format!("Nobody can be asked: {why}")).help(help))
    }
}

/// Colored if it is a terminal, and `NO_COLOR` is not set.
fn style_of(stream: &impl IsTerminal) -> Style {
    Style {
        color: color_is_wanted() && stream.is_terminal(),
        width: terminal_width().unwrap_or(80),
        causes: false,
    }
}

impl Console for Terminal {
    fn say(&self, message: &str) {
        if !self.quiet {
            self.line(message);
        }
    }

    fn insist(&self, message: &str) {
        self.line(message);
    }

    fn warn(&self, message: &str) {
        if !self.quiet {
            self.line(&format!("Warning: {message}"));
        }
    }

    fn name_store(&self, store: &str, written: bool) {
        if (written || !self.quiet) && !self.store_named.swap(true, Ordering::Relaxed) {
            self.line(&format!("Embedded store: {store} (no MAS configuration found)"));
        }
    }

    fn interactive(&self) -> bool {
        self.input == Input::Person
    }

    fn ask(&self, question: &str, check: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        self.require_somebody()?;
        let question = printable(&format!("{question}:"));
        loop {
            let prompt = Text::new(&question).with_render_config(look());
            let answer = prompt.prompt().map_err(|error| of_prompt(&error))?;
            match check(answer.trim()) {
                Ok(()) => return Ok(answer.trim().to_owned()),
                Err(refused) if refused.code().catchable() => self.line(&format!("  {refused}")),
                Err(fatal) => return Err(fatal),
            }
        }
    }

    fn ask_secret(&self, question: &str, twice: bool) -> Result<SecretString> {
        self.require_somebody()?;
        let again = printable(&format!("{question} (again):"));
        let question = printable(&format!("{question}:"));
        let mut prompt = Password::new(&question)
            .with_display_mode(PasswordDisplayMode::Hidden)
            .with_render_config(look());
        prompt = if twice {
            prompt
                .with_custom_confirmation_message(&again)
                .with_custom_confirmation_error_message("They differ.")
        } else {
            prompt.without_confirmation()
        };
        prompt
            .prompt()
            .map(SecretString::from)
            .map_err(|error| of_prompt(&error))
    }

    fn choose(&self, question: &str, answers: &[String]) -> Result<usize> {
        self.require_somebody()?;
        let question = printable(question);
        let select = Select::new(&question, answers.iter().map(|answer| printable(answer)).collect());
        select
            .with_page_size(PAGE)
            .without_filtering()
            .with_help_message("↑↓ and Enter, Esc gives up")
            .with_render_config(look())
            .raw_prompt()
            .map(|chosen| chosen.index)
            .map_err(|error| of_prompt(&error))
    }

    fn confirm(&self, question: &str, preset: bool) -> Result<bool> {
        self.require_somebody()?;
        Confirm::new(&printable(question))
            .with_default(preset)
            .with_render_config(look())
            .prompt()
            .map_err(|error| of_prompt(&error))
    }

    fn read_secret(&self) -> Result<SecretString> {
        if self.input == Input::Inputs {
            let message = "A secret cannot be read from standard input: the inputs are read from it";
            return Err(Error::new(Code::ArgumentInvalid, message).help("Read it from a file."));
        }
        secret_from(io::stdin()).map_err(|problem| {
            let message = match problem {
                NoSecret::Unreadable(error) => format!("Standard input cannot be read: {error}"),
                NoSecret::NotText => "Standard input cannot be read: stream did not contain valid UTF-8".to_owned(),
                NoSecret::Empty => "The secret on standard input is empty".to_owned(),
                NoSecret::TooLong => "The secret on standard input is longer than 64 KiB".to_owned(),
            };
            Error::new(Code::ArgumentInvalid, message)
        })
    }

    fn read_input(&self, most: u64) -> io::Result<Vec<u8>> {
        if self.input == Input::Inputs {
            return Err(io::Error::other("the inputs are read from it"));
        }
        let mut bytes = Vec::new();
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn progress(&self, label: &str, done: u64, total: Option<u64>) {
        if self.quiet || !io::stderr().is_terminal() {
            return;
        }
        self.progress_shown.store(true, Ordering::Relaxed);
        match total {
            Some(total) => write_stderr(&format!("\r\x1b[2K{label}: {done} of {total}")),
            None => write_stderr(&format!("\r\x1b[2K{label}: {done}")),
        }
    }
}

/// Text that cannot steer the terminal: control characters are shown as escapes.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// JSON that cannot steer the terminal. Whoever parses it reads the same.
pub(super) fn printable_json(value: &Value) -> String {
    escaped_json(&value.to_string())
}

/// As [`printable_json`], each field on a line.
pub(super) fn readable_json(value: &Value) -> String {
    escaped_json(&format!("{value:#}"))
}

/// Texts in JSON have no line ends: those that there are stand between its values.
fn escaped_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if steers(character) && character != '\n' {
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character would steer the terminal.
pub(super) fn steers(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text that is one line, whatever others put into it: none of it looks like another message, or another row.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains('\n') {
        text.replace('\n', "\\n").into()
    } else {
        text.into()
    }
}

/// Nothing is left to tell an operator whose stderr is gone.
pub(super) fn write_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether a terminal should be given colors.
pub(super) fn color_is_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The lines of the terminal that stdout is.
pub(super) fn terminal_height() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_row)).filter(|&rows| rows > 0)
}

/// How wide the help is: no wider than one likes to read.
pub(super) fn help_width() -> usize {
    terminal_width().unwrap_or(80).min(100)
}

/// The columns of the terminal that stderr or stdout is.
pub(super) fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).or_else(|_| rustix::termios::tcgetwinsize(io::stdout()));
    size.ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|&columns| columns > 0)
}

/// How questions look: with color where errors have it.
fn look() -> RenderConfig<'static> {
    if Terminal::style(false).color {
        RenderConfig::default_colored()
    } else {
        RenderConfig::empty()
    }
}

fn of_prompt(error: &InquireError) -> Error {
    match error {
        InquireError::OperationCanceled => aborted(),
        InquireError::OperationInterrupted => interrupted(),
        other => Error::new(
            Code::InputNotInteractive,
            format!("The terminal cannot be used: {other}"),
        ),
    }
}

fn aborted() -> Error {
    Error::new(Code::InputAborted, "Aborted: nothing was changed")
}

fn interrupted() -> Error {
    Error::new(Code::RunInterrupted, "Interrupted: nothing was changed")
}

/// The words of a text in lines of at most `width` characters, as far as the words fit.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        let value = Value::from("a\x1b\u{7f}\u{9b}\u{202e}\n\u{e9}");
        let json = printable_json(&value);
        assert_eq!(json, "\"a\\u001b\\u007f\\u009b\\u202e\\n\u{e9}\"");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        assert_eq!(printable("a\x1b[2Jb\u{202e}c\r\nd é"), "a\\u{1b}[2Jb\\u{202e}c\\r\nd é");
    }

    #[test]
    fn a_text_is_wrapped_between_its_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one incomprehensibly", 7), ["one", "incomprehensibly"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}
