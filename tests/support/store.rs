//! The two databases that every transcript runs on.

use std::{
    fmt::Write,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};
use ulid::Ulid;
use uuid::Uuid;

use super::{
    homeserver::{Homeserver, SECRET},
    postgres::{Database, server},
    sandbox::Sandbox,
    value::{show_postgres, show_sqlite},
    wait_for,
};

/// The kind of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// A file of the shape of MAS's database.
    Sqlite,
    /// A database of MAS.
    Postgres,
}

/// The store of one transcript.
pub(crate) enum OpenStore {
    /// A file that a configuration names, and a homeserver that it does not; or the embedded one where there is none.
    Sqlite {
        file: PathBuf,
        is_embedded: bool,
        homeserver: Option<Homeserver>,
    },
    /// A database, the homeserver that belongs to it, and a session of somebody else.
    Postgres {
        database: Database,
        homeserver: Homeserver,
        other: Mutex<Option<PgConnection>>,
    },
}

impl OpenStore {
    /// The file that masctl uses when nothing is configured. It is not there yet.
    pub(crate) fn embedded(sandbox: &Sandbox) -> Self {
        Self::Sqlite {
            file: sandbox.data_home().join("masctl/masctl.db"),
            is_embedded: true,
            homeserver: None,
        }
    }

    /// A store for the transcript `name`, named by a `config.yaml` in the sandbox.
    pub(crate) fn configured(kind: Store, name: &str, sandbox: &Sandbox) -> Self {
        let store = match kind {
            Store::Sqlite => Self::Sqlite {
                file: sandbox.path().join("mas.db"),
                is_embedded: false,
                homeserver: Some(Homeserver::start()),
            },
            Store::Postgres => Self::Postgres {
                database: Database::create(name),
                homeserver: Homeserver::start(),
                other: Mutex::default(),
            },
        };
        sandbox.write("config.yaml", &store.configuration());
        store
    }

    fn configuration(&self) -> String {
        let mut yaml = String::new();
        let written = match self {
            Self::Sqlite { file, .. } => write!(
                yaml,
                "database:\n  uri: \"sqlite://{}\"\nmatrix:\n  homeserver: example.com\n",
                file.display()
            ),
            Self::Postgres {
                database, homeserver, ..
            } => write!(
                yaml,
                "database:\n  host: {}\n  port: {}\n  username: {}\n{}  database: {}\n\
                 matrix:\n  homeserver: example.com\n  endpoint: {}\n  secret: {SECRET}\n",
                server().host,
                server().port,
                server().username,
                server()
                    .password
                    .as_ref()
                    .map(|password| format!("  password: {password}\n"))
                    .unwrap_or_default(),
                database.name,
                homeserver.endpoint(),
            ),
        };
        written.expect("a String takes all text");
        yaml.push_str("passwords:\n  enabled: true\n  schemes:\n    - version: 1\n      algorithm: argon2id\n");
        yaml
    }

    /// What this run of a transcript shows, and what stands for it in the transcript.
    pub(crate) fn placeholders(&self) -> Vec<(String, &'static str)> {
        const LABEL: &str = "postgresql://127.0.0.1/mas";
        match self {
            Self::Sqlite { homeserver: None, .. } => Vec::new(),
            Self::Sqlite {
                file,
                homeserver: Some(homeserver),
                ..
            } => vec![
                (format!("sqlite://{}", file.display()), LABEL),
                (homeserver.endpoint(), "{homeserver}"),
                (homeserver.endpoint().trim_end_matches('/').to_owned(), "{homeserver}"),
            ],
            Self::Postgres {
                database, homeserver, ..
            } => {
                let server = server();
                vec![
                    (migration_lock(&database.name).to_string(), "{migration_lock}"),
                    (
                        format!("postgresql://{}:{}/{}", server.host, server.port, database.name),
                        LABEL,
                    ),
                    (format!("postgresql://{}/{}", server.host, database.name), LABEL),
                    (database.name.clone(), "{database}"),
                    (homeserver.endpoint(), "{homeserver}"),
                    (homeserver.endpoint().trim_end_matches('/').to_owned(), "{homeserver}"),
                    (format!("{}:{}", server.host, server.port), "127.0.0.1:{port}"),
                    (format!("port: {}", server.port), "port: {port}"),
                    (format!("username: {}", server.username), "username: postgres"),
                    (format!("reached as {}", server.username), "reached as postgres"),
                    (format!("PostgreSQL {}", server.version), "PostgreSQL {version}"),
                ]
            }
        }
    }

