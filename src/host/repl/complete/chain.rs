//! What stands before a dot or bracket: a value and what is looked up in it, read back from its end.

use super::code::Code;
use crate::host::repl::scan::Kind;

/// How many steps of a chain are followed.
const LONGEST: usize = 64;

/// Where a chain begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start<'text> {
    /// A variable.
    Variable(&'text str),
    /// A call of a function of a namespace or an import, or of one without.
    Call(&'text str, &'text str),
    /// A value of a type that is written down.
    Literal(&'static str),
    /// A map that is written down, with its keys.
    Map(Vec<&'text str>),
}

/// What is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step<'text> {
    Property(&'text str),
    Method(&'text str),
    /// An item by its number.
    At(i64),
    /// A value by its key.
    Key(&'text str),
    /// An item by something that is known only when it is run.
    Some,
}

/// A value and what is looked up in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain<'text> {
    pub(super) start: Start<'text>,
    pub(super) steps: Vec<Step<'text>>,
}

impl<'text> Chain<'text> {
    /// The chain that ends before the token at `end`.
    pub(super) fn before(code: &Code<'text>, end: usize) -> Option<Self> {
        Self::read(code, start(code, end)?, end)
    }

    /// The chain that these tokens are, all of them.
    pub(super) fn read(code: &Code<'text>, start: usize, end: usize) -> Option<Self> {
        let (start, mut at) = first(code, start, end)?;
        let mut steps = Vec::new();
        while at < end {
            if steps.len() == LONGEST {
                return None;
            }
            let (step, next) = step(code, at, end)?;
            steps.push(step);
            at = next;
        }
        Some(Self { start, steps })
    }
}

/// The first token of the chain that ends before the token at `end`.
fn start(code: &Code<'_>, end: usize) -> Option<usize> {
    let mut at = end;
    loop {
        let last = at.checked_sub(1)?;
        match code.kind(last)? {
            Kind::Close => {
                let open = code.partner_before(last)?;
                let is_behind_value = open.checked_sub(1).is_some_and(|before| is_value(code, before));
                match code.text(open) {
                    "(" if is_behind_value => at = open,
                    "[" | "?[" if is_behind_value => {
                        at = open;
                        continue;
                    }
                    "[" | "#{" => return Some(open),
                    _ => return None,
                }
                // The name of what is called.
                at = at.checked_sub(1)?;
            }
            Kind::Text | Kind::Char | Kind::Number => return Some(last),
            _ if is_value(code, last) => at = last,
            _ => return None,
        }
        match at.checked_sub(1).map(|before| (before, code.text(before))) {
            Some((before, "::")) => return before.checked_sub(1),
            Some((before, "." | "?.")) => at = before,
            _ => return Some(at),
        }
    }
}

/// Whether a value ends with this token.
fn is_value(code: &Code<'_>, at: usize) -> bool {
    match code.kind(at) {
        Some(Kind::Name | Kind::Call | Kind::Namespace | Kind::Close | Kind::Text | Kind::Char) => true,
        Some(Kind::Keyword) => matches!(code.text(at), "this" | "true" | "false" | "Fn"),
        _ => false,
    }
}

/// The value that a chain begins with, and the token behind it.
fn first<'text>(code: &Code<'text>, at: usize, end: usize) -> Option<(Start<'text>, usize)> {
    let text = code.text(at);
    Some(match code.kind(at)? {
        Kind::Namespace if code.text(at + 1) == "::" && code.text(at + 3) == "(" => {
            (Start::Call(text, code.text(at + 2)), code.partner(at + 3, end)? + 1)
        }
        Kind::Keyword if text == "Fn" => (Start::Literal("Fn"), code.partner(at + 1, end)? + 1),
        Kind::Call if code.text(at + 1) == "(" => (Start::Call("", text), code.partner(at + 1, end)? + 1),
        Kind::Name => (Start::Variable(text), at + 1),
        Kind::Keyword if matches!(text, "true" | "false") => (Start::Literal("bool"), at + 1),
        Kind::Text => (Start::Literal("string"), at + 1),
        Kind::Char => (Start::Literal("char"), at + 1),
        Kind::Number if text.contains('.') => (Start::Literal("float"), at + 1),
        Kind::Number => (Start::Literal("int"), at + 1),
        Kind::Open if text == "[" => (Start::Literal("array"), code.partner(at, end)? + 1),
        Kind::Open if text == "#{" => {
            let close = code.partner(at, end)?;
            (Start::Map(keys(code, at, close)), close + 1)
        }
        // A closure: nothing can stand behind it.
        Kind::Operator if matches!(text, "|" | "||") => (Start::Literal("Fn"), end),
        _ => return None,
    })
}

/// The keys between the brackets of a map.
fn keys<'text>(code: &Code<'text>, open: usize, close: usize) -> Vec<&'text str> {
    let mut keys = Vec::new();
    let mut at = open + 1;
    while at < close {
        match code.kind(at) {
            Some(Kind::Open) => match code.partner(at, close) {
                Some(end) => at = end,
                None => break,
            },
            Some(Kind::Name | Kind::Text) if code.text(at + 1) == ":" => keys.push(unquoted(code.text(at))),
            _ => {}
        }
        at += 1;
    }
    keys
}

fn step<'text>(code: &Code<'text>, at: usize, end: usize) -> Option<(Step<'text>, usize)> {
    match code.text(at) {
        "." | "?." => {
            let name = code.text(at + 1);
            match code.kind(at + 1)? {
                Kind::Name if at + 1 < end => Some((Step::Property(name), at + 2)),
                Kind::Call if at + 2 < end => Some((Step::Method(name), code.partner(at + 2, end)? + 1)),
                _ => None,
            }
        }
        "[" | "?[" => {
            let close = code.partner(at, end)?;
            Some((index(code, at + 1, close), close + 1))
        }
        _ => None,
    }
}

fn index<'text>(code: &Code<'text>, start: usize, end: usize) -> Step<'text> {
    let text = code.text(start);
    match (end.saturating_sub(start), code.kind(start)) {
        (1, Some(Kind::Number)) => text.replace('_', "").parse().map_or(Step::Some, Step::At),
        (1, Some(Kind::Text)) => Step::Key(unquoted(text)),
        (2, Some(Kind::Operator)) if text == "-" => {
            let number = code.text(start + 1).replace('_', "").parse::<i64>();
            number.map_or(Step::Some, |number| Step::At(number.saturating_neg()))
        }
        _ => Step::Some,
    }
}

/// What stands between the quotes. What is escaped there is not looked up by it.
fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix(['"', '`']).unwrap_or(text);
    inner.strip_suffix(['"', '`']).unwrap_or(inner)
}
