//! Accounts that have lived with MAS: of every kind of row that a command could touch there is one, and one beside it.

use super::store::Store;

const CREATED_AT: &str = "'2020-01-01T00:00:00+00:00'";
const ENDED_AT: &str = "'2020-01-01T00:00:30+00:00'";

/// The accounts, which the homeserver has too.
pub(crate) const USERNAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// The SQL that populates an empty store: alice, who has everything; bob, who is locked; carol, who may ask for
/// administrator scopes; dave, who is deactivated; and a MAS at work.
pub(crate) fn sql(kind: Store) -> String {
    [accounts(), sessions(kind), logins(), upstream(), tokens(kind), queue()].concat()
}

/// An id whose end tells what it is of.
fn id(end: &str) -> String {
    format!("{{ulid:01DXF6DT{end:0>18}}}")
}

fn accounts() -> String {
    let (alice, bob, carol, dave, provider) = (id("A"), id("B"), id("C"), id("D"), id("PR1"));
    format!(
        "INSERT INTO users (user_id, username, created_at, locked_at, deactivated_at, can_request_admin) VALUES \
         ({alice}, 'alice', {CREATED_AT}, NULL, NULL, false), ({bob}, 'bob', {CREATED_AT}, {ENDED_AT}, NULL, false), \
         ({carol}, 'carol', {CREATED_AT}, NULL, NULL, true), ({dave}, 'dave', {CREATED_AT}, NULL, {ENDED_AT}, false);
         INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
         ({}, {alice}, 'alice@example.com', {CREATED_AT}), ({}, {bob}, 'bob@example.com', {CREATED_AT});
         INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) VALUES \
         ({}, {alice}, 'an earlier hash', 1, {CREATED_AT}), ({}, {bob}, 'another hash', 1, {CREATED_AT});
         INSERT INTO upstream_oauth_providers (upstream_oauth_provider_id, issuer, scope, client_id, \
         token_endpoint_auth_method, created_at) VALUES \
         ({provider}, 'https://id.example.com/', 'openid', 'masctl', 'none', {CREATED_AT});
         INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at) \
         VALUES ({}, {provider}, {alice}, 'alice-there', {CREATED_AT}), ({}, {provider}, NULL, 'erin-there', {CREATED_AT});
         INSERT INTO user_terms (user_terms_id, user_id, terms_url, created_at) VALUES \
         ({}, {alice}, 'https://example.com/terms', {CREATED_AT});
         INSERT INTO user_unsupported_third_party_ids (user_id, medium, address, created_at) VALUES \
         ({alice}, 'msisdn', '15550100', {CREATED_AT});",
        id("EA1"),
        id("EB1"),
        id("PA1"),
        id("PB1"),
        id("KA1"),
        id("KX1"),
        id("TA1"),
    )
}

