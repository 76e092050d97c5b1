//! Where a script failed: the innermost place first, then its callers, each in its own file.

use std::ops::Range;

use rhai::{EvalAltResult, ParseError, Position};

use super::{modules::Modules, script::Script};
use crate::{
    error::{Code, Error, Excerpt},
    primitives::{error_of, place_of},
};

/// The module that says what must be true in a test.
const ASSERTIONS: &str = "std/assert";

/// The error that running a script ended in, with the places in its text.
pub(super) fn of_running(error: &EvalAltResult, script: &Script, modules: &Modules) -> Error {
    let failed = error_of(error);
    if !failed.excerpts().is_empty() || !failed.code().concerns_the_script() {
        return failed;
    }
    located(failed, error, script, modules, |_| true)
}

/// The error that a test ended in. Where in the test is always of interest: below the places in a script that it ran, and
/// in place of those in the module that says what must be true.
pub(super) fn of_test(error: &EvalAltResult, script: &Script, modules: &Modules) -> Error {
    let failed = error_of(error);
    if failed.code() == Code::RunInterrupted {
        return failed;
    }
    let is_assertion = failed.code() == Code::TestFailed;
    located(failed, error, script, modules, |file| {
        !is_assertion || file != ASSERTIONS
    })
}

/// Adds the places of an error in the files that are of interest.
fn located(
    mut failed: Error,
    error: &EvalAltResult,
    script: &Script,
    modules: &Modules,
    is_of_interest: impl Fn(&str) -> bool,
) -> Error {
    let mut places = Vec::new();
    let (mut file, mut at) = (script.label.clone(), error);
    // A frame's position is in its caller's file; the file it names is the callee's.
    while let EvalAltResult::ErrorInFunctionCall(_, callee, inner, position)
    | EvalAltResult::ErrorInModule(callee, inner, position) = at
    {
        places.push((file.clone(), *position));
        if !callee.is_empty() {
            file.clone_from(callee);
        }
        at = inner;
    }
    match place_of(at) {
        Some((known, position)) => places.push((known.unwrap_or(file), position)),
        None => places.push((file, at.position())),
    }
    // What a native function calls is called from the place where that is called itself.
    places.dedup();
    places.retain(|(file, _)| is_of_interest(file));
    for (file, position) in places.into_iter().rev() {
        let text = if file == script.label {
            Some(script.source.clone())
        } else {
            modules.text(&file)
        };
        if let Some((text, span)) = text.and_then(|text| span(&text, position).map(|span| (text, span))) {
            failed = failed.at(Excerpt::new(file, text, span));
        }
    }
    failed
}

/// The error that parsing a script ended in.
pub(super) fn of_parsing(error: &ParseError, label: &str, source: &str) -> Error {
    let failed = Error::new(Code::ScriptSyntax, error.err_type().to_string());
    match span(source, error.position()) {
        Some(span) => failed.at(Excerpt::new(label, source, span)),
        None => failed.at(Excerpt::new(label, source, source.len()..source.len())),
    }
}

/// The bytes of the word at a position, which counts lines and characters from 1.
pub(super) fn span(text: &str, position: Position) -> Option<Range<usize>> {
    let (line, column) = (position.line()?, position.position().unwrap_or(1));
    // The engine counts no further: what is behind that would be shown at a wrong place.
    if line.max(column) >= usize::from(u16::MAX) {
        return None;
    }
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let line = text.get(start..)?.split('\n').next()?;
    let offset = line
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(line.len(), |(offset, _)| offset);
    // A call that is qualified is reported at its name, without its namespace.
    let of_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let before = line[..offset].trim_end_matches(of_word).len();
    let rest = &line[offset..];
    let word = rest.find(|c: char| !of_word(c)).unwrap_or(rest.len());
    if word == 0 {
        return Some(start + offset..start + offset + rest.chars().next().map_or(0, char::len_utf8));
    }
    Some(start + before..start + offset + word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters() {
        let text = "let á = 1;\nlet ñ = users::gett(\"é\");";
        let at = |line, column| span(text, Position::new(line, column)).map(|range| &text[range]);
        assert_eq!(at(2, 9), Some("users::gett"));
        assert_eq!(at(2, 16), Some("users::gett"));
        assert_eq!(at(1, 5), Some("á"));
        assert_eq!(at(1, 7), Some("="));
        assert_eq!(at(2, 200), Some(""));
        assert_eq!(at(9, 1), Some(""), "past the end");
        assert_eq!(span(text, Position::NONE), None);
        let long = "a".repeat(70_000);
        assert_eq!(span(&long, Position::new(1, u16::MAX)), None, "counted no further");
    }
}
