//! The connection of a session, between two of its runs: kept for the next one, tried before it is used again, and closed
//! once nobody has used it for a while.

use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use super::Interrupt;
use crate::{
    config::{Configuration, Database},
    console::Console,
    error::{Code, Error, Result},
    storage::{
        self, Access, Address, Connection,
        schema::Schema,
        unattended::{self, Backend},
    },
};

/// How long a connection that was kept may take to answer: one whose way to the server was cut never does.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long saying good-bye may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Keeps the connection of a session between its runs.
pub struct Keeper {
    shared: Arc<Shared>,
}

/// What the keeper shares with the thread that closes what is idle.
struct Shared {
    database: Database,
    address: Option<Address>,
    name: String,
    runtime: Arc<Runtime>,
    idle: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// What the next run may do.
    access: Access,
    /// What the run may do that has the connection now.
    lent: Access,
    /// Whether the last connection was lost, and nobody was told of another yet.
    is_lost: bool,
    /// The name of the schema.
    schema: Option<String>,
    /// What the operator was warned of last.
    warned: Option<String>,
    /// Those on the server who may still work for a connection that was given up.
    unattended: Vec<Backend>,
    /// Whether the thread runs.
    is_tended: bool,
    /// Whether it is to end.
    is_over: bool,
}

/// A connection that nobody uses.
struct Kept {
    connection: Connection,
    access: Access,
    since: Instant,
}

/// Where the session works, in parts: a prompt may have room for some of them only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// User, host and port of the server; `None` for a file.
    pub server: Option<Address>,
    /// The name of the database, or the path of the file as people are shown it.
    pub database: String,
    /// `schema 20260720 (MAS 1.22)`, once the database was opened.
    pub schema: Option<String>,
}

