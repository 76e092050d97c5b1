//! Tokens: compatibility tokens for Matrix clients and bots, personal access tokens, and registration tokens.

pub mod access;
mod compatibility;
mod personal;
pub mod registration;
mod rotation;

use chrono::Duration;

pub use self::{
    compatibility::{CompatibilityToken, NewCompatibilityToken, issue_compatibility},
    personal::{NewPersonalToken, PersonalToken, issue_personal},
    registration::{IssuedRegistrationToken, NewRegistrationToken, issue_registration},
    rotation::{Lifetime, RotatedToken, rotate},
};
use super::Deed;
use crate::{
    error::{Code, Error, Result},
    model::{Time, User},
};

/// When a token expires that is made now. MAS counts the seconds in 32 bits.
fn expiry(now: Time, seconds: i64) -> Result<Time> {
    let whole = u32::try_from(seconds).ok();
    whole
        .and_then(|seconds| now.checked_add_signed(Duration::seconds(seconds.into())))
        .ok_or_else(|| {
            Error::new(
                Code::ValueInvalid,
                format!("A token expires in 0 to {} seconds, not in {seconds}", u32::MAX),
            )
        })
}

/// Says that a token which was just made is of no use yet.
fn note_lock(deed: &mut Deed<'_>, user: &User) {
    if user.locked_at.is_some() {
        deed.note(format!(
            "{} is locked: the token does not work before it is unlocked",
            user.username
        ));
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_token_expires_in_as_many_seconds_as_mas_counts() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(expiry(now, 0).unwrap(), now);
        assert_eq!(expiry(now, u32::MAX.into()).unwrap().timestamp(), 4_294_967_295);
        for seconds in [-1, i64::from(u32::MAX) + 1, i64::MAX, i64::MIN] {
            let error = expiry(now, seconds).unwrap_err();
            assert_eq!(error.code(), Code::ValueInvalid);
            assert_eq!(
                error.message(),
                format!("A token expires in 0 to 4294967295 seconds, not in {seconds}")
            );
        }
    }
}
