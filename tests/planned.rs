//! What PLAN promises: what is agreed to is what is committed, with times, ids and tokens of its own, or nothing is.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use masctl::{
    console::Console,
    error::{Code, Error, Result},
    host::{
        Outcome,
        repl::{Mode, plan::Planned},
    },
    operations::Plan,
    primitives::documented,
};
use rstest::rstest;
use secrecy::SecretString;
use serde_json::json;

use crate::support::{cast, scripted::Stage, store::Store};

/// What changes alice, and may be seen.
const NEEDS: [&str; 6] = [
    "users:write",
    "emails:write",
    "tokens:write",
    "sessions:write",
    "policy:write",
    "jobs:write",
];

fn stage(kind: Store, name: &str) -> Stage {
    Stage::open(kind, &format!("planned_{name}_{kind:?}").to_lowercase(), "{}")
}

/// Agrees to everything, but is not to be asked about nothing.
fn agree(plan: &Plan) -> Result<bool> {
    if plan.is_empty() {
        return Err(Error::new(Code::Bug, "There is nothing to agree to"));
    }
    Ok(true)
}

fn applied(planned: Result<Planned<Outcome>>) -> Outcome {
    match planned {
        Ok(Planned::Applied(outcome)) => outcome,
        other => panic!("it is applied: {other:?}"),
    }
}

/// The help of the refusal that what was agreed to is no longer what would be done.
fn refused(planned: Result<Planned<Outcome>>) -> String {
    let error = planned.expect_err("it is refused");
    assert_eq!(error.code(), Code::PlanChanged, "{error}: {:?}", error.help_text());
    assert_eq!(
        error.message(),
        "The changes are no longer the same, so nothing was changed"
    );
    let help = error.help_text().unwrap_or_default();
    let sentence = help.strip_suffix(" Enter it again to see what it would change now.");
    sentence.expect("it says what to do").to_owned()
}

/// Who is locked, and how many jobs wait.
fn state(stage: &Stage) -> Vec<String> {
    stage.rows("SELECT username, locked_at IS NULL, (SELECT count(*) FROM queue_jobs) FROM users ORDER BY username")
}

