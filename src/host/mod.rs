//! Being built.

pub mod arguments;
pub mod header;
