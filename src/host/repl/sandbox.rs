//! A sandbox: a store with sample accounts and a homeserver in memory, to learn on. Nothing of it stays.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    capability::Capabilities,
    config::{Configuration, Database, Environment},
    error::{Code, Error, Result},
    homeserver::{FakeHomeserver, Homeserver},
    host::{
        Origin, Script,
        engine::Limits,
        header::Header,
        program::{Program, on_deep_stack},
    },
    operations::{
        Interrupt, Parts, Run, Standstill, World,
        testing::{SERVER_NAME, Said, Stage},
    },
    storage,
};

/// Its configuration. Passwords are hashed as fast as MAS can: those that are set here protect nothing.
const CONFIGURATION: &str = "\
matrix: { homeserver: SERVER }
passwords:
  schemes:
    - { version: 1, algorithm: bcrypt, cost: 4 }
";

/// What makes the sample accounts, and what it is called.
const SCRIPT: &str = include_str!("sandbox.rhai");
const NAME: &str = "sandbox";

/// A store with sample accounts, in a folder that is gone with it.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
    configuration: Arc<Configuration>,
    database: Database,
    homeserver: Arc<FakeHomeserver>,
}

impl Sandbox {
    /// Makes the store, with its sample accounts as of now. Neither files nor variables of the operator's have a say in it.
    ///
    /// # Errors
    /// `file.unwritable` where there is no room for it, and those of making the store.
    pub fn start(world: &World, runtime: &Arc<Runtime>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("masctl-sandbox-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|cause| unusable(&cause))?;
        let file = folder.path().join("config.yaml");
        fs::write(&file, CONFIGURATION.replace("SERVER", SERVER_NAME)).map_err(|cause| unusable(&cause))?;
        let environment = Environment::new([("HOME", folder.path().display().to_string())], folder.path());
        let store = folder.path().join("sandbox.db");
        let sandbox = Self {
            configuration: Arc::new(Configuration::load(&[file], &environment)?),
            database: Database::Sqlite(store.clone()),
            homeserver: Arc::new(FakeHomeserver::new(SERVER_NAME)),
            folder,
        };
        runtime.block_on(storage::make_thrown_away(&store))?;
        sandbox.fill(world, runtime)?;
        Ok(sandbox)
    }

    /// The folder that is removed with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration, which names nothing outside of it.
    #[must_use]
    pub fn configuration(&self) -> Arc<Configuration> {
        self.configuration.clone()
    }

    /// Its store.
    #[must_use]
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Its homeserver.
    #[must_use]
    pub fn homeserver(&self) -> Arc<dyn Homeserver> {
        self.homeserver.clone()
    }

    /// Makes the sample accounts.
    fn fill(&self, world: &World, runtime: &Arc<Runtime>) -> Result<()> {
        let said = Arc::new(Said::default());
        let parts = Parts {
            configuration: self.configuration(),
            database: self.database(),
            capabilities: Capabilities::all().into(),
            console: said.clone(),
            world: world.clone(),
            dry_run: false,
            runtime: runtime.clone(),
            interrupt: Arc::new(Interrupt::default()),
        };
        let stage = Stage {
            homeserver: self.homeserver.clone(),
            clock: Standstill::at(world.now()),
            said,
            folder: self.folder.path().join("files"),
            perform: Box::new(|_| Err(Error::new(Code::Bug, "A sandbox is made without other scripts"))),
            failure: Mutex::default(),
        };
        let script = Script::with(NAME, NAME, SCRIPT, Header::of_expression(None), Origin::Text);
        let run = Arc::new(Run::on_stage(parts, Arc::new(stage)));
        let filled = on_deep_stack(|| Program::of_tests(&script, &run, &Limits::none())?.call_test("fill", &run));
        match filled.and_then(|()| run.finish()) {
            Ok(report) => report.failure.map_or(Ok(()), Err),
            Err(error) => Err(run.abandon(error)),
        }
    }
}

fn unusable(cause: &std::io::Error) -> Error {
    let message = format!("There is no room for a sandbox: {cause}");
    Error::new(Code::FileUnwritable, message).help("TMPDIR names the folder for it.")
}
