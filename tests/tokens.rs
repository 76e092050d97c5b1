//! Access and registration tokens as scripts find, revoke, rotate and edit them, where a transcript cannot look.

use masctl::{error::Code, host::Outcome};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    cast::{self, ALICE, CAROL, CREATED_AT, PROVIDER, REFRESH_TEXT, TOKEN, TOKEN_TEXT},
    scripted::Stage,
    store::Store,
};

const NEEDS: [&str; 2] = ["users:read", "tokens:write"];

/// A token of an OAuth 2.0 session, and one of MAS's format that nobody has.
const OF_OAUTH: &str = "mat_0123456789abcdefghijABCDEFGHIJ_0pmO7B";
const OF_NOBODY: &str = "mct_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123_MsGJI1";

/// A personal token, and its SHA-256.
const PERSONAL: &str = "mpt_0123456789abcdefghijABCDEFGHIJ_iDeDE4";
const PERSONAL_SHA256: &str = "e672e75d5e9c44514493edb7c69700c6d2b674b2a896f57844c857f69a9dc8a5";

/// A token that was imported from Synapse, with its refresh token.
const IMPORTED: &str = "syt_YWxpY2U_JnpcaHFbhhJWuOtQQCcb_1XGBYu";
const IMPORTED_REFRESH: &str = "syr_YWxpY2U_JnpcaHFbhhJWuOtQQCcb_1XGBYu";

const PERSONAL_TOKEN: &str = "01HV0000000000000000000T05";
const IMPORTED_TOKEN: &str = "01HV0000000000000000000T06";

fn stage(kind: Store, name: &str) -> Stage {
    let stage = Stage::open(kind, &format!("tokens_{name}_{kind:?}").to_lowercase(), "{}");
    let (scope, sha256) = match kind {
        Store::Sqlite => ("'[\"openid\"]'", format!("x'{PERSONAL_SHA256}'")),
        Store::Postgres => ("ARRAY['openid']", format!("'\\x{PERSONAL_SHA256}'")),
    };
    stage.rows(&cast::tokens_sql());
    stage.rows(&format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) VALUES \
         ({{ulid:{PROVIDER}}}, true, true);
         INSERT INTO oauth2_sessions (oauth2_session_id, oauth2_client_id, scope_list, created_at) VALUES \
         ({{ulid:{PROVIDER}}}, {{ulid:{PROVIDER}}}, {scope}, '{CREATED_AT}');
         INSERT INTO oauth2_access_tokens (oauth2_access_token_id, oauth2_session_id, access_token, created_at) VALUES \
         ({{ulid:{PROVIDER}}}, {{ulid:{PROVIDER}}}, '{OF_OAUTH}', '{CREATED_AT}');
         INSERT INTO personal_sessions (personal_session_id, owner_user_id, actor_user_id, human_name, scope_list, created_at) \
         VALUES ({{ulid:01HV0000000000000000000S05}}, {{ulid:{ALICE}}}, {{ulid:{CAROL}}}, 'bot', {scope}, '{CREATED_AT}');
         INSERT INTO personal_access_tokens (personal_access_token_id, personal_session_id, access_token_sha256, created_at) \
         VALUES ({{ulid:{PERSONAL_TOKEN}}}, {{ulid:01HV0000000000000000000S05}}, {sha256}, '{CREATED_AT}');
         INSERT INTO compat_sessions (compat_session_id, user_id, device_id, created_at) VALUES \
         ({{ulid:01HV0000000000000000000S06}}, {{ulid:{CAROL}}}, NULL, '{CREATED_AT}');
         INSERT INTO compat_access_tokens (compat_access_token_id, compat_session_id, access_token, created_at) VALUES \
         ({{ulid:{IMPORTED_TOKEN}}}, {{ulid:01HV0000000000000000000S06}}, '{IMPORTED}', '{CREATED_AT}');
         INSERT INTO compat_refresh_tokens (compat_refresh_token_id, compat_session_id, compat_access_token_id, \
         refresh_token, created_at) VALUES ({{ulid:01HV0000000000000000000T07}}, {{ulid:01HV0000000000000000000S06}}, \
         {{ulid:{IMPORTED_TOKEN}}}, '{IMPORTED_REFRESH}', '{CREATED_AT}');"
    ));
    stage
}

