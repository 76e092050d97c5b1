//! How hard a password is to guess, by zxcvbn as MAS uses it.

use secrecy::{ExposeSecret, SecretString};
use zxcvbn::zxcvbn;

use crate::error::{Code, Error, Result};

/// What zxcvbn gives to a password that it cannot tell from a random one.
const HIGHEST: u8 = 4;

/// How hard the password is to guess: zxcvbn's score from 0 to 4. Only its first 100 characters count.
///
/// The password is looked at as it is, before any normalization.
#[must_use]
pub fn strength(password: &SecretString) -> u8 {
    zxcvbn(password.expose_secret(), &[]).score().into()
}

/// Refuses a password below the configured strength. A minimum above 4 refuses every password, as in MAS.
///
/// # Errors
/// `password.weak`, with zxcvbn's advice as help.
pub fn check_strength(password: &SecretString, minimum_complexity: u8) -> Result<()> {
    let estimate = zxcvbn(password.expose_secret(), &[]);
    let score = u8::from(estimate.score());
    if score >= minimum_complexity {
        return Ok(());
    }
    if minimum_complexity > HIGHEST {
        return Err(Error::new(
            Code::PasswordWeak,
            format!("No password is strong enough: {minimum_complexity} is asked for, {HIGHEST} is the highest"),
        )
        .help("Set `passwords.minimum_complexity` to 4 or less in the configuration."));
    }
    let mut advice: Vec<String> = Vec::new();
    if let Some(feedback) = estimate.feedback() {
        advice.extend(feedback.warning().iter().map(ToString::to_string));
        advice.extend(feedback.suggestions().iter().map(ToString::to_string));
    }
    if advice.is_empty() {
        advice.push("Make it longer: a few unrelated words are a good password.".to_owned());
    }
    Err(Error::new(
        Code::PasswordWeak,
        format!(
            "The password is too weak: its strength is {score} of {HIGHEST}, at least {minimum_complexity} is asked for"
        ),
    )
    .help(advice.join(" "))
    .data("strength", score)
    .data("minimum", minimum_complexity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strength_is_that_of_zxcvbn() {
        for (password, expected) in [
            ("", 0),
            ("hunter2", 1),
            ("password", 0),
            ("correct horse", 3),
            ("correct horse battery staple", 4),
            ("qJ8#vT2!xLw9", 4),
        ] {
            assert_eq!(strength(&password.into()), expected, "{password}");
        }
    }

    #[test]
    fn only_the_first_hundred_characters_count() {
        let weak = "é".repeat(100);
        let expected = strength(&weak.as_str().into());
        assert_eq!(strength(&format!("{weak}qJ8#vT2!xLw9").into()), expected);
        assert!(expected < 4);
    }

    #[test]
    fn a_weak_password_is_refused_with_advice() {
        let error = check_strength(&"password".into(), 3).unwrap_err();
        assert_eq!(error.code(), Code::PasswordWeak);
        assert_eq!(
            error.message(),
            "The password is too weak: its strength is 0 of 4, at least 3 is asked for"
        );
        assert_eq!(
            error.help_text(),
            Some("This is a top-10 common password. Add another word or two. Uncommon words are better.")
        );
        check_strength(&"correct horse battery staple".into(), 3).unwrap();
        check_strength(&"".into(), 0).unwrap();
        check_strength(&"".into(), 1).unwrap_err();
    }

    #[test]
    fn advice_is_given_where_zxcvbn_has_none() {
        let error = check_strength(&"correct horse".into(), 4).unwrap_err();
        assert_eq!(
            error.help_text(),
            Some("Make it longer: a few unrelated words are a good password.")
        );
    }

    #[test]
    fn a_minimum_that_nothing_reaches_is_named() {
        let error = check_strength(&"correct horse battery staple".into(), 5).unwrap_err();
        assert_eq!(error.code(), Code::PasswordWeak);
        assert_eq!(
            error.message(),
            "No password is strong enough: 5 is asked for, 4 is the highest"
        );
    }
}
