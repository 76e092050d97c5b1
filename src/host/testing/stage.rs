//! The stage of one test, and the ground that all stages stand on.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use chrono::DateTime;
use tempfile::TempDir;

use super::{File, Limits, Verdict, perform::Performer};
use crate::{
    capability::Capabilities,
    config::{Configuration, Database, Environment},
    error::{Code, Error, Result},
    homeserver::FakeHomeserver,
    host::{
        engine,
        program::{Program, on_deep_stack},
        runtime,
        script::{Origin, Script},
    },
    operations::{
        Interrupt, Run, Standstill,
        testing::{SERVER_NAME, Said, Stage},
    },
    storage,
};

/// Where the clock of every test stands: 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;

/// The configuration of every test. Its passwords are hashed as fast as MAS can.
const CONFIGURATION: &str = "\
matrix: { homeserver: SERVER }
passwords:
  schemes:
    - { version: 1, algorithm: bcrypt, cost: 4 }
";

/// What all tests share: a folder that is gone with it, with an empty store that each test gets a copy of.
pub(super) struct Ground {
    folder: TempDir,
    configuration: Arc<Configuration>,
}

impl Ground {
    /// Makes the folder and the store.
    ///
    /// # Errors
    /// `file.unwritable` where there is no room for them, and those of making the store.
    pub(super) fn prepare() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("masctl-test-")
            .tempdir()
            .map_err(|cause| unusable(&cause))?;
        let file = folder.path().join("config.yaml");
        fs::write(&file, CONFIGURATION.replace("SERVER", SERVER_NAME)).map_err(|cause| unusable(&cause))?;
        // Neither variables nor files of the operator's have a say in it.
        let environment = Environment::new([("HOME", folder.path().display().to_string())], folder.path());
        let configuration = Arc::new(Configuration::load(&[file], &environment)?);
        let ground = Self { folder, configuration };
        runtime()?.block_on(async {
            storage::open(&Database::Sqlite(ground.template())).await?.close().await;
            Ok::<_, Error>(())
        })?;
        Ok(ground)
    }

    fn template(&self) -> PathBuf {
        self.folder.path().join("empty.db")
    }
}

fn unusable(cause: &std::io::Error) -> Error {
    let message = format!("There is no room for the stores of the tests: {cause}");
    Error::new(Code::FileUnwritable, message).help("TMPDIR names the folder for them.")
}

/// Runs one test.
///
/// # Errors
/// What has nothing to do with the test: `run.interrupted`, and where there is no room for its store.
pub(super) fn run(ground: &Ground, file: &File, name: &str, limits: Limits, whole: &Interrupt) -> Result<Verdict> {
    let script = file.script.as_ref().map_err(Clone::clone)?;
    let folder = tempfile::tempdir_in(ground.folder.path()).map_err(|cause| unusable(&cause))?;
    let database = folder.path().join("store.db");
    fs::copy(ground.template(), &database).map_err(|cause| unusable(&cause))?;
    let said = Arc::new(Said::default());
    let clock = Standstill::at(DateTime::from_timestamp(NOW, 0).unwrap_or_default());
    let performer = Performer {
        folder: folder_of(script),
        configuration: ground.configuration.clone(),
        database: Database::Sqlite(database),
        homeserver: Arc::new(FakeHomeserver::new(SERVER_NAME)),
        clock: clock.clone(),
        said: said.clone(),
        interrupt: Arc::new(whole.below(limits.time)),
        runtime: Arc::new(runtime()?),
        limits: engine::Limits::of_operations(limits.operations),
    };
    let parts = performer.parts(Capabilities::all().into(), false);
    let (homeserver, counted) = (performer.homeserver.clone(), performer.limits.clone());
    let stage = Stage {
        homeserver,
        clock,
        said: said.clone(),
        folder: folder.path().join("files"),
        perform: Box::new(move |call| performer.perform(call)),
        failure: Mutex::default(),
    };
    let stage = Arc::new(stage);
    let run = Arc::new(Run::on_stage(parts, stage.clone()));
    let ended = on_deep_stack(|| Program::of_tests(script, &run, &counted)?.call_test(name, &run));
    let failure = match ended {
        Ok(()) => stage.take_failure(),
        Err(error) => Some(run.abandon(error)),
    };
    match (failure, whole.stop()) {
        // It does not matter where it was met.
        (Some(_), Some(why)) => Err(why),
        (failure, _) => Ok(Verdict {
            failure,
            said: said.lines(),
        }),
    }
}

/// Where the scripts are that a test runs.
fn folder_of(script: &Script) -> PathBuf {
    match &script.origin {
        Origin::File { folder } => folder.clone(),
        _ => PathBuf::from("."),
    }
}