    /// Runs SQL and returns its rows, one line each. `{ulid:…}` stands for the id as this database holds it.
    pub(crate) fn query(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        match self {
            Self::Sqlite { file, is_embedded, .. } => {
                let sql = with_ids(sql, |id| format!("x'{}'", id.simple()));
                let options = SqliteConnectOptions::new()
                    .filename(file)
                    .create_if_missing(!is_embedded);
                wait_for(query_sqlite(options, sql))
            }
            Self::Postgres { database, .. } => {
                let sql = with_ids(sql, |id| format!("'{id}'::uuid"));
                wait_for(query_postgres(database.options(), sql))
            }
        }
    }

    /// Runs SQL in a session that stays open until [`Self::release`], and keeps its locks so long.
    pub(crate) fn hold(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let Self::Postgres { database, other, .. } = self else {
            return Err(sqlx::Error::Configuration("a file has no sessions".into()));
        };
        let (options, sql) = (database.options(), sql.to_owned());
        let (connection, shown) = wait_for(async move {
            let mut connection = options.connect().await?;
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await?;
            let shown = rows.iter().map(show_postgres).collect();
            Ok::<_, sqlx::Error>((connection, shown))
        })?;
        *other.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(shown)
    }

    /// Ends the session that [`Self::hold`] has opened, and waits until the server has ended it too.
    pub(crate) fn release(&self) -> Result<(), sqlx::Error> {
        let Self::Postgres { database, other, .. } = self else {
            return Ok(());
        };
        let held = other.lock().unwrap_or_else(PoisonError::into_inner).take();
        let options = database.options();
        wait_for(async move {
            if let Some(mut connection) = held {
                let session: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
                    .fetch_one(&mut connection)
                    .await?;
                connection.close().await?;
                let end = sqlx::query("SELECT pg_terminate_backend($1, 20000)").bind(session);
                end.execute(&mut options.connect().await?).await?;
            }
            Ok(())
        })
    }

    /// The homeserver that belongs to the store, if there is one.
    pub(crate) fn homeserver(&self) -> Option<&Homeserver> {
        match self {
            Self::Sqlite { homeserver, .. } => homeserver.as_ref(),
            Self::Postgres { homeserver, .. } => Some(homeserver),
        }
    }
}

/// The key of the lock that MAS holds while it migrates the database of this name.
pub(crate) fn migration_lock(database: &str) -> i64 {
    0x3d32_ad9e * i64::from(crc32fast::hash(database.as_bytes()))
}

async fn query_sqlite(options: SqliteConnectOptions, sql: String) -> sqlx::Result<Vec<String>> {
    let mut connection = options.connect().await?;
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await?;
    let shown = rows.iter().map(show_sqlite).collect();
    connection.close().await?;
    Ok(shown)
}

async fn query_postgres(options: PgConnectOptions, sql: String) -> sqlx::Result<Vec<String>> {
    let mut connection = options.connect().await?;
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await?;
    let shown = rows.iter().map(show_postgres).collect();
    connection.close().await?;
    Ok(shown)
}

fn with_ids(sql: &str, literal: impl Fn(&Uuid) -> String) -> String {
    let mut parts = sql.split("{ulid:");
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (text, rest) = part
            .split_once('}')
            .unwrap_or_else(|| panic!("{{ulid:{part}: `}}` is missing"));
        let id = Ulid::from_string(text).unwrap_or_else(|error| panic!("`{text}` is not a ULID: {error}"));
        replaced += &literal(&Uuid::from_u128(id.0));
        replaced += rest;
    }
    replaced
}
