//! An input taken apart: its imports and functions stand at the top level of a script, its statements in `main`.

use std::ops::Range;

use crate::host::repl::scan::{Kind, Token, scan};

/// Words that begin a statement which its last block ends.
const BLOCKS: [&str; 8] = ["{", "do", "for", "if", "loop", "switch", "try", "while"];

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An import, by what it is called by.
    Import(String),
    /// A function, by its name and by what tells it from others: its type, its name, and how much it takes.
    Function(String, String),
    /// A statement, which needs a semicolon behind it or not.
    Statement {
        /// Whether it does.
        open: bool,
    },
}

/// A part of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<'text> {
    pub(super) what: What,
    /// The comments before it.
    pub(super) lead: &'text str,
    /// Itself, without a semicolon.
    pub(super) body: &'text str,
}

impl Part<'_> {
    pub(super) const fn is_statement(&self) -> bool {
        matches!(self.what, What::Statement { .. })
    }

    /// Whether the code mentions a name, be it in a text: a function can be called by that.
    pub(super) fn mentions(&self, name: &str) -> bool {
        let tokens = scan(self.body).tokens;
        let written = |token: &Token| token.text(self.body).trim_matches(['"', '`']) == name;
        tokens.iter().any(|token| token.is_code() && written(token))
    }

    /// Whether it ends an input before its end: by `return` or `exit`, but not those of its closures.
    pub(super) fn leaves(&self) -> bool {
        let code = Code::new(self.body);
        let mut closures: Vec<bool> = Vec::new();
        for at in 0..code.tokens.len() {
            match code.tokens[at].kind {
                Kind::Open => closures.push(matches!(code.before(at), "|" | "||")),
                Kind::Close => {
                    closures.pop();
                }
                Kind::Keyword if code.text(at) == "return" && !closures.contains(&true) => return true,
                Kind::Call if code.text(at) == "exit" && !matches!(code.before(at), "." | "?." | "::") => return true,
                _ => {}
            }
        }
        false
    }

    /// Where `_` means the last value.
    pub(super) fn last_values(&self) -> Vec<Range<usize>> {
        let code = Code::new(self.body);
        let all = 0..code.tokens.len();
        let meant = all.filter(|&at| code.text(at) == "_" && !matches!(code.text(at + 1), "=>" | "if"));
        meant.map(|at| code.tokens[at].range()).collect()
    }
}

/// The code of a text, without white space and comments.
struct Code<'text> {
    text: &'text str,
    tokens: Vec<Token>,
}

impl<'text> Code<'text> {
    fn new(text: &'text str) -> Self {
        let tokens = scan(text).tokens.into_iter().filter(|token| token.is_code());
        Self {
            text,
            tokens: tokens.collect(),
        }
    }

