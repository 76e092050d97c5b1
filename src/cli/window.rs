//! The lines around a place in a text, as an error shows them: short, and without what steers a terminal.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::terminal::printable;
use crate::error::Excerpt;

/// How many bytes of a line are shown before and behind what is meant, and of that itself.
const AROUND: usize = 200;

/// The line of a place, with the one before it and the one behind it.
#[derive(Debug)]
pub(super) struct Window {
    name: String,
    text: String,
    /// What is meant, in `text`.
    pub(super) span: Range<usize>,
    /// The line that `text` begins with, from 0.
    first: usize,
    /// Line and column of what is meant, from 0.
    place: (usize, usize),
}

impl Window {
    pub(super) fn new(excerpt: &Excerpt) -> Self {
        let (line, column) = excerpt.line_and_column();
        let (start, end) = (excerpt.span.start, excerpt.span.end);
        let source = &excerpt.text;
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let end = end.clamp(start, line_end);
        let mut text = String::new();
        let has_before = line_start > 0;
        if has_before {
            let before = source[..line_start - 1].rsplit('\n').next().unwrap_or_default();
            text.push_str(&cut_end(before));
            text.push('\n');
        }
        text.push_str(&cut_start(&source[line_start..start]));
        let from = text.len();
        text.push_str(&cut_end(&source[start..end]));
        let span = from..text.len();
        text.push_str(&cut_end(&source[end..line_end]));
        text.push('\n');
        let behind = source.get(line_end + 1..).filter(|rest| !rest.is_empty());
        if let Some(next) = behind.and_then(|rest| rest.split('\n').next()) {
            text.push_str(&cut_end(next));
            text.push('\n');
        }
        Self {
            name: printable(&excerpt.name).replace('\n', "\\n"),
            text,
            span,
            first: line - 1 - usize::from(has_before),
            place: (line - 1, column - 1),
        }
    }
}

/// The start of a line.
fn cut_end(line: &str) -> String {
    let end = line.floor_char_boundary(AROUND);
    let more = if end < line.len() { "…" } else { "" };
    shown(&line[..end]) + more
}

/// The end of what stands in a line before a place.
fn cut_start(line: &str) -> String {
    let start = line.ceil_char_boundary(line.len().saturating_sub(AROUND));
    let more = if start > 0 { "…" } else { "" };
    format!("{more}{}", shown(&line[start..]))
}

fn shown(text: &str) -> String {
    let text = text.strip_suffix('\r').unwrap_or(text);
    text.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let name = self.name.clone();
        // Without context it is asked where the place is.
        let contents = if before == 0 && after == 0 {
            let range = span.offset()..span.offset() + span.len();
            let bytes = self.text.as_bytes().get(range).ok_or(MietteError::OutOfBounds)?;
            MietteSpanContents::new_named(name, bytes, *span, self.place.0, self.place.1, 1)
        } else {
            let lines = self.text.lines().count();
            MietteSpanContents::new_named(
                name,
                self.text.as_bytes(),
                (0..self.text.len()).into(),
                self.first,
                0,
                lines,
            )
        };
        Ok(Box::new(contents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str, span: Range<usize>) -> (String, String, usize) {
        let window = Window::new(&Excerpt::new("x.rhai", text, span));
        let meant = window.text[window.span.clone()].to_owned();
        (window.text, meant, window.first)
    }

    #[test]
    fn the_lines_beside_it_are_shown() {
        let text = "one\r\ntwo é three\n\u{1b}four\nfive\n";
        assert_eq!(
            window(text, 9..11),
            ("one\ntwo é three\n\\u{1b}four\n".to_owned(), "é".to_owned(), 0)
        );
        assert_eq!(window("a", 1..1), ("a\n".to_owned(), String::new(), 0));
        assert_eq!(window("a\nb\n", 4..4), ("b\n\n".to_owned(), String::new(), 1));
        assert_eq!(window("a\nb\n", 0..4).1, "a");
        let part = Window::new(&Excerpt::new("x", "a\nb", 0..1).within("y", 7));
        assert_eq!((part.first, part.place), (6, (6, 0)));
        let part = Window::new(&Excerpt::new("x", "a\nb", 2..3).within("y", 7));
        assert_eq!((part.first, part.place), (6, (7, 0)));
    }

    #[test]
    fn long_lines_are_cut_around_it() {
        let text = format!("{}x{}", "é".repeat(1000), "é".repeat(1000));
        let (shown, meant, _) = window(&text, 2000..2001);
        assert_eq!(meant, "x");
        let sides = "é".repeat(AROUND / 2);
        assert_eq!(shown, format!("…{sides}x{sides}…\n"));
    }
}
