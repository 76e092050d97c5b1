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
        .register_fn("-", |one: Time, other: Time| (one - other).num_seconds())
        .register_fn("+", |context: NativeCallContext, time: Time, seconds: i64| {
            moved(time, Some(seconds)).map_err(|error| raise(error, context.call_position()))
        })
        .register_fn("-", |context: NativeCallContext, time: Time, seconds: i64| {
            moved(time, seconds.checked_neg()).map_err(|error| raise(error, context.call_position()))
        });
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
    fn moments_move_by_seconds_as_far_as_calendars_go() {
        let midnight = time("2026-01-31");
        assert_eq!(moved(midnight, Some(3600)).unwrap(), time("2026-01-31T01:00:00Z"));
        assert_eq!(moved(midnight, Some(-86400)).unwrap(), time("2026-01-30"));
        for far in [Some(i64::MAX), Some(i64::MIN), Some(i64::MAX / 1000), None] {
            assert_eq!(moved(midnight, far).unwrap_err().code(), Code::ValueInvalid, "{far:?}");
        }
    }
}
