//! `masctl database`: whose tables are there, and how far they are migrated.

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::{
    options::Options,
    render::{self, Format},
    terminal::Terminal,
};
use crate::{
    config::Database,
    console::Console,
    error::{Code, Error, Result},
    host,
    storage::{
        self, Connection, diagnosis, rights,
        schema::{self, NEWEST_KNOWN, OWN_MIGRATIONS, Status},
    },
};

/// The most migrations that a person is shown.
const MOST_NAMED: usize = 3;

pub(super) fn command() -> Command {
    Command::new("database")
        .about("Look at the database's schema, or migrate the embedded store")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("migrate").about("Migrate the embedded store; MAS's own tables are MAS's to migrate"))
        .subcommand(Command::new("status").about("Show which database is used and how far it is migrated"))
}

pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<()> {
    let configuration = options.configuration()?;
    let database = configuration.database()?;
    let console = Terminal::new(options);
    if let Database::Embedded(_) = &database {
        console.name_store(&database.display(configuration.environment()), false);
    }
    match matches.subcommand_name() {
        Some("migrate") => migrate(&database, options, &console)?,
        _ => render::print(&render::plain(
            &shown(status(&database)?, options.wish.format),
            &options.wish,
        )?)?,
    }
    console.release();
    Ok(())
}

fn migrate(database: &Database, options: &Options, console: &Terminal) -> Result<()> {
    if let Database::Postgres(_) = database {
        return Err(Error::new(
            Code::SchemaForeign,
            "masctl never changes MAS's tables: nothing was migrated",
        )
        .help("`mas-cli database migrate` owns them."));
    }
    if options.dry_run {
        console.say("Dry run: nothing was migrated");
        return Ok(());
    }
    // Opening the store is what creates and migrates it.
    host::runtime()?.block_on(async {
        storage::open(database).await?.close().await;
        Ok::<_, Error>(())
    })?;
    console.say("The store is up to date");
    Ok(())
}

/// What is true for programs is also true for people, but for lists, which they read as text.
fn shown(mut status: Value, format: Format) -> Value {
    if format == Format::Table {
        for list in status
            .as_object_mut()
            .into_iter()
            .flat_map(|fields| fields.values_mut())
        {
            if let Value::Array(items) = list {
                *list = Value::String(summary(items));
            }
        }
    }
    status
}

fn summary(migrations: &[Value]) -> String {
    let named = migrations.iter().take(MOST_NAMED).map(|migration| {
        let version = &migration["version"];
        match migration["feature"].as_str() {
            Some(feature) => format!("{version} ({feature})"),
            None => version.to_string(),
        }
    });
    let mut parts: Vec<_> = named.collect();
    if let more @ 1.. = migrations.len().saturating_sub(MOST_NAMED) {
        parts.push(format!("and {more} more"));
    }
    parts.join(", ")
}

fn status(database: &Database) -> Result<Value> {
    if !storage::is_made(database) {
        let reason = "it is not there yet: the first command makes it";
        return Ok(of_own(database, (0, OWN_MIGRATIONS), true, Some(reason)));
    }
    host::runtime()?.block_on(async {
        let mut store = storage::connect(database).await?;
        let status = match read_status(&mut store, database).await {
            Ok(status) => Ok(status),
            Err(error) => Err(rights::explain(&mut store, error).await),
        };
        store.close().await;
        status
    })
}

async fn read_status(store: &mut Connection, database: &Database) -> Result<Value> {
    let status = schema::status(store).await?;
    let obstacle = diagnosis::obstacle(store).await?;
    let writable = obstacle.is_none();
    let lacking = rights::lack(store).await?;
    let reason = obstacle.map(|error| error.message().to_owned());
    let reason = reason.or_else(|| {
        let user = &lacking.user;
        (!lacking.tables.is_empty())
            .then(|| format!("The database user {user} lacks rights: `masctl doctor` lists them"))
    });
    Ok(match status {
        Status::Mas(schema) => json!({
            "store": database.label(),
            "owner": "MAS",
            "server": diagnosis::server(store).await?.map(|server| format!("PostgreSQL {}", server.version)),
            "migrations": schema.applied,
            "newest_migration": schema.newest,
            "tested_up_to": NEWEST_KNOWN,
            "missing": migrations(&schema.missing),
            "unknown": migrations(&schema.unknown),
            "migrating": schema::is_migrating(store).await?,
            "writable": writable,
            "reason": reason,
        }),
        Status::Embedded { applied, known } => of_own(database, (applied, known), writable, reason.as_deref()),
    })
}

fn of_own(database: &Database, (applied, known): (usize, usize), writable: bool, reason: Option<&str>) -> Value {
    json!({
        "store": database.label(),
        "owner": "masctl",
        "migrations": applied,
        "known_migrations": known,
        "writable": writable,
        "reason": reason,
    })
}

fn migrations(versions: &[i64]) -> Vec<Value> {
    let of = |version: &i64| json!({"version": version, "feature": schema::feature(*version)});
    versions.iter().map(of).collect()
}
