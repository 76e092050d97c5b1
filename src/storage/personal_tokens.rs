//! Personal access tokens and their sessions. Of a token only its SHA-256 is kept.

use super::{Connection, dialect, on};
use crate::{
    error::Result,
    model::{Id, Scope, Time},
};

/// A session that acts as a user and belongs to the same user.
#[derive(Clone, Copy, Debug)]
pub struct NewPersonalSession<'a> {
    /// Its id.
    pub id: Id,
    /// As whom it acts, and whose it is.
    pub user: Id,
    /// What people call it.
    pub name: &'a str,
    /// What it may do.
    pub scope: &'a Scope,
    /// When it is made.
    pub created_at: Time,
}

/// Adds a personal session.
///
/// # Errors
/// As of any statement.
pub async fn personal_session_add(store: &mut Connection, session: &NewPersonalSession<'_>) -> Result<()> {
    dialect::personal_session_add(store, session).await
}

/// Adds a token to a personal session, which has no other that is not revoked.
///
/// # Errors
/// As of any statement.
pub async fn personal_token_add(
    store: &mut Connection,
    id: Id,
    session: Id,
    sha256: &[u8; 32],
    created_at: Time,
    expires_at: Option<Time>,
) -> Result<Id> {
    const STATEMENT: &str = "INSERT INTO personal_access_tokens \
         (personal_access_token_id, personal_session_id, access_token_sha256, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5) RETURNING personal_access_token_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .bind(session)
        .bind(&sha256[..])
        .bind(created_at)
        .bind(expires_at)
        .fetch_one(&mut **connection))
}

/// Revokes the tokens of a personal session.
///
/// # Errors
/// As of any statement.
pub async fn personal_tokens_revoke(store: &mut Connection, session: Id, revoked_at: Time) -> Result<()> {
    const STATEMENT: &str =
        "UPDATE personal_access_tokens SET revoked_at = $2 WHERE personal_session_id = $1 AND revoked_at IS NULL";
    on!(store, |connection| async {
        let done = sqlx::query(STATEMENT)
            .bind(session)
            .bind(revoked_at)
            .execute(&mut **connection)
            .await;
        done.map(drop)
    })
}
