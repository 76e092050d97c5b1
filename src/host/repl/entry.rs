//! Where an input ends: by the parser, which alone knows what is still to come.

use std::borrow::Cow;

use rhai::{Engine, ParseErrorType, Position};

use super::{
    last,
    scan::{Kind, Open, Scan, Scanner, Token, scan},
};
use crate::host::engine;

/// The most bytes of one input.
pub const LONGEST: usize = 256 * 1024;

/// What there is of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// White space and comments: there is nothing to do.
    Blank,
    /// A line that begins with `\`.
    Meta,
    /// The beginning of one: something must follow.
    Incomplete,
    /// All of it, right or wrong.
    Whole,
}

/// An input in a text that may hold many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'text> {
    /// What is written, without the line end behind it.
    pub text: &'text str,
    /// The line of the text that it begins on, counted from 1.
    pub line: usize,
    /// What there is of it. Only the last can be incomplete, and none is blank.
    pub shape: Shape,
}

/// What there is of the last input in what was typed or pasted. Blank is what holds none.
///
/// Whatever is too long is whole: [`LONGEST`] is for whoever takes it to refuse.
#[must_use]
pub fn shape(text: &str) -> Shape {
    if text.len() > LONGEST {
        return Shape::Whole;
    }
    inputs(text).last().map_or(Shape::Blank, |input| input.shape)
}

/// The inputs in a text, one after the other: each ends with the line on which it is whole, unless the next goes on with
/// it, as one that begins with `.` or `else` does. Comments belong to the input behind them.
#[must_use]
pub const fn inputs(text: &str) -> Inputs<'_> {
    Inputs { rest: text, line: 1 }
}

/// What [`inputs`] returns.
#[derive(Clone, Debug)]
pub struct Inputs<'text> {
    rest: &'text str,
    line: usize,
}

impl<'text> Inputs<'text> {
    /// Passes over so many bytes, and returns them.
    fn take(&mut self, bytes: usize) -> &'text str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        taken
    }

    /// Passes over the lines that are blank. Whether anything is left.
    fn skip_blank(&mut self) -> bool {
        let blank = self.rest.len() - self.rest.trim_start().len();
        let line = self.rest[..blank].rfind('\n').map_or(0, |end| end + 1);
        self.take(line);
        !self.rest.trim_start().is_empty()
    }

    fn input(&mut self, bytes: usize, shape: Shape) -> Input<'text> {
        let line = self.line;
        let text = self.take(bytes).trim_end_matches(['\r', '\n']);
        Input { text, line, shape }
    }
}

impl<'text> Iterator for Inputs<'text> {
    type Item = Input<'text>;

    fn next(&mut self) -> Option<Input<'text>> {
        while self.skip_blank() {
            if is_meta(self.rest) {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                return Some(self.input(end, Shape::Meta));
            }
            match end(self.rest) {
                End::Of(bytes, shape) => return Some(self.input(bytes, shape)),
                End::Comment(bytes) => drop(self.take(bytes)),
            }
        }
        None
    }
}

/// Where the first input of a text ends.
enum End {
    /// Behind so many bytes.
    Of(usize, Shape),
    /// So many bytes of comments are before something else.
    Comment(usize),
}

fn end(text: &str) -> End {
    let mut scanner = Scanner::new(text);
    let (mut has_code, mut has_more, mut goes_on_to) = (false, false, 0);
    while let Some(token) = scanner.next() {
        let ends_line = token.kind == Kind::Space && token.text(text).contains('\n') && scanner.open().is_empty();
        if token.is_code() {
            (has_code, has_more) = (true, true);
        } else if ends_line && !has_code && is_meta(&text[token.end..]) {
            return End::Comment(token.end);
        } else if ends_line && has_more && token.start >= goes_on_to {
            has_more = false;
            if let Some(next) = continuation(scanner.clone(), text) {
                goes_on_to = next.start;
                continue;
            }
            let shape = shape_of_one(&text[..token.start]);
            if shape == Shape::Whole {
                return End::Of(token.start, shape);
            }
        }
    }
    match shape_of_one(text) {
        Shape::Blank => End::Comment(text.len()),
        shape => End::Of(text.len(), shape),
    }
}

fn is_meta(text: &str) -> bool {
    text.trim_start().starts_with('\\')
}

