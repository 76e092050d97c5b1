//! `masctl doctor`: everything that masctl stands on, looked at once, with what to do about what is wrong.
//!
//! A check that fails does not end the examination; what cannot be looked at without it is said not to be checked.

mod database;
mod mas;

use serde::Serialize;

use super::World;
use crate::{
    config::{Configuration, Database, HomeserverKind},
    error::{Error, Result, listed},
    homeserver,
};

/// A localpart that nobody has: what the homeserver says of it does not matter, only that it answers.
const IMPROBABLE: &str = "masctl-doctor-asks-whether-this-is-free";

/// The most characters of a server name that are shown.
const LONGEST_NAME: usize = 255;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is as it should be.
    Ok,
    /// masctl works, but somebody should look at it.
    Warning,
    /// masctl or MAS does not work as it should.
    Wrong,
    /// It could not be looked at.
    Skipped,
}

/// One check, as people and programs see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub check: &'static str,
    /// What it came to.
    pub status: Status,
    /// What was found, without secrets.
    pub finding: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Check {
    fn new(check: &'static str, status: Status, finding: impl Into<String>) -> Self {
        Self {
            check,
            status,
            finding: finding.into(),
            help: None,
        }
    }

    fn ok(check: &'static str, finding: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, finding)
    }

    fn skipped(check: &'static str, why: &str) -> Self {
        Self::new(check, Status::Skipped, format!("not checked: {why}"))
    }

    fn failed(check: &'static str, error: &Error) -> Self {
        Self {
            help: error.help_text().map(str::to_owned),
            ..Self::new(check, Status::Wrong, place(error) + error.message())
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Looks at everything, beginning with the configuration, if it could be read.
pub async fn examine(configuration: &Result<Configuration>, world: &World) -> Vec<Check> {
    let configuration = match configuration {
        Ok(configuration) => configuration,
        Err(error) => {
            let mut checks = vec![Check::failed("config", error)];
            checks.extend(["database", "homeserver"].map(|check| Check::skipped(check, "no configuration")));
            return checks;
        }
    };
    let mut checks = config(configuration);
    let database = configuration.database();
    let mut user = None;
    match &database {
        Ok(database) => {
            let examined = database::examine(database, configuration, world).await;
            checks.extend(examined.checks);
            user = examined.user;
        }
        Err(_) => checks.push(Check::skipped("database", "its configuration is wrong")),
    }
    let stands_alone = matches!(database, Ok(Database::Embedded(_) | Database::Sqlite(_)))
        && configuration.has_homeserver_secret().is_ok_and(|secret| !secret);
    if !stands_alone {
        checks.push(ask_homeserver(configuration, user.as_deref()).await);
    }
    checks
}

/// One line if all sections are valid, or one for each that is not.
fn config(configuration: &Configuration) -> Vec<Check> {
    let findings = match configuration.check() {
        Ok(findings) => findings,
        Err(errors) => return errors.iter().map(|error| Check::failed("config", error)).collect(),
    };
    let present = findings.iter().filter(|finding| finding.present);
    let sections: Vec<_> = present.map(|finding| finding.section).collect();
    let files: Vec<_> = configuration
        .files()
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let finding = match (sections.as_slice(), files.as_slice()) {
        ([], _) => "nothing is configured".to_owned(),
        (sections, []) => format!("the environment has {}", listed(sections)),
        (sections, [file]) => format!("{file} has {}", listed(sections)),
        (sections, files) => format!("{} have {}", listed(files), listed(sections)),
    };
    vec![Check::ok("config", finding)]
}

/// Any answer that Synapse gives to the right secret will do; and if it has `user`, it must be as one of this server.
async fn ask_homeserver(configuration: &Configuration, user: Option<&str>) -> Check {
    let Ok(matrix) = configuration.matrix() else {
        return Check::skipped("homeserver", "its configuration is wrong");
    };
    let kind = match matrix.kind {
        HomeserverKind::Synapse => "",
        HomeserverKind::SynapseLegacy => "; it is spoken to as `synapse_legacy`",
        HomeserverKind::SynapseReadOnly => "; it is only read (`synapse_read_only`)",
    };
    let place = homeserver::place(&matrix.endpoint);
    let homeserver = homeserver::connect(&matrix);
    let known = async {
        homeserver.is_localpart_available(IMPROBABLE).await?;
        match user {
            Some(user) => homeserver.query_user(user).await,
            None => Ok(None),
        }
    };
    let account = match known.await {
        Ok(account) => account,
        Err(error) => return Check::failed("homeserver", &error),
    };
    let server_name = account.as_ref().and_then(|account| account.user_id.split_once(':'));
    match server_name {
        Some((_, theirs)) if theirs != matrix.homeserver => {
            let ours = &matrix.homeserver;
            let theirs: String = theirs.chars().take(LONGEST_NAME).collect();
            let finding = format!("{place} is the server `{theirs}`, but `matrix.homeserver` is `{ours}`");
            Check::new("homeserver", Status::Wrong, finding)
                .help("Set `matrix.homeserver` to the `server_name` of the homeserver, for MAS too, or correct `matrix.endpoint`.")
        }
        _ => Check::ok("homeserver", format!("{place} accepts the secret{kind}")),
    }
}

/// Where an error was found, as a prefix of its message.
fn place(error: &Error) -> String {
    let Some(excerpt) = error.excerpts().first() else {
        return String::new();
    };
    let (line, column) = excerpt.line_and_column();
    format!("{}:{line}:{column}: ", excerpt.name)
}
