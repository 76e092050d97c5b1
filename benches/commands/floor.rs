//! The least that a command can take: the same statements, sent as text over one fresh connection of this process.

use std::{
    env,
    ffi::OsStr,
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use argon2::{Argon2, PasswordHasher};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// The first argument that makes this binary hash the second and print how long that took.
pub(crate) const HASH: &str = "--hash";

const METADATA: &str =
    r#"{"trace_id": "00000000000000000000000000000000", "span_id": "0000000000000000", "trace_flags": 0}"#;

/// The columns that masctl reads of a user.
const COLUMNS: &str = "user_id, username, created_at, locked_at, deactivated_at, can_request_admin, is_guest";

/// Where floors run: on the thread that takes the time.
pub(crate) struct Floor {
    runtime: Runtime,
}

/// How the two databases write the same thing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    fn id(self, id: Uuid) -> String {
        match self {
            Self::Postgres => format!("'{id}'"),
            Self::Sqlite => format!("x'{}'", id.simple()),
        }
    }

    fn now(self) -> &'static str {
        match self {
            Self::Postgres => "now()",
            Self::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')",
        }
    }

    fn begin(self) -> String {
        match self {
            Self::Postgres => "BEGIN".to_owned(),
            Self::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        }
    }

    fn add_job(self, user: Uuid) -> String {
        format!(
            "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at) VALUES ({}, \
             'provision-user', '{{\"user_id\": \"{user}\", \"set_display_name\": null}}', '{METADATA}', {})",
            self.id(any_id()),
            self.now()
        )
    }

    /// What `lock-user` or `unlock-user` comes to.
    pub(crate) fn lock(self, name: &str, user: Uuid, lock: bool) -> Vec<String> {
        let locked_at = if lock { self.now() } else { "NULL" };
        vec![
            self.begin(),
            find(name),
            format!(
                "UPDATE users SET locked_at = {locked_at} WHERE user_id = {}",
                self.id(user)
            ),
            self.add_job(user),
            "COMMIT".to_owned(),
        ]
    }

    /// What `register-user` comes to.
    pub(crate) fn register(self, name: &str, hash: Option<&str>) -> Vec<String> {
        let user = any_id();
        let (id, now) = (self.id(user), self.now());
        let mut statements = vec![
            format!("SELECT EXISTS (SELECT 1 FROM users WHERE lower(username) = lower('{name}'))"),
            self.begin(),
            format!("INSERT INTO users (user_id, username, created_at) VALUES ({id}, '{name}', {now})"),
        ];
        statements.extend(hash.map(|hash| {
            format!(
                "INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) \
                 VALUES ({}, {id}, '{hash}', 1, {now})",
                self.id(any_id())
            )
        }));
        statements.extend([self.add_job(user), "COMMIT".to_owned()]);
        statements
    }
}

/// How the account of a name is found.
pub(crate) fn find(name: &str) -> String {
    format!("SELECT {COLUMNS} FROM users WHERE lower(username) = lower('{name}')")
}

/// How the usernames that begin so are found.
pub(crate) fn usernames_from(start: &str) -> String {
    format!("SELECT username FROM users WHERE lower(username) >= '{start}' ORDER BY lower(username) LIMIT 100")
}

/// What `provision-all-users` comes to where the database does it by itself.
pub(crate) fn provision_all() -> Vec<String> {
    vec![
        "BEGIN".to_owned(),
        format!(
            "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at) \
             SELECT gen_random_uuid(), 'provision-user', \
             jsonb_build_object('user_id', user_id::text, 'set_display_name', null), '{METADATA}'::jsonb, now() FROM users"
        ),
        "COMMIT".to_owned(),
    ]
}

impl Floor {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the system gives out timers and sockets");
        Self { runtime }
    }

    /// Connects to PostgreSQL, sends the statements one by one, and disconnects.
    pub(crate) fn postgres(&self, options: &PgConnectOptions, statements: Vec<String>) -> Duration {
        self.timed(async {
            let mut connection = options.connect().await?;
            for statement in statements {
                sqlx::raw_sql(AssertSqlSafe(statement))
                    .fetch_all(&mut connection)
                    .await?;
            }
            connection.close().await
        })
    }

    /// Opens the SQLite file, executes the statements one by one, and closes it.
    pub(crate) fn sqlite(&self, file: &Path, statements: Vec<String>) -> Duration {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true);
        self.timed(async {
            let mut connection = options.connect().await?;
            for statement in statements {
                sqlx::raw_sql(AssertSqlSafe(statement))
                    .fetch_all(&mut connection)
                    .await?;
            }
            connection.close().await
        })
    }

    fn timed(&self, work: impl Future<Output = sqlx::Result<()>>) -> Duration {
        let start = Instant::now();
        self.runtime
            .block_on(work)
            .unwrap_or_else(|error| panic!("the floor's statements: {error}"));
        start.elapsed()
    }
}

/// Asks a homeserver whether a name is free, with the plainest request there is.
pub(crate) fn ask_homeserver(endpoint: &str, secret: &str, name: &str) -> Duration {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let start = Instant::now();
    let answered = TcpStream::connect(address).and_then(|mut stream| {
        write!(
            stream,
            "GET /_synapse/mas/is_localpart_available?localpart={name} HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {secret}\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    let answer = answered.unwrap_or_else(|error| panic!("the homeserver of the benchmark: {error}"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    start.elapsed()
}

/// Hashes a password once as MAS does, and returns the hash.
///
/// A process of its own does it: the memory that argon2 fills has to come from the kernel, and a second hash of this
/// process would find the memory of the first.
pub(crate) fn hash(password: &str) -> (Duration, String) {
    let own = env::current_exe().expect("a process knows its binary");
    let output = Command::new(own).args([HASH, password]).output();
    let output = output.expect("the benchmark's own binary starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let parsed = printed
        .trim()
        .split_once(' ')
        .and_then(|(time, hash)| Some((Duration::from_micros(time.parse().ok()?), hash.to_owned())));
    parsed.unwrap_or_else(|| panic!("no hash: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Prints how many microseconds it took to hash the password, and the hash.
pub(crate) fn print_hash(password: &OsStr) -> ExitCode {
    let start = Instant::now();
    let hash = Argon2::default()
        .hash_password_with_salt(password.as_encoded_bytes(), &rand::random::<[u8; 16]>())
        .expect("argon2's own parameters are right");
    let time = start.elapsed().as_micros();
    match writeln!(io::stdout(), "{time} {hash}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn any_id() -> Uuid {
    Uuid::from_u128(rand::random())
}
