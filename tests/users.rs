//! Accounts as scripts look them up and describe them.

use masctl::error::{Code, Error};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    cast::{ALICE, ALICE_EMAIL, BOB, PROVIDER},
    scripted::Stage,
    store::Store,
};

fn stage(kind: Store, name: &str) -> Stage {
    Stage::open(kind, &format!("{name}_{kind:?}").to_lowercase(), "{}")
}

fn result(stage: &Stage, needs: &[&str], body: &str) -> Value {
    let outcome = stage.run(needs, &[], body);
    outcome.unwrap_or_else(|error| panic!("{body}: {error}")).result
}

fn refused(stage: &Stage, body: &str) -> Error {
    match stage.run(&["users:write"], &[], body) {
        Ok(outcome) => panic!("{body}: {}", outcome.result),
        Err(error) => error,
    }
}

/// The code, the message and the help of an error.
fn shown(error: &Error) -> (Code, &str, &str) {
    (error.code(), error.message(), error.help_text().unwrap_or_default())
}

#[rstest]
fn a_user_is_found_by_name_mxid_id_and_address(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "users_found");
    let body = format!(
        "[users::get(\"ALICE\").id, users::get(\"@alice:example.com\").id, users::get(\"alice:EXAMPLE.com\").id, \
         users::find(\"@alice\").id, users::get_by_id(\"{}\").id, users::get_by_email(\"Alice@Example.com\").id, \
         users::find_by_email(\"alice@example.com\").id, users::find(\"@nobody:example.com\"), \
         users::find_by_email(\"nobody@example.com\")]",
        ALICE.to_lowercase()
    );
    assert_eq!(
        result(&stage, &["users:read"], &body),
        json!([ALICE, ALICE, ALICE, ALICE, ALICE, ALICE, ALICE, null, null])
    );
    let error = refused(&stage, "users::get(\"@alice:example.org\")");
    assert_eq!(error.code(), Code::UserForeign);
    assert_eq!(refused(&stage, "users::find(\"@:\")").code(), Code::UserForeign);
    let error = refused(&stage, &format!("users::get_by_id(\"{PROVIDER}\")"));
    assert_eq!(
        shown(&error),
        (
            Code::UserNotFound,
            format!("No user has the id {PROVIDER}").as_str(),
            ""
        )
    );
    assert_eq!(
        refused(&stage, "users::get_by_id(\"alice\")").code(),
        Code::ValueInvalid
    );
    let error = refused(&stage, "users::get_by_email(\"nobody@example.com\")");
    assert_eq!(
        shown(&error),
        (
            Code::UserNotFound,
            "No user has the e-mail address nobody@example.com",
            ""
        )
    );
}

#[rstest]
fn an_address_of_several_users_names_them(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "users_ambiguous");
    stage.rows(&format!(
        "INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
         ({{ulid:{BOB}}}, {{ulid:{BOB}}}, 'ALICE@example.com', '2024-05-01T12:00:00+00:00')"
    ));
    for body in [
        "users::get_by_email(\"alice@example.com\")",
        "users::find_by_email(\"alice@example.com\")",
    ] {
        let error = refused(&stage, body);
        assert_eq!(
            shown(&error),
            (
                Code::EmailAmbiguous,
                "alice@example.com belongs to several users: alice and bob",
                "Name the user by username or id. MAS lets none of them log in by this address."
            )
        );
        assert_eq!(error.values()["usernames"], json!(["alice", "bob"]));
    }
    // More of them than anybody reads.
    let (id, number) = match kind {
        Store::Postgres => ("lpad(to_hex(n), 32, '0')::uuid", "lpad(n::text, 2, '0')"),
        Store::Sqlite => ("unhex(printf('%032x', n))", "printf('%02d', n)"),
    };
    stage.rows(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 30) \
         INSERT INTO users (user_id, username, created_at) SELECT {id}, 'u' || {number}, '2020-01-01T00:00:00+00:00' FROM numbers"
    ));
    stage.rows(
        "INSERT INTO user_emails (user_email_id, user_id, email, created_at) \
         SELECT user_id, user_id, 'many@example.com', created_at FROM users WHERE username LIKE 'u%'",
    );
    let error = refused(&stage, "users::get_by_email(\"many@example.com\")");
    assert!(error.message().ends_with("u18, u19, u20 and others"), "{error}");
}

