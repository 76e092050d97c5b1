//! An operator's own scripts: how long one takes to its first row, and fifty to be checked.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use rhai::Engine;

use crate::{
    Plan, child,
    floor::{self, Floor},
    measures::{Pairs, WARM_UP},
    scenes::{ALICE, BOB, Embedded, OnPostgres},
    support::sandbox::Sandbox,
    table::{Report, Target},
};

/// How long a script of 100 lines may take from its file to its first row, in milliseconds.
const START: Target = Target::Most(15.0);

/// How long 50 such scripts may take to be checked, in milliseconds.
const CHECK: Target = Target::Most(300.0);

/// How long a shell may wait, in milliseconds.
const COMPLETION: Target = Target::Most(200.0);

/// How many scripts are checked at once.
const CHECKED: usize = 50;

const LINES: usize = 100;

/// The start of a script that reads one account, and has much that it could do else.
const HEAD: &str = "\
#!/usr/bin/env -S masctl run
//! Show how an account is used
//!
//! It reads the account, and with `--all` its sessions and addresses too. What it finds is
//! summed up by kind, so that one can see at a glance what would be lost if the account were
//! locked.
//! ---
//! params:
//!   username: { type: user, positional: true, required: true, help: Account to look at }
//!   days:     { type: int, default: 90, min: 1, help: How long ago counts as unused }
//!   kind:     { type: enum, values: [browser, oauth, personal], help: Only sessions of this kind }
//!   all:      { type: bool, help: Look at everything }
//! needs: [users:read, sessions:read, emails:read]
import \"std/passwords\" as choice;

fn main(args) {
    let user = users::get(args.username);
    if args.all { return all(user, args.kind, args.days); }
    user.username
}

/// Everything that belongs to the account.
fn all(user, kind, days) {
    let found = #{ username: user.username, emails: [], kinds: #{}, days: days };
    found.password = choice::revealed(false, ());
    for email in emails::list(#{ user: user.username }) { found.emails.push(email.email); }
";

/// One of the parts that the script is made of.
const PART: &str = "
/// The sessions of part {n}, by kind.
fn part_{n}(user, kind, found) {
    let number = 0;
    for session in sessions::list(#{ user: user.username, kind: kind }) {
        if session.last_active_at == () { continue; }
        number += 1;
        found.kinds[session.kind] = `${number} of part {n}, last ${session.last_active_at}`;
    }
    if number == 0 { say(`No session of part {n} is in use`); }
    found
}
";

/// A script of [`LINES`] lines.
fn script() -> String {
    let lines = |text: &str| text.lines().count();
    // Each part takes the line that calls it too; the function ends with two more.
    let parts = (LINES - lines(HEAD) - 2) / (lines(PART) + 1);
    let mut script = HEAD.to_owned();
    for part in 1..=parts {
        script.extend(["    found = part_", &part.to_string(), "(user, kind, found);\n"]);
    }
    script.push_str("    found\n}\n");
    for part in 1..=parts {
        script.push_str(&PART.replace("{n}", &part.to_string()));
    }
    while lines(&script) < LINES {
        script.push_str("// The end.\n");
    }
    script
}

/// Writes the script under so many names, and returns those.
fn write(sandbox: &Sandbox, count: usize) -> Vec<String> {
    let script = script();
    assert_eq!(script.lines().count(), LINES, "it is as long as it says");
    let names: Vec<String> = (0..count).map(|number| format!("script-{number}.rhai")).collect();
    for name in &names {
        sandbox.write(name, &script);
    }
    names
}

/// The floor is a process that does nothing, and the statement over one fresh connection.
pub(crate) fn start(plan: &Plan, report: &mut Report) {
    let (scene, floor) = (Embedded::new(), Floor::new());
    let names = write(&scene.sandbox, 1);
    let pairs = Pairs::take(
        WARM_UP,
        plan.runs,
        |_| child::masctl(&scene.sandbox, &["run", &names[0], ALICE]),
        |_| {
            let nothing = child::run(&scene.sandbox, "/bin/true", &[]).wall;
            nothing + floor.sqlite(&scene.file, vec![floor::find(BOB.0)])
        },
    );
    pairs.report(report, "a script of 100 lines, embedded store", START, Target::Unset);
}

/// The floor is Rhai, which parses the same files in this process.
pub(crate) fn check(plan: &Plan, report: &mut Report) {
    let sandbox = Sandbox::new();
    let names = write(&sandbox, CHECKED);
    let paths: Vec<PathBuf> = names.iter().map(|name| sandbox.path().join(name)).collect();
    let mut arguments = vec!["scripts", "check"];
    arguments.extend(names.iter().map(String::as_str));
    let pairs = Pairs::take(
        WARM_UP,
        plan.runs,
        |_| child::masctl(&sandbox, &arguments),
        |_| child::run(&sandbox, "/bin/true", &[]).wall + parse(&paths),
    );
    let name = format!("scripts check, {CHECKED} scripts of {LINES} lines");
    pairs.report(report, &name, CHECK, Target::Unset);
}

fn parse(paths: &[PathBuf]) -> Duration {
    let start = Instant::now();
    for path in paths {
        let text = fs::read_to_string(path).expect("it was written");
        // Rhai takes the first line off of files alone.
        let text = text.split_once('\n').map_or(text.as_str(), |(_, rest)| rest);
        Engine::new_raw().compile(text).expect("the script is right");
    }
    start.elapsed()
}

/// Commands need no database; of usernames, the floor is the statement over one fresh connection.
pub(crate) fn completion(plan: &Plan, report: &mut Report) {
    let (scene, floor) = (OnPostgres::with_users("bench_completion", plan.users), Floor::new());
    let options = scene.options();
    let complete = |words: &[&str]| child::completion(&scene.sandbox, words);
    let pairs = Pairs::take(
        WARM_UP,
        plan.runs,
        |_| complete(&["masctl", "manage", "lock"]),
        |_| child::run(&scene.sandbox, "/bin/true", &[]).wall,
    );
    pairs.report(report, "completion of a command", COMPLETION, Target::Unset);
    let pairs = Pairs::take(
        WARM_UP,
        plan.runs,
        |_| complete(&["masctl", "manage", "lock-user", "user99"]),
        |_| {
            let nothing = child::run(&scene.sandbox, "/bin/true", &[]).wall;
            nothing + floor.postgres(&options, vec![floor::usernames_from("user99")])
        },
    );
    let name = format!("completion of a username, {} users", plan.users);
    pairs.report(report, &name, COMPLETION, Target::Unset);
}
