//! A shell beside this process that clears up what the tests started, however this process ends.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

/// Starts `shell`, a command of `/bin/sh`, with a script and its arguments. A `read -r _` in the script ends when this
/// process is gone, and with it the other end of the shell's standard input. The shell has a process group of its own:
/// Ctrl-C in a terminal ends this process, not the one that clears up after it.
pub(crate) fn start(mut shell: Command, script: &str, arguments: &[&OsStr]) -> Child {
    shell
        .arg("-c")
        .arg(format!("trap '' HUP INT TERM; {script}"))
        .arg("masctl-tests")
        .args(arguments)
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("/bin/sh runs")
}
