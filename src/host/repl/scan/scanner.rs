//! Where one token ends and the next begins, as the engine's tokenizer has it.

use super::{Kind, Open, Opened, Token, closing_of};

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
