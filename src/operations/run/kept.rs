//! How a run comes by its connection, and to whom it leaves it.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::{Run, Session};
use crate::{
    error::{Code, Error, Result},
    operations::Keeper,
    storage::{self, Connection, schema::Schema},
};

/// How long it may take to take a transaction back whose connection is to be used again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What ties a run to those before and after it.
#[derive(Default)]
pub(super) struct Link {
    keeper: Option<Arc<Keeper>>,
    /// How many operations have not come to their end. One that was given up never does, and a statement of it may
    /// still be under way.
    pending: AtomicU32,
}

impl Link {
    /// Does an operation, and remembers if it was given up on the way.
    pub(super) async fn whole<T>(&self, operation: impl Future<Output = T>) -> T {
        self.pending.fetch_add(1, Ordering::Relaxed);
        let done = operation.await;
        self.pending.fetch_sub(1, Ordering::Relaxed);
        done
    }

    fn is_torn(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > 0
    }

    /// Refuses to write where the session is there to read.
    pub(super) fn require_writable(&self) -> Result<()> {
        self.keeper.as_ref().map_or(Ok(()), |keeper| keeper.require_writable())
    }
}

impl Run {
    /// Has the run use the connection that is kept between the runs of a session, and leave it to the next one: also
    /// after an error, as long as the connection is in order. Once the run has ended it reads no more.
    #[must_use]
    pub fn kept_by(mut self, keeper: Arc<Keeper>) -> Self {
        // A connection lives in the runtime that it was opened in.
        self.parts.runtime = keeper.runtime().clone();
        self.link.keeper = Some(keeper);
        self
    }

    /// Opens the connection before the first touch, if there is none yet.
    ///
    /// # Errors
    /// Those of opening the store; `run.interrupted`.
    pub fn connect(&self) -> Result<()> {
        self.wait(self.read(async |_| Ok(())))
    }

    /// The connection for the run.
    pub(super) async fn open(&self) -> Result<Connection> {
        let mut connection = match &self.link.keeper {
            Some(keeper) => keeper.take(self.console()).await?,
            None => storage::open(&self.parts.database).await?,
        };
        if self.throw_away {
            connection.forget_durability().await?;
        }
        // Who keeps it has said what there is to say, once.
        if self.link.keeper.is_none()
            && let Some(warning) = connection.schema().and_then(Schema::warning)
        {
            self.console().warn(&warning);
        }
        Ok(connection)
    }

    /// What is left of the connection, which the run has no more use for.
    pub(super) async fn end_session(&self) -> Session {
        let mut session = self.session.lock().await;
        let ended = mem::take(&mut *session);
        if self.link.keeper.is_some() {
            *session = Session::Over;
        }
        ended
    }

    /// Leaves the connection behind after the run has gone well.
    pub(super) async fn leave(&self, connection: Connection) {
        match &self.link.keeper {
            Some(keeper) if !(self.link.is_torn() || self.is_interrupted()) => keeper.give_back(connection),
            _ => connection.close().await,
        }
    }

    /// Leaves the connection behind after the run has failed: nothing of its transaction stays.
    pub(super) async fn leave_abandoned(&self, session: Session, error: &Error) {
        let Some(keeper) = &self.link.keeper else {
            // Dropping a connection that may be in the middle of a statement ends it on the server too.
            return drop(session);
        };
        if matches!(error.code(), Code::DatabaseLost | Code::CommitUnknown) {
            return keeper.lose();
        }
        let is_in_order = !(self.link.is_torn() || self.is_interrupted());
        match session {
            Session::Reading(connection) if is_in_order => keeper.give_back(connection),
            Session::Writing(connection) if is_in_order => {
                if let Some(connection) = taken_back(connection).await {
                    keeper.give_back(connection);
                }
            }
            Session::Reading(connection) | Session::Writing(connection) => keeper.give_up(connection),
            Session::Closed | Session::Over => {}
        }
    }
}

/// The connection after a ROLLBACK, if it is in order then.
async fn taken_back(mut connection: Connection) -> Option<Connection> {
    match tokio::time::timeout(PATIENCE, connection.rollback()).await {
        Ok(Ok(())) => Some(connection),
        Ok(Err(error)) => {
            tracing::debug!(%error, "taking back what was not committed");
            None
        }
        Err(_) => None,
    }
}

/// The error that a run is asked for something after its end.
pub(super) fn over() -> Error {
    Error::new(Code::Bug, "The run is over: its connection is another's")
}
