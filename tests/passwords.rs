//! Passwords as scripts set and verify them, against the hashes of MAS's own tests and against the crates themselves.

use std::{thread, time::Duration};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};
use masctl::error::Code;
use rstest::rstest;
use serde_json::json;
use unicode_normalization::UnicodeNormalization;

use crate::support::{
    cast::{ALICE, BOB, CAROL, DAVE, time},
    scripted::Stage,
    store::Store,
};

const PEPPER: &str = "a-secret-pepper";

/// A scheme of each algorithm, and one whose hashes of `hunter2` take seconds to verify.
const SCHEMES: &str = "passwords:\n  minimum_complexity: 0\n  schemes:\n\
    \x20   - { version: 2, algorithm: bcrypt, secret: a-secret-pepper }\n\
    \x20   - { version: 3, algorithm: pbkdf2 }\n\
    \x20   - { version: 4, algorithm: argon2id, secret: a-secret-pepper }\n";

const BCRYPT_PEPPERED: &str = "$2b$10$c/EX8bTbEMfTn4oCvcQyBOR1zPyLmGzZ2pMXoElLASqv2qpq5X15i";
const PBKDF2: &str = "$pbkdf2-sha256$i=600000,l=32$1WdxAF1UChkYSTnJ6NDbKg$uwgJSFAtjA082fY37K09Q5Hjbw3mBjFI/JLW9sw0F2A";
const ARGON2_PEPPERED: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$eEi11xG8mIOZYxej+ckCaQ$eBeygPqiuImQAaFQOkE6oVkPfqxIGgnqpQd/MwW4YX4";
const ARGON2: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$1WdxAF1UChkYSTnJ6NDbKg$ajKAfwlUmkbxITSdh55j+Hvoxzppx20ArNUF44oV9Nk";

fn add(stage: &Stage, number: usize, user: &str, hash: &str, version: i64) {
    stage.rows(&format!(
        "INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) VALUES \
         ({{ulid:01HV000000000000000000PW{number:02}}}, {{ulid:{user}}}, '{hash}', {version}, \
         '2024-05-0{number}T12:00:00+00:00')"
    ));
}

/// Says of each user whether it has the password, or why that is not known.
const ASK_ALL: &str = r"
    let answers = [];
    for user in users::list(#{}) {
        try {
            answers.push(`${user.username}: ${user.verify_password(args.password)}`);
        } catch (error) {
            answers.push(`${user.username}: ${error.code}: ${error.message} ${error.data}`);
        }
    }
    answers
";

const NEEDS: [&str; 2] = ["users:read", "passwords:read"];

#[rstest]
fn each_scheme_verifies_what_it_made(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = Stage::open(kind, &format!("verify_{kind:?}").to_lowercase(), SCHEMES);
    // Only the newest row counts, also where an earlier one has the password.
    add(&stage, 1, DAVE, ARGON2, 1);
    add(&stage, 2, ALICE, BCRYPT_PEPPERED, 2);
    add(&stage, 3, BOB, PBKDF2, 3);
    add(&stage, 4, CAROL, ARGON2_PEPPERED, 4);
    add(&stage, 5, DAVE, "never looked at", 9);
    add(&stage, 6, DAVE, ARGON2, 1);
    let ask = |password| stage.run(&NEEDS, &[("password", password)], ASK_ALL).unwrap().result;
    assert_eq!(
        ask("hunter2"),
        json!(["alice: true", "bob: true", "carol: true", "dave: true"])
    );
    assert_eq!(
        ask("hunter3"),
        json!(["alice: false", "bob: false", "carol: false", "dave: false"])
    );
    assert_eq!(stage.rows("SELECT count(*) FROM user_passwords"), ["6"]);
}