/// What the world hands out and the comparison does not know makes an example differ from itself.
#[rstest]
fn every_example_that_writes_is_the_same_twice(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let (mut wrong, mut count) = (Vec::new(), 0);
    let scope = if kind == Store::Postgres { "'{}'" } else { "'[]'" };
    let rows = [
        cast::jobs_sql(),
        cast::sessions_sql(scope),
        cast::tokens_sql(),
        cast::upstream_sql(),
    ];
    for (at, primitive) in documented().iter().enumerate() {
        let needed = primitive.needs().filter(|needed| needed.ends_with(":write"));
        let (Some(needed), Some(example)) = (needed, primitive.example()) else {
            continue;
        };
        let name = format!("{}::{}", primitive.namespace, primitive.name);
        let stage = stage(kind, &format!("{at}"));
        stage.rows(&rows.concat());
        let needs = [
            &[
                "users:read",
                "emails:read",
                "tokens:read",
                "sessions:read",
                "links:read",
                "jobs:read",
                "policy:read",
            ][..],
            &[needed],
        ];
        let planned = stage.plan(None, &needs.concat(), example, agree);
        match planned {
            Ok(Planned::Applied(outcome)) if outcome.report.failure.is_none() => count += 1,
            // On this cast they change nothing.
            Ok(Planned::Nothing(_)) if ["passwords::remove_passwords", "users::rename"].contains(&name.as_str()) => {}
            Ok(other) => wrong.push(format!("{name}: {other:?}")),
            Err(error) => wrong.push(format!("{name}: {error} {:?}", error.help_text())),
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(count > 25, "{count} examples write");
}

#[rstest]
fn nothing_happens_before_it_is_agreed_to_and_nothing_if_not(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "declined");
    let before = state(&stage);
    let planned = stage.plan(None, &NEEDS, "users::get(\"alice\").lock()", |plan| {
        // Nothing is held: somebody else may write.
        stage.rows("UPDATE users SET locked_at = locked_at");
        assert_eq!(state(&stage), before);
        let sentences: Vec<String> = plan.changes().iter().map(|change| change.sentence(true)).collect();
        assert_eq!((&sentences[..], plan.jobs()), (&["Would lock alice".to_owned()][..], 1));
        Ok(false)
    });
    assert!(matches!(planned, Ok(Planned::Declined)), "{planned:?}");
    assert_eq!(state(&stage), before);

    let failing = stage.plan(None, &NEEDS, "users::get(\"alice\").lock(); throw \"no\"", agree);
    assert_eq!(failing.expect_err("it throws").code(), Code::ScriptFailed);
    assert_eq!(state(&stage), before);
}

#[test]
fn what_would_change_nothing_is_done_once_and_not_asked_about() {
    let stage = stage(Store::Sqlite, "nothing");
    let never = |_: &Plan| -> Result<bool> { panic!("there is nothing to ask about") };
    let planned = stage.plan(
        None,
        &NEEDS,
        "say(\"once\"); #{ name: users::get(\"alice\").username, password: passwords::generate() }",
        never,
    );
    let Ok(Planned::Nothing(outcome)) = planned else {
        panic!("{planned:?}");
    };
    assert_eq!(outcome.result["name"], json!("alice"));
    assert_eq!(outcome.secret.map(|secret| secret.len()), Some(24));
    assert!(!outcome.report.dry_run);
    assert_eq!(stage.take_said(), ["once"]);
}

#[test]
fn a_job_alone_is_asked_about() {
    let stage = stage(Store::Sqlite, "job");
    let asked = AtomicBool::new(false);
    // bob is locked already: MAS is told once more.
    let outcome = applied(stage.plan(None, &NEEDS, "users::get(\"bob\").lock()", |plan| {
        asked.store(true, Ordering::Relaxed);
        assert_eq!((plan.changes().len(), plan.jobs()), (0, 1));
        assert_eq!(plan.notes(), ["bob is locked already, since 2024-04-09 00:00:00Z"]);
        Ok(true)
    }));
    assert!(asked.into_inner());
    assert_eq!(outcome.report.jobs, 1);
    assert_eq!(stage.rows("SELECT count(*) FROM queue_jobs"), ["1"]);
}

#[rstest]
fn what_another_client_changes_in_between_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "foreign");
    let meanwhile = |sql: &'static str| {
        let stage = &stage;
        move |_: &Plan| {
            stage.rows(sql);
            Ok(true)
        }
    };
    let lock = "users::get(\"alice\").lock()";
    let locked = "UPDATE users SET locked_at = '2024-05-01T10:00:00+00:00' WHERE username = 'alice'";
    let help = refused(stage.plan(None, &NEEDS, lock, meanwhile(locked)));
    assert_eq!(
        help,
        "`Would lock alice` is no longer among them: alice is locked already, since 2024-05-01 10:00:00Z."
    );
    let unlock = "users::get(\"alice\").unlock()";
    let again = "UPDATE users SET locked_at = '2024-06-01T10:00:00+00:00' WHERE username = 'alice'";
    let help = refused(stage.plan(None, &NEEDS, unlock, meanwhile(again)));
    assert_eq!(
        help,
        "`Would unlock alice`: `locked_at` was \"2024-05-01T10:00:00Z\" when it was shown, \
         and is \"2024-06-01T10:00:00Z\" now."
    );
    assert_eq!(
        stage.rows("SELECT count(*) FROM users WHERE locked_at = '2024-06-01T10:00:00+00:00'"),
        ["1"]
    );
    let _ = applied(stage.plan(None, &NEEDS, unlock, agree));

    let every = "for user in users::list(#{}) { user.lock(); }";
    let gone = "UPDATE users SET locked_at = '2024-05-01T10:00:00+00:00' WHERE username = 'carol'";
    let help = refused(stage.plan(None, &NEEDS, every, meanwhile(gone)));
    assert_eq!(
        help,
        "`Would lock carol` is no longer among them: carol is locked already, since 2024-05-01 10:00:00Z."
    );
}

