//! Password hashes. The newest row of a user is its password; the earlier ones stay until all are removed.

use sqlx::FromRow;

use super::{Connection, count, on};
use crate::{
    error::Result,
    model::{Id, StoredTime, Time},
};

/// A password hash as a row holds it, whatever it holds.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Stored {
    /// Its id.
    #[sqlx(rename = "user_password_id")]
    pub id: Id,
    /// The hash, cut where no hash goes on.
    #[sqlx(rename = "hashed_password")]
    pub hash: String,
    /// The version of the scheme that made it: a `u16`, if MAS wrote it.
    pub version: i32,
    /// When it was made.
    #[sqlx(try_from = "StoredTime")]
    pub created_at: Time,
}

/// The password of a user, if it has one: the newest row. Of two that are equally old, where MAS leaves it to chance,
/// the one with the greater id.
///
/// # Errors
/// As of any statement.
pub async fn password_of_user(store: &mut Connection, user: Id) -> Result<Option<Stored>> {
    const STATEMENT: &str = "SELECT user_password_id, substr(hashed_password, 1, 1000) AS hashed_password, version, created_at \
         FROM user_passwords WHERE user_id = $1 ORDER BY created_at DESC, user_password_id DESC LIMIT 1";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_optional(&mut **connection))
}

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

/// How many hashes a user has, its password included.
///
/// # Errors
/// As of any statement.
pub async fn password_count(store: &mut Connection, user: Id) -> Result<i64> {
    const STATEMENT: &str = "SELECT count(*) FROM user_passwords WHERE user_id = $1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(user)
        .fetch_one(&mut **connection))
}

/// Removes every hash of a user, and returns how many there were. Logins that were made with them stay, and no longer
/// say with which.
///
/// # Errors
/// As of any statement.
pub async fn passwords_remove(store: &mut Connection, user: Id) -> Result<u64> {
    const STATEMENT: &str = "DELETE FROM user_passwords WHERE user_id = $1";
    let mut all = 0;
    loop {
        // While it waits for a login that hashes the password anew, it does not see the hash that this one adds.
        match count!(&mut *store, sqlx::query(STATEMENT).bind(user))? {
            0 => return Ok(all),
            removed => all += removed,
        }
    }
}
