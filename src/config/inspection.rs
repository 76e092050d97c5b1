//! What is gathered while sections are checked rather than used: every problem, not only the first, and every file.

use std::{
    cell::{Cell, RefCell},
    path::{Path, PathBuf},
};

use crate::error::Error;

/// A file that the configuration names and that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// The key that names it, such as `matrix.secret_file`.
    pub key: String,
    /// Its absolute path.
    pub path: PathBuf,
}

/// What was found while sections were read.
pub(super) struct Inspection {
    problems: RefCell<Vec<Error>>,
    room: Cell<usize>,
    overflowed: Cell<bool>,
    files: RefCell<Vec<NamedFile>>,
}

impl Inspection {
    /// One that takes note of this many problems and passes over the others.
    pub(super) fn new(room: usize) -> Self {
        Self {
            problems: RefCell::default(),
            room: Cell::new(room),
            overflowed: Cell::new(false),
            files: RefCell::default(),
        }
    }

    /// Whether further problems are passed over.
    pub(super) fn is_full(&self) -> bool {
        self.room.get() == 0
    }

    /// Whether a problem was passed over.
    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed.get()
    }

    /// Takes note of a problem.
    pub(super) fn problem(&self, error: &Error) {
        match self.room.get().checked_sub(1) {
            Some(room) => {
                self.room.set(room);
                self.problems.borrow_mut().push(error.clone());
            }
            None => self.overflowed.set(true),
        }
    }

    /// Takes note of a file that could be read.
    pub(super) fn file(&self, key: String, path: &Path) {
        self.files.borrow_mut().push(NamedFile {
            key,
            path: path.to_owned(),
        });
    }

    /// The problems and the files, in the order in which they were found.
    pub(super) fn into_parts(self) -> (Vec<Error>, Vec<NamedFile>) {
        (self.problems.into_inner(), self.files.into_inner())
    }
}
