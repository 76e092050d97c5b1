//! Where the measured commands run: a sandbox with a configuration, and a store with users.

use std::path::PathBuf;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use uuid::Uuid;

use crate::{
    child,
    support::{
        homeserver::{Homeserver, SECRET},
        postgres::{Database, server},
        sandbox::Sandbox,
        wait_for,
    },
};

/// The user that masctl changes.
pub(crate) const ALICE: &str = "alice";

/// The user that the floor changes.
pub(crate) const BOB: (&str, Uuid) = ("bob", Uuid::from_u128(0x0185_6b3d_2c00_b0b0_b0b0_b0b0_b0b0_b0b0));

/// A database of MAS, and what masctl needs to work on it.
pub(crate) struct OnPostgres {
    pub(crate) sandbox: Sandbox,
    pub(crate) homeserver: Homeserver,
    database: Database,
}

impl OnPostgres {
    /// A database with [`ALICE`], [`BOB`] and so many other users.
    pub(crate) fn with_users(database: &str, users: usize) -> Self {
        let (sandbox, homeserver, database) = (Sandbox::new(), Homeserver::start(), Database::create(database));
        let server = server();
        let password = server.password.as_ref();
        sandbox.write(
            "config.yaml",
            &format!(
                "database: {{ host: {}, port: {}, username: {}, database: {}{} }}\n\
                 matrix: {{ homeserver: example.com, endpoint: '{}', secret: {SECRET} }}\n\
                 passwords: {{ enabled: true, schemes: [{{ version: 1, algorithm: argon2id }}] }}\n",
                server.host,
                server.port,
                server.username,
                database.name,
                password.map(|it| format!(", password: '{it}'")).unwrap_or_default(),
                homeserver.endpoint(),
            ),
        );
        let this = Self {
            sandbox,
            homeserver,
            database,
        };
        let (name, id) = BOB;
        this.execute(&format!(
            "INSERT INTO users (user_id, username, created_at) VALUES \
             (gen_random_uuid(), '{ALICE}', now()), ('{id}', '{name}', now());
             -- Ids as MAS makes them: their time first, then randomness.
             INSERT INTO users (user_id, username, created_at)
             SELECT (lpad(to_hex(1672531200000 + n * 1000), 12, '0') || substr(md5(n::text), 1, 20))::uuid, \
             'user' || n, to_timestamp(1672531200 + n) FROM generate_series(1, {users}) AS n;
             INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at) \
             VALUES (gen_random_uuid(), now(), now() + interval '1 day');
             -- Nothing cleans up while something is measured.
             ALTER TABLE users SET (autovacuum_enabled = false);
             ALTER TABLE queue_jobs SET (autovacuum_enabled = false);"
        ));
        this.execute("VACUUM ANALYZE");
        this
    }

    /// How the floor connects to the database.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.database.options()
    }

    /// Locks every user whose number this divides.
    pub(crate) fn lock_every(&self, number: usize) {
        self.execute(&format!(
            "UPDATE users SET locked_at = created_at WHERE username ~ '^user' AND substr(username, 5)::int % {number} = 0"
        ));
        self.execute("VACUUM ANALYZE users");
    }

    /// The file of a configuration that goes through the server's socket, if the server is ours.
    pub(crate) fn through_the_socket(&self) -> String {
        let file = self.sandbox.path().join("socket.yaml");
        self.sandbox
            .write("socket.yaml", &format!("database: {{ uri: '{}' }}\n", self.uri()));
        file.display().to_string()
    }

    /// The database as psql takes it, through the server's socket, if the server is ours.
    pub(crate) fn uri(&self) -> String {
        let (server, database) = (server(), &self.database.name);
        let password = server.password.as_ref().map(|it| format!(":{it}")).unwrap_or_default();
        let user = &server.username;
        match &server.socket_folder {
            Some(folder) => format!(
                "postgresql://{user}@localhost:{}/{database}?host={}",
                server.port,
                folder.display()
            ),
            None => format!(
                "postgresql://{user}{password}@{}:{}/{database}",
                server.host, server.port
            ),
        }
    }

    /// Empties the queue and writes to disk what is still to be written, so that each run finds the same.
    pub(crate) fn empty_queue(&self) {
        self.execute("TRUNCATE queue_jobs CASCADE");
        self.execute("CHECKPOINT");
    }

    fn execute(&self, sql: &str) {
        let (options, sql) = (self.options(), sql.to_owned());
        wait_for(async move {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        })
        .unwrap_or_else(|error| panic!("the database of the benchmark: {error}"));
    }
}

/// An embedded store with [`ALICE`] and [`BOB`].
pub(crate) struct Embedded {
    pub(crate) sandbox: Sandbox,
    pub(crate) file: PathBuf,
}

impl Embedded {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        child::masctl(&sandbox, &["manage", "register-user", "--yes", ALICE]);
        let file = sandbox.data_home().join("masctl/masctl.db");
        let options = SqliteConnectOptions::new().filename(&file);
        let (name, id) = BOB;
        wait_for(async move {
            let mut connection = options.connect().await?;
            let statement = "INSERT INTO users (user_id, username, created_at) VALUES ($1, $2, $3)";
            let insert = sqlx::query(statement)
                .bind(id)
                .bind(name)
                .bind("2023-01-01T00:00:00.000000+00:00");
            insert.execute(&mut connection).await?;
            connection.close().await
        })
        .unwrap_or_else(|error| panic!("the embedded store of the benchmark: {error}"));
        Self { sandbox, file }
    }
}
