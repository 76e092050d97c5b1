//! `masctl database`: whose tables are there, and how far they are migrated.

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::{manage, options::Options, render, terminal::Terminal};
use crate::{
    config::Database,
    console::Console,
    error::{Code, Error, Result},
    storage::{
        self,
        schema::{self, NEWEST_KNOWN, Status},
    },
};

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
        _ => render::print(&render::plain(&status(&database)?, &options.wish)?)?,
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
    status(database)?;
    console.say("The store is up to date");
    Ok(())
}

fn status(database: &Database) -> Result<Value> {
    let status = manage::runtime()?.block_on(async {
        let mut store = storage::connect(database).await?;
        let status = schema::status(&mut store).await;
        store.close().await;
        status
    })?;
    Ok(match status {
        Status::Mas { newest, applied } => json!({
            "store": database.label(),
            "owner": "MAS",
            "migrations": applied,
            "newest_migration": newest,
            "tested_up_to": NEWEST_KNOWN,
        }),
        Status::Embedded { applied, known } => json!({
            "store": database.label(),
            "owner": "masctl",
            "migrations": applied,
            "known_migrations": known,
        }),
    })
}
