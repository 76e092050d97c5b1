//! What surrounds the test of a script: a store of its own, a homeserver that is only memory, a clock that stands still,
//! a person who listens and cannot be asked. Only here can rows be made out of nothing.

mod fixtures;
mod said;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use serde_json::Value;

pub use self::{
    fixtures::{
        NewClient, NewJob, NewProvider, NewSession, NewUser, add_client, add_job, add_link, add_provider, add_session,
        add_user,
    },
    said::Said,
};
use super::{
    Run, Standstill, World,
    worker::{self, Summary},
};
use crate::{
    error::{Code, Error, Result},
    homeserver::{FakeAccount, FakeHomeserver},
};

/// How large the files of one test may be together, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// The part of MXIDs after the colon, in every test.
pub const SERVER_NAME: &str = "example.com";

/// A call of a script: its name, `./NAME` for a file beside the test or that of a shipped command, and its arguments as
/// text, by parameter.
#[derive(Debug)]
pub struct Call {
    /// Which script.
    pub script: String,
    /// What it is given: none, one or several values of each parameter.
    pub arguments: Vec<(String, Vec<SecretString>)>,
    /// Whether everything is taken back at the end.
    pub dry_run: bool,
}

/// Runs a script as its command does: with its header's rules for arguments, its own capabilities, in a transaction of
/// its own. Returns what `main` returned.
pub type Perform = dyn Fn(&Call) -> Result<Value> + Send + Sync;

/// What surrounds one test.
pub struct Stage {
    /// The homeserver.
    pub homeserver: Arc<FakeHomeserver>,
    /// The clock of all that happens in the test.
    pub clock: Standstill,
    /// What was said so far.
    pub said: Arc<Said>,
    /// Where the test's files are.
    pub folder: PathBuf,
    /// How it runs scripts.
    pub perform: Box<Perform>,
    /// What was found not to be true, also if the test has caught it.
    pub failure: Mutex<Option<Error>>,
}

impl Stage {
    /// The test has failed, and stays so: an error that says so.
    #[must_use]
    pub fn fail(&self, message: impl Into<String>) -> Error {
        let error = Error::new(Code::TestFailed, message);
        let help = "The test caught this, and counts as failed all the same.";
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone().help(help));
        error
    }

    /// What the test has failed with so far. It is forgotten then.
    pub fn take_failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Writes a file for the test, and returns its path.
    ///
    /// # Errors
    /// `value.invalid` for a name that is a path, and for too much; `file.unwritable`.
    pub fn write_file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let is_plain = !matches!(name, "" | "." | "..") && !name.contains(['/', '\0']) && name.len() < 256;
        if !is_plain {
            let message = format!(
                "`{}` is not the name of a file",
                name.escape_debug().take(80).collect::<String>()
            );
            return Err(Error::new(Code::ValueInvalid, message).help("It is a name alone: `users.csv`."));
        }
        let unwritable = |cause| {
            Error::new(
                Code::FileUnwritable,
                format!("The file `{name}` cannot be written: {cause}"),
            )
        };
        fs::create_dir_all(&self.folder).map_err(unwritable)?;
        let path = self.folder.join(name);
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |data| data.len());
        let files = fs::read_dir(&self.folder).map_err(unwritable)?.flatten();
        let there: u64 = files
            .map(|file| file.path())
            .filter(|file| *file != path)
            .map(size)
            .sum();
        if there + text.len() as u64 > MOST_BYTES {
            let message = format!("The files of a test may have {} MiB together", MOST_BYTES >> 20);
            return Err(Error::new(Code::ValueInvalid, message));
        }
        fs::write(&path, text).map_err(unwritable)?;
        Ok(path)
    }
}

/// Commits what the test itself has done so far, and sends its effects: what comes next is to find it.
///
/// # Errors
/// As those of [`Run::finish_part`], and what failed after the commit.
pub fn settle(run: &Run) -> Result<()> {
    run.stage()?;
    let report = run.finish_part()?;
    run.start_part(0)?;
    report.failure.map_or(Ok(()), Err)
}

/// Runs a script, after what the test itself has done.
///
/// # Errors
/// What the script fails with, and what failed after its commit.
pub fn perform(run: &Run, call: &Call) -> Result<Value> {
    settle(run)?;
    (run.stage()?.perform)(call)
}

/// The account that the homeserver has by this name, after what the test itself has done.
///
/// # Errors
/// Those of [`settle`].
pub fn homeserver_account(run: &Run, localpart: &str) -> Result<Option<FakeAccount>> {
    settle(run)?;
    Ok(run.stage()?.homeserver.account(localpart))
}

/// Does the jobs that wait, as MAS's worker would.
///
/// # Errors
/// Those of [`settle`], and those of [`worker::work`].
pub fn work(run: &Run) -> Result<Summary> {
    settle(run)?;
    let stage = run.stage()?;
    let parts = worker::Parts {
        database: run.database().clone(),
        homeserver: stage.homeserver.clone(),
        world: World::standing(&stage.clock),
        interrupt: Arc::new(run.interrupt_of_part()),
        once: true,
        tell: Box::new(|_| ()),
    };
    run.wait(worker::work(&parts))
}
