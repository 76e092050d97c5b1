//! What a run is granted: what its script needs, narrowed.

use super::{Capabilities, Capability, Denier, FileScope, Narrowing, Need};
use crate::error::{Code, Error, Result};

/// What a run may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    needs: Capabilities,
    narrowing: Narrowing,
    paths: Vec<GrantedPath>,
}

/// The path of a file or folder that a script needs to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedPath {
    /// What the header says of it.
    pub scope: FileScope,
    /// As it was written; `-` is standard input where it was given for a parameter.
    pub path: String,
}

impl Granted {
    /// What a script that needs this is granted. `given` says which paths were given for a parameter.
    pub fn new(needs: Capabilities, narrowing: Narrowing, given: impl Fn(&str) -> Vec<String>) -> Self {
        let mut paths = Vec::new();
        for scope in needs.files() {
            let written = match scope {
                FileScope::Below(path) => vec![path.display().to_string()],
                FileScope::Given(param) => given(param),
            };
            paths.extend(written.into_iter().map(|path| GrantedPath {
                scope: scope.clone(),
                path,
            }));
        }
        Self {
            needs,
            narrowing,
            paths,
        }
    }

    /// Whether the capability is granted: of files, for some of them.
    #[must_use]
    pub fn allow(&self, wanted: Capability) -> bool {
        self.denier(&wanted.into()).is_none()
    }

    /// Refuses what is not granted, and says who denied it.
    ///
    /// # Errors
    /// `capability.denied`.
    pub fn require(&self, wanted: Capability) -> Result<()> {
        match self.denier(&wanted.into()) {
            Some(denier) => Err(denied(&wanted.into(), denier)),
            None => Ok(()),
        }
    }

    /// The paths that the script needs, each with why it may not be read after all.
    pub fn paths(&self) -> impl Iterator<Item = (&GrantedPath, Result<()>)> {
        self.paths.iter().map(|path| {
            let need = Need::Files(path.scope.clone());
            let denied = self.denier(&need).map(|denier| denied(&need, denier));
            (path, denied.map_or(Ok(()), Err))
        })
    }

    /// Who denies it, if anybody does.
    fn denier(&self, wanted: &Need) -> Option<Denier> {
        if self.needs.include(wanted) {
            self.narrowing.denier(wanted)
        } else {
            Some(Denier::Header)
        }
    }
}

/// What a script needs, where nobody narrows it and no file is given for a parameter.
impl From<Capabilities> for Granted {
    fn from(needs: Capabilities) -> Self {
        Self::new(needs, Narrowing::default(), |_| Vec::new())
    }
}

impl<T: Into<Need>> FromIterator<T> for Granted {
    fn from_iter<I: IntoIterator<Item = T>>(needs: I) -> Self {
        needs.into_iter().collect::<Capabilities>().into()
    }
}

/// The error that the session may change nothing.
#[must_use]
pub fn only_reads() -> Error {
    Error::new(Code::CapabilityDenied, "Nothing can be changed in READ mode")
        .help("`\\mode plan` shows what an input would change, and asks; `\\mode write` changes it at once.")
        .data("denied_by", Denier::Mode.as_str())
}

