//! A session at the prompt: what it keeps between two inputs, and what becomes of each.

mod copy;
pub mod entry;
mod input;
pub(in crate::host) mod last;
mod mode;
pub mod plan;
pub mod scan;
mod session;
mod shown;
mod state;

#[cfg(feature = "fixed-world")]
#[cfg(test)]
mod tests;

pub use mode::Mode;
pub use session::{Answer, Session, Setup};
pub use shown::Shown;
pub use state::State;
