//! What the inputs of a session may do to the store.

use crate::error::words;

words! {
    /// What the inputs of a session may do to the store.
    Mode:
    /// Only read.
    Read = "read",
    /// Show what an input would change, and ask before it is changed.
    Plan = "plan",
    /// Change at once.
    Write = "write",
}

impl Mode {
    /// The mode of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mode| mode.as_str() == name)
    }

    /// As the prompt and messages write it: `READ`.
    #[must_use]
    pub fn in_capitals(self) -> String {
        self.as_str().to_uppercase()
    }
}
