//! A fresh store of either kind with the cast in it, masctl's own connection to it, and SQL beside it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use masctl::{
    config::{Configuration, Database, Environment},
    error::Code,
    storage::{self, Connection},
};
use sqlx::{AssertSqlSafe, postgres::PgConnectOptions};

use super::{
    cast,
    homeserver::Homeserver,
    postgres::CLERK,
    sandbox::Sandbox,
    store::{OpenStore, Store},
};

/// One store, for one test.
pub(crate) struct Specimen {
    /// masctl's connection.
    pub(crate) connection: Connection,
    /// The configuration that names the store.
    pub(crate) configuration: Configuration,
    store: Arc<OpenStore>,
    sandbox: Sandbox,
}

impl Specimen {
    /// Makes a store with the cast in it.
    pub(crate) async fn create(kind: Store) -> Self {
        let specimen = Self::create_empty(kind).await;
        specimen.seed(&cast::sql());
        specimen
    }

    /// Makes a store that has all tables and no rows.
    pub(crate) async fn create_empty(kind: Store) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let sandbox = Sandbox::new();
        let name = format!("storage_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let store = OpenStore::configured(kind, &name, &sandbox);
        let environment = Environment::new([("HOME", sandbox.path().display().to_string())], sandbox.path());
        let configuration = Configuration::load(&[], &environment).expect("the store has written it");
        let database = as_clerk(configuration.database().expect("the store has written it"));
        Self {
            connection: storage::open(&database).await.expect("the store is fresh"),
            configuration,
            store: Arc::new(store),
            sandbox,
        }
    }

    /// Which database it is, as masctl is told.
    pub(crate) fn database(&self) -> Database {
        as_clerk(self.configuration.database().expect("it was read before"))
    }

    /// The homeserver that belongs to it.
    pub(crate) fn homeserver(&self) -> &Homeserver {
        self.store.homeserver().expect("it is no embedded store")
    }

    /// Another connection, as another masctl makes it.
    pub(crate) async fn connect(&self) -> Connection {
        storage::open(&self.database()).await.expect("the store is there")
    }

    /// Why another masctl cannot connect.
    pub(crate) async fn refusal(&self) -> (Code, String) {
        let error = storage::open(&self.database()).await.expect_err("the store is refused");
        (error.code(), error.message().to_owned())
    }

    /// Runs SQL in a session of its own. `{ulid:…}` stands for an id.
    pub(crate) fn seed(&self, sql: &str) {
        drop(self.rows(sql));
    }

    /// Runs SQL in a session of its own and shows the rows, one line each.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.store.query(sql);
        rows.unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// The store, for SQL while masctl works on it.
    pub(crate) fn beside(&self) -> Arc<OpenStore> {
        self.store.clone()
    }

    /// A list of texts, as SQL.
    pub(crate) fn list(&self, texts: &[&str]) -> String {
        let quoted: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
        match &*self.store {
            OpenStore::Sqlite { .. } => format!("'[{}]'", quoted.join(",")),
            OpenStore::Postgres { .. } => format!("'{{{}}}'", quoted.join(",")),
        }
    }

    /// How the driver connects to it, if it is a database of a server.
    pub(crate) fn options(&self) -> PgConnectOptions {
        match &*self.store {
            OpenStore::Postgres { database, .. } => database.options(),
            OpenStore::Sqlite { file, .. } => panic!("{} is a file", file.display()),
        }
    }

    /// The file, if it is a file.
    pub(crate) fn file(&self) -> PathBuf {
        self.sandbox.path().join("mas.db")
    }
}

/// The same database for a user who may do only what masctl says it needs: a statement that needs more is refused.
fn as_clerk(mut database: Database) -> Database {
    if let Database::Postgres(postgres) = &mut database {
        postgres.username = Some(CLERK.to_owned());
        postgres.password = Some("right".into());
    }
    database
}

/// Runs SQL on masctl's own connection, in its transaction.
pub(crate) async fn execute(connection: &mut Connection, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    let done = match connection {
        Connection::Postgres(connection) => sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop),
        Connection::Sqlite(connection) => sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop),
    };
    done.expect("the SQL is right");
}

/// Makes masctl's connection give up on a lock after a moment, where it would wait for ten seconds.
pub(crate) async fn lose_patience(connection: &mut Connection) {
    let sql = if connection.is_postgres() {
        "SET LOCAL lock_timeout = '50ms'"
    } else {
        "PRAGMA busy_timeout = 50"
    };
    execute(connection, sql).await;
}
