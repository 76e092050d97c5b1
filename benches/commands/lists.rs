//! Lists and counts of 1,000,000 accounts, beside the same query in psql.

use crate::{
    Plan,
    child::{self, Cost},
    scenes::OnPostgres,
    table::{Figures, Report, Target},
    walk,
};

/// How many users are listed.
const USERS: usize = 1_000_000;

/// How many times what psql takes a list or a count may take.
const BESIDE_PSQL: Target = Target::Times(1.5);

/// How much memory a list may take, in MiB, whatever its length.
const MEMORY: Target = Target::Most(64.0);

const COLUMNS: &str = "user_id, username, created_at, locked_at, deactivated_at, can_request_admin, is_guest";

/// What is listed or counted, and how psql is asked for it.
struct Case {
    name: &'static str,
    masctl: &'static [&'static str],
    psql: &'static [&'static str],
    sql: String,
}

fn cases() -> Vec<Case> {
    let all = format!("SELECT {COLUMNS} FROM users ORDER BY user_id");
    vec![
        Case {
            name: "csv",
            masctl: &["--format", "csv"],
            psql: &["--csv"],
            sql: all.clone(),
        },
        Case {
            name: "jsonl",
            masctl: &["--format", "jsonl"],
            psql: &["-At"],
            sql: format!("SELECT row_to_json(it) FROM ({all}) AS it"),
        },
        Case {
            name: "table",
            masctl: &["--format", "table"],
            psql: &[],
            sql: all,
        },
        Case {
            name: "usernames",
            masctl: &["--format", "ids"],
            psql: &["-At"],
            sql: "SELECT username FROM users ORDER BY user_id".to_owned(),
        },
        Case {
            name: "count",
            masctl: &["--count"],
            psql: &["-At"],
            sql: "SELECT count(*) FROM users".to_owned(),
        },
        Case {
            name: "count of locked ones",
            masctl: &["--count", "--status", "locked"],
            psql: &["-At"],
            sql: "SELECT count(*) FROM users WHERE locked_at IS NOT NULL".to_owned(),
        },
        Case {
            name: "count of a search",
            masctl: &["--count", "--search", "999"],
            psql: &["-At"],
            sql: "SELECT count(*) FROM users WHERE username ILIKE '%999%'".to_owned(),
        },
    ]
}

/// Each list is read to its end by somebody who reads as fast as it comes. Both go through the socket of the server.
pub(crate) fn list_users(plan: &Plan, report: &mut Report) {
    let scene = OnPostgres::with_users("bench_lists", USERS);
    scene.lock_every(100);
    let configuration = scene.through_the_socket();
    let connection = scene.uri();
    for case in cases() {
        let (mut masctl, mut psql) = (Vec::<Cost>::new(), Vec::<Cost>::new());
        for number in 0..=plan.bulk_runs {
            let list = ["-c", &configuration, "manage", "list-users"];
            let ours = child::masctl(&scene.sandbox, &[&list, case.masctl].concat());
            let query = ["-X", "-q", "-d", &connection, "-c", &case.sql];
            let theirs = child::run(&scene.sandbox, "psql", &[&query, case.psql].concat());
            // The first run of each warms up.
            if number > 0 {
                masctl.push(ours);
                psql.push(theirs);
            }
        }
        let name = format!("list-users, {USERS} users, {}", case.name);
        report.add(name, &Figures::wall(&masctl), Some(&Figures::wall(&psql)), BESIDE_PSQL);
        report.add(
            "  CPU",
            &Figures::cpu(&masctl),
            Some(&Figures::cpu(&psql)),
            Target::Unset,
        );
        report.add("  memory", &Figures::memory(&masctl), None, MEMORY);
    }
    let own = std::env::current_exe().expect("a process knows its binary");
    let walk = || child::run(&scene.sandbox, &own, &[walk::FLAG, &configuration]);
    let walks: Vec<Cost> = (0..plan.bulk_runs).map(|_| walk()).collect();
    let name = format!("for user in users::list(#{{}}), {USERS} users");
    report.add(name, &Figures::wall(&walks), None, Target::Unset);
    report.add("  CPU", &Figures::cpu(&walks), None, Target::Unset);
    report.add("  memory", &Figures::memory(&walks), None, MEMORY);
}