impl Keeper {
    /// Keeps a connection to a store for so long after its last use. Nothing is opened yet.
    ///
    /// # Errors
    /// `config.invalid`.
    pub fn new(
        configuration: &Configuration,
        database: Database,
        runtime: Arc<Runtime>,
        idle: Duration,
    ) -> Result<Self> {
        let address = match &database {
            Database::Postgres(settings) => Some(storage::address(settings)?),
            Database::Embedded(_) | Database::Sqlite(_) => None,
        };
        let name = match &database {
            Database::Sqlite(path) => path.display().to_string(),
            database => database.display(configuration.environment()),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                name: address.as_ref().map_or(name, |address| address.database.clone()),
                database,
                address,
                runtime,
                idle,
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        })
    }

    /// The same, with another name for the database.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            name.clone_into(&mut shared.name);
        }
        self
    }

    /// What the runs from now on may do. A connection that is made for something else is not used by them.
    pub fn set_access(&self, access: Access) {
        self.shared.state().access = access;
    }

    /// Where the session works.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            server: self.shared.address.clone(),
            database: self.shared.name.clone(),
            schema: self.shared.state().schema.clone(),
        }
    }

    /// Opens the connection before the first run, so that its place is known. Ctrl-C ends that.
    ///
    /// # Errors
    /// Those of opening the store; `run.interrupted`.
    pub fn open(&self, console: &dyn Console, interrupt: &Interrupt) -> Result<()> {
        let opening = interrupt.unless_pressed(self.take(console));
        let connection = self.shared.runtime.block_on(opening)?;
        self.give_back(connection);
        Ok(())
    }

    /// Closes the connection, and ends what was given up, before the session ends.
    pub fn close(&self) {
        let (kept, unattended) = {
            let mut state = self.shared.state();
            (state.kept.take(), mem::take(&mut state.unattended))
        };
        self.shared.clear_up(kept, unattended);
    }

    /// The runtime that connections are opened in.
    #[must_use]
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.shared.runtime
    }

    /// Refuses to write where the session is there to read.
    pub(super) fn require_writable(&self) -> Result<()> {
        match self.shared.state().access {
            Access::Write => Ok(()),
            Access::Read => Err(Error::new(
                Code::DatabaseReadOnly,
                "The session only reads: nothing was changed",
            )),
        }
    }

    /// The connection for a run: the one that was kept if it still works, or another one. The person is told if one was
    /// lost.
    ///
    /// # Errors
    /// Those of opening the store.
    pub(super) async fn take(&self, console: &dyn Console) -> Result<Connection> {
        let (kept, access) = self.shared.state().take();
        let tried = match kept {
            Some(kept) if kept.access == access => self.tried(kept.connection).await?,
            Some(kept) => {
                farewell(kept.connection).await;
                None
            }
            None => None,
        };
        let connection = if let Some(connection) = tried {
            connection
        } else {
            let opened = storage::open_for(&self.shared.database, access).await?;
            if mem::take(&mut self.shared.state().is_lost) {
                console.warn("the connection to the database was lost: connected again");
            }
            opened
        };
        self.see(&connection, console);
        Ok(connection)
    }

    /// The connection, if it still works.
    async fn tried(&self, mut connection: Connection) -> Result<Option<Connection>> {
        match tokio::time::timeout(PATIENCE, connection.look_again()).await {
            Ok(Ok(())) => return Ok(Some(connection)),
            Ok(Err(error)) if error.code() != Code::DatabaseLost => {
                farewell(connection).await;
                return Err(error);
            }
            Ok(Err(error)) => tracing::debug!(%error, "the connection that was kept"),
            Err(_) => tracing::debug!("the connection that was kept does not answer"),
        }
        self.lose();
        Ok(None)
    }

    /// Looks whose database it is by now, and warns once of what is to be known of it.
    fn see(&self, connection: &Connection, console: &dyn Console) {
        let warning = {
            let mut state = self.shared.state();
            state.schema = connection.schema().map(Schema::name);
            let warning = connection.schema().and_then(Schema::warning);
            let is_news = state.warned != warning;
            state.warned.clone_from(&warning);
            warning.filter(|_| is_news)
        };
        if let Some(warning) = warning {
            console.warn(&warning);
        }
    }

    /// Keeps a connection on which nothing is under way.
    pub(super) fn give_back(&self, connection: Connection) {
        {
            let mut state = self.shared.state();
            let access = state.lent;
            state.kept = Some(Kept {
                connection,
                access,
                since: Instant::now(),
            });
        }
        self.tend();
    }

    /// Remembers that a connection was lost, and has the next run say so.
    pub(super) fn lose(&self) {
        self.shared.state().is_lost = true;
    }

    /// Drops a connection that may be in the middle of a statement, and has the server end that.
    pub(super) fn give_up(&self, connection: Connection) {
        self.shared.state().unattended.extend(connection.backend());
        drop(connection);
        self.tend();
    }

    /// Has the thread look after what is there now. Without one nothing is kept.
    fn tend(&self) {
        let is_tended = mem::replace(&mut self.shared.state().is_tended, true);
        if is_tended {
            return self.shared.changed.notify_all();
        }
        let shared = self.shared.clone();
        let tending = thread::Builder::new().name("keeper".to_owned());
        if let Err(error) = tending.spawn(move || shared.tend()) {
            tracing::debug!(%error, "no thread to close what is idle");
            let mut state = self.shared.state();
            state.is_tended = false;
            state.kept = None;
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
    }
}

impl State {
    /// What is kept, and what is wanted: it is lent now.
    fn take(&mut self) -> (Option<Kept>, Access) {
        self.lent = self.access;
        (self.kept.take(), self.access)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what is idle and ends what was given up, until the keeper is gone. A run that has the connection has taken
    /// it away from here.
    fn tend(&self) {
        let mut state = self.state();
        while !state.is_over {
            let unattended = mem::take(&mut state.unattended);
            let rest = state
                .kept
                .as_ref()
                .map(|kept| self.idle.saturating_sub(kept.since.elapsed()));
            let idle = state.kept.take_if(|_| rest.is_some_and(|rest| rest.is_zero()));
            if idle.is_some() || !unattended.is_empty() {
                drop(state);
                self.clear_up(idle, unattended);
                state = self.state();
                continue;
            }
            state = match rest {
                Some(rest) => {
                    let waited = self.changed.wait_timeout(state, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn clear_up(&self, kept: Option<Kept>, unattended: Vec<Backend>) {
        self.runtime.block_on(async {
            if let Some(kept) = kept {
                farewell(kept.connection).await;
            }
            for backend in unattended {
                match tokio::time::timeout(PATIENCE, unattended::end(&self.database, backend)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "ending a statement that was given up"),
                    Err(_) => tracing::debug!("ending a statement that was given up took too long"),
                }
            }
        });
    }
}

/// Closes a connection politely. A server that is not there must not be waited for.
async fn farewell(connection: Connection) {
    let _ = tokio::time::timeout(FAREWELL, connection.close()).await;
}
