//! The section `passwords`: how passwords are hashed and how strong they must be.

use secrecy::SecretSlice;

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

/// One way in which passwords are, or once were, hashed.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// The number that rows refer to it by.
    pub version: u16,
    /// How it hashes.
    pub algorithm: Algorithm,
    /// Whether a password is brought to NFKC first.
    pub unicode_normalization: bool,
    /// The cost of bcrypt as a power of two; 12 if absent. No other algorithm has it.
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