/// Of each kind: active ones of alice with two devices, one that is over, and one of another account.
fn sessions(kind: Store) -> String {
    let (alice, bob, carol, client) = (id("A"), id("B"), id("C"), id("CN1"));
    let scope = |device: &str| match kind {
        Store::Sqlite => format!("'[\"openid\",\"urn:matrix:client:device:{device}\"]'"),
        Store::Postgres => format!("ARRAY['openid','urn:matrix:client:device:{device}']"),
    };
    let (phone, laptop) = (scope("PHONE"), scope("LAPTOP"));
    format!(
        "INSERT INTO user_sessions (user_session_id, user_id, created_at, finished_at) VALUES \
         ({}, {alice}, {CREATED_AT}, NULL), ({}, {alice}, {CREATED_AT}, {ENDED_AT}), ({}, {carol}, {CREATED_AT}, NULL);
         INSERT INTO compat_sessions (compat_session_id, user_id, device_id, created_at, finished_at) VALUES \
         ({}, {alice}, 'PHONE', {CREATED_AT}, NULL), ({}, {alice}, 'PHONE', {CREATED_AT}, {ENDED_AT}), \
         ({}, {alice}, NULL, {CREATED_AT}, NULL), ({}, {bob}, 'PHONE', {CREATED_AT}, NULL);
         INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) VALUES \
         ({client}, true, true);
         INSERT INTO oauth2_sessions (oauth2_session_id, user_id, oauth2_client_id, scope_list, created_at, finished_at) \
         VALUES ({}, {alice}, {client}, {phone}, {CREATED_AT}, NULL), ({}, {alice}, {client}, {laptop}, {CREATED_AT}, NULL), \
         ({}, {alice}, {client}, {phone}, {CREATED_AT}, {ENDED_AT}), ({}, {bob}, {client}, {phone}, {CREATED_AT}, NULL), \
         ({}, NULL, {client}, {phone}, {CREATED_AT}, NULL);
         INSERT INTO personal_sessions (personal_session_id, owner_user_id, owner_oauth2_client_id, actor_user_id, \
         human_name, scope_list, created_at, revoked_at) VALUES \
         ({}, {alice}, NULL, {alice}, 'backup', {phone}, {CREATED_AT}, NULL), \
         ({}, {alice}, NULL, {carol}, 'helpdesk', {phone}, {CREATED_AT}, NULL), \
         ({}, {alice}, NULL, {alice}, 'old', {phone}, {CREATED_AT}, {ENDED_AT}), \
         ({}, NULL, {client}, {bob}, 'bot', {phone}, {CREATED_AT}, NULL);",
        id("BA1"),
        id("BA2"),
        id("BC1"),
        id("CA1"),
        id("CA2"),
        id("CA3"),
        id("CB1"),
        id("XA1"),
        id("XA2"),
        id("XA3"),
        id("XB1"),
        id("XN1"),
        id("SA1"),
        id("SA2"),
        id("SA3"),
        id("SB1"),
    )
}

/// A login of alice by password, and recoveries of her password and of bob's that are under way.
fn logins() -> String {
    format!(
        "INSERT INTO user_session_authentications (user_session_authentication_id, user_session_id, created_at, \
         user_password_id) VALUES ({}, {}, {CREATED_AT}, {});
         INSERT INTO user_recovery_sessions (user_recovery_session_id, email, user_agent, locale, created_at) VALUES \
         ({}, 'alice@example.com', 'Browser', 'en', {CREATED_AT}), ({}, 'bob@example.com', 'Browser', 'en', {CREATED_AT});
         INSERT INTO user_recovery_tickets (user_recovery_ticket_id, user_recovery_session_id, user_email_id, ticket, \
         created_at, expires_at) VALUES ({}, {}, {}, 'ticket-of-alice', {CREATED_AT}, '2020-01-02T00:00:00+00:00'), \
         ({}, {}, {}, 'ticket-of-bob', {CREATED_AT}, '2020-01-02T00:00:00+00:00');",
        id("BAT1"),
        id("BA1"),
        id("PA1"),
        id("RSA1"),
        id("RSB1"),
        id("RTA1"),
        id("RSA1"),
        id("EA1"),
        id("RTB1"),
        id("RSB1"),
        id("EB1"),
    )
}

/// A login of alice through a provider, of which a session began, one that is over, and one of nobody; and data of the policy.
fn upstream() -> String {
    let (provider, link) = (id("PR1"), id("KA1"));
    format!(
        "INSERT INTO upstream_oauth_authorization_sessions (upstream_oauth_authorization_session_id, \
         upstream_oauth_provider_id, upstream_oauth_link_id, state, created_at, completed_at, consumed_at, user_session_id) \
         VALUES ({}, {provider}, {link}, 'one', {CREATED_AT}, {CREATED_AT}, {CREATED_AT}, {}), \
         ({}, {provider}, {link}, 'two', {CREATED_AT}, {CREATED_AT}, {CREATED_AT}, NULL), \
         ({}, {provider}, {}, 'three', {CREATED_AT}, {CREATED_AT}, NULL, NULL);
         INSERT INTO policy_data (policy_data_id, created_at, data) VALUES \
         ({}, {CREATED_AT}, '{{\"admin_users\":[\"carol\"]}}');",
        id("NA1"),
        id("BA1"),
        id("NA2"),
        id("NX1"),
        id("KX1"),
        id("PD1"),
    )
}

