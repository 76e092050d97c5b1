//! How long a session takes to its first prompt, in a real pseudo-terminal: from the start of the process to the bytes of
//! the prompt.

use std::{
    env,
    ffi::OsStr,
    io::{Read, Write},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use rexpect::process::PtyProcess;
use rustyline::DefaultEditor;

use crate::{
    Plan,
    measures::WARM_UP,
    scenes::{Embedded, OnPostgres},
    support::sandbox::Sandbox,
    table::{Figures, Report, Target},
};

/// The first argument that makes this binary show a prompt and do nothing else.
pub(crate) const FLAG: &str = "--prompt";

/// How long the first prompt may take, in milliseconds: of SQLite, and of a PostgreSQL on this machine.
const EMBEDDED: Target = Target::Most(50.0);
const POSTGRES: Target = Target::Most(80.0);

/// How every prompt ends.
const END: &str = "> ";

/// Shows a prompt, and ends at whatever is typed.
pub(crate) fn show() -> ExitCode {
    let shown = DefaultEditor::new().and_then(|mut editor| editor.readline(&format!("READ{END}")));
    drop(shown);
    ExitCode::SUCCESS
}

/// The first prompt on the embedded store, on PostgreSQL and in a sandbox. The floor is a prompt without anything else.
pub(crate) fn first(plan: &Plan, report: &mut Report) {
    let embedded = Embedded::new();
    measure(
        plan,
        report,
        "first prompt, embedded store",
        &embedded.sandbox,
        &[],
        EMBEDDED,
    );
    let postgres = OnPostgres::with_users("bench_prompt", 1000);
    measure(
        plan,
        report,
        "first prompt, PostgreSQL",
        &postgres.sandbox,
        &[],
        POSTGRES,
    );
    let empty = Sandbox::new();
    measure(
        plan,
        report,
        "first prompt, --sandbox",
        &empty,
        &["--sandbox"],
        EMBEDDED,
    );
}

fn measure(plan: &Plan, report: &mut Report, name: &str, sandbox: &Sandbox, options: &[&str], target: Target) {
    let own = env::current_exe().expect("a process knows its binary");
    let (mut masctl, mut floor) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + plan.runs {
        let session = || {
            time(
                sandbox,
                env!("CARGO_BIN_EXE_masctl").as_ref(),
                &[&["repl"], options].concat(),
            )
        };
        let bare = || time(sandbox, own.as_os_str(), &[FLAG]);
        let (one, other) = if number.is_multiple_of(2) {
            let one = session();
            (one, bare())
        } else {
            let other = bare();
            (session(), other)
        };
        if number >= WARM_UP {
            masctl.push(one);
            floor.push(other);
        }
    }
    report.add(name, &Figures::times(&masctl), Some(&Figures::times(&floor)), target);
}

/// How long a program takes to its prompt, which is answered with Ctrl-D.
fn time(sandbox: &Sandbox, program: &OsStr, arguments: &[&str]) -> Duration {
    let mut command: Command = sandbox.command(program);
    command.args(arguments).env("TERM", "xterm-256color");
    let started = Instant::now();
    let process = PtyProcess::new(command).expect("the system has pseudo-terminals");
    let mut terminal = process.get_file_handle().expect("the terminal is open");
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    let taken = loop {
        let length = terminal.read(&mut buffer).unwrap_or_default();
        let shown = String::from_utf8_lossy(&seen).into_owned();
        assert!(length > 0, "{arguments:?} ended without a prompt: {shown}");
        seen.extend_from_slice(&buffer[..length]);
        if String::from_utf8_lossy(&seen).contains(END) {
            break started.elapsed();
        }
    };
    terminal.write_all(b"\x04").expect("the terminal is open");
    // Its end is an error on Linux.
    while terminal.read(&mut buffer).is_ok_and(|length| length > 0) {}
    taken
}