/// Rows that MAS itself could not read are each reported by their user's name, and the others are checked all the same.
#[rstest]
fn a_row_that_cannot_be_read_names_its_user_and_stops_nothing(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = Stage::open(kind, &format!("bad_rows_{kind:?}").to_lowercase(), SCHEMES);
    let users = [
        ("erin", "1"),
        ("frank", "2"),
        ("grace", "3"),
        ("heidi", "4"),
        ("zoe", "5"),
    ];
    for (name, digit) in users {
        stage.rows(&format!(
            "INSERT INTO users (user_id, username, created_at) VALUES \
             ({{ulid:01HV0000000000000000000Z{digit}Z}}, '{name}', '2024-04-08T23:16:49.280123+00:00')"
        ));
    }
    let of = |digit: usize| format!("01HV0000000000000000000Z{digit}Z");
    add(&stage, 1, ALICE, ARGON2, 7);
    add(&stage, 2, BOB, "$argon2id$v=19$m=19456,t=2,p=1$tooshort", 1);
    add(&stage, 3, CAROL, "", 2);
    add(&stage, 4, DAVE, ARGON2, -1);
    add(&stage, 5, &of(1), ARGON2, 65_536);
    add(&stage, 6, &of(2), ARGON2, 3);
    add(&stage, 7, &of(3), &ARGON2.replace("m=19456", "m=4194304"), 1);
    add(&stage, 8, &of(5), ARGON2, 1);
    let answers = stage.run(&NEEDS, &[("password", "hunter2")], ASK_ALL).unwrap().result;
    let expected = [
        "alice: password.scheme: The password of alice cannot be checked: no scheme of version 7 is configured \
         #{\"username\": \"alice\", \"version\": 7}",
        "bob: password.scheme: The password of bob cannot be checked: its hash is not one of `argon2id`, the algorithm of \
         its scheme #{\"username\": \"bob\", \"version\": 1}",
        "carol: password.scheme: The password of carol cannot be checked: its hash is not one of `bcrypt`, the algorithm of \
         its scheme #{\"username\": \"carol\", \"version\": 2}",
        "dave: password.scheme: The password of dave cannot be checked: its version is -1, where MAS knows 0 to 65535 \
         #{\"username\": \"dave\", \"version\": -1}",
        "erin: password.scheme: The password of erin cannot be checked: its version is 65536, where MAS knows 0 to 65535 \
         #{\"username\": \"erin\", \"version\": 65536}",
        "frank: password.scheme: The password of frank cannot be checked: its hash is not one of `pbkdf2`, the algorithm of \
         its scheme #{\"username\": \"frank\", \"version\": 3}",
        "grace: password.scheme: The password of grace cannot be checked: its hash asks for more work than any good one \
         does #{\"username\": \"grace\", \"version\": 1}",
        "heidi: false",
        "zoe: true",
    ];
    assert_eq!(answers, json!(expected));
    // Whoever does not catch it gets the name as well, and a transaction goes on.
    let body = "users::get(\"bob\").verify_password(args.password)";
    let error = stage.run(&NEEDS, &[("password", "hunter2")], body).unwrap_err();
    assert_eq!(error.code(), Code::PasswordScheme);
    let body = "let alice = users::get(\"alice\").lock(); \
         try { alice.verify_password(args.password); } catch {} users::get(\"carol\").lock(); ()";
    let needs = ["users:write", "passwords:read"];
    stage.run(&needs, &[("password", "hunter2")], body).unwrap();
    assert_eq!(
        stage.rows("SELECT count(*) FROM users WHERE locked_at IS NOT NULL"),
        ["3"]
    );
}

#[rstest]
fn passwords_that_are_disabled_are_not_verified() {
    let stage = Stage::open(Store::Sqlite, "verify_disabled", "passwords: { enabled: false }");
    add(&stage, 1, ALICE, ARGON2, 1);
    for name in ["alice", "bob"] {
        let body = format!("users::get(\"{name}\").verify_password(args.password)");
        let error = stage.run(&NEEDS, &[("password", "hunter2")], &body).unwrap_err();
        assert_eq!(error.code(), Code::PasswordDisabled);
    }
}

