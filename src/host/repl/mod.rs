//! A session at the prompt: what it keeps between two inputs, and what becomes of each.

mod copy;
pub mod entry;
mod input;
mod mode;
pub mod scan;
mod session;
mod state;

pub use mode::Mode;
pub use session::{Answer, Session, Setup};
pub use state::State;
