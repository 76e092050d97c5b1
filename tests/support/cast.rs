//! The accounts that tests know by name, the same on every store, and their one upstream provider.

use chrono::{DateTime, Utc};
use masctl::model::{Id, User};

/// A plain account, with the address `alice@example.com`.
pub(crate) const ALICE: &str = "01HV00000000000000000000A1";
/// An account that is locked.
pub(crate) const BOB: &str = "01HV00000000000000000000B2";
/// An account that may ask for administrator scopes.
pub(crate) const CAROL: &str = "01HV00000000000000000000C3";
/// An account that is deactivated.
pub(crate) const DAVE: &str = "01HV00000000000000000000D4";
/// The provider, which is enabled.
pub(crate) const PROVIDER: &str = "01HV0000000000000000000001";
/// The id of alice's address.
pub(crate) const ALICE_EMAIL: &str = "01HV00000000000000000000E5";

/// A job about alice that failed, and a worker that has shut down with another one in its hands.
pub(crate) const FAILED_JOB: &str = "01HV00000000000000000000F6";

/// An OAuth 2.0 client, a session of alice's at it, and one of her browser's.
pub(crate) const CLIENT: &str = "01HV0000000000000000000C08";
pub(crate) const OAUTH_SESSION: &str = "01HV0000000000000000000X08";
pub(crate) const BROWSER_SESSION: &str = "01HV0000000000000000000B09";

/// When everything of the cast was made: the time in its ids, and some microseconds.
pub(crate) const CREATED_AT: &str = "2024-04-08T23:16:49.280123+00:00";
/// When bob was locked and dave deactivated.
pub(crate) const ENDED_AT: &str = "2024-04-09T00:00:00+00:00";

/// The SQL that adds the cast to an empty store.
pub(crate) fn sql() -> String {
    let users = format!(
        "INSERT INTO users (user_id, username, created_at, locked_at, deactivated_at, can_request_admin) VALUES \
         ({{ulid:{ALICE}}}, 'alice', '{CREATED_AT}', NULL, NULL, false), \
         ({{ulid:{BOB}}}, 'bob', '{CREATED_AT}', '{ENDED_AT}', NULL, false), \
         ({{ulid:{CAROL}}}, 'carol', '{CREATED_AT}', NULL, NULL, true), \
         ({{ulid:{DAVE}}}, 'dave', '{CREATED_AT}', NULL, '{ENDED_AT}', false);"
    );
    let email = format!(
        "INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
         ({{ulid:{ALICE_EMAIL}}}, {{ulid:{ALICE}}}, 'alice@example.com', '{CREATED_AT}');"
    );
    let provider = format!(
        "INSERT INTO upstream_oauth_providers (upstream_oauth_provider_id, issuer, scope, client_id, \
         token_endpoint_auth_method, created_at, human_name) VALUES ({{ulid:{PROVIDER}}}, 'https://id.example.com/', \
         'openid', 'masctl', 'none', '{CREATED_AT}', 'Example');"
    );
    [users, email, provider].concat()
}

/// The SQL that adds jobs to the cast.
pub(crate) fn jobs_sql() -> String {
    let payload = format!("{{\"user_id\": \"{ALICE}\"}}");
    format!(
        "INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at, shutdown_at) VALUES \
         ({{ulid:01HV0000000000000000000W07}}, '{CREATED_AT}', '{CREATED_AT}', '{ENDED_AT}');
         INSERT INTO queue_jobs (queue_job_id, queue_name, status, payload, created_at, failed_at, failed_reason) VALUES \
         ({{ulid:{FAILED_JOB}}}, 'sync-devices', 'failed', '{payload}', '{CREATED_AT}', '{ENDED_AT}', 'it is down');
         INSERT INTO queue_jobs (queue_job_id, queue_name, status, payload, created_at, started_at, started_by) VALUES \
         ({{ulid:01HV00000000000000000000G8}}, 'sync-devices', 'running', '{payload}', '{CREATED_AT}', '{CREATED_AT}', \
         {{ulid:01HV0000000000000000000W07}});"
    )
}

/// The SQL that adds sessions to the cast. `scope` is a list of texts.
pub(crate) fn sessions_sql(scope: &str) -> String {
    format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, client_name, grant_type_authorization_code, \
         grant_type_refresh_token) VALUES ({{ulid:{CLIENT}}}, 'Element', true, true);
         INSERT INTO oauth2_sessions (oauth2_session_id, user_id, oauth2_client_id, scope_list, created_at) VALUES \
         ({{ulid:{OAUTH_SESSION}}}, {{ulid:{ALICE}}}, {{ulid:{CLIENT}}}, {scope}, '{CREATED_AT}');
         INSERT INTO user_sessions (user_session_id, user_id, created_at, user_agent) VALUES \
         ({{ulid:{BROWSER_SESSION}}}, {{ulid:{ALICE}}}, '{CREATED_AT}', 'Mozilla/5.0 Firefox/140.0');"
    )
}

