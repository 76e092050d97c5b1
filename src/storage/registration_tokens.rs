//! Registration tokens, stored in the clear and compared exactly.

use sea_query::{Asterisk, Expr, ExprTrait, LockType, Query, SelectStatement};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Connection, count, on,
    select::{self, List, is},
};
use crate::{
    error::Result,
    model::{Id, RegistrationToken, Time},
};

const KEY: (&str, &str) = ("user_registration_tokens", "user_registration_token_id");

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

/// Which registration tokens are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those with which somebody could register now, or those with which nobody can.
    pub valid: Option<bool>,
    /// Those that were used, or those that never were.
    pub used: Option<bool>,
    /// Those that are revoked, or those that are not.
    pub revoked: Option<bool>,
    /// Those that expire before this moment.
    pub expires_before: Option<Time>,
}

/// Whether somebody could register with a token, as MAS decides it.
fn valid(now: Time) -> Expr {
    let unexpired = Expr::col("expires_at").is_null().or(Expr::col("expires_at").gt(now));
    let unused = Expr::col("usage_limit")
        .is_null()
        .or(Expr::col("times_used").lt(Expr::col("usage_limit")));
    Expr::col("revoked_at").is_null().and(unexpired).and(unused)
}

impl Filter {
    /// A statement that finds them, without its columns.
    fn statement(&self, now: Time) -> SelectStatement {
        let revoked = |wanted| is(Expr::col("revoked_at").is_not_null(), wanted);
        let used = |wanted| is(Expr::col("times_used").gt(0), wanted);
        Query::select()
            .from("user_registration_tokens")
            .and_where_option(self.valid.map(|wanted| is(valid(now), wanted)))
            .and_where_option(self.used.map(used))
            .and_where_option(self.revoked.map(revoked))
            .and_where_option(self.expires_before.map(|time| Expr::col("expires_at").lt(time)))
            .take()
    }
}

fn shown(filter: &Filter, now: Time) -> SelectStatement {
    const COLUMNS: [&str; 7] = [
        "token",
        "usage_limit",
        "times_used",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ];
    let mut statement = filter.statement(now);
    statement
        .expr_as(Expr::col("user_registration_token_id"), "id")
        .columns(COLUMNS)
        .expr_as(valid(now), "valid");
    statement
}

/// One page of the tokens that fit, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn registration_token_page(
    store: &mut Connection,
    filter: &Filter,
    now: Time,
    (after, most): (Id, u64),
) -> Result<Vec<RegistrationToken>> {
    let list = List::of(KEY, shown(filter, now)).indexed(*filter == Filter::default());
    list.page(store, after, most).await
}

/// How many tokens fit.
///
/// # Errors
/// As of any statement.
pub async fn registration_token_count(store: &mut Connection, filter: &Filter, now: Time) -> Result<i64> {
    select::number(store, filter.statement(now).expr(Expr::col(Asterisk).count())).await
}

/// Finds the token of this text.
///
/// # Errors
/// As of any statement.
pub async fn registration_token_by_text(
    store: &mut Connection,
    text: &str,
    now: Time,
) -> Result<Option<RegistrationToken>> {
    one(
        store,
        shown(&Filter::default(), now).and_where(Expr::col("token").eq(text)),
    )
    .await
}

/// Finds a token.
///
/// # Errors
/// As of any statement.
pub async fn registration_token(store: &mut Connection, id: Id, now: Time) -> Result<Option<RegistrationToken>> {
    one(store, shown(&Filter::default(), now).and_where(Expr::col(KEY).eq(id))).await
}

/// Reads a token and keeps others from changing it until the transaction ends.
///
/// # Errors
/// As of any statement.
pub async fn registration_token_for_change(
    store: &mut Connection,
    id: Id,
    now: Time,
) -> Result<Option<RegistrationToken>> {
    let mut statement = shown(&Filter::default(), now);
    statement.and_where(Expr::col(KEY).eq(id));
    if store.is_postgres() {
        statement.lock(LockType::NoKeyUpdate);
    }
    one(store, &statement).await
}

async fn one(store: &mut Connection, statement: &SelectStatement) -> Result<Option<RegistrationToken>> {
    let found: Vec<RegistrationToken> = select::rows(store, statement).await?;
    Ok(found.into_iter().next())
}

/// Sets how often a token can be used, and until when.
///
/// # Errors
/// As of any statement.
pub async fn registration_token_set_limits(
    store: &mut Connection,
    id: Id,
    usage_limit: Option<i32>,
    expires_at: Option<Time>,
) -> Result<()> {
    const STATEMENT: &str = "UPDATE user_registration_tokens SET usage_limit = $2, expires_at = $3 \
         WHERE user_registration_token_id = $1";
    count!(
        store,
        sqlx::query(STATEMENT).bind(id).bind(usage_limit).bind(expires_at)
    )
    .map(drop)
}

/// Sets since when a token is revoked: not at all if there is no time.
///
/// # Errors
/// As of any statement.
pub async fn registration_token_set_revoked(store: &mut Connection, id: Id, revoked_at: Option<Time>) -> Result<()> {
    const STATEMENT: &str = "UPDATE user_registration_tokens SET revoked_at = $2 WHERE user_registration_token_id = $1";
    count!(store, sqlx::query(STATEMENT).bind(id).bind(revoked_at)).map(drop)
}
