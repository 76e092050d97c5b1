//! What a session may do: its OAuth 2.0 scope, which also names its device.

use std::{fmt, str::FromStr};

use crate::error::{Code, Error, Result};

/// What a scope token of a device starts with: the spelling of the specification, and the one before it.
const DEVICE_PREFIXES: [&str; 2] = [
    "urn:matrix:client:device:",
    "urn:matrix:org.matrix.msc2967.client:device:",
];

/// The most scope tokens of one session, and the most characters of all of them.
const MOST_TOKENS: usize = 100;
const LONGEST: usize = 10_000;

/// The two scope tokens that name a device.
#[must_use]
pub fn device_scopes(device: &str) -> [String; 2] {
    DEVICE_PREFIXES.map(|prefix| format!("{prefix}{device}"))
}

/// The device that a scope token names, if it names one.
#[must_use]
pub fn device_of_scope(token: &str) -> Option<&str> {
    DEVICE_PREFIXES.iter().find_map(|prefix| token.strip_prefix(prefix))
}

/// A scope: a list of scope tokens, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Vec<String>);

impl Scope {
    /// The scope tokens in their order.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// The one device that the scope names, in whichever spelling.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        self.0.iter().find_map(|token| device_of_scope(token))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl FromStr for Scope {
    type Err = Error;

    /// Reads scope tokens between spaces, as OAuth 2.0 writes them.
    ///
    /// # Errors
    /// `value.invalid` for a character that no scope token has, for no scope token at all, and for two devices.
    fn from_str(text: &str) -> Result<Self> {
        let mut tokens: Vec<String> = Vec::new();
        if text.len() > LONGEST {
            return Err(invalid(format!("A scope has at most {LONGEST} characters")));
        }
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !token.bytes().all(is_of_scope) {
                return Err(invalid(format!("{token:?} is no scope"))
                    .help("A scope has printable ASCII characters other than `\"` and `\\`."));
            }
            if !tokens.iter().any(|known| known == token) {
                tokens.push(token.to_owned());
            }
        }
        let mut devices: Vec<&str> = tokens.iter().filter_map(|token| device_of_scope(token)).collect();
        devices.dedup();
        match devices[..] {
            _ if tokens.is_empty() => Err(invalid("A scope cannot be empty")
                .help("`urn:matrix:client:api:*` is the scope of the Matrix client API.")),
            _ if tokens.len() > MOST_TOKENS => Err(invalid(format!("A session has at most {MOST_TOKENS} scopes"))),
            [""] => Err(invalid("The scope of a device does not name one")),
            [] | [_] => Ok(Self(tokens)),
            [one, other, ..] => Err(invalid(format!("A session has one device, not both {one} and {other}"))),
        }
    }
}

/// RFC 6749 allows the printable characters of ASCII but space, `"` and `\`.
const fn is_of_scope(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::ValueInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_and_written_as_oauth_does() {
        let scope: Scope = " openid  urn:matrix:client:api:* openid ".parse().unwrap();
        assert_eq!(scope.tokens(), ["openid", "urn:matrix:client:api:*"]);
        assert_eq!(scope.to_string(), "openid urn:matrix:client:api:*");
        assert_eq!(scope.device(), None);
    }

    #[test]
    fn a_device_is_named_in_one_of_two_spellings_or_both() {
        let [stable, unstable] = device_scopes("A:B");
        assert_eq!(stable, "urn:matrix:client:device:A:B");
        assert_eq!(unstable, "urn:matrix:org.matrix.msc2967.client:device:A:B");
        for text in [stable.clone(), unstable.clone(), format!("openid {stable} {unstable}")] {
            assert_eq!(text.parse::<Scope>().unwrap().device(), Some("A:B"), "{text}");
        }
        assert_eq!(device_of_scope("urn:matrix:client:api:*"), None);
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        let refused = |text: &str| {
            let error = text.parse::<Scope>().unwrap_err();
            assert_eq!(error.code(), Code::ValueInvalid);
            error.message().to_owned()
        };
        assert_eq!(refused(""), "A scope cannot be empty");
        assert_eq!(refused("  "), "A scope cannot be empty");
        assert_eq!(refused("a\"b"), "\"a\\\"b\" is no scope");
        assert_eq!(refused("openid a\\b"), "\"a\\\\b\" is no scope");
        assert_eq!(refused("é"), "\"é\" is no scope");
        assert_eq!(refused("a\tb"), "\"a\\tb\" is no scope");
        assert_eq!(
            refused("urn:matrix:client:device:"),
            "The scope of a device does not name one"
        );
        let two = "urn:matrix:client:device:A urn:matrix:org.matrix.msc2967.client:device:B";
        assert_eq!(refused(two), "A session has one device, not both A and B");
        assert_eq!(
            refused(&"a".repeat(LONGEST + 1)),
            "A scope has at most 10000 characters"
        );
        let many: Vec<String> = (0..=MOST_TOKENS).map(|number| number.to_string()).collect();
        assert_eq!(refused(&many.join(" ")), "A session has at most 100 scopes");
    }
}