fn run(stage: &Stage, body: &str) -> masctl::error::Result<Outcome> {
    stage.run(&NEEDS, &[], body)
}

fn rotate(stage: &Stage, token: &str, options: &str) -> masctl::error::Result<Outcome> {
    run(stage, &format!("tokens::get(\"{token}\").rotate(#{{ {options} }})"))
}

#[rstest]
fn a_token_is_found_by_its_text(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "found");
    let find = "let found = tokens::find(args.text); if found == () { () } else { found.id }";
    for (text, expected) in [
        (TOKEN_TEXT, json!(TOKEN)),
        (REFRESH_TEXT, json!(TOKEN)),
        (PERSONAL, json!(PERSONAL_TOKEN)),
        (IMPORTED, json!(IMPORTED_TOKEN)),
        (IMPORTED_REFRESH, json!(IMPORTED_TOKEN)),
        (OF_NOBODY, Value::Null),
        // With a wrong checksum MAS would not look for it.
        ("mct_0123456789abcdefghijABCDEFGHIJ_jUFkp2", Value::Null),
        (PERSONAL_SHA256, Value::Null),
        ("welcome", Value::Null),
    ] {
        let outcome = stage.run(&["tokens:read"], &[("text", text)], find).unwrap();
        assert_eq!(outcome.result, expected, "{text}");
    }
    let error = stage.run(&["tokens:read"], &[("text", OF_OAUTH)], find).unwrap_err();
    assert_eq!(error.code(), Code::TokenUnsupported);
    assert_eq!(error.values().get("session_id"), Some(&json!(PROVIDER)));
    assert_eq!(
        error.help_text(),
        Some(format!("`masctl manage kill-session {PROVIDER}` ends the session.").as_str())
    );
}

#[rstest]
fn a_rotated_token_replaces_every_other_of_its_session(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "rotated");
    let outcome = rotate(&stage, TOKEN, "").unwrap();
    let token = outcome.result["token"].as_str().expect("it is shown").to_owned();
    let id = outcome.result["id"].as_str().unwrap().to_owned();
    assert!(token.starts_with("mct_") && token.len() == 41, "{token}");
    assert_eq!(outcome.secret.as_deref(), Some(token.as_str()));
    assert_eq!(
        outcome.result,
        json!({
            "token": token, "id": id, "kind": "compatibility", "session_id": "01HV0000000000000000000S01",
            "user": "alice", "device_id": "PHONE", "expires_at": null,
        })
    );
    let report = format!(
        "{:?}{}",
        outcome.report,
        serde_json::to_value(&outcome.report.changes).unwrap()
    );
    assert!(!report.contains(&token) && !report.contains(TOKEN_TEXT), "{report}");
    assert_eq!(
        stage.rows(
            "SELECT access_token, expires_at FROM compat_access_tokens WHERE compat_session_id = \
                    {ulid:01HV0000000000000000000S01} ORDER BY expires_at IS NULL"
        ),
        [
            format!("{TOKEN_TEXT} | 2020-01-01T00:01:00.003Z"),
            format!("{token} | null")
        ]
    );
    assert_eq!(
        stage.rows("SELECT consumed_at FROM compat_refresh_tokens ORDER BY compat_refresh_token_id"),
        ["2020-01-01T00:01:00.003Z", "null"],
        "that of another session stays"
    );
    // Neither a job nor a call: the device stays.
    assert_eq!(stage.rows("SELECT count(*) FROM queue_jobs"), ["0"]);
    assert_eq!(stage.take_requests(), [""; 0]);
    assert_eq!(
        stage.rows("SELECT count(*) FROM compat_sessions WHERE finished_at IS NOT NULL"),
        ["0"]
    );

    let outcome = rotate(&stage, PERSONAL_TOKEN, "expires_in: 60").unwrap();
    assert!(outcome.result["token"].as_str().unwrap().starts_with("mpt_"));
    assert_eq!(outcome.result["expires_at"], json!("2020-01-01T00:03:00.004Z"));
    assert_eq!(
        stage.rows("SELECT revoked_at FROM personal_access_tokens ORDER BY revoked_at IS NULL"),
        ["2020-01-01T00:02:00.003Z", "null"]
    );
}

