//! What belongs to one account, found by index.

use sqlx::FromRow;

use super::super::{Connection, failure, on};
use crate::{
    error::Result,
    model::{AcceptedTerms, Address, Id, PasswordState, SessionKind, StoredTime, ThirdPartyId, Time, UpstreamAccount},
};

/// The addresses of a user, oldest first; the first thousand, should there be more.
///
/// # Errors
/// As of any statement.
pub async fn user_addresses(store: &mut Connection, user: Id) -> Result<Vec<Address>> {
    const STATEMENT: &str =
        "SELECT email, created_at FROM user_emails WHERE user_id = $1 ORDER BY user_email_id LIMIT 1000";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// The addresses of other kinds that were imported with a user, of which MAS makes nothing.
///
/// # Errors
/// As of any statement.
pub async fn user_third_party_ids(store: &mut Connection, user: Id) -> Result<Vec<ThirdPartyId>> {
    const STATEMENT: &str = "SELECT medium, address, created_at FROM user_unsupported_third_party_ids \
         WHERE user_id = $1 ORDER BY medium, address LIMIT 1000";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// The terms that a user accepted, oldest first.
///
/// # Errors
/// As of any statement.
pub async fn user_terms(store: &mut Connection, user: Id) -> Result<Vec<AcceptedTerms>> {
    const STATEMENT: &str =
        "SELECT terms_url, created_at FROM user_terms WHERE user_id = $1 ORDER BY user_terms_id LIMIT 1000";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// The upstream accounts that a user is linked to, oldest link first.
///
/// # Errors
/// As of any statement.
pub async fn user_links(store: &mut Connection, user: Id) -> Result<Vec<UpstreamAccount>> {
    const STATEMENT: &str = "SELECT upstream_oauth_link_id, upstream_oauth_provider_id, subject, \
         substr(human_account_name, 1, 1000) AS human_account_name, created_at FROM upstream_oauth_links WHERE user_id = $1 ORDER BY upstream_oauth_link_id LIMIT 1000";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// What there is to say of a user's current password without its hash.
///
/// # Errors
/// As of any statement.
pub async fn user_password(store: &mut Connection, user: Id) -> Result<Option<PasswordState>> {
    const STATEMENT: &str = "SELECT created_at, version, CASE WHEN hashed_password LIKE '$argon2id$%' THEN 'argon2id' \
         WHEN hashed_password LIKE '$2%' THEN 'bcrypt' WHEN hashed_password LIKE '$pbkdf2%' THEN 'pbkdf2' END AS algorithm \
         FROM user_passwords WHERE user_id = $1 ORDER BY created_at DESC, user_password_id DESC LIMIT 1";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_optional(&mut **connection))
}

/// How many active sessions of a kind a user has, and when one of that kind, be it over or not, was last active.
///
/// # Errors
/// As of any statement.
pub async fn user_activity(store: &mut Connection, kind: SessionKind, user: Id) -> Result<(i64, Option<Time>)> {
    macro_rules! statement {
        ($table:literal, $end:literal, $user:literal) => {
            concat!(
                "SELECT count(CASE WHEN ",
                $end,
                " IS NULL THEN 1 END), max(COALESCE(last_active_at, created_at)) FROM ",
                $table,
                " WHERE ",
                $user
            )
        };
    }
    let statement = match kind {
        SessionKind::Browser => statement!("user_sessions", "finished_at", "user_id = $1"),
        SessionKind::Compatibility => statement!("compat_sessions", "finished_at", "user_id = $1"),
        SessionKind::OAuth => statement!("oauth2_sessions", "finished_at", "user_id = $1"),
        SessionKind::Personal => statement!(
            "personal_sessions",
            "revoked_at",
            "(actor_user_id = $1 OR owner_user_id = $1)"
        ),
    };
    let found: (i64, StoredTime) = on!(store, |connection| sqlx::query_as(statement)
        .bind(user)
        .fetch_one(&mut **connection))?;
    Ok((found.0, found.1.into()))
}

/// How many jobs of one status are about a user.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Pending {
    /// The status.
    pub status: String,
    /// How many.
    pub jobs: i64,
}

/// Counts the jobs about a user that wait, that run, or that failed and that nobody will try again. All of these
/// together are few: an index finds them, and none finds the jobs of a user.
///
/// # Errors
/// As of any statement.
pub async fn user_jobs(store: &mut Connection, user: Id) -> Result<Vec<Pending>> {
    macro_rules! statement {
        ($user:literal) => {
            concat!(
                "SELECT CAST(status AS TEXT) AS status, count(*) AS jobs FROM queue_jobs \
                 WHERE status IN ('available', 'running', 'failed', 'scheduled') \
                 AND (status <> 'failed' OR next_attempt_id IS NULL) AND ",
                $user,
                " = $1 GROUP BY status"
            )
        };
    }
    const POSTGRES: &str = statement!("payload ->> 'user_id'");
    const SQLITE: &str = statement!("CASE WHEN json_valid(payload) THEN payload ->> 'user_id' END");
    let user = user.to_string();
    match store {
        Connection::Postgres(connection) => sqlx::query_as(POSTGRES).bind(user).fetch_all(&mut **connection).await,
        Connection::Sqlite(connection) => sqlx::query_as(SQLITE).bind(user).fetch_all(&mut **connection).await,
    }
    .map_err(failure::of_statement)
}
