//! What the line editor asks while somebody types: how an input looks, how it can go on, and whether it is whole.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
};

use rustyline::{
    Context, GraphemeClusterMode, Helper,
    completion::{Completer, Pair},
    config::CompletionType,
    highlight::{CmdKind, Highlighter},
    hint::{Hint, Hinter},
    validate::{ValidationContext, ValidationResult, Validator},
};
use unicode_width::UnicodeWidthStr;

use super::{
    super::terminal::{one_line, printable, terminal_width},
    highlight,
    keys::Keys,
};
use crate::host::repl::entry::{self, Shape};

/// Beyond so many bytes, nothing is told while somebody types.
const LONGEST: usize = highlight::LONGEST;

/// Who knows how an input can go on.
pub(super) trait Suggest: Send {
    /// How the text before the cursor can go on.
    fn candidates(&self, text: &str, cursor: usize) -> Suggestions;

    /// What is told of how the text can go on: what would be written, which the right arrow takes over, and what is only
    /// told.
    fn hint(&self, text: &str, cursor: usize) -> Option<(String, String)>;
}

/// What can take the place of what is typed, from a byte on up to the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Suggestions {
    pub(super) start: usize,
    pub(super) candidates: Vec<Suggestion>,
}

/// What can take the place of what is typed, and how it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) replacement: String,
    pub(super) shown: String,
}

/// Knows nothing.
#[derive(Debug)]
pub(super) struct Silent;

impl Suggest for Silent {
    fn candidates(&self, _: &str, _: usize) -> Suggestions {
        Suggestions::default()
    }

    fn hint(&self, _: &str, _: usize) -> Option<(String, String)> {
        None
    }
}

/// The line editor's helper.
pub(super) struct Assistant {
    pub(super) color: bool,
    pub(super) widths: GraphemeClusterMode,
    pub(super) keys: Keys,
    pub(super) suggest: RefCell<Box<dyn Suggest>>,
    /// The columns that the last line of the prompt takes.
    pub(super) prompt_width: Cell<usize>,
    /// Whether nothing is typed.
    pub(super) is_empty: Cell<bool>,
    /// The byte of the cursor, where the bracket at it is marked.
    marked: Cell<Option<usize>>,
}

impl Assistant {
    pub(super) fn new(color: bool, widths: GraphemeClusterMode, keys: Keys) -> Self {
        Self {
            color,
            widths,
            keys,
            suggest: RefCell::new(Box::new(Silent)),
            prompt_width: Cell::new(0),
            is_empty: Cell::new(true),
            marked: Cell::new(None),
        }
    }

    /// The columns that are free behind the end of an input.
    fn room(&self, line: &str) -> usize {
        let columns = terminal_width().unwrap_or(80);
        let last = line.rsplit('\n').next().map_or(0, UnicodeWidthStr::width);
        let before = if line.contains('\n') {
            0
        } else {
            self.prompt_width.get()
        };
        (columns - (before + last) % columns).saturating_sub(1)
    }
}

impl Helper for Assistant {}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match entry::shape(context.input()) {
            Shape::Incomplete => ValidationResult::Incomplete,
            Shape::Blank | Shape::Meta | Shape::Whole => ValidationResult::Valid(None),
        })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        highlight::shown(line, self.marked.get(), self.color, self.widths)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.color {
            format!("\x1b[90m{hint}\x1b[0m").into()
        } else {
            hint.into()
        }
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        candidate.into()
    }

    fn highlight_char(&self, line: &str, cursor: usize, kind: CmdKind) -> bool {
        let is_marked = self.color && kind != CmdKind::ForcedRefresh && highlight::is_at_pair(line, cursor);
        self.marked.set(is_marked.then_some(cursor));
        is_marked || (self.color && kind == CmdKind::Other && line.len() <= LONGEST)
    }
}

/// What is told behind the end of an input.
pub(super) struct Told {
    shown: String,
    /// What the right arrow takes over.
    rest: Option<String>,
}

impl Hint for Told {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.rest.as_deref()
    }
}

impl Hinter for Assistant {
    type Hint = Told;

    fn hint(&self, line: &str, cursor: usize, _: &Context<'_>) -> Option<Told> {
        self.is_empty.set(line.is_empty());
        if self.keys.take_too_long() {
            let most = entry::LONGEST / 1024;
            let shown = fitted(&format!("  (pasted text not taken: over {most} KiB)"), self.room(line));
            return Some(Told { shown, rest: None });
        }
        if line.len() > LONGEST || cursor < line.len() {
            return None;
        }
        let (rest, note) = self.suggest.borrow().hint(line, cursor)?;
        let shown = fitted(&format!("{rest}{note}"), self.room(line));
        // What is not seen is not taken over.
        let rest = Some(rest).filter(|rest| !rest.is_empty() && shown.starts_with(rest.as_str()));
        Some(Told { shown, rest })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if line.len() > LONGEST {
            return Ok((cursor, Vec::new()));
        }
        let found = self.suggest.borrow().candidates(line, cursor);
        let columns = terminal_width().unwrap_or(80).saturating_sub(3);
        let pair = |suggestion: Suggestion| Pair {
            display: fitted(&suggestion.shown, columns),
            replacement: suggestion.replacement,
        };
        Ok((
            found.start.min(cursor),
            found.candidates.into_iter().map(pair).collect(),
        ))
    }
}

/// A text on one line that cannot steer the terminal, cut to so many columns.
fn fitted(text: &str, columns: usize) -> String {
    let text = one_line(&printable(text)).into_owned();
    if text.width() <= columns {
        return text;
    }
    let mut fitting = String::new();
    for character in text.chars() {
        fitting.push(character);
        if fitting.width() >= columns {
            fitting.pop();
            break;
        }
    }
    if columns > 0 {
        fitting.push('…');
    }
    fitting
}

#[cfg(test)]
mod tests {
    use rustyline::{completion::Candidate, history::MemHistory};

    use super::*;

    struct Knowing;

    impl Suggest for Knowing {
        fn candidates(&self, _: &str, cursor: usize) -> Suggestions {
            let shown = "users::get(user)\x1b  Get\nit".to_owned();
            Suggestions {
                start: cursor + 1,
                candidates: vec![Suggestion {
                    replacement: "users::get(".to_owned(),
                    shown,
                }],
            }
        }

        fn hint(&self, _: &str, _: usize) -> Option<(String, String)> {
            Some(("get(".to_owned(), "user)  Get it".to_owned()))
        }
    }

    #[test]
    fn what_is_suggested_is_one_line_that_does_not_steer() {
        let assistant = Assistant::new(false, GraphemeClusterMode::WcWidth, Keys::default());
        let history = MemHistory::new();
        let context = Context::new(&history);
        assert!(assistant.hint("a", 1, &context).is_none());
        *assistant.suggest.borrow_mut() = Box::new(Knowing);
        let (start, pairs) = assistant.complete("us", 2, &context).unwrap();
        assert_eq!((start, pairs[0].display()), (2, "users::get(user)\\u{1b}  Get\\nit"));
        let told = assistant.hint("users::", 7, &context).unwrap();
        assert_eq!((told.display(), told.completion()), ("get(user)  Get it", Some("get(")));
        assert!(assistant.hint("users::", 3, &context).is_none());
        assert!(
            assistant
                .hint(&"x".repeat(LONGEST + 1), LONGEST + 1, &context)
                .is_none()
        );
    }

    #[test]
    fn what_is_told_fits() {
        assert_eq!(fitted("abcdef", 6), "abcdef");
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("漢字漢", 4), "漢…");
        assert_eq!(fitted("abc", 0), "");
    }
}
