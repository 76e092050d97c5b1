//! What one execution has read, for another of the same: a file may be changed or gone in between.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::error::{Code, Error, Result};

/// How long the files may be together, in bytes: they are in memory until both executions are over.
const MOST: usize = 64 << 20;

/// What was read from files and from standard input.
#[derive(Default)]
pub struct KeptFiles(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    texts: HashMap<PathBuf, Result<String>>,
    length: usize,
}

impl KeptFiles {
    /// The text of a file as it was read first, or why it could not be.
    ///
    /// # Errors
    /// Those of `read`; `value.invalid` for too much.
    pub(super) fn text(&self, path: &Path, read: impl FnOnce() -> Result<String>) -> Result<String> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().texts.get(path) {
            return known.clone();
        }
        let text = read();
        if text.as_ref().is_err_and(|error| !error.code().catchable()) {
            return text;
        }
        let mut kept = kept();
        kept.length += text.as_ref().map_or(0, String::len);
        if kept.length > MOST {
            let message = format!("The files that were read have more than {} MiB together", MOST >> 20);
            return Err(Error::new(Code::ValueInvalid, message).help(
                "Before changes are asked about, all that was read is kept: they are made only if they are the same again. \
                 `\\mode write` keeps nothing.",
            ));
        }
        kept.texts.insert(path.to_owned(), text.clone());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_once_is_not_read_again() {
        let kept = KeptFiles::default();
        let unreadable = || Err(Error::new(Code::FileUnreadable, "gone"));
        assert_eq!(kept.text(Path::new("a"), || Ok("first".to_owned())).unwrap(), "first");
        assert_eq!(kept.text(Path::new("a"), || Ok("second".to_owned())).unwrap(), "first");
        assert_eq!(kept.text(Path::new("a"), unreadable).unwrap(), "first");
        assert_eq!(kept.text(Path::new("b"), unreadable).unwrap_err().message(), "gone");
        let found = kept.text(Path::new("b"), || Ok("here again".to_owned()));
        assert_eq!(found.unwrap_err().message(), "gone");
    }

    #[test]
    fn what_was_interrupted_was_not_read() {
        let kept = KeptFiles::default();
        let stopped = || Err(Error::new(Code::RunInterrupted, "Interrupted"));
        assert_eq!(
            kept.text(Path::new("a"), stopped).unwrap_err().code(),
            Code::RunInterrupted
        );
        assert_eq!(kept.text(Path::new("a"), || Ok("text".to_owned())).unwrap(), "text");
    }

    #[test]
    fn all_together_must_fit_into_memory() {
        let kept = KeptFiles::default();
        let half = || Ok("x".repeat(MOST / 2));
        assert!(kept.text(Path::new("a"), half).is_ok());
        assert!(kept.text(Path::new("a"), half).is_ok(), "it is there once");
        assert!(kept.text(Path::new("b"), half).is_ok());
        let refused = kept.text(Path::new("c"), || Ok("x".to_owned())).unwrap_err();
        assert_eq!(
            refused.message(),
            "The files that were read have more than 64 MiB together"
        );
    }
}
