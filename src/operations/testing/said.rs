//! The person of a test: listens, and is not there to be asked.

use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;

use crate::{
    console::Console,
    error::{Code, Error, Result},
};

/// How many lines are kept. A test that says more has an endless loop.
const MOST: usize = 10_000;

/// How long a line is at most that is kept, in bytes.
const LONGEST: usize = 10_000;

/// What was said to the person, warnings marked as such.
#[derive(Debug, Default)]
pub struct Said(Mutex<Vec<String>>);

impl Said {
    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, mut line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < MOST {
            if line.len() > LONGEST {
                line.truncate(line.floor_char_boundary(LONGEST));
                line.push('…');
            }
            lines.push(line);
        }
    }
}

fn nobody<T>() -> Result<T> {
    Err(
        Error::new(Code::InputNotInteractive, "Nobody can be asked: this is a test")
            .help("Give the answers as arguments of the script."),
    )
}

impl Console for Said {
    fn say(&self, message: &str) {
        self.add(message.to_owned());
    }

    fn insist(&self, message: &str) {
        self.add(message.to_owned());
    }

    fn warn(&self, message: &str) {
        self.add(format!("Warning: {message}"));
    }

    fn name_store(&self, _: &str, _: bool) {}

    fn interactive(&self) -> bool {
        false
    }

    fn ask(&self, _: &str, _: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        nobody()
    }

    fn ask_secret(&self, _: &str, _: bool) -> Result<SecretString> {
        nobody()
    }

    fn choose(&self, _: &str, _: &[String]) -> Result<usize> {
        nobody()
    }

    fn confirm(&self, _: &str, _: bool) -> Result<bool> {
        nobody()
    }

    fn read_secret(&self) -> Result<SecretString> {
        nobody()
    }

    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}
}
