//! Many accounts, with what belongs to them.

use super::ACCOUNTS;

/// Foreign keys are right as they are made here, and indexes are made faster at once than row by row.
const BEFORE: &str = "SET session_replication_role = replica; SET maintenance_work_mem = '256MB';
     CREATE TEMPORARY TABLE definitions AS SELECT indexname, indexdef FROM pg_indexes \
     WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint);
     DO $$ DECLARE name text; BEGIN
         FOR name IN SELECT indexname FROM definitions LOOP EXECUTE 'DROP INDEX ' || name; END LOOP;
     END $$;\n";

const AFTER: &str = "DO $$ DECLARE definition text; BEGIN
         FOR definition IN SELECT indexdef FROM definitions LOOP EXECUTE definition; END LOOP;
     END $$; ANALYZE;";

/// The SQL of one column that holds an id made in the second `n`, as MAS makes them: time first, then randomness.
fn made(kind: u32) -> String {
    format!("(lpad(to_hex(1672531200000 + n * 1000), 12, '0') || substr(md5('{kind} ' || n), 1, 20))::uuid")
}

/// When the second `n` was.
const AT: &str = "to_timestamp(1672531200 + n)";

fn insert(table: &str, columns: &str, values: &str, some: &str) -> String {
    format!("INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, {ACCOUNTS}) AS n {some};\n")
}

/// Accounts, each registered a second after the last, and what belongs to them.
pub(super) fn populace() -> String {
    [
        BEFORE.to_owned(),
        accounts(),
        sessions_of_all_kinds(),
        tokens(),
        belongings(),
        AFTER.to_owned(),
    ]
    .concat()
}

fn accounts() -> String {
    let (user, at) = (made(0), AT);
    [
        insert(
            "users",
            "user_id, username, created_at, locked_at, deactivated_at, can_request_admin",
            &format!(
                "{user}, 'user' || n, {at}, CASE WHEN n % 50 = 0 THEN {at} END, CASE WHEN n % 40 = 0 THEN {at} END, n % 1000 = 0"
            ),
            "",
        ),
        insert(
            "user_emails",
            "user_email_id, user_id, email, created_at",
            &format!("{}, {user}, 'User' || n || '@' || n % 100 || '.example.com', {at}", made(1)),
            "WHERE n % 10 <> 0",
        ),
        insert(
            "user_passwords",
            "user_password_id, user_id, hashed_password, version, created_at",
            &format!("{}, {user}, '$argon2id$', 1, {at}", made(2)),
            "WHERE n % 2 = 0",
        ),
    ]
    .concat()
}

/// One of three is over.
fn sessions_of_all_kinds() -> String {
    let (user, at) = (made(0), AT);
    let ended = format!("CASE WHEN n % 3 = 0 THEN {at} END");
    [
        insert(
            "user_sessions",
            "user_session_id, user_id, created_at, finished_at, last_active_at",
            &format!("{}, {user}, {at}, {ended}, {at}", made(3)),
            "",
        ),
        insert(
            "compat_sessions",
            "compat_session_id, user_id, device_id, created_at, finished_at, last_active_at",
            &format!("{}, {user}, 'DEVICE', {at}, {ended}, {at}", made(4)),
            "",
        ),
        insert(
            "oauth2_sessions",
            "oauth2_session_id, user_id, oauth2_client_id, scope_list, created_at, finished_at",
            &format!(
                "{}, {user}, lpad((n % 10)::text, 32, '0')::uuid, '{{openid}}', {at}, {ended}",
                made(5)
            ),
            "",
        ),
        insert(
            "personal_sessions",
            "personal_session_id, owner_user_id, actor_user_id, human_name, scope_list, created_at, revoked_at",
            &format!("{}, {user}, {user}, 'bot', '{{openid}}', {at}, {ended}", made(6)),
            "WHERE n % 10 = 0",
        ),
    ]
    .concat()
}

/// One of each session, and of three a token that was there before it.
fn tokens() -> String {
    let at = AT;
    [
        insert(
            "compat_access_tokens",
            "compat_access_token_id, compat_session_id, access_token, created_at, expires_at",
            &format!(
                "{}, {}, 'mct_' || n, {at}, CASE WHEN n % 3 = 0 THEN {at} END",
                made(10),
                made(4)
            ),
            "",
        ),
        insert(
            "compat_refresh_tokens",
            "compat_refresh_token_id, compat_session_id, compat_access_token_id, refresh_token, created_at",
            &format!("{}, {}, {}, 'mcr_' || n, {at}", made(11), made(4), made(10)),
            "",
        ),
        insert(
            "personal_access_tokens",
            "personal_access_token_id, personal_session_id, access_token_sha256, created_at",
            &format!("{}, {}, sha256(n::text::bytea), {at}", made(12), made(6)),
            "WHERE n % 10 = 0",
        ),
        insert(
            "user_registration_tokens",
            "user_registration_token_id, token, created_at",
            &format!("{}, 'token' || n, {at}", made(13)),
            "",
        ),
    ]
    .concat()
}

fn belongings() -> String {
    let (user, at) = (made(0), AT);
    [
        insert(
            "upstream_oauth_links",
            "upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at",
            &format!(
                "{}, lpad((n % 4)::text, 32, '0')::uuid, {user}, 'subject' || n, {at}",
                made(7)
            ),
            "WHERE n % 2 = 0",
        ),
        insert(
            "upstream_oauth_links",
            "upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at",
            &format!(
                "{}, lpad((n % 4)::text, 32, '0')::uuid, NULL, 'orphan' || n, {at}",
                made(14)
            ),
            "WHERE n % 1000 = 1",
        ),
        insert(
            "upstream_oauth_providers",
            "upstream_oauth_provider_id, scope, client_id, token_endpoint_auth_method, created_at",
            &format!("lpad(n::text, 32, '0')::uuid, 'openid', 'mas', 'none', {at}"),
            "WHERE n < 4",
        ),
        insert(
            "user_terms",
            "user_terms_id, user_id, terms_url, created_at",
            &format!("{}, {user}, 'https://example.com/terms', {at}", made(8)),
            "WHERE n % 5 = 0",
        ),
        insert(
            "user_unsupported_third_party_ids",
            "user_id, medium, address, created_at",
            &format!("{user}, 'msisdn', n, {at}"),
            "WHERE n % 5 = 0",
        ),
        insert(
            "queue_jobs",
            "queue_job_id, queue_name, status, payload, created_at",
            &format!(
                "{}, 'provision-user', 'completed', jsonb_build_object('user_id', n), {at}",
                made(9)
            ),
            "WHERE n % 5 = 0",
        ),
    ]
    .concat()
}
