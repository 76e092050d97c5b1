//! The connection of a session, from one input to the next: kept, tried, closed, read-only, and never in the middle of
//! anything.

use std::{
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use masctl::{
    capability::Capability,
    config::{Configuration, Database, Environment},
    error::{Code, Error, Result},
    operations::{Interrupt, Keeper, Parts, Report, Run, World},
    storage::{Access, Connection},
};
use rstest::rstest;
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tokio::runtime::{Builder, Runtime};

use crate::support::{
    cast,
    cluster::{Cluster, SUPERUSER},
    mas_database,
    pgbouncer::PgBouncer,
    postgres::{execute, server},
    sandbox::Sandbox,
    scripted::Said,
    store::{OpenStore, Store},
    wait_for, wait_until,
};

/// Longer than a test takes.
const LONG: Duration = Duration::from_mins(10);

const LOST: &str = "Warning: the connection to the database was lost: connected again";

/// A session on a store: its inputs come one after the other.
struct Session {
    configuration: Arc<Configuration>,
    keeper: Arc<Keeper>,
    said: Arc<Said>,
}

impl Session {
    /// A session on the store that the files in a sandbox name.
    fn start(sandbox: &Sandbox, files: &[&str], idle: Duration) -> Self {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let environment = Environment::new([("HOME", sandbox.path().display().to_string())], sandbox.path());
        let configuration = Configuration::load(&files, &environment).expect("the files are there");
        let database = configuration.database().expect("the store has written it");
        let keeper = Keeper::new(&configuration, database, runtime(), idle).expect("the database has a place");
        Self {
            configuration: Arc::new(configuration),
            keeper: Arc::new(keeper),
            said: Arc::default(),
        }
    }

    fn database(&self) -> Database {
        self.configuration.database().expect("it was read before")
    }

    fn run(&self, interrupt: &Arc<Interrupt>) -> Run {
        let parts = Parts {
            database: self.database(),
            configuration: self.configuration.clone(),
            capabilities: "users:write".parse::<Capability>().into_iter().collect(),
            console: self.said.clone(),
            world: World::fixed(1),
            dry_run: false,
            runtime: runtime(),
            interrupt: interrupt.clone(),
        };
        Run::new(parts).kept_by(self.keeper.clone())
    }

    /// One input: it ends well or is abandoned, as the host does it.
    fn input_with<T>(&self, interrupt: &Arc<Interrupt>, work: impl FnOnce(&Run) -> Result<T>) -> Result<(T, Report)> {
        let run = self.run(interrupt);
        work(&run)
            .and_then(|value| Ok((value, run.finish()?)))
            .map_err(|error| run.abandon(error))
    }

    fn input<T>(&self, work: impl FnOnce(&Run) -> Result<T>) -> Result<T> {
        self.input_with(&Arc::default(), work).map(|(value, _)| value)
    }

    /// An input that reads one text.
    fn text(&self, sql: &str) -> Result<String> {
        self.input(|run| read(run, sql))
    }

    /// Who works for the session on the server.
    fn backend(&self) -> String {
        self.text(BACKEND).expect("the database is there")
    }
}

/// Who works for this connection on the server.
const BACKEND: &str = "SELECT pg_backend_pid()::text";

/// A runtime as the host has it.
fn runtime() -> Arc<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    Arc::new(runtime.expect("the system has one"))
}

/// Reads one text.
fn read(run: &Run, sql: &str) -> Result<String> {
    run.wait(run.read(async |store| text_of(store, sql).await))
}

async fn text_of(store: &mut Connection, sql: &str) -> Result<String> {
    let sql = AssertSqlSafe(sql.to_owned());
    let text = match store {
        Connection::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(&mut **connection).await,
        Connection::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(&mut **connection).await,
    };
    text.map_err(|error: sqlx::Error| {
        let is_lost = !matches!(&error, sqlx::Error::Database(answer) if answer.code().as_deref() != Some("57P01"));
        let code = if is_lost {
            Code::DatabaseLost
        } else {
            Code::DatabaseFailed
        };
        Error::new(code, error.to_string())
    })
}

/// Locks alice inside of a deed.
fn lock_alice(run: &Run) -> Result<()> {
    let update = "UPDATE users SET locked_at = created_at WHERE username = 'alice' RETURNING username";
    run.wait(run.write(async |deed| text_of(deed.store(), update).await.map(drop)))
}

/// A store with the cast in it.
fn store(kind: Store, name: &str) -> (Sandbox, OpenStore) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(kind, &format!("kept_{name}"), &sandbox);
    if kind == Store::Sqlite {
        // masctl makes the file.
        let session = Session::start(&sandbox, &[], LONG);
        session.text("SELECT '1'").expect("the file can be made");
    }
    store.query(&cast::sql()).expect("the cast fits");
    (sandbox, store)
}

