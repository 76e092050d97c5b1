use secrecy::SecretSlice;

use super::*;

const PASSWORD: &str = "hunter2";
const PEPPER: &str = "a-secret-pepper";

/// The known answers of MAS's own tests: algorithm, peppered, hash of `hunter2`.
const ANSWERS: [(Algorithm, bool, &str); 9] = [
    (
        Algorithm::Bcrypt,
        true,
        "$2b$10$c/EX8bTbEMfTn4oCvcQyBOR1zPyLmGzZ2pMXoElLASqv2qpq5X15i",
    ),
    (
        Algorithm::Bcrypt,
        false,
        "$2b$10$mqjtwG6w3GawhuQQdwBCqOt0TQ0V4vGhB.tMuCZO8WL.ycBHkOLca",
    ),
    (
        Algorithm::Bcrypt,
        true,
        "$2b$10$1Mgv9BLlKUPw2H3LIWlseeWUiTWF2yZC/.TyzuC3bGuB9XacoEUu6",
    ),
    (
        Algorithm::Argon2id,
        true,
        "$argon2id$v=19$m=19456,t=2,p=1$eEi11xG8mIOZYxej+ckCaQ$eBeygPqiuImQAaFQOkE6oVkPfqxIGgnqpQd/MwW4YX4",
    ),
    (
        Algorithm::Argon2id,
        false,
        "$argon2id$v=19$m=19456,t=2,p=1$1WdxAF1UChkYSTnJ6NDbKg$ajKAfwlUmkbxITSdh55j+Hvoxzppx20ArNUF44oV9Nk",
    ),
    (
        Algorithm::Argon2id,
        false,
        "$argon2id$v=19$m=19456,t=2,p=1$4aRFZH7bgRs24delZVap/Q$Y2SNOQuEfwWuBXflRnbJhqpksexRziQ9Wf9BatCuIVY",
    ),
    (
        Algorithm::Argon2id,
        true,
        "$argon2id$v=19$m=19456,t=2,p=1$1Ke64U6Mrdl5imSjjFRU+g$yirg39x3QVVTxsV5OI4usyIaCw6IRxPl5Li3mQyNmN8",
    ),
    (
        Algorithm::Pbkdf2,
        true,
        "$pbkdf2-sha256$i=600000,l=32$eEi11xG8mIOZYxej+ckCaQ$uyS+Ip4DieQ9S+m1EcT+vCtuiWpQ3TsDGPLY4mwkOxc",
    ),
    (
        Algorithm::Pbkdf2,
        false,
        "$pbkdf2-sha256$i=600000,l=32$1WdxAF1UChkYSTnJ6NDbKg$uwgJSFAtjA082fY37K09Q5Hjbw3mBjFI/JLW9sw0F2A",
    ),
];

fn scheme(version: u16, algorithm: Algorithm, pepper: Option<&str>) -> Scheme {
    Scheme {
        version,
        algorithm,
        unicode_normalization: false,
        cost: Some(10),
        pepper: pepper.map(|pepper| SecretSlice::from(pepper.as_bytes().to_vec())),
    }
}

fn one(algorithm: Algorithm) -> Schemes {
    Schemes::new(true, vec![scheme(1, algorithm, None)])
}

/// The salt inside a hash.
fn salt(hash: &str) -> [u8; 16] {
    if hash.starts_with("$2b$") {
        return hash.parse::<bcrypt::HashParts>().unwrap().get_salt_raw();
    }
    let hash = argon2::PasswordHash::new(hash).unwrap();
    hash.salt.unwrap().as_ref().try_into().unwrap()
}

#[test]
fn the_known_answers_are_verified_and_made() {
    for (algorithm, peppered, hash) in ANSWERS {
        let schemes = Schemes::new(true, vec![scheme(1, algorithm, peppered.then_some(PEPPER))]);
        assert!(schemes.verify(&PASSWORD.into(), hash, 1).unwrap(), "{hash}");
        assert!(!schemes.verify(&"hunter3".into(), hash, 1).unwrap(), "{hash}");
        let expected = Hashed {
            version: 1,
            hash: hash.to_owned(),
            cut: false,
        };
        assert_eq!(schemes.hash(&PASSWORD.into(), salt(hash)).unwrap(), expected);

        let other = Schemes::new(true, vec![scheme(1, algorithm, (!peppered).then_some(PEPPER))]);
        assert!(!other.verify(&PASSWORD.into(), hash, 1).unwrap(), "{hash}");
    }
}

#[test]
fn the_highest_version_hashes_and_every_version_verifies() {
    let schemes = Schemes::new(
        true,
        vec![
            scheme(1, Algorithm::Bcrypt, None),
            scheme(3, Algorithm::Argon2id, Some(PEPPER)),
            scheme(2, Algorithm::Pbkdf2, None),
        ],
    );
    let hashed = schemes.hash(&PASSWORD.into(), [7; 16]).unwrap();
    assert_eq!(hashed.version, 3);
    assert!(
        hashed
            .hash
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$")
    );
    for (version, hash) in [(1, ANSWERS[1].2), (2, ANSWERS[8].2), (3, ANSWERS[3].2)] {
        assert!(schemes.verify(&PASSWORD.into(), hash, version).unwrap(), "{hash}");
    }
    let error = schemes.verify(&PASSWORD.into(), ANSWERS[1].2, 4).unwrap_err();
    assert_eq!(error.code(), Code::PasswordScheme);
    assert_eq!(error.message(), "No password scheme of version 4 is configured");
}

