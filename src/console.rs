//! What a run needs of the person who started it. The terminal behind it lives in `cli`.

mod rehearsal;
mod rows;

use std::io::{self, Read};

use secrecy::SecretString;
use zeroize::Zeroizing;

pub use self::rehearsal::{Rehearsal, no_longer_the_same};
pub use self::rows::{Cell, Row, Rows};
use crate::error::Result;

/// How long a secret may be that is read from a file or from standard input, in bytes.
pub const LONGEST_SECRET: usize = 64 << 10;

/// Why what was read is no secret.
#[derive(Debug)]
pub enum NoSecret {
    /// It could not be read.
    Unreadable(io::Error),
    /// There is nothing in it.
    Empty,
    /// It is longer than [`LONGEST_SECRET`].
    TooLong,
    /// It is not UTF-8.
    NotText,
}

/// Reads a secret without its last newline, and leaves no copy of it behind.
///
/// # Errors
/// Why there is none.
pub fn secret_from(source: impl Read) -> Result<SecretString, NoSecret> {
    // The whole room at once: a buffer that grows would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_SECRET + 2));
    let mut source = source.take(LONGEST_SECRET as u64 + 1);
    source.read_to_end(&mut bytes).map_err(NoSecret::Unreadable)?;
    if bytes.len() > LONGEST_SECRET {
        return Err(NoSecret::TooLong);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| NoSecret::NotText)?;
    let secret = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if secret.is_empty() {
        return Err(NoSecret::Empty);
    }
    Ok(SecretString::from(secret))
}

/// The people side of a run: messages on stderr, questions on a terminal.
///
/// Every question fails with `input.not_interactive` where nobody can be asked, with `run.interrupted` on Ctrl-C, and
/// with `input.aborted` when the person leaves by Escape or Ctrl-D.
pub trait Console: Send + Sync {
    /// Prints one message for people. Silenced by `--quiet`.
    fn say(&self, message: &str);

    /// Prints one message for people, also with `--quiet`: what is asked about.
    fn insist(&self, message: &str);

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

    /// Reads data from standard input, at most so many bytes. Only what has a standard input need do it.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read_input(&self, _most: u64) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Shows how far a long operation is, on a terminal only. `None` for the total means unknown.
    fn progress(&self, label: &str, done: u64, total: Option<u64>);
}
