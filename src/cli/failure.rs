//! Errors as the operator sees them: line 1 is `Error: <message>`; where it happened, and what to do, follow.

use std::{error::Error as StdError, fmt, fmt::Write};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeStyles};
use serde_json::{Value, json};

use super::{
    terminal::{one_line, printable},
    window::Window,
};
use crate::{
    error::{Error, Excerpt, shortened},
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

/// The most characters of one text: a script may put whatever it has into its errors.
const LONGEST: usize = 2_000;

/// The most places that are drawn.
const MOST_PLACES: usize = 8;

/// The error as text.
pub(super) fn report(error: &Error, style: Style) -> String {
    // What others named may have lines that look like another message.
    let mut text = format!(
        "Error: {}\n",
        one_line(&printable(&shortened(error.message(), LONGEST)))
    );
    let places = error.excerpts();
    let hidden = places.len().saturating_sub(MOST_PLACES);
    for (at, excerpt) in places.iter().enumerate() {
        // A recursion has been called from where it began, too.
        if hidden > 0 && at + 1 >= MOST_PLACES && at + 1 < places.len() {
            if at + 1 == MOST_PLACES {
                let _ = writeln!(text, "  … {hidden} more calls …");
            }
            continue;
        }
        let title = if at == 0 { error.code().as_str() } else { "called from" };
        draw(&mut text, &Place::new(title, excerpt), style);
    }
    for part in error.parts() {
        for excerpt in part.excerpts() {
            draw(
                &mut text,
                &Place::new(&one_line(&printable(&shortened(part.message(), LONGEST))), excerpt),
                style,
            );
        }
        help(&mut text, part.help_text());
    }
    help(&mut text, error.help_text());
    if style.causes {
        let mut cause = error.source();
        while let Some(this) = cause {
            let _ = writeln!(
                text,
                "  caused by: {}",
                printable(&shortened(&this.to_string(), LONGEST))
            );
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
    // Of a file that cannot be read there is nothing to draw.
    if !finding.excerpt.text.is_empty() {
        draw(&mut text, &Place::new(finding.rule.as_str(), &finding.excerpt), style);
    }
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
        "message": shortened(error.message(), LONGEST),
        "help": error.help_text().map(|help| shortened(help, LONGEST)),
        "data": short(&Value::Object(error.values().clone())),
        "at": at,
    }})
}

fn short(value: &Value) -> Value {
    match value {
        Value::String(text) => shortened(text, LONGEST).into(),
        Value::Array(items) => items.iter().map(short).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), short(value)))
            .collect(),
        other => other.clone(),
    }
}

/// One place of an error.
#[derive(Debug)]
struct Place {
    title: String,
    source: Window,
    span: LabeledSpan,
}

impl Place {
    fn new(title: &str, excerpt: &Excerpt) -> Self {
        let source = Window::new(excerpt);
        Self {
            title: title.to_owned(),
            span: LabeledSpan::underline(source.span.clone()),
            source,
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
