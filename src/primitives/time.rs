//! `time::`: moments, and what can be done with them: they print as RFC 3339, are compared, and count in seconds.

use chrono::TimeDelta;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Engine, Module, NativeCallContext};

use super::{Scripted, call_freely, moment as written, raise};
use crate::{
    error::{Code, Error, Result},
    model::{Time, moment},
    operations::Run,
};

pub(super) fn module() -> Module {
    exported_module!(time)
}

/// Makes the moments that fields and arguments hold usable without a namespace.
pub(super) fn register_operators(engine: &mut Engine) {
    let text = |time: &mut Time| written::text(*time);
    engine
        .register_fn("to_string", text)
        .register_fn("to_debug", text)
        .register_fn("==", |one: Time, other: Time| one == other)
        .register_fn("!=", |one: Time, other: Time| one != other)
        .register_fn("<", |one: Time, other: Time| one < other)
        .register_fn("<=", |one: Time, other: Time| one <= other)
        .register_fn(">", |one: Time, other: Time| one > other)
        .register_fn(">=", |one: Time, other: Time| one >= other)
        .register_fn("-", |one: Time, other: Time| (one - other).num_seconds());
    for operator in ["<", "<=", ">", ">="] {
        engine
            .register_fn(operator, |context: NativeCallContext, _: Time, other: Dynamic| {
                unlike(&context, &other)
            })
            .register_fn(operator, |context: NativeCallContext, one: Dynamic, _: Time| {
                unlike(&context, &one)
            });
    }
    engine
        .register_fn("+", |context: NativeCallContext, time: Time, seconds: i64| {
            moved(time, Some(seconds)).map_err(|error| raise(error, context.call_position()))
        })
        .register_fn("-", |context: NativeCallContext, time: Time, seconds: i64| {
            moved(time, seconds.checked_neg()).map_err(|error| raise(error, context.call_position()))
        });
}

/// What comes of comparing a time with something else. Rhai would say no, whichever is earlier; of no time at all that is
/// so.
fn unlike(context: &NativeCallContext, other: &Dynamic) -> Scripted<bool> {
    if other.is_unit() {
        return Ok(false);
    }
    let what = if other.is_string() { "string" } else { other.type_name() };
    let error = invalid(format!("A time cannot be compared with a value of type {what}"))
        .help("Make a time of it, as by `time::parse(\"2026-01-31\")` or `time::ago(\"90d\")`.");
    Err(raise(error, context.call_position()))
}

fn moved(time: Time, seconds: Option<i64>) -> Result<Time> {
    let by = seconds.and_then(TimeDelta::try_seconds);
    by.and_then(|by| time.checked_add_signed(by))
        .ok_or_else(|| invalid("There is no calendar that far away"))
}

fn ago_from(run: &Run, seconds: std::result::Result<i64, &'static str>) -> Result<Time> {
    let seconds = seconds.and_then(moment::ago);
    let seconds = seconds.map_err(|problem| invalid(format!("How long ago it was {problem}")))?;
    moved(run.world().now(), seconds.checked_neg())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::ValueInvalid, message)
}

#[export_module]
mod time {
    /// Get the time now.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// let age = (time::now() - users::get("alice").created_at) / 86400;
    /// say(`alice registered ${age} days ago`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn now(context: NativeCallContext) -> Scripted<Time> {
        call_freely(&context, |run| Ok(run.world().now()))
    }

    /// Get the time of so long ago, as `90`, `90s`, `15m`, `2h`, `30d` or `2w` says.
    ///
    /// Needs nothing. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// say(users::count(#{ active_before: time::ago("90d") }));
    /// ```
    #[rhai_fn(return_raw, name = "ago")]
    pub fn ago(context: NativeCallContext, duration: &str) -> Scripted<Time> {
        call_freely(&context, |run| super::ago_from(run, moment::duration(duration)))
    }

    /// Get the time of so many seconds ago.
    ///
    /// Needs nothing. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// say(users::count(#{ created_after: time::ago(7 * 86400) }));
    /// ```
    #[rhai_fn(return_raw, name = "ago")]
    pub fn ago_seconds(context: NativeCallContext, seconds: i64) -> Scripted<Time> {
        call_freely(&context, |run| super::ago_from(run, Ok(seconds)))
    }

    /// Read a time such as `2026-01-31T12:00:00Z`, or a date such as `2026-01-31`, which is its first moment in UTC.
    ///
    /// Needs nothing. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// let alice = users::get("alice");
    /// if alice.created_at < time::parse("2025-01-01") { say("alice was here before 2025"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn parse(context: NativeCallContext, text: &str) -> Scripted<Time> {
        call_freely(&context, |_| {
            moment::moment(text).ok_or_else(|| {
                super::invalid("A time is written `2026-01-31T12:00:00Z` or `2026-01-31`")
                    .help("How long ago something was, `time::ago(\"90d\")` takes.")
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        moment::moment(text).unwrap()
    }

    #[test]
    fn moments_are_compared_with_moments_alone() {
        let mut engine = Engine::new();
        register_operators(&mut engine);
        engine.register_fn("at", time);
        let truth = |script: &str| {
            engine
                .eval::<bool>(script)
                .map_err(|error| super::super::error_of(&error).to_string())
        };
        for (script, expected) in [
            ("at(\"2026-01-31\") < at(\"2026-02-01\")", true),
            ("at(\"2026-01-31\") < ()", false),
            ("() >= at(\"2026-01-31\")", false),
            ("at(\"2026-01-31\") == \"2026-01-31\"", false),
        ] {
            assert_eq!(truth(script), Ok(expected), "{script}");
        }
        for operator in ["<", "<=", ">", ">="] {
            for (script, kind) in [
                (format!("at(\"2026-01-31\") {operator} \"2026-02-01\""), "string"),
                (format!("\"2026-02-01\" {operator} at(\"2026-01-31\")"), "string"),
                (format!("at(\"2026-01-31\") {operator} 5"), "i64"),
                (format!("let a = [at(\"2026-01-31\")]; a[0] {operator} 5.5"), "f64"),
            ] {
                let refused = format!("A time cannot be compared with a value of type {kind}");
                assert_eq!(truth(&script), Err(refused), "{script}");
            }
        }
    }

    #[test]
    fn moments_move_by_seconds_as_far_as_calendars_go() {
        let midnight = time("2026-01-31");
        assert_eq!(moved(midnight, Some(3600)).unwrap(), time("2026-01-31T01:00:00Z"));
        assert_eq!(moved(midnight, Some(-86400)).unwrap(), time("2026-01-30"));
        for far in [Some(i64::MAX), Some(i64::MIN), Some(i64::MAX / 1000), None] {
            assert_eq!(moved(midnight, far).unwrap_err().code(), Code::ValueInvalid, "{far:?}");
        }
    }
}
