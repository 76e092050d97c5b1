//! Two masctl at once on the same user give the same end state as one after the other, in either order.

use std::{
    process::{Child, Output, Stdio},
    thread,
};

use rstest::rstest;

use crate::support::{
    cast,
    sandbox::Sandbox,
    store::{OpenStore, Store},
    wait_until,
};

/// How often each pair is let loose: on one try, the two may miss each other.
const ROUNDS: usize = 4;

/// What is left behind, without what two runs never share: ids, times, secrets.
const STATE: [&str; 10] = [
    "SELECT username, locked_at IS NULL, deactivated_at IS NULL, can_request_admin FROM users ORDER BY username",
    "SELECT user_id, lower(email), count(*) FROM user_emails GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT user_id, version, count(*) FROM user_passwords GROUP BY 1, 2",
    "SELECT user_id, device_id, finished_at IS NULL, count(*) FROM compat_sessions GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "SELECT finished_at IS NULL, count(*) FROM user_sessions GROUP BY 1",
    "SELECT expires_at IS NULL, count(*) FROM compat_access_tokens GROUP BY 1 ORDER BY 1",
    "SELECT consumed_at IS NULL, count(*) FROM compat_refresh_tokens GROUP BY 1 ORDER BY 1",
    "SELECT queue_name, payload, status, count(*) FROM queue_jobs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "SELECT token, usage_limit, revoked_at IS NULL FROM user_registration_tokens ORDER BY 1",
    "SELECT user_id, subject, count(*) FROM upstream_oauth_links GROUP BY 1, 2 ORDER BY 1, 2",
];

/// A store with the cast in it, a session of alice that can be ended, and an address of bob.
fn scene(kind: Store, name: &str) -> (Sandbox, OpenStore) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(kind, name, &sandbox);
    if kind == Store::Sqlite {
        let migrated = sandbox.masctl(0).args(["database", "migrate"]).output();
        assert!(migrated.expect("masctl runs").status.success());
    }
    let session = format!(
        "INSERT INTO user_sessions (user_session_id, user_id, created_at) VALUES \
         ({{ulid:01HV00000000000000000000S1}}, {{ulid:{}}}, '{}');",
        cast::ALICE,
        cast::CREATED_AT
    );
    let email = format!(
        "INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
         ({{ulid:01HV00000000000000000000S2}}, {{ulid:{}}}, 'bob@example.com', '{}');",
        cast::BOB,
        cast::CREATED_AT
    );
    let rows = [cast::sql(), cast::upstream_sql(), cast::tokens_sql(), session, email].concat();
    store.query(&rows).expect("the cast fits");
    (sandbox, store)
}

/// What the store holds, with how the two ended.
fn state(store: &OpenStore, mut codes: [Option<i32>; 2]) -> String {
    codes.sort_unstable();
    let rows = STATE.map(|sql| {
        let rows = store.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.join("\n")
    });
    format!("{codes:?}\n{}", rows.join("\n--\n"))
}

fn start(sandbox: &Sandbox, command: &str, number: usize) -> Child {
    sandbox
        .masctl(number)
        .arg("manage")
        .args(command.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("masctl runs")
}

fn end(child: Child) -> Output {
    child.wait_with_output().expect("masctl ends")
}

#[rstest]
#[case::lock("lock-user alice", "lock-user alice")]
#[case::lock_unlock("lock-user bob --deactivate", "unlock-user bob")]
#[case::unlock("unlock-user bob --reactivate", "unlock-user bob")]
#[case::promote("promote-admin alice", "promote-admin alice")]
#[case::promote_demote("promote-admin alice", "demote-admin alice")]
#[case::email("add-email alice new@example.com", "add-email alice New@example.com")]
#[case::email_cross("move-email alice@example.com bob", "move-email bob@example.com alice")]
#[case::email_gone("move-email alice@example.com bob", "remove-email alice alice@example.com")]
#[case::email_twice("remove-email alice alice@example.com", "remove-email alice alice@example.com")]
#[case::no_password("set-password alice --generate-password", "remove-passwords alice --yes")]
#[case::password("set-password alice --generate-password", "set-password alice --generate-password")]
#[case::device("issue-compatibility-token alice PHONE", "issue-compatibility-token alice PHONE")]
#[case::device_kill("issue-compatibility-token alice PHONE", "kill-sessions alice")]
#[case::kill("kill-sessions alice", "kill-sessions alice")]
#[case::kill_one("kill-session 01HV00000000000000000000S1", "kill-sessions alice")]
#[case::kill_twice("kill-session 01HV00000000000000000000S1", "kill-session 01HV00000000000000000000S1")]
#[case::rotate("rotate-token 01HV0000000000000000000T01", "rotate-token 01HV0000000000000000000T01")]
#[case::rotate_revoke("rotate-token 01HV0000000000000000000T01", "revoke-token 01HV0000000000000000000T01")]
#[case::rotate_kill("rotate-token 01HV0000000000000000000T01", "kill-sessions alice")]
#[case::revoke_kill("revoke-token 01HV0000000000000000000T01", "kill-session 01HV0000000000000000000S01")]
#[case::keep_kill(
    "kill-sessions alice --keep 01HV0000000000000000000S01",
    "kill-session 01HV0000000000000000000S01"
)]
#[case::invite_edit(
    "edit-registration-token welcome --usage-limit 3",
    "revoke-registration-token welcome"
)]
#[case::unlink(
    "unlink-upstream alice 01HV0000000000000000000001:alice-there",
    "unlink-upstream alice 01HV0000000000000000000001:alice-there"
)]
#[case::deactivate("deactivate-user alice --yes", "reactivate-user alice")]
#[case::invite(
    "issue-user-registration-token --token WELCOME",
    "issue-user-registration-token --token WELCOME"
)]
#[case::link(
    "link-upstream alice 01HV0000000000000000000001:new",
    "link-upstream bob 01HV0000000000000000000001:new"
)]
#[case::link_move(
    "link-upstream carol 01HV0000000000000000000001:new --move",
    "link-upstream bob 01HV0000000000000000000001:new --move"
)]
#[case::link_move_unlink(
    "link-upstream bob 01HV0000000000000000000001:alice-there --move",
    "unlink-upstream alice 01HV0000000000000000000001:alice-there"
)]
fn two_at_once_are_like_one_after_the_other(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[case] one: &str,
    #[case] other: &str,
) {
    let name = |number: usize| format!("pair_{}_{number}", number_of(one, other));
    let serial: Vec<String> = [[one, other], [other, one]]
        .iter()
        .enumerate()
        .map(|(at, pair)| {
            let (sandbox, store) = scene(kind, &name(at));
            let ended = [1, 2].map(|number| end(start(&sandbox, pair[number - 1], number)).status.code());
            state(&store, ended)
        })
        .collect();
    for round in 2..2 + ROUNDS {
        let (sandbox, store) = scene(kind, &name(round));
        let outputs = [(one, 1), (other, 2)]
            .map(|(command, number)| start(&sandbox, command, number))
            .map(end);
        let found = state(&store, [outputs[0].status.code(), outputs[1].status.code()]);
        assert!(
            serial.contains(&found),
            "{outputs:?} leave\n{found}\nwhere one after the other leave\n{}",
            serial.join("\nor\n")
        );
    }
}

