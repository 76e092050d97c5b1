//! A PgBouncer in front of the PostgreSQL server of the tests, which is gone when the test process is gone.

use std::{
    fs::{self, Permissions},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::unistd::chown;

use super::{
    cluster::{free_port, owner},
    postgres::server,
    watchdog,
};

/// How long it may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running PgBouncer.
pub(crate) struct PgBouncer {
    /// Its port on 127.0.0.1.
    pub(crate) port: u16,
    folder: PathBuf,
    /// Ends it when this process closes the pipe to it.
    watchdog: Child,
}

impl PgBouncer {
    /// Starts one that lends at most `sessions` sessions of the server, for a `transaction` or for a `session`. It
    /// knows what masctl tells of itself at the start, unless `puzzled`.
    pub(crate) fn start(mode: &str, sessions: u16, puzzled: bool) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("masctl-pgbouncer-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let port = free_port();
        let settings = folder.join("pgbouncer.ini");
        fs::write(&settings, configuration(&folder, port, mode, sessions, puzzled)).expect("the folder can be written");
        fs::write(folder.join("users"), format!("\"{}\" \"\"\n", server().username))
            .expect("the folder can be written");
        if let Some(owner) = owner() {
            for path in [folder.clone(), settings, folder.join("users")] {
                chown(&path, Some(owner.uid), Some(owner.gid)).expect("root gives files away");
            }
        }
        let bouncer = Self {
            port,
            watchdog: watch(&folder),
            folder,
        };
        bouncer.wait();
        bouncer
    }

    fn wait(&self) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let has_failed = log.contains("FATAL") || log.contains("not found");
            assert!(
                start.elapsed() < PATIENCE && !has_failed,
                "pgbouncer does not listen (Debian: apt-get install pgbouncer): {log}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // It clears up in any case: if this fails nobody has to know.
        let _ = self.watchdog.wait();
    }
}

fn configuration(folder: &Path, port: u16, mode: &str, sessions: u16, puzzled: bool) -> String {
    let ignored = if puzzled { "" } else { "extra_float_digits" };
    let server = server();
    let password = server.password.as_ref().map(|password| format!(" password={password}"));
    format!(
        "[databases]\n* = host={} port={} user={}{}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = trust\nauth_file = {folder}/users\nlogfile = {folder}/log\n\
         pool_mode = {mode}\ndefault_pool_size = {sessions}\nignore_startup_parameters = {ignored}\n",
        server.host,
        server.port,
        server.username,
        password.unwrap_or_default(),
        folder = folder.display(),
    )
}

/// A shell that starts it, and ends it when this process is gone.
fn watch(folder: &Path) -> Child {
    const WATCH: &str = r#"pgbouncer --quiet "$1/pgbouncer.ini" >>"$1/log" 2>&1 </dev/null & bouncer=$!
        read -r _; kill -INT "$bouncer"; wait "$bouncer"; rm -rf "$1""#;
    let mut shell = Command::new("/bin/sh");
    shell.current_dir("/").env_clear().stdout(Stdio::null());
    if let Some(owner) = owner() {
        shell.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
    }
    watchdog::start(shell, WATCH, &[folder.as_os_str()])
}