#[test]
fn a_hash_names_its_own_parameters_and_variant() {
    let other = "$pbkdf2-sha512$i=1000,l=32$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(!one(Algorithm::Pbkdf2).verify(&PASSWORD.into(), other, 1).unwrap());
    let bcrypt = ANSWERS[1].2;
    for prefix in ["$2a$", "$2y$"] {
        let hash = bcrypt.replacen("$2b$", prefix, 1);
        assert!(
            one(Algorithm::Bcrypt).verify(&PASSWORD.into(), &hash, 1).unwrap(),
            "{hash}"
        );
    }
}

#[test]
fn a_hash_that_is_not_of_its_scheme_is_refused_without_being_shown() {
    let huge = "$argon2id$v=19$m=4294967295,t=4294967295,p=1$eEi11xG8mIOZYxej+ckCaQ$eBeygPqiuImQAaFQOkE6oVkPfqxIGgnqpQd/MwW4YX4";
    let endless = "$pbkdf2-sha256$i=4294967295,l=32$eEi11xG8mIOZYxej+ckCaQ$uyS+Ip4DieQ9S+m1EcT+vCtuiWpQ3TsDGPLY4mwkOxc";
    let costly = "$2b$31$mqjtwG6w3GawhuQQdwBCqOt0TQ0V4vGhB.tMuCZO8WL.ycBHkOLca";
    let cheap = "$2b$03$mqjtwG6w3GawhuQQdwBCqOt0TQ0V4vGhB.tMuCZO8WL.ycBHkOLca";
    for (algorithm, hash) in [
        (Algorithm::Argon2id, ""),
        (Algorithm::Argon2id, "hunter2"),
        (Algorithm::Argon2id, "$argon2id$v=19$m=19456,t=2,p=1"),
        (
            Algorithm::Argon2id,
            "$argon2id$v=19$m=19456,t=2,p=1$eEi11xG8mIOZYxej+ckCaQ",
        ),
        (Algorithm::Argon2id, huge),
        (Algorithm::Argon2id, ANSWERS[0].2),
        (Algorithm::Argon2id, ANSWERS[8].2),
        (Algorithm::Pbkdf2, ANSWERS[4].2),
        (Algorithm::Pbkdf2, endless),
        (Algorithm::Bcrypt, "$2b$10$é"),
        (Algorithm::Bcrypt, ANSWERS[4].2),
        (Algorithm::Bcrypt, costly),
        (Algorithm::Bcrypt, cheap),
    ] {
        let error = one(algorithm).verify(&"correct horse".into(), hash, 1).unwrap_err();
        assert_eq!(error.code(), Code::PasswordScheme, "{hash}");
        assert!(
            hash.is_empty() || !format!("{error} {error:?}").contains(hash),
            "{error}"
        );
    }
}

#[test]
fn passwords_that_are_disabled_are_neither_hashed_nor_verified() {
    let schemes = Schemes::new(false, vec![scheme(1, Algorithm::Argon2id, None)]);
    assert_eq!(
        schemes.hash(&PASSWORD.into(), [0; 16]).unwrap_err().code(),
        Code::PasswordDisabled
    );
    let error = schemes.verify(&PASSWORD.into(), ANSWERS[4].2, 1).unwrap_err();
    assert_eq!(error.code(), Code::PasswordDisabled);
}

#[test]
fn a_scheme_that_cannot_hash_says_so() {
    let none = Schemes::new(true, Vec::new());
    assert_eq!(
        none.hash(&PASSWORD.into(), [0; 16]).unwrap_err().code(),
        Code::PasswordScheme
    );
    let mut cheap = scheme(1, Algorithm::Bcrypt, None);
    cheap.cost = Some(3);
    let error = Schemes::new(true, vec![cheap])
        .hash(&PASSWORD.into(), [0; 16])
        .unwrap_err();
    assert_eq!(error.code(), Code::PasswordScheme);
    assert_eq!(
        error.message(),
        "The password cannot be hashed: the cost of bcrypt is 3, allowed are 4 to 31"
    );
}

#[test]
fn bcrypt_ignores_what_is_beyond_72_bytes_and_says_so() {
    let mut scheme = scheme(1, Algorithm::Bcrypt, Some("pepper"));
    scheme.cost = Some(4);
    let schemes = Schemes::new(true, vec![scheme]);
    let hash = |password: &str| schemes.hash(&password.into(), [1; 16]).unwrap();
    let whole = hash(&"a".repeat(66));
    assert!(!whole.cut);
    let cut = hash(&"a".repeat(72));
    assert!(cut.cut);
    assert_eq!(cut, hash(&"a".repeat(73)));
    assert_ne!(cut.hash, whole.hash);
}

#[test]
fn passwords_are_normalized_where_the_scheme_says_so() {
    let composed = "caf\u{e9}1\u{2044}4";
    let compatible = "cafe\u{301}\u{bc}";
    for (normalization, equal) in [(true, true), (false, false)] {
        let mut scheme = scheme(1, Algorithm::Bcrypt, None);
        scheme.cost = Some(4);
        scheme.unicode_normalization = normalization;
        let schemes = Schemes::new(true, vec![scheme]);
        let hashed = schemes.hash(&composed.into(), [2; 16]).unwrap();
        assert_eq!(schemes.verify(&compatible.into(), &hashed.hash, 1).unwrap(), equal);
    }
}

#[test]
fn peppers_are_not_shown() {
    let schemes = Schemes::new(true, vec![scheme(1, Algorithm::Argon2id, Some(PEPPER))]);
    assert!(!format!("{schemes:?}").contains(PEPPER));
}
