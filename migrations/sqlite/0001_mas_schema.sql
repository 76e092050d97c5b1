-- The tables of Matrix Authentication Service (MAS) 1.22.0 in SQLite: ids as 16 bytes, times as RFC 3339, lists as JSON.

CREATE TABLE users (
    user_id BLOB NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    created_at TEXT NOT NULL,
    locked_at TEXT,
    can_request_admin INTEGER NOT NULL DEFAULT 0,
    is_guest INTEGER NOT NULL DEFAULT 0,
    deactivated_at TEXT,
    CONSTRAINT users_username_unique UNIQUE (username)
) STRICT;
CREATE INDEX users_lower_username_idx ON users (lower(username));

CREATE TABLE user_passwords (
    user_password_id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (user_id),
    hashed_password TEXT NOT NULL,
    created_at TEXT NOT NULL,
    version INTEGER NOT NULL,
    upgraded_from_id BLOB REFERENCES user_passwords (user_password_id) ON DELETE SET NULL
) STRICT;
CREATE INDEX user_passwords_user_fk ON user_passwords (user_id);

CREATE TABLE user_emails (
    user_email_id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX user_emails_email_idx ON user_emails (email);
CREATE INDEX user_emails_lower_email_idx ON user_emails (lower(email));
CREATE INDEX user_emails_user_fk ON user_emails (user_id);

CREATE TABLE user_sessions (
    user_session_id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (user_id),
    created_at TEXT NOT NULL,
    finished_at TEXT,
    user_agent TEXT,
    last_active_at TEXT,
    last_active_ip TEXT
) STRICT;
CREATE INDEX user_sessions_finished_at_idx ON user_sessions (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX user_sessions_inactive_ips_idx ON user_sessions (last_active_at)
    WHERE last_active_ip IS NOT NULL AND last_active_at IS NOT NULL;
CREATE INDEX user_sessions_last_active_at_idx ON user_sessions (last_active_at);
CREATE INDEX user_sessions_user_fk ON user_sessions (user_id, last_active_at);

CREATE TABLE upstream_oauth_providers (
    upstream_oauth_provider_id BLOB NOT NULL PRIMARY KEY,
    issuer TEXT,
    scope TEXT NOT NULL,
    client_id TEXT NOT NULL,
    encrypted_client_secret TEXT,
    token_endpoint_signing_alg TEXT,
    token_endpoint_auth_method TEXT NOT NULL,
    created_at TEXT NOT NULL,
    claims_imports TEXT NOT NULL DEFAULT '{}',
    jwks_uri_override TEXT,
    authorization_endpoint_override TEXT,
    token_endpoint_override TEXT,
    discovery_mode TEXT NOT NULL DEFAULT 'oidc',
    pkce_mode TEXT NOT NULL DEFAULT 'auto',
    human_name TEXT,
    brand_name TEXT,
    additional_parameters TEXT,
    disabled_at TEXT,
    response_mode TEXT DEFAULT 'query',
    fetch_userinfo INTEGER NOT NULL DEFAULT 0,
    userinfo_endpoint_override TEXT,
    id_token_signed_response_alg TEXT NOT NULL DEFAULT 'RS256',
    userinfo_signed_response_alg TEXT,
    ui_order INTEGER NOT NULL DEFAULT 0,
    forward_login_hint INTEGER NOT NULL DEFAULT 0,
    on_backchannel_logout TEXT NOT NULL DEFAULT 'do_nothing',
    registration_token_required INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE upstream_oauth_links (
    upstream_oauth_link_id BLOB NOT NULL PRIMARY KEY,
    upstream_oauth_provider_id BLOB NOT NULL REFERENCES upstream_oauth_providers (upstream_oauth_provider_id),
    user_id BLOB REFERENCES users (user_id),
    subject TEXT NOT NULL,
    created_at TEXT NOT NULL,
    human_account_name TEXT,
    CONSTRAINT upstream_oauth_links_subject_unique UNIQUE (upstream_oauth_provider_id, subject)
) STRICT;
CREATE INDEX idx_upstream_oauth_links_orphaned ON upstream_oauth_links (upstream_oauth_link_id) WHERE user_id IS NULL;
CREATE INDEX upstream_oauth_links_provider_fk ON upstream_oauth_links (upstream_oauth_provider_id);
CREATE INDEX upstream_oauth_links_user_fk ON upstream_oauth_links (user_id);

CREATE TABLE upstream_oauth_authorization_sessions (
    upstream_oauth_authorization_session_id BLOB NOT NULL PRIMARY KEY,
    upstream_oauth_provider_id BLOB NOT NULL REFERENCES upstream_oauth_providers (upstream_oauth_provider_id),
    upstream_oauth_link_id BLOB REFERENCES upstream_oauth_links (upstream_oauth_link_id),
    id_token TEXT,
    state TEXT NOT NULL,
    code_challenge_verifier TEXT,
    nonce TEXT,
    created_at TEXT NOT NULL,
    completed_at TEXT,
    consumed_at TEXT,
    extra_callback_parameters TEXT,
    userinfo TEXT,
    unlinked_at TEXT,
    id_token_claims TEXT,
    user_session_id BLOB REFERENCES user_sessions (user_session_id) ON DELETE SET NULL,
    CONSTRAINT upstream_oauth_authorization_sessions_state_unique UNIQUE (state)
) STRICT;
CREATE INDEX upstream_oauth_authorization_sessions_link_fk
    ON upstream_oauth_authorization_sessions (upstream_oauth_link_id);
CREATE INDEX upstream_oauth_authorization_sessions_orphaned
    ON upstream_oauth_authorization_sessions (upstream_oauth_authorization_session_id)
    WHERE user_session_id IS NULL;
CREATE INDEX upstream_oauth_authorization_sessions_provider_fk
    ON upstream_oauth_authorization_sessions (upstream_oauth_provider_id);
CREATE INDEX upstream_oauth_authorization_sessions_sid_sub_idx
    ON upstream_oauth_authorization_sessions
    (upstream_oauth_provider_id, (id_token_claims ->> 'sid'), (id_token_claims ->> 'sub'));
CREATE INDEX upstream_oauth_authorization_sessions_sub_sid_idx
    ON upstream_oauth_authorization_sessions
    (upstream_oauth_provider_id, (id_token_claims ->> 'sub'), (id_token_claims ->> 'sid'));
CREATE INDEX upstream_oauth_authorization_sessions_user_session_id_idx
    ON upstream_oauth_authorization_sessions (user_session_id);

CREATE TABLE user_session_authentications (
    user_session_authentication_id BLOB NOT NULL PRIMARY KEY,
    user_session_id BLOB NOT NULL REFERENCES user_sessions (user_session_id),
    created_at TEXT NOT NULL,
    user_password_id BLOB REFERENCES user_passwords (user_password_id) ON DELETE SET NULL,
    upstream_oauth_authorization_session_id BLOB
        REFERENCES upstream_oauth_authorization_sessions (upstream_oauth_authorization_session_id) ON DELETE SET NULL
) STRICT;
CREATE INDEX user_session_authentications_upstream_oauth_session_fk
    ON user_session_authentications (upstream_oauth_authorization_session_id);
CREATE INDEX user_session_authentications_user_password_fk ON user_session_authentications (user_password_id);
CREATE INDEX user_session_authentications_user_session_fk ON user_session_authentications (user_session_id);

CREATE TABLE compat_sessions (
    compat_session_id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (user_id),
    device_id TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    is_synapse_admin INTEGER NOT NULL DEFAULT 0,
    last_active_at TEXT,
    last_active_ip TEXT,
    user_session_id BLOB REFERENCES user_sessions (user_session_id),
    user_agent TEXT,
    human_name TEXT
) STRICT;
CREATE INDEX compat_sessions_active_user_idx ON compat_sessions (user_id) WHERE finished_at IS NULL;
CREATE INDEX compat_sessions_finished_at_idx ON compat_sessions (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX compat_sessions_inactive_ips_idx ON compat_sessions (last_active_at)
    WHERE last_active_ip IS NOT NULL AND last_active_at IS NOT NULL;
CREATE INDEX compat_sessions_last_active_at_idx ON compat_sessions (last_active_at);
CREATE INDEX compat_sessions_user_fk ON compat_sessions (user_id, last_active_at);
CREATE INDEX compat_sessions_user_session_fk ON compat_sessions (user_session_id);

CREATE TABLE compat_sso_logins (
    compat_sso_login_id BLOB NOT NULL PRIMARY KEY,
    redirect_uri TEXT NOT NULL,
    login_token TEXT NOT NULL,
    compat_session_id BLOB REFERENCES compat_sessions (compat_session_id) ON DELETE SET NULL,
    created_at TEXT NOT NULL,
    fulfilled_at TEXT,
    exchanged_at TEXT,
    user_session_id BLOB REFERENCES user_sessions (user_session_id) ON DELETE CASCADE,
    CONSTRAINT compat_sessions_login_token_unique UNIQUE (login_token)
) STRICT;
CREATE INDEX compat_sso_logins_session_fk ON compat_sso_logins (compat_session_id);

CREATE TABLE compat_access_tokens (
    compat_access_token_id BLOB NOT NULL PRIMARY KEY,
    compat_session_id BLOB NOT NULL REFERENCES compat_sessions (compat_session_id),
    access_token TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    CONSTRAINT compat_access_tokens_access_token_unique UNIQUE (access_token)
) STRICT;
CREATE INDEX compat_access_tokens_session_fk ON compat_access_tokens (compat_session_id);

CREATE TABLE compat_refresh_tokens (
    compat_refresh_token_id BLOB NOT NULL PRIMARY KEY,
    compat_session_id BLOB NOT NULL REFERENCES compat_sessions (compat_session_id),
    compat_access_token_id BLOB NOT NULL REFERENCES compat_access_tokens (compat_access_token_id),
    refresh_token TEXT NOT NULL,
    created_at TEXT NOT NULL,
    consumed_at TEXT,
    CONSTRAINT compat_refresh_tokens_refresh_token_unique UNIQUE (refresh_token)
) STRICT;
CREATE INDEX compat_refresh_tokens_access_token_fk ON compat_refresh_tokens (compat_access_token_id);
CREATE INDEX compat_refresh_tokens_session_fk ON compat_refresh_tokens (compat_session_id);

CREATE TABLE oauth2_clients (
    oauth2_client_id BLOB NOT NULL PRIMARY KEY,
    encrypted_client_secret TEXT,
    grant_type_authorization_code INTEGER NOT NULL,
    grant_type_refresh_token INTEGER NOT NULL,
    client_name TEXT,
    logo_uri TEXT,
    client_uri TEXT,
    policy_uri TEXT,
    tos_uri TEXT,
    jwks_uri TEXT,
    jwks TEXT,
    id_token_signed_response_alg TEXT,
    token_endpoint_auth_method TEXT,
    token_endpoint_auth_signing_alg TEXT,
    initiate_login_uri TEXT,
    userinfo_signed_response_alg TEXT,
    created_at TEXT,
    is_static INTEGER NOT NULL DEFAULT 0,
    redirect_uris TEXT NOT NULL DEFAULT '[]',
    application_type TEXT,
    contacts TEXT NOT NULL DEFAULT '[]',
    grant_type_client_credentials INTEGER NOT NULL DEFAULT 0,
    grant_type_device_code INTEGER NOT NULL DEFAULT 0,
    metadata_digest TEXT,
    CONSTRAINT oauth2_clients_metadata_digest_key UNIQUE (metadata_digest)
) STRICT;

CREATE TABLE oauth2_sessions (
    oauth2_session_id BLOB NOT NULL PRIMARY KEY,
    user_session_id BLOB REFERENCES user_sessions (user_session_id),
    oauth2_client_id BLOB NOT NULL REFERENCES oauth2_clients (oauth2_client_id),
    created_at TEXT NOT NULL,
    finished_at TEXT,
    user_id BLOB REFERENCES users (user_id) ON DELETE CASCADE,
    scope_list TEXT NOT NULL,
    last_active_at TEXT,
    last_active_ip TEXT,
    user_agent TEXT,
    human_name TEXT
) STRICT;
CREATE INDEX oauth2_sessions_active_client_idx ON oauth2_sessions (oauth2_client_id) WHERE finished_at IS NULL;
CREATE INDEX oauth2_sessions_active_user_client_idx ON oauth2_sessions (user_id, oauth2_client_id)
    WHERE finished_at IS NULL;
CREATE INDEX oauth2_sessions_client_fk ON oauth2_sessions (oauth2_client_id);
CREATE INDEX oauth2_sessions_finished_at_idx ON oauth2_sessions (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX oauth2_sessions_inactive_ips_idx ON oauth2_sessions (last_active_at)
    WHERE last_active_ip IS NOT NULL AND last_active_at IS NOT NULL;
CREATE INDEX oauth2_sessions_last_active_at_idx ON oauth2_sessions (last_active_at);
CREATE INDEX oauth2_sessions_user_fk ON oauth2_sessions (user_id, last_active_at);
CREATE INDEX oauth2_sessions_user_session_fk ON oauth2_sessions (user_session_id);

CREATE TABLE oauth2_access_tokens (
    oauth2_access_token_id BLOB NOT NULL PRIMARY KEY,
    oauth2_session_id BLOB NOT NULL REFERENCES oauth2_sessions (oauth2_session_id),
    access_token TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    first_used_at TEXT,
    CONSTRAINT oauth2_access_tokens_unique UNIQUE (access_token)
) STRICT;
CREATE INDEX oauth2_access_tokens_session_fk ON oauth2_access_tokens (oauth2_session_id);
CREATE INDEX oauth_access_tokens_expires_at_idx ON oauth2_access_tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX oauth_access_tokens_revoked_at_idx ON oauth2_access_tokens (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE oauth2_refresh_tokens (
    oauth2_refresh_token_id BLOB NOT NULL PRIMARY KEY,
    oauth2_session_id BLOB NOT NULL REFERENCES oauth2_sessions (oauth2_session_id),
    oauth2_access_token_id BLOB REFERENCES oauth2_access_tokens (oauth2_access_token_id) ON DELETE SET NULL,
    refresh_token TEXT NOT NULL,
    created_at TEXT NOT NULL,
    consumed_at TEXT,
    revoked_at TEXT,
    next_oauth2_refresh_token_id BLOB REFERENCES oauth2_refresh_tokens (oauth2_refresh_token_id) ON DELETE SET NULL,
    CONSTRAINT oauth2_refresh_tokens_unique UNIQUE (refresh_token)
) STRICT;
CREATE INDEX oauth2_refresh_tokens_access_token_fk ON oauth2_refresh_tokens (oauth2_access_token_id);
CREATE INDEX oauth2_refresh_tokens_next_refresh_token_fk ON oauth2_refresh_tokens (next_oauth2_refresh_token_id);
CREATE INDEX oauth2_refresh_tokens_session_fk ON oauth2_refresh_tokens (oauth2_session_id);
CREATE INDEX oauth_refresh_token_consumed_at_idx
    ON oauth2_refresh_tokens (consumed_at, next_oauth2_refresh_token_id, oauth2_refresh_token_id)
    WHERE consumed_at IS NOT NULL;
CREATE INDEX oauth_refresh_token_not_consumed_idx ON oauth2_refresh_tokens (oauth2_refresh_token_id)
    WHERE consumed_at IS NOT NULL;
CREATE INDEX oauth_refresh_tokens_revoked_at_idx ON oauth2_refresh_tokens (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE oauth2_authorization_grants (
    oauth2_authorization_grant_id BLOB NOT NULL PRIMARY KEY,
    oauth2_client_id BLOB NOT NULL REFERENCES oauth2_clients (oauth2_client_id),
    oauth2_session_id BLOB REFERENCES oauth2_sessions (oauth2_session_id),
    authorization_code TEXT,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    state TEXT,
    nonce TEXT,
    response_mode TEXT NOT NULL,
    code_challenge_method TEXT,
    code_challenge TEXT,
    response_type_code INTEGER NOT NULL,
    response_type_id_token INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    fulfilled_at TEXT,
    cancelled_at TEXT,
    exchanged_at TEXT,
    login_hint TEXT,
    locale TEXT,
    user_session_id BLOB REFERENCES user_sessions (user_session_id) ON DELETE SET NULL,
    raw_parameters TEXT,
    CONSTRAINT oauth2_authorization_grants_authorization_code_unique UNIQUE (authorization_code)
) STRICT;
CREATE INDEX oauth2_authorization_grants_client_fk ON oauth2_authorization_grants (oauth2_client_id);
CREATE INDEX oauth2_authorization_grants_session_fk ON oauth2_authorization_grants (oauth2_session_id);
CREATE INDEX oauth2_authorization_grants_user_session_id_idx ON oauth2_authorization_grants (user_session_id);

CREATE TABLE oauth2_device_code_grant (
    oauth2_device_code_grant_id BLOB NOT NULL PRIMARY KEY,
    oauth2_client_id BLOB NOT NULL REFERENCES oauth2_clients (oauth2_client_id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    user_code TEXT NOT NULL,
    device_code TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    fulfilled_at TEXT,
    rejected_at TEXT,
    exchanged_at TEXT,
    oauth2_session_id BLOB REFERENCES oauth2_sessions (oauth2_session_id) ON DELETE CASCADE,
    user_session_id BLOB REFERENCES user_sessions (user_session_id),
    ip_address TEXT,
    user_agent TEXT,
    locale TEXT,
    CONSTRAINT oauth2_device_code_grant_device_code_key UNIQUE (device_code),
    CONSTRAINT oauth2_device_code_grant_user_code_key UNIQUE (user_code)
) STRICT;
CREATE INDEX oauth2_device_code_grants_client_fk ON oauth2_device_code_grant (oauth2_client_id);
CREATE INDEX oauth2_device_code_grants_session_fk ON oauth2_device_code_grant (oauth2_session_id);
CREATE INDEX oauth2_device_code_grants_user_session_fk ON oauth2_device_code_grant (user_session_id);

CREATE TABLE user_terms (
    user_terms_id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    terms_url TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT user_terms_user_id_terms_url_key UNIQUE (user_id, terms_url)
) STRICT;
CREATE INDEX user_terms_user_fk ON user_terms (user_id);

CREATE TABLE user_recovery_sessions (
    user_recovery_session_id BLOB NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    ip_address TEXT,
    locale TEXT NOT NULL,
    created_at TEXT NOT NULL,
    consumed_at TEXT
) STRICT;

CREATE TABLE user_recovery_tickets (
    user_recovery_ticket_id BLOB NOT NULL PRIMARY KEY,
    user_recovery_session_id BLOB NOT NULL
        REFERENCES user_recovery_sessions (user_recovery_session_id) ON DELETE CASCADE,
    user_email_id BLOB NOT NULL REFERENCES user_emails (user_email_id) ON DELETE CASCADE,
    ticket TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX user_recovery_tickets_session_fk ON user_recovery_tickets (user_recovery_session_id);
CREATE INDEX user_recovery_tickets_ticket_idx ON user_recovery_tickets (ticket);
CREATE INDEX user_recovery_tickets_user_email_fk ON user_recovery_tickets (user_email_id);

CREATE TABLE queue_workers (
    queue_worker_id BLOB NOT NULL PRIMARY KEY,
    registered_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    shutdown_at TEXT
) STRICT;

CREATE TABLE queue_leader (
    active INTEGER NOT NULL DEFAULT 1,
    elected_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    queue_worker_id BLOB NOT NULL REFERENCES queue_workers (queue_worker_id),
    CONSTRAINT queue_leader_active CHECK (active = 1),
    CONSTRAINT queue_leader_active_key UNIQUE (active)
) STRICT;

CREATE TABLE queue_schedules (
    schedule_name TEXT NOT NULL PRIMARY KEY,
    last_scheduled_at TEXT,
    last_scheduled_job_id BLOB REFERENCES queue_jobs (queue_job_id) ON DELETE SET NULL
) STRICT;

CREATE TABLE queue_jobs (
    queue_job_id BLOB NOT NULL PRIMARY KEY,
    status TEXT NOT NULL DEFAULT 'available',
    created_at TEXT NOT NULL,
    started_at TEXT,
    started_by BLOB REFERENCES queue_workers (queue_worker_id),
    completed_at TEXT,
    queue_name TEXT NOT NULL,
    payload TEXT NOT NULL DEFAULT '{}',
    metadata TEXT NOT NULL DEFAULT '{}',
    failed_at TEXT,
    failed_reason TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    next_attempt_id BLOB REFERENCES queue_jobs (queue_job_id) ON DELETE SET NULL,
    scheduled_at TEXT,
    schedule_name TEXT REFERENCES queue_schedules (schedule_name),
    CONSTRAINT queue_job_status
        CHECK (status IN ('available', 'running', 'completed', 'lost', 'failed', 'scheduled'))
) STRICT;
CREATE INDEX idx_queue_jobs_status_queue_job_id ON queue_jobs (status, queue_name, queue_job_id);
CREATE INDEX queue_jobs_next_attempt_fk ON queue_jobs (next_attempt_id);
CREATE INDEX queue_jobs_schedule_name_fk ON queue_jobs (schedule_name);
CREATE INDEX queue_jobs_scheduled_at_idx ON queue_jobs (scheduled_at) WHERE status = 'scheduled';
CREATE INDEX queue_jobs_started_by_fk ON queue_jobs (started_by);

CREATE TABLE user_registration_tokens (
    user_registration_token_id BLOB NOT NULL PRIMARY KEY,
    token TEXT NOT NULL,
    usage_limit INTEGER,
    times_used INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    expires_at TEXT,
    revoked_at TEXT,
    CONSTRAINT user_registration_tokens_token_key UNIQUE (token)
) STRICT;
CREATE INDEX user_registration_tokens_created_at_idx ON user_registration_tokens (created_at);
CREATE INDEX user_registration_tokens_expires_at_idx ON user_registration_tokens (expires_at);
CREATE INDEX user_registration_tokens_last_used_at_idx ON user_registration_tokens (last_used_at);
CREATE INDEX user_registration_tokens_revoked_at_idx ON user_registration_tokens (revoked_at);
CREATE INDEX user_registration_tokens_times_used_idx ON user_registration_tokens (times_used);
CREATE INDEX user_registration_tokens_usage_limit_idx ON user_registration_tokens (usage_limit);

CREATE TABLE user_registrations (
    user_registration_id BLOB NOT NULL PRIMARY KEY,
    ip_address TEXT,
    user_agent TEXT,
    post_auth_action TEXT,
    username TEXT NOT NULL,
    display_name TEXT,
    terms_url TEXT,
    email_authentication_id BLOB
        REFERENCES user_email_authentications (user_email_authentication_id) ON DELETE SET NULL,
    hashed_password TEXT,
    hashed_password_version INTEGER,
    created_at TEXT NOT NULL,
    completed_at TEXT,
    user_registration_token_id BLOB REFERENCES user_registration_tokens (user_registration_token_id) ON DELETE SET NULL,
    upstream_oauth_authorization_session_id BLOB
        REFERENCES upstream_oauth_authorization_sessions (upstream_oauth_authorization_session_id) ON DELETE SET NULL
) STRICT;
CREATE INDEX user_registrations_email_authentication_fk ON user_registrations (email_authentication_id);
CREATE INDEX user_registrations_upstream_oauth_session_id_idx
    ON user_registrations (upstream_oauth_authorization_session_id);
CREATE INDEX user_registrations_user_registration_token_id_fk ON user_registrations (user_registration_token_id);

CREATE TABLE user_email_authentications (
    user_email_authentication_id BLOB NOT NULL PRIMARY KEY,
    user_session_id BLOB REFERENCES user_sessions (user_session_id) ON DELETE SET NULL,
    email TEXT NOT NULL,
    created_at TEXT NOT NULL,
    completed_at TEXT,
    user_registration_id BLOB REFERENCES user_registrations (user_registration_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX user_email_authentications_user_registration_fk ON user_email_authentications (user_registration_id);
CREATE INDEX user_email_authentications_user_session_fk ON user_email_authentications (user_session_id);

CREATE TABLE user_email_authentication_codes (
    user_email_authentication_code_id BLOB NOT NULL PRIMARY KEY,
    user_email_authentication_id BLOB NOT NULL
        REFERENCES user_email_authentications (user_email_authentication_id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    CONSTRAINT user_email_authentication_codes_auth_id_code_unique UNIQUE (user_email_authentication_id, code)
) STRICT;
CREATE INDEX user_email_authentication_codes_authentication_fk
    ON user_email_authentication_codes (user_email_authentication_id);

CREATE TABLE user_unsupported_third_party_ids (
    user_id BLOB NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
    medium TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (user_id, medium, address)
) STRICT;

CREATE TABLE policy_data (
    policy_data_id BLOB NOT NULL PRIMARY KEY,
    created_at TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE TABLE personal_sessions (
    personal_session_id BLOB NOT NULL PRIMARY KEY,
    owner_user_id BLOB REFERENCES users (user_id),
    owner_oauth2_client_id BLOB REFERENCES oauth2_clients (oauth2_client_id),
    actor_user_id BLOB NOT NULL REFERENCES users (user_id),
    human_name TEXT NOT NULL,
    scope_list TEXT NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT,
    last_active_at TEXT,
    last_active_ip TEXT,
    CONSTRAINT personal_sessions_exactly_one_owner CHECK ((owner_user_id IS NULL) <> (owner_oauth2_client_id IS NULL))
) STRICT;
CREATE INDEX personal_sessions_actor_user_id_idx ON personal_sessions (actor_user_id);
CREATE INDEX personal_sessions_owner_oauth2_client_id_idx ON personal_sessions (owner_oauth2_client_id)
    WHERE owner_oauth2_client_id IS NOT NULL;
CREATE INDEX personal_sessions_owner_user_id_idx ON personal_sessions (owner_user_id) WHERE owner_user_id IS NOT NULL;

CREATE TABLE personal_access_tokens (
    personal_access_token_id BLOB NOT NULL PRIMARY KEY,
    personal_session_id BLOB NOT NULL REFERENCES personal_sessions (personal_session_id),
    access_token_sha256 BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    CONSTRAINT personal_access_tokens_access_token_sha256_check CHECK (length(access_token_sha256) = 32),
    CONSTRAINT personal_access_tokens_access_token_sha256_key UNIQUE (access_token_sha256)
) STRICT;
CREATE UNIQUE INDEX personal_access_tokens_personal_session_id_idx ON personal_access_tokens (personal_session_id)
    WHERE revoked_at IS NULL;

CREATE TRIGGER upstream_oauth_authorization_sessions_insert_trigger
AFTER INSERT ON user_session_authentications
FOR EACH ROW WHEN NEW.upstream_oauth_authorization_session_id IS NOT NULL
BEGIN
    UPDATE upstream_oauth_authorization_sessions
    SET user_session_id = NEW.user_session_id
    WHERE user_session_id IS NULL
        AND upstream_oauth_authorization_session_id = NEW.upstream_oauth_authorization_session_id;
END;
