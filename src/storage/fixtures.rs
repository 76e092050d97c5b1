//! Rows as MAS would have written them, for the tests of scripts. They go into a SQLite store, which is the only kind
//! that a test has: nothing here can reach the database of a MAS.

use sqlx::{SqliteConnection, types::Json};

use super::{Connection, failure};
use crate::{
    error::{Code, Error, Result},
    model::{Client, ClientKind, Job, Provider, Session, SessionKind, User},
};

fn sqlite(store: &mut Connection) -> Result<&mut SqliteConnection> {
    match store {
        Connection::Sqlite(connection) => Ok(connection),
        Connection::Postgres(_) => Err(Error::new(Code::Bug, "A test was given the database of a MAS")),
    }
}

/// Executes a statement with these values bound.
macro_rules! insert {
    ($store:expr, $statement:expr, $($value:expr),+ $(,)?) => {{
        let query = sqlx::query($statement)$(.bind($value))+;
        query.execute(sqlite($store)?).await.map(drop).map_err(failure::of_statement)
    }};
}

/// Adds a user.
///
/// # Errors
/// As of any statement; `database.failed` if the name is taken.
pub async fn user_add(store: &mut Connection, user: &User) -> Result<()> {
    const STATEMENT: &str = "INSERT INTO users \
         (user_id, username, created_at, locked_at, deactivated_at, can_request_admin, is_guest) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    insert!(
        store,
        STATEMENT,
        user.id,
        &user.username,
        user.created_at,
        user.locked_at,
        user.deactivated_at,
        user.admin,
        user.guest
    )
}

/// Adds a session of any kind.
///
/// # Errors
/// As of any statement.
pub async fn session_add(store: &mut Connection, session: &Session) -> Result<()> {
    const BROWSER: &str = "INSERT INTO user_sessions \
         (user_session_id, user_id, created_at, finished_at, last_active_at, last_active_ip, user_agent) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    const COMPATIBILITY: &str = "INSERT INTO compat_sessions \
         (compat_session_id, user_id, created_at, finished_at, last_active_at, last_active_ip, user_agent, \
         human_name, device_id, is_synapse_admin) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    const OAUTH: &str = "INSERT INTO oauth2_sessions \
         (oauth2_session_id, user_id, created_at, finished_at, last_active_at, last_active_ip, user_agent, \
         human_name, scope_list, oauth2_client_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    const PERSONAL: &str = "INSERT INTO personal_sessions \
         (personal_session_id, actor_user_id, created_at, revoked_at, last_active_at, last_active_ip, \
         human_name, scope_list, owner_user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let scope = session.scope.as_deref().unwrap_or_default();
    let scope = Json(scope.split_whitespace().collect::<Vec<_>>());
    let statement = match session.kind {
        SessionKind::Browser => BROWSER,
        SessionKind::Compatibility => COMPATIBILITY,
        SessionKind::OAuth => OAUTH,
        SessionKind::Personal => PERSONAL,
    };
    let mut query = sqlx::query(statement)
        .bind(session.id)
        .bind(session.user_id)
        .bind(session.created_at)
        .bind(session.finished_at)
        .bind(session.last_active_at)
        .bind(session.last_active_ip.as_deref());
    if session.kind != SessionKind::Personal {
        query = query.bind(session.user_agent.as_deref());
    }
    if session.kind != SessionKind::Browser {
        query = query.bind(session.name.as_deref());
    }
    query = match session.kind {
        SessionKind::Browser => query,
        SessionKind::Compatibility => query.bind(session.device_id.as_deref()).bind(session.synapse_admin),
        SessionKind::OAuth => query.bind(scope).bind(session.client_id),
        SessionKind::Personal => query.bind(scope).bind(session.owner_id.or(session.user_id)),
    };
    let added = query.execute(sqlite(store)?).await;
    added.map(drop).map_err(failure::of_statement)
}

/// Adds an OAuth 2.0 client.
///
/// # Errors
/// As of any statement.
pub async fn client_add(store: &mut Connection, client: &Client) -> Result<()> {
    const STATEMENT: &str = "INSERT INTO oauth2_clients \
         (oauth2_client_id, client_name, client_uri, redirect_uris, application_type, is_static, created_at, \
         token_endpoint_auth_method, grant_type_authorization_code, grant_type_refresh_token) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, true, true)";
    insert!(
        store,
        STATEMENT,
        client.id,
        client.name.as_deref(),
        client.uri.as_deref(),
        Json(&client.redirect_uris),
        client.application_type.as_deref(),
        client.kind == ClientKind::Static,
        client.created_at,
        client.auth_method.as_deref()
    )
}

/// Adds an upstream provider.
///
/// # Errors
/// As of any statement.
pub async fn provider_add(store: &mut Connection, provider: &Provider) -> Result<()> {
    const STATEMENT: &str = "INSERT INTO upstream_oauth_providers \
         (upstream_oauth_provider_id, human_name, brand_name, issuer, scope, created_at, disabled_at, client_id, \
         token_endpoint_auth_method) VALUES ($1, $2, $3, $4, $5, $6, $7, 'mas', 'none')";
    insert!(
        store,
        STATEMENT,
        provider.id,
        provider.human_name.as_deref(),
        provider.brand_name.as_deref(),
        provider.issuer.as_deref(),
        &provider.scope,
        provider.created_at,
        provider.disabled_at
    )
}

/// Adds a job, whatever has become of it.
///
/// # Errors
/// As of any statement.
pub async fn job_add(store: &mut Connection, job: &Job) -> Result<()> {
    const STATEMENT: &str = "INSERT INTO queue_jobs \
         (queue_job_id, queue_name, payload, status, attempt, created_at, scheduled_at, started_at, completed_at, \
         failed_at, failed_reason, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '{}')";
    insert!(
        store,
        STATEMENT,
        job.id,
        &job.queue,
        Json(&job.payload),
        &job.status,
        job.attempt,
        job.created_at,
        job.scheduled_at,
        job.started_at,
        job.completed_at,
        job.failed_at,
        job.failed_reason.as_deref()
    )
}
