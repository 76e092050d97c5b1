//! One text that is checked: the script, or a module that it imports.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, OnceLock},
};

use rhai::{
    AST, ASTNode, Engine, Expr, FnAccess, LexError, Module, ParseErrorType, Position, Stmt,
    module_resolvers::DummyModuleResolver,
};

use super::{Rule, finding::Finding, is_of_names, known::Type};
use crate::{
    error::Excerpt,
    host::{diagnose, engine, repl::last},
};

/// How many functions and closures a text may have.
const MOST_FUNCTIONS: usize = 2000;

/// A text that was parsed.
pub(super) struct Unit {
    /// What errors call it.
    pub(super) label: String,
    pub(super) text: Arc<str>,
    /// Its functions and closures.
    pub(super) functions: Vec<Function>,
    /// What stands outside of functions.
    pub(super) top: Vec<Stmt>,
    /// The modules that it imports, anywhere in it.
    pub(super) imports: Vec<Import>,
    /// The constants and variables of its top level, and whether each is exported.
    pub(super) variables: BTreeMap<String, bool>,
    /// Every text and key that it writes: what a map may be given a closure under, and what may name a function.
    pub(super) texts: BTreeSet<String>,
    /// The methods that it calls, each with the number of arguments.
    pub(super) methods: BTreeSet<(String, usize)>,
    /// Whether it is a file of tests.
    pub(super) of_tests: bool,
    /// Whether it is a module of the standard library.
    pub(super) is_shipped: bool,
    /// The first name that Rhai does not know.
    pub(super) refused: Option<Finding>,
    /// What else its names can mean.
    pub(super) around: Around,
}

/// What the inputs of a session before this one have left.
#[derive(Clone, Debug, Default)]
pub(in crate::host) struct Around {
    /// The variables with their types.
    pub(in crate::host) variables: Vec<(String, Type)>,
    /// The functions with their numbers of parameters.
    pub(in crate::host) functions: Vec<(String, usize)>,
    /// What modules are called.
    pub(in crate::host) modules: Vec<String>,
}

/// A function that a script defines.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) params: Vec<String>,
    pub(super) body: Vec<Stmt>,
    pub(super) private: bool,
    /// The type whose method it is alone: `fn User.shout()`.
    pub(super) this_type: Option<String>,
}

impl Function {
    /// Whether it has no name: a closure.
    pub(super) fn is_closure(&self) -> bool {
        self.name.starts_with("anon$")
    }
}

/// An import, and what it was resolved to.
pub(super) struct Import {
    /// What it is called by, if it has a name.
    pub(super) alias: String,
    /// The path; `None` if it is known only when it is run.
    pub(super) path: Option<String>,
    pub(super) position: Position,
    /// Whether it stands outside of functions, so that all of them have it.
    pub(super) of_all: bool,
    /// The module, by its place among the units.
    pub(super) unit: Option<usize>,
}

fn checker(strict: bool) -> Engine {
    let mut engine = engine::bare(DummyModuleResolver::new());
    engine
        // What the optimizer takes away is to be right as well.
        .set_optimization_level(rhai::OptimizationLevel::None)
        .set_strict_variables(strict);
    engine
}

/// The engine that parses all texts. It has no modules: nothing is imported, and nothing runs.
pub(super) fn strict() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| checker(true))
}

/// The engine that also parses texts whose names are not known, so that all of them are found.
fn lenient() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| checker(false))
}

/// What to write in the place of what other languages have.
fn way_out(problem: &ParseErrorType) -> Option<String> {
    match problem {
        ParseErrorType::Reserved(word) if matches!(word.as_str(), "null" | "nil") => {
            Some("What is not there is `()`: compare with that, such as `user.locked_at == ()`.".to_owned())
        }
        ParseErrorType::Reserved(word) => Some(format!(
            "Take another name for it, or quote it where it is a key: `#{{ \"{word}\": … }}`."
        )),
        ParseErrorType::BadInput(LexError::MalformedChar(_)) => {
            Some("Text stands in double quotes, or in backquotes: `\"alice\"`.".to_owned())
        }
        _ => None,
    }
}

impl Unit {
    /// Parses a text.
    ///
    /// # Errors
    /// Why it cannot be parsed.
    pub(super) fn parse(label: &str, text: &str, of_tests: bool) -> Result<Self, Finding> {
        let mut refused = None;
        let parsed = match strict().compile(text) {
            Err(error) if is_of_names(error.err_type()) => {
                refused = Some(Finding::of(&diagnose::of_parsing(&error, label, text), label));
                lenient().compile(text)
            }
            parsed => parsed,
        };
        let unit = Self::of(parsed, label, text, of_tests)?;
        Ok(Self { refused, ..unit })
    }

    /// Parses an input of a session, with what those before it have left.
    ///
    /// # Errors
    /// Why it cannot be parsed.
    pub(super) fn parse_input(label: &str, text: &str, around: &Around) -> Result<Self, Finding> {
        let mut engine = checker(false);
        last::name(&mut engine, text);
        let unit = Self::of(engine.compile(text), label, text, false)?;
        let around = around.clone();
        Ok(Self { around, ..unit })
    }

    fn of(parsed: Result<AST, rhai::ParseError>, label: &str, text: &str, of_tests: bool) -> Result<Self, Finding> {
        let ast = parsed.map_err(|error| {
            let mut failed = Finding::of(&diagnose::of_parsing(&error, label, text), label);
            if let Some(help) = way_out(error.err_type()) {
                failed = failed.help(help);
            }
            failed
        })?;
        let functions: Vec<_> = ast
            .iter_functions()
            .take(MOST_FUNCTIONS + 1)
            .filter_map(|function| body(&ast, &function))
            .collect();
        if functions.len() > MOST_FUNCTIONS {
            let message = format!("{label} has more than {MOST_FUNCTIONS} functions");
            return Err(Finding::new(Rule::Syntax, message, Excerpt::new(label, text, 0..0)));
        }
        let mut unit = Self {
            label: label.to_owned(),
            text: text.into(),
            functions,
            top: ast.statements().to_vec(),
            imports: Vec::new(),
            variables: BTreeMap::new(),
            texts: BTreeSet::new(),
            methods: BTreeSet::new(),
            of_tests,
            is_shipped: false,
            refused: None,
            around: Around::default(),
        };
        unit.survey(&ast);
        Ok(unit)
    }

