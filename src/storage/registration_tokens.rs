//! Registration tokens, stored in the clear and compared exactly.

use secrecy::{ExposeSecret, SecretString};

use super::{Connection, on};
use crate::{
    error::Result,
    model::{Id, Time},
};

/// Adds a token. `None` if one of this text exists.
///
/// # Errors
/// As of any statement.
pub async fn registration_token_add(
    store: &mut Connection,
    id: Id,
    token: &SecretString,
    usage_limit: Option<i32>,
    created_at: Time,
    expires_at: Option<Time>,
) -> Result<Option<Id>> {
    const STATEMENT: &str = "INSERT INTO user_registration_tokens \
         (user_registration_token_id, token, usage_limit, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (token) DO NOTHING RETURNING user_registration_token_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .bind(token.expose_secret())
        .bind(usage_limit)
        .bind(created_at)
        .bind(expires_at)
        .fetch_optional(&mut **connection))
}
