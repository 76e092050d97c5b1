//! What a run needs of the person who started it. The terminal behind it lives in `cli`.

use secrecy::SecretString;

use crate::error::Result;

/// The people side of a run: messages on stderr, questions on a terminal.
///
/// Every question fails with `input.not_interactive` where nobody can be asked, with `run.interrupted` on Ctrl-C, and
/// with `input.aborted` when the person leaves by Escape or Ctrl-D.
pub trait Console: Send + Sync {
    /// Prints one message for people. Silenced by `--quiet`.
    fn say(&self, message: &str);

    /// Prints a warning for people, marked as one. Silenced by `--quiet`.
    fn warn(&self, message: &str);

    /// Names the store that is used. `written` is true once something is about to be written to it: `--quiet` does not
    /// silence that. Names it at most once.
    fn name_store(&self, store: &str, written: bool);

    /// Whether somebody is there to be asked.
    fn interactive(&self) -> bool;

    /// Asks for one line of text. When `check` refuses the answer, its message is shown and the question put again.
    ///
    /// # Errors
    /// As said of the trait, and what `check` fails with if that may not be caught.
    fn ask(&self, question: &str, check: &dyn Fn(&str) -> Result<()>) -> Result<String>;

    /// Asks for a secret without echo, twice if `twice`.
    ///
    /// # Errors
    /// As said of the trait.
    fn ask_secret(&self, question: &str, twice: bool) -> Result<SecretString>;

    /// Asks for one of several answers and returns its index.
    ///
    /// # Errors
    /// As said of the trait.
    fn choose(&self, question: &str, answers: &[String]) -> Result<usize>;

    /// Asks for yes or no.
    ///
    /// # Errors
    /// As said of the trait.
    fn confirm(&self, question: &str, preset: bool) -> Result<bool>;

    /// Reads a secret from standard input, without its last newline.
    ///
    /// # Errors
    /// `argument.invalid` if it is empty, larger than 64 KiB or no UTF-8.
    fn read_secret(&self) -> Result<SecretString>;

    /// Shows how far a long operation is, on a terminal only. `None` for the total means unknown.
    fn progress(&self, label: &str, done: u64, total: Option<u64>);
}