#[rstest]
fn the_new_token_lives_as_long_as_it_is_told(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "lifetime");
    let in_an_hour = stage.rows(&format!(
        "UPDATE compat_access_tokens SET expires_at = '2024-04-09T00:16:49.280123+00:00' \
         WHERE compat_access_token_id = {{ulid:{IMPORTED_TOKEN}}} AND created_at = '{CREATED_AT}' RETURNING expires_at"
    ));
    assert_eq!(in_an_hour, ["2024-04-09T00:16:49.280123Z"]);
    let mut token = IMPORTED_TOKEN.to_owned();
    for (options, expected) in [
        ("", json!("2020-01-01T01:01:00.004Z")),
        ("", json!("2020-01-01T01:02:00.004Z")),
        ("never_expires: true", Value::Null),
        ("never_expires: false", Value::Null),
        ("expires_in: 3600", json!("2020-01-01T01:05:00.004Z")),
    ] {
        // The next id is not known before it is made: worlds repeat themselves, so the newest is taken.
        let outcome = rotate(&stage, &token, options).unwrap();
        assert_eq!(outcome.result["expires_at"], expected, "{options}");
        token = outcome.result["id"].as_str().unwrap().to_owned();
    }
    for options in ["expires_in: 1, never_expires: true", "expires_in: -1", "forever: true"] {
        let error = rotate(&stage, &token, options).unwrap_err();
        assert_eq!(error.code(), Code::ValueInvalid, "{options}");
    }
}

/// A refresh token that nobody has used keeps a token alive that has expired.
#[rstest]
fn only_what_is_dead_counts_as_replaced(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "replaced");
    stage.rows(&format!(
        "UPDATE compat_access_tokens SET expires_at = '2019-01-01T00:00:00+00:00' \
         WHERE compat_access_token_id = {{ulid:{TOKEN}}};
         INSERT INTO compat_access_tokens (compat_access_token_id, compat_session_id, access_token, created_at) VALUES \
         ({{ulid:01HV0000000000000000000T09}}, {{ulid:01HV0000000000000000000S01}}, '{OF_NOBODY}', \
         '2024-04-09T00:00:00+00:00')"
    ));
    let newer = "01HV0000000000000000000T09";
    let ended = "SELECT count(*) FROM compat_sessions WHERE finished_at IS NOT NULL";
    stage.rows("UPDATE compat_refresh_tokens SET consumed_at = '2019-01-01T00:00:00+00:00'");
    let error = rotate(&stage, TOKEN, "").unwrap_err();
    assert_eq!(error.code(), Code::TokenRevoked);
    assert_eq!(
        error.message(),
        format!("The compatibility token {TOKEN} of alice, device PHONE has expired, and {newer} has taken its place")
    );
    assert_eq!(error.values().get("newer_id"), Some(&json!(newer)));
    let revoke = format!("tokens::get(\"{TOKEN}\").revoke()");
    let outcome = run(&stage, &revoke).unwrap();
    assert_eq!(outcome.report.changes, []);
    assert_eq!(
        outcome.report.notes,
        [format!(
            "The compatibility token {TOKEN} of alice, device PHONE has expired, and {newer} has taken its place: \
             revoke that to end the session"
        )]
    );
    assert_eq!(stage.rows(ended), ["0"]);
    stage.rows("UPDATE compat_refresh_tokens SET consumed_at = NULL");
    let outcome = run(&stage, &revoke).unwrap();
    assert_eq!(outcome.report.changes.len(), 1);
    assert_eq!(stage.rows(ended), ["1"]);
}