/// The next token of code, if no input begins with it.
fn continuation(scanner: Scanner<'_>, text: &str) -> Option<Token> {
    const STARTS: [&str; 6] = ["+", "-", "!", "|", ";", "!in"];
    let mut code = scanner.filter(|token| token.is_code());
    code.next().filter(|token| match token.kind {
        Kind::Operator => !STARTS.contains(&token.text(text)),
        Kind::Keyword => matches!(token.text(text), "else" | "catch" | "until"),
        _ => false,
    })
}

/// The engine's parser for a text, without anything that it could call: what an input names is looked up later.
fn parser(text: &str) -> Engine {
    let mut parser = Engine::new_raw();
    engine::limit(&mut parser);
    parser.set_strict_variables(false);
    last::name(&mut parser, text);
    parser
}

/// Whether the parser takes a text.
pub(in crate::host) fn parses(text: &str) -> bool {
    parser(text).compile(text).is_ok()
}

/// What there is of one input that is no meta-command.
fn shape_of_one(text: &str) -> Shape {
    let text = &*with_line_ends(text);
    let scan = scan(text);
    let is_cut = scan.inside().is_some_and(|opened| match opened.what {
        Open::Text(quote) => quote == '`',
        Open::Escaped(quote) => quote == '"',
        Open::Raw(_) | Open::Comment(_) => true,
        Open::Bracket(_) | Open::Line => false,
    });
    let Some(last) = scan.tokens.iter().rev().find(|token| token.is_code()) else {
        return if is_cut { Shape::Incomplete } else { Shape::Blank };
    };
    let problem = match parser(text).compile(text) {
        // The parser takes the end for an empty body.
        Ok(_) if is_cut || ends_in_parameters(&scan, text) => return Shape::Incomplete,
        Ok(_) => return Shape::Whole,
        Err(problem) => problem,
    };
    let at = offset(text, problem.position());
    let wants_more = if is_cut {
        // Behind the end of a `${..}`, the rest of the string may be empty, and has no place.
        let rest = scan.tokens.last().filter(|token| token.kind != Kind::Close);
        at.is_none_or(|at| at >= rest.map_or(text.len(), |token| token.start))
    } else {
        at.is_some_and(|at| at >= last.end)
            && matches!(
                problem.err_type(),
                ParseErrorType::UnexpectedEOF
                    | ParseErrorType::MissingToken(..)
                    | ParseErrorType::PropertyExpected
                    | ParseErrorType::VariableExpected
                    | ParseErrorType::FnMissingBody(_)
            )
    };
    if wants_more { Shape::Incomplete } else { Shape::Whole }
}

/// The text with a line feed for each carriage return that has none: the parser counts them as lines only in some places.
fn with_line_ends(text: &str) -> Cow<'_, str> {
    if !text.contains('\r') {
        return text.into();
    }
    let followed = text.chars().zip(text.chars().skip(1).chain([' ']));
    let mended = followed.map(|pair| if pair.0 == '\r' && pair.1 != '\n' { '\n' } else { pair.0 });
    mended.collect::<String>().into()
}

/// Whether the last of the code are the parameters of a closure.
fn ends_in_parameters(scan: &Scan, text: &str) -> bool {
    let last = scan.tokens.iter().rev().find(|token| token.is_code());
    last.is_some_and(|token| matches!(token.text(text), "|" | "||"))
}

