//! Errors as the operator sees them: line 1 is `Error: <message>`; where it happened, and what to do, follow.

use std::{error::Error as StdError, fmt, fmt::Write};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, ThemeStyles};
use serde_json::{Value, json};

use super::terminal::{one_line, printable};
use crate::error::{Error, Excerpt};

/// How an error is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Whether stderr is a terminal that wants color.
    pub(super) color: bool,
    /// Columns of the terminal.
    pub(super) width: usize,
    /// Whether the chain of causes is shown.
    pub(super) causes: bool,
}

/// The error as text.
pub(super) fn report(error: &Error, style: Style) -> String {
    // Writing to a text cannot fail; a place that cannot be drawn is left out.
    // What others named may have lines that look like another message.
    let mut text = format!("Error: {}\n", one_line(&printable(error.message())));
    if !error.excerpts().is_empty() {
        let theme = GraphicalTheme {
            characters: miette::ThemeCharacters::unicode(),
            styles: if style.color {
                ThemeStyles::ansi()
            } else {
                ThemeStyles::none()
            },
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(style.width)
            .with_context_lines(1)
            .with_links(false);
        for (at, excerpt) in error.excerpts().iter().enumerate() {
            let title = if at == 0 { error.code().as_str() } else { "called from" };
            let _ = handler.render_report(&mut text, &Place::new(title, excerpt));
        }
    }
    if let Some(help) = error.help_text() {
        let _ = writeln!(text, "  help: {}", printable(help));
    }
    if style.causes {
        let mut cause = error.source();
        while let Some(this) = cause {
            let _ = writeln!(text, "  caused by: {}", printable(&this.to_string()));
            cause = this.source();
        }
    }
    text
}

/// The error as one JSON object.
pub(super) fn json(error: &Error) -> Value {
    let at = error.excerpts().first().map(|excerpt| {
        let (line, column) = excerpt.line_and_column();
        json!({"file": excerpt.name, "line": line, "column": column})
    });
    json!({"error": {
        "code": error.code().as_str(),
        "message": error.message(),
        "help": error.help_text(),
        "data": error.values(),
        "at": at,
    }})
}

/// One place of an error.
#[derive(Debug)]
struct Place {
    title: &'static str,
    source: NamedSource<String>,
    span: LabeledSpan,
}

impl Place {
    fn new(title: &'static str, excerpt: &Excerpt) -> Self {
        Self {
            title,
            source: NamedSource::new(&excerpt.name, excerpt.text.to_string()),
            span: LabeledSpan::underline(excerpt.span.clone()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

impl StdError for Place {}

impl Diagnostic for Place {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.span.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Code, host::header::Header};

    #[test]
    fn a_message_is_one_line() {
        let error = Error::new(Code::UserNotFound, "User not found: a\nError: b\u{1b}");
        let style = Style {
            color: false,
            width: 80,
            causes: false,
        };
        assert_eq!(report(&error, style), "Error: User not found: a\\nError: b\\u{1b}\n");
    }

    #[test]
    fn a_wrong_header_shows_its_yaml_line() {
        let source = "//! Lock an account\n//! ---\n//! parms: {}\nfn main(args) {}\n";
        let error = Header::parse("lock.rhai", source).unwrap_err();
        let style = Style {
            color: false,
            width: 80,
            causes: false,
        };
        let expected = "\
Error: A header has no key `parms`
  × header.invalid
   ╭─[lock.rhai:3:5]
 2 │ //! ---
 3 │ //! parms: {}
   ·     ─────
 4 │ fn main(args) {}
   ╰────
  help: Did you mean `params`?
";
        assert_eq!(report(&error, style), expected);
    }
}
