//! What stands before the cursor, and what can follow it there.

use std::collections::BTreeSet;

use rhai::Map;

use super::{
    Around, Candidate,
    code::Code,
    declared::Declared,
    files::{self, Wanted},
    fits, is_plain, names,
    resolve::{Found, Names},
    sources::{Shape, Sources, written_shape},
};
use crate::host::{
    check::known::Type,
    repl::{
        State,
        scan::{Kind, Open, scan},
    },
};

/// Keywords that begin a statement, and what they do.
const OF_STATEMENTS: [(&str, &str); 13] = [
    ("break", "Leave the loop."),
    ("const ", "Give a value a name for good."),
    ("continue", "Go on with the next round of the loop."),
    ("do ", "Do something at least once, while or until something is true."),
    ("fn ", "Define a function."),
    (
        "for ",
        "Do something with each item: `for user in users::list() { … }`.",
    ),
    (
        "import ",
        "Use the functions of another script: `import \"std/passwords\" as ask;`.",
    ),
    ("let ", "Make a variable."),
    ("loop ", "Do something until `break`."),
    ("return", "Leave the function."),
    ("throw ", "Fail with a value."),
    ("try ", "Do something, and `catch` what it fails with."),
    ("while ", "Do something as long as something is true."),
];

/// Keywords that begin a value.
const OF_VALUES: [(&str, &str); 4] = [
    ("false", "Not so."),
    ("if ", "Do something if something is true."),
    ("switch ", "Do what is said for a value."),
    ("true", "So."),
];

/// Where the cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host::repl) enum Place<'text> {
    /// A name is begun that is new, or nothing can be said.
    Nowhere,
    /// Behind `::`.
    In(&'text str),
    /// Behind the dot that is this token.
    Of(usize),
    /// Where a statement begins.
    Statement,
    /// Where a value begins.
    Value,
    /// Behind a value.
    Behind,
    /// In the string that is this token.
    Text(usize),
}

/// A cursor in code, and what stands before it.
pub(in crate::host::repl) struct Cursor<'a, 'text> {
    pub(in crate::host::repl) state: &'a State,
    pub(in crate::host::repl) code: Code<'text>,
    pub(in crate::host::repl) place: Place<'text>,
    /// What is typed of a word, or of a string.
    pub(in crate::host::repl) typed: &'text str,
    /// Where that begins.
    start: usize,
    /// The token at which it begins.
    at: usize,
}

impl<'a, 'text> Cursor<'a, 'text> {
    pub(in crate::host::repl) fn new(state: &'a State, before: &'text str) -> Self {
        let scan = scan(before);
        let code = Code::new(before, &scan);
        let mut cursor = Self {
            state,
            code,
            place: Place::Nowhere,
            typed: "",
            start: before.len(),
            at: 0,
        };
        let last = cursor
            .code
            .len()
            .checked_sub(1)
            .and_then(|last| Some((last, cursor.code.token(last)?)));
        if let Some(opened) = scan.inside() {
            let quote = match opened.what {
                Open::Text('"' | '`') | Open::Escaped('"' | '`') => 1,
                Open::Raw(hashes) => hashes + 1,
                _ => return cursor,
            };
            if let Some((last, token)) = last.filter(|(_, token)| token.start == opened.at) {
                cursor.at = last;
                cursor.start = (token.start + quote).min(before.len());
                cursor.typed = before.get(cursor.start..).unwrap_or_default();
                cursor.place = Place::Text(last);
            }
            return cursor;
        }
        cursor.at = cursor.code.len();
        if let Some((last, token)) = last.filter(|(_, token)| token.end == before.len()) {
            match token.kind {
                Kind::Name | Kind::Call | Kind::Namespace | Kind::Keyword | Kind::Reserved => {
                    cursor.at = last;
                    cursor.start = token.start;
                    cursor.typed = token.text(before);
                }
                Kind::Number | Kind::Char | Kind::Unknown => return cursor,
                _ => {}
            }
        }
        cursor.place = place(&cursor.code, cursor.at);
        cursor
    }

