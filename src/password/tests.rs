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
        assert!(schemes.verify("alice", &PASSWORD.into(), hash, 1).unwrap(), "{hash}");
        assert!(!schemes.verify("alice", &"hunter3".into(), hash, 1).unwrap(), "{hash}");
        let expected = Hashed {
            version: 1,
            hash: hash.to_owned(),
            cut: None,
        };
        assert_eq!(schemes.hash(&PASSWORD.into(), salt(hash)).unwrap(), expected);

        let other = Schemes::new(true, vec![scheme(1, algorithm, (!peppered).then_some(PEPPER))]);
        assert!(!other.verify("alice", &PASSWORD.into(), hash, 1).unwrap(), "{hash}");
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
        assert!(
            schemes.verify("alice", &PASSWORD.into(), hash, version).unwrap(),
            "{hash}"
        );
    }
    let error = schemes.verify("alice", &PASSWORD.into(), ANSWERS[1].2, 4).unwrap_err();
    assert_eq!(error.code(), Code::PasswordScheme);
    assert_eq!(
        error.message(),
        "The password of alice cannot be checked: no scheme of version 4 is configured"
    );
    assert_eq!(
        (&error.values()["username"], &error.values()["version"]),
        (&"alice".into(), &4.into())
    );
    for version in [-1, 65_536, i32::MIN] {
        let error = schemes
            .verify("alice", &PASSWORD.into(), ANSWERS[1].2, version)
            .unwrap_err();
        assert_eq!(error.code(), Code::PasswordScheme);
        assert_eq!(
            error.message(),
            format!("The password of alice cannot be checked: its version is {version}, where MAS knows 0 to 65535")
        );
    }
}

