//! The binary: argv in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    masctl::cli::main()
}
