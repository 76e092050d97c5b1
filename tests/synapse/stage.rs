//! A store whose homeserver is the real one, and the real binary on it, in the real world.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    sandbox::Sandbox,
    store::{OpenStore, Store},
    synapse::{Known, section, synapse},
};

/// How often the worker may be called before all jobs must be done: those that a job queues are found by the next call.
const CALLS: usize = 100;

/// How long a worker may take that runs beside a test.
const PATIENCE: Duration = Duration::from_mins(3);

/// One store.
pub(super) struct Stage {
    sandbox: Sandbox,
    store: OpenStore,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Its exit status; none if a signal ended it.
    pub(super) status: Option<i32>,
    /// What it printed as data.
    pub(super) stdout: String,
    /// What it said to people.
    pub(super) stderr: String,
}

impl From<Output> for Ending {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Stage {
    /// An empty store of the kind, which `name` tells from others.
    pub(super) fn open(kind: Store, name: &str) -> Self {
        let sandbox = Sandbox::new();
        let store = OpenStore::configured(kind, name, &sandbox);
        // Of two configurations the later one wins.
        sandbox.write("synapse.yaml", &section(&synapse().endpoint()));
        sandbox.write(
            "quick.yaml",
            "passwords:\n  schemes:\n    - version: 2\n      algorithm: bcrypt\n      cost: 4\n",
        );
        let stage = Self { sandbox, store };
        if kind == Store::Sqlite {
            stage.done(&["database", "migrate"]);
        }
        stage
    }

    /// Makes all commands from now on reach Synapse at another URL.
    pub(super) fn lead_through(&self, endpoint: &str) {
        self.write("synapse.yaml", &section(endpoint));
    }

    /// A command of masctl, with the system's clock and randomness.
    pub(super) fn masctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(env!("CARGO_BIN_EXE_masctl"));
        command
            .args(arguments)
            .env("MAS_CONFIG", "config.yaml:synapse.yaml:quick.yaml");
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Ending {
        self.masctl(arguments).output().expect("masctl runs").into()
    }

    /// Runs a command that must succeed, and returns its data.
    pub(super) fn done(&self, arguments: &[&str]) -> String {
        let ending = self.run(arguments);
        assert_eq!(
            ending.status,
            Some(0),
            "{arguments:?}: {}{}",
            ending.stdout,
            ending.stderr
        );
        ending.stdout.trim_end().to_owned()
    }

    /// Has the worker do all jobs, and those that they queue.
    pub(super) fn work(&self) {
        for _ in 0..CALLS {
            self.done(&["worker", "--once"]);
            if self.is_settled() {
                return;
            }
        }
        panic!("jobs are left: {:#?}", self.open_jobs());
    }

    /// Waits until a worker that runs beside this has done all jobs.
    pub(super) fn settle(&self) {
        let start = Instant::now();
        while !self.is_settled() {
            assert!(start.elapsed() < PATIENCE, "jobs are left: {:#?}", self.open_jobs());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_settled(&self) -> bool {
        self.rows("SELECT count(*) FROM queue_jobs WHERE status IN ('available', 'running', 'scheduled')") == ["0"]
    }

    fn open_jobs(&self) -> Vec<String> {
        self.rows("SELECT * FROM queue_jobs WHERE status <> 'completed'")
    }

    /// The path of a file beside the configuration.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    /// What a file beside the configuration holds.
    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a file beside the configuration.
    pub(super) fn write(&self, name: &str, text: &str) {
        self.sandbox.write(name, text);
    }

    /// The rows that SQL returns, one line each.
    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        self.store.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// What Synapse knows of a user that it must have.
pub(super) fn known(localpart: &str) -> Known {
    synapse()
        .known(localpart)
        .unwrap_or_else(|| panic!("Synapse has no user {localpart}"))
}