/// What the connections of masctl to a database do, and since when each is there.
fn connections(store: &OpenStore) -> Vec<String> {
    let sql = "SELECT state FROM pg_stat_activity WHERE application_name = 'masctl' AND datname = current_database() \
               ORDER BY backend_start";
    store.query(sql).expect("the SQL is right")
}

fn terminate(store: &OpenStore) {
    let sql = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
               WHERE application_name = 'masctl' AND datname = current_database()";
    assert_eq!(store.query(sql).expect("the SQL is right"), ["1"]);
}

fn is_locked(store: &OpenStore) -> bool {
    let sql = "SELECT count(*) FROM users WHERE username = 'alice' AND locked_at IS NOT NULL";
    store.query(sql).expect("the SQL is right") == ["1"]
}

#[test]
fn one_input_after_the_other_uses_the_same_connection_and_holds_nothing_between() {
    let (sandbox, store) = store(Store::Postgres, "again");
    let session = Session::start(&sandbox, &[], LONG);
    let backend = session.backend();
    assert_eq!(connections(&store), ["idle"]);
    session.input(lock_alice).expect("she can be locked");
    assert_eq!(connections(&store), ["idle"]);
    assert!(is_locked(&store));
    let failed = session.text("SELECT 1/0 || ''").expect_err("it cannot be divided");
    assert_eq!(failed.code(), Code::DatabaseFailed);
    assert_eq!(session.backend(), backend);
    assert_eq!(connections(&store), ["idle"]);
    session.keeper.close();
    wait_until("the end of the connection", || connections(&store).is_empty());
    assert_eq!(session.said.take(), Vec::<String>::new());
}

#[rstest]
fn what_an_input_wrote_that_fails_is_taken_back_and_the_next_goes_on(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
) {
    let (sandbox, store) = store(kind, &format!("taken_back_{kind:?}").to_lowercase());
    let session = Session::start(&sandbox, &[], LONG);
    let failed = session.input(|run| {
        lock_alice(run)?;
        assert!(run.is_writing());
        Err::<(), _>(Error::new(Code::UserNotFound, "it is thrown"))
    });
    assert_eq!(failed.expect_err("it was thrown").message(), "it is thrown");
    assert!(!is_locked(&store));
    // Nothing keeps others from writing.
    store
        .query("UPDATE users SET can_request_admin = true WHERE username = 'bob'")
        .expect("nobody holds a lock");
    session.input(lock_alice).expect("she can be locked");
    assert!(is_locked(&store));
}

#[test]
fn a_connection_that_was_lost_between_two_inputs_is_opened_again_and_that_is_said() {
    let (sandbox, store) = store(Store::Postgres, "lost_between");
    let session = Session::start(&sandbox, &[], LONG);
    let backend = session.backend();
    terminate(&store);
    let other = session.backend();
    assert_ne!(other, backend);
    assert_eq!(session.said.take(), [LOST]);
    assert_eq!(session.backend(), other);
    assert_eq!(session.said.take(), Vec::<String>::new());
}

#[test]
fn a_connection_that_is_lost_during_an_input_fails_it_and_the_next_says_so() {
    let (sandbox, store) = store(Store::Postgres, "lost_during");
    let session = Session::start(&sandbox, &[], LONG);
    let failed = session.input(|run| {
        lock_alice(run)?;
        terminate(&store);
        lock_alice(run)
    });
    let failed = failed.expect_err("the connection is gone");
    assert_eq!(failed.code(), Code::DatabaseLost);
    assert_eq!(
        failed.help_text(),
        Some("Nothing was changed: what a lost connection has not committed is taken back. Run it again.")
    );
    assert!(!is_locked(&store));
    session.input(lock_alice).expect("it was opened again");
    assert_eq!(session.said.take(), [LOST]);
    assert!(is_locked(&store));
}

