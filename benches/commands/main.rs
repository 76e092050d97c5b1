//! How fast masctl is and how much memory it takes, beside the least that each command could take: `cargo bench`.
//!
//! Each figure is the median of runs of the real binary that alternate with runs of its floor, after warm-up runs of
//! both. The floor of a command is the same statements as text over one fresh connection of this process; that of a list or
//! a count is the same query in psql. Nothing is
//! asserted: a busy machine is no mistake in masctl.
//!
//! ```text
//! cargo bench                    all measures
//! cargo bench -- --quick         fewer runs
//! cargo bench -- lock provision  measures whose names hold one of the words
//! ```
//!
//! `--runs N` sets how often a command is run, `--users N` how many users the larger database has. PostgreSQL comes
//! from the installed programs or from `MASCTL_TEST_DATABASE_URL`, as for the tests.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on panics")]

mod child; // what one run of a program costs
mod floor; // the least that a command could take
mod lists; // lists and counts beside psql
mod measures; // the measures, in the order of the table
mod prompts; // the first prompt of a session
mod scenes; // stores with users
mod scripts; // scripts of an operator's, and completion
#[expect(dead_code, reason = "the tests use more of it")]
mod support; // what the benchmark takes from the tests
mod table; // medians, floors and targets
mod walk; // a script that walks over all users

use std::{
    env, fs,
    io::{self, Write},
    process::ExitCode,
    thread,
};

use self::{measures::MEASURES, table::Report};

/// How much is measured.
#[derive(Clone, Debug)]
struct Plan {
    /// How often a command is run.
    runs: usize,
    /// How often a command on all users is run.
    bulk_runs: usize,
    /// How many users the larger database has; the smaller has a tenth.
    users: usize,
    /// Only measures whose names hold one of these; all if there is none.
    words: Vec<String>,
}

impl Plan {
    fn of(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self {
            runs: 41,
            bulk_runs: 5,
            users: 100_000,
            words: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let number = arguments.next().and_then(|value| value.parse().ok());
                number
                    .filter(|&it| it > 0)
                    .ok_or(format!("{argument} takes a number above 0"))
            };
            match argument.as_str() {
                // Cargo says what it is doing.
                "--bench" => {}
                "--quick" => (plan.runs, plan.bulk_runs) = (11, 1),
                "--runs" => plan.runs = number()?,
                "--users" => plan.users = number()?,
                word if !word.starts_with('-') => plan.words.push(word.to_owned()),
                _ => {
                    return Err(format!(
                        "{argument} is no option of this benchmark: --quick, --runs N, --users N, WORD…"
                    ));
                }
            }
        }
        Ok(plan)
    }

    fn includes(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}

fn main() -> ExitCode {
    // First of all, so that the process that starts a measured one stays small.
    let mut arguments = env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == child::FLAG => return child::measure_one(arguments),
        Some(first) if first == walk::FLAG => return walk::walk(arguments),
        Some(first) if first == prompts::FLAG => return prompts::show(),
        Some(first) if first == floor::HASH => return floor::print_hash(&arguments.next().unwrap_or_default()),
        _ => {}
    }
    let plan = match Plan::of(env::args().skip(1)) {
        Ok(plan) => plan,
        Err(mistake) => {
            say(&format!("Error: {mistake}"));
            return ExitCode::from(2);
        }
    };
    let mut report = Report::new();
    let before = load();
    for (name, measure) in MEASURES.iter().filter(|(name, _)| plan.includes(name)) {
        say(&format!("measuring {name} …"));
        measure(&plan, &mut report);
    }
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) {
        "a DEBUG build, whose figures mean nothing"
    } else {
        "a release build"
    };
    let written = writeln!(
        io::stdout(),
        "\n{report}\n{build}; {cores} cores, load {before} before and {} after",
        load()
    );
    if written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// How many processes wanted to run in the last minute: what else the machine did.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

fn say(line: &str) {
    // Without anybody to read it, it need not be said.
    let _ = writeln!(io::stderr(), "{line}");
}