    /// Where what is replaced begins, and what can take its place.
    pub(super) fn candidates(&self, around: &Around<'_>) -> (usize, Vec<Candidate>) {
        let sources = Sources::get();
        let mut found = match self.place {
            Place::Nowhere => Vec::new(),
            Place::Text(at) => return self.in_text(at, around),
            Place::In(name) => self.functions_of(sources, name),
            Place::Of(dot) => self.members(sources, dot),
            Place::Statement => self.names(sources, true),
            Place::Value => self.names(sources, false),
            Place::Behind => self.behind(),
        };
        found.retain(|candidate| fits(&candidate.replacement, self.typed));
        (self.start, found)
    }

    fn declared(&self) -> Declared<'text> {
        Declared::before(&self.code, self.at)
    }

    fn resolve(&self, sources: &'static Sources, end: usize, then: &mut dyn FnMut(Found<'_>)) {
        let declared = self.declared();
        let names = Names {
            state: self.state,
            sources,
            code: &self.code,
            declared: &declared,
        };
        names.before(end, then);
    }

    /// What the value before a dot is, by what its methods are looked up.
    pub(in crate::host::repl) fn type_before(&self, sources: &'static Sources, dot: usize) -> Type {
        let mut kind = Type::Any;
        self.resolve(sources, dot, &mut |found| {
            kind = match found {
                Found::Value(value) => sources.type_of(value),
                Found::Shape(shape) => shape.kind(),
                Found::Keys(_) => Type::Of("map"),
            };
        });
        kind
    }

    fn functions_of(&self, sources: &Sources, place: &str) -> Vec<Candidate> {
        if sources.has_namespace(place) {
            return sources.functions(place);
        }
        let declared = self.declared();
        if let Some((_, path)) = declared.imports.iter().rev().find(|(alias, _)| *alias == place) {
            let functions = sources.functions(path).into_iter();
            return functions
                .map(|it| Candidate::of_signature(&unqualified(&it.signature), &it.about))
                .collect();
        }
        names::functions_of(self.state, place)
            .iter()
            .map(names::Function::candidate)
            .collect()
    }

    fn members(&self, sources: &'static Sources, dot: usize) -> Vec<Candidate> {
        let mut members = Vec::new();
        let mut kind = Type::Any;
        self.resolve(sources, dot, &mut |found| match found {
            Found::Value(value) => {
                kind = sources.type_of(value);
                if let Some(map) = value.read_lock::<Map>() {
                    members.extend(keys(sources, &map, self.typed, |key| {
                        is_name(key).then(|| key.to_owned())
                    }));
                }
            }
            Found::Shape(shape) => kind = shape.kind(),
            Found::Keys(keys) => {
                kind = Type::Of("map");
                let named = keys.iter().filter(|key| is_name(key));
                members.extend(named.map(|key| Candidate::new((*key).to_owned(), key, "")));
            }
        });
        members.extend(sources.members(kind));
        let own = names::functions(self.state).into_iter();
        let own = own.filter(|function| function.of.as_deref().is_some_and(|of| sources.type_named(of) == kind));
        members.extend(own.map(|function| function.candidate()));
        members
    }

    /// All that has a name, what is nearest first.
    fn names(&self, sources: &'static Sources, is_statement: bool) -> Vec<Candidate> {
        let declared = self.declared();
        let mut found = self.declared_variables(sources, &declared);
        let own = declared.functions.iter().rev();
        found.extend(own.map(|function| Candidate::of_signature(&function.signature(), "")));
        for (alias, path) in declared.imports.iter().rev() {
            let written = format!("{alias}::");
            found.push(Candidate::new(written.clone(), &written, path));
        }
        let functions = names::functions(self.state)
            .into_iter()
            .filter(|function| function.of.is_none());
        found.extend(functions.map(|function| function.candidate()));
        found.extend(names::aliases(self.state));
        found.extend(Sources::namespaces());
        found.extend(sources.globals());
        let keywords = if is_statement { &OF_STATEMENTS[..] } else { &[] };
        let keywords = keywords.iter().chain(&OF_VALUES);
        found.extend(keywords.map(|(word, about)| Candidate::new((*word).to_owned(), word.trim_end(), about)));
        // Of these there can be many.
        if declared.hidden.is_none() {
            let fitting = names::variables(self.state, sources, self.typed);
            let declared: BTreeSet<&str> = declared.visible().map(|variable| variable.name).collect();
            found.extend(fitting.filter(|variable| !declared.contains(variable.replacement.as_str())));
        }
        found
    }

    /// The variables of the input that begin with what is typed.
    fn declared_variables(&self, sources: &'static Sources, declared: &Declared<'text>) -> Vec<Candidate> {
        let names = Names {
            state: self.state,
            sources,
            code: &self.code,
            declared,
        };
        let fitting = declared.visible().map(|variable| variable.name);
        let fitting: BTreeSet<&str> = fitting
            .filter(|name| fits(name, self.typed))
            .take(super::MOST)
            .collect();
        let told = fitting.into_iter().map(|name| {
            let mut shape = Shape::UNKNOWN;
            names.called(name, &mut |found| {
                shape = match found {
                    Found::Value(value) => sources.shape_of(value),
                    Found::Shape(shape) => shape,
                    Found::Keys(_) => Shape::Of(Type::Of("map")),
                };
            });
            let signature = match shape {
                Shape::UNKNOWN => name.to_owned(),
                shape => format!("{name}: {}", written_shape(shape)),
            };
            Candidate::new(name.to_owned(), &signature, "")
        });
        told.collect()
    }

    /// The keywords that can stand behind a value.
    fn behind(&self) -> Vec<Candidate> {
        let word = |word: &str, about: &str| vec![Candidate::new(word.to_owned(), word.trim_end(), about)];
        match (self.code.before(self.at.saturating_sub(1)), self.code.before(self.at)) {
            ("for", _) => word("in ", "What is walked."),
            ("import", _) => word("as ", "What the module is called by."),
            _ => Vec::new(),
        }
    }

    fn in_text(&self, at: usize, around: &Around<'_>) -> (usize, Vec<Candidate>) {
        let typed = self.typed;
        let path = |wanted| {
            let start = self.start + files::last_part(typed);
            (start, files::candidates(around.folder, typed, wanted))
        };
        // What is escaped is not what it looks like.
        if typed.contains('\\') {
            return (self.start, Vec::new());
        }
        match self.code.before(at) {
            "import" if typed.starts_with("./") => path(Wanted::Modules),
            "import" => {
                let mut modules: Vec<_> = Sources::get().modules().cloned().collect();
                modules.push(Candidate::new(
                    "./".to_owned(),
                    "./",
                    "A module in the working directory.",
                ));
                modules.retain(|module| fits(&module.replacement, typed));
                (self.start, modules)
            }
            "[" | "?[" if self.has_keys(at) => (self.start, self.keys(at)),
            _ if files::is_path(typed) || self.is_of_files(at) => path(Wanted::Files),
            _ => (self.start, Vec::new()),
        }
    }

    fn has_keys(&self, at: usize) -> bool {
        self.type_before(Sources::get(), at.saturating_sub(1)) == Type::Of("map")
    }

    /// The keys of the map before a bracket that the string stands in.
    fn keys(&self, at: usize) -> Vec<Candidate> {
        let sources = Sources::get();
        let quote = self.code.text(at).get(..1).unwrap_or_default();
        let closed = |key: &str| is_plain(key).then(|| format!("{key}{quote}]"));
        let mut found = Vec::new();
        self.resolve(sources, at.saturating_sub(1), &mut |map| match map {
            Found::Value(value) => {
                if let Some(map) = value.read_lock::<Map>() {
                    found = keys(sources, &map, self.typed, closed).collect();
                }
            }
            Found::Keys(keys) => {
                let fitting = keys.iter().filter(|key| fits(key, self.typed));
                found = fitting
                    .filter_map(|key| Some(Candidate::new(closed(key)?, key, "")))
                    .collect();
            }
            Found::Shape(_) => {}
        });
        found
    }

    /// Whether the string is the first argument of what reads files.
    fn is_of_files(&self, at: usize) -> bool {
        self.code.before(at) == "(" && at.checked_sub(4).is_some_and(|at| self.code.text(at) == "files")
    }
}

