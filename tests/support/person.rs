//! What a person at a terminal does and finds.

use std::process::Command;

use super::{sandbox::Sandbox, store::OpenStore};

/// Names the process, runs masctl in it, and says what became of it and of the terminal.
const WATCHED: &str = r#"
    before=$(stty -g)
    sh -c 'echo "process $$."; exec "$@"' sh "$@"
    echo "exit $?"
    if [ "$before" = "$(stty -g)" ]; then echo "terminal as before"; fi"#;

pub(crate) const ESCAPE: &str = "\x1b";
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_D: &str = "\x04";

/// masctl with these arguments, in a shell that names its process, and says what became of it and of the terminal.
pub(crate) fn watched(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command("/bin/sh");
    command
        .args(["-c", WATCHED, "sh", env!("CARGO_BIN_EXE_masctl")])
        .args(arguments);
    command.env("MASCTL_FIXED_WORLD", "7");
    command
}

/// The rows that some SQL returns, one line each.
pub(crate) fn rows(store: &OpenStore, sql: &str) -> Vec<String> {
    store.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}