/// The byte that the parser means.
fn offset(text: &str, position: Position) -> Option<usize> {
    let (line, column) = (position.line()?, position.position()?);
    let start = match line {
        1 => 0,
        line => text.match_indices('\n').nth(line - 2)?.0 + 1,
    };
    let columns = text[start..].char_indices().map(|(at, _)| start + at);
    columns
        .chain([text.len()])
        .nth(column.saturating_sub(1))
        .or(Some(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_incomplete() {
        for text in [
            "f(",
            "_ +",
            "switch _ { 1 => 2, _ =>",
            "[1,",
            "#{a: 1",
            "if x {",
            "if x",
            "let x =",
            "1 +",
            "x.",
            "x?.",
            "users::",
            "fn f(a)",
            "fn f(",
            "|x|",
            "let f = |a, b|",
            "f(|x|",
            "while x",
            "loop",
            "do { }",
            "do { } while",
            "for x in",
            "for x",
            "for",
            "switch x {",
            "try { }",
            "try { } catch",
            "try { } catch (e)",
            "`a",
            "`a${",
            "`a${b}",
            "`a\n",
            "#\"a",
            "\"a\\",
            "/*",
            "1 /* a",
            "f(/* a */",
            "f( // a",
            "x = [\n  1,\n",
            "if x { } else",
            "import",
            "let",
            "const",
            "!",
            "-",
            "||",
            "a ||",
            "(1 + 2",
            "return 1 +",
            "throw 1 *",
            "x[",
            "/// doc\nfn f()",
            "private",
            "export",
        ] {
            assert_eq!(shape(text), Shape::Incomplete, "{text}");
        }
    }

    #[test]
    fn what_is_whole() {
        for text in [
            "1",
            "let x",
            "let x = 1",
            "f()",
            "x.y",
            "fn f() { }",
            "|x| x",
            "return",
            "break",
            "`a`",
            "\"a\"",
            "users::get(\"a\");",
            "if x { }",
            "`a${b}`",
            "#\"a\"#",
            "1 // a",
            "/* a */ 1",
            // Wrong ones: what follows does not mend them.
            "\"a",
            "'",
            "1 +* 2",
            "let 1x",
            "}",
            ")",
            "f(]",
            "x y",
            "let x = ;",
            "f(1;",
            "`a${1 +* 2}",
            ") /* a",
            "eval",
            "@",
            "let if = ",
            "1 +* `a",
            "= 1",
        ] {
            assert_eq!(shape(text), Shape::Whole, "{text}");
        }
    }

    #[test]
    fn what_is_blank_and_what_is_meta() {
        for text in ["", " ", "\n\n", "// a", "/* a */", " // a\n"] {
            assert_eq!(shape(text), Shape::Blank, "{text}");
        }
        for text in ["\\d", "  \\run x (", "\\", "f()\n\\q"] {
            assert_eq!(shape(text), Shape::Meta, "{text}");
        }
    }

    fn split(text: &str) -> Vec<(usize, &str)> {
        inputs(text).map(|input| (input.line, input.text)).collect()
    }

    #[test]
    fn a_text_of_many_inputs() {
        let text = "\n\nlet a = 1; let b = 2;\n// c\n\nfn f(x) {\n  x\n}\r\n\\d users\n  // e\n\\q\n`a\n\\b`\nif a {\n}\nelse {\n}\na\n  // c\n  .b()\n  .c()\n-1\n";
        assert_eq!(
            split(text),
            [
                (3, "let a = 1; let b = 2;"),
                (4, "// c\n\nfn f(x) {\n  x\n}"),
                (9, "\\d users"),
                (11, "\\q"),
                (12, "`a\n\\b`"),
                (14, "if a {\n}\nelse {\n}"),
                (18, "a\n  // c\n  .b()\n  .c()"),
                (22, "-1"),
            ]
        );
        assert_eq!(split("1\n2 +"), [(1, "1"), (2, "2 +")]);
        assert_eq!(split("1\n// a\n"), [(1, "1")]);
        assert_eq!(split("1\n/* a\n2"), [(1, "1"), (2, "/* a\n2")]);
        assert_eq!(split(" \n\t\n"), []);
    }

    #[test]
    fn a_wrong_input_does_not_take_the_next_with_it() {
        assert_eq!(split("x y\n2"), [(1, "x y"), (2, "2")]);
        assert_eq!(split("let x = \"a\n2"), [(1, "let x = \"a"), (2, "2")]);
    }

    #[test]
    fn long_texts_take_no_long_time() {
        let started = std::time::Instant::now();
        let lines = 5000;
        assert_eq!(inputs(&"let x = 1;\n".repeat(lines)).count(), lines);
        for line in [
            "let x =\n// a\n",
            "x\n.y\n",
            "f(\n",
            "|x|\n",
            "1 +\n",
            "`${\n",
            "/*\n",
            "else\n",
            "#\n",
        ] {
            let _ = inputs(&line.repeat(lines)).count();
        }
        let long = format!("let x =\n{}1", "// a\n".repeat(lines));
        assert_eq!(inputs(&long).count(), 1);
        let taken = started.elapsed();
        assert!(taken.as_secs() < 20, "{taken:?}");
    }
}
