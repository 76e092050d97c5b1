//! A throw-away PostgreSQL server, made from the installed binaries in a folder under the system's temporary folder.

use std::{
    env,
    ffi::OsStr,
    fs::{self, Permissions},
    io,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use nix::unistd::{User, chown, geteuid};

use super::watchdog;

/// The superuser of every cluster.
pub(crate) const SUPERUSER: &str = "postgres";

/// The files of a server: `data/`, a log and a socket. They and the server are gone when this process is gone.
pub(crate) struct Cluster {
    /// Where they are, and the socket.
    pub(crate) folder: PathBuf,
    programs: PathBuf,
    owner: Option<User>,
    _watchdog: Child,
}

impl Cluster {
    /// Makes a cluster on which only `access`, lines of `pg_hba.conf`, lets somebody in. `settings` are lines of
    /// `postgresql.conf`. PostgreSQL refuses to run as root, so root hands the folder to another user.
    pub(crate) fn create(settings: &str, access: &str) -> Self {
        let programs =
            programs().expect("the tests need PostgreSQL's initdb and pg_ctl (Debian: apt-get install postgresql)");
        let owner = owner();
        let folder = tempfile::Builder::new()
            .prefix("masctl-postgres-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary folder")
            .keep();
        give(&folder, owner.as_ref());
        let cluster = Self {
            _watchdog: watch(&folder, &programs, owner.as_ref()),
            folder,
            programs,
            owner,
        };
        cluster.initialize(settings, access);
        cluster
    }

    /// Writes a file beside `data/` that only the server can read, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("the folder can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
        give(&path, self.owner.as_ref());
        path
    }

    fn initialize(&self, settings: &str, access: &str) {
        let data = self.folder.join("data");
        let initialized = self
            .command(self.programs.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .arg(format!("--username={SUPERUSER}"))
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .output();
        succeeded("initdb", initialized).unwrap_or_else(|error| panic!("{error}"));
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 100\n\
             fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = '128MB'\n{settings}",
            self.folder.display()
        );
        append(&data.join("postgresql.conf"), &settings);
        fs::write(data.join("pg_hba.conf"), access).expect("the folder can be written");
    }

    /// Starts the server on a free port, and returns it. Another process may take the port before the server does:
    /// hence more than one try.
    pub(crate) fn start(&self) -> u16 {
        let mut failure = String::new();
        for _ in 0..5 {
            let port = free_port();
            match self.start_at(port) {
                Ok(()) => return port,
                Err(error) => failure = error,
            }
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("{failure}\n{log}");
    }

    /// Starts the server on this port.
    pub(crate) fn start_at(&self, port: u16) -> Result<(), String> {
        let started = self
            .control()
            .arg("--log")
            .arg(self.folder.join("log"))
            .args(["--wait", "--silent", "--options", &format!("-p {port}"), "start"])
            .output();
        succeeded("pg_ctl", started)
    }

    /// Stops the server, which ends all connections.
    pub(crate) fn stop(&self) {
        let stopped = self
            .control()
            .args(["--wait", "--mode=fast", "--silent", "stop"])
            .output();
        succeeded("pg_ctl", stopped).unwrap_or_else(|error| panic!("{error}"));
    }

    fn control(&self) -> Command {
        let mut control = self.command(self.programs.join("pg_ctl"));
        control.arg("--pgdata").arg(self.folder.join("data"));
        control
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command(program, &self.folder, self.owner.as_ref())
    }
}

/// A command as the owner of the folder, and deaf to what the environment says about PostgreSQL.
fn command(program: impl AsRef<OsStr>, folder: &Path, owner: Option<&User>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    if let Some(owner) = owner {
        command
            .uid(owner.uid.as_raw())
            .gid(owner.gid.as_raw())
            .env("HOME", folder);
    }
    command
}

/// Once is not enough if this process ends while `initdb` still fills the folder.
fn watch(folder: &Path, programs: &Path, owner: Option<&User>) -> Child {
    const CLEAR_UP: &str = r#"read -r _; cd /
        while [ -e "$2" ]; do
            "$1" --pgdata="$2/data" --mode=immediate --silent stop; rm -rf "$2"; sleep 0.2
        done"#;
    let stop = programs.join("pg_ctl");
    let mut shell = command("/bin/sh", folder, owner);
    shell.stdout(Stdio::null());
    watchdog::start(shell, CLEAR_UP, &[stop.as_os_str(), folder.as_os_str()])
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

fn give(path: &Path, owner: Option<&User>) {
    if let Some(owner) = owner {
        chown(path, Some(owner.uid), Some(owner.gid)).expect("root gives files away");
    }
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).expect("initdb wrote it");
    fs::write(path, before + text).expect("the folder can be written");
}

fn succeeded(program: &str, output: io::Result<Output>) -> Result<(), String> {
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr)))
}
