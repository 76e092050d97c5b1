//! How much memory a script takes that walks over many accounts: what a page of them takes, and no more for more of them.
//!
//! `MASCTL_TEST_USERS=1000000` walks over so many.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{
    sandbox::Sandbox,
    scripted::run_in,
    store::{OpenStore, Store},
};

/// Names the folder of the configuration to the process that is measured.
const FOLDER: &str = "MASCTL_TEST_WALK_IN";

const FEW: usize = 2_000;
const MANY: usize = 100_000;

/// In KiB. What the allocator keeps differs by some MiB from run to run; 100,000 accounts are more than twice as much.
const MOST: usize = 64 * 1024;
const MOST_GROWTH: usize = 10 * 1024;

/// The most memory that a process had at once which walked over so many users, in KiB.
fn peak(name: &str, users: usize) -> usize {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(Store::Postgres, name, &sandbox);
    let populated = store.query(&format!(
        "INSERT INTO users (user_id, username, created_at)
         SELECT (lpad(to_hex(1672531200000 + n * 1000), 12, '0') || substr(md5(n::text), 1, 20))::uuid, \
         'user' || n, to_timestamp(1672531200 + n) FROM generate_series(1, {users}) AS n"
    ));
    populated.expect("the users fit");
    let output = Command::new(env::current_exe().expect("this process has a file"))
        .args(["memory::walk", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, sandbox.path())
        .stdin(Stdio::null())
        .output()
        .expect("the tests start themselves");
    store
        .query("TRUNCATE users CASCADE")
        .expect("nobody reads them any more");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = shown.lines().find_map(|line| line.strip_prefix("walked over "));
    let (count, peak) = told.and_then(|told| told.split_once(" in ")).expect("it was walked");
    assert_eq!(count.parse(), Ok(users));
    peak.parse().expect("it is a number")
}

#[test]
fn a_loop_over_many_users_takes_no_more_than_one_over_few() {
    let many = env::var("MASCTL_TEST_USERS").map_or(MANY, |count| count.parse().expect("it is a number"));
    let few_kib = peak("memory_few", FEW);
    let many_kib = peak("memory_many", many);
    assert!(many_kib < MOST, "{many} users take {many_kib} KiB");
    assert!(
        many_kib < few_kib + MOST_GROWTH,
        "{FEW} users take {few_kib} KiB, {many} take {many_kib} KiB"
    );
}

#[test]
#[ignore = "the test above runs it, in a process of its own"]
fn walk() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let body = "let count = 0; for user in users::list(#{}) { count += 1; } count";
    let outcome = run_in(Path::new(&folder), "users:read", body).expect("it can be walked");
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next()).unwrap_or_default();
    #[expect(clippy::print_stdout, reason = "the test that started this process reads it")]
    {
        println!("\nwalked over {} in {peak}", outcome.result);
    }
}
