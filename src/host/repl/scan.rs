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

use std::ops::Range;

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
        open: scanner.open,
    }
}

/// The tokens of a text, one after the other.
#[derive(Clone, Debug)]
pub struct Scanner<'text> {
    text: &'text str,
    at: usize,
    open: Vec<Opened>,
}

const KEYWORDS: [&str; 25] = [
    "as", "break", "catch", "const", "continue", "do", "else", "export", "false", "fn", "for", "if", "import", "in",
    "let", "loop", "private", "return", "switch", "this", "throw", "true", "try", "until", "while",
];

const RESERVED: [&str; 27] = [
    "async",
    "await",
    "case",
    "default",
    "eval",
    "go",
    "goto",
    "is",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "protected",
    "public",
    "shared",
    "spawn",
    "static",
    "super",
    "sync",
    "thread",
    "use",
    "var",
    "void",
    "with",
    "yield",
];

/// Longer ones before those that they begin with.
const OPERATORS: [&str; 36] = [
    "**=", "...", "..=", "<<=", ">>=", "===", "!==", "**", "..", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "==",
    "!=", "<=", ">=", "<<", ">>", "&&", "||", "|>", "<|", "??", "?.", "=>", "->", "<-", ":=", "::", "++", "--",
];

impl<'text> Scanner<'text> {
    /// Begins at the start of a text.
    #[must_use]
    pub const fn new(text: &'text str) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
        }
    }

    /// What is open behind the last token, the innermost last.
    #[must_use]
    pub fn open(&self) -> &[Opened] {
        &self.open
    }

    fn rest(&self) -> &'text str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn bytes(&self) -> &'text [u8] {
        self.rest().as_bytes()
    }

    fn starts_with(&self, start: &str) -> bool {
        self.rest().starts_with(start)
    }

    /// Passes over what `is_part` says of each character.
    fn skip(&mut self, is_part: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|character| !is_part(character)).unwrap_or(rest.len());
    }

    /// Passes over one character, and returns it.
    fn take(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn push(&mut self, what: Open, at: usize) {
        self.open.push(Opened { what, at });
    }

    fn kind(&mut self) -> Option<Kind> {
        if self.open.last().is_some_and(|opened| opened.what == Open::Text('`')) {
            return Some(if self.starts_with("${") {
                self.bracket("${", self.at)
            } else {
                self.part_of_text()
            });
        }
        let start = self.at;
        let first = self.rest().chars().next()?;
        Some(match (first, self.bytes().get(1)) {
            ('/', Some(b'/')) => self.line_comment(start),
            ('/', Some(b'*')) => self.block_comment(start),
            ('"' | '\'', _) => self.quoted(first, start),
            ('#', Some(b'"' | b'#')) => self.raw(start),
            ('`', _) => {
                self.at += 1;
                self.push(Open::Text('`'), start);
                self.part_of_text()
            }
            ('#', Some(b'{')) => self.bracket("#{", start),
            ('?', Some(b'[')) => self.bracket("?[", start),
            ('(', _) => self.bracket("(", start),
            ('[', _) => self.bracket("[", start),
            ('{', _) => self.bracket("{", start),
            (')' | ']' | '}', _) => self.close(first),
            ('0'..='9', _) => self.number(),
            _ if first == '_' || first.is_alphabetic() => self.word(start),
            _ if first.is_ascii_whitespace() => {
                self.skip(|character| character.is_ascii_whitespace());
                Kind::Space
            }
            _ => self.operator(),
        })
    }

    fn line_comment(&mut self, start: usize) -> Kind {
        let is_doc = (self.starts_with("///") && !self.starts_with("////")) || self.starts_with("//!");
        self.skip(|character| character != '\n' && character != '\r');
        if self.rest().is_empty() {
            self.push(Open::Line, start);
        }
        if is_doc { Kind::Doc } else { Kind::Comment }
    }

    fn block_comment(&mut self, start: usize) -> Kind {
        let is_doc = self.starts_with("/**") && !self.starts_with("/***");
        // Rhai takes the second star for a part of the start: `/**/` is not closed.
        self.at += if self.starts_with("/**") { 3 } else { 2 };
        let mut levels = 1_usize;
        while levels > 0 {
            let rest = self.bytes();
            let Some(next) = rest.iter().position(|byte| matches!(byte, b'/' | b'*')) else {
                self.at = self.text.len();
                self.push(Open::Comment(levels), start);
                break;
            };
            match (rest[next], rest.get(next + 1)) {
                (b'/', Some(b'*')) => {
                    levels += 1;
                    self.at += next + 2;
                }
                (b'*', Some(b'/')) => {
                    levels -= 1;
                    self.at += next + 2;
                }
                _ => self.at += next + 1,
            }
        }
        if is_doc { Kind::Doc } else { Kind::Comment }
    }

    /// A string or character up to its quote, or up to the end of its line.
    fn quoted(&mut self, quote: char, start: usize) -> Kind {
        self.at += 1;
        loop {
            match self.take() {
                None => {
                    self.push(Open::Text(quote), start);
                    break;
                }
                Some('\\') if self.rest().is_empty() => {
                    self.push(Open::Escaped(quote), start);
                    break;
                }
                Some('\n') => {
                    self.at -= 1;
                    break;
                }
                Some('\\') if !self.starts_with("\n") && !self.starts_with("\r\n") => drop(self.take()),
                // The line goes on in the next.
                Some('\\') if quote == '"' => self.at += if self.starts_with("\n") { 1 } else { 2 },
                Some(character) if character == quote => {
                    // Twice it is one of the text's. An empty character is a slip.
                    if !self.rest().starts_with(quote) || (quote == '\'' && self.at == start + 2) {
                        break;
                    }
                    self.at += 1;
                }
                Some(_) => {}
            }
        }
        if quote == '"' { Kind::Text } else { Kind::Char }
    }

    fn raw(&mut self, start: usize) -> Kind {
        self.skip(|character| character == '#');
        let hashes = self.at - start;
        if !self.starts_with("\"") {
            return Kind::Unknown;
        }
        self.at += 1;
        let mut seen = None;
        for (index, byte) in self.bytes().iter().enumerate() {
            seen = match (byte, seen) {
                (b'"', _) => Some(0),
                (b'#', Some(count)) if count + 1 == hashes => {
                    self.at += index + 1;
                    return Kind::Text;
                }
                (b'#', Some(count)) => Some(count + 1),
                _ => None,
            };
        }
        self.at = self.text.len();
        self.push(Open::Raw(hashes), start);
        Kind::Text
    }

    /// Goes on in a string in backticks, behind its quote or behind a `}`.
    fn part_of_text(&mut self) -> Kind {
        loop {
            let rest = self.bytes();
            let Some(next) = rest.iter().position(|byte| matches!(byte, b'`' | b'$' | b'\\')) else {
                self.at = self.text.len();
                break;
            };
            self.at += next;
            if self.starts_with("${") {
                break;
            } else if self.starts_with("\\${") {
                self.at += 3;
            } else if self.starts_with("``") {
                self.at += 2;
            } else if self.starts_with("`") {
                self.at += 1;
                self.open.pop();
                break;
            } else {
                self.at += 1;
            }
        }
        Kind::Text
    }

    fn bracket(&mut self, bracket: &'static str, start: usize) -> Kind {
        self.at += bracket.len();
        self.push(Open::Bracket(bracket), start);
        Kind::Open
    }

    /// One that nothing fits leaves open what is open.
    fn close(&mut self, closing: char) -> Kind {
        self.at += 1;
        let is_expected = |opened: &Opened| matches!(opened.what, Open::Bracket(it) if closing_of(it) == closing);
        if self.open.last().is_some_and(is_expected) {
            self.open.pop();
            Kind::Close
        } else {
            Kind::Unknown
        }
    }

    fn number(&mut self) -> Kind {
        let is_zero = self.starts_with("0");
        self.at += 1;
        if is_zero {
            self.skip(|character| character == '_');
            if let Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B') = self.bytes().first() {
                let is_hex = self.starts_with("x") || self.starts_with("X");
                self.at += 1;
                let radix = if is_hex { 16 } else { 10 };
                self.skip(|character| character == '_' || character.is_digit(radix));
                return Kind::Number;
            }
        }
        let (mut has_point, mut has_exponent) = (false, false);
        loop {
            self.skip(|character| character == '_' || character.is_ascii_digit());
            let (first, second) = (self.bytes().first(), self.rest().chars().nth(1));
            match (first, second) {
                (Some(b'.'), Some('_' | '.')) => break,
                (Some(b'.'), Some(second)) if !has_point && !second.is_alphabetic() => {
                    has_point = true;
                    self.at += 1;
                }
                (Some(b'e' | b'E'), Some('0'..='9')) if !has_exponent => {
                    (has_exponent, has_point) = (true, true);
                    self.at += 1;
                }
                (Some(b'e' | b'E'), Some('+' | '-')) if !has_exponent => {
                    (has_exponent, has_point) = (true, true);
                    self.at += 2;
                }
                _ => break,
            }
        }
        Kind::Number
    }

    fn word(&mut self, start: usize) -> Kind {
        self.skip(|character| character == '_' || character.is_alphanumeric());
        let word = &self.text[start..self.at];
        let next = self.rest().trim_start_matches([' ', '\t']);
        if KEYWORDS.contains(&word) {
            Kind::Keyword
        } else if RESERVED.contains(&word) {
            Kind::Reserved
        } else if next.starts_with("::") {
            Kind::Namespace
        } else if next.starts_with('(') {
            Kind::Call
        } else {
            Kind::Name
        }
    }

    fn operator(&mut self) -> Kind {
        if self.starts_with("!in") {
            let behind = self.rest()[3..].chars().next();
            if !behind.is_some_and(|character| character == '_' || character.is_alphanumeric()) {
                self.at += 3;
                return Kind::Operator;
            }
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| self.starts_with(operator)) {
            self.at += operator.len();
            return Kind::Operator;
        }
        match self.take() {
            Some(character) if "+-*/%=<>!&|^~.,:;?@$#".contains(character) => Kind::Operator,
            _ => Kind::Unknown,
        }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        if start >= self.text.len() {
            return None;
        }
        let kind = self.kind()?;
        Some(Token {
            kind,
            start,
            end: self.at,
        })
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
