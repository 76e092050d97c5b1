//! Errors as the operator sees them: line 1 is `Error: <message>`; where it happened, and what to do, follow.

use std::{error::Error as StdError, fmt, fmt::Write};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, ThemeStyles};
use serde_json::{Value, json};

use super::terminal::{one_line, printable};
use crate::{
    error::{Error, Excerpt},
    host::check::{Finding, Severity},
};

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
    // What others named may have lines that look like another message.
    let mut text = format!("Error: {}\n", one_line(&printable(error.message())));
    for (at, excerpt) in error.excerpts().iter().enumerate() {
        let title = if at == 0 { error.code().as_str() } else { "called from" };
        draw(&mut text, &Place::new(title, excerpt), style);
    }
    for part in error.parts() {
        for excerpt in part.excerpts() {
            draw(
                &mut text,
                &Place::new(&one_line(&printable(part.message())), excerpt),
                style,
            );
        }
        help(&mut text, part.help_text());
    }
    help(&mut text, error.help_text());
    if style.causes {
        let mut cause = error.source();
        while let Some(this) = cause {
            let _ = writeln!(text, "  caused by: {}", printable(&this.to_string()));
            cause = this.source();
        }
    }
    text
}

/// What a check found as text.
pub(super) fn finding(finding: &Finding, style: Style) -> String {
    let severity = match finding.severity() {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    let mut text = format!("{severity}: {}\n", one_line(&printable(&finding.message)));
    draw(&mut text, &Place::new(finding.rule.as_str(), &finding.excerpt), style);
    help(&mut text, finding.help.as_deref());
    text
}

/// Draws a place. Writing to a text cannot fail; a place that cannot be drawn is left out.
fn draw(text: &mut String, place: &Place, style: Style) {
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
    let _ = handler.render_report(text, place);
}

fn help(text: &mut String, help: Option<&str>) {
    if let Some(help) = help {
        let _ = writeln!(text, "  help: {}", printable(help).replace('\n', "\n        "));
    }
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
    title: String,
    source: NamedSource<String>,
    span: LabeledSpan,
}

impl Place {
    fn new(title: &str, excerpt: &Excerpt) -> Self {
        Self {
            title: title.to_owned(),
            source: NamedSource::new(&excerpt.name, excerpt.text.to_string()),
            span: LabeledSpan::underline(excerpt.span.clone()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
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
    fn the_lines_of_the_help_stand_below_each_other() {
        let error = Error::new(Code::ScriptFailed, "2 lines are wrong").help("line 2: a\nline 3: b");
        let style = Style {
            color: false,
            width: 80,
            causes: false,
        };
        let expected = "Error: 2 lines are wrong\n  help: line 2: a\n        line 3: b\n";
        assert_eq!(report(&error, style), expected);
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