/// A hash that takes seconds to check does not keep anybody from leaving.
#[test]
fn verifying_is_interrupted() {
    let stage = Stage::open(Store::Sqlite, "verify_interrupted", SCHEMES);
    add(&stage, 1, ALICE, &BCRYPT_PEPPERED.replace("$10$", "$15$"), 2);
    let body = "users::get(\"alice\").verify_password(args.password)";
    let interrupt = stage.interrupt.clone();
    let pressing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        interrupt.press();
    });
    let error = stage.run(&NEEDS, &[("password", "hunter2")], body).unwrap_err();
    assert_eq!(error.code(), Code::RunInterrupted);
    pressing.join().expect("it pressed");
}

/// What `set_password` writes is what the crates make of password and pepper, by the rules of MAS's contract.
#[rstest]
#[case::argon2id("argon2id", false)]
#[case::argon2id_normalized("argon2id", true)]
#[case::bcrypt("bcrypt", false)]
#[case::bcrypt_normalized("bcrypt", true)]
#[case::pbkdf2("pbkdf2", true)]
fn new_hashes_are_of_the_highest_version_and_verify_elsewhere(#[case] algorithm: &str, #[case] normalized: bool) {
    // Decomposed, and with a ligature: NFKC makes it shorter.
    let password = "correct horse cafe\u{301} \u{fb01}sh";
    let settings = format!(
        "passwords:\n  schemes:\n    - {{ version: 300, algorithm: {algorithm}, secret: {PEPPER}, cost: 5, \
         unicode_normalization: {normalized} }}\n    - {{ version: 299, algorithm: argon2id, secret: other }}\n"
    );
    let stage = Stage::open(Store::Sqlite, &format!("hash_{algorithm}_{normalized}"), &settings);
    let body = "users::get(\"alice\").set_password(args.password); ()";
    let needs = ["users:read", "passwords:write"];
    stage.run(&needs, &[("password", password)], body).unwrap();
    assert_eq!(stage.take_said(), [""; 0]);
    assert_eq!(
        stage.rows("SELECT user_id, version, upgraded_from_id FROM user_passwords"),
        [format!("{ALICE} | 300 | null")]
    );
    let hash = stage.rows("SELECT hashed_password FROM user_passwords").remove(0);
    let prepared = if normalized {
        password.nfkc().collect()
    } else {
        password.to_owned()
    };
    let joined = format!("{prepared}{PEPPER}");
    let verified = match algorithm {
        "argon2id" => {
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            let argon2 =
                Argon2::new_with_secret(PEPPER.as_bytes(), Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
            let hash = PasswordHash::new(&hash).expect("it is a PHC string");
            argon2.unwrap().verify_password(prepared.as_bytes(), &hash).is_ok()
        }
        "bcrypt" => {
            assert!(hash.starts_with("$2b$05$"), "{hash}");
            bcrypt::verify(&joined, &hash).unwrap()
        }
        _ => {
            assert!(hash.starts_with("$pbkdf2-sha256$i=600000,l=32$"), "{hash}");
            let hash = PasswordHash::new(&hash).expect("it is a PHC string");
            let salt = hash.salt.expect("it has one");
            let made = pbkdf2::pbkdf2_hmac_array::<pbkdf2::sha2::Sha256, 32>(joined.as_bytes(), &salt, 600_000);
            hash.hash.expect("it has one").as_bytes() == made
        }
    };
    assert!(verified, "{hash}");
}

/// The file of a pepper is read as it is, its newline included, and once for a script.
#[test]
fn the_pepper_of_a_file_keeps_its_newline() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("pepper");
    std::fs::write(&file, format!("{PEPPER}\n")).expect("the folder can be written");
    let settings = format!(
        "passwords:\n  schemes:\n    - {{ version: 5, algorithm: bcrypt, cost: 4, secret_file: {} }}\n",
        file.display()
    );
    let stage = Stage::open(Store::Sqlite, "pepper_file", &settings);
    let body = "users::get(\"alice\").set_password(args.password).verify_password(args.password)";
    let needs = ["users:read", "passwords:write"];
    let password = "correct horse battery staple";
    let outcome = stage.run(&needs, &[("password", password)], body).unwrap();
    assert_eq!(outcome.result, json!(true));
    let hash = stage.rows("SELECT hashed_password FROM user_passwords").remove(0);
    assert!(bcrypt::verify(format!("{password}{PEPPER}\n"), &hash).unwrap());
    assert!(!bcrypt::verify(format!("{password}{PEPPER}"), &hash).unwrap());
}