/// The error that something is denied.
fn denied(wanted: &Need, denier: Denier) -> Error {
    let error = |message: String, help: String| {
        Error::new(Code::CapabilityDenied, message)
            .help(help)
            .data("capability", wanted.to_string())
            .data("denied_by", denier.as_str())
    };
    let (problem, help) = match denier {
        Denier::Header => (
            format!("it lacks `{wanted}`"),
            format!("Add `{wanted}` to `needs` in the script's header."),
        ),
        Denier::Allow => (
            format!("`--allow` leaves `{wanted}` out"),
            format!("Add `--allow {}` if it may.", wanted.whole()),
        ),
        Denier::Deny => (
            format!("`{wanted}` is denied by `--deny`"),
            "Leave `--deny` out if it may.".to_owned(),
        ),
        Denier::Configuration => (
            format!("`{wanted}` is denied by `masctl.deny` in the configuration"),
            "No script that is run with this configuration may do it.".to_owned(),
        ),
        Denier::Mode => return only_reads().data("capability", wanted.to_string()),
    };
    error(format!("The script may not do this: {problem}"), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(needs: &[&str], allow: Option<&[&str]>, deny: &[&str], configured: &[&str]) -> Granted {
        let whole = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let narrowing = Narrowing {
            allow: allow.map(|texts| texts.iter().map(|text| text.parse().unwrap()).collect()),
            deny: whole(deny),
            configured: whole(configured),
            only_read: false,
        };
        let needs = needs.iter().map(|text| text.parse::<Need>().unwrap()).collect();
        Granted::new(needs, narrowing, |param| vec![format!("{param}.csv")])
    }

    fn refusal(granted: &Granted, wanted: &str) -> String {
        match granted.require(wanted.parse().unwrap()) {
            Ok(()) => String::new(),
            Err(error) => {
                assert_eq!(error.code(), Code::CapabilityDenied);
                format!("{error}. {}", error.help_text().unwrap())
            }
        }
    }

    #[test]
    fn a_denial_says_who_denies() {
        let lone = granted(&["users:write"], None, &[], &[]);
        assert_eq!(refusal(&lone, "users:read"), "");
        assert_eq!(
            refusal(&lone, "emails:read"),
            "The script may not do this: it lacks `emails:read`. Add `emails:read` to `needs` in the script's header."
        );
        let all = &["users:write", "emails:write", "tokens:write"];
        let narrowed = granted(
            all,
            Some(&["users:write", "emails:read", "tokens:write"]),
            &["users:write"],
            &["tokens:read"],
        );
        assert_eq!(
            refusal(&narrowed, "emails:write"),
            "The script may not do this: `--allow` leaves `emails:write` out. Add `--allow emails:write` if it may."
        );
        assert_eq!(
            refusal(&narrowed, "users:write"),
            "The script may not do this: `users:write` is denied by `--deny`. Leave `--deny` out if it may."
        );
        for wanted in ["tokens:write", "tokens:read"] {
            assert_eq!(
                refusal(&narrowed, wanted),
                format!(
                    "The script may not do this: `{wanted}` is denied by `masctl.deny` in the configuration. No script that \
                     is run with this configuration may do it."
                )
            );
        }
        assert!(narrowed.allow("emails:read".parse().unwrap()));
        // What the header lacks, nobody else need deny.
        assert!(refusal(&narrowed, "jobs:read").contains("it lacks"));
    }

    #[test]
    fn narrowing_never_widens() {
        for allow in [None, Some(&["emails:write", "files:read"][..])] {
            let narrowed = granted(&["users:read"], allow, &[], &[]);
            for wanted in Capability::all().filter(|wanted| wanted.to_string() != "users:read") {
                assert!(!narrowed.allow(wanted), "{wanted}");
            }
        }
    }

    #[test]
    fn paths_are_denied_together_and_allowed_one_by_one() {
        let needs = &["files:read:/srv", "files:read:$file"];
        let open = |granted: &Granted| -> Vec<String> {
            let paths = granted.paths().filter(|(_, denied)| denied.is_ok());
            paths.map(|(path, _)| path.path.clone()).collect()
        };
        assert_eq!(open(&granted(needs, None, &[], &[])), ["/srv", "file.csv"]);
        assert_eq!(
            open(&granted(needs, Some(&["files:read:$file"]), &[], &[])),
            ["file.csv"]
        );
        assert_eq!(
            open(&granted(needs, Some(&["files:read"]), &[], &[])),
            ["/srv", "file.csv"]
        );
        for (deny, configured) in [(&["files:read"][..], &[][..]), (&[], &["files:read"])] {
            let denied = granted(needs, None, deny, configured);
            assert!(open(&denied).is_empty() && !denied.allow(Capability::FILES));
        }
    }
}
