//! What one run of a program costs, exactly: wall time, CPU time, peak memory.
//!
//! The kernel tells a parent the peak memory of its largest child only, and a child starts its account with the memory
//! of the process that started it. So each run is started by a process of its own that is small: this binary, called
//! again with [`FLAG`].

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, Write},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

use crate::support::sandbox::Sandbox;

/// The first argument that makes this binary run one program and print what it cost.
pub(crate) const FLAG: &str = "--measure-one";

/// What one run of a program cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From before the program was started until it was gone.
    pub(crate) wall: Duration,
    /// In user and kernel mode, of all threads.
    pub(crate) cpu: Duration,
    /// The most memory that it had at once, in KiB.
    pub(crate) peak_kib: i64,
}

/// Runs masctl in the sandbox. A run that fails measures nothing, so it ends the benchmark.
pub(crate) fn masctl(sandbox: &Sandbox, arguments: &[&str]) -> Cost {
    run(sandbox, env!("CARGO_BIN_EXE_masctl"), arguments)
}

/// Has masctl complete the last of the words, as fish asks for it.
pub(crate) fn completion(sandbox: &Sandbox, words: &[&str]) -> Cost {
    let own = env::current_exe().expect("a process knows its binary");
    let mut command = sandbox.command(own);
    command.env("COMPLETE", "fish");
    measured(command, env!("CARGO_BIN_EXE_masctl"), &[&["--"], words].concat())
}

/// Runs a program in the sandbox.
pub(crate) fn run(sandbox: &Sandbox, program: impl AsRef<OsStr>, arguments: &[&str]) -> Cost {
    let own = env::current_exe().expect("a process knows its binary");
    measured(sandbox.command(own), program, arguments)
}

/// Runs a program as `own`, which is a call of this binary, sees its surroundings.
fn measured(mut own: Command, program: impl AsRef<OsStr>, arguments: &[&str]) -> Cost {
    let output = own
        .arg(FLAG)
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the benchmark's own binary starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} failed: {errors}");
    parse(&String::from_utf8_lossy(&output.stdout))
        .unwrap_or_else(|| panic!("{arguments:?} was not measured: {errors}"))
}

fn parse(line: &str) -> Option<Cost> {
    let mut numbers = line.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Cost {
        wall: Duration::from_micros(next()?),
        cpu: Duration::from_micros(next()?),
        peak_kib: i64::try_from(next()?).ok()?,
    })
}

/// Runs the program that the arguments name, and prints wall and CPU time in microseconds and peak memory in KiB.
pub(crate) fn measure_one(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let program = arguments.next().expect("the flag is followed by a program");
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .expect("the program starts");
    let wall = start.elapsed().as_micros();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts for every process");
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds();
    let printed = writeln!(io::stdout(), "{wall} {cpu} {}", usage.max_rss());
    if status.success() && printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