#[rstest]
#[case::whole(57, None)]
#[case::pepper(
    58,
    Some("bcrypt looks at the first 72 bytes only: with this password, not all of the pepper counts")
)]
#[case::password(
    73,
    Some("bcrypt looks at the first 72 bytes only: the rest of this password does not count")
)]
fn what_bcrypt_does_not_look_at_is_a_warning(#[case] length: usize, #[case] warning: Option<&str>) {
    let settings =
        format!("passwords: {{ schemes: [{{ version: 2, algorithm: bcrypt, cost: 4, secret: {PEPPER} }}] }}");
    let stage = Stage::open(Store::Sqlite, &format!("bcrypt_{length}"), &settings);
    let password = "correct horse battery staple ".repeat(3)[..length].to_owned();
    let expected: Vec<String> = warning.map(|it| format!("Warning: {it}")).into_iter().collect();
    for body in [
        "users::get(\"alice\").set_password(args.password); ()",
        "users::register(#{ username: \"erin\", password: args.password }); ()",
    ] {
        let needs = ["users:write", "passwords:write"];
        stage.run(&needs, &[("password", &password)], body).unwrap();
        assert_eq!(stage.take_said(), expected, "{body}");
    }
}

/// Version and algorithm of the configuration, what the hash itself says, age, and how many are kept; never the hash.
#[rstest]
fn a_password_is_described_without_its_hash(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = Stage::open(kind, &format!("described_{kind:?}").to_lowercase(), SCHEMES);
    add(&stage, 1, ALICE, BCRYPT_PEPPERED, 2);
    add(&stage, 2, ALICE, PBKDF2, 3);
    add(&stage, 3, CAROL, "$6$foreign", 9);
    let describe = "let all = []; for user in users::list(#{}) { all.push(user.password()); } all";
    let described = stage.run(&NEEDS, &[], describe).unwrap().result;
    let age = |number: &str| {
        let at = format!("2024-05-{number}T12:00:00+00:00");
        (time("2020-01-01T00:01:00.001+00:00") - time(&at)).num_seconds()
    };
    assert_eq!(
        described,
        json!([
            {
                "version": 3, "algorithm": "pbkdf2", "hashed_as": "pbkdf2-sha256",
                "created_at": "2024-05-02T12:00:00Z", "age": age("02"), "earlier": 1,
            },
            null,
            {
                "version": 9, "algorithm": null, "hashed_as": null,
                "created_at": "2024-05-03T12:00:00Z", "age": age("03"), "earlier": 0,
            },
            null,
        ])
    );
    assert_eq!(
        stage.run(&NEEDS, &[], "passwords::scheme()").unwrap().result,
        json!({
            "enabled": true, "version": 4, "algorithm": "argon2id", "unicode_normalization": false, "pepper": true,
            "minimum_complexity": 0,
        })
    );
}

#[rstest]
fn where_passwords_are_disabled_there_is_no_scheme() {
    let stage = Stage::open(Store::Sqlite, "no_scheme", "passwords: { enabled: false }\n");
    add(&stage, 1, ALICE, ARGON2, 1);
    let scheme = stage.run(&NEEDS, &[], "passwords::scheme()").unwrap().result;
    assert_eq!(
        scheme,
        json!({
            "enabled": false, "version": null, "algorithm": null, "unicode_normalization": null, "pepper": null,
            "minimum_complexity": 3,
        })
    );
    // What is stored is still there to be described and removed.
    let needs = ["users:read", "passwords:write"];
    let body = r#"let user = users::get("alice"); [user.password().hashed_as, user.password().algorithm, user.remove_passwords()]"#;
    assert_eq!(
        stage.run(&needs, &[], body).unwrap().result,
        json!(["argon2id", null, 1])
    );
}
