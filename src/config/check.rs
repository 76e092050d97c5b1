//! What `config check` looks at: every section that masctl uses, and the files that those name.

use std::{iter, path::PathBuf};

use super::{
    Configuration,
    database::{Database, Pem},
    matrix::Kind,
};
use crate::error::{Code, Error, Result};

/// What was found out about one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the section.
    pub section: &'static str,
    /// Whether the configuration has it; if not, defaults hold.
    pub present: bool,
    /// What it comes to, in a few words without secrets.
    pub summary: String,
}

impl Configuration {
    /// Reads every section that masctl uses, and every file that one names.
    ///
    /// # Errors
    /// One error for each section that is wrong.
    pub fn check(&self) -> Result<Vec<Finding>, Vec<Error>> {
        let mut findings = Vec::new();
        let mut errors = Vec::new();
        for (section, summary) in [
            ("database", self.check_database()),
            ("matrix", self.check_matrix()),
            ("passwords", self.check_passwords()),
        ] {
            match summary {
                Ok(summary) => findings.push(Finding {
                    section,
                    present: self.has(section),
                    summary,
                }),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(findings) } else { Err(errors) }
    }

    fn check_database(&self) -> Result<String> {
        let database = self.database()?;
        if let Database::Postgres(postgres) = &database {
            let pems = [
                ("ssl_ca_file", &postgres.ssl_ca),
                ("ssl_certificate_file", &postgres.ssl_certificate),
                ("ssl_key_file", &postgres.ssl_key),
            ];
            for (key, pem) in pems {
                if let (Some(Pem::File(path)), Some(section)) = (pem, self.section("database")?) {
                    section.read_secret(key, path)?;
                }
            }
        }
        Ok(match &database {
            Database::Embedded(_) => format!("the embedded store {}", database.display(self.environment())),
            _ => database.label(),
        })
    }

    fn check_matrix(&self) -> Result<String> {
        if !self.has("matrix") {
            let name = self.server_name().map_err(|error| match error.code() {
                Code::ConfigMissing => error,
                // The database is wrong, which its own check says.
                _ => super::matrix::absent(),
            })?;
            return Ok(format!("no homeserver; the server name is {name}"));
        }
        if let Ok(Database::Embedded(_) | Database::Sqlite(_)) = self.database()
            && !self.has_homeserver_secret()?
        {
            return Ok(format!(
                "no homeserver is asked; the server name is {}",
                self.server_name()?
            ));
        }
        let matrix = self.matrix()?;
        let kind = match matrix.kind {
            Kind::Synapse => "Synapse",
            Kind::SynapseLegacy => "Synapse (legacy)",
            Kind::SynapseReadOnly => "Synapse (read-only)",
        };
        let mut endpoint = matrix.endpoint;
        // Neither fails for a URL with a host, and without one there is nothing to hide.
        let _ = endpoint.set_username("").and_then(|()| endpoint.set_password(None));
        endpoint.set_query(None);
        Ok(format!(
            "{kind} at {endpoint}; the server name is {}",
            matrix.homeserver
        ))
    }

    fn check_passwords(&self) -> Result<String> {
        let passwords = self.passwords()?;
        let Some((first, rest)) = passwords.schemes.split_first() else {
            return Ok("disabled".to_owned());
        };
        let hashing = format!("version {} hashes with {}", first.version, first.algorithm.as_str());
        let verifying = rest
            .iter()
            .map(|scheme| format!("version {} verifies {}", scheme.version, scheme.algorithm.as_str()));
        Ok(iter::once(hashing).chain(verifying).collect::<Vec<_>>().join(", "))
    }

    /// The configuration files that were read, in the order in which they were merged.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}
