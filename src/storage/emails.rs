//! E-mail addresses of accounts. MAS stores them as typed and compares them without regard to case; nothing is unique.

use super::{Connection, count, on};
use crate::{
    error::Result,
    model::{Email, Id, Time},
};

/// Finds an address of a user; the oldest if there are several.
///
/// # Errors
/// As of any statement.
pub async fn email_of_user(store: &mut Connection, user: Id, address: &str) -> Result<Option<Email>> {
    const STATEMENT: &str = "SELECT user_email_id, user_id, email, created_at FROM user_emails \
         WHERE user_id = $1 AND lower(email) = lower($2) ORDER BY user_email_id LIMIT 1";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .bind(address)
        .fetch_optional(&mut **connection))
}

/// The name of another user who has the address.
///
/// # Errors
/// As of any statement.
pub async fn email_other_owner(store: &mut Connection, user: Id, address: &str) -> Result<Option<String>> {
    const STATEMENT: &str = "SELECT users.username FROM user_emails JOIN users ON users.user_id = user_emails.user_id \
         WHERE lower(user_emails.email) = lower($2) AND user_emails.user_id <> $1 ORDER BY user_email_id LIMIT 1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(user)
        .bind(address)
        .fetch_optional(&mut **connection))
}

/// Adds an address.
///
/// # Errors
/// As of any statement.
pub async fn email_add(store: &mut Connection, id: Id, user: Id, address: &str, created_at: Time) -> Result<Email> {
    const STATEMENT: &str = "INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES ($1, $2, $3, $4) \
         RETURNING user_email_id, user_id, email, created_at";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(user)
        .bind(address)
        .bind(created_at)
        .fetch_one(&mut **connection))
}

/// All addresses of a user, ordered.
///
/// # Errors
/// As of any statement.
pub async fn addresses_of_user(store: &mut Connection, user: Id) -> Result<Vec<String>> {
    const STATEMENT: &str = "SELECT email FROM user_emails WHERE user_id = $1 ORDER BY email, user_email_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// Deletes all addresses of a user, and those of other kinds that were imported with it, which MAS has no other use
/// for. Returns how many.
///
/// # Errors
/// As of any statement.
pub async fn addresses_delete(store: &mut Connection, user: Id) -> Result<u64> {
    const STATEMENTS: [&str; 2] = [
        "DELETE FROM user_emails WHERE user_id = $1",
        "DELETE FROM user_unsupported_third_party_ids WHERE user_id = $1",
    ];
    let mut count = 0;
    for statement in STATEMENTS {
        count += count!(&mut *store, sqlx::query(statement).bind(user))?;
    }
    Ok(count)
}
