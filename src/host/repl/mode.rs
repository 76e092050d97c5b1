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
