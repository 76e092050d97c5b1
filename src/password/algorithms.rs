//! The algorithms that MAS hashes passwords with, on bytes: parameters and text forms are those of MAS.

use argon2::{Argon2, Params, Version};
use argon2::{
    PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{Error as HashError, Result as HashResult},
};
use bcrypt::{BcryptError, HashParts};
use pbkdf2::Pbkdf2;
use zeroize::Zeroizing;

use crate::{
    config::Algorithm,
    error::{Code, Error, Result},
};

/// The bytes of password and pepper that bcrypt looks at.
pub(super) const BCRYPT_INPUT: usize = 72;

/// The cost of bcrypt where the configuration does not say.
const BCRYPT_COST: u32 = 12;

/// The most work that a stored hash may ask for, in each algorithm's own measure. One costs about a minute; hashes of
/// good faith cost less than a second.
const MOST_BCRYPT_COST: u32 = 20;
const MOST_PBKDF2_ROUNDS: u32 = 100_000_000;
const MOST_ARGON2_MEMORY_KIB: u32 = 4 << 20;
const MOST_ARGON2_WORK_KIB: u64 = 64 << 20;

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

/// Whether `hash` was made of `password`, with the parameters that `hash` names.
pub(super) fn verify(algorithm: Algorithm, password: &[u8], pepper: &[u8], hash: &str) -> Result<bool> {
    if algorithm == Algorithm::Bcrypt {
        let parts: HashParts = hash.parse().map_err(|_| unreadable(algorithm))?;
        if parts.get_cost() > MOST_BCRYPT_COST {
            return Err(too_expensive());
        }
        return bcrypt::verify(&*joined(password, pepper), hash).map_err(|_| unreadable(algorithm));
    }
    let hash = PasswordHash::new(hash).map_err(|_| unreadable(algorithm))?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(unreadable(algorithm));
    }
    let verified = if algorithm == Algorithm::Argon2id {
        let params = Params::try_from(&hash).map_err(|_| unreadable(algorithm))?;
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if params.m_cost() > MOST_ARGON2_MEMORY_KIB || work > MOST_ARGON2_WORK_KIB {
            return Err(too_expensive());
        }
        argon2(pepper).and_then(|argon2| argon2.verify_password(password, &hash))
    } else {
        let params = pbkdf2::Params::try_from(&hash).map_err(|_| unreadable(algorithm))?;
        if params.rounds() > MOST_PBKDF2_ROUNDS {
            return Err(too_expensive());
        }
        Pbkdf2::SHA256.verify_password(&joined(password, pepper), &hash)
    };
    match verified {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(_) => Err(unreadable(algorithm)),
    }
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

fn unreadable(algorithm: Algorithm) -> Error {
    let name = match algorithm {
        Algorithm::Argon2id => "argon2id",
        Algorithm::Bcrypt => "bcrypt",
        Algorithm::Pbkdf2 => "pbkdf2",
    };
    Error::new(
        Code::PasswordScheme,
        format!("The stored password hash is not one of `{name}`, the algorithm of its scheme"),
    )
    .help("Look at `passwords.schemes` in the configuration: the version of a scheme keeps its algorithm forever.")
}

fn too_expensive() -> Error {
    Error::new(
        Code::PasswordScheme,
        "The stored password hash asks for more work than any good one does",
    )
    .help("Set a new password for this user.")
}
