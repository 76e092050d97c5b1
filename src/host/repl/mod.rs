//! A session at the prompt: what it keeps between two inputs, and what becomes of each.

mod copy;
mod mode;
mod state;

pub use mode::Mode;
pub use state::State;
