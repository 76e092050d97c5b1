//! Executes the jobs of users as MAS's worker does, where no MAS runs: above all on the embedded store.
//!
//! One job after the other, in the order of their ids: what was queued first about an account is done first.
//! Bookkeeping and deeds have a connection each, so that a worker is seen to be alive while its homeserver lets it
//! wait.

mod deeds;
mod event;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, interval_at, sleep};
use tokio_util::sync::CancellationToken;

pub use self::event::{Event, Failure, Summary};
use super::{
    Interrupt, World,
    jobs::{self, NewJob, USER_QUEUES, WORKER_LIMIT},
    sentence::moment,
};
use crate::{
    config::Database,
    error::{Code, Error, Result},
    homeserver::Homeserver,
    model::{Id, Task, Time},
    storage::{self, Connection, schema::Schema},
};

/// How often a worker shows that it is alive. More often, MAS's own workers do not.
const BEAT: Duration = Duration::from_mins(1);

/// How long to wait before looking for jobs again when there was none.
const POLL: Duration = Duration::from_secs(1);

/// How long the job at hand may go on after the worker was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// The longest wait between two attempts to reach the database again.
const LONGEST_PAUSE: u64 = 60;

/// How often in a row others may hold what a worker needs that does not wait for work.
const PATIENCE: u32 = 10;

/// A job is tried again this often, at most.
const LAST_ATTEMPT: i32 = 10;

/// What a worker is made of.
pub struct Parts {
    /// The store whose jobs it does.
    pub database: Database,
    /// The homeserver that it tells.
    pub homeserver: Arc<dyn Homeserver>,
    /// Clock and randomness.
    pub world: World,
    /// Ctrl-C.
    pub interrupt: Arc<Interrupt>,
    /// Whether it ends once nothing is left to do.
    pub once: bool,
    /// Who hears of what it does.
    pub tell: Box<dyn Fn(&Event) + Send + Sync>,
}

/// Works until nothing is left to do, or until it is told to stop.
///
/// # Errors
/// `worker.exists` if another worker serves a PostgreSQL database, also if one appears later; `worker.expired` if
/// another program declares this one dead; those of opening the store and of writing to it, and, for a worker that does
/// not wait for work, of losing it.
pub async fn work(parts: &Parts) -> Result<Summary> {
    parts.interrupt.start_serving();
    let mut worker = Worker::register(parts).await?;
    let ended = match worker.serve().await {
        Ok(()) => Ok(()),
        Err(error) => Err(storage::rights::explain(&mut worker.queue, error).await),
    };
    worker.leave().await;
    ended.map(|()| worker.summary)
}

/// What came of an attempt: what is to be queued after it, or why it failed.
type Outcome = Result<Vec<NewJob>>;

/// A registered worker.
struct Worker<'parts> {
    parts: &'parts Parts,
    id: Id,
    queue: Connection,
    /// Opened at the first job, and anew after an error that it may not have survived.
    work: Option<Connection>,
    /// When it last showed that it is alive; never on this connection, if none.
    seen_at: Option<Instant>,
    /// What came of a job about this user, if that could not be recorded.
    unrecorded: Option<(Task, Option<String>, Outcome)>,
    /// How often in a row it was kept from working.
    troubles: u32,
    summary: Summary,
}

impl<'parts> Worker<'parts> {
    /// Refuses PostgreSQL while another worker serves it; those of one SQLite store share its jobs.
    async fn register(parts: &'parts Parts) -> Result<Self> {
        let mut queue = parts.interrupt.unless_pressed(storage::open(&parts.database)).await?;
        let now = parts.world.now();
        let id = parts.world.new_id(now);
        let registered = storage::in_transaction(&mut queue, async |store| {
            storage::queue::lock_registration(store).await?;
            require_alone(store, id, now).await?;
            storage::queue::worker_add(store, id, now).await?;
            bury(store, now).await
        })
        .await;
        let released = match registered {
            Ok(released) => released,
            Err(error) => return Err(storage::rights::explain(&mut queue, error).await),
        };
        let mut worker = Self {
            parts,
            id,
            queue,
            work: None,
            seen_at: Some(Instant::now()),
            unrecorded: None,
            troubles: 0,
            summary: Summary::default(),
        };
        worker.tell(Event::Started {
            worker: id,
            store: parts.database.label(),
            homeserver: parts.homeserver.connected(),
        });
        if let Some(message) = worker.queue.schema().and_then(Schema::warning) {
            worker.tell(Event::Warning { message });
        }
        worker.tell_released(released);
        Ok(worker)
    }

    fn tell(&mut self, event: Event) {
        (self.parts.tell)(&event);
        self.summary.add(event);
    }

    async fn serve(&mut self) -> Result<()> {
        while !self.parts.interrupt.is_pressed() {
            match self.turn().await {
                Ok(true) => self.troubles = 0,
                Ok(false) if self.parts.once => return Ok(()),
                Ok(false) => {
                    self.troubles = 0;
                    self.pause(POLL).await;
                }
                Err(error) => self.recover(error).await?,
            }
        }
        // Nobody else knows what came of the last job.
        match self.unrecorded.take() {
            Some((job, user, outcome)) => self.record(job, user, outcome, true).await,
            None => Ok(()),
        }
    }

