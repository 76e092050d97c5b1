//! `masctl scripts test`: the tests of scripts, and what came of them.

use std::{
    fmt::Write,
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Map, Value};

use crate::{
    cli::{
        failure,
        options::Options,
        render::{self, Format},
        signals,
        terminal::{Terminal, one_line, printable},
    },
    error::{Code, Error, Result, counted},
    host::testing::{self, File, Limits, Verdict},
    operations::Interrupt,
};

/// The exit status when a test failed.
const FAILED: u8 = 1;

pub(super) fn command() -> Command {
    Command::new("test")
        .about("Run the tests of scripts")
        .arg(
            Arg::new("paths")
                .value_name("PATH")
                .num_args(0..)
                .value_parser(value_parser!(PathBuf))
                .help("Scripts, and folders to look for them in; the current folder if there is none"),
        )
        .arg(
            Arg::new("only")
                .long("only")
                .value_name("TEXT")
                .help("Only the tests that have this text in their names"),
        )
        .arg(
            Arg::new("time_limit")
                .long("time-limit")
                .value_name("DURATION")
                .value_parser(duration)
                .default_value("10s")
                .help("How long one test may take"),
        )
        .after_help(
            "A test is a function without parameters whose name starts with `test_`, in a script or in the file \
             NAME.test.rhai beside it. Each has an empty store and a homeserver of its own, which are gone after it, and a \
             clock that stands at 2026-01-01T00:00:00Z. Your configuration is not read, and no database and no homeserver \
             of yours is reached.\n\n\
             `std/fixture` makes accounts and what belongs to them, `testing::run` runs a script, and `std/assert` says what \
             must be true. The status is 1 if a test failed, or if there is none.",
        )
}

/// A number of seconds, or one with its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.strip_suffix('m') {
        Some(digits) => (digits, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = digits.parse::<u32>().ok().filter(|&seconds| seconds > 0);
    let seconds = seconds.map(|seconds| u64::from(seconds) * unit);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "it is a duration such as `30s` or `2m`".to_owned())
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<u8> {
    let paths: Vec<PathBuf> = match matches.get_many("paths") {
        Some(paths) => paths.cloned().collect(),
        None => vec![PathBuf::from(".")],
    };
    let only = matches.get_one::<String>("only");
    let wanted = |name: &str| only.is_none_or(|only| name.contains(only.as_str()));
    let files = testing::find(&paths, &wanted)?;
    if files.is_empty() {
        return Err(nothing(&paths, only));
    }
    let limits = Limits {
        time: matches.get_one("time_limit").copied().unwrap_or(Limits::default().time),
        ..Limits::default()
    };
    let interrupt = Arc::new(Interrupt::default());
    signals::watch(&interrupt, options)?;
    let mut report = Report {
        files: &files,
        next: 0,
        is_shown: options.wish.format == Format::Table,
        verbose: options.verbose > 0,
        failures: String::new(),
        rows: Vec::new(),
        passed: 0,
        failed: 0,
    };
    testing::run(&files, limits, &interrupt, &mut |file, name, verdict| {
        report.add(file, name, verdict)
    })?;
    report.finish(options)
}

fn nothing(paths: &[PathBuf], only: Option<&String>) -> Error {
    let places: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    let which = only
        .map(|only| format!(" with `{only}` in its name"))
        .unwrap_or_default();
    Error::new(
        Code::TestMissing,
        format!("There is no test{which} in {}", places.join(", ")),
    )
    .help("A test is a function whose name starts with `test_`, in a script or in NAME.test.rhai beside it.")
}

/// What came of the tests so far.
struct Report<'files> {
    files: &'files [File],
    /// The first file of which nothing was shown yet.
    next: usize,
    /// Whether people read it while it is made.
    is_shown: bool,
    verbose: bool,
    failures: String,
    rows: Vec<Value>,
    passed: usize,
    failed: usize,
}

impl Report<'_> {
    fn add(&mut self, file: &File, name: &str, verdict: &Verdict) -> Result<()> {
        self.start(Some(file))?;
        match &verdict.failure {
            None => {
                self.passed += 1;
                self.line(&format!("test {name} ... ok"))?;
            }
            Some(error) => {
                self.line(&format!("test {name} ... FAILED"))?;
                self.fail(&format!("{name} in {}", file.label), error, &verdict.said);
            }
        }
        self.row(&file.label, Some(name), verdict.failure.as_ref(), &verdict.said);
        Ok(())
    }

    /// Shows what comes before the tests of a file, or, without one, what comes last.
    fn start(&mut self, file: Option<&File>) -> Result<()> {
        while let Some(next) = self.files.get(self.next) {
            let last = self.files[..self.next].last();
            if file.is_some_and(|file| last.is_some_and(|last| last.label == file.label)) {
                return Ok(());
            }
            self.next += 1;
            if let Err(error) = &next.script {
                self.line(&format!("{} cannot be tested ... FAILED", next.label))?;
                self.fail(&next.label, error, &[]);
                self.row(&next.label, None, Some(error), &[]);
                continue;
            }
            let tests = counted(next.tests.len() as u64, "test");
            self.line(&format!("running {tests} in {}", next.label))?;
        }
        Ok(())
    }

    fn fail(&mut self, what: &str, error: &Error, said: &[String]) {
        self.failed += 1;
        let style = failure::Style {
            color: Terminal::style(false).color && io::stdout().is_terminal(),
            ..Terminal::style(self.verbose)
        };
        let text = &mut self.failures;
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "\n---- {} ----\n{}",
            one_line(&printable(what)),
            failure::report(error, style)
        );
        if !said.is_empty() {
            text.push_str("  said:\n");
        }
        for line in said {
            let _ = writeln!(text, "    {}", one_line(&printable(line)));
        }
    }

    fn row(&mut self, file: &str, name: Option<&str>, failure: Option<&Error>, said: &[String]) {
        let error = failure.map(|error| failure::json(error)["error"].take());
        let fields = [
            ("file", Value::from(file)),
            ("name", name.into()),
            ("outcome", if failure.is_none() { "passed" } else { "failed" }.into()),
            ("error", error.unwrap_or_default()),
            ("said", failure.map(|_| said.to_vec()).unwrap_or_default().into()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        self.rows.push(Value::Object(Map::from_iter(fields)));
    }

    fn line(&self, text: &str) -> Result<()> {
        if !self.is_shown {
            return Ok(());
        }
        render::print(&format!("{}\n", one_line(&printable(text))))
    }

    fn finish(mut self, options: &Options) -> Result<u8> {
        self.start(None)?;
        let status = if self.failed == 0 { 0 } else { FAILED };
        if !self.is_shown {
            render::print(&render::plain(&Value::Array(self.rows), &options.wish)?)?;
            return Ok(status);
        }
        if !self.failures.is_empty() {
            render::print(&format!("\nfailures:\n{}", self.failures))?;
        }
        let result = if self.failed == 0 { "ok" } else { "FAILED" };
        render::print(&format!(
            "\ntest result: {result}. {} passed; {} failed\n",
            self.passed, self.failed
        ))?;
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_has_a_unit_or_is_in_seconds() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for wrong in ["", "0", "s", "1.5", "-1", "2h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
