//! One execution of a script: compile, call `main(args)`, then commit or take back.

use std::{cell::LazyCell, sync::Arc};

use chrono::TimeDelta;
use rhai::{Dynamic, Map};
use serde_json::Value;

use super::{
    arguments::{Arguments, Value as Argument},
    engine::Limits,
    program::{Program, on_deep_stack},
    script::Script,
};
use crate::{
    console::Rows,
    error::Result,
    model::Time,
    operations::{Parts, Report, Run, World},
    primitives::{Secret, stream, to_value},
};

/// What came of a script.
#[derive(Debug)]
pub struct Outcome {
    /// What was changed.
    pub report: Report,
    /// What `main` returned, as plain data. Nothing if something failed after the commit, or if it was shown.
    pub result: Value,
    /// Whether the result is a list that was shown while it was read.
    pub shown: bool,
    /// The one secret in the result, which is printed alone where it would be a table.
    pub secret: Option<String>,
}

/// Runs a script.
///
/// A lazy list that `main` returns before anything was written goes to `rows` while it is read, if there are any. Any
/// other result is read to its end, and nobody sees it before the commit and the effects.
///
/// # Errors
/// What the script failed with; nothing of it stays then. Rows that were shown before have been shown.
pub fn execute(script: &Script, arguments: &Arguments, parts: Parts, rows: Option<&mut dyn Rows>) -> Result<Outcome> {
    let reveal = !parts.dry_run;
    execute_run(script, arguments, Run::new(parts), reveal, &Limits::none(), rows)
}

/// As [`execute`], a run that was made before, within these limits.
///
/// # Errors
/// As those of [`execute`].
pub(super) fn execute_run(
    script: &Script,
    arguments: &Arguments,
    run: Run,
    reveal: bool,
    limits: &Limits,
    rows: Option<&mut dyn Rows>,
) -> Result<Outcome> {
    let run = Arc::new(run);
    perform(script, arguments, &run, || reveal, limits, rows)
        .and_then(|returned| Ok(returned.of(run.finish()?)))
        .map_err(|error| run.abandon(error))
}

/// Calls a script in a run that somebody else ends. Whether its secrets are to be shown is asked once they are made.
///
/// # Errors
/// What the script failed with.
pub(super) fn perform(
    script: &Script,
    arguments: &Arguments,
    run: &Arc<Run>,
    reveal: impl Fn() -> bool + Sync,
    limits: &Limits,
    rows: Option<&mut dyn Rows>,
) -> Result<Returned> {
    let arguments = map_of(arguments, run.world());
    on_deep_stack(|| {
        let returned = Program::new(script, run, limits)?.call(arguments)?;
        Returned::read(&returned, reveal(), run, rows)
    })
}

/// What `main` returned, as plain data.
#[derive(Default)]
pub(super) struct Returned {
    result: Value,
    secret: Option<String>,
    shown: bool,
}

impl Returned {
    /// Reads it to its end. Reading a lazy list may fail as the script may.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn new(returned: &Dynamic, reveal: bool) -> Result<Self> {
        Ok(Self {
            result: to_value(returned, reveal)?,
            secret: lone_secret(returned, reveal)?,
            shown: false,
        })
    }

    /// As [`Self::new`], but a list that is read before anything was written goes to `rows` while it is read.
    ///
    /// # Errors
    /// Those of the store, and of `rows`.
    pub(super) fn read(returned: &Dynamic, reveal: bool, run: &Run, rows: Option<&mut dyn Rows>) -> Result<Self> {
        let rows = rows.filter(|_| !run.is_writing());
        let Some(shown) = rows.and_then(|rows| stream(returned, reveal, run, rows)) else {
            return Self::new(returned, reveal);
        };
        shown.map(|()| Self {
            shown: true,
            ..Self::default()
        })
    }

    /// What came of the script that returned it, once that has ended so.
    pub(super) fn of(self, report: Report) -> Outcome {
        let Self { result, secret, shown } = if report.failure.is_none() {
            self
        } else {
            Self::default()
        };
        Outcome {
            report,
            result,
            shown,
            secret,
        }
    }
}

/// The arguments as `main` gets them: every declared one is there, `()` if it was not given. All that is so long ago
/// counts from the same moment.
pub(super) fn map_of(arguments: &Arguments, world: &World) -> Map {
    let now = LazyCell::new(|| world.now());
    arguments
        .values
        .iter()
        .map(|(name, value)| (name.into(), dynamic(value, &|| *now)))
        .collect()
}

fn dynamic(value: &Argument, now: &dyn Fn() -> Time) -> Dynamic {
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
        Argument::Ago(seconds) => Dynamic::from(now() - TimeDelta::seconds(*seconds)),
        Argument::Secret(value) => Dynamic::from(Secret::given(value.clone())),
        Argument::List(values) => values
            .iter()
            .map(|value| dynamic(value, now))
            .collect::<rhai::Array>()
            .into(),
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

#[cfg(feature = "fixed-world")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{
        arguments,
        header::{Header, Kind},
    };

    /// What the reference says of each type of parameter is what a script finds.
    #[test]
    fn args_hold_what_the_type_says() {
        for kind in Kind::ALL {
            let text = match kind {
                Kind::Url => "https://example.com/",
                Kind::Email => "alice@example.com",
                Kind::Ulid | Kind::Provider => "01HV0000000000000000000001",
                Kind::Link => "01HV0000000000000000000001:alice",
                Kind::Int | Kind::Duration => "90",
                Kind::Float => "1.5",
                Kind::Time => "2020-01-01",
                _ => "alice",
            };
            let values = if *kind == Kind::Enum { ", values: [alice]" } else { "" };
            let yaml = format!(
                "//! ---\n//! params:\n//!   it: {{ type: {}{values} }}\n",
                kind.as_str()
            );
            let header = Header::parse("x.rhai", &yaml).unwrap();
            let value = match kind {
                Kind::Bool => Argument::Bool(true),
                _ => arguments::parse(&header.params[0], text).unwrap(),
            };
            let held = dynamic(&value, &|| Time::UNIX_EPOCH);
            let name = match held.type_name() {
                "string" => "String",
                "map" => "Map",
                "i64" => "int",
                "f64" => "float",
                _ if held.is::<Time>() => "Time",
                _ if held.is::<Secret>() => "Secret",
                other => other,
            };
            assert_eq!(name, kind.holds(), "{}", kind.as_str());
        }
    }

    #[test]
    fn what_is_so_long_ago_counts_back_from_one_moment() {
        let world = World::fixed(60 * 24);
        let list = Argument::List(vec![Argument::Ago(60), Argument::Ago(0)]);
        let arguments = Arguments {
            values: vec![("a".to_owned(), Argument::Ago(24 * 60 * 60)), ("b".to_owned(), list)],
            warnings: Vec::new(),
        };
        let map = map_of(&arguments, &world);
        let shown = |value: &Dynamic| value.clone_cast::<Time>().to_rfc3339();
        assert_eq!(shown(&map["a"]), "2020-01-01T00:00:00.001+00:00");
        let list = map["b"].clone().into_array().unwrap();
        assert_eq!(shown(&list[0]), "2020-01-01T23:59:00.001+00:00");
        assert_eq!(shown(&list[1]), "2020-01-02T00:00:00.001+00:00");
    }
}
