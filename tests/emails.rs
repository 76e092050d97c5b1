//! E-mail addresses as scripts look for them and move them.

use masctl::error::{Code, Error};
use rstest::rstest;
use serde_json::json;

use crate::support::{
    cast::{ALICE, BOB, CAROL},
    scripted::Stage,
    store::Store,
};

const NEEDS: [&str; 2] = ["users:read", "emails:write"];

/// alice's address is bob's as well, and carol has one that nobody else has.
fn stage(kind: Store, name: &str) -> Stage {
    let stage = Stage::open(kind, &format!("{name}_{kind:?}").to_lowercase(), "");
    stage.rows(&format!(
        "INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
         ({{ulid:01HV00000000000000000000Y1}}, {{ulid:{BOB}}}, 'Alice@example.com', '2024-05-01T12:00:00+00:00'), \
         ({{ulid:01HV00000000000000000000Y2}}, {{ulid:{CAROL}}}, 'carol@example.org', '2024-05-01T12:00:00+00:00')"
    ));
    stage
}

fn refused(stage: &Stage, body: &str) -> Error {
    match stage.run(&NEEDS, &[], body) {
        Ok(outcome) => outcome.report.failure.expect(body),
        Err(error) => error,
    }
}

#[rstest]
fn an_address_is_looked_for_wherever_it_is(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "looked_for");
    let body = r#"
        let owners = [];
        for user in emails::owners("alice@EXAMPLE.com") { owners.push(user.username); }
        let duplicates = [];
        for email in emails::duplicates(#{ limit: 2 }) { duplicates.push([email.email, email.user]); }
        let of_alice = [];
        for email in users::get("alice").emails() { of_alice.push(email.email); }
        #{
            owners: owners,
            duplicates: duplicates,
            of_alice: of_alice,
            one: emails::get("CAROL@example.org").user,
            none: emails::find("dave@example.com"),
            not_hers: users::get("carol").find_email("alice@example.com"),
            all: emails::count(#{}),
            twice: emails::count_duplicates(),
            here: emails::count(#{ domain: "example.com", user: "bob", email: () }),
        }
    "#;
    assert_eq!(
        stage.run(&NEEDS, &[], body).unwrap().result,
        json!({
            "owners": ["alice", "bob"],
            "duplicates": [["alice@example.com", "alice"], ["Alice@example.com", "bob"]],
            "of_alice": ["alice@example.com"],
            "one": "carol",
            "none": null,
            "not_hers": null,
            "all": 3,
            "twice": 2,
            "here": 1,
        })
    );
}

#[rstest]
fn what_cannot_be_looked_for_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "refused");
    let error = refused(&stage, r#"emails::find("alice@example.com")"#);
    assert_eq!(error.code(), Code::EmailAmbiguous);
    assert_eq!(
        error.message(),
        "alice@example.com belongs to several users: alice and bob"
    );
    for (body, code, message, help) in [
        (
            r#"emails::list(#{ username: "alice" })"#,
            Code::ValueInvalid,
            "There is no option `username`",
            Some("The options are user, email, domain, limit."),
        ),
        (
            "emails::count(#{ limit: 1 })",
            Code::ValueInvalid,
            "There is no option `limit`",
            Some("The options are user, email, domain."),
        ),
        (
            r#"emails::list(#{ domain: "a b" })"#,
            Code::ValueInvalid,
            "`a b` is not the domain of e-mail addresses",
            Some("Write what follows the `@`: `example.com`."),
        ),
        (
            r#"emails::list(#{ user: "nobody" })"#,
            Code::UserNotFound,
            "User not found: nobody",
            None,
        ),
        (
            r#"emails::get("dave@example.com")"#,
            Code::EmailNotFound,
            "Nobody has the e-mail address dave@example.com",
            None,
        ),
    ] {
        let error = refused(&stage, body);
        assert_eq!(
            (error.code(), error.message(), error.help_text()),
            (code, message, help),
            "{body}"
        );
    }
}

/// An error of many owners names the first of them.
#[test]
fn of_many_owners_the_first_are_named() {
    let stage = stage(Store::Sqlite, "many_owners");
    for number in 10..29 {
        let id = format!("01HV0000000000000000000Z{number}");
        stage.rows(&format!(
            "INSERT INTO users (user_id, username, created_at) VALUES ({{ulid:{id}}}, 'erin{number}', '2024-05-01T12:00:00+00:00');
             INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
             ({{ulid:{id}}}, {{ulid:{id}}}, 'alice@example.com', '2024-05-01T12:00:00+00:00')"
        ));
    }
    let error = refused(&stage, r#"emails::get("alice@example.com")"#);
    assert_eq!(
        error.message(),
        "alice@example.com belongs to several users: alice, bob, erin10, erin11, erin12, erin13, erin14, erin15, erin16, \
         erin17, erin18, erin19, erin20, erin21, erin22, erin23, erin24, erin25, erin26, erin27 and others"
    );
}

/// The value that a script holds may be of a row that is gone.
#[rstest]
fn an_address_that_has_gone_is_not_moved(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "gone");
    let body = r#"
        let email = emails::get("carol@example.org");
        email.remove();
        email.remove();
        let moved = "moved";
        try { email.move_to(users::get("alice")); } catch (error) { moved = error.code; }
        moved
    "#;
    let outcome = stage.run(&NEEDS, &[], body).unwrap();
    assert_eq!(outcome.result, json!("email.not_found"));
    assert_eq!(
        outcome.report.notes,
        ["carol@example.org is removed from carol already"]
    );
    assert_eq!(stage.rows("SELECT count(*) FROM queue_jobs"), ["1"]);
}

/// A row of a list is removed alone; what an account has otherwise stays.
#[rstest]
fn the_addresses_of_a_list_are_removed_while_it_is_walked(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "walked");
    let body = r#"for email in emails::list(#{ domain: "example.com" }) { email.remove(); }"#;
    let outcome = stage.run(&NEEDS, &[], body).unwrap();
    let said: Vec<String> = outcome
        .report
        .changes
        .iter()
        .map(|change| change.sentence(false))
        .collect();
    assert_eq!(
        said,
        [
            "Removed alice@example.com from alice",
            "Removed Alice@example.com from bob"
        ]
    );
    assert_eq!(stage.rows("SELECT email FROM user_emails"), ["carol@example.org"]);
    let payload = |user: &str| format!("{{\"set_display_name\":null,\"user_id\":\"{user}\"}}");
    assert_eq!(
        stage.rows("SELECT payload FROM queue_jobs ORDER BY queue_job_id"),
        [payload(ALICE), payload(BOB)]
    );
}
