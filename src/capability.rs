//! What a script may do: the closed list of capabilities, what a header needs of them, and what a run is granted.
//!
//! There is none for the network, for other programs or for the environment: a parameter's `env` is the only way to a
//! variable.

mod granted;
mod narrowing;

use std::{
    collections::BTreeSet,
    fmt,
    path::{Component, Path, PathBuf},
    str::FromStr,
};

pub use self::{
    granted::{Granted, GrantedPath, only_reads},
    narrowing::{Denier, Narrowing},
};
use crate::error::{Code, Error, Result, nearest, shortened};

macro_rules! resources {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A kind of thing that can be read or written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Resource {
            $($(#[doc = $doc])+ $name,)+
            /// Files of this machine, which can only be read.
            Files,
        }

        impl Resource {
            /// Every kind of MAS's data, in the order of the reference. Files are not among them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name that headers use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                    Self::Files => "files",
                }
            }

            /// What it is, a noun phrase.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii(),)+
                    Self::Files => "Files of this machine.",
                }
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

impl Access {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One thing that a script may be allowed to do, written `users:write`. `files:read` is reading files, whichever they are.
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
        write!(f, "{}:{}", self.resource.as_str(), self.access.as_str())
    }
}

impl Capability {
    /// Reading files.
    pub const FILES: Self = Self::read(Resource::Files);

    /// Every capability, in the order of the reference.
    pub fn all() -> impl Iterator<Item = Self> {
        let data = Resource::ALL.iter();
        data.flat_map(|&resource| [Self::read(resource), Self::write(resource)])
            .chain([Self::FILES])
    }

    /// The capability that is written so. Who parses is told what it is where it is none, which takes far longer.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let (resource, access) = text.split_once(':')?;
        Self::all().find(|known| known.resource.as_str() == resource && known.access.as_str() == access)
    }

    /// Whether nobody who is denied this may do the other: who may not read may not write either.
    #[must_use]
    pub fn denies(self, other: Self) -> bool {
        self.resource == other.resource && (self.access == Access::Read || other.access == Access::Write)
    }
}

impl FromStr for Capability {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::named(text).ok_or_else(|| unknown(text))
    }
}

/// Which files a script may read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileScope {
    /// This file, or this folder with all below it. The path is absolute.
    Below(PathBuf),
    /// What was given for this parameter of type `path`.
    Given(String),
}

impl FileScope {
    /// Reads what stands after `files:read:`.
    fn of(text: &str) -> Result<Self> {
        if let Some(param) = text.strip_prefix('$') {
            return Ok(Self::Given(param.to_owned()));
        }
        let path = Path::new(text);
        if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
            let message = format!(
                "`files:read:{}` names no absolute path without `..`",
                shortened(text, 80)
            );
            return Err(Error::new(Code::ArgumentInvalid, message).help(WHICH_FILES));
        }
        Ok(Self::Below(path.components().collect()))
    }
}

impl fmt::Display for FileScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(path) => write!(f, "files:read:{}", path.display()),
            Self::Given(param) => write!(f, "files:read:${param}"),
        }
    }
}

/// What says which files.
const WHICH_FILES: &str = "Write `files:read:/srv/import` for a file or for a folder with all below it, or \
                           `files:read:$param` for what a parameter of type `path` is given.";

/// What a header needs: a capability, where it is reading files, of which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A capability as a whole.
    Whole(Capability),
    /// Reading some files.
    Files(FileScope),
}

impl Need {
    /// Refuses to need files without saying which.
    ///
    /// # Errors
    /// `argument.invalid`.
    pub fn exact(self) -> Result<Self> {
        if self == Self::Whole(Capability::FILES) {
            let message = "`files:read` does not say which files";
            return Err(Error::new(Code::ArgumentInvalid, message).help(WHICH_FILES));
        }
        Ok(self)
    }

    /// The capability as a whole that it is part of.
    #[must_use]
    pub fn whole(&self) -> Capability {
        match self {
            Self::Whole(capability) => *capability,
            Self::Files(_) => Capability::FILES,
        }
    }

    /// Whether who may do this may do the other. Writing includes reading.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole(granted), Self::Whole(wanted)) => {
                granted.resource == wanted.resource && granted.access >= wanted.access
            }
            (Self::Whole(granted), Self::Files(_)) => *granted == Capability::FILES,
            (Self::Files(granted), Self::Files(wanted)) => granted == wanted,
            (Self::Files(_), Self::Whole(wanted)) => *wanted == Capability::FILES,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(capability) => capability.fmt(f),
            Self::Files(scope) => scope.fmt(f),
        }
    }
}

impl FromStr for Need {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.strip_prefix("files:read:") {
            Some(scope) => FileScope::of(scope).map(Self::Files),
            None => text.parse().map(Self::Whole),
        }
    }
}

impl From<Capability> for Need {
    fn from(capability: Capability) -> Self {
        Self::Whole(capability)
    }
}

/// The error that there is no such capability, which names those that there are.
fn unknown(text: &str) -> Error {
    let known: Vec<String> = Capability::all().map(|known| known.to_string()).collect();
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let resources: Vec<_> = Resource::ALL.iter().map(|resource| resource.as_str()).collect();
    let help = match nearest(text, &names) {
        _ if text.starts_with("files:") => {
            format!("Files can only be read, and what a script returns is printed. {WHICH_FILES}")
        }
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!(
            "A capability is a resource with `:read` or `:write`; the resources are {}. There is also `files:read:` with \
             a path.",
            resources.join(", ")
        ),
    };
    let message = format!("There is no capability `{}`", shortened(text, 80));
    Error::new(Code::ArgumentInvalid, message).help(help)
}

