//! What can go wrong, as data: a code for scripts, a sentence for people, and where it happened.

mod sentence;

use std::{error::Error as StdError, fmt, ops::Range, sync::Arc};

use serde_json::{Map, Value};

pub use self::sentence::{counted, listed, nearest, one_of, shortened};

/// The result of everything in masctl that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An enum whose members are written as one word each, and explained by their doc comments.
macro_rules! words {
    ($(#[doc = $what:literal])+ $kind:ident: $($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        $(#[doc = $what])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $kind { $($(#[doc = $doc])+ $name,)+ }

        impl $kind {
            /// Each of them, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// How it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What it means, as its doc comment says.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Why something failed. The text of a code is an interface: scripts compare it, so it is never renamed.
    Code:
    /// An argument has a value that its type does not allow.
    ArgumentInvalid = "argument.invalid",
    /// A needed argument was not given.
    ArgumentMissing = "argument.missing",
    /// A defect of masctl itself.
    Bug = "bug",
    /// The script uses a capability that its header does not ask for.
    CapabilityDenied = "capability.denied",
    /// No OAuth 2.0 client has this id.
    ClientNotFound = "client.not_found",
    /// The answer to COMMIT was lost: the changes may or may not be there.
    CommitUnknown = "commit.unknown",
    /// The configuration has a wrong value, or one that excludes another.
    ConfigInvalid = "config.invalid",
    /// A configuration file, or a part of the configuration, is missing.
    ConfigMissing = "config.missing",
    /// Another transaction held a lock for too long, or two waited for each other.
    DatabaseBusy = "database.busy",
    /// The connection to the database was lost.
    DatabaseLost = "database.lost",
    /// The database answered a statement with an error.
    DatabaseFailed = "database.failed",
    /// The database is reached through a pooler in transaction mode, which MAS and masctl do not work behind.
    DatabasePooled = "database.pooled",
    /// The database server refuses to write: it is a standby, or set so.
    DatabaseReadOnly = "database.read_only",
    /// The database refuses this user, password or database name, or the user lacks a right.
    DatabaseRefused = "database.refused",
    /// The database does not answer.
    DatabaseUnreachable = "database.unreachable",
    /// `masctl doctor` found something wrong.
    DoctorWrong = "doctor.wrong",
    /// Several users have this e-mail address.
    EmailAmbiguous = "email.ambiguous",
    /// The e-mail address is not one.
    EmailInvalid = "email.invalid",
    /// There is no such e-mail address, or the user does not have it.
    EmailNotFound = "email.not_found",
    /// Another user has this e-mail address.
    EmailTaken = "email.taken",
    /// A file cannot be read.
    FileUnreadable = "file.unreadable",
    /// A file cannot be written.
    FileUnwritable = "file.unwritable",
    /// A script's header does not follow the grammar.
    HeaderInvalid = "header.invalid",
    /// The homeserver answered with an error.
    HomeserverFailed = "homeserver.failed",
    /// The homeserver refuses masctl's secret.
    HomeserverRefused = "homeserver.refused",
    /// The homeserver does not answer.
    HomeserverUnreachable = "homeserver.unreachable",
    /// The homeserver kind cannot do this.
    HomeserverUnsupported = "homeserver.unsupported",
    /// The person at the terminal gave up.
    InputAborted = "input.aborted",
    /// Nobody can be asked: this is not a terminal.
    InputNotInteractive = "input.not_interactive",
    /// The payload of the job is not what its queue takes.
    JobInvalid = "job.invalid",
    /// The job has not failed.
    JobNotFailed = "job.not_failed",
    /// No job has this id.
    JobNotFound = "job.not_found",
    /// The failed job was retried already.
    JobRetried = "job.retried",
    /// No link of this id, or to this upstream account of this user, is there.
    LinkNotFound = "link.not_found",
    /// The upstream account is linked to another user.
    LinkTaken = "link.taken",
    /// Passwords are disabled in the configuration.
    PasswordDisabled = "password.disabled",
    /// The configured password scheme cannot be used.
    PasswordScheme = "password.scheme",
    /// The password is too weak.
    PasswordWeak = "password.weak",
    /// What was agreed to is not what would be done now.
    PlanChanged = "plan.changed",
    /// The policy data is no JSON object, or too large.
    PolicyInvalid = "policy.invalid",
    /// The latest policy data is newer than this machine's clock: what is set now would not be in force.
    PolicyNewer = "policy.newer",
    /// No policy data has this id.
    PolicyNotFound = "policy.not_found",
    /// The upstream provider is disabled.
    ProviderDisabled = "provider.disabled",
    /// No upstream provider has this id.
    ProviderNotFound = "provider.not_found",
    /// Ctrl-C or SIGTERM stopped the run.
    RunInterrupted = "run.interrupted",
    /// Nobody may be asked while a transaction is open.
    RunWriting = "run.writing",
    /// A newer MAS has changed the database: it lacks a column that masctl needs.
    SchemaChanged = "schema.changed",
    /// The tables are MAS's to migrate.
    SchemaForeign = "schema.foreign",
    /// MAS is migrating the database at this moment.
    SchemaMigrating = "schema.migrating",
    /// The database has no MAS tables.
    SchemaMissing = "schema.missing",
    /// The database was migrated by an older MAS than masctl needs.
    SchemaOutdated = "schema.outdated",
    /// A script of this name is there already, or ships.
    ScriptExists = "script.exists",
    /// The script did something that Rhai refuses.
    ScriptFailed = "script.failed",
    /// The file is no command: its name cannot be one, or another script has it.
    ScriptIgnored = "script.ignored",
    /// The module cannot be imported: it is outside of the script's folder, or modules import each other in a circle.
    ScriptImport = "script.import",
    /// The check found a mistake in the script, which was not run for it.
    ScriptInvalid = "script.invalid",
    /// The script went over a limit of size or depth.
    ScriptLimit = "script.limit",
    /// No script or module has this name.
    ScriptNotFound = "script.not_found",
    /// The script cannot be parsed.
    ScriptSyntax = "script.syntax",
    /// Everybody can change the script or its folder, so that it is not run.
    ScriptUntrusted = "script.untrusted",
    /// What is to be kept is not an active session, or is another account's.
    SessionNotActive = "session.not_active",
    /// No session has this id.
    SessionNotFound = "session.not_found",
    /// The embedded store cannot be opened.
    StoreUnusable = "store.unusable",
    /// What a test says must be true is not.
    TestFailed = "test.failed",
    /// No test is where tests were looked for.
    TestMissing = "test.missing",
    /// What only a test can do is done outside of one.
    TestOutside = "test.outside",
    /// A registration token of this text exists.
    TokenExists = "token.exists",
    /// No token has this id or text.
    TokenNotFound = "token.not_found",
    /// The access token is revoked, or another one has taken its place.
    TokenRevoked = "token.revoked",
    /// The token is of a kind that this cannot be done with.
    TokenUnsupported = "token.unsupported",
    /// A user of this name exists.
    UserExists = "user.exists",
    /// The MXID belongs to another server.
    UserForeign = "user.foreign",
    /// The user is locked or deactivated.
    UserInactive = "user.inactive",
    /// A username cannot be changed.
    UsernameFixed = "username.fixed",
    /// The username cannot be used.
    UsernameInvalid = "username.invalid",
    /// The homeserver says that the username is not available.
    UsernameUnavailable = "username.unavailable",
    /// No user has this name, id or e-mail address.
    UserNotFound = "user.not_found",
    /// A value that a script gave to a primitive is none that it takes.
    ValueInvalid = "value.invalid",
    /// Another worker serves this database.
    WorkerExists = "worker.exists",
    /// Another program has declared this worker dead.
    WorkerExpired = "worker.expired",
}

impl Code {
    /// Whether a script's `catch` may handle it. What ends a run (a denial, an interrupt, a lost connection) may not be
    /// swallowed.
    #[must_use]
    pub const fn catchable(self) -> bool {
        !matches!(
            self,
            Self::Bug
                | Self::CapabilityDenied
                | Self::CommitUnknown
                | Self::DatabaseBusy
                | Self::DatabaseLost
                | Self::DatabasePooled
                | Self::DatabaseReadOnly
                | Self::PlanChanged
                | Self::RunInterrupted
                | Self::SchemaChanged
                | Self::SchemaMigrating
                | Self::SchemaOutdated
                | Self::ScriptLimit
        )
    }

    /// Whether what is done to the next account would fail of the same: nothing of a catchable error that the person, the
    /// configuration, the database or the homeserver as a whole is the cause of is about one account.
    #[must_use]
    pub const fn concerns_all(self) -> bool {
        let is_elsewhere = !self.concerns_the_script() && !matches!(self, Self::HomeserverFailed);
        is_elsewhere || !self.catchable() || matches!(self, Self::PasswordDisabled | Self::PasswordScheme)
    }

    /// Whether the line of the script that it happened in tells a reader anything: it does not where the person, the
    /// configuration, the database or the homeserver is the cause.
    #[must_use]
    pub const fn concerns_the_script(self) -> bool {
        !matches!(
            self,
            Self::ArgumentMissing
                | Self::CommitUnknown
                | Self::ConfigInvalid
                | Self::ConfigMissing
                | Self::DatabaseBusy
                | Self::DatabaseLost
                | Self::DatabasePooled
                | Self::DatabaseReadOnly
                | Self::DatabaseRefused
                | Self::DatabaseUnreachable
                | Self::DoctorWrong
                | Self::FileUnreadable
                | Self::FileUnwritable
                | Self::HomeserverFailed
                | Self::HomeserverRefused
                | Self::HomeserverUnreachable
                | Self::InputAborted
                | Self::InputNotInteractive
                | Self::PlanChanged
                | Self::RunInterrupted
                | Self::SchemaChanged
                | Self::SchemaForeign
                | Self::SchemaMigrating
                | Self::SchemaMissing
                | Self::SchemaOutdated
                | Self::StoreUnusable
                | Self::WorkerExists
                | Self::WorkerExpired
        )
    }

    /// The exit status of a command that ends in this code: 2 for usage, 130 for an interrupt, else 1.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::ArgumentInvalid | Self::ArgumentMissing => 2,
            Self::RunInterrupted => 130,
            _ => 1,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in a text: a script, a header, a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// What the text is called, usually a path.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// The bytes meant.
    pub span: Range<usize>,
}

impl Excerpt {
    /// Marks `span` in `text`; a span outside of the text is moved to its end.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>, span: Range<usize>) -> Self {
        let text = text.into();
        let end = span.end.min(text.len());
        let start = span.start.min(end);
        Self {
            name: name.into(),
            text,
            span: start..end,
        }
    }

    /// The line and column of the start, both from 1, the column in characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.text.as_bytes()[..self.span.start];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = before.split(|&byte| byte == b'\n').count();
        let column = 1 + String::from_utf8_lossy(&before[line_start..]).chars().count();
        (line, column)
    }
}

/// Something that failed. Its message is one line without secrets, fit for a person.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: String,
    help: Option<String>,
    data: Map<String, Value>,
    /// Where it happened, then the callers outward.
    excerpts: Vec<Excerpt>,
    /// The errors that it consists of, if it is several.
    parts: Vec<Error>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this code. The message is what line 1 shows after `Error: `.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            help: None,
            data: Map::new(),
            excerpts: Vec::new(),
            parts: Vec::new(),
            source: None,
        }))
    }

    /// Says it in other words.
    #[must_use]
    pub fn reworded(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds a value for scripts and JSON. Never a secret.
    #[must_use]
    pub fn data(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.data.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a place: first where it happened, then each caller outward.
    #[must_use]
    pub fn at(mut self, excerpt: Excerpt) -> Self {
        self.0.excerpts.push(excerpt);
        self
    }

    /// Says that it consists of several errors, which are shown one below the other.
    #[must_use]
    pub fn with_parts(mut self, parts: Vec<Self>) -> Self {
        self.0.parts = parts;
        self
    }

    /// Keeps the cause for `-v`. Only for causes that hold no secret.
    #[must_use]
    pub fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Why, for programs.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Why, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    #[must_use]
    pub fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Values for scripts and JSON.
    #[must_use]
    pub fn values(&self) -> &Map<String, Value> {
        &self.0.data
    }

    /// The errors that it consists of, if it is several.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        &self.0.parts
    }

    /// Where it happened, then the callers outward. Empty if no text is to blame.
    #[must_use]
    pub fn excerpts(&self) -> &[Excerpt] {
        &self.0.excerpts
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_read_noun_dot_problem() {
        let texts: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL.iter().filter(|&&code| code != Code::Bug) {
            assert_eq!(code.as_str().split('.').count(), 2, "{code}");
        }
    }

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let excerpt = Excerpt::new("x", "á\nñandú = 1", 8..9);
        assert_eq!(excerpt.line_and_column(), (2, 5));
        assert_eq!(Excerpt::new("x", "ab", 9..12).line_and_column(), (1, 3));
    }
}
