//! The section `database`: which database is used.

use std::{
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{environment::Environment, masctl::Masctl, section::Section};
use crate::error::{Code, Error, Result};

/// What `uri` may not stand beside.
const PARTS: [&str; 7] = [
    "host",
    "port",
    "socket",
    "username",
    "password",
    "password_file",
    "database",
];

/// The settings of MAS's pool, which masctl has no use for, and what each may be.
const POOL: [(&str, RangeInclusive<u64>); 5] = [
    ("max_connections", 1..=u32::MAX as u64),
    ("min_connections", 0..=u32::MAX as u64),
    ("connect_timeout", 0..=u64::MAX),
    ("idle_timeout", 0..=u64::MAX),
    ("max_lifetime", 0..=u64::MAX),
];

/// The port that is not worth showing.
const DEFAULT_PORT: u16 = 5432;

const URI_HELP: &str = "Write `postgresql://user@host/database`, or `sqlite:///path` for a file.";

const SSL_MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

/// The database that is used.
#[derive(Clone, Debug)]
pub enum Database {
    /// Nothing is configured: masctl's own SQLite file, made on first use.
    Embedded(PathBuf),
    /// A SQLite file that the configuration names, by an absolute path.
    Sqlite(PathBuf),
    /// PostgreSQL, usually that of a live MAS.
    Postgres(Box<Postgres>),
}

/// How to reach PostgreSQL. What is absent is up to the driver, which reads `PG*` variables and the pgpass file.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// A whole URI. If it is there, the parts from `host` to `database` are absent.
    pub uri: Option<SecretString>,
    /// Host name or address.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// The folder of the socket.
    pub socket: Option<PathBuf>,
    /// User name.
    pub username: Option<String>,
    /// Password, from `password` or `password_file`.
    pub password: Option<SecretString>,
    /// Name of the database.
    pub database: Option<String>,
    /// Overrides the `sslmode` of the URI.
    pub ssl_mode: Option<SslMode>,
    /// Certificates to trust.
    pub ssl_ca: Option<Pem>,
    /// The client's certificate; there if and only if `ssl_key` is.
    pub ssl_certificate: Option<Pem>,
    /// The client's key.
    pub ssl_key: Option<Pem>,
    /// How long to wait for a lock: masctl's own setting.
    pub lock_timeout: Duration,
    /// How long one statement may take: masctl's own setting.
    pub statement_timeout: Duration,
    /// `postgresql://host/database`, without user, password and options: fit for people and JSON.
    pub label: String,
}

/// Whether and how the connection is encrypted, as libpq defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// `disable`.
    Disable,
    /// `allow`.
    Allow,
    /// `prefer`.
    Prefer,
    /// `require`.
    Require,
    /// `verify-ca`.
    VerifyCa,
    /// `verify-full`.
    VerifyFull,
}

/// A certificate or key in PEM.
#[derive(Clone, Debug)]
pub enum Pem {
    /// Its text.
    Inline(SecretString),
    /// The absolute path of its file, which is not read here.
    File(PathBuf),
}

impl Database {
    /// Reads the section from the whole configuration. `configured` says whether there is a file.
    pub(super) fn read(top: &Section<'_>, environment: &Environment, configured: bool) -> Result<Self> {
        if !configured && !environment.names_database() {
            return embedded(environment).map(Self::Embedded);
        }
        if let Some(section) = top.section("database")? {
            return from_section(&section, environment);
        }
        match environment.get("DATABASE_URL") {
            Some(uri) if !configured => from_uri(&uri.into(), environment, &|problem, help| {
                let message = format!("`DATABASE_URL` {problem}");
                Error::new(Code::ConfigInvalid, message).help(help)
            }),
            _ => Ok(Self::postgres(Postgres::default(), environment)),
        }
    }

    fn postgres(mut postgres: Postgres, environment: &Environment) -> Self {
        postgres.label = Place::of(&postgres, environment).to_string();
        Self::Postgres(Box::new(postgres))
    }