/// A compatibility token of alice, which does not expire, and the texts of it and of its refresh token.
pub(crate) const TOKEN: &str = "01HV0000000000000000000T01";
pub(crate) const TOKEN_TEXT: &str = "mct_0123456789abcdefghijABCDEFGHIJ_jUFkp1";
pub(crate) const REFRESH_TEXT: &str = "mcr_42oTpLoieH5IecxG6gZXyvelQWW9Xq_a8g5N3";

/// The SQL that adds to the cast that token and a registration token.
pub(crate) fn tokens_sql() -> String {
    let session = "{ulid:01HV0000000000000000000S01}";
    format!(
        "INSERT INTO compat_sessions (compat_session_id, user_id, device_id, created_at) VALUES \
         ({session}, {{ulid:{ALICE}}}, 'PHONE', '{CREATED_AT}');
         INSERT INTO compat_access_tokens (compat_access_token_id, compat_session_id, access_token, created_at) VALUES \
         ({{ulid:{TOKEN}}}, {session}, '{TOKEN_TEXT}', '{CREATED_AT}');
         INSERT INTO compat_refresh_tokens (compat_refresh_token_id, compat_session_id, compat_access_token_id, \
         refresh_token, created_at) VALUES \
         ({{ulid:01HV0000000000000000000T02}}, {session}, {{ulid:{TOKEN}}}, '{REFRESH_TEXT}', '{CREATED_AT}');
         INSERT INTO user_registration_tokens (user_registration_token_id, token, created_at) VALUES \
         ({{ulid:01HV0000000000000000000R01}}, 'welcome', '{CREATED_AT}');"
    )
}

/// The SQL that adds to the cast a link of alice with a login that made it, and policy data, which is
/// older than the fixed world.
pub(crate) fn upstream_sql() -> String {
    format!(
        "INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at) \
         VALUES ({{ulid:01HV00000000000000000000K1}}, {{ulid:{PROVIDER}}}, {{ulid:{ALICE}}}, 'alice-there', '{CREATED_AT}');
         INSERT INTO upstream_oauth_authorization_sessions (upstream_oauth_authorization_session_id, \
         upstream_oauth_provider_id, upstream_oauth_link_id, state, created_at, completed_at, consumed_at) VALUES \
         ({{ulid:01HV00000000000000000000N1}}, {{ulid:{PROVIDER}}}, {{ulid:01HV00000000000000000000K1}}, 'state', \
         '{CREATED_AT}', '{CREATED_AT}', '{CREATED_AT}');
         INSERT INTO policy_data (policy_data_id, created_at, data) VALUES \
         ({{ulid:01DXF6DT000000000000000PD1}}, '2020-01-01T00:00:00+00:00', '{{\"admin_users\": [\"carol\"]}}');"
    )
}

/// The id that a ULID names.
pub(crate) fn id(ulid: &str) -> Id {
    ulid.parse().unwrap_or_else(|error| panic!("{ulid}: {error}"))
}

/// The moment that a text in RFC 3339 names.
pub(crate) fn time(text: &str) -> DateTime<Utc> {
    let time = DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    time.to_utc()
}

/// An account of the cast's age in no special state.
pub(crate) fn user(ulid: &str, username: &str) -> User {
    User {
        id: id(ulid),
        username: username.to_owned(),
        created_at: time(CREATED_AT),
        locked_at: None,
        deactivated_at: None,
        admin: false,
        guest: false,
    }
}

/// alice, as masctl reads her.
pub(crate) fn alice() -> User {
    user(ALICE, "alice")
}

/// bob, as masctl reads him.
pub(crate) fn bob() -> User {
    User {
        locked_at: Some(time(ENDED_AT)),
        ..user(BOB, "bob")
    }
}

/// carol, as masctl reads her.
pub(crate) fn carol() -> User {
    User {
        admin: true,
        ..user(CAROL, "carol")
    }
}

/// dave, as masctl reads him.
pub(crate) fn dave() -> User {
    User {
        deactivated_at: Some(time(ENDED_AT)),
        ..user(DAVE, "dave")
    }
}
