//! One execution of a script: its capabilities, clock, console, connection, transaction, changes and effects.

mod kept;

use std::{
    future::Future,
    mem,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use self::kept::Link;
use super::{
    Deed, Interrupt, Record, Report, World, commit, deed,
    doom::Doom,
    effect,
    files::{Files, KeptFiles},
    ledger::Ledger,
    testing::Stage,
};
use crate::{
    capability::{Capabilities, Capability, Granted, Need},
    config::{Configuration, Database, Passwords},
    console::Console,
    error::{Code, Error, Result},
    homeserver::{self, Homeserver},
    storage::{self, Connection},
};
use tokio::{runtime::Runtime, sync::Mutex as AsyncMutex};

/// What a run is made of.
pub struct Parts {
    /// What MAS's configuration says.
    pub configuration: Arc<Configuration>,
    /// Which store the run works on.
    pub database: Database,
    /// What the script may do.
    pub capabilities: Granted,
    /// The person who started it.
    pub console: Arc<dyn Console>,
    /// Clock and randomness.
    pub world: World,
    /// Whether everything is taken back at the end.
    pub dry_run: bool,
    /// Where asynchronous work happens: on the thread that waits for it.
    pub runtime: Arc<Runtime>,
    /// Ctrl-C.
    pub interrupt: Arc<Interrupt>,
}

/// One execution of a script. It knows neither Rhai nor the terminal.
pub struct Run {
    parts: Parts,
    files: Files,
    session: AsyncMutex<Session>,
    record: Mutex<Record>,
    /// How many jobs its committed parts have queued.
    jobs: AtomicU64,
    homeserver: OnceLock<Arc<dyn Homeserver>>,
    passwords: OnceLock<Arc<Passwords>>,
    stage: Option<Arc<Stage>>,
    throw_away: bool,
    /// What it has made use of, of what it may do.
    used: Mutex<Capabilities>,
    link: Link,
    /// What it must end in, whatever the script makes of it.
    pub doom: Doom,
}

/// The connection of a run, opened at the first touch.
#[derive(Default)]
enum Session {
    #[default]
    Closed,
    Reading(Connection),
    Writing(Connection),
    /// The run has ended, and somebody else may have its connection.
    Over,
}

impl Run {
    /// Starts a run. Nothing is opened yet but the folders that the script may read.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let directory = parts.configuration.environment().directory();
        Self {
            files: Files::open(&parts.capabilities, directory),
            parts,
            session: AsyncMutex::default(),
            record: Mutex::default(),
            jobs: AtomicU64::default(),
            homeserver: OnceLock::new(),
            passwords: OnceLock::new(),
            stage: None,
            throw_away: false,
            used: Mutex::default(),
            link: Link::default(),
            doom: Doom::default(),
        }
    }

    /// Starts a run inside of a test: its homeserver is this one, whatever the configuration says, and what it writes
    /// need not survive a crash.
    #[must_use]
    pub fn in_test(parts: Parts, homeserver: Arc<dyn Homeserver>) -> Self {
        Self::new(parts).thrown_away(homeserver)
    }

    /// Has the run work with this homeserver, whatever the configuration says, on a store that nothing of stays.
    #[must_use]
    pub fn thrown_away(self, homeserver: Arc<dyn Homeserver>) -> Self {
        Self {
            homeserver: OnceLock::from(homeserver),
            throw_away: true,
            ..self
        }
    }

    /// Whether nothing of what it writes stays for long.
    pub(super) const fn is_thrown_away(&self) -> bool {
        self.throw_away
    }

    /// Starts the run of a test on its stage.
    #[must_use]
    pub fn on_stage(parts: Parts, stage: Arc<Stage>) -> Self {
        let homeserver = stage.homeserver.clone();
        Self {
            stage: Some(stage),
            ..Self::in_test(parts, homeserver)
        }
    }

    /// What surrounds the test that this run is.
    ///
    /// # Errors
    /// `test.outside` if it is none.
    pub fn stage(&self) -> Result<&Stage> {
        self.stage.as_deref().ok_or_else(|| {
            Error::new(
                Code::TestOutside,
                "`testing::` works only in a test: this script is run for real",
            )
            .help("`masctl scripts test` calls the functions of a script whose names start with `test_`.")
        })
    }

    /// Whether the script may do something.
    #[must_use]
    pub fn allows(&self, wanted: Capability) -> bool {
        let allowed = self.parts.capabilities.allow(wanted);
        if allowed {
            self.use_of(wanted.into());
        }
        allowed
    }

    /// Refuses what the script may not do, and says who denied it.
    ///
    /// # Errors
    /// `capability.denied`.
    pub fn require(&self, needed: Capability) -> Result<()> {
        self.parts.capabilities.require(needed)?;
        self.use_of(needed.into());
        Ok(())
    }

    /// Remembers that something was made use of.
    pub(super) fn use_of(&self, need: Need) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).add(need);
    }

    /// What it has made use of so far, of what it may do.
    #[must_use]
    pub fn used(&self) -> Capabilities {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads no file again that another execution of the same has read, and lets it know those that it reads itself.
    #[must_use]
    pub fn sharing(mut self, files: Arc<KeptFiles>) -> Self {
        self.files.share(files);
        self
    }

    /// The files that the script may read.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// Clock and randomness.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.parts.world
    }

    /// The person who started the run.
    #[must_use]
    pub fn console(&self) -> &dyn Console {
        &*self.parts.console
    }

    /// Waits for an operation, or for Ctrl-C.
    ///
    /// # Errors
    /// The operation's, or `run.interrupted`.
    pub fn wait<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        self.parts.runtime.block_on(self.unless_interrupted(operation))
    }

    /// Ends an operation when Ctrl-C is pressed.
    pub(super) async fn unless_interrupted<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        self.parts.interrupt.unless_pressed(self.link.whole(operation)).await
    }

    /// Why the run must not go on, if it must not: Ctrl-C, its time is over, or what nothing may catch was caught.
    #[must_use]
    pub fn stop(&self) -> Option<Error> {
        self.doom.error().or_else(|| self.parts.interrupt.stop())
    }

    /// Ctrl-C, for a part of this run.
    pub(super) fn interrupt_of_part(&self) -> Interrupt {
        self.parts.interrupt.part()
    }

    /// Whether Ctrl-C was pressed.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.parts.interrupt.is_pressed()
    }

    /// Asks the person something, which nobody may be kept waiting for.
    ///
    /// # Errors
    /// The question's; `run.writing` while a transaction is open; `run.interrupted`.
    pub fn ask<T>(&self, question: impl FnOnce(&dyn Console) -> Result<T>) -> Result<T> {
        if self.is_writing() {
            return Err(Error::new(
                Code::RunWriting,
                "Nobody can be asked while changes wait to be committed",
            )
            .help("Ask first, then change."));
        }
        let _asking = self.parts.interrupt.while_asking()?;
        question(self.console())
    }

    /// Shows the person something that they may not read at once. Nobody may be kept waiting for that: only before
    /// anything is written.
    ///
    /// # Errors
    /// What `show` fails with, or `run.interrupted`.
    pub fn show<T>(&self, show: impl FnOnce() -> Result<T>) -> Result<T> {
        let _showing = self.parts.interrupt.while_showing()?;
        show()
    }

    /// Whether the transaction is open.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        match self.session.try_lock() {
            Ok(session) => matches!(*session, Session::Writing(_)),
            Err(_) => true,
        }
    }

    /// What MAS's configuration says.
    pub(super) fn configuration(&self) -> &Configuration {
        &self.parts.configuration
    }

    /// The store that the run works on.
    pub(super) fn database(&self) -> &Database {
        &self.parts.database
    }

    /// The passwords section of the configuration, read once with the files that it names.
    ///
    /// # Errors
    /// `config.invalid`, `file.unreadable`.
    pub fn password_settings(&self) -> Result<Arc<Passwords>> {
        if let Some(settings) = self.passwords.get() {
            return Ok(settings.clone());
        }
        let read = Arc::new(self.parts.configuration.passwords()?);
        Ok(self.passwords.get_or_init(|| read).clone())
    }

    /// The part of MXIDs after the colon.
    ///
    /// # Errors
    /// `config.missing`, `config.invalid`.
    pub fn server_name(&self) -> Result<String> {
        self.parts.configuration.server_name()
    }

    /// The homeserver of the run's store.
    ///
    /// # Errors
    /// `config.missing`, `config.invalid`.
    pub fn homeserver(&self) -> Result<Arc<dyn Homeserver>> {
        if let Some(homeserver) = self.homeserver.get() {
            return Ok(homeserver.clone());
        }
        let made = homeserver::of(&self.parts.configuration, &self.parts.database)?;
        Ok(self.homeserver.get_or_init(|| made).clone())
    }

    /// Reads with single statements, or inside of the transaction if one is open. A read that fails there takes nothing
    /// of the transaction with it.
    ///
    /// # Errors
    /// Those of opening the store, and the reader's.
    pub async fn read<T>(&self, reader: impl AsyncFnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let mut session = self.session.lock().await;
        let writing = matches!(*session, Session::Writing(_));
        let store = self.connection(&mut session, false).await?;
        if !writing {
            return match reader(store).await {
                Ok(value) => Ok(value),
                Err(error) => Err(storage::rights::explain(store, error).await),
            };
        }
        store.start_deed().await?;
        match reader(store).await {
            Ok(value) => store.keep_deed().await.map(|()| value),
            Err(error) => Err(deed::undone(store, error).await),
        }
    }

    /// Does a deed: all of it, or, if it fails, nothing. The first deed opens the run's transaction.
    ///
    /// # Errors
    /// Those of opening the store, and the deed's.
    pub async fn write<T>(&self, deed: impl AsyncFnOnce(&mut Deed<'_>) -> Result<T>) -> Result<T> {
        self.link.require_writable()?;
        let mut session = self.session.lock().await;
        let store = self.connection(&mut session, true).await?;
        store.start_deed().await?;
        self.world().record(Ledger::start_deed);
        let mut doing = Deed::new(self, store);
        match deed(&mut doing).await {
            Ok(value) => {
                let record = doing.into_record();
                store.keep_deed().await?;
                self.world().record(|ledger| ledger.end_deed(!record.is_empty()));
                self.with_record(|all| all.append(record));
                Ok(value)
            }
            Err(error) => {
                self.world().record(|ledger| ledger.end_deed(false));
                Err(deed::undone(store, error).await)
            }
        }
    }

    async fn connection<'session>(
        &self,
        session: &'session mut Session,
        write: bool,
    ) -> Result<&'session mut Connection> {
        if let Database::Embedded(_) = &self.parts.database {
            let environment = self.parts.configuration.environment();
            self.console()
                .name_store(&self.parts.database.display(environment), write && !self.parts.dry_run);
        }
        *session = match mem::take(session) {
            Session::Closed => Session::Reading(self.open().await?),
            open => open,
        };
        *session = match mem::take(session) {
            Session::Reading(mut connection) if write => {
                connection.begin().await?;
                Session::Writing(connection)
            }
            open => open,
        };
        match session {
            Session::Reading(connection) | Session::Writing(connection) => Ok(connection),
            Session::Closed => Err(Error::new(Code::Bug, "The connection was closed while it was opened")),
            Session::Over => Err(kept::over()),
        }
    }

    /// Starts the next part of the run, on the same connection. `done` of the parts before it stay as they are.
    ///
    /// # Errors
    /// `run.interrupted`.
    pub fn start_part(&self, done: u64) -> Result<()> {
        self.parts.interrupt.start_part(done)
    }

    /// Ends a part of the run well: commits it, or takes it back in a dry run; then sends its effects. Whether somebody is
    /// there to do its jobs is looked at in the end.
    ///
    /// # Errors
    /// As those of [`Run::finish`].
    pub fn finish_part(&self) -> Result<Report> {
        self.doom.check()?;
        self.parts.runtime.block_on(self.finish_writing())
    }

    /// Takes back a part of the run that failed in a way that the next part need not. The connection stays.
    ///
    /// # Errors
    /// `database.lost`.
    pub fn take_back_part(&self) -> Result<()> {
        self.parts.runtime.block_on(async {
            let mut session = self.session.lock().await;
            drop(self.take_record());
            if let Session::Writing(mut connection) = mem::take(&mut *session) {
                connection.rollback().await?;
                *session = Session::Reading(connection);
            }
            Ok(())
        })
    }

    /// Ends the run well: commits, or takes everything back in a dry run; then sends the effects.
    ///
    /// # Errors
    /// `commit.unknown`, or why nothing was committed. What fails after the commit is in the report.
    pub fn finish(&self) -> Result<Report> {
        self.doom.check()?;
        self.parts.runtime.block_on(async {
            let mut report = self.finish_writing().await?;
            if let Session::Reading(mut connection) = self.end_session().await {
                report.jobs = self.jobs.load(Ordering::Relaxed);
                effect::look_for_workers(self, &mut connection, &mut report).await;
                self.leave(connection).await;
            }
            Ok(report)
        })
    }

    async fn finish_writing(&self) -> Result<Report> {
        let mut session = self.session.lock().await;
        let mut report = Report::new(self.take_record(), self.parts.dry_run, self.parts.database.label());
        let connection = match mem::take(&mut *session) {
            Session::Closed => return Ok(report),
            Session::Over => {
                *session = Session::Over;
                return Ok(report);
            }
            Session::Reading(connection) => connection,
            Session::Writing(mut connection) if self.parts.dry_run => {
                connection.rollback().await?;
                connection
            }
            Session::Writing(connection) => {
                // Ctrl-C before this line rolls back; after it, the commit goes through.
                self.parts.interrupt.start_commit()?;
                let mut connection = commit::commit(self, connection, &report.changes).await?;
                self.parts.interrupt.end_commit();
                effect::send_all(self, &mut connection, &mut report).await;
                self.jobs.fetch_add(report.jobs, Ordering::Relaxed);
                connection
            }
        };
        *session = Session::Reading(connection);
        Ok(report)
    }

    fn take_record(&self) -> Record {
        self.with_record(mem::take)
    }

    /// Works on what was done so far.
    pub(super) fn with_record<T>(&self, work: impl FnOnce(&mut Record) -> T) -> T {
        work(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether everything is taken back at the end.
    pub(super) fn is_dry(&self) -> bool {
        self.parts.dry_run
    }

    /// Ends the run after an error or Ctrl-C: nothing of it stays. Returns the error as the operator is to see it.
    #[must_use]
    pub fn abandon(&self, error: Error) -> Error {
        self.parts.runtime.block_on(async {
            let session = self.end_session().await;
            self.leave_abandoned(session, &error).await;
        });
        match error.code() {
            Code::DatabaseLost if error.help_text().is_none() => {
                error.help("Nothing was changed: what a lost connection has not committed is taken back. Run it again.")
            }
            _ => error,
        }
    }
}
