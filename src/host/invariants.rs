//! What holds of every text that a stranger may write, as functions that panic where it does not.
//!
//! They are public for `fuzz/`, which seeks inputs that break them; tests run its seeds through them.

#![expect(clippy::expect_used, reason = "a panic is how they say what does not hold")]

use std::path::Path;

use rhai::Position;

use super::{
    diagnose,
    header::Header,
    modules::Modules,
    repl::{entry, scan},
    script::{self, Origin, Script},
};
use crate::error::{Code, Error, Excerpt, Result};

const LABEL: &str = "script.rhai";

/// The script whose text this is. Its header is read, or refused at a place in it; its outline says the same as the whole.
///
/// # Errors
/// Why it is none.
///
/// # Panics
/// Where that does not hold.
pub fn of_header(bytes: &[u8]) -> Result<Script> {
    let text = script::text_of(bytes, LABEL).map(|read| read.expect("bytes in memory can be read"));
    let header = text.and_then(|text| {
        let outlined = Header::outline(LABEL, &text);
        let header = Header::parse(LABEL, &text)?;
        let outline = outlined.expect("an outline refuses no more than the whole does");
        assert_eq!((&outline.about, &outline.details), (&header.about, &header.details));
        Ok(Script::with("script", LABEL, &text, header, Origin::Stdin))
    });
    header.inspect_err(places_are_in_their_texts)
}

/// The text of the module that a script in `folder` means by a path. `importer` is what the importing module itself is
/// imported by, if it is one.
///
/// # Errors
/// Why there is none.
///
/// # Panics
/// Where that is said of a place outside of the text.
pub fn module_text(folder: &Path, importer: Option<&str>, path: &str) -> Result<String> {
    let header = Header::parse(LABEL, "").expect("an empty header is one");
    let origin = Origin::File {
        folder: folder.to_owned(),
    };
    let modules = Modules::of(&Script::with("script", LABEL, "", header, origin));
    let importer = importer.and_then(|importer| modules.find(None, importer).ok());
    let found = modules.find(importer.as_ref().map(|source| &*source.label), path);
    found
        .map(|source| source.text.to_string())
        .inspect_err(places_are_in_their_texts)
}

/// The error at a position in a text: the place is a part of it.
///
/// # Panics
/// Where that does not hold.
#[must_use]
pub fn of_position(text: &str, line: u16, column: u16) -> Option<Error> {
    let position = match line {
        0 => Position::NONE,
        line => Position::new(line, column),
    };
    let span = diagnose::span(text, position)?;
    assert!(text.get(span.clone()).is_some(), "{span:?} is no part of the text");
    let place = Excerpt::new(LABEL, text, span);
    // What is behind the end is shown at the end.
    assert!(place.line_and_column().0 <= usize::from(line));
    Some(Error::new(Code::ScriptFailed, "It failed").at(place))
}

/// The tokens of a text, and where its inputs end: every byte is in one token, what is open can be closed, and the parser
/// takes nothing that is open.
///
/// # Panics
/// Where that does not hold.
pub fn of_scan(text: &str) {
    let scan = scan::scan(text);
    let mut end = 0;
    for token in &scan.tokens {
        assert_eq!(token.start, end, "a gap or an overlap in {text:?}");
        assert!(
            token.end > end && !token.text(text).is_empty(),
            "an empty token in {text:?}"
        );
        end = token.end;
    }
    assert_eq!(end, text.len(), "{text:?} is not covered");
    let closing = scan.closing();
    let closed = scan::scan(&format!("{text}{closing}"));
    assert_eq!(closed.open, [], "{text:?} is not closed by {closing:?}");

    if entry::parses(text) {
        let open = scan
            .open
            .iter()
            .find(|it| !matches!(it.what, scan::Open::Comment(_) | scan::Open::Line));
        assert_eq!(open, None, "the parser finds nothing open in {text:?}");
        let unknown = scan
            .tokens
            .iter()
            .find(|it| it.kind == scan::Kind::Unknown && it.text(text).is_ascii());
        assert_eq!(unknown, None, "the parser knows it in {text:?}");
    }
    // A line that begins with a backslash is no code: what is open is open in the last input.
    if let Some(last) = entry::inputs(text).last() {
        let whole = format!("{}{}\n;", last.text, scan::scan(last.text).closing());
        assert_ne!(entry::shape(&whole), entry::Shape::Incomplete, "{whole:?} never ends");
    }
    let (mut lines, mut rest) = (0, text);
    for input in entry::inputs(text) {
        assert!(input.line > lines, "the lines of {text:?} do not grow");
        lines = input.line;
        let at = rest.find(input.text).expect("an input is a part of the text");
        rest = &rest[at + input.text.len()..];
        assert!(
            rest.trim().is_empty() || input.shape != entry::Shape::Incomplete,
            "{text:?}"
        );
    }
}

fn places_are_in_their_texts(error: &Error) {
    for Excerpt { text, span, .. } in error.excerpts() {
        assert!(
            text.get(span.clone()).is_some(),
            "{span:?} is no part of the text: {error}"
        );
    }
}
