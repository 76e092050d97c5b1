//! What a person at a terminal sees, and what the programs see of the terminal.

use crate::support::{sandbox::Sandbox, terminal::Terminal};

/// Whoever starts the tests in the background has them ignore Ctrl-C, which a shell could not undo by itself.
fn shell(sandbox: &Sandbox, script: &str) -> Terminal {
    let mut command = sandbox.command("/usr/bin/env");
    command.args(["--default-signal=INT", "/bin/sh", "-c", script]);
    Terminal::start(&command)
}

#[test]
fn a_person_types_and_reads_the_answer() {
    let sandbox = Sandbox::new();
    let mut terminal = shell(
        &sandbox,
        r#"printf 'name? '; read -r name; echo "got $name"; stty size; exit 3"#,
    );
    assert_eq!(terminal.see("name? "), "");
    terminal.enter("alice");
    assert_eq!(terminal.see("got alice"), "");
    assert_eq!(terminal.end(), ("\r\n24 80\r\n".to_owned(), 3));
}

#[test]
fn ctrl_c_ends_a_program_that_does_not_catch_it() {
    let sandbox = Sandbox::new();
    let mut terminal = shell(&sandbox, "echo ready; sleep 60");
    terminal.see("ready");
    terminal.press("\x03");
    assert_eq!(terminal.end().1, 130);
}