    /// Does the next job. False if there is none.
    async fn turn(&mut self) -> Result<bool> {
        if let Some((job, user, outcome)) = self.unrecorded.take() {
            self.record(job, user, outcome, true).await?;
        }
        let (id, now) = (self.id, self.parts.world.now());
        let is_back = self.seen_at.is_none();
        let must_beat = self.seen_at.is_none_or(|at| at.elapsed() >= BEAT);
        let (released, job) = storage::in_transaction(&mut self.queue, async |store| {
            let mut released = 0;
            if must_beat {
                show_alive(store, id, now).await?;
                released = bury(store, now).await?;
            }
            if is_back {
                // The answer that would have handed them over was lost.
                storage::queue::jobs_give_back(store, id).await?;
            }
            require_alone(store, id, now).await?;
            storage::queue::due_jobs_make_available(store, &USER_QUEUES, now).await?;
            let job = storage::queue::job_reserve(store, &USER_QUEUES, id, now).await?;
            Ok((released, job))
        })
        .await?;
        if must_beat {
            self.seen_at = Some(Instant::now());
        }
        self.tell_released(released);
        let Some(job) = job else { return Ok(false) };
        let (user, outcome) = self.attempt(&job).await;
        self.record(job, user, outcome, false).await?;
        Ok(true)
    }

    fn tell_released(&mut self, count: u64) {
        if count > 0 {
            self.tell(Event::Released { count });
        }
    }

    /// Does a job, while the worker stays seen, and returns whose it is and what came of it.
    async fn attempt(&mut self, job: &Task) -> (Option<String>, Outcome) {
        let mut name = None;
        let outcome = self.attempt_in_time(job, &mut name).await;
        if outcome.as_ref().is_err_and(|error| may_break(error.code())) {
            self.work = None;
        }
        (name, outcome)
    }

    /// Two futures side by side: a job that holds SQLite's write lock must go on for the worker to be seen.
    async fn attempt_in_time(&mut self, job: &Task, name: &mut Option<String>) -> Outcome {
        let Self {
            parts, id, queue, work, ..
        } = self;
        let over = CancellationToken::new();
        let doing = async {
            let store = match work {
                Some(store) => store,
                None => work.insert(storage::open(&parts.database).await?),
            };
            let user = deeds::user_of(store, job).await?;
            *name = Some(user.username.clone());
            deeds::execute(parts, store, job, &user).await
        };
        let stopping = async {
            parts.interrupt.pressed().await;
            (parts.tell)(&Event::Stopping);
            sleep(GRACE).await;
            Err(Error::new(
                Code::RunInterrupted,
                "The worker was stopped before the homeserver had answered",
            ))
        };
        let in_time = async {
            let outcome = tokio::select! {
                biased;
                outcome = doing => outcome,
                stopped = stopping => stopped,
            };
            over.cancel();
            outcome
        };
        let beating = async {
            let mut beats = interval_at(Instant::now() + BEAT, BEAT);
            while over.run_until_cancelled(beats.tick()).await.is_some() {
                // Whatever is wrong here is noticed at the next turn.
                let seen = storage::queue::worker_seen(queue, *id, parts.world.now()).await;
                tracing::debug!(?seen, "shown to be alive");
            }
        };
        tokio::join!(in_time, beating).0
    }

    /// Records what came of a job. If that fails for now, it is tried again at the next turn.
    async fn record(&mut self, job: Task, user: Option<String>, outcome: Outcome, is_again: bool) -> Result<()> {
        let recorded = self.write_down(&job, &outcome).await;
        match recorded {
            Ok(Some(again)) => {
                let title = event::Title::new(&job, user);
                self.tell(event::of_attempt(title, outcome, again));
            }
            // The first attempt to record it may have gone through, though its answer was lost.
            Ok(None) if is_again => tracing::debug!(job = %job.id, "recorded before, or released"),
            Ok(None) => self.tell(Event::Taken {
                job: event::Title::new(&job, user),
            }),
            Err(error) => {
                self.unrecorded = Some((job, user, outcome));
                return Err(error);
            }
        }
        Ok(())
    }

