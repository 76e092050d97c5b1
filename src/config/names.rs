//! The names of the sections.

use super::{Configuration, check, section::Section, wrong};
use crate::error::nearest;

/// The sections that MAS has, by name.
pub(super) const OF_MAS: [&str; 16] = [
    "account",
    "branding",
    "captcha",
    "clients",
    "database",
    "email",
    "experimental",
    "http",
    "matrix",
    "passwords",
    "policy",
    "rate_limiting",
    "secrets",
    "telemetry",
    "templates",
    "upstream_oauth2",
];

/// The section of masctl's own settings.
pub(super) const OWN: &str = "masctl";

/// A section that masctl passes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Its name, made fit for a message.
    pub name: String,
    /// Whether MAS has a section of this name.
    pub of_mas: bool,
    /// The section that was perhaps meant, if there is none of this name.
    pub meant: Option<&'static str>,
}

impl Configuration {
    /// The sections that are there but that masctl does not read, in the order of their names.
    #[must_use]
    pub fn unused(&self) -> Vec<Unused> {
        let top: Section<'_> = self.top();
        let unread = top.keys().filter(|name| !check::reads(name));
        unread
            .map(|name| {
                let of_mas = OF_MAS.contains(&name);
                Unused {
                    name: wrong::shown(name),
                    of_mas,
                    meant: if of_mas { None } else { meant(name) },
                }
            })
            .collect()
    }
}

/// The section that somebody most likely meant by this name.
fn meant(name: &str) -> Option<&'static str> {
    let known: Vec<_> = OF_MAS.into_iter().chain([OWN]).collect();
    nearest(name, &known)
}
