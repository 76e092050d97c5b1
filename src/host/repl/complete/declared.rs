//! The names that the input itself declares before the cursor, as far as they can be seen there.

use super::code::Code;
use crate::host::repl::scan::Kind;

/// Methods that call a function with the items of a list as its first argument.
const WALKS: [&str; 14] = [
    "all", "dedup", "drain", "filter", "find", "find_map", "for_each", "index_of", "map", "order_by", "retain", "some",
    "sort", "sort_by",
];

/// What a name holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// It cannot be told.
    Anything,
    /// What these tokens come to.
    Value(usize, usize),
    /// An item of what these tokens come to.
    ItemOf(usize, usize),
    /// An item of what stands before this token.
    ItemBefore(usize),
    /// A number.
    Number,
}

/// A variable of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable<'text> {
    pub(super) name: &'text str,
    pub(super) holds: Holds,
    /// Whether it is a parameter of a closure without brackets around it: it ends with its argument.
    brief: bool,
}

/// A function of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host::repl) struct Function<'text> {
    pub(in crate::host::repl) name: &'text str,
    pub(in crate::host::repl) params: Vec<&'text str>,
}

impl Function<'_> {
    /// Its name with what it takes.
    pub(in crate::host::repl) fn signature(&self) -> String {
        format!("{}({})", self.name, self.params.join(", "))
    }
}

/// What the input declares before the cursor.
#[derive(Default)]
pub(super) struct Declared<'text> {
    /// The variables, the newest last: those of blocks that have ended are gone.
    pub(super) variables: Vec<Variable<'text>>,
    /// The functions.
    pub(super) functions: Vec<Function<'text>>,
    /// The aliases of imports, and what they are of.
    pub(super) imports: Vec<(&'text str, &'text str)>,
    /// How many of the variables are outside of the function that the cursor is in, and out of sight; none outside of
    /// functions, where those of the session can be seen.
    pub(super) hidden: Option<usize>,
}

impl<'text> Declared<'text> {
    /// What is declared before the token at `end`.
    pub(super) fn before(code: &Code<'text>, end: usize) -> Self {
        let mut reader = Reader {
            code,
            end,
            at: 0,
            found: Self::default(),
            frames: Vec::new(),
            pending: Vec::new(),
            of_function: false,
            briefs: 0,
            is_last_statement: false,
            has_no_block: false,
        };
        while reader.at < end {
            reader.step();
        }
        let outermost = reader.frames.iter().rev().find(|frame| frame.of_function);
        reader.found.hidden = outermost.map(|frame| frame.variables);
        reader.found
    }

    /// The variables that can be seen, the newest first.
    pub(super) fn visible(&self) -> impl Iterator<Item = &Variable<'text>> {
        self.variables.iter().skip(self.hidden.unwrap_or_default()).rev()
    }
}

/// A bracket that is open.
struct Frame {
    /// How many variables there were before it.
    variables: usize,
    of_function: bool,
}

struct Reader<'code, 'text> {
    code: &'code Code<'text>,
    end: usize,
    at: usize,
    found: Declared<'text>,
    frames: Vec<Frame>,
    /// What the next block declares.
    pending: Vec<Variable<'text>>,
    /// Whether the next block is the body of a function.
    of_function: bool,
    /// How many brief variables were declared since the last end of one.
    briefs: usize,
    /// Whether no semicolon stands behind, but in brackets that are closed.
    is_last_statement: bool,
    /// Whether no block begins behind, but in brackets that are closed.
    has_no_block: bool,
}

