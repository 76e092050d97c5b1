//! The measures, in the order of the table.

use std::time::Duration;

use crate::{
    Plan,
    child::{self, Cost},
    floor::{self, Dialect, Floor},
    lists, prompts,
    scenes::{ALICE, BOB, Embedded, OnPostgres},
    scripts,
    support::{homeserver::SECRET, sandbox::Sandbox},
    table::{Figures, Report, Target},
};

/// What a command may take in addition to its floor, in milliseconds.
const ABOVE_FLOOR: Target = Target::Above(12.0);

/// How much memory a command may take, in MiB.
const MEMORY: Target = Target::Most(30.0);

/// How long help may take, in milliseconds.
const HELP: Target = Target::Most(10.0);

/// How many times its floor a command on all users may take.
const BULK: Target = Target::Times(1.3);

/// How much more memory ten times as many users may take, in MiB: what the allocator makes of the order of things.
const GROWTH: Target = Target::Above(2.0);

/// The memory that MAS's parameters make argon2 fill.
const ARGON2_MEBIBYTES: f64 = 19.0;

/// Strong enough for MAS.
const PASSWORD: &str = "vexing cobalt marmalade 37";

/// How often a command and its floor are run before they are measured.
pub(crate) const WARM_UP: usize = 3;

type Measure = fn(&Plan, &mut Report);

/// Name and measure, in the order of the table.
pub(crate) const MEASURES: &[(&str, Measure)] = &[
    ("help", help),
    ("lock-user", lock_user),
    ("lock-user embedded", lock_user_embedded),
    ("register-user", register_user),
    ("register-user with password", register_user_with_password),
    ("provision-all-users", provision_all_users),
    ("list-users", lists::list_users),
    ("run a script", scripts::start),
    ("scripts check", scripts::check),
    ("completion", scripts::completion),
    ("first prompt", prompts::first),
];

/// Runs of masctl, and of the floor beside each.
#[derive(Default)]
pub(crate) struct Pairs {
    masctl: Vec<Cost>,
    floor: Vec<Duration>,
}

impl Pairs {
    /// Measures alternately, each first in turn; `run` is told the number of the run.
    pub(crate) fn take(
        warm_up: usize,
        runs: usize,
        mut masctl: impl FnMut(usize) -> Cost,
        mut floor: impl FnMut(usize) -> Duration,
    ) -> Self {
        let mut pairs = Self::default();
        for number in 0..warm_up + runs {
            let (cost, time) = if number.is_multiple_of(2) {
                let cost = masctl(number);
                (cost, floor(number))
            } else {
                let time = floor(number);
                (masctl(number), time)
            };
            if number >= warm_up {
                pairs.masctl.push(cost);
                pairs.floor.push(time);
            }
        }
        pairs
    }

    /// Adds a row each for wall time, CPU time and memory.
    pub(crate) fn report(&self, report: &mut Report, name: &str, target: Target, memory: Target) {
        self.report_times(report, name, target);
        report.add("  memory", &Figures::memory(&self.masctl), None, memory);
    }

    fn report_times(&self, report: &mut Report, name: &str, target: Target) {
        let floor = Figures::times(&self.floor);
        report.add(name, &Figures::wall(&self.masctl), Some(&floor), target);
        report.add("  CPU", &Figures::cpu(&self.masctl), None, Target::Unset);
    }
}

/// Nothing is configured and nothing can be reached. The floor is a process that does nothing.
fn help(plan: &Plan, report: &mut Report) {
    let sandbox = Sandbox::new();
    let commands: [&[&str]; 3] = [&["--help"], &["manage", "--help"], &["manage", "lock-user", "--help"]];
    for arguments in commands {
        let pairs = Pairs::take(
            WARM_UP,
            plan.runs,
            |_| child::masctl(&sandbox, arguments),
            |_| child::run(&sandbox, "/bin/true", &[]).wall,
        );
        pairs.report(report, &arguments.join(" "), HELP, Target::Unset);
    }
}