#[rstest]
fn a_token_of_a_session_that_is_over_is_not_rotated(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "over");
    stage.rows(&format!("UPDATE compat_sessions SET finished_at = '{CREATED_AT}'"));
    stage.rows(&format!("UPDATE personal_sessions SET revoked_at = '{CREATED_AT}'"));
    for token in [TOKEN, PERSONAL_TOKEN] {
        let error = rotate(&stage, token, "").unwrap_err();
        assert_eq!(error.code(), Code::TokenRevoked, "{token}");
        let outcome = run(&stage, &format!("tokens::get(\"{token}\").revoke().revoked_at")).unwrap();
        assert_eq!(outcome.result, json!("2024-04-08T23:16:49.280123Z"));
        assert_eq!(outcome.report.notes.len(), 1);
    }
    // The queue alone has changed.
    assert_eq!(
        stage.rows("SELECT payload FROM queue_jobs ORDER BY queue_job_id"),
        [ALICE, CAROL].map(|user| format!("{{\"user_id\":\"{user}\"}}"))
    );
    stage.rows(&format!(
        "UPDATE compat_sessions SET finished_at = NULL; UPDATE users SET deactivated_at = '{CREATED_AT}'"
    ));
    let error = rotate(&stage, TOKEN, "").unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Code::UserInactive, "alice is deactivated: its tokens do not work")
    );
}

#[rstest]
fn a_registration_token_is_edited_where_it_is_told(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "edited");
    let rows = || stage.rows("SELECT usage_limit, expires_at FROM user_registration_tokens");
    let edit = |options: &str| {
        run(
            &stage,
            &format!("tokens::get_registration(\"welcome\").edit(#{{ {options} }})"),
        )
    };
    for (options, expected) in [
        ("usage_limit: 5", "5 | null"),
        ("expires_in: 60", "5 | 2020-01-01T00:03:00.002Z"),
        (
            "unlimited: true, never_expires: false",
            "null | 2020-01-01T00:03:00.002Z",
        ),
        ("usage_limit: 0, never_expires: true", "0 | null"),
        (
            "expires_at: users::get(\"alice\").created_at",
            "0 | 2024-04-08T23:16:49.280123Z",
        ),
    ] {
        let outcome = edit(options).unwrap();
        assert_eq!(outcome.report.changes.len(), 1, "{options}");
        assert_eq!(rows(), [expected], "{options}");
        let changes = serde_json::to_string(&outcome.report.changes).unwrap();
        assert!(!changes.contains("welcome"), "{changes}");
    }
    for (options, message) in [
        ("", "Nothing of the registration token is to be changed"),
        ("unlimited: false", "Nothing of the registration token is to be changed"),
        (
            "usage_limit: 1, unlimited: true",
            "The options `usage_limit` and `unlimited` cannot be given together",
        ),
        (
            "expires_in: 1, never_expires: true",
            "The options `expires_in` and `never_expires` cannot be given together",
        ),
        (
            "usage_limit: -1",
            "The option `usage_limit` takes a number of 0 to 2147483647",
        ),
        (
            "usage_limit: 2147483648",
            "The option `usage_limit` takes a number of 0 to 2147483647",
        ),
        (
            "expires_in: -1",
            "A token expires in 0 to 4294967295 seconds, not in -1",
        ),
        ("limit: 1", "There is no option `limit`"),
    ] {
        let error = edit(options).unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (Code::ValueInvalid, message),
            "{options}"
        );
    }
    assert_eq!(rows(), ["0 | 2024-04-08T23:16:49.280123Z"]);
}

