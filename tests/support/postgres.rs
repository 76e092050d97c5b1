//! A throw-away PostgreSQL server for this test process, and databases on it.
//!
//! It is made from the installed binaries in a folder under the system's temporary folder, and is gone when the test
//! process is gone. `MASCTL_TEST_DATABASE_URL`, the URL of a superuser, names a server to be used in its place; the
//! tests make databases `masctl_…` and the roles `locked_out` and `masctl_clerk` on it. It must ask the first for its
//! password.

use std::{
    collections::HashSet,
    env,
    path::PathBuf,
    sync::{LazyLock, Mutex, PoisonError},
};

use masctl::storage::schema::needs::{NEEDS, Right};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions};
use url::Url;

use super::{
    cluster::{Cluster, SUPERUSER},
    mas_database, wait_for,
};

/// Where the databases of the tests are.
pub(crate) struct Server {
    /// Its host: `127.0.0.1`, unless the environment names another one.
    pub(crate) host: String,
    /// Its TCP port.
    pub(crate) port: u16,
    /// A superuser.
    pub(crate) username: String,
    /// Its password; the throw-away server trusts.
    pub(crate) password: Option<String>,
    /// Its version, `15.18`.
    pub(crate) version: String,
    /// The folder of its Unix socket, where the server is ours.
    pub(crate) socket_folder: Option<PathBuf>,
    _cluster: Option<Cluster>,
}

/// A database with the tables of MAS, without rows.
#[derive(Debug)]
pub(crate) struct Database {
    /// Its name on the server.
    pub(crate) name: String,
}

/// The role that needs the password `right`, for the answer "password authentication failed".
pub(crate) const LOCKED_OUT: &str = "locked_out";

/// The role that may do what masctl says it needs, and nothing else. Its password is `right`.
pub(crate) const CLERK: &str = "masctl_clerk";

const TEMPLATE: &str = "masctl_template";

/// The server of this process, started at the first call.
pub(crate) fn server() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| {
        let mut server = match env::var("MASCTL_TEST_DATABASE_URL") {
            Ok(url) => Server::at(&url),
            Err(_) => Server::start(),
        };
        server.prepare();
        server.version = server.ask_version();
        server
    });
    &SERVER
}

impl Database {
    /// Makes the database `masctl_<name>`. Within a test process a name is used once.
    pub(crate) fn create(name: &str) -> Self {
        static TAKEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
        let name = format!("masctl_{name}");
        assert!(name.len() <= 63, "{name}: PostgreSQL cuts names to 63 bytes");
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = taken.get_or_insert_default().insert(name.clone());
        drop(taken);
        assert!(is_new, "two tests want the database {name}");
        server().execute("postgres", format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        server().execute("postgres", format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
        Self { name }
    }

    /// How to connect to it as a superuser.
    pub(crate) fn options(&self) -> PgConnectOptions {
        server().options(&self.name)
    }
}

impl Server {
    fn at(url: &str) -> Self {
        let url = Url::parse(url).unwrap_or_else(|error| panic!("MASCTL_TEST_DATABASE_URL: {error}"));
        Self {
            host: url.host_str().unwrap_or("127.0.0.1").to_owned(),
            port: url.port().unwrap_or(5432),
            username: url.username().to_owned(),
            password: url.password().map(str::to_owned),
            version: String::new(),
            socket_folder: None,
            _cluster: None,
        }
    }

    fn start() -> Self {
        let access = format!(
            "local all {LOCKED_OUT} scram-sha-256\nhost all {LOCKED_OUT} 127.0.0.1/32 scram-sha-256\n\
             local all all trust\nhost all all 127.0.0.1/32 trust\n"
        );
        let cluster = Cluster::create("", &access);
        Self {
            host: "127.0.0.1".to_owned(),
            port: cluster.start(),
            username: SUPERUSER.to_owned(),
            password: None,
            version: String::new(),
            socket_folder: Some(cluster.folder.clone()),
            _cluster: Some(cluster),
        }
    }

    fn prepare(&self) {
        for role in [LOCKED_OUT, CLERK] {
            let role = format!(
                "DO $$ BEGIN CREATE ROLE {role} LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN END $$"
            );
            self.execute("postgres", role);
        }
        // Only a superuser may change it, and a second is long for a test.
        let impatient = format!("ALTER ROLE {CLERK} SET deadlock_timeout = '50ms'");
        self.execute("postgres", impatient);
        self.execute("postgres", format!("DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)"));
        self.execute("postgres", format!("CREATE DATABASE {TEMPLATE} TEMPLATE template0"));
        self.execute(TEMPLATE, mas_database::layout());
        self.execute(TEMPLATE, needed_rights());
    }

    fn ask_version(&self) -> String {
        let options = self.options("postgres");
        let version = wait_for(async move {
            let mut connection = options.connect().await?;
            sqlx::query_scalar("SELECT split_part(current_setting('server_version'), ' ', 1)")
                .fetch_one(&mut connection)
                .await
        });
        version.unwrap_or_else(|error: sqlx::Error| panic!("the PostgreSQL server of the tests: {error}"))
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.username)
            .database(database);
        match &self.password {
            Some(password) => options.password(password),
            None => options,
        }
    }

    fn execute(&self, database: &str, sql: String) {
        execute(self.options(database), sql);
    }
}

/// Gives the clerk the rights that masctl says it needs, on the columns that it says it needs.
fn needed_rights() -> String {
    let grants = NEEDS.iter().flat_map(|need| {
        let columns = format!(" ({})", need.columns.join(", "));
        need.rights.iter().map(move |right| {
            // Whole rows are removed.
            let columns = if *right == Right::Delete { "" } else { &columns };
            format!("GRANT {}{columns} ON {} TO {CLERK};", right.as_str(), need.table)
        })
    });
    grants.collect()
}

/// Runs SQL that must succeed on a server of the tests.
pub(crate) fn execute(options: PgConnectOptions, sql: String) {
    wait_for(async move {
        let mut connection = options.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await
    })
    .unwrap_or_else(|error| panic!("the PostgreSQL server of the tests: {error}"));
}
