//! Passwords: hashed and verified as MAS does it, and how strong they are.
//!
//! Hashing is slow by design and blocks: callers decide where it runs.

mod algorithms;
mod strength;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

pub use self::{
    algorithms::algorithm_of,
    strength::{check_strength, strength},
};
use crate::{
    config::{Algorithm, Scheme},
    error::{Code, Error, Result},
};

/// The characters of a generated password, each one of 62: 142 bits.
pub const GENERATED_LENGTH: usize = 24;

/// The configured ways to hash passwords.
#[derive(Clone, Debug)]
pub struct Schemes {
    enabled: bool,
    schemes: Vec<Scheme>,
}

/// A new hash, as a row stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// The version of the scheme that made it.
    pub version: u16,
    /// A PHC string, or bcrypt's own form.
    pub hash: String,
    /// What of it does not count. Worth a warning.
    pub cut: Option<Cut>,
}

/// What is beyond the 72 bytes of password and pepper that bcrypt looks at, and so does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The end of the password, and all of the pepper.
    Password,
    /// The end of the pepper, or all of it.
    Pepper,
}

impl Schemes {
    /// The schemes in any order. The highest version makes new hashes, the others only verify.
    #[must_use]
    pub const fn new(enabled: bool, schemes: Vec<Scheme>) -> Self {
        Self { enabled, schemes }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// `password.disabled`; `password.scheme` if no scheme is configured, or bcrypt's cost is not from 4 to 31.
    pub fn hash(&self, password: &SecretString, salt: [u8; 16]) -> Result<Hashed> {
        self.check_enabled()?;
        let scheme = self.schemes.iter().max_by_key(|scheme| scheme.version).ok_or_else(|| {
            Error::new(Code::PasswordScheme, "No password scheme is configured")
                .help("Add one to `passwords.schemes` in the configuration, or remove the key for MAS's own.")
        })?;
        let password = scheme.prepared(password);
        let pepper = scheme.pepper();
        let hash = algorithms::hash(scheme.algorithm, password.as_bytes(), pepper, scheme.cost, salt)?;
        let cut = match (scheme.algorithm, algorithms::BCRYPT_INPUT.checked_sub(password.len())) {
            (Algorithm::Bcrypt, None) => Some(Cut::Password),
            (Algorithm::Bcrypt, Some(left)) if pepper.len() > left => Some(Cut::Pepper),
            _ => None,
        };
        let version = scheme.version;
        Ok(Hashed { version, hash, cut })
    }

    /// Whether `password` is the one that the hash in a user's row was made of, by the scheme of the row's version.
    ///
    /// # Errors
    /// `password.disabled`; `password.scheme`, which names the user, if no scheme has this version, or the hash is not
    /// one of its algorithm.
    pub fn verify(&self, username: &str, password: &SecretString, hash: &str, version: i32) -> Result<bool> {
        self.check_enabled()?;
        let known = u16::try_from(version).map_err(|_| Unverifiable::ForeignVersion(version));
        let verified = known.and_then(|version| {
            let scheme = self.schemes.iter().find(|scheme| scheme.version == version);
            let scheme = scheme.ok_or(Unverifiable::UnknownVersion(version))?;
            let prepared = scheme.prepared(password);
            algorithms::verify(scheme.algorithm, prepared.as_bytes(), scheme.pepper(), hash)
        });
        verified.map_err(|why| why.of(username).data("version", version))
    }

    fn check_enabled(&self) -> Result<()> {
        if self.enabled {
            return Ok(());
        }
        Err(disabled())
    }
}

/// Why a password cannot be checked against what a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unverifiable {
    /// The version is none that MAS can have written.
    ForeignVersion(i32),
    /// No scheme has this version.
    UnknownVersion(u16),
    /// The hash is not one of the scheme's algorithm.
    Malformed(Algorithm),
    /// Checking it would take minutes, or all memory.
    TooExpensive,
}

impl Unverifiable {
    /// The error, which names the user and never shows the hash.
    fn of(self, username: &str) -> Error {
        let (why, help) = match self {
            Self::ForeignVersion(version) => (
                format!("its version is {version}, where MAS knows 0 to 65535"),
                "Set a new password for this user: MAS cannot read this one either.",
            ),
            Self::UnknownVersion(version) => (
                format!("no scheme of version {version} is configured"),
                "Add the scheme that hashed it to `passwords.schemes` in the configuration, or set a new password.",
            ),
            Self::Malformed(algorithm) => (
                format!(
                    "its hash is not one of `{}`, the algorithm of its scheme",
                    algorithm.as_str()
                ),
                "Look at `passwords.schemes` in the configuration: the version of a scheme keeps its algorithm forever. \
                 If that is right, set a new password.",
            ),
            Self::TooExpensive => (
                "its hash asks for more work than any good one does".to_owned(),
                "Set a new password for this user.",
            ),
        };
        Error::new(
            Code::PasswordScheme,
            format!("The password of {username} cannot be checked: {why}"),
        )
        .help(help)
        .data("username", username)
    }
}

/// The error of every password operation while passwords are disabled.
#[must_use]
pub fn disabled() -> Error {
    Error::new(Code::PasswordDisabled, "Passwords are disabled in the configuration")
        .help("Set `passwords.enabled: true` in the configuration, for MAS too.")
}

impl Scheme {
    fn pepper(&self) -> &[u8] {
        self.pepper.as_ref().map_or(&[], |pepper| pepper.expose_secret())
    }

    /// The password as it is hashed: in NFKC if the scheme says so.
    fn prepared(&self, password: &SecretString) -> Zeroizing<String> {
        let password = password.expose_secret();
        if !self.unicode_normalization {
            return Zeroizing::new(password.to_owned());
        }
        // Measured first: text that grows leaves copies of itself in memory.
        let length = password.nfkc().map(char::len_utf8).sum();
        let mut normalized = Zeroizing::new(String::with_capacity(length));
        normalized.extend(password.nfkc());
        normalized
    }
}

#[cfg(test)]
mod tests;
