//! The error that a run must end in, whatever its script makes of it.

use std::sync::OnceLock;

use crate::error::{Error, Result};

/// Remembers the first error that no script may catch. Rhai lets one be caught where a closure raised it that one of its own
/// functions had called, such as `map`.
#[derive(Debug, Default)]
pub struct Doom(OnceLock<Error>);

impl Doom {
    /// Looks at an error that goes to the script.
    pub fn see(&self, error: &Error) {
        if !error.code().catchable() {
            // The first one is the cause.
            let _ = self.0.set(error.clone());
        }
    }

    /// The error, if there was one.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.0.get().cloned()
    }

    /// Refuses to go on, if there was one.
    ///
    /// # Errors
    /// That one.
    pub fn check(&self) -> Result<()> {
        self.error().map_or(Ok(()), Err)
    }
}
