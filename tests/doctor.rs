//! What `masctl doctor`, and every other command, finds behind a pooler: transcripts cannot start one.

use std::process::Output;

use rstest::rstest;

use crate::support::{
    pgbouncer::PgBouncer,
    sandbox::Sandbox,
    store::{OpenStore, Store},
};

/// A database of MAS that is reached through a PgBouncer.
struct Pooled {
    sandbox: Sandbox,
    store: OpenStore,
    bouncer: PgBouncer,
}

impl Pooled {
    fn start(name: &str, mode: &str, sessions: u16) -> Self {
        Self::behind(name, PgBouncer::start(mode, sessions, false))
    }

    fn behind(name: &str, bouncer: PgBouncer) -> Self {
        let sandbox = Sandbox::new();
        let store = OpenStore::configured(Store::Postgres, name, &sandbox);
        let worker = "INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at) \
             VALUES ({ulid:01HV0000000000000000000001}, now(), now())";
        store.query(worker).expect("the SQL is right");
        sandbox.write("pooled.yaml", &format!("database: {{ port: {} }}\n", bouncer.port));
        Self {
            sandbox,
            store,
            bouncer,
        }
    }

    /// What a command shows: stdout, then stderr, with the names that transcripts have.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = self.sandbox.masctl(1);
        command.env("MASCTL_FIXED_WORLD", "now");
        command.args(["-c", "config.yaml", "-c", "pooled.yaml"]).args(arguments);
        let Output { stdout, stderr, .. } = command.output().expect("masctl runs");
        let shown = String::from_utf8([stdout, stderr].concat()).expect("masctl writes UTF-8");
        let shown = shown.replace(&format!(":{}/", self.bouncer.port), ":{pgbouncer}/");
        let folder = (self.sandbox.path().display().to_string(), "{cwd}");
        let names = self.store.placeholders().into_iter().chain([folder]);
        names.fold(shown, |text, (real, name)| text.replace(&real, name))
    }
}

#[rstest]
#[case::with_sessions_to_spare(20, "its session on the server changes between two statements")]
#[case::with_one_session(1, "one connection has to wait for the transaction of another")]
fn a_pooler_in_transaction_mode_is_found(#[case] sessions: u16, #[case] proof: &str) {
    let pooled = Pooled::start(&format!("pooled_{sessions}"), "transaction", sessions);
    let expected = format!(
        "\
ok       config      {{cwd}}/config.yaml and {{cwd}}/pooled.yaml have database, matrix and passwords
ok       database    postgresql://127.0.0.1:{{pgbouncer}}/{{database}} is PostgreSQL {{version}}, reached as postgres without TLS
wrong    pooling     A pooler in transaction mode is between masctl and PostgreSQL: {proof}
                     → PgBouncer and the like must pool by session for MAS and masctl (`pool_mode = session`), or be passed by: connect to PostgreSQL itself.
skipped  schema      not checked: statements go astray in the pooler
skipped  rights      not checked: statements go astray in the pooler
skipped  clock       not checked: statements go astray in the pooler
skipped  worker      not checked: statements go astray in the pooler
skipped  jobs        not checked: statements go astray in the pooler
ok       homeserver  {{homeserver}} accepts the secret
Error: 1 thing is wrong
"
    );
    assert_eq!(pooled.run(&["doctor"]), expected);
}

#[test]
fn a_pooler_in_session_mode_is_as_good_as_none() {
    let pooled = Pooled::start("pooled_by_session", "session", 20);
    let expected = "\
ok       config      {cwd}/config.yaml and {cwd}/pooled.yaml have database, matrix and passwords
ok       database    postgresql://127.0.0.1:{pgbouncer}/{database} is PostgreSQL {version}, reached as postgres without TLS
ok       pooling     every connection has a session of its own
ok       schema      all 167 migrations up to 20260720134722 are known, and none is running
ok       rights      the database user has all that masctl needs
ok       clock       this machine's and the database's differ by less than 1 s
ok       worker      1 MAS worker is alive, and no job waits
ok       jobs        none is stuck, and none is abandoned
ok       homeserver  {homeserver} accepts the secret
";
    assert_eq!(pooled.run(&["doctor"]), expected);
    for _ in 0..2 {
        assert_eq!(pooled.run(&["manage", "list-admin-users", "--format", "json"]), "[]\n");
    }
}

/// The pool of a MAS in production may be all taken.
#[test]
fn a_pooler_without_a_session_to_spare_does_not_keep_the_doctor_waiting() {
    let pooled = Pooled::start("pooled_narrowly", "session", 1);
    let expected = "\
ok       config      {cwd}/config.yaml and {cwd}/pooled.yaml have database, matrix and passwords
ok       database    postgresql://127.0.0.1:{pgbouncer}/{database} is PostgreSQL {version}, reached as postgres without TLS
wrong    pooling     A second connection got no session on the server within 5 s
                     → A pooler has none to spare: raise PgBouncer's `default_pool_size`, or connect to PostgreSQL itself. MAS needs several, and `masctl worker` two.
ok       schema      all 167 migrations up to 20260720134722 are known, and none is running
ok       rights      the database user has all that masctl needs
ok       clock       this machine's and the database's differ by less than 1 s
ok       worker      1 MAS worker is alive, and no job waits
ok       jobs        none is stuck, and none is abandoned
ok       homeserver  {homeserver} accepts the secret
Error: 1 thing is wrong
";
    assert_eq!(pooled.run(&["doctor"]), expected);
}

/// The first command leaves a prepared statement behind, which the second one comes upon.
#[test]
fn a_command_behind_a_pooler_in_transaction_mode_fails_with_the_reason() {
    let pooled = Pooled::start("pooled_command", "transaction", 1);
    let list = ["manage", "list-admin-users", "--format", "json"];
    assert_eq!(pooled.run(&list), "[]\n");
    assert_eq!(
        pooled.run(&list),
        "{\"error\":{\"code\":\"database.pooled\",\
         \"message\":\"A pooler in transaction mode mixes up the statements: prepared statement \\\"sqlx_s_1\\\" already exists\",\
         \"help\":\"PgBouncer and the like must pool by session for MAS and masctl (`pool_mode = session`), \
         or be passed by: connect to PostgreSQL itself.\",\"data\":{\"sqlstate\":\"42P05\"},\"at\":null}}\n"
    );
}

#[test]
fn a_pooler_that_does_not_know_what_it_is_told_is_told_from_a_server() {
    let pooled = Pooled::behind("pooled_puzzled", PgBouncer::start("session", 20, true));
    assert_eq!(
        pooled.run(&["manage", "list-admin-users"]),
        "Error: unsupported startup parameter: extra_float_digits\n  \
         help: A pooler answers this; PgBouncer needs `pool_mode = session` and \
         `ignore_startup_parameters = extra_float_digits`.\n"
    );
}
