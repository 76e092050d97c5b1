//! The text of tokens: how MAS makes it, and what a token is by its text alone.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

/// The random characters of a token of MAS's.
pub const TOKEN_RANDOM_LENGTH: usize = 30;

/// The characters of a device id that MAS makes.
pub const DEVICE_ID_LENGTH: usize = 10;

/// The characters of a registration token that MAS makes.
pub const REGISTRATION_TOKEN_LENGTH: usize = 12;

const PREFIX_LENGTH: usize = 3;
const CHECKSUM_LENGTH: usize = 6;
const TOKEN_LENGTH: usize = PREFIX_LENGTH + 1 + TOKEN_RANDOM_LENGTH + 1 + CHECKSUM_LENGTH;

/// A format of MAS's own: prefix, 30 random characters and the checksum of both, joined by `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFormat {
    /// An access token of an OAuth 2.0 session.
    OAuthAccess,
    /// A refresh token of an OAuth 2.0 session.
    OAuthRefresh,
    /// An access token of a compatibility session.
    CompatibilityAccess,
    /// A refresh token of a compatibility session.
    CompatibilityRefresh,
    /// A personal access token.
    PersonalAccess,
}

impl TokenFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::OAuthAccess,
        Self::OAuthRefresh,
        Self::CompatibilityAccess,
        Self::CompatibilityRefresh,
        Self::PersonalAccess,
    ];

    /// What its tokens start with, before the first `_`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::OAuthAccess => "mat",
            Self::OAuthRefresh => "mar",
            Self::CompatibilityAccess => "mct",
            Self::CompatibilityRefresh => "mcr",
            Self::PersonalAccess => "mpt",
        }
    }

    /// The token of this format with this random part.
    #[must_use]
    pub fn token(self, random: &SecretString) -> SecretString {
        // Allocated once, so that no copy is left behind.
        let mut token = String::with_capacity(TOKEN_LENGTH);
        token.extend([self.prefix(), "_", random.expose_secret()]);
        let sum = checksum(token.as_bytes());
        token.extend(["_", &sum]);
        SecretString::from(token)
    }

    /// The format of a token whose parts have their lengths and whose checksum is right.
    fn of(token: &str) -> Option<Self> {
        let (start, sum) = token.rsplit_once('_')?;
        let (prefix, random) = start.split_once('_')?;
        let is_whole =
            random.len() == TOKEN_RANDOM_LENGTH && !random.contains('_') && sum == checksum(start.as_bytes());
        let format = Self::ALL.into_iter().find(|format| format.prefix() == prefix)?;
        is_whole.then_some(format)
    }
}

/// The CRC-32 of zlib in base 62: the least significant digit comes first, and `0` still pads on the left.
fn checksum(start: &[u8]) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(start);
    let mut digits = String::new();
    while rest > 0 {
        digits.push(char::from(DIGITS[(rest % 62) as usize]));
        rest /= 62;
    }
    format!("{digits:0>CHECKSUM_LENGTH$}")
}

/// What a token is by its text. Whether it is valid, only the database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// One that MAS made, its checksum right.
    Issued(TokenFormat),
    /// An access token that was imported from Synapse into a compatibility session.
    ImportedAccess,
    /// A refresh token that was imported from Synapse into a compatibility session.
    ImportedRefresh,
    /// An access token of an old Synapse, imported into a compatibility session.
    ImportedMacaroon,
}

impl TokenKind {
    /// Tells the kind of a token as MAS does. MAS refuses one of no kind without a look into its database.
    #[must_use]
    pub fn of(token: &SecretString) -> Option<Self> {
        let token = token.expose_secret();
        if let Some(format) = TokenFormat::of(token) {
            Some(Self::Issued(format))
        } else if token.starts_with("syt_") {
            Some(Self::ImportedAccess)
        } else if token.starts_with("syr_") {
            Some(Self::ImportedRefresh)
        } else {
            is_macaroon(token).then_some(Self::ImportedMacaroon)
        }
    }

    /// The name that scripts see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued(TokenFormat::OAuthAccess) => "oauth_access",
            Self::Issued(TokenFormat::OAuthRefresh) => "oauth_refresh",
            Self::Issued(TokenFormat::CompatibilityAccess) => "compatibility_access",
            Self::Issued(TokenFormat::CompatibilityRefresh) => "compatibility_refresh",
            Self::Issued(TokenFormat::PersonalAccess) => "personal_access",
            Self::ImportedAccess => "imported_access",
            Self::ImportedRefresh => "imported_refresh",
            Self::ImportedMacaroon => "imported_macaroon",
        }
    }
}

