//! What scripts call without a namespace, and the types that belong to none.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map, NativeCallContext, Shared};

use super::{Scripted, call_freely, words::words};
use crate::error::Code;

pub(super) fn register(engine: &mut Engine) {
    let module: Shared<Module> = exported_module!(global).into();
    engine
        .register_type_with_name::<global::Time>("Time")
        .register_type_with_name::<global::Secret>("Secret")
        .register_type_with_name::<global::Error>("Error")
        .register_global_module(module);
}

/// A field of the maps that Rhai's own errors are.
fn field(error: &Map, name: &str) -> String {
    error.get(name).map(words).unwrap_or_default()
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod global {
    /// A moment. It prints as RFC 3339 in UTC, and can be compared with another: `one - other` are the seconds between
    /// them, `time + 3600` is an hour later.
    pub type Time = crate::model::Time;

    /// A secret: a password or a token. It can be handed on to primitives; wherever it is shown, it is `<secret>`.
    pub type Secret = crate::primitives::Secret;

    /// What a primitive failed with, as `catch` gets it.
    pub type Error = crate::error::Error;

    /// Tell people something, on stderr. `--quiet` silences it.
    ///
    /// Data is what `main` returns, not what is said.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// say("hello");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn say(context: NativeCallContext, message: Dynamic) -> Scripted<()> {
        call_freely(&context, |run| {
            run.console().say(&super::words(&message));
            Ok(())
        })
    }

    /// The code of whatever was caught: of an error of masctl's, of one of Rhai's own, or of what a script threw.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// try { users::get("nobody"); } catch (error) {
    ///     if error_code(error) != "user.not_found" { throw error; }
    /// }
    /// ```
    pub fn error_code(error: Dynamic) -> String {
        if let Some(error) = error.read_lock::<Error>() {
            return error.code().as_str().to_owned();
        }
        match error.read_lock::<Map>() {
            Some(error) => super::field(&error, "error"),
            None => Code::ScriptFailed.as_str().to_owned(),
        }
    }

    /// The message of whatever was caught, one line for people.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// try { users::get("nobody"); } catch (error) { say(error_message(error)); }
    /// ```
    pub fn error_message(error: Dynamic) -> String {
        if let Some(error) = error.read_lock::<Error>() {
            return error.message().to_owned();
        }
        match error.read_lock::<Map>() {
            Some(error) => super::field(&error, "message"),
            None => super::words(&error),
        }
    }

    /// Whether the next of many things would fail of what was caught too: of the homeserver that is down, or of a mistake
    /// of the script's own.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// for name in ["alice", "nobody"] {
    ///     try { users::get(name); } catch (error) {
    ///         if error_concerns_all(error) { throw error; }
    ///         say(error_message(error));
    ///     }
    /// }
    /// ```
    pub fn error_concerns_all(error: Dynamic) -> bool {
        if let Some(error) = error.read_lock::<Error>() {
            return error.code().concerns_all();
        }
        // Rhai's own errors are maps with the name of the error.
        error
            .read_lock::<Map>()
            .is_some_and(|error| error.contains_key("error"))
    }

    /// Why, for programs: one of the error codes.
    #[rhai_fn(get = "code", pure)]
    pub fn code(error: &mut Error) -> String {
        error.code().as_str().to_owned()
    }

    /// Why, for people: one line.
    #[rhai_fn(get = "message", pure)]
    pub fn message(error: &mut Error) -> String {
        error.message().to_owned()
    }

    /// Values that belong to it, by name.
    #[rhai_fn(get = "data", pure, return_raw)]
    pub fn data(error: &mut Error) -> Scripted<Dynamic> {
        rhai::serde::to_dynamic(error.values())
    }
}
