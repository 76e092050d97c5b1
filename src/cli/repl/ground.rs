//! What a session stands on: the store of the configuration, or a sandbox.

use std::{path::PathBuf, sync::Arc};

use tokio::runtime::Runtime;

use crate::{
    cli::options::Options,
    config::{Configuration, Database, EditorKeys, Environment},
    console::Console,
    error::Result,
    homeserver::Homeserver,
    host::repl::{Mode, Sandbox},
    operations::{Keeper, World},
};

/// What is said of a sandbox at first.
const WELCOME: &str = "Sandbox: sample accounts to try things on, of which nothing stays";

/// What the store of a sandbox is called.
const NAME: &str = "sandbox";

/// What a session stands on.
pub(super) struct Ground {
    pub(super) configuration: Arc<Configuration>,
    pub(super) database: Database,
    /// The surroundings of the operator, also of one in a sandbox: their history is there, and what they have loaded first.
    pub(super) environment: Environment,
    /// It is gone with this.
    sandbox: Option<Sandbox>,
}

impl Ground {
    /// The store of the configuration. Nothing is opened.
    ///
    /// # Errors
    /// Those of reading the configuration.
    pub(super) fn configured(options: &Options) -> Result<Self> {
        let configuration = Arc::new(options.configuration()?);
        Ok(Self {
            database: configuration.database()?,
            environment: configuration.environment().clone(),
            configuration,
            sandbox: None,
        })
    }

    /// A sandbox.
    ///
    /// # Errors
    /// Those of making it.
    pub(super) fn sandbox(world: &World, runtime: &Arc<Runtime>) -> Result<Self> {
        let sandbox = Sandbox::start(world, runtime)?;
        Ok(Self {
            configuration: sandbox.configuration(),
            database: sandbox.database(),
            environment: Environment::current()?,
            sandbox: Some(sandbox),
        })
    }

    /// Says what it is, if it is not what the configuration says.
    pub(super) fn tell(&self, console: &dyn Console) {
        if self.sandbox.is_some() {
            console.say(WELCOME);
        }
    }

    /// What inputs may do at first, if nothing is said of it.
    pub(super) const fn mode(&self) -> Mode {
        match (&self.sandbox, &self.database) {
            (Some(_), _) => Mode::Write,
            (None, Database::Postgres(_)) => Mode::Read,
            (None, Database::Embedded(_) | Database::Sqlite(_)) => Mode::Plan,
        }
    }

    /// The keys at the prompt. They are the operator's in a sandbox too, where nothing else is taken from their configuration,
    /// so that it may be wrong.
    ///
    /// # Errors
    /// `config.invalid`.
    pub(super) fn keys(&self) -> Result<EditorKeys> {
        if self.sandbox.is_none() {
            return Ok(self.configuration.masctl()?.editor);
        }
        let theirs = Configuration::load(&[], &self.environment).and_then(|theirs| theirs.masctl());
        Ok(theirs.map_or(EditorKeys::Emacs, |own| own.editor))
    }

    /// The homeserver, if it is not that of the configuration.
    pub(super) fn homeserver(&self) -> Option<Arc<dyn Homeserver>> {
        self.sandbox.as_ref().map(Sandbox::homeserver)
    }

    /// What keeps the connection.
    ///
    /// # Errors
    /// `config.invalid`.
    pub(super) fn keeper(&self, runtime: Arc<Runtime>, idle: std::time::Duration) -> Result<Keeper> {
        let keeper = Keeper::new(&self.configuration, self.database.clone(), runtime, idle)?;
        Ok(if self.sandbox.is_some() {
            keeper.called(NAME)
        } else {
            keeper
        })
    }

    /// The folder that is removed with it.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        Some(self.sandbox.as_ref()?.folder().to_owned())
    }
}
