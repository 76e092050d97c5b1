//! Turns a script into a run: its header into a signature, its text into an engine's program, its errors into places.

pub mod arguments;
pub mod capabilities;
pub mod catalogue;
pub mod check;
pub mod consent;
mod diagnose;
pub mod drafts;
mod each;
mod engine;
mod execute;
pub mod folders;
pub mod header;
#[doc(hidden)]
pub mod invariants;
mod memory;
mod modules;
pub mod names;
mod program;
pub mod reference;
pub mod repl;
mod runtime;
pub mod script;
pub mod testing;

pub use each::{Accounts, Each, Tally, execute_each};
pub use execute::{Outcome, execute};
pub use program::on_deep_stack;
pub use runtime::runtime;
pub use script::{Origin, Script};
