//! Statements that are put together from filters, and the lists of what they find, page by page.
//!
//! The words of a statement depend on which filters are given, never on their values: values are bound.

use sea_query::{Expr, ExprTrait, Order, PostgresQueryBuilder, Query, SelectStatement, SqliteQueryBuilder, Value};
use sea_query_sqlx::SqlxBinder;
use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{Connection, failure};
use crate::{error::Result, model::Id};

/// How many rows one page of a list holds at most: some megabytes.
pub const PAGE: u64 = 10_000;

/// How many rows one statement looks at that finds them by no index.
const WINDOW: u64 = 10_000;

/// What both databases can read a row as.
pub(super) trait Row:
    Send + Unpin + for<'row> FromRow<'row, PgRow> + for<'row> FromRow<'row, SqliteRow>
{
}

impl<T: Send + Unpin + for<'row> FromRow<'row, PgRow> + for<'row> FromRow<'row, SqliteRow>> Row for T {}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        Uuid::from(id).into()
    }
}

/// The rows that a statement finds, or that it gives back.
///
/// # Errors
/// As of any statement.
pub(super) async fn rows<T: Row>(store: &mut Connection, statement: &impl SqlxBinder) -> Result<Vec<T>> {
    match store {
        Connection::Postgres(connection) => {
            let (text, values) = statement.build_sqlx(PostgresQueryBuilder);
            let query = sqlx::query_as_with(AssertSqlSafe(text), values);
            query.fetch_all(&mut **connection).await
        }
        Connection::Sqlite(connection) => {
            let (text, values) = statement.build_sqlx(SqliteQueryBuilder);
            let query = sqlx::query_as_with(AssertSqlSafe(text), values);
            query.fetch_all(&mut **connection).await
        }
    }
    .map_err(failure::of_statement)
}

/// The one number that a statement finds.
///
/// # Errors
/// As of any statement.
pub(super) async fn number(store: &mut Connection, statement: &SelectStatement) -> Result<i64> {
    let rows: Vec<(i64,)> = rows(store, statement).await?;
    Ok(rows.first().map_or(0, |(number,)| *number))
}

/// The rows of a page, found by an index: those that the statement finds after `after` in the order of `key`.
///
/// # Errors
/// As of any statement.
pub(super) async fn page<T: Row>(
    store: &mut Connection,
    statement: &SelectStatement,
    key: (&'static str, &'static str),
    after: Id,
    most: u64,
) -> Result<Vec<T>> {
    rows(store, &part(statement, key, (after, None), most)).await
}

/// The rows of a page that no index finds: walks the primary key `key` of a table, and looks at some thousand rows with
/// each statement, so that none of them takes long, however few rows fit.
///
/// # Errors
/// As of any statement.
pub(super) async fn walk<T: Row>(
    store: &mut Connection,
    statement: &SelectStatement,
    key: (&'static str, &'static str),
    after: Id,
    most: u64,
) -> Result<Vec<T>> {
    walk_between(store, statement, key, (after, None), most).await
}

/// As [`walk`], but ends before an id that all rows that fit are before.
///
/// # Errors
/// As of any statement.
pub(super) async fn walk_between<T: Row>(
    store: &mut Connection,
    statement: &SelectStatement,
    key: (&'static str, &'static str),
    (mut after, until): (Id, Option<Id>),
    most: u64,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    loop {
        let end = window_end(store, &Query::select().from(key.0).take(), key.1, after).await?;
        let wanted = most.saturating_sub(found.len() as u64);
        found.append(&mut rows(store, &part(statement, key, (after, end), wanted)).await?);
        match end {
            Some(end) if (found.len() as u64) < most && until.is_none_or(|until| end < until) => after = end,
            _ => return Ok(found),
        }
    }
}

/// The last id of the window that begins after `after`, of what the statement finds in the order of `key`; `None` if
/// the window is the last.
///
/// # Errors
/// As of any statement.
pub(super) async fn window_end(
    store: &mut Connection,
    statement: &SelectStatement,
    key: &'static str,
    after: Id,
) -> Result<Option<Id>> {
    let mut statement = statement.clone();
    statement
        .column(key)
        .and_where(Expr::col(key).gt(after))
        .order_by(key, Order::Asc)
        .limit(1)
        .offset(WINDOW - 1);
    let end: Vec<(Id,)> = rows(store, &statement).await?;
    Ok(end.first().map(|(id,)| *id))
}

/// The part of what a statement finds that lies between two ids.
pub(super) fn part(
    statement: &SelectStatement,
    key: (&'static str, &'static str),
    (after, end): (Id, Option<Id>),
    most: u64,
) -> SelectStatement {
    let mut part = statement.clone();
    part.and_where(Expr::col(key).gt(after))
        .and_where_option(end.map(|end| Expr::col(key).lte(end)))
        .order_by(key, Order::Asc)
        .limit(most);
    part
}

/// Whether a subquery finds anything. It is looked up for one row after the other: PostgreSQL would read the whole table
/// of the subquery for a join otherwise, for each page. That is right only where everything is counted: use
/// [`Expr::exists`] there.
pub(super) fn exists_for_each(mut subquery: SelectStatement) -> Expr {
    // PostgreSQL makes no join of a subquery that has an offset.
    Expr::exists(subquery.limit(1).offset(0).take())
}
