//! The tests of scripts: functions whose names start with `test_`, in a script itself or in the file `NAME.test.rhai`
//! beside it. Each runs on a stage of its own, and nothing of the operator's is touched.

mod find;
mod perform;
mod stage;

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

pub use self::find::{File, find};
use self::stage::Ground;
use crate::{
    error::{Code, Error, Result},
    operations::Interrupt,
};

/// How much one test may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many operations, those of the scripts that it runs counted in.
    pub operations: u64,
    /// How long it may take.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 10_000_000,
            time: Duration::from_secs(10),
        }
    }
}

/// What came of one test.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What it failed with, if it did.
    pub failure: Option<Error>,
    /// What was said to the person, warnings marked as such.
    pub said: Vec<String>,
}

/// Takes what came of a test, in the order of the files and of the tests in them: its file, its name, and the verdict.
pub type Each<'a> = dyn FnMut(&File, &str, &Verdict) -> Result<()> + 'a;

/// Runs the tests of all files, as many at once as there are cores.
///
/// # Errors
/// `run.interrupted`; what keeps tests from being run at all; what `each` fails with.
pub fn run(files: &[File], limits: Limits, interrupt: &Interrupt, each: &mut Each) -> Result<()> {
    let tests: Vec<(&File, &str)> = files
        .iter()
        .flat_map(|file| file.tests.iter().map(move |test| (file, test.as_str())))
        .collect();
    if tests.is_empty() {
        return Ok(());
    }
    let ground = Ground::prepare()?;
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from).min(tests.len());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..workers {
            let (sender, next, tests, ground) = (sender.clone(), &next, &tests, &ground);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&(file, name)) = tests.get(at) else { return };
                    let verdict = match interrupt.stop() {
                        Some(why) => Err(why),
                        None => stage::run(ground, file, name, limits, interrupt),
                    };
                    let ended = verdict.is_err();
                    // Nobody may be there any more to take it.
                    if sender.send((at, verdict)).is_err() || ended {
                        return;
                    }
                }
            });
        }
        drop(sender);
        in_order(&tests, &receiver, each)
    })
}

type Arrival = (usize, Result<Verdict>);

/// Hands the verdicts on in the order of the tests, however they arrive.
fn in_order(tests: &[(&File, &str)], arrivals: &mpsc::Receiver<Arrival>, each: &mut Each) -> Result<()> {
    let mut waiting: Vec<Option<Verdict>> = vec![None; tests.len()];
    let mut next = 0;
    for (at, verdict) in arrivals {
        waiting[at] = Some(verdict?);
        while let Some(verdict) = waiting.get_mut(next).and_then(Option::take) {
            let (file, name) = tests[next];
            each(file, name, &verdict)?;
            next += 1;
        }
    }
    if next == tests.len() {
        return Ok(());
    }
    Err(Error::new(Code::Bug, "masctl has a defect: a test was not run"))
}