/// Each run unlocks what it has locked, unmeasured, so that the next has something to change.
fn lock_user(plan: &Plan, report: &mut Report) {
    let (scene, floor) = (OnPostgres::with_users("bench_lock", 1000), Floor::new());
    let (options, (name, id)) = (scene.options(), BOB);
    let pairs = Pairs::take(
        WARM_UP,
        plan.runs,
        |_| lock_alice(&scene.sandbox),
        |_| {
            let time = floor.postgres(&options, Dialect::Postgres.lock(name, id, true));
            floor.postgres(&options, Dialect::Postgres.lock(name, id, false));
            time
        },
    );
    pairs.report(report, "lock-user", ABOVE_FLOOR, MEMORY);
}

fn lock_user_embedded(plan: &Plan, report: &mut Report) {
    let (scene, floor, (name, id)) = (Embedded::new(), Floor::new(), BOB);
    let pairs = Pairs::take(
        WARM_UP,
        plan.runs,
        |_| lock_alice(&scene.sandbox),
        |_| {
            let time = floor.sqlite(&scene.file, Dialect::Sqlite.lock(name, id, true));
            floor.sqlite(&scene.file, Dialect::Sqlite.lock(name, id, false));
            time
        },
    );
    pairs.report(report, "lock-user, embedded store", Target::Unset, MEMORY);
}

fn lock_alice(sandbox: &Sandbox) -> Cost {
    let cost = child::masctl(sandbox, &["manage", "lock-user", ALICE]);
    child::masctl(sandbox, &["manage", "unlock-user", ALICE]);
    cost
}

fn register_user(plan: &Plan, report: &mut Report) {
    register(plan, report, "bench_register", None);
}

fn register_user_with_password(plan: &Plan, report: &mut Report) {
    register(plan, report, "bench_password", Some(PASSWORD));
}

/// The floor asks the homeserver too, and hashes the password.
fn register(plan: &Plan, report: &mut Report, database: &str, password: Option<&str>) {
    let (scene, connection) = (OnPostgres::with_users(database, 1000), Floor::new());
    let (options, endpoint) = (scene.options(), scene.homeserver.endpoint());
    let pairs = Pairs::take(
        WARM_UP,
        plan.runs,
        |number| {
            let name = format!("carol{number}");
            let mut arguments = vec!["manage", "register-user", "--yes", &name];
            arguments.extend(password.iter().flat_map(|password| ["--password", password]));
            child::masctl(&scene.sandbox, &arguments)
        },
        |number| {
            let name = format!("dave{number}");
            let asked = floor::ask_homeserver(&endpoint, SECRET, &name);
            let (hashed, hash) = password.map(floor::hash).unzip();
            let statements = Dialect::Postgres.register(&name, hash.as_deref());
            asked + hashed.unwrap_or_default() + connection.postgres(&options, statements)
        },
    );
    if password.is_none() {
        pairs.report(report, "register-user", ABOVE_FLOOR, MEMORY);
        return;
    }
    pairs.report_times(report, "register-user, with password", ABOVE_FLOOR);
    // Argon2 fills so much by design: no limit of ours can go below it.
    let (memory, floor) = (Figures::memory(&pairs.masctl), Figures::mebibytes(ARGON2_MEBIBYTES));
    report.add("  memory, beside argon2's own", &memory, Some(&floor), Target::Unset);
}

/// Two databases, one with a tenth of the users, show whether memory grows with the users.
fn provision_all_users(plan: &Plan, report: &mut Report) {
    let small = provision(plan, report, "bench_small", plan.users / 10);
    let large = provision(plan, report, "bench_large", plan.users);
    let (small, large) = (Figures::memory(&small.masctl), Figures::memory(&large.masctl));
    report.add("  memory, beside a tenth of the users", &large, Some(&small), GROWTH);
}

fn provision(plan: &Plan, report: &mut Report, database: &str, users: usize) -> Pairs {
    let (scene, floor) = (OnPostgres::with_users(database, users), Floor::new());
    let options = scene.options();
    let pairs = Pairs::take(
        1,
        plan.bulk_runs,
        |_| {
            scene.empty_queue();
            child::masctl(&scene.sandbox, &["manage", "provision-all-users"])
        },
        |_| {
            scene.empty_queue();
            floor.postgres(&options, floor::provision_all())
        },
    );
    pairs.report(report, &format!("provision-all-users, {users} users"), BULK, MEMORY);
    pairs
}
