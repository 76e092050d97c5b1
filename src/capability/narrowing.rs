//! What is taken from what a script needs: by `--allow`, by `--deny`, and by `masctl.deny` in the configuration.

use super::{Access, Capabilities, Capability, Need};
use crate::error::{Code, Error, Result, listed};

/// Who has denied something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denier {
    /// The script's header does not need it.
    Header,
    /// It is not among what `--allow` leaves.
    Allow,
    /// `--deny` names it.
    Deny,
    /// `masctl.deny` names it.
    Configuration,
    /// The session only reads.
    Mode,
}

impl Denier {
    /// As messages and JSON name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "needs",
            Self::Allow => "--allow",
            Self::Deny => "--deny",
            Self::Configuration => "masctl.deny",
            Self::Mode => "mode",
        }
    }
}

/// What narrows the capabilities of a run. It never widens them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// What is left of them, if something is said of that.
    pub allow: Option<Vec<Need>>,
    /// What the command line takes from them.
    pub deny: Vec<Capability>,
    /// What the configuration takes from them.
    pub configured: Vec<Capability>,
    /// Whether the mode of the session takes all that changes something.
    pub only_read: bool,
}

impl Narrowing {
    /// Refuses to allow what a script does not need. `name` is what the script is called.
    ///
    /// # Errors
    /// `argument.invalid`.
    pub fn check(&self, needs: &Capabilities, name: &str) -> Result<()> {
        let is_needed = |wanted: &&Need| needs.include(wanted);
        let Some(wanted) = self.allow.iter().flatten().find(|wanted| !is_needed(wanted)) else {
            return Ok(());
        };
        let all: Vec<String> = needs.iter().map(|need| format!("`{need}`")).collect();
        let help = match needs {
            needs if *needs == Capabilities::read_only() => "It needs to read MAS's data, and nothing else.".to_owned(),
            _ if all.is_empty() => "It needs nothing.".to_owned(),
            _ => format!("It needs {}.", listed(&all)),
        };
        let message = format!("`--allow {wanted}` allows what `{name}` does not need");
        Err(Error::new(Code::ArgumentInvalid, message)
            .help(help)
            .data("capability", wanted.to_string()))
    }

    /// Who denies it, of those that narrow, if anybody does.
    #[must_use]
    pub(super) fn denier(&self, wanted: &Need) -> Option<Denier> {
        let denied_by = |denied: &[Capability]| denied.iter().any(|denied| denied.denies(wanted.whole()));
        let is_left = |allow: &Vec<Need>| allow.iter().any(|allowed| allowed.includes(wanted));
        if denied_by(&self.configured) {
            Some(Denier::Configuration)
        } else if denied_by(&self.deny) {
            Some(Denier::Deny)
        } else if self.allow.as_ref().is_some_and(|allow| !is_left(allow)) {
            Some(Denier::Allow)
        } else if self.only_read && wanted.whole().access == Access::Write {
            Some(Denier::Mode)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(texts: &[&str]) -> Capabilities {
        texts.iter().map(|text| text.parse::<Need>().unwrap()).collect()
    }

    fn allowing(texts: &[&str]) -> Narrowing {
        Narrowing {
            allow: Some(texts.iter().map(|text| text.parse().unwrap()).collect()),
            ..Narrowing::default()
        }
    }

    #[test]
    fn only_what_is_needed_can_be_allowed() {
        let needed = needs(&["users:write", "files:read:/srv", "files:read:$file"]);
        for allowed in [
            "users:write",
            "users:read",
            "files:read",
            "files:read:/srv",
            "files:read:$file",
        ] {
            assert!(allowing(&[allowed]).check(&needed, "x").is_ok(), "{allowed}");
        }
        for refused in [
            "emails:read",
            "files:read:/srv/import",
            "files:read:/",
            "files:read:$other",
        ] {
            let error = allowing(&["users:read", refused]).check(&needed, "x").unwrap_err();
            assert_eq!(
                error.message(),
                format!("`--allow {refused}` allows what `x` does not need")
            );
            assert_eq!(
                error.help_text(),
                Some("It needs `users:write`, `files:read:/srv` and `files:read:$file`.")
            );
            assert_eq!(error.code().exit_status(), 2);
        }
        let error = allowing(&["users:write"])
            .check(&Capabilities::read_only(), "x")
            .unwrap_err();
        assert_eq!(
            error.help_text(),
            Some("It needs to read MAS's data, and nothing else.")
        );
        let error = allowing(&["users:read"]).check(&needs(&[]), "x").unwrap_err();
        assert_eq!(error.help_text(), Some("It needs nothing."));
    }
}
