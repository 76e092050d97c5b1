//! What can be said of passwords without showing any.

use super::Time;

/// The password of an account: everything but its hash.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Password {
    /// The version of the scheme that made it: 0 to 65535, if MAS wrote it.
    pub version: i32,
    /// The algorithm that the configuration gives to this version. MAS cannot check a password of a version without one.
    pub algorithm: Option<&'static str>,
    /// The algorithm that the hash itself names, if it is one that MAS knows.
    pub hashed_as: Option<&'static str>,
    /// When it was set, or hashed again by a newer scheme.
    pub created_at: Time,
    /// How many seconds ago that was.
    pub age: i64,
    /// How many earlier hashes of the account are kept.
    pub earlier: i64,
}

/// How new passwords are hashed, and how strong they must be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PasswordScheme {
    /// Whether passwords are used at all.
    pub enabled: bool,
    /// The version that new rows refer to it by; none where passwords are disabled.
    pub version: Option<u16>,
    /// The algorithm.
    pub algorithm: Option<&'static str>,
    /// Whether a password is brought to NFKC first.
    pub unicode_normalization: Option<bool>,
    /// Whether there is a pepper, which is never shown.
    pub pepper: Option<bool>,
    /// The least zxcvbn score of a new password.
    pub minimum_complexity: u8,
}
