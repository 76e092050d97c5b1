//! What a script may do: the closed list of capabilities, and the set that a run is granted.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::error::{Code, Error, Result};

macro_rules! resources {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A kind of thing in MAS that can be read or written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Resource { $($(#[doc = $doc])+ $name,)+ }

        impl Resource {
            /// Every resource, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name that headers use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What it is, a noun phrase.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

resources! {
    /// Accounts.
    Users = "users",
    /// E-mail addresses of accounts.
    Emails = "emails",
    /// Password hashes.
    Passwords = "passwords",
    /// Sessions of all kinds.
    Sessions = "sessions",
    /// Access and registration tokens.
    Tokens = "tokens",
    /// Links between accounts and upstream providers.
    Links = "links",
    /// Upstream providers.
    Providers = "providers",
    /// Data of MAS's policy.
    Policy = "policy",
    /// OAuth 2.0 clients.
    Clients = "clients",
    /// The job queue.
    Jobs = "jobs",
    /// The homeserver, as it can be asked.
    Homeserver = "homeserver",
}

/// Reading, or writing, which includes reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Look at it.
    Read,
    /// Change it.
    Write,
}

/// One thing that a script may be allowed to do, written `users:write`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability {
    /// On what.
    pub resource: Resource,
    /// How.
    pub access: Access,
}

impl Capability {
    /// Looking at a resource.
    #[must_use]
    pub const fn read(resource: Resource) -> Self {
        Self {
            resource,
            access: Access::Read,
        }
    }

    /// Changing a resource.
    #[must_use]
    pub const fn write(resource: Resource) -> Self {
        Self {
            resource,
            access: Access::Write,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        write!(f, "{}:{access}", self.resource.as_str())
    }
}

impl FromStr for Capability {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = text.split_once(':').and_then(|(resource, access)| {
            let resource = *Resource::ALL.iter().find(|known| known.as_str() == resource)?;
            match access {
                "read" => Some(Self::read(resource)),
                "write" => Some(Self::write(resource)),
                _ => None,
            }
        });
        found.ok_or_else(|| {
            let known: Vec<_> = Resource::ALL.iter().map(|resource| resource.as_str()).collect();
            Error::new(Code::HeaderInvalid, format!("There is no capability `{text}`")).help(format!(
                "A capability is a resource with `:read` or `:write`; the resources are {}.",
                known.join(", ")
            ))
        })
    }
}

/// The capabilities of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    /// What a script without `needs` may do: read all of MAS's data.
    #[must_use]
    pub fn read_only() -> Self {
        Self(
            Resource::ALL
                .iter()
                .map(|&resource| Capability::read(resource))
                .collect(),
        )
    }

    /// Everything, for a test on its throw-away store.
    #[must_use]
    pub fn all() -> Self {
        Self(
            Resource::ALL
                .iter()
                .map(|&resource| Capability::write(resource))
                .collect(),
        )
    }

    /// Whether the capability is granted. `x:write` includes `x:read`.
    #[must_use]
    pub fn allow(&self, wanted: Capability) -> bool {
        self.0.contains(&wanted) || self.0.contains(&Capability::write(wanted.resource))
    }

    /// Each of them, in the order of the reference.
    pub fn iter(&self) -> impl Iterator<Item = Capability> {
        self.0.iter().copied()
    }

    /// Whether nothing can be changed with them.
    #[must_use]
    pub fn only_read(&self) -> bool {
        self.0.iter().all(|capability| capability.access == Access::Read)
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<T: IntoIterator<Item = Capability>>(capabilities: T) -> Self {
        Self(capabilities.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_nothing_else() {
        let granted: Capabilities = ["users:write".parse().unwrap()].into_iter().collect();
        assert!(granted.allow(Capability::read(Resource::Users)));
        assert!(granted.allow(Capability::write(Resource::Users)));
        assert!(!granted.allow(Capability::read(Resource::Emails)));
        assert!(!granted.only_read());
        assert!(Capabilities::read_only().only_read());
    }

    #[test]
    fn an_unknown_capability_names_the_known_ones() {
        let error = "user:write".parse::<Capability>().unwrap_err();
        assert_eq!(error.message(), "There is no capability `user:write`");
        assert!(error.help_text().unwrap().contains("users, emails"));
        assert!("users:admin".parse::<Capability>().is_err());
    }
}