    /// As it is, but its places shown in this text, which differs from what was parsed in no place.
    pub(super) fn showing(self, text: Arc<str>) -> Self {
        Self { text, ..self }
    }

    /// As it is, and whether it ships inside of the binary, where a test keeps it right.
    pub(super) fn shipped(self, is_shipped: bool) -> Self {
        Self { is_shipped, ..self }
    }

    /// The functions of this name.
    pub(super) fn named<'unit>(&'unit self, name: &'unit str) -> impl Iterator<Item = (usize, &'unit Function)> {
        let all = self.functions.iter().enumerate();
        all.filter(move |(_, function)| function.name == name)
    }

    /// The place of a position.
    pub(super) fn at(&self, position: Position) -> Excerpt {
        let span = diagnose::span(&self.text, position).unwrap_or(0..0);
        Excerpt::new(self.label.as_str(), self.text.clone(), self.quoted(span))
    }

    /// The place where a function is defined.
    pub(super) fn definition(&self, name: &str) -> Excerpt {
        let mut from = 0;
        let mut span = 0..0;
        while let Some(at) = self.text[from..].find(name) {
            let (start, end) = (from + at, from + at + name.len());
            let before = self.text[..start].trim_end();
            let after = self.text[end..].trim_start();
            let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
            let is_comment = line.starts_with("//");
            if before.len() < start && before.ends_with("fn") && after.starts_with('(') && !is_comment {
                span = start..end;
                break;
            }
            from = end;
        }
        Excerpt::new(self.label.as_str(), self.text.clone(), span)
    }

    /// A text between quotes as a whole, where only its first quote is known.
    fn quoted(&self, span: Range<usize>) -> Range<usize> {
        if self.text.get(span.clone()) != Some("\"") {
            return span;
        }
        let rest = self.text[span.end..].find(['"', '\n']).unwrap_or_default();
        span.start..span.end + rest + 1
    }

    /// Notes what is found anywhere in the text.
    fn survey(&mut self, ast: &AST) {
        let mut texts = BTreeSet::new();
        let mut methods = BTreeSet::new();
        let mut imports = Vec::new();
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::StringConstant(text, _))) => {
                    texts.insert(text.to_string());
                }
                Some(ASTNode::Expr(Expr::Property(property, _))) => {
                    texts.insert(property.2.to_string());
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, _))) => {
                    methods.insert((call.name.to_string(), call.args.len()));
                }
                Some(ASTNode::Expr(Expr::Map(entries, _))) => {
                    texts.extend(entries.0.iter().map(|(key, _)| key.name.to_string()));
                }
                Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => keys_of(value, &mut texts),
                Some(ASTNode::Stmt(Stmt::Import(import, position))) => {
                    let (path, alias) = &**import;
                    imports.push(match path {
                        Expr::StringConstant(text, at) => (alias.name.to_string(), Some(text.to_string()), *at),
                        _ => (alias.name.to_string(), None, *position),
                    });
                }
                _ => {}
            }
            true
        });
        self.texts = texts;
        self.methods = methods;
        let is_of_all = |position: Position| {
            let mut all = self.top.iter();
            all.any(|statement| matches!(statement, Stmt::Import(import, _) if import.0.position() == position))
        };
        self.imports = imports
            .into_iter()
            .map(|(alias, path, position)| Import {
                alias,
                of_all: path.is_none() || is_of_all(position),
                path,
                position,
                unit: None,
            })
            .collect();
        for statement in &self.top {
            match statement {
                Stmt::Var(declared, flags, _) => {
                    let exported = flags.contains(rhai::ASTFlags::EXPORTED);
                    self.variables.insert(declared.0.name.to_string(), exported);
                }
                Stmt::Export(names, _) => {
                    let (name, alias) = &**names;
                    let known = if alias.name.is_empty() { name } else { alias };
                    self.variables.insert(known.name.to_string(), true);
                }
                _ => {}
            }
        }
    }
}

/// The function with its statements. Rhai shows them only to a walk over a tree, so it gets one of its own.
fn body(ast: &AST, shown: &rhai::ScriptFnMetadata<'_>) -> Option<Function> {
    let lib: &Module = ast.as_ref();
    let definition = lib.get_script_fn(shown.name, shown.params.len())?;
    let mut alone = Module::new();
    alone.set_script_fn(definition.clone());
    let mut body = Vec::new();
    AST::new_from_module(alone).walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            body.push((*statement).clone());
        }
        true
    });
    Some(Function {
        name: shown.name.to_owned(),
        params: shown.params.iter().map(|param| (*param).to_owned()).collect(),
        body,
        private: shown.access == FnAccess::Private,
        this_type: shown.this_type.map(str::to_owned),
    })
}

fn keys_of(value: &rhai::Dynamic, texts: &mut BTreeSet<String>) {
    if let Some(map) = value.read_lock::<rhai::Map>() {
        texts.extend(map.keys().map(ToString::to_string));
        map.values().for_each(|inner| keys_of(inner, texts));
    } else if let Some(array) = value.read_lock::<rhai::Array>() {
        array.iter().for_each(|inner| keys_of(inner, texts));
    } else if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        texts.insert(text.to_string());
    }
}
