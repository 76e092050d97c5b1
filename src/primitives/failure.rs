//! Errors between Rust and Rhai: one type `Error` with code, message and data.

use rhai::{Dynamic, Engine, EvalAltResult, Map, NativeCallContext, Position};

use super::{to_value, words::words};
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
pub(super) fn raise_at(context: &NativeCallContext, error: Error) -> EvalAltResult {
    let position = context.call_position();
    if error.code().catchable() {
        return *raise(error, position);
    }
    let fatal = Fatal {
        error,
        file: context.call_source().map(str::to_owned),
        position,
    };
    EvalAltResult::ErrorTerminated(Dynamic::from(fatal), position)
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
        | EvalAltResult::ErrorStackOverflow(_) => Error::new(Code::ScriptLimit, words_of(result)),
        EvalAltResult::ErrorDataTooLarge(..) => Error::new(Code::ScriptLimit, words_of(result)).help(SIZES),
        EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with("anon$") => Error::new(
            Code::ScriptFailed,
            "The closure cannot be called here with these arguments",
        )
        .help(
            "It takes another number of them; or a module has made it, and only that module's functions can call it.",
        ),
        EvalAltResult::ErrorModuleNotFound(path, _) => {
            Error::new(Code::ScriptNotFound, format!("There is no module `{path}`"))
        }
        _ => {
            let failed = Error::new(Code::ScriptFailed, in_words_of_scripts(&words_of(result)));
            match way_out(result) {
                Some(help) => failed.help(help),
                None => failed,
            }
        }
    }
}

/// How large values may be, as the engine is told.
const SIZES: &str = "A text has at most 16 MiB, an array 2,000,000 items and a map 1,000,000 entries, each with all that is \
                     in it. Go over a list with `for`, and keep only what is needed of each.";

/// What to write in the place of what cannot be done with a value.
fn way_out(result: &EvalAltResult) -> Option<&'static str> {
    match result.unwrap_inner() {
        EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.contains("()") => {
            Some("`()` is what is not there: ask for it first, such as by `value == ()`.")
        }
        EvalAltResult::ErrorIndexingType(signature, _) if signature.contains(LIST) => {
            Some("Such a list is read while `for` walks it, and its items have no numbers.")
        }
        _ => None,
    }
}

/// How Rhai calls a list that is read while it is walked.
const LIST: &str = "masctl::primitives::lazy::Lazy<";

/// The types in a text as scripts know them, not as Rust does.
fn in_words_of_scripts(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("masctl::") {
        told.push_str(&rest[..start]);
        rest = &rest[start..];
        let is_list = rest.starts_with(LIST);
        if is_list {
            told.push_str("list of ");
            rest = &rest[LIST.len()..];
        }
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
            .unwrap_or(rest.len());
        told.push_str(rest[..end].rsplit("::").next().unwrap_or_default());
        rest = &rest[end..];
        if is_list {
            rest = rest.strip_prefix('>').unwrap_or(rest);
        }
    }
    told + rest
}

/// A script may throw an error that it caught, a text, a map with `message`, `help` and `data`, or anything else.
fn thrown(value: &Dynamic) -> Error {
    if let Some(error) = value.read_lock::<Error>() {
        return error.clone();
    }
    if let Some(fatal) = value.read_lock::<Fatal>() {
        return fatal.error.clone();
    }
    if let Some(map) = value.read_lock::<Map>() {
        return told(&map).unwrap_or_else(|| failed(&words(value)));
    }
    if value.is_unit() {
        return failed("the script threw an error without a message");
    }
    failed(&words(value))
}

/// What a map says that a script threw, if it has a message.
fn told(map: &Map) -> Option<Error> {
    let mut error = failed(&words(map.get("message")?));
    if let Some(help) = map.get("help").filter(|help| !help.is_unit()) {
        error = error.help(words(help));
    }
    if let Some(data) = map.get("data").and_then(Dynamic::read_lock::<Map>) {
        for (key, value) in data.iter() {
            // A secret stays masked. A list that cannot be read is not worth another error.
            error = error.data(key, to_value(value, false).unwrap_or_default());
        }
    }
    Some(error)
}

fn failed(message: &str) -> Error {
    Error::new(Code::ScriptFailed, message.lines().next().unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::Secret;

    fn of(script: &str) -> Error {
        let mut engine = Engine::new();
        engine.register_fn("secret", || Secret::given("correct horse".into()));
        error_of(&engine.eval::<Dynamic>(script).unwrap_err())
    }

    #[test]
    fn a_script_says_what_went_wrong_what_to_do_and_about_what() {
        let error =
            of("throw #{ message: \"two are wrong\\nno\", help: \"a\\nb\", data: #{ lines: [2, 3], key: secret() } }");
        assert_eq!((error.code(), error.message()), (Code::ScriptFailed, "two are wrong"));
        assert_eq!(error.help_text(), Some("a\nb"));
        let data = serde_json::to_value(error.values()).unwrap();
        assert_eq!(data, serde_json::json!({"key": "<secret>", "lines": [2, 3]}));
    }

    #[test]
    fn types_are_called_as_scripts_know_them() {
        let told = in_words_of_scripts(
            "Indexer unavailable: masctl::primitives::lazy::Lazy<masctl::model::User> [i64], masctl::model::User",
        );
        assert_eq!(told, "Indexer unavailable: list of User [i64], User");
        assert_eq!(in_words_of_scripts("masctl::"), "");
        assert_eq!(of("!()").help_text().map(|help| help.contains("== ()")), Some(true));
    }

    #[test]
    fn an_error_is_of_one_thing_or_of_all() {
        let mut engine = Engine::new();
        crate::primitives::register(&mut engine);
        engine.register_fn("fail", |code: &str| -> Result<(), Box<EvalAltResult>> {
            let code = Code::ALL.iter().find(|known| known.as_str() == code).unwrap();
            Err(raise(Error::new(*code, "no"), Position::NONE))
        });
        for (failing, concerns_all) in [
            ("fail(\"user.not_found\")", false),
            ("fail(\"homeserver.unreachable\")", true),
            ("throw \"no\"", false),
            ("throw #{ message: \"no\" }", false),
            ("[1][2]", true),
        ] {
            let script =
                format!("let all = (); try {{ {failing}; }} catch (error) {{ all = error_concerns_all(error); }} all");
            assert_eq!(engine.eval::<bool>(&script).unwrap(), concerns_all, "{failing}");
        }
    }

    #[test]
    fn a_closure_is_not_called_by_the_name_that_rhai_gives_it() {
        for script in ["let f = |x| x; f.call(1, 2)", "[1].map(|a, b, c| a)"] {
            let error = of(script);
            assert_eq!(
                error.message(),
                "The closure cannot be called here with these arguments",
                "{script}"
            );
        }
    }

    #[test]
    fn whatever_is_thrown_is_an_error() {
        for (script, message) in [
            ("throw \"no\"", "no"),
            ("throw", "the script threw an error without a message"),
            ("throw #{ a: 1 }", "#{\"a\": 1}"),
            ("throw #{ message: 4, help: (), data: 1 }", "4"),
            ("throw 42", "42"),
        ] {
            let error = of(script);
            assert_eq!((error.message(), error.help_text()), (message, None), "{script}");
            assert!(error.values().is_empty(), "{script}");
        }
    }
}
