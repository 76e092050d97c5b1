//! A real Synapse that trusts a MAS, in a temporary folder, and what its own database holds.
//!
//! `MASCTL_TEST_SYNAPSE` names the venv that it is installed in; `tests/run --synapse` makes one. The tests that need
//! it are ignored otherwise: none of them passes without it.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::{wait_for, watchdog};

/// What MAS and Synapse share.
pub(crate) const SECRET: &str = "synapse-Ohshe3ie-vuvuzela";

/// The part after the colon of its users' MXIDs.
pub(crate) const SERVER_NAME: &str = "example.com";

/// How long it may take to start: some seconds, unless the machine is very busy.
const PATIENCE: Duration = Duration::from_mins(3);

/// One that runs until this process is gone.
pub(crate) struct Synapse {
    port: u16,
    folder: PathBuf,
    _watchdog: Child,
}

/// All that MAS can make of a user, as the rows of Synapse's database have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Whether it is deactivated.
    pub(crate) deactivated: bool,
    /// Whether its profile is erased.
    pub(crate) erased: bool,
    /// Whether it is locked.
    pub(crate) locked: bool,
    /// The name that others see.
    pub(crate) display_name: Option<String>,
    /// Where its picture is.
    pub(crate) avatar_url: Option<String>,
    /// Its e-mail addresses, in order.
    pub(crate) emails: Vec<String>,
    /// Its devices, in order: id and name.
    pub(crate) devices: Vec<(String, Option<String>)>,
}

const KNOWN: &str = "SELECT u.name, u.deactivated, EXISTS (SELECT 1 FROM erased_users e WHERE e.user_id = u.name), u.locked, \
     p.displayname, p.avatar_url, \
     (SELECT json_group_array(address) FROM (SELECT address FROM user_threepids t \
      WHERE t.user_id = u.name AND t.medium = 'email' ORDER BY address)), \
     (SELECT json_group_array(json_array(device_id, display_name)) FROM (SELECT device_id, display_name FROM devices d \
      WHERE d.user_id = u.name AND COALESCE(d.hidden, 0) = 0 ORDER BY device_id)) \
     FROM users u LEFT JOIN profiles p ON p.full_user_id = u.name WHERE u.name GLOB $1";

/// The columns of [`KNOWN`].
type Columns = (String, bool, bool, bool, Option<String>, Option<String>, String, String);

/// The Synapse of this process, started at the first call.
pub(crate) fn synapse() -> &'static Synapse {
    static SYNAPSE: LazyLock<Synapse> = LazyLock::new(|| Synapse::start(true));
    &SYNAPSE
}

/// The section `matrix` that makes masctl use a Synapse of the tests, which is at this URL.
pub(crate) fn section(endpoint: &str) -> String {
    format!("matrix:\n  homeserver: {SERVER_NAME}\n  endpoint: {endpoint}\n  secret: {SECRET}\n")
}

impl Known {
    /// Of a user that is new there: without a name it is called by its localpart.
    pub(crate) fn new(localpart: &str) -> Self {
        Self {
            display_name: Some(localpart.to_owned()),
            ..Self::default()
        }
    }

    /// The same with these devices, without names.
    pub(crate) fn with_devices(self, devices: &[&str]) -> Self {
        let devices = devices.iter().map(|&device| (device.to_owned(), None)).collect();
        Self { devices, ..self }
    }
}

impl Synapse {
    /// Starts one. If it is not `integrated`, it knows nothing of a MAS.
    pub(crate) fn start(integrated: bool) -> Self {
        let venv =
            env::var_os("MASCTL_TEST_SYNAPSE").expect("MASCTL_TEST_SYNAPSE names no venv: run tests/run --synapse");
        let folder = tempfile::Builder::new().prefix("masctl-synapse-").tempdir();
        let folder = folder.expect("a temporary folder").keep();
        configure(&folder, integrated);
        let (watchdog, output) = watch(&folder, &Path::new(&venv).join("bin/python"));
        let port = wait_until_ready(&folder, &output, integrated);
        Self {
            port,
            folder,
            _watchdog: watchdog,
        }
    }

    /// Its TCP port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its base URL, with the final slash.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// What its database holds of a user at this moment; nothing if it has none of this localpart.
    pub(crate) fn known(&self, localpart: &str) -> Option<Known> {
        self.known_like(localpart).remove(localpart)
    }