#[rstest]
fn a_user_cannot_be_renamed(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "users_renamed");
    let error = refused(&stage, "users::get(\"alice\").rename(\"alicia\")");
    assert_eq!(
        shown(&error),
        (
            Code::UsernameFixed,
            "alice cannot be renamed: a MXID never changes, and no homeserver can change one",
            "Register alicia as a new account, move the e-mail addresses and the upstream links to it, then lock alice. \
             Rooms and messages stay with the old MXID."
        )
    );
    let caught =
        "let code = (); try { users::get(\"alice\").rename(\"a\"); } catch (error) { code = error_code(error); } code";
    assert_eq!(result(&stage, &["users:write"], caught), json!("username.fixed"));
    let error = stage.run(&["users:read"], &[], "users::get(\"alice\").rename(\"alicia\")");
    assert_eq!(error.unwrap_err().code(), Code::CapabilityDenied);
}

#[rstest]
fn what_a_filter_does_not_know_it_says(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "users_filter");
    let options = "search, active, locked, deactivated, admin, guest, created_after, created_before, active_after, \
                   active_before, has_password, has_email, email_domain, linked, provider, session, client";
    for (body, message, help) in [
        (
            "users::list(#{ name: \"a\" })",
            "There is no option `name`",
            format!("The options are {options}, limit."),
        ),
        (
            "users::count(#{ limit: 1 })",
            "There is no option `limit`",
            format!("The options are {options}."),
        ),
        (
            "users::count(#{ session: \"device\" })",
            "The option `session` cannot be `device`",
            "It can be browser, compatibility, oauth, personal.".to_owned(),
        ),
        (
            "users::count(#{ active: \"yes\" })",
            "The option `active` takes true or false",
            String::new(),
        ),
        (
            "users::count(#{ provider: \"github\" })",
            "`github` is not a ULID",
            String::new(),
        ),
        (
            "let a = \"a\"; a.pad(1025, \"a\"); users::count(#{ search: a })",
            "The option `search` takes a text of at most 1024 bytes",
            String::new(),
        ),
        (
            "users::count(#{ email_domain: \"@example.com\" })",
            "`@example.com` is not the domain of e-mail addresses",
            "Write what follows the `@`: `example.com`.".to_owned(),
        ),
    ] {
        let error = refused(&stage, body);
        assert_eq!(shown(&error), (Code::ValueInvalid, message, help.as_str()), "{body}");
    }
    let counts = "[users::count(#{ active: true, has_email: () }), users::count(#{ search: \"O\", locked: true })]";
    assert_eq!(result(&stage, &["users:read"], counts), json!([2, 1]));
}

#[rstest]
fn a_description_has_what_the_script_may_read(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "users_described");
    stage.rows(&format!(
        "INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at) \
         VALUES ({{ulid:{ALICE_EMAIL}}}, {{ulid:{PROVIDER}}}, {{ulid:{ALICE}}}, 'a', '2024-05-01T12:00:00+00:00')"
    ));
    let describe = |needs: &[&str]| {
        let needs = [&["users:read"], needs].concat();
        result(&stage, &needs, "users::get(\"alice\").describe()")
    };
    let least = json!({
        "id": ALICE, "username": "alice", "mxid": "@alice:example.com", "created_at": "2024-04-08T23:16:49.280123Z",
        "locked_at": null, "deactivated_at": null, "admin": false, "guest": false, "terms": [],
    });
    assert_eq!(describe(&[]), least);
    let parts: [(&str, &[&str]); 5] = [
        ("emails:read", &["emails", "third_party_ids"]),
        ("passwords:write", &["password"]),
        ("sessions:read", &["last_active_at", "sessions"]),
        ("links:read", &["links"]),
        ("jobs:read", &["jobs"]),
    ];
    for (need, names) in parts {
        let described = describe(&[need]);
        let more = described.as_object().unwrap().keys();
        let mut more: Vec<_> = more.filter(|name| least.get(name.as_str()).is_none()).collect();
        more.sort_unstable();
        assert_eq!(more, names, "{need}");
    }
    let link = |needs: &[&str]| describe(needs)["links"][0]["provider"].clone();
    assert_eq!(link(&["links:read"]), Value::Null);
    assert_eq!(link(&["links:read", "providers:read"]), json!("Example"));
    let body = "let all = users::get(\"alice\").describe(); [all.emails, all.links.len(), all.links[0].subject]";
    assert_eq!(
        result(&stage, &["users:read", "links:read"], body),
        json!([null, 1, "a"])
    );
}
