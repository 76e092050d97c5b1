//! A program in a terminal, as a person sees it: what a window shows after all that moves the cursor.

use std::{
    fs,
    num::NonZero,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rexpect::{
    process::WaitStatus,
    reader::Options,
    session::{PtySession, spawn_with_options},
};
use tempfile::NamedTempFile;
use vt100::Parser;

/// How long a person waits for what they expect to see. A machine that is busy takes a while.
const PATIENCE: Duration = Duration::from_mins(1);

/// So high that nothing scrolls out of it.
const ROWS: u16 = 400;

/// A window with a running program.
pub(crate) struct Window {
    session: PtySession,
    screen: Parser,
    /// All that the program has written.
    written: Vec<u8>,
    terminal: NamedTempFile,
    /// What this run shows, and what stands for it in what is returned.
    placeholders: Vec<(String, String)>,
}

impl Window {
    /// Starts `command`, which sees only the environment that it was given, in a window of so many columns.
    pub(crate) fn open(command: &Command, columns: u16) -> Self {
        let terminal = NamedTempFile::new().expect("a temporary file");
        let mut shell = Command::new("/bin/sh");
        let script = format!(r#"tty >"$1" && stty cols {columns} rows {ROWS} echo && shift && exec "$@""#);
        shell.args(["-c", &script, "window"]).arg(terminal.path());
        shell.arg(command.get_program()).args(command.get_args()).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        let session = spawn_with_options(shell, Options::new()).expect("the system has pseudo-terminals");
        Self {
            session,
            screen: Parser::new(cells(ROWS), cells(columns), 0),
            written: Vec::new(),
            terminal,
            placeholders: Vec::new(),
        }
    }

    /// Has what this run shows be returned as something that is the same in each run.
    pub(crate) fn replace(&mut self, shown: &str, placeholder: &str) {
        self.placeholders.push((shown.to_owned(), placeholder.to_owned()));
    }

    /// The path of the terminal.
    pub(crate) fn terminal(&self) -> PathBuf {
        let path = fs::read_to_string(self.terminal.path()).expect("the file is there");
        PathBuf::from(path.trim())
    }

    /// Makes the window so wide.
    pub(crate) fn resize(&mut self, columns: u16) {
        self.take();
        let done = Command::new("stty")
            .arg("-F")
            .arg(self.terminal())
            .args(["cols", &columns.to_string()])
            .status();
        assert!(done.expect("there is stty").success());
        self.screen.screen_mut().set_size(cells(ROWS), cells(columns));
    }

    /// Types keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.session
            .send(keys)
            .and_then(|_| self.session.flush())
            .expect("the terminal is open");
    }

    /// Types an input at the prompt and presses Enter, waits for the next prompt, and returns what is seen from the first
    /// to the second.
    pub(crate) fn enter(&mut self, input: &str) -> String {
        let from = self.row();
        self.press(input);
        self.press("\r");
        self.prompt_below(from)
    }

    /// Presses keys at the prompt and waits for the next one.
    pub(crate) fn press_for_prompt(&mut self, keys: &str) -> String {
        let from = self.row();
        self.press(keys);
        self.prompt_below(from)
    }

    /// Waits for a prompt below a row, and returns what is seen from there to it.
    pub(crate) fn prompt_below(&mut self, from: u16) -> String {
        self.wait("the prompt", |window| window.row() > from && window.is_at_prompt());
        let to = self.row();
        let shown = self.rows(from, to);
        self.with_placeholders(&shown)
    }

    /// Presses keys at the prompt that have something listed, waits until the same input stands below it again up to the
    /// cursor, and returns what is seen from the first to the second.
    pub(crate) fn press_for_line(&mut self, keys: &str, line: &str) -> String {
        let from = self.row();
        self.press(keys);
        self.wait(line, |window| window.row() > from && window.line() == line);
        let to = self.row();
        let shown = self.rows(from, to);
        self.with_placeholders(&shown)
    }

    /// Waits for the first prompt, and returns what is seen up to it and of it.
    pub(crate) fn first_prompt(&mut self) -> String {
        self.wait("the first prompt", Self::is_at_prompt);
        let to = self.row();
        let shown = self.rows(0, to + 1);
        self.with_placeholders(&shown)
    }

    /// Waits until this stands between the prompt and the cursor.
    pub(crate) fn until_line(&mut self, line: &str) {
        self.wait(line, |window| window.line() == line);
    }

    /// Waits until the window shows this anywhere.
    pub(crate) fn see(&mut self, text: &str) {
        self.wait(text, |window| window.text().contains(text));
    }

    /// Waits until the window shows this below a row.
    pub(crate) fn see_below(&mut self, from: u16, text: &str) {
        self.wait(text, |window| window.rows(from + 1, ROWS).contains(text));
    }

    /// Waits until it is so.
    pub(crate) fn wait(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        loop {
            self.take();
            if is_so(self) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "`{what}` was not seen:\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the window shows.
    pub(crate) fn text(&self) -> String {
        let shown = self.rows(0, ROWS);
        self.with_placeholders(&shown)
    }

    /// All that the program has written, with what moves the cursor.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// The row of the cursor.
    pub(crate) fn row(&self) -> u16 {
        self.screen.screen().cursor_position().0
    }

    /// What stands in the line of the cursor, from the prompt to the cursor. What is told behind it is no part of it.
    fn line(&self) -> String {
        let screen = self.screen.screen();
        let (row, column) = screen.cursor_position();
        let shown = screen.rows(0, column).nth(row.into()).unwrap_or_default();
        let line = format!("{shown:width$}", width = column.into());
        line.split_once("> ").map_or(line.as_str(), |(_, rest)| rest).to_owned()
    }

    fn is_at_prompt(&self) -> bool {
        let (row, column) = self.screen.screen().cursor_position();
        let line = self.rows(row, row + 1);
        line.trim_end().ends_with('>') && line.trim_end().chars().count() + 1 == usize::from(column)
    }

    /// The rows from one on and before another, without the empty ones at the end.
    fn rows(&self, from: u16, to: u16) -> String {
        let screen = self.screen.screen();
        let rows = screen.rows(0, screen.size().1.get());
        let rows = rows.skip(from.into()).take(to.saturating_sub(from).into());
        let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        let text = rows.join("\n");
        let text = text.trim_end_matches('\n');
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        }
    }

    fn with_placeholders(&self, text: &str) -> String {
        let replaced = |text: String, (shown, placeholder): &(String, String)| text.replace(shown, placeholder);
        self.placeholders.iter().fold(text.to_owned(), replaced)
    }

    /// Takes what was written meanwhile.
    fn take(&mut self) {
        let mut bytes = Vec::new();
        while let Some(character) = self.session.try_read() {
            // What is read are bytes.
            bytes.push(u8::try_from(character).expect("a byte"));
        }
        self.written.extend_from_slice(&bytes);
        self.screen.process(&bytes);
    }

    /// Waits for the end: what the window shows then, and the exit code, or 128 and the signal.
    pub(crate) fn end(mut self) -> (String, i32) {
        let start = Instant::now();
        let status = loop {
            self.take();
            match self.session.process().status() {
                Some(WaitStatus::StillAlive) => {}
                Some(status) => break status,
                None => panic!("the program is no child of this process"),
            }
            assert!(start.elapsed() < PATIENCE, "the program did not end:\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        };
        // All of it was written when it ended, and the reader comes to the end of it.
        let rest = self.session.exp_eof().expect("the terminal is closed");
        let bytes: Vec<u8> = rest
            .chars()
            .filter_map(|character| u8::try_from(character).ok())
            .collect();
        self.screen.process(&bytes);
        let code = match status {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            other => panic!("the program did not end: {other:?}"),
        };
        (self.text(), code)
    }
}

fn cells(number: u16) -> NonZero<u16> {
    NonZero::new(number).expect("a window has cells")
}