/// What can stand at a token.
fn place<'text>(code: &Code<'text>, at: usize) -> Place<'text> {
    let before = code.before(at);
    let last = at.checked_sub(1);
    match (last.and_then(|last| code.kind(last)), before) {
        (_, "::") => Place::In(code.before(at - 1)),
        (_, "." | "?.") => Place::Of(at - 1),
        (Some(Kind::Open), "{") if is_new(code, at) => Place::Nowhere,
        (None, _) | (Some(Kind::Operator), ";") | (Some(Kind::Open), "{") | (Some(Kind::Close), "}") => {
            Place::Statement
        }
        (Some(Kind::Keyword), "let" | "const" | "fn" | "for" | "as" | "catch") => Place::Nowhere,
        (Some(Kind::Keyword), "this" | "true" | "false" | "break" | "continue")
        | (Some(Kind::Name | Kind::Call | Kind::Close | Kind::Text | Kind::Char | Kind::Number), _) => Place::Behind,
        _ if is_new(code, at) => Place::Nowhere,
        (Some(Kind::Operator | Kind::Open | Kind::Keyword), _) => Place::Value,
        _ => Place::Nowhere,
    }
}

/// Whether a name that begins at a token is a new one: a parameter, or the key of a map.
fn is_new(code: &Code<'_>, at: usize) -> bool {
    let mut first = at;
    while first > 0 && (code.before(first) == "," || code.kind(first - 1) == Some(Kind::Name)) {
        first -= 1;
    }
    if code.before(first) == "|" && !is_behind_value(code, first - 1) {
        return true;
    }
    let Some(open) = code.open_at(at) else {
        return false;
    };
    match code.text(open) {
        "#{" => matches!(code.before(at), "#{" | ","),
        "(" => {
            let name = open.saturating_sub(1);
            let is_defined = match code.before(name) {
                "fn" => true,
                "." => code.before(name.saturating_sub(2)) == "fn",
                _ => false,
            };
            matches!(code.before(open), "for" | "catch") || is_defined
        }
        _ => false,
    }
}