    /// What its database holds at this moment of the users whose localparts are as a pattern says: `*` is any text.
    pub(crate) fn known_like(&self, pattern: &str) -> BTreeMap<String, Known> {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.join("homeserver.db"))
            .read_only(true);
        let names = format!("@{pattern}:{SERVER_NAME}");
        let rows: Vec<Columns> = wait_for(async move {
            let mut connection = options.connect().await?;
            let rows = sqlx::query_as(KNOWN).bind(names).fetch_all(&mut connection).await?;
            connection.close().await?;
            Ok::<_, sqlx::Error>(rows)
        })
        .unwrap_or_else(|error| panic!("Synapse's database: {error}"));
        rows.into_iter().map(of_row).collect()
    }
}

fn of_row((name, deactivated, erased, locked, display_name, avatar_url, emails, devices): Columns) -> (String, Known) {
    let localpart = name.trim_start_matches('@').split(':').next().unwrap_or_default();
    let known = Known {
        deactivated,
        erased,
        locked,
        display_name,
        avatar_url,
        emails: serde_json::from_str(&emails).expect("SQLite makes JSON"),
        devices: serde_json::from_str(&devices).expect("SQLite makes JSON"),
    };
    (localpart.to_owned(), known)
}

fn configure(folder: &Path, integrated: bool) {
    let filled_in = |text: &str| {
        text.replace("@FOLDER@", &folder.display().to_string())
            .replace("@NAME@", SERVER_NAME)
            .replace("@ENABLED@", &integrated.to_string())
            .replace("@SECRET@", SECRET)
    };
    let files = [
        ("homeserver.yaml", include_str!("../synapse/homeserver.yaml.in")),
        ("log.yaml", include_str!("../synapse/log.yaml.in")),
        // Nothing that it signs leaves this machine.
        (
            "signing.key",
            "ed25519 a_test AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        ),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), filled_in(text)).expect("the folder can be written");
    }
}

/// Starts it under a shell that ends it and removes the folder when this process is gone. All that it prints comes
/// through the channel when it ends.
fn watch(folder: &Path, python: &Path) -> (Child, Receiver<String>) {
    const RUN: &str = r#"folder=$1; shift; cd "$folder"
        "$@" 2>&1 &
        exec >&-; read -r _; kill -KILL $!; wait; rm -rf "$folder""#;
    let mut shell = Command::new("/bin/sh");
    shell.stdout(Stdio::piped());
    let options = ["-I", "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"].map(OsStr::new);
    let arguments = [&[folder.as_os_str(), python.as_os_str()][..], &options].concat();
    let mut watchdog = watchdog::start(shell, RUN, &arguments);
    let mut output = watchdog.stdout.take().expect("it is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut printed = Vec::new();
        // What came before a failure is what there is to show.
        let _ = output.read_to_end(&mut printed);
        sender.send(String::from_utf8_lossy(&printed).into_owned())
    });
    (watchdog, receiver)
}

/// Waits until it answers as the homeserver of a MAS, and returns its port.
fn wait_until_ready(folder: &Path, output: &Receiver<String>, integrated: bool) -> u16 {
    let code = if integrated { "M_NOT_FOUND" } else { "M_UNRECOGNIZED" };
    let log = || fs::read_to_string(folder.join("homeserver.log")).unwrap_or_default();
    let start = Instant::now();
    loop {
        if let Ok(printed) = output.try_recv() {
            panic!("Synapse does not start:\n{printed}");
        }
        if let Some(port) = port(&log()).filter(|&port| get(port, "/health").is_ok_and(|(status, _)| status == "200")) {
            let (status, body) = get(port, "/_synapse/mas/query_user?localpart=nobody").expect("it just answered");
            assert!(
                status == "404" && body.contains(code),
                "Synapse answers {status} {body}"
            );
            return port;
        }
        assert!(start.elapsed() < PATIENCE, "Synapse did not start in time:\n{}", log());
        thread::sleep(Duration::from_millis(50));
    }
}

fn port(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("now listening on TCP port ")?;
    rest.lines().next()?.trim().parse().ok()
}

/// Status and body of an answer.
fn get(port: u16, target: &str) -> io::Result<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {SECRET}\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned()))
}
