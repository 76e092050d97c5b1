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
//! - What a script names is opened below a folder that is held open, by `cap_std`: its modules in [`host`], the files that
//!   it was granted in [`operations`].
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
//! | a dialog, or what two scripts share | `stdlib/<noun>.rhai`, its test beside it |
//! | the test of a script | functions `test_…` in `NAME.test.rhai` beside it |
//! | what such a test can make or do | `primitives/testing.rs` over `operations/testing/`, and a name for it in `stdlib/fixture.rhai` or `stdlib/assert.rhai` |
//! | a mistake that is found before a script runs | a rule in `host/check/finding.rs`, and a script that breaks it in `tests/check/wrong/` |
//! | a key of headers, or a type of parameters | `host/header/`; its values, `host/arguments/values.rs`; its options, `cli/script_command.rs` |
//! | a command that is no script | `cli/<noun>.rs`, its transcript `tests/cli/<noun>.md` |
//! | what the reference says | the doc comment of what it is about; how it is put together, `host/reference/`. `UPDATE=1` writes `docs/` anew |
//! | what is offered at the Tab key | `cli/completion/` |
//! | a task that operators have | `scripts/examples/<verb-noun>.rhai`, its test beside it |
//! | an attack | `tests/tampering/{refused,allowed}/<name>.rhai`; what must hold of every text, `host/invariants.rs` and `cli/invariants.rs`, and a target in `fuzz/` |

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
