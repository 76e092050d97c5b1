//! A program in a pseudo-terminal of 80 columns and 24 rows, with a person's fingers and eyes.

use std::{io::Write, process::Command};

use nix::sys::signal::Signal;
use rexpect::{
    process::WaitStatus,
    reader::Options,
    session::{PtySession, spawn_with_options},
};

/// How long a person waits for what they expect to see, in milliseconds.
const PATIENCE: u64 = 20_000;

/// A running program.
pub(crate) struct Terminal {
    session: PtySession,
}

impl Terminal {
    /// Starts `command`, which sees only the environment that it was given: that of a sandbox.
    ///
    /// Colors and cursor movements are left out of what is seen.
    pub(crate) fn start(command: &Command) -> Self {
        Self::start_with(command, 80, true)
    }

    /// The same in a window of as many columns, and with all control sequences if `plain` is false.
    pub(crate) fn start_with(command: &Command, columns: u16, plain: bool) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args([
            "-c",
            &format!(r#"stty cols {columns} rows 24 && exec "$@""#),
            "terminal",
        ]);
        shell.arg(command.get_program()).args(command.get_args()).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        let options = Options::new().timeout_ms(Some(PATIENCE)).strip_ansi_escape_codes(plain);
        let session = spawn_with_options(shell, options).expect("the system has pseudo-terminals");
        Self { session }
    }

    /// Waits for `text` and returns what was seen before it.
    pub(crate) fn see(&mut self, text: &str) -> String {
        self.session
            .exp_string(text)
            .unwrap_or_else(|error| panic!("`{text}` was not seen: {error}"))
    }

    /// Types `line` and presses Enter.
    pub(crate) fn enter(&mut self, line: &str) {
        self.session.send_line(line).expect("the terminal is open");
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.session.process_mut().signal(signal).expect("it is there");
    }

    /// Types an answer to a prompt that reads keys: there Enter is a carriage return.
    pub(crate) fn answer(&mut self, text: &str) {
        self.press(&format!("{text}\r"));
    }

    /// Types `text` without Enter: keys such as `\x1b[B` (down) too.
    pub(crate) fn press(&mut self, text: &str) {
        self.session
            .send(text)
            .and_then(|_| self.session.flush())
            .expect("the terminal is open");
    }

    /// Types bytes that need not be text.
    pub(crate) fn press_bytes(&mut self, bytes: &[u8]) {
        let mut keys = self.session.process().get_file_handle().expect("the terminal is open");
        keys.write_all(bytes).expect("the terminal is open");
    }

    /// Waits for the end: what was seen until then, and the exit code, or 128 and the signal.
    pub(crate) fn end(mut self) -> (String, i32) {
        let rest = self
            .session
            .exp_eof()
            .unwrap_or_else(|error| panic!("the program did not end: {error}"));
        let code = match self
            .session
            .process()
            .wait()
            .expect("the program is a child of this process")
        {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            other => panic!("the program did not end: {other:?}"),
        };
        (rest, code)
    }
}
