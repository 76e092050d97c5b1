//! One execution of a script: compile, call `main(args)`, then commit or take back.

use std::{sync::Arc, thread};

use rhai::{AST, CallFnOptions, Dynamic, Engine, Map, Scope};
use serde_json::Value;

use super::{
    arguments::{Arguments, Value as Argument},
    catalogue::Script,
    diagnose, engine,
};
use crate::{
    error::{Code, Error, Result},
    operations::{Parts, Report, Run},
    primitives::{Secret, to_value},
};

/// What came of a script.
#[derive(Debug)]
pub struct Outcome {
    /// What was changed.
    pub report: Report,
    /// What `main` returned, as plain data. Nothing if something failed after the commit.
    pub result: Value,
    /// The one secret in the result, which is printed alone where it would be a table.
    pub secret: Option<String>,
}

/// Runs a script on a thread of its own, whose stack is deep enough for recursion.
///
/// # Errors
/// What the script failed with; nothing of it stays then.
pub fn execute(script: &Script, arguments: &Arguments, parts: Parts) -> Result<Outcome> {
    let reveal = !parts.dry_run;
    let run = Arc::new(Run::new(parts));
    let arguments = map_of(arguments);
    let called = thread::scope(|scope| {
        let spawned = thread::Builder::new()
            .name("script".to_owned())
            .stack_size(engine::STACK)
            .spawn_scoped(scope, || call_main(script, arguments, &run, reveal));
        match spawned.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(called)) => called,
            Ok(Err(_)) => Err(Error::new(
                Code::Bug,
                "masctl has a defect: the script's thread panicked",
            )),
            Err(cause) => Err(Error::new(Code::Bug, format!("No thread for the script: {cause}"))),
        }
    });
    match called {
        Ok(returned) => {
            let report = run.finish().map_err(|error| run.abandon(error))?;
            let (result, secret) = if report.failure.is_none() {
                returned
            } else {
                (Value::Null, None)
            };
            Ok(Outcome { report, result, secret })
        }
        Err(error) => Err(run.abandon(error)),
    }
}

fn call_main(script: &Script, arguments: Map, run: &Arc<Run>, reveal: bool) -> Result<(Value, Option<String>)> {
    let engine = engine::build(run);
    let ast = compile(&engine, script)?;
    let options = CallFnOptions::new().eval_ast(true);
    let returned: Dynamic = engine
        .call_fn_with_options(options, &mut Scope::new(), &ast, "main", (arguments,))
        .map_err(|error| diagnose::of_running(&error, &script.label, &script.source))?;
    // Reading a lazy list may fail as the script may.
    Ok((to_value(&returned, reveal)?, lone_secret(&returned, reveal)?))
}

fn compile(engine: &Engine, script: &Script) -> Result<AST> {
    let mut ast = engine
        .compile(&*script.source)
        .map_err(|error| diagnose::of_parsing(&error, &script.label, &script.source))?;
    ast.set_source(script.label.as_str());
    if ast
        .iter_functions()
        .any(|function| function.name == "main" && function.params.len() == 1)
    {
        return Ok(ast);
    }
    Err(Error::new(
        Code::ScriptSyntax,
        format!("{} has no function `main(args)`", script.label),
    ))
}

/// The arguments as `main` gets them: every declared one is there, `()` if it was not given.
fn map_of(arguments: &Arguments) -> Map {
    arguments
        .values
        .iter()
        .map(|(name, value)| (name.into(), dynamic(value)))
        .collect()
}

fn dynamic(value: &Argument) -> Dynamic {
    match value {
        Argument::Missing => Dynamic::UNIT,
        Argument::Bool(value) => (*value).into(),
        Argument::Int(value) => (*value).into(),
        Argument::Float(value) => (*value).into(),
        Argument::Text(value) => value.into(),
        Argument::Link { provider, subject } => {
            Map::from_iter([("provider".into(), provider.into()), ("subject".into(), subject.into())]).into()
        }
        Argument::Time(value) => Dynamic::from(*value),
        Argument::Secret(value) => Dynamic::from(Secret::given(value.clone())),
        Argument::List(values) => values.iter().map(dynamic).collect::<rhai::Array>().into(),
    }
}

/// The text of the secret, if the result is one or has exactly one among its fields.
fn lone_secret(returned: &Dynamic, reveal: bool) -> Result<Option<String>> {
    let text = |secret: &Dynamic| Ok(to_value(secret, reveal)?.as_str().map(str::to_owned));
    if returned.is::<Secret>() {
        return text(returned);
    }
    let secrets = crate::primitives::secrets_in(returned);
    match &secrets[..] {
        [secret] => text(secret),
        _ => Ok(None),
    }
}