fn tokens(kind: Store) -> String {
    let hash = match kind {
        Store::Sqlite => format!("x'{}'", "ab".repeat(32)),
        Store::Postgres => format!("'\\x{}'", "ab".repeat(32)),
    };
    format!(
        "INSERT INTO compat_access_tokens (compat_access_token_id, compat_session_id, access_token, created_at) VALUES \
         ({}, {}, 'mct_0123456789abcdefghijABCDEFGHIJ_jUFkp1', {CREATED_AT});
         INSERT INTO compat_refresh_tokens (compat_refresh_token_id, compat_session_id, compat_access_token_id, \
         refresh_token, created_at) VALUES ({}, {}, {}, 'mcr_42oTpLoieH5IecxG6gZXyvelQWW9Xq_a8g5N3', {CREATED_AT});
         INSERT INTO oauth2_access_tokens (oauth2_access_token_id, oauth2_session_id, access_token, created_at) VALUES \
         ({}, {}, 'mat_of_alice', {CREATED_AT});
         INSERT INTO personal_access_tokens (personal_access_token_id, personal_session_id, access_token_sha256, created_at) \
         VALUES ({}, {}, {hash}, {CREATED_AT});
         INSERT INTO user_registration_tokens (user_registration_token_id, token, created_at) VALUES \
         ({}, 'welcome', {CREATED_AT});",
        id("CTA1"),
        id("CA1"),
        id("CRA1"),
        id("CA1"),
        id("CTA1"),
        id("XTA1"),
        id("XA1"),
        id("STA1"),
        id("SA1"),
        id("RT1"),
    )
}

/// A worker that is alive, with the lease and a job in its hands, and one that died with a job in its hands; jobs that
/// failed for good, that failed and wait for their next attempt, and that are done.
fn queue() -> String {
    const METADATA: &str =
        r#"{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","trace_flags":1}"#;
    const PAYLOAD: &str = r#"{"user_id":"01DXF6DT00000000000000000A"}"#;
    let (worker, dead) = (id("WK1"), id("WK2"));
    let start = |number: &str| {
        format!(
            "({}, 'sync-devices', '{PAYLOAD}', '{METADATA}', {CREATED_AT}",
            id(number)
        )
    };
    format!(
        "INSERT INTO queue_workers (queue_worker_id, registered_at, last_seen_at, shutdown_at) VALUES \
         ({worker}, {CREATED_AT}, '2020-01-02T00:00:00+00:00', NULL), ({dead}, {CREATED_AT}, {CREATED_AT}, {ENDED_AT});
         INSERT INTO queue_leader (active, elected_at, expires_at, queue_worker_id) VALUES \
         (true, {CREATED_AT}, '2020-01-02T00:00:00+00:00', {worker});
         INSERT INTO queue_schedules (schedule_name) VALUES ('cleanup-queue-jobs');
         INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at, status, attempt, started_at, \
         started_by, completed_at, failed_at, failed_reason, scheduled_at, next_attempt_id) VALUES \
         {}, 'running', 0, {ENDED_AT}, {worker}, NULL, NULL, NULL, NULL, NULL), \
         {}, 'running', 3, {ENDED_AT}, {dead}, NULL, NULL, NULL, NULL, NULL), \
         {}, 'failed', 10, {ENDED_AT}, {worker}, NULL, {ENDED_AT}, 'no answer', NULL, NULL), \
         {}, 'failed', 0, {ENDED_AT}, {worker}, NULL, {ENDED_AT}, 'no answer', NULL, {}), \
         {}, 'scheduled', 1, NULL, NULL, NULL, NULL, NULL, '2020-01-02T00:00:00+00:00', NULL), \
         {}, 'completed', 0, {ENDED_AT}, {worker}, {ENDED_AT}, NULL, NULL, NULL, NULL);",
        start("JB1"),
        start("JB2"),
        start("JB3"),
        start("JB4"),
        id("JB5"),
        start("JB5"),
        start("JB6"),
    )
}
