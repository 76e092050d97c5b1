//! The algorithms that MAS hashes passwords with, on bytes: parameters and text forms are those of MAS.

use argon2::{
    Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::{
        Error as HashError, Result as HashResult,
        phc::{Output, Salt},
    },
};
use bcrypt::{BcryptError, HashParts};
use pbkdf2::{Algorithm as Pbkdf2Variant, Pbkdf2, pbkdf2_hmac};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::Unverifiable;
use crate::{
    config::Algorithm,
    error::{Code, Error, Result},
};

/// The bytes of password and pepper that bcrypt looks at.
pub(super) const BCRYPT_INPUT: usize = 72;

/// The cost of bcrypt where the configuration does not say.
const BCRYPT_COST: u32 = 12;

/// The rounds and the bytes of a PBKDF2 hash that does not name its own.
const PBKDF2_ROUNDS: u32 = 600_000;
const PBKDF2_OUTPUT: u32 = 32;

/// The most work that a stored hash may ask for, in each algorithm's own measure. One costs about a minute; hashes of
/// good faith cost less than a second.
const MOST_BCRYPT_COST: u32 = 20;
const MOST_PBKDF2_ROUNDS: u32 = 100_000_000;
const MOST_ARGON2_MEMORY_KIB: u32 = 2 << 20;
const MOST_ARGON2_WORK_KIB: u64 = 64 << 20;

/// What hashes begin with that MAS can check, and the name of what made them.
const BEGINNINGS: [(&str, &str); 9] = [
    ("$argon2id$", "argon2id"),
    ("$argon2i$", "argon2i"),
    ("$argon2d$", "argon2d"),
    ("$2a$", "bcrypt"),
    ("$2b$", "bcrypt"),
    ("$2x$", "bcrypt"),
    ("$2y$", "bcrypt"),
    ("$pbkdf2-sha256$", "pbkdf2-sha256"),
    ("$pbkdf2-sha512$", "pbkdf2-sha512"),
];

/// The name of what made a hash, as its beginning tells. `None` if MAS could not check it. Whether the rest is sound is
/// not looked at.
#[must_use]
pub fn algorithm_of(hash: &str) -> Option<&'static str> {
    let known = BEGINNINGS.iter().find(|(beginning, _)| hash.starts_with(beginning));
    known.map(|(_, name)| *name)
}

/// Hashes `password` as MAS does for a new one. `cost` is bcrypt's.
pub(super) fn hash(
    algorithm: Algorithm,
    password: &[u8],
    pepper: &[u8],
    cost: Option<u32>,
    salt: [u8; 16],
) -> Result<String> {
    match algorithm {
        Algorithm::Argon2id => argon2(pepper)
            .and_then(|argon2| argon2.hash_password_with_salt(password, &salt))
            .map(|hash| hash.to_string())
            .map_err(|error| unusable(&error.to_string())),
        Algorithm::Bcrypt => {
            let cost = cost.unwrap_or(BCRYPT_COST);
            bcrypt::hash_with_salt(&*joined(password, pepper), cost, salt)
                .map(|parts| parts.to_string())
                .map_err(|error| match error {
                    BcryptError::CostNotAllowed(cost) => {
                        unusable(&format!("the cost of bcrypt is {cost}, allowed are 4 to 31"))
                    }
                    error => unusable(&error.to_string()),
                })
        }
        Algorithm::Pbkdf2 => Pbkdf2::SHA256
            .hash_password_with_salt(&joined(password, pepper), &salt)
            .map(|hash| hash.to_string())
            .map_err(|error| unusable(&error.to_string())),
    }
}

/// Whether `hash` was made of `password`, with the variant and the parameters that `hash` names.
pub(super) fn verify(algorithm: Algorithm, password: &[u8], pepper: &[u8], hash: &str) -> Result<bool, Unverifiable> {
    let malformed = Unverifiable::Malformed(algorithm);
    if algorithm == Algorithm::Bcrypt {
        let parts: HashParts = hash.parse().map_err(|_| malformed)?;
        if parts.get_cost() > MOST_BCRYPT_COST {
            return Err(Unverifiable::TooExpensive);
        }
        return bcrypt::verify(&*joined(password, pepper), hash).map_err(|_| malformed);
    }
    let hash = PasswordHash::new(hash).map_err(|_| malformed)?;
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else {
        return Err(malformed);
    };
    if algorithm == Algorithm::Pbkdf2 {
        let (variant, rounds) = pbkdf2_parameters(&hash, expected).ok_or(malformed)?;
        if rounds > MOST_PBKDF2_ROUNDS {
            return Err(Unverifiable::TooExpensive);
        }
        // Outputs are compared in constant time.
        let made = pbkdf2(variant, &joined(password, pepper), salt, rounds, expected.len());
        return made.map(|made| made == *expected).map_err(|_| malformed);
    }
    let params = Params::try_from(&hash).map_err(|_| malformed)?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MOST_ARGON2_MEMORY_KIB || work > MOST_ARGON2_WORK_KIB {
        return Err(Unverifiable::TooExpensive);
    }
    match argon2(pepper).and_then(|argon2| argon2.verify_password(password, &hash)) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(_) => Err(malformed),
    }
}

/// The variant and the rounds that a hash names. The crate's own reading refuses fewer rounds than it advises to use,
/// which MAS does not.
fn pbkdf2_parameters(hash: &PasswordHash, expected: &Output) -> Option<(Pbkdf2Variant, u32)> {
    let variant = Pbkdf2Variant::new(hash.algorithm.as_str()).ok()?;
    let number = |name: &str, default| match hash.params.get(name) {
        Some(value) => value.decimal().ok(),
        None => Some(default),
    };
    let rounds = number("i", PBKDF2_ROUNDS)?;
    let is_whole = usize::try_from(number("l", PBKDF2_OUTPUT)?).is_ok_and(|length| length == expected.len());
    let is_known = hash.version.is_none() && hash.params.iter().all(|(name, _)| matches!(name.as_str(), "i" | "l"));
    (is_whole && is_known && rounds > 0).then_some((variant, rounds))
}

fn pbkdf2(variant: Pbkdf2Variant, password: &[u8], salt: &Salt, rounds: u32, length: usize) -> HashResult<Output> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    match variant {
        Pbkdf2Variant::Pbkdf2Sha512 => pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut bytes),
        _ => pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut bytes),
    }
    Ok(Output::new(&bytes)?)
}

/// Argon2id with MAS's parameters. The pepper is the key of Argon2 itself, not a part of the password.
fn argon2(pepper: &[u8]) -> HashResult<Argon2<'_>> {
    let params = Params::new(19_456, 2, 1, Some(32))?;
    Ok(Argon2::new_with_secret(
        pepper,
        argon2::Algorithm::Argon2id,
        Version::V0x13,
        params,
    )?)
}

/// The password followed by the pepper. Allocated once, so that no copy is left behind.
fn joined(password: &[u8], pepper: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len() + pepper.len()));
    bytes.extend_from_slice(password);
    bytes.extend_from_slice(pepper);
    bytes
}

fn unusable(reason: &str) -> Error {
    Error::new(Code::PasswordScheme, format!("The password cannot be hashed: {reason}"))
        .help("Look at `passwords.schemes` in the configuration.")
}
