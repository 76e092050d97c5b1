//! Errors between Rust and Rhai: one type `Error` with code, message and data.

use rhai::{Dynamic, Engine, EvalAltResult, Map, NativeCallContext, Position};

use crate::error::{Code, Error};

/// Raises an error at a position. What a script may not swallow passes through its `catch`.
#[must_use]
pub fn raise(error: Error, position: Position) -> Box<EvalAltResult> {
    if error.code().catchable() {
        EvalAltResult::ErrorRuntime(Dynamic::from(error), position).into()
    } else {
        EvalAltResult::ErrorTerminated(Dynamic::from(error), position).into()
    }
}

/// An error that nothing may catch, and where it was raised. Rhai itself forgets the place of such errors on their way
/// out of a function.
#[derive(Clone)]
struct Fatal {
    error: Error,
    file: Option<String>,
    position: Position,
}

/// As [`raise`], at the call of a primitive.
#[must_use]
pub(super) fn raise_at(context: &NativeCallContext, error: Error) -> Box<EvalAltResult> {
    let position = context.call_position();
    if error.code().catchable() {
        return raise(error, position);
    }
    let fatal = Fatal {
        error,
        file: context.call_source().map(str::to_owned),
        position,
    };
    EvalAltResult::ErrorTerminated(Dynamic::from(fatal), position).into()
}

/// The file and the position that a primitive raised an error at that nothing may catch.
#[must_use]
pub fn place_of(result: &EvalAltResult) -> Option<(Option<String>, Position)> {
    let EvalAltResult::ErrorTerminated(value, _) = result.unwrap_inner() else {
        return None;
    };
    let fatal = value.read_lock::<Fatal>()?;
    Some((fatal.file.clone(), fatal.position))
}

/// The error that a script ended in: one of ours, one that the script threw, or one of Rhai's.
#[must_use]
pub fn error_of(result: &EvalAltResult) -> Error {
    match result {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            error_of(inner)
        }
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => thrown(value),
        EvalAltResult::ErrorParsing(error, _) => Error::new(Code::ScriptSyntax, error.to_string()),
        EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::ErrorTooManyModules(_)
        | EvalAltResult::ErrorStackOverflow(_)
        | EvalAltResult::ErrorDataTooLarge(..) => Error::new(Code::ScriptLimit, words_of(result)),
        EvalAltResult::ErrorModuleNotFound(path, _) => {
            Error::new(Code::ScriptNotFound, format!("There is no module `{path}`"))
        }
        _ => Error::new(Code::ScriptFailed, words_of(result)),
    }
}

/// A script may throw an error that it caught, a text, or anything else.
fn thrown(value: &Dynamic) -> Error {
    if let Some(error) = value.read_lock::<Error>() {
        return error.clone();
    }
    if let Some(fatal) = value.read_lock::<Fatal>() {
        return fatal.error.clone();
    }
    let text = match value.read_lock::<Map>() {
        Some(map) => map
            .get("message")
            .map_or_else(|| value.to_string(), ToString::to_string),
        None if value.is_unit() => "the script threw an error without a message".to_owned(),
        None => value.to_string(),
    };
    Error::new(Code::ScriptFailed, text.lines().next().unwrap_or_default())
}

/// Rhai's words without the position, which is shown by the excerpt.
fn words_of(result: &EvalAltResult) -> String {
    let mut bare = result.unwrap_inner().clone_without_position();
    bare.truncate(bare.find('\n').unwrap_or(bare.len()));
    bare
}

trait WithoutPosition {
    fn clone_without_position(&self) -> String;
}

impl WithoutPosition for EvalAltResult {
    fn clone_without_position(&self) -> String {
        let text = self.to_string();
        let position = format!(" ({})", self.position());
        text.strip_suffix(&position).map(str::to_owned).unwrap_or(text)
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("to_string", |error: &mut Error| error.message().to_owned())
        .register_fn("to_debug", |error: &mut Error| format!("{error:?}"));
}