/// Hashes that MAS would not make, and verifies: of Argon2's reference (the password is `password`), and of Python's
/// hashlib (it is `hunter2`).
const OTHERS: [(Algorithm, &str, &str); 8] = [
    (
        Algorithm::Argon2id,
        "password",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ),
    (
        Algorithm::Argon2id,
        "password",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
    ),
    (
        Algorithm::Argon2id,
        "password",
        "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    ),
    (
        Algorithm::Pbkdf2,
        PASSWORD,
        "$pbkdf2-sha512$i=210000,l=32$c29tZXNhbHRzb21lc2FsdA$HxKH/kxid77s9WcDhr5LwnE1csr+OHqtm3cBUDRZ6Zk",
    ),
    (
        Algorithm::Pbkdf2,
        PASSWORD,
        "$pbkdf2-sha512$i=1000,l=64$c29tZXNhbHRzb21lc2FsdA$ll4D0yGZe4ocxN1fH83ixO0fkiWJc4qbtXERfbe3q7jdo8DUmzbiPHm2ZsxZV5\
         ojdhtigwdHtg+V7T9zw/4fmw",
    ),
    (
        Algorithm::Pbkdf2,
        PASSWORD,
        "$pbkdf2-sha256$i=1,l=32$c29tZXNhbHRzb21lc2FsdA$Po1RjtUcIb9USc1ddvG4xjPjedujO9nSvnDZiTIHeUk",
    ),
    (
        Algorithm::Pbkdf2,
        PASSWORD,
        "$pbkdf2-sha256$i=999,l=10$c29tZXNhbHRzb21lc2FsdA$p6sMIL2nfZxt4A",
    ),
    (
        Algorithm::Pbkdf2,
        PASSWORD,
        "$pbkdf2-sha256$l=20$c29tZXNhbHRzb21lc2FsdA$XbIlxsVDPTinNbtaqdFsrJVx3y0",
    ),
];

#[test]
fn a_hash_names_its_own_parameters_and_variant() {
    for (algorithm, password, hash) in OTHERS {
        let schemes = one(algorithm);
        assert!(schemes.verify("alice", &password.into(), hash, 1).unwrap(), "{hash}");
        assert!(!schemes.verify("alice", &"hunter3".into(), hash, 1).unwrap(), "{hash}");
    }
    let bcrypt = ANSWERS[1].2;
    for prefix in ["$2a$", "$2y$"] {
        let hash = bcrypt.replacen("$2b$", prefix, 1);
        let schemes = one(Algorithm::Bcrypt);
        assert!(schemes.verify("alice", &PASSWORD.into(), &hash, 1).unwrap(), "{hash}");
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
        (Algorithm::Pbkdf2, "$pbkdf2-sha256$i=0,l=10$c29tZXNhbHQ$p6sMIL2nfZxt4A"),
        (
            Algorithm::Pbkdf2,
            "$pbkdf2-sha256$i=many,l=10$c29tZXNhbHQ$p6sMIL2nfZxt4A",
        ),
        (Algorithm::Pbkdf2, "$pbkdf2-sha256$i=1,l=11$c29tZXNhbHQ$p6sMIL2nfZxt4A"),
        (
            Algorithm::Pbkdf2,
            "$pbkdf2-sha256$i=1,l=10,x=1$c29tZXNhbHQ$p6sMIL2nfZxt4A",
        ),
        (
            Algorithm::Pbkdf2,
            "$pbkdf2-sha256$v=1$i=1,l=10$c29tZXNhbHQ$p6sMIL2nfZxt4A",
        ),
        (Algorithm::Pbkdf2, "$pbkdf2-md5$i=1,l=10$c29tZXNhbHQ$p6sMIL2nfZxt4A"),
        (Algorithm::Pbkdf2, endless),
        (Algorithm::Bcrypt, "$2b$10$é"),
        (Algorithm::Bcrypt, ANSWERS[4].2),
        (Algorithm::Bcrypt, costly),
        (Algorithm::Bcrypt, cheap),
    ] {
        let error = one(algorithm)
            .verify("alice", &"correct horse".into(), hash, 1)
            .unwrap_err();
        assert_eq!(error.code(), Code::PasswordScheme, "{hash}");
        let start = "The password of alice cannot be checked: its hash ";
        assert!(error.message().starts_with(start), "{error}");
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
    let error = schemes.verify("alice", &PASSWORD.into(), ANSWERS[4].2, 1).unwrap_err();
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
    assert_eq!(whole.cut, None);
    let without_pepper = hash(&"a".repeat(72));
    assert_eq!(hash(&"a".repeat(67)).cut, Some(Cut::Pepper));
    assert_eq!(without_pepper.cut, Some(Cut::Pepper));
    let cut = hash(&"a".repeat(73));
    assert_eq!(cut.cut, Some(Cut::Password));
    assert_eq!(cut.hash, without_pepper.hash);
    assert_ne!(cut.hash, whole.hash);
    let longer = format!("{}and whatever follows", "a".repeat(72));
    assert!(schemes.verify("alice", &longer.into(), &cut.hash, 1).unwrap());
    // Bytes count, not characters: 37 of two bytes each.
    assert_eq!(hash(&"é".repeat(37)).cut, Some(Cut::Password));
    assert_eq!(hash(&"é".repeat(33)).cut, None);
}

#[test]
fn no_other_algorithm_ignores_anything() {
    for algorithm in [Algorithm::Argon2id, Algorithm::Pbkdf2] {
        let schemes = Schemes::new(true, vec![scheme(1, algorithm, Some(PEPPER))]);
        let hashed = schemes.hash(&"a".repeat(1000).into(), [1; 16]).unwrap();
        assert_eq!(hashed.cut, None);
        let other = format!("{}b", "a".repeat(999));
        assert!(!schemes.verify("alice", &other.into(), &hashed.hash, 1).unwrap());
    }
}

/// MAS reads the file of a pepper as it is: its last newline counts.
#[test]
fn a_pepper_is_bytes() {
    for algorithm in [Algorithm::Argon2id, Algorithm::Pbkdf2, Algorithm::Bcrypt] {
        let with = |pepper: &[u8]| {
            let mut scheme = scheme(1, algorithm, None);
            scheme.cost = Some(4);
            scheme.pepper = Some(SecretSlice::from(pepper.to_vec()));
            Schemes::new(true, vec![scheme])
        };
        let hashed = with(b"\xff\x00pepper\n").hash(&PASSWORD.into(), [3; 16]).unwrap();
        let verify = |pepper: &[u8]| with(pepper).verify("alice", &PASSWORD.into(), &hashed.hash, 1).unwrap();
        assert!(verify(b"\xff\x00pepper\n"));
        for other in [&b"\xff\x00pepper"[..], b"pepper\n", b""] {
            assert!(!verify(other), "{algorithm:?} {other:?}");
        }
    }
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
        assert_eq!(
            schemes.verify("alice", &compatible.into(), &hashed.hash, 1).unwrap(),
            equal
        );
    }
}

#[test]
fn peppers_are_not_shown() {
    let schemes = Schemes::new(true, vec![scheme(1, Algorithm::Argon2id, Some(PEPPER))]);
    assert!(!format!("{schemes:?}").contains(PEPPER));
}

#[test]
fn a_hash_tells_what_made_it() {
    for (algorithm, _, hash) in ANSWERS {
        let name = algorithm_of(hash).unwrap();
        assert_eq!(name.strip_suffix("-sha256").unwrap_or(name), algorithm.as_str());
    }
    for (hash, expected) in [
        ("$2y$10$", Some("bcrypt")),
        ("$argon2i$v=19$", Some("argon2i")),
        ("$pbkdf2-sha512$i=1$", Some("pbkdf2-sha512")),
        ("$argon2id", None),
        ("$6$salt$", None),
        ("argon2id$", None),
        ("", None),
    ] {
        assert_eq!(algorithm_of(hash), expected, "{hash}");
    }
}
