//! A throw-away PostgreSQL server for this test process, and databases on it.
//!
//! It is made from the installed binaries in a folder under the system's temporary folder, and is gone when the test
//! process is gone. `MASCTL_TEST_DATABASE_URL`, the URL of a superuser, names a server to be used in its place; the
//! tests make databases `masctl_…` and the roles `locked_out` and `masctl_clerk` on it. It must ask the first for its
//! password.

use std::{
    collections::HashSet,
    env,
    fs::{self, Permissions},
    io,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex, PoisonError},
};

use masctl::storage::schema::needs::{NEEDS, Right};
use nix::unistd::{User, chown, geteuid};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions};
use url::Url;

use super::{mas_database, wait_for};

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
    /// What clears up when this process, and with it the pipe to the watchdog, is gone.
    _watchdog: Option<Child>,
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
            _watchdog: None,
        }
    }

    fn start() -> Self {
        let cluster = Cluster::create();
        let watchdog = cluster.watch();
        cluster.initialize();
        Self {
            host: "127.0.0.1".to_owned(),
            port: cluster.start(),
            username: "postgres".to_owned(),
            password: None,
            version: String::new(),
            socket_folder: Some(cluster.folder),
            _watchdog: Some(watchdog),
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
        let options = self.options(database);
        wait_for(async move {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        })
        .unwrap_or_else(|error| panic!("the PostgreSQL server of the tests: {error}"));
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

/// The files of a server of our own: `data/`, a log and a socket.
struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    owner: Option<User>,
}

impl Cluster {
    /// PostgreSQL refuses to run as root, so root hands the folder to another user.
    fn create() -> Self {
        let programs = programs().expect(
            "the tests need PostgreSQL's initdb and pg_ctl (Debian: apt-get install postgresql), \
             or MASCTL_TEST_DATABASE_URL=postgresql://SUPERUSER@HOST/DATABASE",
        );
        let owner = owner();
        let folder = tempfile::Builder::new()
            .prefix("masctl-postgres-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary folder")
            .keep();
        if let Some(owner) = &owner {
            chown(&folder, Some(owner.uid), Some(owner.gid)).expect("root gives folders away");
        }
        Self {
            folder,
            programs,
            owner,
        }
    }

    /// A command as the owner of the folder, and deaf to what the environment says about PostgreSQL.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.folder).stdin(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        if let Some(owner) = &self.owner {
            command
                .uid(owner.uid.as_raw())
                .gid(owner.gid.as_raw())
                .env("HOME", &self.folder);
        }
        command
    }

    /// Starts the shell that waits until this process is gone, however it ends, and then clears up. It has a process
    /// group of its own: Ctrl-C in a terminal ends this process, not the one that clears up after it.
    fn watch(&self) -> Child {
        // Once is not enough if this process ends while `initdb` still fills the folder.
        const CLEAR_UP: &str = r#"trap "" HUP INT TERM; read -r _; cd /
            while [ -e "$2" ]; do
                "$1" --pgdata="$2/data" --mode=immediate --silent stop; rm -rf "$2"; sleep 0.2
            done"#;
        self.command("/bin/sh")
            .args(["-c", CLEAR_UP, "masctl-postgres"])
            .arg(self.programs.join("pg_ctl"))
            .arg(&self.folder)
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("/bin/sh runs")
    }

    fn initialize(&self) {
        let data = self.folder.join("data");
        let initialized = self
            .command(self.programs.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .output();
        succeeded("initdb", initialized).unwrap_or_else(|error| panic!("{error}"));
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 100\n\
             fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n",
            self.folder.display()
        );
        let access = format!(
            "local all {LOCKED_OUT} scram-sha-256\nhost all {LOCKED_OUT} 127.0.0.1/32 scram-sha-256\n\
             local all all trust\nhost all all 127.0.0.1/32 trust\n"
        );
        append(&data.join("postgresql.conf"), &settings);
        fs::write(data.join("pg_hba.conf"), access).expect("the folder can be written");
    }

    /// Another process may take the free port before the server does: hence more than one try.
    fn start(&self) -> u16 {
        let mut failure = String::new();
        for _ in 0..5 {
            let port = free_port();
            let started = self
                .command(self.programs.join("pg_ctl"))
                .arg("--pgdata")
                .arg(self.folder.join("data"))
                .arg("--log")
                .arg(self.folder.join("log"))
                .args(["--wait", "--silent", "--options", &format!("-p {port}"), "start"])
                .output();
            match succeeded("pg_ctl", started) {
                Ok(()) => return port,
                Err(error) => failure = error,
            }
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("{failure}\n{log}");
    }
}

/// The folder with `initdb` and `pg_ctl`: of PATH, or else Debian's newest, which is not on PATH.
fn programs() -> Option<PathBuf> {
    let is_complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    debian.sort_unstable_by(|left, right| right.cmp(left));
    env::split_paths(&path)
        .chain(debian.into_iter().map(|(_, folder)| folder))
        .find(is_complete)
}

/// Whom servers run as that refuse to run as root, if this is root.
pub(crate) fn owner() -> Option<User> {
    geteuid().is_root().then(|| {
        let find = |name| User::from_name(name).ok().flatten();
        find("postgres")
            .or_else(|| find("nobody"))
            .expect("a user other than root, to run servers as")
    })
}

/// A port of 127.0.0.1 that nobody listened on a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).expect("initdb wrote it");
    fs::write(path, before + text).expect("the folder can be written");
}

fn succeeded(program: &str, output: io::Result<std::process::Output>) -> Result<(), String> {
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr)))
}
