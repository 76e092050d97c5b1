//! Where asynchronous work happens.

use tokio::runtime::{Builder, Runtime};

use crate::error::{Code, Error, Result};

/// A runtime without threads of its own: an answer of the database wakes the one that waits for it, and no other first.
///
/// # Errors
/// `bug`.
pub fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::new(Code::Bug, format!("No runtime: {cause}")))
}
