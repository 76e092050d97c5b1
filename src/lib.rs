//! masctl: the scriptable operator console for Matrix Authentication Service (MAS).
//!
//! # One picture
//!
//! ```text
//! argv ─ cli ─ host ─ script (.rhai) ─ primitives ─ operations ─ storage ─ PostgreSQL | SQLite
//!                                                       └─────── homeserver ─ Synapse
//! ```
//!
//! A command is: read the script's header, build the clap command, parse argv, open a [`operations::Run`], call the
//! script's `main(args)`, commit (or roll back in a dry run), send the effects, render what came back, exit.
//!
//! # Layers
//!
//! An arrow means "may import"; nothing imports upward. `tests/architecture.rs` enforces it.
//!
//! ```text
//! main → cli → host → primitives → operations → { storage, homeserver, password } → { model, config, console, capability, error }
//! ```
//!
//! - `rhai` only in [`host`] and [`primitives`]; `sqlx` only in [`storage`], and as derives in [`model`]; the HTTP
//!   client only in [`homeserver`]; `clap` and the terminal only in [`cli`].
//! - A primitive checks its capability, calls one operation and converts; MAS's rules are in [`operations`].
//! - SQL is written once for both databases where it can be. What differs is in `storage/dialect.rs`, or, where that is
//!   a few words, beside the rest of its statement.
//! - Clock and randomness are handed out by [`operations::World`], never taken.
//! - A secret is a `SecretString` from the moment it is read to the moment it is hashed or revealed.
//!
//! # Where does it go?
//!
//! | what | where |
//! |---|---|
//! | a new command | `scripts/manage/<verb-noun>.rhai`, its transcript `tests/manage/<verb-noun>.md`, and what it leaves in the database, `tests/contract/<verb-noun>.md` |
//! | something a script can do | a function in `primitives/<noun>.rs` over one in `operations/<noun>.rs` |
//! | a statement | `storage/<noun>.rs`; a list and its filter, over `storage/select.rs` |
//! | a type that scripts see | `model/<noun>.rs`, its fields in `primitives/fields/` |
//! | a dialog, or what two scripts share | `stdlib/<noun>.rhai` |

pub mod capability;
pub mod cli;
pub mod config;
pub mod console;
pub mod error;
pub mod homeserver;
pub mod host;
pub mod model;
pub mod operations;
pub mod password;
pub mod primitives;
pub mod storage;

#[cfg(all(feature = "fixed-world", not(debug_assertions)))]
compile_error!(
    "the feature fixed-world makes ids and tokens predictable: it is for tests only, never for a release build"
);
