//! Where in a text something is wrong.

use std::{ops::Range, sync::Arc};

/// A place in a text: a script, a header, a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// What the text is called, usually a path.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// The bytes meant.
    pub span: Range<usize>,
    /// The number of its first line: 1, unless the text is a part of a longer one.
    pub first_line: usize,
}

impl Excerpt {
    /// Marks `span` in `text`; a span outside of the text is moved to its end.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>, span: Range<usize>) -> Self {
        let text = text.into();
        let end = span.end.min(text.len());
        let start = span.start.min(end);
        Self {
            name: name.into(),
            text,
            span: start..end,
            first_line: 1,
        }
    }

    /// The same place in a longer text of this name, of whose lines the first of this one has this number.
    #[must_use]
    pub fn within(self, name: impl Into<String>, first_line: usize) -> Self {
        Self {
            name: name.into(),
            first_line,
            ..self
        }
    }

    /// The line and column of the start, both from 1, the column in characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.text.as_bytes()[..self.span.start];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = before.split(|&byte| byte == b'\n').count();
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        (self.first_line.saturating_sub(1).saturating_add(line), column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let excerpt = Excerpt::new("x", "á\nñandú = 1", 8..9);
        assert_eq!(excerpt.line_and_column(), (2, 5));
        assert_eq!(Excerpt::new("x", "ab", 9..12).line_and_column(), (1, 3));
        assert_eq!(excerpt.within("y", 41).line_and_column(), (42, 5));
    }
}