    /// When the job is tried again, if it is; nothing if the job is no longer this worker's.
    async fn write_down(&mut self, job: &Task, outcome: &Outcome) -> Result<Option<Option<event::Again>>> {
        let (world, worker) = (&self.parts.world, self.id);
        let now = world.now();
        let written = storage::in_transaction(&mut self.queue, async |store| match outcome {
            Ok(follow_ups) => {
                for new in follow_ups {
                    new.add(store, (now, world.new_id(now))).await?;
                }
                if storage::queue::job_complete(store, job.id, worker, now).await? {
                    Ok(None)
                } else {
                    Err(taken())
                }
            }
            Err(error) => {
                if !storage::queue::job_fail(store, job.id, worker, now, &event::reason(error)).await? {
                    return Err(taken());
                }
                let Some(again) = event::Again::after(job, error, now) else {
                    return Ok(None);
                };
                jobs::next_attempt(store, job.id, (now, world.new_id(now)), Some(again.at)).await?;
                Ok(Some(again))
            }
        })
        .await;
        match written {
            Ok(again) => Ok(Some(again)),
            Err(error) if error.code() == Code::JobNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits where waiting helps: for locks of others, for MAS to migrate the database, and for a lost database.
    async fn recover(&mut self, mut error: Error) -> Result<()> {
        self.troubles += 1;
        if matches!(error.code(), Code::DatabaseBusy | Code::SchemaMigrating) {
            if self.parts.once && self.troubles > PATIENCE {
                return Err(error);
            }
            self.pause(POLL).await;
            return Ok(());
        }
        while may_return(error.code()) && !self.parts.once {
            let seconds = (1 << (self.troubles - 1).min(6)).min(LONGEST_PAUSE);
            self.tell(Event::Disconnected {
                reason: event::reason(&error),
                seconds,
            });
            self.pause(Duration::from_secs(seconds)).await;
            if self.parts.interrupt.is_pressed() {
                return Ok(());
            }
            let parts = self.parts;
            match parts.interrupt.unless_pressed(storage::open(&parts.database)).await {
                Ok(connection) => {
                    self.queue = connection;
                    self.work = None;
                    self.seen_at = None;
                    self.tell(Event::Reconnected);
                    return Ok(());
                }
                Err(stopped) if stopped.code() == Code::RunInterrupted => return Ok(()),
                Err(again) => error = again,
            }
            self.troubles += 1;
        }
        Err(error)
    }

    async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = self.parts.interrupt.pressed() => {}
            () = sleep(duration) => {}
        }
    }

    /// Signs off, on a new connection if the old one was lost. If that fails, others declare it dead two minutes later.
    async fn leave(&mut self) {
        // A transaction that was cut short ends with its connection.
        self.work = None;
        let mut left = self.sign_off().await;
        if left.as_ref().is_err_and(|error| may_return(error.code())) {
            left = match storage::open(&self.parts.database).await {
                Ok(connection) => {
                    self.queue = connection;
                    self.sign_off().await
                }
                Err(error) => Err(error),
            };
        }
        if let Err(error) = left {
            tracing::debug!(%error, "signing off");
        }
    }

    /// Nobody would ever look after a job that it has not recorded. To do one twice is safe.
    async fn sign_off(&mut self) -> Result<()> {
        let (id, now) = (self.id, self.parts.world.now());
        storage::queue::jobs_give_back(&mut self.queue, id).await?;
        storage::queue::worker_shut_down(&mut self.queue, id, now)
            .await
            .map(drop)
    }
}

/// Shows that a worker is alive.
async fn show_alive(store: &mut Connection, id: Id, now: Time) -> Result<()> {
    if storage::queue::worker_seen(store, id, now).await? {
        return Ok(());
    }
    Err(Error::new(
        Code::WorkerExpired,
        "Another program has declared this worker dead: it stops",
    )
    .help("It was not seen for 2 minutes, or somebody shut it down. Start it again."))
}

/// Takes the jobs away from workers that died, and returns how many. On PostgreSQL that is left to MAS and to people.
async fn bury(store: &mut Connection, now: Time) -> Result<u64> {
    if store.is_postgres() {
        return Ok(0);
    }
    storage::queue::silent_workers_shut_down(store, now - WORKER_LIMIT, now).await?;
    Ok(storage::queue::jobs_release(store).await?.len() as u64)
}

/// Refuses to work beside another worker on PostgreSQL: it is MAS's, or another masctl's, and does the jobs.
async fn require_alone(store: &mut Connection, own: Id, now: Time) -> Result<()> {
    if !store.is_postgres() {
        return Ok(());
    }
    match storage::queue::other_live_worker(store, own, now, WORKER_LIMIT).await? {
        None => Ok(()),
        Some((other, seen_at)) => Err(Error::new(
            Code::WorkerExists,
            format!(
                "Another worker serves this database: {other}, seen at {}",
                moment(seen_at)
            ),
        )
        .help("MAS's own worker does the jobs. One that was killed counts as dead 2 minutes after it was last seen.")
        .data("worker_id", other.to_string())),
    }
}

/// The mark of a transaction that found its job taken away, which nobody sees.
fn taken() -> Error {
    Error::new(Code::JobNotFound, "The job is no longer this worker's")
}

/// Whether the connection may not have survived.
const fn may_break(code: Code) -> bool {
    matches!(
        code,
        Code::CommitUnknown
            | Code::DatabaseBusy
            | Code::DatabaseFailed
            | Code::DatabaseLost
            | Code::DatabaseUnreachable
            | Code::RunInterrupted
    )
}

/// Whether the database may come back by itself.
const fn may_return(code: Code) -> bool {
    matches!(
        code,
        Code::CommitUnknown | Code::DatabaseLost | Code::DatabaseUnreachable
    )
}
