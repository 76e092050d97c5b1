//! Passwords: hashed and verified as MAS does it, and how strong they are.
//!
//! Hashing is slow by design and blocks: callers decide where it runs.

mod algorithms;
mod strength;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

pub use self::strength::{check_strength, strength};
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
    /// Whether bcrypt ignored what is beyond its 72 bytes of password and pepper. Worth a warning.
    pub cut: bool,
}

impl Schemes {
    /// The schemes in any order. The highest version makes new hashes, the others only verify.
    #[must_use]
    pub const fn new(enabled: bool, schemes: Vec<Scheme>) -> Self {
        Self { enabled, schemes }
    }

    /// Whether passwords are used at all.
    #[must_use]
    pub const fn enabled(&self) -> bool {
        self.enabled
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
        let cut = scheme.algorithm == Algorithm::Bcrypt && password.len() + pepper.len() > algorithms::BCRYPT_INPUT;
        let version = scheme.version;
        Ok(Hashed { version, hash, cut })
    }

    /// Whether `password` is the one that `hash` was made of, by the scheme of this version.
    ///
    /// # Errors
    /// `password.disabled`; `password.scheme` if no scheme has this version, or the hash is not one of its algorithm.
    pub fn verify(&self, password: &SecretString, hash: &str, version: u16) -> Result<bool> {
        self.check_enabled()?;
        let scheme = self
            .schemes
            .iter()
            .find(|scheme| scheme.version == version)
            .ok_or_else(|| {
                Error::new(
                    Code::PasswordScheme,
                    format!("No password scheme of version {version} is configured"),
                )
                .help("Add the scheme that hashed this password to `passwords.schemes`, or set a new password.")
                .data("version", version)
            })?;
        algorithms::verify(
            scheme.algorithm,
            scheme.prepared(password).as_bytes(),
            scheme.pepper(),
            hash,
        )
    }

    fn check_enabled(&self) -> Result<()> {
        if self.enabled {
            return Ok(());
        }
        Err(disabled())
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
