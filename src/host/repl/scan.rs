//! The tokens of a text of Rhai, also of a broken or an unfinished one.
//!
//! The engine's own tokenizer is out of reach, and gives up at the first slip. This one has a token for every byte, so that
//! what is typed can be colored and completed, and says what is still open at the end.
//!
//! ```
//! use masctl::host::repl::scan::{Kind, Open, scan};
//!
//! let text = "users::get(`a${name";
//! let scan = scan(text);
//! let kinds: Vec<Kind> = scan.tokens.iter().map(|token| token.kind).collect();
//! assert_eq!(
//!     kinds,
//!     [Kind::Namespace, Kind::Operator, Kind::Call, Kind::Open, Kind::Text, Kind::Open, Kind::Name]
//! );
//! let open: Vec<Open> = scan.open.iter().map(|opened| opened.what).collect();
//! assert_eq!(open, [Open::Bracket("("), Open::Text('`'), Open::Bracket("${")]);
//! assert_eq!(scan.closing(), "}`)");
//! ```

mod scanner;

use std::ops::Range;

pub use scanner::Scanner;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// White space, line ends among it.
    Space,
    /// A comment, from its `//` or `/*` to its end.
    Comment,
    /// A comment that documents what follows: `///`, `//!` or `/**`.
    Doc,
    /// A string with its quotes. One in backticks is a token up to each `${`, and one from each `}` that ends such a part.
    Text,
    /// A character in single quotes.
    Char,
    /// A number without its sign.
    Number,
    /// A word that the language is built of, `this` and `true` among them.
    Keyword,
    /// A word that Rhai keeps for later: no name.
    Reserved,
    /// A name before `::`.
    Namespace,
    /// A name before `(`: of a function, or behind a `.`, of a method.
    Call,
    /// Any other name: of a variable, or behind a `.`, of a property.
    Name,
    /// An operator, or punctuation such as `;`, `.` and `::`.
    Operator,
    /// `(`, `[`, `?[`, `{`, `#{`, or the `${` in a string.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// A character that means nothing.
    Unknown,
}

/// A part of a text that belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
}

impl Token {
    /// Its bytes.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// What is written there in the text that was scanned.
    #[must_use]
    pub fn text(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// Whether it is code: neither white space nor a comment.
    #[must_use]
    pub const fn is_code(self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment | Kind::Doc)
    }
}

/// Something that wants an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// A bracket: `(`, `[`, `{`, `#{`, `?[`, or the `${` in a string.
    Bracket(&'static str),
    /// A string or a character in these quotes. Only one in backticks may have line ends.
    Text(char),
    /// A string or a character in these quotes whose last is a backslash. A line end may follow where the quotes are `"`.
    Escaped(char),
    /// A raw string with so many `#`.
    Raw(usize),
    /// So many comments in one another.
    Comment(usize),
    /// A comment that the line ends.
    Line,
}

/// Something that was begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What it is.
    pub what: Open,
    /// The byte at which it begins.
    pub at: usize,
}

/// The tokens of a text, and what is open behind the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Every byte of the text is in one of them, in order.
    pub tokens: Vec<Token>,
    /// What is open, the innermost last.
    pub open: Vec<Opened>,
}

impl Scan {
    /// The string or comment that the text ends in: there nothing that is typed is code.
    #[must_use]
    pub fn inside(&self) -> Option<Opened> {
        let last = self.open.last().copied();
        last.filter(|opened| !matches!(opened.what, Open::Bracket(_)))
    }

    /// The token that a byte belongs to.
    #[must_use]
    pub fn token_at(&self, byte: usize) -> Option<Token> {
        let index = self.tokens.partition_point(|token| token.end <= byte);
        self.tokens.get(index).copied()
    }

    /// The bracket that belongs to the one that begins at a byte.
    #[must_use]
    pub fn partner(&self, byte: usize) -> Option<Token> {
        let mut stack = Vec::new();
        for token in &self.tokens {
            match token.kind {
                Kind::Open => stack.push(*token),
                Kind::Close => {
                    let open = stack.pop()?;
                    if open.start == byte {
                        return Some(*token);
                    }
                    if token.start == byte {
                        return Some(open);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// What ends all that is open, if it is written behind the text.
    #[must_use]
    pub fn closing(&self) -> String {
        let mut closing = String::new();
        for Opened { what, .. } in self.open.iter().rev() {
            match *what {
                Open::Bracket(bracket) => closing.push(closing_of(bracket)),
                Open::Text(quote) => closing.push(quote),
                // The backslash takes the meaning of the first.
                Open::Escaped(quote) => closing.extend([quote, quote]),
                Open::Raw(hashes) => {
                    closing.push('"');
                    closing.extend(std::iter::repeat_n('#', hashes));
                }
                Open::Comment(levels) => {
                    // Rhai does not take `/**/` for closed.
                    closing.push(' ');
                    closing.extend(std::iter::repeat_n("*/", levels));
                }
                Open::Line => closing.push('\n'),
            }
        }
        closing
    }
}

/// Takes a text apart, in time linear in its length.
#[must_use]
pub fn scan(text: &str) -> Scan {
    let mut scanner = Scanner::new(text);
    let tokens = scanner.by_ref().collect();
    Scan {
        tokens,
        open: scanner.open().to_vec(),
    }
}

fn closing_of(bracket: &str) -> char {
    match bracket {
        "(" => ')',
        "[" | "?[" => ']',
        _ => '}',
    }
}

#[cfg(test)]
mod tests;
