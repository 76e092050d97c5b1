//! Password hashes. The newest row of a user is its password; rows are only ever added.

use super::{Connection, on};
use crate::{
    error::Result,
    model::{Id, Time},
};

/// Adds a hash, which becomes the user's password.
///
/// # Errors
/// As of any statement.
pub async fn password_add(
    store: &mut Connection,
    id: Id,
    user: Id,
    hash: &str,
    version: u16,
    created_at: Time,
) -> Result<Id> {
    const STATEMENT: &str = "INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) \
         VALUES ($1, $2, $3, $4, $5) RETURNING user_password_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .bind(user)
        .bind(hash)
        .bind(i32::from(version))
        .bind(created_at)
        .fetch_one(&mut **connection))
}
