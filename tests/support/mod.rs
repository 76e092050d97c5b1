//! What the tests stand on: real databases, a clean world for the binary, and transcripts.

pub(crate) mod cast; // the accounts that tests know by name
pub(crate) mod cluster; // a throw-away PostgreSQL server of its own
pub(crate) mod diff; // what differs between two texts, for people
pub(crate) mod guarded; // a PostgreSQL server that lets nobody in without TLS
pub(crate) mod homeserver; // a Synapse that answers what masctl asks, and remembers it
pub(crate) mod mas_database; // the SQL of an empty database of MAS
pub(crate) mod person; // what a person at a terminal does and finds
pub(crate) mod pgbouncer; // a pooler in front of it
pub(crate) mod plans; // how PostgreSQL finds what masctl asks it for
pub(crate) mod populace; // accounts that have lived with MAS
pub(crate) mod postgres; // the PostgreSQL server of most tests, and databases on it
pub(crate) mod proxy; // cuts the connection to PostgreSQL at COMMIT
pub(crate) mod rules; // what holds of every row that masctl writes
pub(crate) mod sandbox; // an empty home and a clean environment
pub(crate) mod scripted; // a script, run inside of the test process
pub(crate) mod session; // plays one command of a transcript after the other
pub(crate) mod snapshot; // all rows of a store, and what differs
pub(crate) mod source; // Rust sources as text: comments blanked, modules and imports found
pub(crate) mod specimen; // a fresh store, masctl's connection to it, and SQL beside it
pub(crate) mod store; // the two databases that every transcript runs on
pub(crate) mod synapse; // a real Synapse, and what its database holds
pub(crate) mod terminal; // a program in a pseudo-terminal
pub(crate) mod transcript; // reads, compares and rewrites transcripts
pub(crate) mod value; // how a transcript shows a value of a database
pub(crate) mod watch; // what each command changed in a store
pub(crate) mod watchdog; // clears up what the tests started, however they end
pub(crate) mod window; // a program in a terminal, as a person sees it

use std::{
    sync::{LazyLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

/// Runs `future` to its end on a runtime beside the caller's, so that tests inside and outside of a runtime can wait.
pub(crate) fn wait_for<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the system starts threads"));
    let (sender, receiver) = mpsc::channel();
    RUNTIME.spawn(async move { sender.send(future.await) });
    receiver.recv().expect("the future ended, its panic is above")
}

/// Looks until it is so. Whatever is waited for takes a moment; a machine that is busy takes a while.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    const PATIENCE: Duration = Duration::from_mins(1);
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}