/// A macaroon's first packet says where it is from: four digits of length, then `location `.
fn is_macaroon(token: &str) -> bool {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map(zeroize::Zeroizing::new);
    bytes.is_ok_and(|bytes| bytes.get(4..13) == Some(b"location "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked examples of MAS's format: token, checksum as a number.
    const EXAMPLES: [(&str, u32); 7] = [
        ("mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1", 0x42b0_591d),
        ("mcr_42oTpLoieH5IecxG6gZXyvelQWW9Xq_a8g5N3", 0xb827_aca4),
        ("mpt_FM44zJN5qePGMLvvMXC4Ds1A3lCWc6_bJ9Wj1", 0x5eb2_1993),
        ("mpt_6cq7FqNSYoosbXl3bbpfh9yNy9NzuR_0vOV2O", 0x152c_5ef5),
        ("mct_16tugBE5Ta9LIWoSJaAEHHq2g3fx8S_alcBB4", 0xe446_bef6),
        ("mct_0123456789abcdefghijABCDEFGHIJ_jUFkp1", 1_680_748_621),
        ("mct_000000000000000000000000000398_00icWJ", 4_653_640),
    ];

    fn kind(token: &str) -> Option<TokenKind> {
        TokenKind::of(&token.into())
    }

    /// The bit-by-bit definition of CRC-32, which shares nothing with the crate.
    fn crc32(bytes: &[u8]) -> u32 {
        let all = bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
            })
        });
        !all
    }

    #[test]
    fn the_examples_are_made_and_recognized() {
        for (token, crc) in EXAMPLES {
            let (start, _) = token.rsplit_once('_').unwrap();
            assert_eq!(crc32(start.as_bytes()), crc, "{token}");
            let (prefix, random) = start.split_once('_').unwrap();
            let format = TokenFormat::ALL.into_iter().find(|it| it.prefix() == prefix).unwrap();
            assert_eq!(format.token(&random.into()).expose_secret(), token);
            assert_eq!(kind(token), Some(TokenKind::Issued(format)), "{token}");
        }
    }

    #[test]
    fn a_short_checksum_is_padded_on_the_left() {
        // 4653640 is icWJ, the least significant digit first.
        assert_eq!(4_653_640, 44 + 62 * (38 + 62 * (32 + 62 * 19)));
        assert_eq!(checksum(b"mct_000000000000000000000000000398"), "00icWJ");
        for wrong in ["icWJ00", "icWJ", "0icWJ0", "00JWci"] {
            let token = format!("mct_000000000000000000000000000398_{wrong}");
            assert_eq!(kind(&token), None, "{token}");
        }
    }

    /// Random parts from a fixed seed: each format's tokens are told apart, and one changed character is noticed.
    #[test]
    fn every_token_is_recognized_and_none_with_a_changed_character() {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut draw = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for round in 0..2000 {
            let format = TokenFormat::ALL[round % 5];
            let random: String = (0..TOKEN_RANDOM_LENGTH)
                .map(|_| char::from(LETTERS[draw(62)]))
                .collect();
            let token = format.token(&random.as_str().into());
            let token = token.expose_secret();
            assert_eq!(token.len(), TOKEN_LENGTH, "{token}");
            assert_eq!(kind(token), Some(TokenKind::Issued(format)), "{token}");
            let (start, sum) = token.rsplit_once('_').unwrap();
            let digits = sum.trim_start_matches('0').bytes().rev();
            let value = digits.fold(0_u64, |value, digit| {
                let order = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
                value * 62 + order.iter().position(|&it| it == digit).unwrap() as u64
            });
            // A least significant digit `0` looks like padding, so the number is only known up to a power of 62.
            let crc = u64::from(crc32(start.as_bytes()));
            assert!((0..6).any(|zeros| value * 62_u64.pow(zeros) == crc), "{token}");

            let mut changed = token.as_bytes().to_vec();
            let at = draw(TOKEN_LENGTH);
            let other = LETTERS[draw(62)];
            if changed[at] != other {
                changed[at] = other;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(kind(&changed), None, "{token} {changed}");
            }
        }
    }

    #[test]
    fn what_is_not_quite_a_token_is_none() {
        let of = |start: &str| format!("{start}_{}", checksum(start.as_bytes()));
        for token in [
            String::new(),
            "_".to_owned(),
            "__".to_owned(),
            "mct".to_owned(),
            "mct__".to_owned(),
            of("mxt_fNbm5KAQovodfVQz7IvDc44woP66fR"),
            of("MCT_fNbm5KAQovodfVQz7IvDc44woP66fR"),
            of("mct_fNbm5KAQovodfVQz7IvDc44woP66f"),
            of("mct_fNbm5KAQovodfVQz7IvDc44woP66fRR"),
            of("mct_fNbm5KAQovodfVQ_7IvDc44woP66fR"),
            "mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1 ".to_owned(),
            " mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1".to_owned(),
            "mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1_".to_owned(),
            "mct_fNbm5KAQovodfVQz7IvDc44woP66fR-fsaiD1".to_owned(),
            "mcr_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1".to_owned(),
            "mct_ééééééééééééééé_fsaiD1".to_owned(),
            "SYT_YWxpY2U_abc_123".to_owned(),
            "aB3".to_owned(),
        ] {
            assert_eq!(kind(&token), None, "{token}");
        }
    }

    #[test]
    fn imported_tokens_are_recognized_by_how_they_start() {
        assert_eq!(
            kind("syt_YWxpY2U_JnpcaHFbhhJWuOtQQCcb_1XGBYu"),
            Some(TokenKind::ImportedAccess)
        );
        assert_eq!(kind("syt_"), Some(TokenKind::ImportedAccess));
        assert_eq!(
            kind("syr_YWxpY2U_JnpcaHFbhhJWuOtQQCcb_1XGBYu"),
            Some(TokenKind::ImportedRefresh)
        );
        let macaroon = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let whole = "0019location example.com\n0013identifier key\n002fsignature \u{1}\n";
        assert_eq!(kind(&macaroon(whole)), Some(TokenKind::ImportedMacaroon));
        assert_eq!(kind(&macaroon("0000location ")), Some(TokenKind::ImportedMacaroon));
        for other in [
            "0019Location example.com\n",
            "019location example.com\n",
            "0000location",
            "",
        ] {
            assert_eq!(kind(&macaroon(other)), None, "{other}");
        }
        assert_eq!(kind(&(macaroon("0000location ") + "=")), None, "padding is not MAS's");
        assert_eq!(kind(&(macaroon(whole) + "+/")), None, "the alphabet is the one of URLs");
    }
}
