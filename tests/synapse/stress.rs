//! Four masctl and a worker on the same hundred accounts at once: nothing is lost, nothing is stuck, nothing is left
//! over.
//!
//! What is wrong for a moment only is mended by the next job for the same account. So there are many short rounds,
//! after each of which everything must be right.
//!
//! Every command reports its changes. Added up over all commands, they must be the difference between the store before
//! and after, whatever the order was; and Synapse must know exactly what the store says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs::File,
    process::{Child, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;
use serde_json::Value;

use super::{
    gate::road,
    stage::{Ending, Stage},
};
use crate::support::{
    store::Store,
    synapse::{Known, synapse},
};

const USERS: usize = 100;

/// Of these accounts the last are also deactivated and reactivated. That ends sessions and removes addresses, so these
/// are not added up of them, and they get no address.
const MORTALS: usize = 10;

/// Half of all commands are for this many of them, so that the loops meet.
const BUSY: usize = 3;

const LOOPS: u64 = 4;

/// How long the loops run before everything is compared.
const ROUND: Duration = Duration::from_millis(1500);

/// What the commands say that they did to one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sum {
    passwords: i64,
    issued: i64,
    active: i64,
    locked: i64,
    admin: i64,
    emails: BTreeSet<String>,
}

impl Sum {
    fn add(&mut self, change: &Value) {
        let (after, number) = (&change["after"], |value: &Value| value.as_i64().expect("a number"));
        match change["action"].as_str().expect("a change has an action") {
            "password.set" => self.passwords += 1,
            "email.add" => {
                let email = after["email"].as_str().expect("an address");
                assert!(self.emails.insert(email.to_owned()), "{email} is added twice");
            }
            "token.issue" => {
                self.issued += 1;
                self.active += 1 - number(&after["replaced_sessions"]);
            }
            "session.end" => self.active -= 1,
            "user.kill_sessions" => self.active -= number(&after["ended"]["compatibility"]),
            "user.lock" => self.locked += 1,
            "user.unlock" => self.locked -= 1,
            "user.set_admin" => self.admin += if after["admin"] == true { 1 } else { -1 },
            "user.deactivate" | "user.reactivate" => {}
            other => panic!("{other} is not expected"),
        }
    }

    fn add_all(&mut self, other: &Self) {
        self.passwords += other.passwords;
        self.issued += other.issued;
        self.active += other.active;
        self.locked += other.locked;
        self.admin += other.admin;
        self.emails.extend(other.emails.iter().cloned());
    }
}

/// One masctl after the other, until the deadline.
struct Loop<'a> {
    stage: &'a Stage,
    prefix: &'a str,
    number: u64,
    state: u64,
    commands: u64,
    sums: Vec<Sum>,
    /// Ends that are none of those that were to be expected.
    surprises: Vec<String>,
}

impl<'a> Loop<'a> {
    fn new(stage: &'a Stage, prefix: &'a str, number: u64) -> Self {
        Self {
            stage,
            prefix,
            number,
            state: number,
            commands: 0,
            sums: vec![Sum::default(); USERS],
            surprises: Vec::new(),
        }
    }

    /// A number below `limit`: the same ones in every test, so that a failure can be looked for again.
    fn below(&mut self, limit: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).expect("31 bits") % limit
    }

    fn run(&mut self, deadline: Instant) {
        while Instant::now() < deadline {
            let at = match self.below(2) {
                0 => self.below(BUSY),
                _ => self.below(USERS),
            };
            self.step(at);
            self.commands += 1;
        }
    }

    /// One command for the account number `at`.
    fn step(&mut self, at: usize) {
        let user = name(self.prefix, at);
        let is_mortal = at >= USERS - MORTALS;
        let device = ["DESKTOP", "LAPTOP", "PHONE", "TABLET", "WATCH"][self.below(5)];
        let email = format!("{user}.{}.{}@example.net", self.number, self.commands);
        let choice = self.below(if is_mortal { 20 } else { 21 });
        let (command, rest): (&str, &[&str]) = match choice {
            // No job comes after it that would make good what went wrong, so that it is seen.
            0..12 if is_mortal => ("issue-compatibility-token", &[device]),
            // Whether it is locked by somebody at this moment.
            0..12 => ("issue-compatibility-token", &[device, "--force"]),
            12 | 13 => ("kill-sessions", &[]),
            14 => ("set-password", &["--generate-password"]),
            15 => ("promote-admin", &[]),
            16 => ("demote-admin", &[]),
            17 | 18 if is_mortal => ("lock-user", &["--deactivate"]),
            17 | 18 => ("lock-user", &[]),
            19 if is_mortal => ("unlock-user", &["--reactivate"]),
            19 => ("unlock-user", &[]),
            _ => ("add-email", &[&email]),
        };
        let arguments = [&["--format", "json", "manage", command, &user], rest].concat();
        let ending = self.stage.run(&arguments);
        match Self::reported(&ending, is_mortal) {
            Ok(changes) => changes.iter().for_each(|change| self.sums[at].add(change)),
            Err(problem) => self.surprises.push(format!("{arguments:?}: {problem}")),
        }
    }

    /// The changes that a command reports; none if it says that it could do nothing and why that may be.
    fn reported(ending: &Ending, is_mortal: bool) -> Result<Vec<Value>, String> {
        let said = || format!("{ending:?}");
        if ending.status == Some(0) {
            let report: Value = serde_json::from_str(&ending.stdout).map_err(|_| said())?;
            return Ok(report["changes"].as_array().ok_or_else(said)?.clone());
        }
        let report: Value = serde_json::from_str(&ending.stderr).map_err(|_| said())?;
        let is_inactive = is_mortal && report["error"]["code"] == "user.inactive";
        if ending.status == Some(1) && ending.stdout.is_empty() && is_inactive {
            return Ok(Vec::new());
        }
        Err(said())
    }
}