/// A whole server that is stopped and started, as by an upgrade at night.
#[test]
fn a_server_that_restarts_costs_the_session_what_is_entered_meanwhile_and_nothing_else() {
    let cluster = Cluster::create("", "local all all trust\nhost all all 127.0.0.1/32 trust\n");
    let port = cluster.start();
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(SUPERUSER);
    execute(options.clone().database("postgres"), "CREATE DATABASE mas".to_owned());
    execute(options.database("mas"), mas_database::layout());
    let sandbox = Sandbox::new();
    let uri = format!("postgresql://{SUPERUSER}@127.0.0.1:{port}/mas");
    sandbox.write("config.yaml", &format!("database: {{ uri: '{uri}' }}\n"));
    let session = Session::start(&sandbox, &[], LONG);
    session.backend();

    cluster.stop();
    for _ in 0..2 {
        let failed = session.text("SELECT '1'").expect_err("nobody is there");
        assert_eq!(
            (failed.code(), failed.message()),
            (
                Code::DatabaseUnreachable,
                &*format!(
                    "The database postgresql://127.0.0.1:{port}/mas cannot be reached: Connection refused (os error 111)"
                )
            )
        );
    }
    assert_eq!(session.said.take(), Vec::<String>::new());

    cluster.start_at(port).expect("the port is still free");
    assert_eq!(session.text("SELECT '1'").expect("it is there again"), "1");
    assert_eq!(session.said.take(), [LOST]);
}

#[test]
fn a_session_that_is_idle_holds_no_connection_and_an_input_is_never_idle() {
    const IDLE: Duration = Duration::from_millis(200);
    let (sandbox, store) = store(Store::Postgres, "idle");
    let session = Session::start(&sandbox, &[], IDLE);
    for _ in 0..2 {
        let (before, after) = session
            .input(|run| {
                let before = read(run, BACKEND)?;
                thread::sleep(IDLE * 3);
                Ok((before, read(run, BACKEND)?))
            })
            .expect("it is not closed within an input");
        assert_eq!(before, after);
        wait_until("the end of the connection", || connections(&store).is_empty());
    }
    // It was closed, and not lost.
    assert_eq!(session.said.take(), Vec::<String>::new());
}

/// What is used in time is kept, however long the session is.
#[test]
fn every_input_puts_the_end_of_the_connection_off() {
    const IDLE: Duration = Duration::from_secs(2);
    let (sandbox, _store) = store(Store::Postgres, "put_off");
    let session = Session::start(&sandbox, &[], IDLE);
    let started = Instant::now();
    let backend = session.backend();
    while started.elapsed() < IDLE + IDLE / 2 {
        thread::sleep(IDLE / 4);
        assert_eq!(session.backend(), backend);
    }
}

#[test]
fn ctrl_c_ends_the_statement_on_the_server_too() {
    let (sandbox, store) = store(Store::Postgres, "ctrl_c");
    let session = Session::start(&sandbox, &[], LONG);
    session.backend();
    let interrupt = Arc::<Interrupt>::default();
    let pressed = interrupt.clone();
    let started = Instant::now();
    let failed = thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("the long statement", || connections(&store) == ["active"]);
            pressed.press();
        });
        session.input_with(&interrupt, |run| {
            lock_alice(run)?;
            read(run, "SELECT pg_sleep(300)::text")
        })
    });
    assert_eq!(failed.expect_err("it was stopped").code(), Code::RunInterrupted);
    wait_until("the end of the statement", || connections(&store).is_empty());
    assert!(started.elapsed() < Duration::from_mins(1));
    assert!(!is_locked(&store));
    session.input(lock_alice).expect("nobody holds a lock");
    assert_eq!(session.said.take(), Vec::<String>::new());
}

#[test]
fn a_session_that_reads_is_read_only_on_the_server() {
    const SETTING: &str = "SELECT current_setting('default_transaction_read_only')";
    const INSERT: &str = "INSERT INTO upstream_oauth_authorization_sessions SELECT * \
                          FROM upstream_oauth_authorization_sessions RETURNING ''";
    let (sandbox, store) = store(Store::Postgres, "read_only");
    let session = Session::start(&sandbox, &[], LONG);
    session.keeper.set_access(Access::Read);
    assert_eq!(session.text(SETTING).expect("it can be asked"), "on");
    let refused = session.text(INSERT).expect_err("it may not write").to_string();
    assert!(refused.contains("read-only transaction"), "{refused}");
    let refused = session.input(lock_alice).expect_err("it may not write");
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::DatabaseReadOnly, "The session only reads: nothing was changed")
    );

    session.keeper.set_access(Access::Write);
    assert_eq!(session.text(SETTING).expect("it can be asked"), "off");
    session.input(lock_alice).expect("it may write");
    assert!(is_locked(&store));
    assert_eq!(connections(&store), ["idle"], "the other one is closed");

    session.keeper.set_access(Access::Read);
    assert_eq!(session.text(SETTING).expect("it can be asked"), "on");
    assert_eq!(session.said.take(), Vec::<String>::new());
}

