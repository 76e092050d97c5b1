//! The checks of the database, in an order in which each may rely on the ones before.

use super::{Check, mas};
use crate::{
    config::{Configuration, Database},
    error::{Code, Error, Result},
    model::Id,
    operations::World,
    storage::{self, Connection, diagnosis, pooling, rights, schema, users::Filter},
};

/// What is looked at through a connection to PostgreSQL.
const DEPENDENT: [&str; 6] = ["pooling", "schema", "rights", "clock", "worker", "jobs"];

/// What came of looking at the database.
pub(super) struct Examined {
    pub(super) checks: Vec<Check>,
    /// The oldest user, whom the homeserver should know.
    pub(super) user: Option<String>,
}

impl From<Vec<Check>> for Examined {
    fn from(checks: Vec<Check>) -> Self {
        Self { checks, user: None }
    }
}

pub(super) async fn examine(database: &Database, configuration: &Configuration, world: &World) -> Examined {
    if !storage::is_made(database) {
        let name = database.display(configuration.environment());
        return vec![Check::ok(
            "database",
            format!("{name} is not there yet: the first command makes it"),
        )]
        .into();
    }
    let mut store = match storage::connect(database).await {
        Ok(store) => store,
        Err(error) => {
            let mut checks = vec![Check::failed("database", &error)];
            if let Database::Postgres(_) = database {
                checks.extend(DEPENDENT.map(|check| Check::skipped(check, "no database")));
            }
            return checks.into();
        }
    };
    let (checks, lost) = match &store {
        Connection::Sqlite(_) => (vec![file(&mut store, database, configuration).await], false),
        Connection::Postgres(_) => of_mas(&mut store, database, world).await,
    };
    let mut user = None;
    if !lost {
        // Whatever keeps it from being read, a check has told.
        let oldest = storage::users::user_page(&mut store, &Filter::default(), Id::least(), 1).await;
        user = oldest
            .ok()
            .and_then(|page| page.into_iter().next())
            .map(|user| user.username);
        store.close().await;
    }
    Examined { checks, user }
}

/// The embedded store stands alone: its file is all that can be wrong.
async fn file(store: &mut Connection, database: &Database, configuration: &Configuration) -> Check {
    let name = database.display(configuration.environment());
    let found = async {
        let damage = diagnosis::damage(store).await?;
        Ok::<_, Error>((damage, schema::status(store).await?))
    };
    match found.await {
        Ok((None, schema::Status::Embedded { applied, known })) => Check::ok(
            "database",
            format!("{name} is masctl's own store, with {applied} of {known} migrations"),
        ),
        Ok((None, schema::Status::Mas(_))) => Check::ok("database", name),
        Ok((Some(damage), _)) => Check::new("database", super::Status::Wrong, format!("{name} is damaged: {damage}"))
            .help("Restore it from a copy, or save what `sqlite3` can read with its command `.recover`."),
        Err(error) => Check::failed("database", &error),
    }
}

/// The checks, and whether the connection is of no more use.
async fn of_mas(store: &mut Connection, database: &Database, world: &World) -> (Vec<Check>, bool) {
    let mut checks = vec![server(store, database).await];
    let pooled = pooling::is_pooled(database, store).await;
    checks.push(pooling_of(&pooled));
    if is_found(&pooled) {
        let why = "statements go astray in the pooler";
        checks.extend(DEPENDENT[1..].iter().map(|check| Check::skipped(check, why)));
        return (checks, true);
    }
    let status = schema::status(store).await;
    let unseen = match &status {
        Ok(_) => None,
        Err(error) if is_forbidden(error) => None,
        Err(error) if error.code() == Code::SchemaMissing => Some("no MAS tables"),
        Err(_) => Some("the schema could not be read"),
    };
    checks.push(match schema_of(store, status).await {
        Ok(check) => check,
        Err(error) if is_forbidden(&error) => Check::skipped("schema", "the right to read it is lacking"),
        Err(error) => Check::failed("schema", &error),
    });
    checks.push(match unseen {
        None => rights_of(store).await,
        Some(why) => Check::skipped("rights", why),
    });
    checks.push(mas::clock(store, world).await);
    match unseen {
        None => checks.extend(mas::queue(store).await),
        Some(why) => checks.extend(["worker", "jobs"].map(|check| Check::skipped(check, why))),
    }
    (checks, false)
}

/// Whether a right on a table is lacking, which the check of the rights tells of.
fn is_forbidden(error: &Error) -> bool {
    error.values().get("sqlstate").is_some_and(|state| state == "42501")
}

async fn server(store: &mut Connection, database: &Database) -> Check {
    let server = match diagnosis::server(store).await {
        Ok(Some(server)) => server,
        Ok(None) => return Check::ok("database", database.label()),
        Err(error) => return Check::failed("database", &error),
    };
    if server.read_only {
        return Check::failed("database", &storage::read_only());
    }
    let tls = server
        .tls
        .map_or_else(|| "without TLS".to_owned(), |version| format!("by {version}"));
    let found = format!(
        "{} is PostgreSQL {}, reached as {} {tls}",
        database.label(),
        server.version,
        server.user
    );
    Check::ok("database", found)
}

/// Whether a pooler was proved, or gave itself away by its answer.
fn is_found(pooled: &Result<Option<&'static str>>) -> bool {
    match pooled {
        Ok(proof) => proof.is_some(),
        Err(error) => error.code() == Code::DatabasePooled,
    }
}

fn pooling_of(pooled: &Result<Option<&'static str>>) -> Check {
    match pooled {
        Ok(None) => Check::ok("pooling", "every connection has a session of its own"),
        Ok(Some(proof)) => {
            let message = format!("A pooler in transaction mode is between masctl and PostgreSQL: {proof}");
            Check::failed("pooling", &storage::pooled(message))
        }
        Err(error) => Check::failed("pooling", error),
    }
}

async fn schema_of(store: &mut Connection, status: Result<schema::Status>) -> Result<Check> {
    let schema::Status::Mas(schema) = status? else {
        return Ok(Check::ok("schema", "masctl's own"));
    };
    if let Some(refusal) = schema.refusal() {
        return Ok(Check::failed("schema", &refusal));
    }
    if schema::is_migrating(store).await? {
        return Ok(Check::failed("schema", &schema::migrating()));
    }
    let (applied, newest) = (schema.applied, schema.newest);
    Ok(match schema.warning() {
        Some(warning) => Check::new("schema", super::Status::Warning, sentence(&warning))
            .help("Look for a masctl that was tested with this MAS. All columns that this one needs are there."),
        None => Check::ok(
            "schema",
            format!("all {applied} migrations up to {newest} are known, and none is running"),
        ),
    })
}

/// A warning as a sentence of its own.
fn sentence(warning: &str) -> String {
    let mut characters = warning.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

async fn rights_of(store: &mut Connection) -> Check {
    match rights::lack(store).await {
        Ok(lack) if lack.tables.is_empty() => Check::ok("rights", "the database user has all that masctl needs"),
        Ok(lack) => Check::new(
            "rights",
            super::Status::Wrong,
            format!("The database user {} lacks {}", lack.user, lack.summary()),
        )
        .help(format!(
            "Run masctl as the user that MAS connects as, or grant it:\n{}",
            lack.grants().join("\n")
        )),
        Err(error) => Check::failed("rights", &error),
    }
}