    /// What the database is called in JSON: `postgresql://host/database` without user, password and options,
    /// `sqlite:///absolute/path`, or the path of the embedded store. What the driver chooses is left out.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Embedded(path) => path.display().to_string(),
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(postgres) => postgres.label.clone(),
        }
    }

    /// What the database is called for people: the label, and for the embedded store its path with `~` for the home
    /// directory.
    #[must_use]
    pub fn display(&self, environment: &Environment) -> String {
        match self {
            Self::Embedded(path) => match environment.home().and_then(|home| path.strip_prefix(home).ok()) {
                Some(rest) => Path::new("~").join(rest).display().to_string(),
                None => self.label(),
            },
            _ => self.label(),
        }
    }
}

/// The file of the embedded store.
fn embedded(environment: &Environment) -> Result<PathBuf> {
    let data = environment.base_folder("XDG_DATA_HOME", ".local/share");
    let data = data.ok_or_else(|| {
        Error::new(
            Code::StoreUnusable,
            "There is no place for the embedded store: neither HOME nor XDG_DATA_HOME names a folder",
        )
        .help("Set HOME, or name a MAS configuration file with --config.")
    })?;
    Ok(data.join("masctl/masctl.db"))
}

fn from_section(section: &Section<'_>, environment: &Environment) -> Result<Database> {
    let uri = section.secret("uri").and_then(|uri| {
        let wrong = |problem: &str, help: &str| section.invalid("uri", problem, help);
        uri.map(|uri| from_uri(&uri, environment, &wrong)).transpose()
    });
    let exclusive = section.exclusive("uri", &PARTS);
    let parts = parts(section);
    let pool = section.every(POOL.map(|(key, allowed)| section.number::<u64>(key, allowed)));
    exclusive?;
    let mut base = match uri? {
        Some(Database::Postgres(base)) => *base,
        Some(other) => return Ok(other),
        None => Postgres::default(),
    };
    pool?;
    let uri = base.uri.take();
    Ok(Database::postgres(Postgres { uri, ..parts? }, environment))
}

/// Everything but the URI.
fn parts(section: &Section<'_>) -> Result<Postgres> {
    let (host, socket) = (section.text("host"), section.file("socket"));
    let port = section.number("port", 1..=u64::from(u16::MAX));
    let (username, password) = (section.text("username"), password(section));
    let database = section.text("database");
    let ssl_mode = section.choice("ssl_mode", &SSL_MODES);
    let ssl_ca = pem(section, "ssl_ca", "ssl_ca_file");
    let (ssl_certificate, ssl_key) = client_certificate(section)?;
    Ok(Postgres {
        host: host?,
        port: port?,
        socket: socket?,
        username: username?,
        password: password?,
        database: database?,
        ssl_mode: ssl_mode?,
        ssl_ca: ssl_ca?,
        ssl_certificate,
        ssl_key,
        ..Postgres::default()
    })
}

fn password(section: &Section<'_>) -> Result<Option<SecretString>> {
    section.exclusive("password", &["password_file"])?;
    match section.secret("password")? {
        Some(password) => Ok(Some(password)),
        None => section.read_secret_text("password_file"),
    }
}

fn client_certificate(section: &Section<'_>) -> Result<(Option<Pem>, Option<Pem>)> {
    let certificate = pem(section, "ssl_certificate", "ssl_certificate_file");
    let key = pem(section, "ssl_key", "ssl_key_file");
    let (certificate, key) = (certificate?, key?);
    if certificate.is_some() != key.is_some() {
        let (given, missing) = if certificate.is_some() {
            ("ssl_certificate", "ssl_key")
        } else {
            ("ssl_key", "ssl_certificate")
        };
        let file = format!("{given}_file");
        let given = if section.has(given) { given } else { &*file };
        return Err(section.invalid(
            given,
            &format!("needs `{}` or `{0}_file` beside it", section.path_of(missing)),
            "Give both the client's certificate and its key, or neither.",
        ));
    }
    Ok((certificate, key))
}

fn pem(section: &Section<'_>, inline: &str, file: &str) -> Result<Option<Pem>> {
    section.exclusive(inline, &[file])?;
    if let Some(text) = section.secret(inline)? {
        return Ok(Some(Pem::Inline(text)));
    }
    Ok(section.pem_file(file)?.map(Pem::File))
}

