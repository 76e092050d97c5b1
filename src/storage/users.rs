//! Accounts.

mod description;
mod filter;

use std::collections::HashMap;

use sea_query::{Asterisk, Expr, ExprTrait};

use self::filter::Look;
pub use self::{
    description::{Pending, user_activity, user_jobs, user_terms, user_third_party_ids},
    filter::Filter,
};
use super::{
    Connection, count, dialect, on,
    select::{self, List},
};
use crate::{
    error::Result,
    model::{Id, Time, User},
};

macro_rules! columns {
    () => {
        "user_id, username, created_at, locked_at, deactivated_at, can_request_admin, is_guest"
    };
}

pub(super) const COLUMNS: &str = columns!();

pub(super) const KEY: (&str, &str) = ("users", "user_id");

/// How many usernames are looked at for those that begin with a text.
const NEIGHBORS: i64 = 1000;

/// Finds the user of this name as MAS does: case is folded by the database; of several that differ only by case, the
/// one spelled exactly so, and none otherwise.
///
/// # Errors
/// As of any statement.
pub async fn user_by_name(store: &mut Connection, name: &str) -> Result<Option<User>> {
    const STATEMENT: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users WHERE lower(username) = lower($1) ORDER BY CASE WHEN username = $1 THEN 0 ELSE 1 END LIMIT 2"
    );
    let mut users: Vec<User> = on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(name)
        .fetch_all(&mut **connection))?;
    if users.len() > 1 {
        users.retain(|user| user.username == name);
    }
    Ok(users.into_iter().next())
}

/// Whether a user of this name exists, in whatever case.
///
/// # Errors
/// As of any statement.
pub async fn user_exists(store: &mut Connection, name: &str) -> Result<bool> {
    const STATEMENT: &str = "SELECT EXISTS (SELECT 1 FROM users WHERE lower(username) = lower($1))";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(name)
        .fetch_one(&mut **connection))
}

/// The first usernames that begin so, in whatever case, in the order of the database.
///
/// Only the [`NEIGHBORS`] that come first from there on are looked at, which an index finds, however many accounts there
/// are and whatever the collation of the database is: it may put other names between those that begin alike.
///
/// # Errors
/// As of any statement.
pub async fn usernames_from(store: &mut Connection, start: &str, most: i64) -> Result<Vec<String>> {
    const STATEMENT: &str = "SELECT username FROM \
         (SELECT username FROM users WHERE lower(username) >= lower($1) ORDER BY lower(username) LIMIT $2) AS neighbors \
         WHERE substr(lower(username), 1, length(lower($1))) = lower($1) ORDER BY lower(username), username LIMIT $3";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(start)
        .bind(NEIGHBORS)
        .bind(most)
        .fetch_all(&mut **connection))
}

/// Finds the user of this id.
///
/// # Errors
/// As of any statement.
pub async fn user_by_id(store: &mut Connection, id: Id) -> Result<Option<User>> {
    const STATEMENT: &str = concat!("SELECT ", columns!(), " FROM users WHERE user_id = $1");
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// The names of the users of these ids, of those that there are.
///
/// # Errors
/// As of any statement.
pub async fn usernames(store: &mut Connection, ids: impl IntoIterator<Item = Id>) -> Result<HashMap<Id, String>> {
    let ids = select::distinct(ids);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(dialect::usernames(store, &ids).await?.into_iter().collect())
}

/// Reads a user and keeps others from changing it until the transaction ends. A login is not kept waiting.
///
/// # Errors
/// As of any statement.
pub async fn user_for_change(store: &mut Connection, id: Id) -> Result<Option<User>> {
    const SELECT: &str = concat!("SELECT ", columns!(), " FROM users WHERE user_id = $1");
    const SELECT_LOCKED: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM users WHERE user_id = $1 FOR NO KEY UPDATE"
    );
    let statement = if store.is_postgres() { SELECT_LOCKED } else { SELECT };
    on!(store, |connection| sqlx::query_as(statement)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// Adds a user. `None` if the name is taken, in exactly this case.
///
/// # Errors
/// As of any statement.
pub async fn user_add(store: &mut Connection, id: Id, name: &str, created_at: Time) -> Result<Option<User>> {
    const STATEMENT: &str = concat!(
        "INSERT INTO users (user_id, username, created_at) VALUES ($1, $2, $3) ON CONFLICT (username) DO NOTHING RETURNING ",
        columns!()
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(name)
        .bind(created_at)
        .fetch_optional(&mut **connection))
}

/// Locks a user that is not locked. `None` if it is.
///
/// # Errors
/// As of any statement.
pub async fn user_lock(store: &mut Connection, id: Id, locked_at: Time) -> Result<Option<User>> {
    const STATEMENT: &str = concat!(
        "UPDATE users SET locked_at = $2 WHERE user_id = $1 AND locked_at IS NULL RETURNING ",
        columns!()
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(locked_at)
        .fetch_optional(&mut **connection))
}

/// Unlocks a user that is locked. `None` if it is not.
///
/// # Errors
/// As of any statement.
pub async fn user_unlock(store: &mut Connection, id: Id) -> Result<Option<User>> {
    const STATEMENT: &str = concat!(
        "UPDATE users SET locked_at = NULL WHERE user_id = $1 AND locked_at IS NOT NULL RETURNING ",
        columns!()
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// Deactivates a user that is not deactivated. False if it is.
///
/// # Errors
/// As of any statement.
pub async fn user_deactivate(store: &mut Connection, id: Id, deactivated_at: Time) -> Result<bool> {
    const STATEMENT: &str = "UPDATE users SET deactivated_at = $2 WHERE user_id = $1 AND deactivated_at IS NULL";
    count!(store, sqlx::query(STATEMENT).bind(id).bind(deactivated_at)).map(|count| count > 0)
}

/// Makes a deactivated user an active one. False if it is one.
///
/// # Errors
/// As of any statement.
pub async fn user_reactivate(store: &mut Connection, id: Id) -> Result<bool> {
    const STATEMENT: &str = "UPDATE users SET deactivated_at = NULL WHERE user_id = $1 AND deactivated_at IS NOT NULL";
    count!(store, sqlx::query(STATEMENT).bind(id)).map(|count| count > 0)
}

/// Sets whether a user may ask for administrator scopes.
///
/// # Errors
/// As of any statement.
pub async fn user_set_admin(store: &mut Connection, id: Id, admin: bool) -> Result<Option<User>> {
    const STATEMENT: &str = concat!(
        "UPDATE users SET can_request_admin = $2 WHERE user_id = $1 RETURNING ",
        columns!()
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(admin)
        .fetch_optional(&mut **connection))
}

/// One page of the users that fit, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn user_page(store: &mut Connection, filter: &Filter, after: Id, most: u64) -> Result<Vec<User>> {
    let mut statement = filter.statement(store.is_postgres(), Look::OneByOne);
    statement.expr(Expr::cust(COLUMNS));
    let list = List::of(KEY, statement).indexed(filter.is_indexed(store.is_postgres()));
    list.made(filter.made()).page(store, after, most).await
}

/// How many users fit.
///
/// # Errors
/// As of any statement.
pub async fn user_count(store: &mut Connection, filter: &Filter) -> Result<i64> {
    let mut statement = filter.statement(store.is_postgres(), Look::Together);
    select::number(store, statement.expr(Expr::col(Asterisk).count())).await
}

/// One page of the ids of all users after `after`, ordered.
///
/// # Errors
/// As of any statement.
pub async fn user_id_page(store: &mut Connection, after: Id, limit: i64) -> Result<Vec<Id>> {
    const STATEMENT: &str = "SELECT user_id FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut **connection))
}