#[test]
fn a_session_that_reads_a_file_cannot_write_to_it() {
    let (sandbox, store) = store(Store::Sqlite, "query_only");
    let session = Session::start(&sandbox, &[], LONG);
    session.keeper.set_access(Access::Read);
    let update = "UPDATE users SET locked_at = created_at WHERE username = 'alice' RETURNING username";
    let refused = session.text(update).expect_err("it may not write").to_string();
    assert!(refused.contains("attempt to write a readonly database"), "{refused}");
    session.keeper.set_access(Access::Write);
    session.text(update).expect("it may write");
    assert!(is_locked(&store));
}

/// A pooler that lends its sessions hands them on to MAS: what one of them is set to must not go with it.
#[rstest]
#[case::by_transaction("transaction")]
#[case::by_session("session")]
fn a_session_that_reads_leaves_nothing_behind_in_a_pooler(#[case] mode: &str) {
    let (sandbox, store) = store(Store::Postgres, &format!("pooled_{mode}"));
    let bouncer = PgBouncer::start(mode, 1, false);
    sandbox.write("pooled.yaml", &format!("database: {{ port: {} }}\n", bouncer.port));
    let session = Session::start(&sandbox, &["config.yaml", "pooled.yaml"], LONG);
    session.keeper.set_access(Access::Read);
    let lent = session.text(BACKEND).expect("the pooler lets it in");
    session.keeper.close();
    // MAS gets the one session of the pool next.
    let OpenStore::Postgres { database, .. } = &store else {
        panic!("it is a server");
    };
    let options = database.options().host("127.0.0.1").port(bouncer.port);
    let settings = wait_for(async move {
        let mut mas = options.connect().await?;
        let row = sqlx::raw_sql("SELECT pg_backend_pid()::text, current_setting('default_transaction_read_only')")
            .fetch_one(&mut mas)
            .await?;
        Ok::<(String, String), sqlx::Error>((row.get(0), row.get(1)))
    });
    assert_eq!(
        settings.expect("the pool has its session back"),
        (lent, "off".to_owned())
    );
}

#[test]
fn a_run_that_is_over_does_not_take_the_connection_of_the_next() {
    let (sandbox, store) = store(Store::Postgres, "over");
    let session = Session::start(&sandbox, &[], LONG);
    let run = session.run(&Arc::default());
    read(&run, BACKEND).expect("the database is there");
    run.finish().expect("nothing was written");
    let failed = read(&run, BACKEND).expect_err("it is over");
    assert_eq!(failed.message(), "The run is over: its connection is another's");
    assert_eq!(connections(&store), ["idle"]);
}

#[test]
fn the_place_is_known_before_the_first_input_and_follows_what_mas_migrates() {
    let (sandbox, store) = store(Store::Postgres, "place");
    let session = Session::start(&sandbox, &[], LONG);
    let name = match &store {
        OpenStore::Postgres { database, .. } => database.name.clone(),
        OpenStore::Sqlite { .. } => String::new(),
    };
    let place = session.keeper.place();
    let address = place.server.expect("it is a server");
    assert_eq!(
        (address.user, address.host, address.port, place.database, place.schema),
        (
            server().username.clone(),
            server().host.clone(),
            server().port,
            name,
            None
        )
    );
    session
        .keeper
        .open(&*session.said, &Interrupt::default())
        .expect("the database is there");
    assert_eq!(connections(&store), ["idle"]);
    assert_eq!(
        session.keeper.place().schema.as_deref(),
        Some("schema 20260720 (MAS 1.22)")
    );

    let migrate = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                   VALUES (20990101000000, 'later', true, '', 0)";
    store.query(migrate).expect("the SQL is right");
    for _ in 0..2 {
        session.backend();
    }
    assert_eq!(
        session.said.take(),
        [
            "Warning: the database was migrated by a newer MAS than masctl was tested with: it has migration 20990101000000"
        ]
    );
    assert_eq!(
        session.keeper.place().schema.as_deref(),
        Some("schema 20990101 (newer than MAS 1.22)")
    );
}

#[test]
fn a_file_is_called_by_its_path() {
    let sandbox = Sandbox::new();
    let _store = OpenStore::configured(Store::Sqlite, "kept_path", &sandbox);
    let session = Session::start(&sandbox, &[], LONG);
    let place = session.keeper.place();
    assert_eq!((place.server, place.schema), (None, None));
    assert_eq!(place.database, sandbox.path().join("mas.db").display().to_string());
}

#[test]
fn ctrl_c_ends_the_opening_of_the_session() {
    let (sandbox, _store) = store(Store::Postgres, "opening");
    let session = Session::start(&sandbox, &[], LONG);
    let interrupt = Interrupt::default();
    interrupt.press();
    let failed = session
        .keeper
        .open(&*session.said, &interrupt)
        .expect_err("it was pressed");
    assert_eq!(failed.code(), Code::RunInterrupted);
}
