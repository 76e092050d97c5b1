//! Being built.

pub mod script_command;