/// A worker that works until it is told to stop.
struct Worker {
    child: Child,
}

impl Worker {
    fn start(stage: &Stage) -> Self {
        let log = File::create(stage.path("worker.log")).expect("the sandbox can be written");
        let child = stage
            .masctl(&["worker"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn();
        Self {
            child: child.expect("masctl runs"),
        }
    }

    /// Ends it as a service manager does, and returns its exit status and what it said.
    fn stop(mut self, stage: &Stage) -> (Option<i32>, String) {
        let running = self.child.try_wait().expect("it is a child");
        assert_eq!(
            running,
            None,
            "the worker ended by itself: {}",
            stage.read("worker.log")
        );
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        kill(id, Signal::SIGTERM).expect("it runs");
        let status = self.child.wait().expect("it is a child");
        (status.code(), stage.read("worker.log"))
    }
}

fn name(prefix: &str, at: usize) -> String {
    format!("{prefix}.{at:03}")
}

/// Makes the accounts, and has them provisioned.
fn seed(stage: &Stage, prefix: &str) {
    let mut sql = String::from("INSERT INTO users (user_id, username, created_at) VALUES ");
    for at in 0..USERS {
        let comma = if at == 0 { "" } else { ", " };
        let name = name(prefix, at);
        write!(
            sql,
            "{comma}({{ulid:01HWT6{at:020}}}, '{name}', '2024-05-01T12:00:00+00:00')"
        )
        .expect("a String takes all text");
    }
    stage.rows(&sql);
    stage.done(&["manage", "provision-all-users"]);
    stage.work();
    compare_with_homeserver(stage, prefix);
}

/// Compares the store with what the commands said that they did.
fn compare_with_store(stage: &Stage, prefix: &str, sums: &[Sum]) {
    let expected = |line: &dyn Fn(&str, &Sum) -> String| -> Vec<String> {
        let users = sums.iter().enumerate();
        users.map(|(at, sum)| line(&name(prefix, at), sum)).collect()
    };
    let counts = stage.rows(
        "SELECT username, (SELECT count(*) FROM user_passwords p WHERE p.user_id = u.user_id), \
         (SELECT count(*) FROM compat_sessions s WHERE s.user_id = u.user_id), \
         CASE WHEN locked_at IS NULL THEN 0 ELSE 1 END, CASE WHEN can_request_admin THEN 1 ELSE 0 END \
         FROM users u ORDER BY username",
    );
    assert_eq!(
        counts,
        expected(&|name, sum| format!(
            "{name} | {} | {} | {} | {}",
            sum.passwords, sum.issued, sum.locked, sum.admin
        ))
    );
    let immortals = USERS - MORTALS;
    let active = stage.rows(
        "SELECT username, (SELECT count(*) FROM compat_sessions s WHERE s.user_id = u.user_id AND s.finished_at IS NULL) \
         FROM users u ORDER BY username",
    );
    assert_eq!(
        active[..immortals],
        expected(&|name, sum| format!("{name} | {}", sum.active))[..immortals]
    );
    let emails = stage.rows("SELECT email FROM user_emails");
    let added = sums.iter().flat_map(|sum| sum.emails.iter().cloned());
    assert_eq!(emails.len(), emails.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(emails.into_iter().collect::<BTreeSet<_>>(), added.collect());
    let doubled = stage.rows(
        "SELECT user_id, device_id FROM compat_sessions WHERE finished_at IS NULL GROUP BY user_id, device_id HAVING count(*) > 1",
    );
    assert_eq!(doubled, [""; 0], "a device has one session");
    let tokens = "SELECT (SELECT count(*) FROM compat_access_tokens) - (SELECT count(*) FROM compat_sessions)";
    assert_eq!(stage.rows(tokens), ["0"]);
}

/// Compares what Synapse knows with the store, user by user.
fn compare_with_homeserver(stage: &Stage, prefix: &str) {
    let mut users: BTreeMap<String, Known> = BTreeMap::new();
    let states = stage.rows(
        "SELECT username, CASE WHEN locked_at IS NULL THEN 0 ELSE 1 END, CASE WHEN deactivated_at IS NULL THEN 0 ELSE 1 END \
         FROM users",
    );
    for row in states {
        let columns: Vec<&str> = row.split(" | ").collect();
        let [name, locked, deactivated] = columns[..] else {
            panic!("{row}")
        };
        let known = Known {
            locked: locked == "1",
            deactivated: deactivated == "1",
            ..Known::new(name)
        };
        users.insert(name.to_owned(), known);
    }
    let mut of = |row: &str, add: &dyn Fn(&mut Known, String)| {
        let (name, value) = row.split_once(" | ").expect("two columns");
        add(users.get_mut(name).expect("it is a user"), value.to_owned());
    };
    for row in stage.rows("SELECT username, email FROM user_emails JOIN users USING (user_id)") {
        of(&row, &|known, email| known.emails.push(email));
    }
    let devices =
        "SELECT username, device_id FROM compat_sessions s JOIN users USING (user_id) WHERE s.finished_at IS NULL";
    for row in stage.rows(devices) {
        of(&row, &|known, device| known.devices.push((device, None)));
    }
    for known in users.values_mut() {
        known.emails.sort_unstable();
        known.devices.sort_unstable();
    }
    assert_eq!(users.len(), USERS);
    let known = synapse().known_like(&format!("{prefix}.*"));
    let differences: Vec<String> = users
        .iter()
        .filter(|(name, of_store)| known.get(*name) != Some(*of_store))
        .map(|(name, of_store)| {
            format!(
                "{name}\n  store:      {of_store:?}\n  homeserver: {:?}",
                known.get(name)
            )
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(known.len(), USERS);
}

/// Compares everything, while nobody does anything.
fn compare(stage: &Stage, prefix: &str, loops: &[Loop<'_>]) {
    let surprises: Vec<&String> = loops.iter().flat_map(|one| &one.surprises).collect();
    assert!(surprises.is_empty(), "{surprises:#?}");
    let mut sums = vec![Sum::default(); USERS];
    for one in loops {
        for (sum, of_loop) in sums.iter_mut().zip(&one.sums) {
            sum.add_all(of_loop);
        }
    }
    compare_with_store(stage, prefix, &sums);
    compare_with_homeserver(stage, prefix);
    let reasons = stage.rows("SELECT queue_name, attempt, failed_reason FROM queue_jobs WHERE status <> 'completed'");
    assert_eq!(reasons, [""; 0]);
}

#[expect(clippy::print_stdout, reason = "how much was tried is worth knowing")]
fn tell(text: &str) {
    println!("{text}");
}

#[rstest]
#[case::postgres(Store::Postgres, 20)]
#[case::sqlite(Store::Sqlite, 6)]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn nothing_is_lost_stuck_or_left_over(#[case] kind: Store, #[case] rounds: u32) {
    // One after the other: together they would only get half of the machine each.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let prefix = format!("s.{kind:?}").to_lowercase();
    let stage = Stage::open(kind, "stress");
    seed(&stage, &prefix);
    stage.lead_through(&road());

    let worker = Worker::start(&stage);
    let mut loops: Vec<Loop<'_>> = (1..=LOOPS).map(|number| Loop::new(&stage, &prefix, number)).collect();
    for _ in 0..rounds {
        let deadline = Instant::now() + ROUND;
        thread::scope(|scope| {
            for one in &mut loops {
                scope.spawn(move || one.run(deadline));
            }
        });
        stage.settle();
        compare(&stage, &prefix, &loops);
    }
    let (status, log) = worker.stop(&stage);
    assert_eq!(status, Some(0), "the worker: {log}");
    let living = "SELECT count(*) FROM queue_workers WHERE shutdown_at IS NULL";
    assert_eq!(stage.rows(living), ["0"]);
    assert!(loops.iter().all(|one| one.commands > 0));
    let commands: u64 = loops.iter().map(|one| one.commands).sum();
    let jobs = stage.rows("SELECT status, count(*) FROM queue_jobs GROUP BY status");
    tell(&format!("{kind:?}: {commands} commands, jobs: {jobs:?}"));
}
