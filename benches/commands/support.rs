//! What the benchmark takes from the tests: a PostgreSQL server, a homeserver, and a clean environment.

#[path = "../../tests/support/cluster.rs"]
pub(crate) mod cluster;
#[path = "../../tests/support/homeserver/mod.rs"]
pub(crate) mod homeserver;
#[path = "../../tests/support/mas_database.rs"]
pub(crate) mod mas_database;
#[path = "../../tests/support/postgres.rs"]
pub(crate) mod postgres;
#[path = "../../tests/support/sandbox.rs"]
pub(crate) mod sandbox;
#[path = "../../tests/support/watchdog.rs"]
pub(crate) mod watchdog;

use std::sync::{LazyLock, mpsc};

use tokio::runtime::Runtime;

/// Runs `future` to its end on a runtime beside the caller's.
pub(crate) fn wait_for<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the system starts threads"));
    let (sender, receiver) = mpsc::channel();
    RUNTIME.spawn(async move { sender.send(future.await) });
    receiver.recv().expect("the future ended, its panic is above")
}
