//! A script that is compiled and can be called, on a thread whose stack is deep enough for it.

use std::{sync::Arc, thread};

use rhai::{AST, CallFnOptions, Dynamic, Engine, Map, Scope};

use super::{
    check, diagnose, engine,
    modules::Modules,
    script::{Origin, Script},
};
use crate::{
    error::{Code, Error, Result},
    operations::Run,
};

/// A compiled script. It acts on one run.
pub(super) struct Program<'script> {
    script: &'script Script,
    engine: Engine,
    modules: Modules,
    ast: AST,
}

impl<'script> Program<'script> {
    /// Checks and compiles a script.
    ///
    /// # Errors
    /// `script.syntax`, `script.invalid`, `script.import`, with the places in it.
    pub(super) fn new(script: &'script Script, run: &Arc<Run>) -> Result<Self> {
        check::refuse(script)?;
        let modules = Modules::of(script);
        let engine = engine::build(run, modules.clone());
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
        done.map_err(|error| {
            let failed = diagnose::of_running(&error, self.script, &self.modules);
            if self.script.origin == Origin::Expression {
                of_expression(failed)
            } else {
                failed
            }
        })
    }
}

/// A denial, as statements without a header can be rid of it.
fn of_expression(failed: Error) -> Error {
    let capability = failed.values().get("capability").and_then(|text| text.as_str());
    match capability.map(|capability| format!("`--needs {capability}` lets it.")) {
        Some(help) if failed.code() == Code::CapabilityDenied => failed.help(help),
        _ => failed,
    }
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
    let has_main = || {
        ast.iter_functions()
            .any(|function| function.name == "main" && function.params.len() == 1)
    };
    if script.origin == Origin::Expression || has_main() {
        return Ok(ast);
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
pub(super) fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let spawned = thread::Builder::new()
            .name("script".to_owned())
            .stack_size(engine::STACK)
            .spawn_scoped(scope, work);
        match spawned.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Error::new(
                Code::Bug,
                "masctl has a defect: the script's thread panicked",
            )),
            Err(cause) => Err(Error::new(Code::Bug, format!("No thread for the script: {cause}"))),
        }
    })
}
