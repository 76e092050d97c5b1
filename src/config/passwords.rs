//! The section `passwords`: how passwords are hashed and how strong they must be.

use std::{collections::BTreeSet, ops::RangeInclusive};

use secrecy::{ExposeSecret, SecretSlice};

use super::section::Section;
use crate::error::Result;

/// The zxcvbn score that MAS asks for when the section does not say.
const DEFAULT_COMPLEXITY: u8 = 3;

/// What bcrypt allows.
const BCRYPT_COSTS: RangeInclusive<u32> = 4..=31;

const ALGORITHMS: [(&str, Algorithm); 3] = [
    ("argon2id", Algorithm::Argon2id),
    ("bcrypt", Algorithm::Bcrypt),
    ("pbkdf2", Algorithm::Pbkdf2),
];

/// How a password is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Argon2id.
    Argon2id,
    /// bcrypt.
    Bcrypt,
    /// PBKDF2.
    Pbkdf2,
}

impl Algorithm {
    /// The name that the configuration uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Bcrypt => "bcrypt",
            Self::Pbkdf2 => "pbkdf2",
        }
    }
}

/// One way in which passwords are, or once were, hashed.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// The number that rows refer to it by.
    pub version: u16,
    /// How it hashes.
    pub algorithm: Algorithm,
    /// Whether a password is brought to NFKC first.
    pub unicode_normalization: bool,
    /// The cost of bcrypt as a power of two; 12 if absent. No other algorithm has it. Not range-checked, as in MAS:
    /// a retired scheme only verifies.
    pub cost: Option<u32>,
    /// The pepper: the UTF-8 bytes of `secret`, or all bytes of `secret_file`, its last newline included.
    pub pepper: Option<SecretSlice<u8>>,
}

/// The section `passwords`.
#[derive(Clone, Debug)]
pub struct Passwords {
    /// Whether passwords are used at all.
    pub enabled: bool,
    /// The least zxcvbn score of a new password. Above 4 nothing passes.
    pub minimum_complexity: u8,
    /// The schemes, the highest version first: that one makes new hashes. Empty only if passwords are disabled.
    pub schemes: Vec<Scheme>,
}

impl Passwords {
    /// Reads the section from the whole configuration.
    pub(super) fn read(top: &Section<'_>) -> Result<Self> {
        let Some(section) = top.section("passwords")? else {
            return Ok(Self::default());
        };
        let enabled = section.flag("enabled");
        let minimum_complexity = section.number("minimum_complexity", 0..=u64::from(u8::MAX));
        // MAS does not look at the schemes of passwords that are disabled.
        let schemes = match enabled {
            Ok(Some(false)) => Ok(Vec::new()),
            _ => schemes(&section),
        };
        Ok(Self {
            enabled: enabled?.unwrap_or(true),
            minimum_complexity: minimum_complexity?.unwrap_or(DEFAULT_COMPLEXITY),
            schemes: schemes?,
        })
    }
}

/// Whether passwords are used at all, and the least zxcvbn score of a new one.
pub(super) fn rules(top: &Section<'_>) -> Result<(bool, u8)> {
    let Some(section) = top.section("passwords")? else {
        return Ok((true, DEFAULT_COMPLEXITY));
    };
    let enabled = section.flag("enabled");
    let minimum_complexity = section.number("minimum_complexity", 0..=u64::from(u8::MAX));
    Ok((
        enabled?.unwrap_or(true),
        minimum_complexity?.unwrap_or(DEFAULT_COMPLEXITY),
    ))
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            enabled: true,
            minimum_complexity: DEFAULT_COMPLEXITY,
            schemes: vec![default_scheme()],
        }
    }
}

fn default_scheme() -> Scheme {
    Scheme {
        version: 1,
        algorithm: Algorithm::Argon2id,
        unicode_normalization: false,
        cost: None,
        pepper: None,
    }
}

fn schemes(section: &Section<'_>) -> Result<Vec<Scheme>> {
    let Some(items) = section.list("schemes")? else {
        return Ok(vec![default_scheme()]);
    };
    if items.is_empty() {
        return Err(section.invalid(
            "schemes",
            "is empty",
            "Remove the key for one argon2id scheme, or set `passwords.enabled: false`.",
        ));
    }
    let mut versions = BTreeSet::new();
    let mut schemes = section.every(items.iter().map(|item| {
        let scheme = scheme(item)?;
        if versions.insert(scheme.version) {
            return Ok(scheme);
        }
        Err(item.invalid(
            "version",
            &format!("is {}, as that of another scheme", scheme.version),
            "Each scheme needs a version of its own. The lists of several files are joined.",
        ))
    }))?;
    schemes.sort_by_key(|scheme| std::cmp::Reverse(scheme.version));
    Ok(schemes)
}

fn scheme(section: &Section<'_>) -> Result<Scheme> {
    let version = section.number("version", 0..=u64::from(u16::MAX)).and_then(|version| {
        version.ok_or_else(|| section.missing("version", "Number the schemes: the highest version makes new hashes."))
    });
    let algorithm = section.required_choice("algorithm", &ALGORITHMS);
    let unicode_normalization = section.flag("unicode_normalization");
    let cost = section.number("cost", 0..=u64::from(u32::MAX));
    let pepper = pepper(section);
    Ok(Scheme {
        version: version?,
        algorithm: algorithm?,
        unicode_normalization: unicode_normalization?.unwrap_or(false),
        cost: cost?,
        pepper: pepper?,
    })
}

/// Refuses a cost with which no password can be hashed. MAS starts with one, and fails at the first password that is set.
pub(super) fn check_cost(passwords: &Section<'_>, hashing: &Scheme) -> Result<()> {
    let Some(cost) = hashing.cost.filter(|cost| !BCRYPT_COSTS.contains(cost)) else {
        return Ok(());
    };
    if hashing.algorithm != Algorithm::Bcrypt {
        return Ok(());
    }
    for item in passwords.list("schemes")?.unwrap_or_default() {
        if item.number("version", 0..=u64::from(u16::MAX))? == Some(hashing.version) {
            return Err(item.invalid(
                "cost",
                &format!("is {cost}, with which bcrypt hashes no password"),
                "Write a whole number from 4 to 31, or remove the key for 12.",
            ));
        }
    }
    Ok(())
}

fn pepper(section: &Section<'_>) -> Result<Option<SecretSlice<u8>>> {
    section.exclusive("secret", &["secret_file"])?;
    if let Some(secret) = section.secret("secret")? {
        return Ok(Some(secret.expose_secret().as_bytes().to_vec().into()));
    }
    let bytes = section.read_secret("secret_file")?;
    Ok(bytes.map(|bytes| bytes.to_vec().into()))
}
