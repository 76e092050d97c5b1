//! A script that is compiled and can be called, on a thread whose stack is deep enough for it.

use std::{
    any::TypeId,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rhai::{AST, CallFnOptions, Dynamic, Engine, Map, Scope};

use super::{
    check, diagnose,
    engine::{self, Limits},
    modules::Modules,
    script::{Origin, Script, is_test},
};
use crate::{
    error::{Code, Error, Excerpt, Result},
    operations::Run,
    primitives::raise,
};

/// A compiled script. It acts on one run.
pub(super) struct Program<'script> {
    script: &'script Script,
    engine: Engine,
    modules: Modules,
    ast: AST,
}

impl<'script> Program<'script> {
    /// Checks and compiles a script that has a `main(args)`.
    ///
    /// # Errors
    /// `script.syntax`, `script.invalid`, `script.import`, with the places in it.
    pub(super) fn new(script: &'script Script, run: &Arc<Run>, limits: &Limits) -> Result<Self> {
        check::refuse(script)?;
        let program = Self::of_tests(script, run, limits)?;
        require_main(&program.ast, script)?;
        Ok(program)
    }

    /// Compiles a script for its tests, which [`tests_of`] has found and checked: it needs no `main`.
    ///
    /// # Errors
    /// `script.syntax`, with the place in it.
    pub(super) fn of_tests(script: &'script Script, run: &Arc<Run>, limits: &Limits) -> Result<Self> {
        let modules = Modules::of(script);
        let engine = engine::build(run, modules.clone(), limits);
        let ast = compile(&engine, script)?;
        Ok(Self {
            script,
            engine,
            modules,
            ast,
        })
    }

    /// Calls `main(args)`, or does the statements that stand in its place.
    ///
    /// # Errors
    /// What it failed with, with the places in it.
    pub(super) fn call(&self, arguments: Map) -> Result<Dynamic> {
        let mut scope = Scope::new();
        let done = if self.script.origin == Origin::Expression {
            self.engine.eval_ast_with_scope(&mut scope, &self.ast)
        } else {
            let options = CallFnOptions::new().eval_ast(true);
            self.engine
                .call_fn_with_options(options, &mut scope, &self.ast, "main", (arguments,))
        };
        done.map_err(|error| diagnose::of_running(&error, self.script, &self.modules))
    }

    /// Lets a test fail that calls `exit`, which would end it as if all that it says were true.
    fn forbid_exit(&mut self, run: &Arc<Run>) {
        for arity in 0..2 {
            let run = run.clone();
            let types = vec![TypeId::of::<Dynamic>(); arity];
            self.engine.register_raw_fn("exit", types, move |context, _| {
                let message = "A test cannot call `exit`, which leaves out what comes after it";
                let error = run.stage().map_or_else(|error| error, |stage| stage.fail(message));
                Err::<Dynamic, _>(raise(error, context.call_position()))
            });
        }
    }

    /// Calls a test.
    ///
    /// # Errors
    /// What it failed with, with the places in it.
    pub(super) fn call_test(&mut self, name: &str, run: &Arc<Run>) -> Result<()> {
        self.forbid_exit(run);
        let options = CallFnOptions::new().eval_ast(true);
        let called: std::result::Result<Dynamic, _> =
            self.engine
                .call_fn_with_options(options, &mut Scope::new(), &self.ast, name, ());
        called
            .map(drop)
            .map_err(|error| diagnose::of_test(&error, self.script, &self.modules))
    }
}

/// The tests of a script in the order of its text: its functions without parameters whose names start with `test_`. A
/// script that has some is checked.
///
/// # Errors
/// `script.syntax`, `script.invalid`, `script.import`, with the places in it.
pub(super) fn tests_of(script: &Script) -> Result<Vec<String>> {
    let ast = compile(&engine::bare(Modules::of(script)), script)?;
    let tests = ast.iter_functions().filter(|function| is_test(function.name));
    let mut tests: Vec<_> = tests
        .map(|function| (place_of(&script.source, function.name), function))
        .collect();
    tests.sort_unstable_by_key(|(place, _)| *place);
    for (place, function) in &tests {
        if !function.params.is_empty() {
            let span = *place..place + function.name.len();
            let message = format!("A test takes no parameters, and `{}` does", function.name);
            let error = Error::new(Code::ScriptSyntax, message);
            return Err(error.at(Excerpt::new(&script.label, script.source.clone(), span)));
        }
    }
    if !tests.is_empty() {
        check::refuse(script)?;
    }
    Ok(tests
        .into_iter()
        .map(|(_, function)| function.name.to_owned())
        .collect())
}

/// Where a function is defined: the syntax tree does not say it.
fn place_of(source: &str, name: &str) -> usize {
    let mut from = 0;
    while let Some(at) = source[from..].find(name).map(|at| from + at) {
        let before = source[..at].trim_end();
        let after = source[at + name.len()..].trim_start();
        if before.ends_with("fn") && after.starts_with('(') {
            return at;
        }
        from = at + name.len();
    }
    source.len()
}

/// Compiles a script, without its modules.
///
/// # Errors
/// `script.syntax`, with the place in it.
fn compile(engine: &Engine, script: &Script) -> Result<AST> {
    let mut ast = engine
        .compile(script.code())
        .map_err(|error| diagnose::of_parsing(&error, &script.label, &script.source))?;
    ast.set_source(script.label.as_str());
    Ok(ast)
}

fn require_main(ast: &AST, script: &Script) -> Result<()> {
    let has_main = || {
        ast.iter_functions()
            .any(|function| function.name == "main" && function.params.len() == 1)
    };
    if script.origin == Origin::Expression || has_main() {
        return Ok(());
    }
    Err(Error::new(
        Code::ScriptSyntax,
        format!("{} has no function `main(args)`", script.label),
    ))
}

/// Works on a thread of its own, whose stack is deep enough for recursion.
///
/// # Errors
/// Those of the work, and `bug`.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    // A thread that cannot be started takes with it what it was to do.
    let work = Mutex::new(Some(work));
    let take = || work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let do_it = || take().map(|work| work());
    thread::scope(|scope| {
        let mut cause = None;
        for stack in engine::STACKS {
            let builder = thread::Builder::new().name("script".to_owned()).stack_size(stack);
            match builder.spawn_scoped(scope, do_it) {
                Ok(thread) => return thread.join().ok().flatten().unwrap_or_else(|| Err(panicked())),
                Err(why) => cause = Some(why),
            }
        }
        let why = cause.map(|cause| cause.to_string()).unwrap_or_default();
        Err(Error::new(Code::Bug, format!("No thread for the script: {why}")))
    })
}

fn panicked() -> Error {
    Error::new(Code::Bug, "masctl has a defect: the script's thread panicked")
}
