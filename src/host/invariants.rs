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

fn places_are_in_their_texts(error: &Error) {
    for Excerpt { text, span, .. } in error.excerpts() {
        assert!(
            text.get(span.clone()).is_some(),
            "{span:?} is no part of the text: {error}"
        );
    }
}