/// A text that is a ULID may be a token's id, but a token of this text comes first.
#[rstest]
fn a_registration_token_is_found_by_text_then_by_id(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "registration");
    let id = "01HV0000000000000000000R01";
    let find = |text: &str| {
        let outcome = stage.run(
            &["tokens:read"],
            &[],
            &format!("tokens::get_registration(\"{text}\").token"),
        );
        outcome.map(|outcome| outcome.result)
    };
    assert_eq!(find("welcome").unwrap(), json!("welcome"));
    assert_eq!(find(id).unwrap(), json!("welcome"));
    let error = find("Welcome").unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Code::TokenNotFound, "There is no registration token `Welcome`")
    );
    let huge = find(&"é".repeat(5000)).unwrap_err();
    assert_eq!(
        huge.message(),
        format!("There is no registration token `{}…`", "é".repeat(100))
    );
    stage.rows(&format!(
        "INSERT INTO user_registration_tokens (user_registration_token_id, token, created_at) VALUES \
         ({{ulid:01HV0000000000000000000R02}}, '{id}', '{CREATED_AT}')"
    ));
    assert_eq!(find(id).unwrap(), json!(id));
}

#[test]
fn an_id_of_something_else_is_told_apart() {
    let stage = stage(Store::Postgres, "wrong_id");
    for (id, help) in [
        (
            "01HV0000000000000000000S01",
            format!("It is the id of a session, whose token is {TOKEN}."),
        ),
        (
            "01HV0000000000000000000S05",
            format!("It is the id of a session, whose token is {PERSONAL_TOKEN}."),
        ),
        (
            "01HV0000000000000000000R01",
            "It is the id of a registration token: `masctl manage revoke-registration-token` takes it.".to_owned(),
        ),
        (ALICE, "`masctl manage list-tokens` shows their ids.".to_owned()),
    ] {
        let error = run(&stage, &format!("tokens::get(\"{id}\")")).unwrap_err();
        assert_eq!(error.code(), Code::TokenNotFound);
        assert_eq!(error.message(), format!("There is no access token {id}"));
        assert_eq!(error.help_text(), Some(help.as_str()));
    }
}

#[test]
fn an_unknown_filter_lists_the_known_ones() {
    let stage = stage(Store::Sqlite, "filters");
    for (list, help) in [
        (
            "tokens::list(#{ device: 1 })",
            "The options are user, kind, valid, expires_before, expires_within, created_after, created_before, limit.",
        ),
        (
            "tokens::count(#{ limit: 1 })",
            "The options are user, kind, valid, expires_before, expires_within, created_after, created_before.",
        ),
        (
            "tokens::list(#{ kind: \"oauth\" })",
            "It can be compatibility, personal.",
        ),
        (
            "tokens::list_registration(#{ user: 1 })",
            "The options are valid, used, revoked, expires_before, expires_within, limit.",
        ),
    ] {
        let error = run(&stage, list).unwrap_err();
        assert_eq!(
            (error.code(), error.help_text()),
            (Code::ValueInvalid, Some(help)),
            "{list}"
        );
    }
}

#[rstest]
fn tokens_that_expire_soon_are_counted(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = stage(kind, "soon");
    // The clock of the first run is at a minute past midnight.
    stage.rows("UPDATE compat_access_tokens SET expires_at = '2020-01-01T01:00:00+00:00'");
    stage.rows("UPDATE user_registration_tokens SET expires_at = '2020-01-01T01:00:00+00:00'");
    let count = |options: &str| {
        let body = format!("[tokens::count(#{{ {options} }}), tokens::count_registration(#{{ {options} }})]");
        run(&stage, &body).map(|outcome| outcome.result)
    };
    for (options, expected) in [
        ("expires_within: 60", json!([0, 0])),
        ("expires_within: 3600", json!([2, 1])),
        ("expires_before: users::get(\"alice\").created_at", json!([2, 1])),
    ] {
        assert_eq!(count(options).unwrap(), expected, "{options}");
    }
    for options in [
        "expires_within: 1, expires_before: users::get(\"alice\").created_at",
        "expires_within: 9223372036854775807",
        "expires_within: \"1d\"",
    ] {
        assert_eq!(count(options).unwrap_err().code(), Code::ValueInvalid, "{options}");
    }
}
