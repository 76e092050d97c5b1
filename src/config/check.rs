//! What `config check` looks at: every section that masctl reads, and the files that those name.

use std::{iter, path::PathBuf};

use super::{
    Configuration, clients,
    database::Database,
    inspection::{Inspection, NamedFile},
    masctl::Masctl,
    matrix::{self, Kind, Matrix},
    names,
    passwords::{self, Passwords},
    providers,
    section::Section,
};
use crate::error::{Code, Error, Result, counted, listed};

/// The most errors that are told at once: finding the place of each takes time, and nobody reads more.
const MOST_ERRORS: usize = 50;

/// What was found out about one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the section.
    pub section: &'static str,
    /// Whether the configuration has it; if not, defaults hold.
    pub present: bool,
    /// What it comes to, in a few words without secrets.
    pub summary: String,
    /// The files that it names and that masctl can read.
    pub files: Vec<NamedFile>,
}

/// Says what a section comes to, read from the whole configuration, or nothing of one that need not be there.
type Look = fn(&Configuration, &Section<'_>) -> Result<Option<String>>;

const LOOKS: [(&str, Look); 6] = [
    ("database", database),
    ("matrix", homeserver),
    ("passwords", passwords),
    (names::OWN, own),
    ("clients", clients),
    ("upstream_oauth2", providers),
];

/// Whether masctl reads a section of this name, if only to check it.
pub(super) fn reads(name: &str) -> bool {
    LOOKS.iter().any(|(section, _)| *section == name)
}

impl Configuration {
    /// Reads every section that masctl uses or knows, and every file that one names.
    ///
    /// # Errors
    /// All that is wrong, in the order of the sections.
    pub fn check(&self) -> Result<Vec<Finding>, Vec<Error>> {
        let (mut findings, mut errors, mut more) = (Vec::new(), Vec::new(), false);
        for (section, look) in LOOKS {
            let inspection = Inspection::new(MOST_ERRORS.saturating_sub(errors.len()));
            let top = Section::top(&self.tree, self.environment.directory(), Some(&inspection));
            let summary = look(self, &top);
            more |= inspection.has_overflowed();
            let noted = inspection.is_full() || more;
            let (problems, files) = inspection.into_parts();
            match summary {
                Ok(Some(summary)) if problems.is_empty() => findings.push(Finding {
                    section,
                    present: self.has(section),
                    summary,
                    files,
                }),
                // What comes back is among the problems, unless it is about something that is no key.
                Err(error) if problems.is_empty() && !noted => errors.push(error),
                _ => errors.extend(problems),
            }
        }
        if more {
            let message = format!("The configuration has more than {MOST_ERRORS} errors: these are the first");
            errors.push(Error::new(Code::ConfigInvalid, message).help("Correct them, and check again."));
        }
        if errors.is_empty() { Ok(findings) } else { Err(errors) }
    }

    /// The configuration files that were read, in the order in which they were merged.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

fn database(configuration: &Configuration, top: &Section<'_>) -> Result<Option<String>> {
    let environment = configuration.environment();
    let database = Database::read(top, environment, configuration.has_files())?;
    Ok(Some(match &database {
        Database::Embedded(_) => format!("the embedded store {}", database.display(environment)),
        _ => database.label(),
    }))
}

fn homeserver(configuration: &Configuration, top: &Section<'_>) -> Result<Option<String>> {
    let own = matches!(
        configuration.database(),
        Ok(Database::Embedded(_) | Database::Sqlite(_))
    );
    let section = top.section("matrix")?;
    if let (true, Some(section)) = (own, &section)
        && !matrix::has_secret(section)
    {
        let name = matrix::homeserver(section)?;
        return Ok(Some(format!("no homeserver is asked; the server name is {name}")));
    }
    if section.is_none() {
        let name = configuration.server_name().map_err(|error| match error.code() {
            Code::ConfigMissing => error,
            // The database is wrong, which its own check says.
            _ => matrix::absent(),
        })?;
        return Ok(Some(format!("no homeserver; the server name is {name}")));
    }
    let matrix = Matrix::read(top)?;
    let kind = match matrix.kind {
        Kind::Synapse => "Synapse",
        Kind::SynapseLegacy => "Synapse (legacy)",
        Kind::SynapseReadOnly => "Synapse (read-only)",
    };
    Ok(Some(format!(
        "{kind} at {}; the server name is {}",
        matrix.endpoint, matrix.homeserver
    )))
}

fn passwords(_: &Configuration, top: &Section<'_>) -> Result<Option<String>> {
    let passwords = Passwords::read(top)?;
    let Some((first, rest)) = passwords.schemes.split_first() else {
        return Ok(Some("disabled".to_owned()));
    };
    if let Some(section) = top.section("passwords")? {
        passwords::check_cost(&section, first)?;
    }
    let hashing = format!("version {} hashes with {}", first.version, first.algorithm.as_str());
    let verifying = rest
        .iter()
        .map(|scheme| format!("version {} verifies {}", scheme.version, scheme.algorithm.as_str()));
    Ok(Some(
        iter::once(hashing).chain(verifying).collect::<Vec<_>>().join(", "),
    ))
}

fn own(_: &Configuration, top: &Section<'_>) -> Result<Option<String>> {
    let masctl = Masctl::read(top)?;
    let mut summary = format!(
        "waits {} s for a lock, {} s for a statement",
        masctl.lock_timeout.as_secs(),
        masctl.statement_timeout.as_secs()
    );
    if !masctl.deny.is_empty() {
        let denied: Vec<String> = masctl.deny.iter().map(ToString::to_string).collect();
        summary.extend(["; denies ", &listed(&denied)]);
    }
    Ok(Some(summary))
}

fn clients(_: &Configuration, top: &Section<'_>) -> Result<Option<String>> {
    Ok(clients::check(top)?.map(|count| of_mas(count, "client")))
}

fn providers(_: &Configuration, top: &Section<'_>) -> Result<Option<String>> {
    Ok(providers::check(top)?.map(|count| of_mas(count, "provider")))
}

/// masctl makes no use of these sections: whom they name, it reads from the database.
fn of_mas(count: usize, noun: &str) -> String {
    format!("{}, which only MAS uses", counted(count as u64, noun))
}
