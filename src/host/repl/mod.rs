//! A session at the prompt: what it keeps between two inputs, and what becomes of each.

pub mod complete;
mod contents;
mod copy;
pub mod entry;
pub mod hint;
mod input;
pub(in crate::host) mod last;
pub mod meta;
mod mode;
pub mod plan;
mod sandbox;
pub mod save;
pub mod scan;
pub mod secrets;
mod session;
mod shown;
mod state;
mod unasked;
mod unattended;

#[cfg(feature = "fixed-world")]
#[cfg(test)]
mod tests;

pub use contents::{Function, Import, Variable};
pub use mode::Mode;
pub use sandbox::Sandbox;
pub use session::{Answer, Ask, Session, Setup};
pub use shown::Shown;
pub use state::State;