/// A change that says how many things it is about says nothing of which.
#[rstest]
fn others_of_the_same_number_are_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "others");
    let scope = if kind == Store::Postgres { "'{}'" } else { "'[]'" };
    stage.rows(&[cast::sessions_sql(scope), cast::jobs_sql()].concat());
    let another = |_: &Plan| {
        let ended = "UPDATE user_sessions SET finished_at = '2024-05-01T10:00:00+00:00'; ";
        let begun = cast::sessions_sql(scope)
            .rsplit_once("INSERT")
            .map(|(_, insert)| {
                format!(
                    "INSERT{}",
                    insert.replace(cast::BROWSER_SESSION, "01HV0000000000000000000B10")
                )
            })
            .expect("browsers come last");
        stage.rows(&[ended, &begun].concat());
        Ok(true)
    };
    let help = refused(stage.plan(None, &NEEDS, "users::get(\"alice\").kill_sessions()", another));
    assert_eq!(
        help,
        "`Would end 2 sessions of alice (1 OAuth 2.0, 1 browser)`: what it is about is not the same as when it was shown."
    );
    assert_eq!(
        stage.rows("SELECT count(*) FROM user_sessions WHERE finished_at IS NULL"),
        ["1"]
    );
    let _ = applied(stage.plan(None, &NEEDS, "users::get(\"alice\").kill_sessions()", agree));
}

/// Secrets are in no change, and yet it is not all one what they are.
#[rstest]
#[case(
    "tokens::issue_registration(#{ token: `t-${emails::count(#{})}` })",
    "issue a registration token"
)]
#[case(
    "let secrets = [input::ask_secret(\"One\"), input::ask_secret(\"Other\")]; \
     users::get(\"alice\").set_password(secrets[emails::count(#{})], #{ ignore_complexity: true })",
    "set the password of alice"
)]
fn another_secret_is_refused(#[case] body: &str, #[case] what: &str) {
    let stage = stage(Store::Sqlite, what.split(' ').next().expect("a word"));
    let needs = [&NEEDS[..], &["passwords:write", "emails:read"]].concat();
    let person = || Some(Arc::<Person>::default() as Arc<dyn Console>);
    let help = refused(stage.plan(person(), &needs, body, |_| {
        stage.rows("DELETE FROM user_emails");
        Ok(true)
    }));
    assert_eq!(
        help,
        format!("`Would {what}`: the secret is not the same as when it was shown.")
    );
    let _ = applied(stage.plan(person(), &needs, body, agree));
}

#[test]
fn what_fails_the_second_time_says_that_it_did_not_before() {
    let stage = stage(Store::Sqlite, "failing");
    let planned = stage.plan(None, &NEEDS, "users::get(\"alice\").lock()", |_| {
        stage.rows("DELETE FROM users WHERE username = 'alice'");
        Ok(true)
    });
    let error = planned.expect_err("alice is gone");
    assert_eq!(error.code(), Code::UserNotFound);
    let help = error.help_text().expect("it says so");
    assert!(
        help.ends_with("something else has changed meanwhile. Nothing was changed by it."),
        "{help}"
    );
}

#[rstest]
fn secrets_are_those_of_the_second_execution(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "secrets");
    let body = "let token = users::get(\"alice\").issue_compatibility_token(#{ expires_in: 60 }); \
                policy::set(#{ device: token.device_id, at: `${time::now()}`, ends: `until ${time::now() + 60}.` }); token";
    let shown = std::sync::Mutex::new(String::new());
    let outcome = applied(stage.plan(None, &NEEDS, body, |plan| {
        *shown.lock().expect("nobody panicked") = format!("{plan:?} {:?}", plan.notes());
        Ok(true)
    }));
    let token = outcome.secret.as_deref().expect("it is shown");
    let stored = stage.rows("SELECT access_token FROM compat_access_tokens");
    assert_eq!(stored, [format!("{token:?}").trim_matches('"')]);
    let shown = shown.into_inner().expect("nobody panicked");
    assert!(!shown.contains("mct_"), "{shown}");
    assert_eq!(outcome.result["token"], json!(token));

    let error = stage
        .plan(None, &NEEDS, body, |_| {
            stage.rows("UPDATE policy_data SET data = '{\"a\": 1}'");
            Ok(true)
        })
        .expect_err("it is no longer the same");
    assert_eq!(error.code(), Code::PlanChanged);
    let all = format!("{error:?} {:?} {:?}", error.help_text(), error.values());
    assert!(!all.contains("mct_"), "{all}");
    assert_eq!(stage.rows("SELECT count(*) FROM compat_access_tokens"), ["1"]);
}