/// What a script needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<Need>);

impl Capabilities {
    /// What a script without `needs` may do: read all of MAS's data.
    #[must_use]
    pub fn read_only() -> Self {
        Resource::ALL
            .iter()
            .map(|&resource| Capability::read(resource))
            .collect()
    }

    /// All that can be asked for, every file among it: for the inputs of a session, which the operator writes themselves.
    #[must_use]
    pub fn of_session() -> Self {
        let files = Need::Files(FileScope::Below("/".into()));
        Self::all().0.into_iter().chain([files]).collect()
    }

    /// Adds one.
    pub fn add(&mut self, need: Need) {
        self.0.insert(need);
    }

    /// Everything but files, for a test on its throw-away store.
    #[must_use]
    pub fn all() -> Self {
        Resource::ALL
            .iter()
            .map(|&resource| Capability::write(resource))
            .collect()
    }

    /// Whether the capability is among them: of files, whether it is for some. `x:write` includes `x:read`.
    #[must_use]
    pub fn allow(&self, wanted: Capability) -> bool {
        self.include(&wanted.into())
    }

    /// Whether it is among them.
    #[must_use]
    pub fn include(&self, wanted: &Need) -> bool {
        self.0.iter().any(|need| need.includes(wanted))
    }

    /// Whether nothing can be changed with them. Reading a file changes nothing.
    #[must_use]
    pub fn only_read(&self) -> bool {
        self.0.iter().all(|need| need.whole().access == Access::Read)
    }

    /// Each of them, in the order of the reference; files are last.
    pub fn iter(&self) -> impl Iterator<Item = &Need> {
        self.0.iter()
    }

    /// The files that may be read.
    pub fn files(&self) -> impl Iterator<Item = &FileScope> {
        self.0.iter().filter_map(|need| match need {
            Need::Files(scope) => Some(scope),
            Need::Whole(_) => None,
        })
    }
}

impl<T: Into<Need>> FromIterator<T> for Capabilities {
    fn from_iter<I: IntoIterator<Item = T>>(needs: I) -> Self {
        Self(needs.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_nothing_else() {
        let granted: Capabilities = [Capability::write(Resource::Users)].into_iter().collect();
        assert!(granted.allow(Capability::read(Resource::Users)));
        assert!(granted.allow(Capability::write(Resource::Users)));
        assert!(!granted.allow(Capability::read(Resource::Emails)));
        assert!(!granted.only_read());
        assert!(Capabilities::read_only().only_read());
    }

    #[test]
    fn a_capability_is_known_by_what_it_is_written_as() {
        for known in Capability::all() {
            assert_eq!(Capability::named(&known.to_string()), Some(known));
        }
        for text in [
            "users",
            "users:",
            "users:admin",
            "files:write",
            "files:read:/srv",
            ":read",
        ] {
            assert_eq!(Capability::named(text), None, "{text}");
        }
    }

    #[test]
    fn an_unknown_capability_names_the_known_ones() {
        let refused = |text: &str| {
            let error = text.parse::<Need>().and_then(Need::exact).unwrap_err();
            format!("{error}: {}", error.help_text().unwrap())
        };
        let expected = "There is no capability `user:write`: Did you mean `users:write`?";
        assert_eq!(refused("user:write"), expected);
        assert!(refused("network").contains("the resources are users, emails, "));
        assert!(refused("users:admin").starts_with("There is no capability `users:admin`: "));
        assert!(refused("files:write").contains("Files can only be read"));
        assert!(refused("files:write:/srv").contains("Files can only be read"));
        assert!(refused("files:read").starts_with("`files:read` does not say which files: Write "));
        for path in ["", "srv", "./srv", "/srv/../etc", "/..", "~/x"] {
            let message = format!("`files:read:{path}` names no absolute path without `..`: ");
            assert!(refused(&format!("files:read:{path}")).starts_with(&message));
        }
        assert!(refused(&"x".repeat(500)).len() < 400);
    }

    #[test]
    fn every_capability_is_written_as_it_is_read() {
        let scoped = ["files:read:/srv/import", "files:read:/", "files:read:$file"].map(str::to_owned);
        for text in Capability::all().map(|known| known.to_string()).chain(scoped) {
            assert_eq!(text.parse::<Need>().unwrap().to_string(), text);
        }
        let tidy: Need = "files:read://srv/./import/".parse().unwrap();
        assert_eq!(tidy.to_string(), "files:read:/srv/import");
    }

    #[test]
    fn files_are_read_and_never_implied() {
        let file: Need = "files:read:/srv".parse().unwrap();
        let granted: Capabilities = [file.clone()].into_iter().collect();
        assert!(granted.only_read() && granted.allow(Capability::FILES));
        assert!(!granted.allow(Capability::read(Resource::Users)));
        assert!(!Capabilities::read_only().include(&file) && !Capabilities::read_only().allow(Capability::FILES));
        assert!(!granted.include(&"files:read:/srv/x".parse().unwrap()));
    }

    #[test]
    fn who_may_not_read_may_not_write() {
        let [read, write] = [Capability::read(Resource::Users), Capability::write(Resource::Users)];
        assert!(read.denies(read) && read.denies(write) && write.denies(write));
        assert!(!write.denies(read) && !read.denies(Capability::read(Resource::Emails)));
    }
}