/// The database of a URI. `wrong` makes the error from what is wrong and what to do; it is never given the URI, which
/// may hold a password.
fn from_uri(uri: &SecretString, environment: &Environment, wrong: &dyn Fn(&str, &str) -> Error) -> Result<Database> {
    let text = uri.expose_secret();
    if let Some(rest) = text.strip_prefix("sqlite:") {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        let path = path.split('?').next().unwrap_or_default();
        let path = decoded(path).filter(|path| !path.is_empty() && !path.contains(":memory:") && !path.contains('\0'));
        return path
            .map(|path| Database::Sqlite(environment.directory().join(path)))
            .ok_or_else(|| wrong("names no SQLite file", "Write `sqlite:///absolute/path`."));
    }
    let url = Url::parse(text).map_err(|error| wrong(&format!("is not a database URI ({error})"), URI_HELP))?;
    if !matches!(url.scheme(), "postgresql" | "postgres") {
        return Err(wrong("is neither a PostgreSQL nor an SQLite URI", URI_HELP));
    }
    let postgres = Postgres {
        uri: Some(uri.clone()),
        ..Postgres::default()
    };
    Ok(Database::postgres(postgres, environment))
}

impl Default for Postgres {
    /// Whatever the driver chooses, and masctl's own limits.
    fn default() -> Self {
        let own = Masctl::default();
        Self {
            uri: None,
            host: None,
            port: None,
            socket: None,
            username: None,
            password: None,
            database: None,
            ssl_mode: None,
            ssl_ca: None,
            ssl_certificate: None,
            ssl_key: None,
            lock_timeout: own.lock_timeout,
            statement_timeout: own.statement_timeout,
            label: "postgresql://".to_owned(),
        }
    }
}

/// Which server and database is meant, as far as the configuration and the driver's variables say.
struct Place {
    host: Option<String>,
    port: Option<u16>,
    database: Option<String>,
}

impl Place {
    fn of(postgres: &Postgres, environment: &Environment) -> Self {
        let filled = |name: &str| environment.filled(name).map(str::to_owned);
        let uri = postgres
            .uri
            .as_ref()
            .and_then(|uri| Url::parse(uri.expose_secret()).ok());
        let mut place = uri.as_ref().map_or_else(
            || Self {
                host: postgres
                    .socket
                    .as_ref()
                    .map(|socket| socket.display().to_string())
                    .or_else(|| postgres.host.clone()),
                port: postgres.port,
                database: postgres.database.clone().or_else(|| postgres.username.clone()),
            },
            Self::of_uri,
        );
        place.host = place.host.or_else(|| filled("PGHOSTADDR")).or_else(|| filled("PGHOST"));
        place.port = place.port.or_else(|| filled("PGPORT")?.parse().ok());
        place.database = place
            .database
            .or_else(|| filled("PGDATABASE"))
            .or_else(|| filled("PGUSER"));
        place
    }

    fn of_uri(uri: &Url) -> Self {
        let query = |names: &[&str]| {
            uri.query_pairs()
                .filter(|(name, _)| names.contains(&&**name))
                .last()
                .map(|(_, value)| value.into_owned())
        };
        let filled = |text: &str| decoded(text).filter(|text| !text.is_empty());
        Self {
            host: query(&["host", "hostaddr"]).or_else(|| filled(uri.host_str()?)),
            port: query(&["port"])
                .and_then(|port| port.parse().ok())
                .or_else(|| uri.port()),
            database: query(&["dbname"]).or_else(|| filled(uri.path().trim_start_matches('/'))),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgresql://")?;
        if let Some(host) = &self.host {
            let address = host.contains(':') && !host.starts_with(['[', '/']);
            if address {
                write!(f, "[{}]", Encoded(host))?;
            } else {
                Encoded(host).fmt(f)?;
            }
        }
        if let Some(port) = self.port.filter(|&port| port != DEFAULT_PORT) {
            write!(f, ":{port}")?;
        }
        match &self.database {
            Some(database) => write!(f, "/{}", Encoded(database)),
            None => Ok(()),
        }
    }
}

/// Text with everything percent-encoded that has a meaning in a URI or none on a terminal.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Undoes percent-encoding. `None` if what comes out is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let (byte, left) = escaped.map_or((*first, tail), |(high, low)| (high << 4 | low, &tail[2..]));
        bytes.push(byte);
        rest = left;
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}
