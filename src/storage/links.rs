//! The links of accounts to accounts at upstream providers, and the logins that name them.

use sea_query::{Asterisk, Expr, ExprTrait, Order, Query, SelectStatement, Value};

use super::{
    Connection, count, on,
    select::{self, List, Made, is},
};
use crate::{
    error::Result,
    model::{Id, Link, Time},
};

macro_rules! columns {
    () => {
        "upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, human_account_name, created_at"
    };
}

/// The columns of a list but for the name of the account, which may be long.
const COLUMNS: [&str; 5] = [
    "upstream_oauth_link_id",
    "upstream_oauth_provider_id",
    "user_id",
    "subject",
    "created_at",
];

/// The name of the account at the provider.
const NAME: &str = "human_account_name";

const TABLE: &str = "upstream_oauth_links";
const KEY: (&str, &str) = (TABLE, "upstream_oauth_link_id");
const PROVIDER: &str = "upstream_oauth_provider_id";
const USER: &str = "user_id";

/// What tells the links of one user at one provider together, one after the other.
const GROUPED: [&str; 3] = [USER, PROVIDER, KEY.1];

/// Which links are meant: all that fit every part that is given. An index finds those of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this account.
    pub user: Option<Id>,
    /// Those to this provider.
    pub provider: Option<Id>,
    /// Those to an account of this name at its provider.
    pub subject: Option<String>,
    /// Whether they are nobody's.
    pub orphan: Option<bool>,
    /// Those of users that have several at one provider.
    pub conflicting: bool,
    /// Those made at this moment or later.
    pub created_after: Option<Time>,
    /// Those made before this moment.
    pub created_before: Option<Time>,
}

impl Filter {
    /// A statement that finds them, without its columns.
    fn statement(&self) -> SelectStatement {
        let id = |column, id: Option<Id>| id.map(|id| Expr::col(column).eq(id));
        let made = Made {
            after: self.created_after,
            before: self.created_before,
        };
        Query::select()
            .from(TABLE)
            .and_where_option(id(USER, self.user))
            .and_where_option(id(PROVIDER, self.provider))
            .and_where_option(self.subject.as_deref().map(|subject| self.with_subject(subject)))
            .and_where_option(self.orphan.map(|orphan| is(Expr::col(USER).is_null(), orphan)))
            .and_where_option(self.conflicting.then(in_conflict))
            .cond_where(made.condition(KEY))
            .take()
    }

    /// Subjects are indexed by provider: without one, all of them are gone through, which are few.
    fn with_subject(&self, subject: &str) -> Expr {
        let named = Expr::col("subject").eq(subject);
        if self.provider.is_some() {
            return named;
        }
        let providers = Query::select().column(PROVIDER).from("upstream_oauth_providers").take();
        named.and(Expr::col(PROVIDER).in_subquery(providers))
    }
}

/// Whether the user of a link has another one at the same provider.
fn in_conflict() -> Expr {
    let several = Query::select()
        .columns([USER, PROVIDER])
        .from(TABLE)
        .and_where(Expr::col(USER).is_not_null())
        .group_by_columns([USER, PROVIDER])
        .and_having(Expr::col(Asterisk).count().gt(1))
        .take();
    Expr::tuple([Expr::col(USER), Expr::col(PROVIDER)]).in_subquery(several)
}

/// One page of the links that fit, those after `after` (the first if there is none). They are ordered by id;
/// conflicting ones by user and provider, so that they stand together.
///
/// # Errors
/// As of any statement.
pub async fn link_page(store: &mut Connection, filter: &Filter, after: Option<&Link>, most: u64) -> Result<Vec<Link>> {
    let mut statement = filter.statement();
    statement
        .columns(COLUMNS)
        .expr_as(select::cut(NAME, select::NAME), NAME);
    if !filter.conflicting {
        let after = after.map_or(Id::least(), |link| link.id);
        return List::of(KEY, statement).page(store, after, most).await;
    }
    if let Some(after) = after {
        let last = [
            Value::from(after.user_id.map(uuid::Uuid::from)),
            after.provider_id.into(),
            after.id.into(),
        ];
        statement.and_where(Expr::tuple(GROUPED.map(Expr::col)).gt(Expr::tuple(last.map(Expr::val))));
    }
    for column in GROUPED {
        statement.order_by(column, Order::Asc);
    }
    select::rows(store, statement.limit(most)).await
}