impl<'text> Reader<'_, 'text> {
    fn text(&self, ahead: usize) -> &'text str {
        let at = self.at + ahead;
        if at < self.end { self.code.text(at) } else { "" }
    }

    fn is_name(&self, ahead: usize) -> bool {
        let at = self.at + ahead;
        at < self.end && matches!(self.code.kind(at), Some(Kind::Name | Kind::Call | Kind::Namespace))
    }

    fn declare(&mut self, name: &'text str, holds: Holds, brief: bool) {
        self.found.variables.push(Variable { name, holds, brief });
    }

    fn later(&mut self, name: &'text str, holds: Holds) {
        self.pending.push(Variable {
            name,
            holds,
            brief: false,
        });
    }

    fn step(&mut self) {
        match (self.code.kind(self.at), self.text(0)) {
            (Some(Kind::Keyword), "let" | "const") if self.is_name(1) => self.variable(),
            (Some(Kind::Keyword), "fn") => self.function(),
            (Some(Kind::Keyword), "for") => self.walk(),
            (Some(Kind::Keyword), "catch") if self.text(1) == "(" && self.is_name(2) => {
                self.later(self.text(2), Holds::Anything);
                self.at += 4;
            }
            (Some(Kind::Keyword), "import") => self.import(),
            (Some(Kind::Operator), "|") if !self.is_behind_value() => self.closure(),
            (Some(Kind::Operator), separator @ (";" | ",")) => {
                self.end_brief();
                if separator == ";" {
                    self.pending.clear();
                    self.of_function = false;
                }
                self.at += 1;
            }
            (Some(Kind::Open), bracket) => {
                let is_block = bracket == "{";
                self.frames.push(Frame {
                    variables: self.found.variables.len(),
                    of_function: is_block && self.of_function,
                });
                if is_block {
                    self.found.variables.append(&mut self.pending);
                    self.of_function = false;
                }
                self.at += 1;
            }
            (Some(Kind::Close), _) => {
                if let Some(frame) = self.frames.pop() {
                    self.found.variables.truncate(frame.variables);
                }
                self.at += 1;
            }
            _ => self.at += 1,
        }
    }

    /// Takes away the parameters of closures that end here.
    fn end_brief(&mut self) {
        if self.briefs == 0 {
            return;
        }
        let kept = self.frames.last().map_or(0, |frame| frame.variables);
        let mut place = 0;
        self.found.variables.retain(|variable| {
            place += 1;
            place <= kept || !variable.brief
        });
        self.briefs = self.found.variables.iter().filter(|variable| variable.brief).count();
    }

    /// `let name = value;`: it is there behind the semicolon.
    fn variable(&mut self) {
        let name = self.text(1);
        if self.text(2) != "=" {
            self.declare(name, Holds::Anything, false);
            self.at += 2;
            return;
        }
        let start = self.at + 3;
        match self.end_of_statement(start) {
            Some(end) => {
                // What the value itself declares is gone behind it.
                self.declare(name, Holds::Value(start, end), false);
                self.at = end;
            }
            None => self.at = start,
        }
    }

    /// The semicolon that ends the statement of a token.
    fn end_of_statement(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        while at < self.end && !self.is_last_statement {
            match (self.code.kind(at)?, self.code.text(at)) {
                (Kind::Operator, ";") => return Some(at),
                (Kind::Open, _) => at = self.code.partner(at, self.end)?,
                (Kind::Close, _) => return None,
                _ => {}
            }
            at += 1;
        }
        self.is_last_statement = true;
        None
    }

    /// `fn name(one, other) {`, also `fn User.name()`.
    fn function(&mut self) {
        self.at += 1;
        let mut is_of_type = false;
        if self.text(1) == "." {
            self.at += 2;
            is_of_type = true;
        }
        if !self.is_name(0) || self.text(1) != "(" {
            return;
        }
        let name = self.text(0);
        self.at += 2;
        let params = self.names_until(")");
        for param in &params {
            self.later(param, Holds::Anything);
        }
        self.of_function = true;
        if !is_of_type {
            self.found.functions.push(Function { name, params });
        }
    }

    /// The names up to a token, which is passed over.
    fn names_until(&mut self, close: &str) -> Vec<&'text str> {
        let mut names = Vec::new();
        while self.at < self.end && (self.is_name(0) || self.text(0) == ",") {
            if self.is_name(0) {
                names.push(self.text(0));
            }
            self.at += 1;
        }
        if self.text(0) == close {
            self.at += 1;
        }
        names
    }

    /// `for item in list {`, also `for (item, number) in list {`.
    fn walk(&mut self) {
        self.at += 1;
        let names = if self.text(0) == "(" {
            self.at += 1;
            self.names_until(")")
        } else {
            self.names_until("in")
        };
        if self.text(0) == "in" {
            self.at += 1;
        }
        let start = self.at;
        // Inside of what is walked there is nothing of it yet.
        if let Some(block) = self.block(start) {
            for (name, holds) in names.into_iter().zip([Holds::ItemOf(start, block), Holds::Number]) {
                self.later(name, holds);
            }
            self.at = block;
        }
    }

    /// The bracket that begins the block behind an expression.
    fn block(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        while at < self.end && !self.has_no_block {
            match (self.code.kind(at)?, self.code.text(at)) {
                (Kind::Open, "{") => return Some(at),
                (Kind::Open, _) => at = self.code.partner(at, self.end)?,
                (Kind::Close, _) | (Kind::Operator, ";") => return None,
                _ => {}
            }
            at += 1;
        }
        self.has_no_block = true;
        None
    }

    /// `import "path" as name;`
    fn import(&mut self) {
        if self.text(2) == "as" && self.is_name(3) {
            let path = self.text(1).trim_matches('"');
            self.found.imports.push((self.text(3), path));
            self.at += 3;
        }
        self.at += 1;
    }

    fn is_behind_value(&self) -> bool {
        let Some(before) = self.at.checked_sub(1) else {
            return false;
        };
        match self.code.kind(before) {
            Some(Kind::Name | Kind::Close | Kind::Text | Kind::Char | Kind::Number) => true,
            Some(Kind::Keyword) => matches!(self.code.text(before), "this" | "true" | "false"),
            _ => false,
        }
    }

    /// `|one, other|`
    fn closure(&mut self) {
        let first = self.of_walk().map_or(Holds::Anything, Holds::ItemBefore);
        self.at += 1;
        let names = self.names_until("|");
        let holds = [first].into_iter().chain(std::iter::repeat(Holds::Anything));
        for (name, holds) in names.into_iter().zip(holds) {
            self.declare(name, holds, true);
            self.briefs += 1;
        }
    }

    /// The dot before the method that a closure is the first argument of, if that walks a list.
    fn of_walk(&self) -> Option<usize> {
        let dot = self.at.checked_sub(3)?;
        let is_called = self.code.text(self.at - 1) == "(" && matches!(self.code.text(dot), "." | "?.");
        (is_called && WALKS.contains(&self.code.text(self.at - 2))).then_some(dot)
    }
}
