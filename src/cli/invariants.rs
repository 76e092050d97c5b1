//! What holds of every text that a stranger may write, as functions that panic where it does not: one for each target of
//! `fuzz/`, which seeks inputs that break them. They are public for it; tests run its seeds through them.

use std::path::Path;

use super::{
    failure::{self, Style},
    script_command,
};
use crate::{error::Error, host::invariants};

/// A script: its header is read or refused at a place in it, clap takes the command of a header that is read, and neither
/// help nor error steers a terminal.
///
/// # Panics
/// Where that does not hold.
pub fn of_header(input: &[u8]) {
    match invariants::of_header(input) {
        Ok(script) => {
            let mut command = script_command::command(&script, false);
            command.build();
            let help = command.render_long_help().to_string();
            assert!(!help.contains(steers), "the help steers the terminal");
        }
        Err(error) => is_drawn_well(&error),
    }
}

/// The path of an import, and on a second line the module beside the script that imports it: no file outside of the folder
/// is read. Returns the text of the module.
///
/// # Panics
/// Where an error is not as it should be.
#[must_use]
pub fn of_module_path(folder: &Path, input: &str) -> Option<String> {
    let (path, importer) = match input.split_once('\n') {
        Some((path, importer)) => (path, Some(importer)),
        None => (input, None),
    };
    match invariants::module_text(folder, importer, path) {
        Ok(text) => Some(text),
        Err(error) => {
            is_drawn_well(&error);
            None
        }
    }
}

/// A text behind four bytes, which are a line and a column: the place of it is a place in the text, and is drawn.
///
/// # Panics
/// Where that does not hold.
pub fn of_position(input: &[u8]) {
    let Some((&[a, b, c, d], text)) = input.split_first_chunk() else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else { return };
    if let Some(error) = invariants::of_position(text, u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])) {
        is_drawn_well(&error);
    }
}

/// What is typed at the prompt: its tokens cover it, what is open can be closed, and its inputs end.
///
/// # Panics
/// Where that does not hold.
pub fn of_input(input: &str) {
    invariants::of_scan(input);
}

/// An error is drawn shortly, and nothing of it steers a terminal.
fn is_drawn_well(error: &Error) {
    let style = Style {
        color: false,
        width: 80,
        causes: true,
    };
    let text = failure::report(error, style);
    assert!(text.len() < 16 * 1024, "the report has {} bytes", text.len());
    assert!(!text.contains(steers), "the report steers the terminal: {text:?}");
}

fn steers(char: char) -> bool {
    (char.is_control() && !"\n\t".contains(char)) || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