/// How many links fit.
///
/// # Errors
/// As of any statement.
pub async fn link_count(store: &mut Connection, filter: &Filter) -> Result<i64> {
    select::number(store, filter.statement().expr(Expr::col(Asterisk).count())).await
}

/// Finds the link of this id.
///
/// # Errors
/// As of any statement.
pub async fn link(store: &mut Connection, id: Id) -> Result<Option<Link>> {
    const STATEMENT: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM upstream_oauth_links WHERE upstream_oauth_link_id = $1"
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// Finds the link to an account at a provider.
///
/// # Errors
/// As of any statement.
pub async fn link_by_subject(store: &mut Connection, provider: Id, subject: &str) -> Result<Option<Link>> {
    const STATEMENT: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM upstream_oauth_links WHERE upstream_oauth_provider_id = $1 AND subject = $2"
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(provider)
        .bind(subject)
        .fetch_optional(&mut **connection))
}

/// Reads a link and keeps others from changing it, and logins from naming it, until the transaction ends.
///
/// # Errors
/// As of any statement.
pub async fn link_for_change(store: &mut Connection, id: Id) -> Result<Option<Link>> {
    const SELECT_LOCKED: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM upstream_oauth_links WHERE upstream_oauth_link_id = $1 FOR UPDATE"
    );
    if !store.is_postgres() {
        return link(store, id).await;
    }
    on!(store, |connection| sqlx::query_as(SELECT_LOCKED)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// Links a user to an upstream account: makes the link, or adopts the orphan that an unfinished login left behind, which
/// keeps its name unless there is a new one. `None` if another user has it.
///
/// # Errors
/// As of any statement.
pub async fn link_claim(store: &mut Connection, new: &NewLink<'_>) -> Result<Option<Link>> {
    const STATEMENT: &str = concat!(
        "INSERT INTO upstream_oauth_links \
         (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, human_account_name, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (upstream_oauth_provider_id, subject) DO UPDATE SET user_id = excluded.user_id, \
         human_account_name = coalesce(excluded.human_account_name, upstream_oauth_links.human_account_name) \
         WHERE upstream_oauth_links.user_id IS NULL RETURNING ",
        columns!()
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(new.id)
        .bind(new.provider)
        .bind(new.user)
        .bind(new.subject)
        .bind(new.human_account_name)
        .bind(new.created_at)
        .fetch_optional(&mut **connection))
}

/// A link that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewLink<'a> {
    /// Its id.
    pub id: Id,
    /// The provider.
    pub provider: Id,
    /// Who the user is at the provider.
    pub subject: &'a str,
    /// What people call the account there.
    pub human_account_name: Option<&'a str>,
    /// Whose it is.
    pub user: Id,
    /// When it was made.
    pub created_at: Time,
}

/// Gives a link to a user, whosever it was, and a name to the account that it is to if there is a new one. `None` if it is
/// gone.
///
/// # Errors
/// As of any statement.
pub async fn link_assign(
    store: &mut Connection,
    id: Id,
    user: Id,
    human_account_name: Option<&str>,
) -> Result<Option<Link>> {
    const STATEMENT: &str = concat!(
        "UPDATE upstream_oauth_links SET user_id = $2, human_account_name = coalesce($3, human_account_name) \
         WHERE upstream_oauth_link_id = $1 RETURNING ",
        columns!()
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(user)
        .bind(human_account_name)
        .fetch_optional(&mut **connection))
}

/// Takes a link out of the logins that name it, as MAS does before it removes one, and returns how many there were: they
/// stay as logins whose link is gone.
///
/// # Errors
/// As of any statement.
pub async fn logins_unlink(store: &mut Connection, link: Id, unlinked_at: Time) -> Result<u64> {
    const STATEMENT: &str = "UPDATE upstream_oauth_authorization_sessions \
         SET upstream_oauth_link_id = NULL, unlinked_at = $2 WHERE upstream_oauth_link_id = $1";
    count!(store, sqlx::query(STATEMENT).bind(link).bind(unlinked_at))
}

/// Removes a link that no login names. `None` if it is gone.
///
/// # Errors
/// As of any statement.
pub async fn link_remove(store: &mut Connection, id: Id) -> Result<Option<Link>> {
    const STATEMENT: &str = concat!(
        "DELETE FROM upstream_oauth_links WHERE upstream_oauth_link_id = $1 RETURNING ",
        columns!()
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}