/// A short name for a pair, since PostgreSQL's names are short.
fn number_of(one: &str, other: &str) -> u32 {
    one.bytes()
        .chain([0])
        .chain(other.bytes())
        .fold(0, |number: u32, byte| number.wrapping_mul(31).wrapping_add(byte.into()))
}

/// The ids of new users differ, so what is compared is who is there, and what the loser is told.
#[rstest]
fn a_name_is_registered_once(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let (sandbox, store) = scene(kind, "pair_register");
    for round in 0..2 * ROUNDS {
        let command = format!("register-user erin{round} --yes --email erin{round}@example.com");
        let mut outputs = [1, 2].map(|at| start(&sandbox, &command, 10 * round + at)).map(end);
        outputs.sort_by_key(|output| output.status.code());
        assert_eq!(
            outputs.each_ref().map(|output| output.status.code()),
            [Some(0), Some(1)],
            "{outputs:?}"
        );
        let told = String::from_utf8_lossy(&outputs[1].stderr);
        assert!(told.starts_with("Error: User already exists\n"), "{told}");
    }
    let left = store.query(
        "SELECT (SELECT count(*) FROM users WHERE username LIKE 'erin%'), \
         (SELECT count(*) FROM user_emails WHERE email LIKE 'erin%'), (SELECT count(*) FROM queue_jobs)",
    );
    let count = 2 * ROUNDS;
    assert_eq!(
        left.expect("the SQL is right"),
        [format!("{count} | {count} | {count}")]
    );
}

/// MAS notes once a minute which sessions were used: of browsers first, then of OAuth 2.0, then the compatibility ones, each
/// in the order of their ids, all in one transaction.
#[rstest]
#[case::of_two_kinds("user_sessions", "01HV00000000000000000000S1", "01HV00000000000000000000V1")]
#[case::of_one_kind("compat_sessions", "01HV00000000000000000000V1", "01HV00000000000000000000V2")]
fn sessions_end_while_mas_notes_that_they_were_used(
    #[case] first: &str,
    #[case] first_id: &str,
    #[case] then_id: &str,
) {
    let (sandbox, store) = scene(Store::Postgres, &format!("noting_{first}"));
    // The younger one comes first in the table.
    for id in ["01HV00000000000000000000V2", "01HV00000000000000000000V1"] {
        let row = format!(
            "INSERT INTO compat_sessions (compat_session_id, user_id, device_id, created_at) VALUES \
             ({{ulid:{id}}}, {{ulid:{}}}, 'PHONE', '{}')",
            cast::ALICE,
            cast::CREATED_AT
        );
        store.query(&row).expect("it fits");
    }
    let note = |table: &str, id: &str| {
        let key = if table == "user_sessions" {
            "user_session_id"
        } else {
            "compat_session_id"
        };
        format!("UPDATE {table} SET last_active_at = '2024-05-01T00:00:00Z' WHERE {key} = {{ulid:{id}}};")
    };
    let mas = format!(
        "BEGIN; {} DO $$ BEGIN \
             FOR attempt IN 1..3000 LOOP \
                 PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); \
                 EXIT WHEN EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'masctl' \
                                   AND datname = current_database() AND wait_event_type = 'Lock'); \
             END LOOP; \
         END $$; {} COMMIT",
        note(first, first_id),
        note("compat_sessions", then_id)
    );
    let output = thread::scope(|scope| {
        let noting = scope.spawn(|| store.query(&mas));
        let sleeping =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
        wait_until("the first note", || {
            store.query(sleeping).expect("the SQL is right") == ["1"]
        });
        let output = end(start(&sandbox, "kill-sessions alice", 1));
        noting.join().expect("it ran").expect("MAS does not fail");
        output
    });
    assert!(output.status.success(), "{output:?}");
    let active = "SELECT (SELECT count(*) FROM user_sessions WHERE finished_at IS NULL), \
                  (SELECT count(*) FROM compat_sessions WHERE finished_at IS NULL), \
                  (SELECT count(*) FROM compat_sessions WHERE last_active_at IS NOT NULL)";
    let noted = if first == "compat_sessions" { "2" } else { "1" };
    assert_eq!(
        store.query(active).expect("the SQL is right"),
        [format!("0 | 0 | {noted}")]
    );
}