/// Whether a value ends before a token.
fn is_behind_value(code: &Code<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| code.kind(before));
    matches!(
        before,
        Some(Kind::Name | Kind::Close | Kind::Text | Kind::Char | Kind::Number)
    )
}

/// The keys of a map that begin with what is typed, as they are written.
fn keys<'a>(
    sources: &'a Sources,
    map: &'a Map,
    typed: &'a str,
    written: impl Fn(&str) -> Option<String> + 'a,
) -> impl Iterator<Item = Candidate> + 'a {
    let fitting = map.iter().filter(move |(key, _)| fits(key, typed));
    fitting.take(super::MOST).filter_map(move |(key, value)| {
        let shape = sources.shape_of(value);
        let signature = format!("{key}: {}", written_shape(shape));
        Some(Candidate::new(written(key)?, &signature, sources.about(shape.kind())))
    })
}

/// Whether a key can stand behind a dot.
fn is_name(key: &str) -> bool {
    let tokens = scan(key).tokens;
    matches!(&tokens[..], [token] if matches!(token.kind, Kind::Name))
}

/// A signature without the path of its module.
fn unqualified(signature: &str) -> String {
    let (name, rest) = signature.split_at(signature.find('(').unwrap_or(signature.len()));
    let name = name.rsplit("::").next().unwrap_or(name);
    format!("{name}{rest}")
}