#[test]
fn who_has_agreed_is_told_of_another_connection() {
    let stage = stage(Store::Postgres, "reconnected");
    let mut session = stage.session(Mode::Plan);
    let cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
               WHERE application_name = 'masctl' AND datname = current_database()";
    let mut ask = |_: &Plan| {
        assert_eq!(stage.rows(cut), ["1"]);
        Ok(true)
    };
    let answer = session.evaluate("users::get(\"alice\").lock()", Arc::default(), &mut ask);
    assert!(answer.expect("it is applied").is_some());
    assert_eq!(
        stage.take_said(),
        ["Warning: the connection to the database was lost: connected again"]
    );
}

/// A person who answers with how often they were asked.
#[derive(Default)]
struct Person(AtomicUsize);

impl Person {
    fn next(&self) -> String {
        format!("answer {}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Console for Person {
    fn say(&self, _: &str) {}

    fn insist(&self, _: &str) {}

    fn warn(&self, _: &str) {}

    fn name_store(&self, _: &str, _: bool) {}

    fn interactive(&self) -> bool {
        true
    }

    fn ask(&self, _: &str, _: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        Ok(self.next())
    }

    fn ask_secret(&self, _: &str, _: bool) -> Result<SecretString> {
        Ok(self.next().into())
    }

    fn choose(&self, _: &str, _: &[String]) -> Result<usize> {
        Ok(self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn confirm(&self, _: &str, preset: bool) -> Result<bool> {
        Ok(!preset)
    }

    fn read_secret(&self) -> Result<SecretString> {
        Ok(self.next().into())
    }

    fn read_input(&self, _: u64) -> std::io::Result<Vec<u8>> {
        Ok(self.next().into_bytes())
    }

    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}
}

#[test]
fn a_person_is_asked_once() {
    let stage = stage(Store::Sqlite, "asked");
    let person = Arc::<Person>::default();
    let body = "let name = input::ask(\"Name:\", |name| true); users::get(\"alice\").set_display_name(name);";
    let _ = applied(stage.plan(Some(person.clone()), &NEEDS, body, agree));
    assert_eq!(person.0.load(Ordering::Relaxed), 1);
    assert_eq!(
        stage.rows("SELECT count(*) FROM queue_jobs WHERE CAST(payload AS text) LIKE '%answer 1%'"),
        ["1"]
    );

    let asks_for_locked = "if users::get(\"carol\").locked_at != () { input::confirm(\"Even so?\", false); } users::get(\"alice\").lock();";
    let help = refused(stage.plan(Some(person), &NEEDS, asks_for_locked, |_| {
        stage.rows("UPDATE users SET locked_at = created_at WHERE username = 'carol'");
        Ok(true)
    }));
    assert_eq!(help, "It asks `Even so?`, which it did not before.");
}

#[test]
fn files_are_read_once() {
    let stage = stage(Store::Sqlite, "files");
    let path = stage.write("names.txt", "alice\n");
    let need = format!("files:read:{}", path.display());
    let needs = [&NEEDS[..], &[&need]].concat();
    let body = format!(
        "for name in files::lines(\"{}\") {{ users::get(name).lock(); }}",
        path.display()
    );
    let _ = applied(stage.plan(None, &needs, &body, |_| {
        fs::write(&path, "carol\n").expect("it can be written");
        Ok(true)
    }));
    assert_eq!(
        stage.rows("SELECT username FROM users WHERE locked_at >= '2020-01-01' AND username IN ('alice', 'carol')"),
        ["alice"]
    );
    let _ = applied(stage.plan(None, &needs, &body, |_| {
        fs::remove_file(&path).expect("it is there");
        Ok(true)
    }));
    assert_eq!(
        stage.rows(
            "SELECT username FROM users WHERE locked_at >= '2020-01-01' AND username IN ('alice', 'carol') ORDER BY 1"
        ),
        ["alice", "carol"]
    );
}

#[rstest]
fn ctrl_c_at_the_question_changes_nothing(#[values(true, false)] says_yes: bool) {
    let stage = stage(Store::Sqlite, &format!("interrupted_{says_yes}"));
    let before = state(&stage);
    let planned = stage.plan(None, &NEEDS, "users::get(\"alice\").lock()", |_| {
        stage.interrupt.press();
        if says_yes {
            Ok(true)
        } else {
            Err(Error::new(Code::RunInterrupted, "Interrupted: nothing was changed"))
        }
    });
    let error = planned.expect_err("it is interrupted");
    assert_eq!(error.code(), Code::RunInterrupted);
    assert_eq!(error.message(), "Interrupted: nothing was changed");
    assert_eq!(state(&stage), before);
}
