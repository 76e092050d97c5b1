//! Being built.

mod matrix;
mod passwords;

pub use self::{
    matrix::{Kind as HomeserverKind, Matrix},
    passwords::{Algorithm, Passwords, Scheme},
};