    fn text(&self, at: usize) -> &'text str {
        self.tokens.get(at).map_or("", |token| token.text(self.text))
    }

    fn before(&self, at: usize) -> &'text str {
        at.checked_sub(1).map_or("", |before| self.text(before))
    }

    /// The first token at or behind `at` that is one of these and in no bracket, or the end.
    fn find(&self, mut at: usize, wanted: &[&str]) -> usize {
        let mut depth = 0_usize;
        while at < self.tokens.len() {
            if depth == 0 && wanted.contains(&self.text(at)) {
                return at;
            }
            match self.tokens[at].kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// The token behind the block that begins at or behind `at`.
    fn behind_block(&self, at: usize) -> usize {
        let open = self.find(at, &["{"]);
        (self.find(open + 1, &["}"]) + 1).min(self.tokens.len())
    }

    /// What the statement that begins here is, and the token behind it.
    fn statement(&self, at: usize) -> (What, usize) {
        let first = self.text(at);
        let is_function = first == "fn" || (first == "private" && self.text(at + 1) == "fn");
        if is_function {
            return self.function(at);
        }
        if first == "import" {
            let end = self.find(at, &[";"]);
            let alias = (at..end).find(|&at| self.text(at) == "as").map(|at| self.text(at + 1));
            return (What::Import(alias.unwrap_or_default().to_owned()), end);
        }
        if !BLOCKS.contains(&first) {
            return (What::Statement { open: true }, self.find(at, &[";"]));
        }
        let mut end = self.behind_block(at);
        while matches!(self.text(end), "else" | "catch") {
            end = self.behind_block(end);
        }
        if first == "do" {
            return (What::Statement { open: true }, self.find(end, &[";"]));
        }
        (What::Statement { open: false }, end)
    }

    fn function(&self, at: usize) -> (What, usize) {
        let open = self.find(at, &["("]);
        let close = self.find(open + 1, &[")"]);
        let params = (open + 1..close).filter(|&at| self.text(at) != ",").count();
        let start = if self.text(at) == "fn" { at + 1 } else { at + 2 };
        let called: String = (start..open).map(|at| self.text(at)).collect();
        let name = self.before(open).to_owned();
        let end = self.behind_block(close);
        (What::Function(name, format!("{called}/{params}")), end)
    }
}

/// The parts of an input that Rhai takes, and the comments behind the last.
pub(super) fn parts(text: &str) -> (Vec<Part<'_>>, &str) {
    let code = Code::new(text);
    let mut parts = Vec::new();
    let (mut at, mut from) = (0, 0);
    while let Some(first) = code.tokens.get(at) {
        if code.text(at) == ";" {
            // What stands before a semicolon that ends nothing belongs to what comes.
            if text[from..first.start].trim().is_empty() {
                from = first.end;
            }
            at += 1;
            continue;
        }
        let (what, end) = code.statement(at);
        let behind = code.tokens[end - 1].end;
        parts.push(Part {
            what,
            lead: text[from..first.start].trim().trim_start_matches(';').trim(),
            body: &text[first.start..behind],
        });
        from = behind;
        at = end;
        if code.text(at) == ";" {
            from = code.tokens[at].end;
            at += 1;
        }
    }
    (parts, text[from..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let (parts, rest) = parts(text);
        let mut shown: Vec<_> = parts
            .iter()
            .map(|part| {
                let what = match &part.what {
                    What::Import(alias) => format!("import {alias}"),
                    What::Function(name, key) => format!("fn {name} {key}"),
                    What::Statement { open: true } => "open".to_owned(),
                    What::Statement { open: false } => "block".to_owned(),
                };
                format!("{what}: {}[{}]", part.lead, part.body)
            })
            .collect();
        if !rest.is_empty() {
            shown.push(format!("rest: {rest}"));
        }
        shown
    }

    #[test]
    fn an_input_is_taken_apart() {
        for (text, expected) in [
            ("1 + 1", &["open: [1 + 1]"][..]),
            ("let a = 1; a", &["open: [let a = 1]", "open: [a]"]),
            (";; a;;", &["open: [a]"]),
            ("// x\nlet a = #{ b: 1; };", &["open: // x[let a = #{ b: 1; }]"]),
            ("a // sum", &["open: [a]", "rest: // sum"]),
            (
                "if a { 1 } else if b { 2 } else { 3 } f()",
                &["block: [if a { 1 } else if b { 2 } else { 3 }]", "open: [f()]"],
            ),
            (
                "for x in [1, #{ a: 2 }] { x } try { a } catch (e) { b } c",
                &[
                    "block: [for x in [1, #{ a: 2 }] { x }]",
                    "block: [try { a } catch (e) { b }]",
                    "open: [c]",
                ],
            ),
            ("do { a } while b; c", &["open: [do { a } while b]", "open: [c]"]),
            (
                "let f = |x| { x; };f.call(1)",
                &["open: [let f = |x| { x; }]", "open: [f.call(1)]"],
            ),
            (
                "import \"std/lines\" as l; l::x()",
                &["import l: [import \"std/lines\" as l]", "open: [l::x()]"],
            ),
            (
                "/// Doc\nprivate fn f(a, b) { a; b } fn User.g() { 1 } f(1, 2)",
                &[
                    "fn f f/2: /// Doc[private fn f(a, b) { a; b }]",
                    "fn g User.g/0: [fn User.g() { 1 }]",
                    "open: [f(1, 2)]",
                ],
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_leaves_and_what_the_last_value_is_used_by() {
        let leaves = |text: &str| parts(text).0.iter().any(Part::leaves);
        for text in ["return 1", "if a { return }", "exit()", "[1].map(|x| exit(x))"] {
            assert!(leaves(text), "{text}");
        }
        for text in [
            "a.map(|x| { return x; })",
            "a.map(|| { if b { return 1 } })",
            "\"return\"",
            "a.exit()",
            "x.return_it",
        ] {
            assert!(!leaves(text), "{text}");
        }
        let uses = |text: &str| parts(text).0.iter().map(|part| part.last_values().len()).sum::<usize>();
        assert_eq!(uses("_.len() + `${_}`.len()"), 2);
        assert_eq!(uses("switch _ { 1 => _, _ if true => 2, _ => 3 }"), 2);
        assert_eq!(uses("let a_ = _b"), 0);
    }
}
