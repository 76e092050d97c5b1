//! A session at the prompt: what it keeps between two inputs, and what becomes of each.

mod copy;
mod input;
mod mode;
mod session;
mod state;

pub use mode::Mode;
pub use session::{Answer, Session, Setup};
pub use state::State;
