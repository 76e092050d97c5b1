//! Statements that are put together from filters, and the lists of what they find, page by page.
//!
//! The words of a statement depend on which filters are given, never on their values: values are bound.

use chrono::Duration;
use sea_query::{
    Asterisk, Condition, Expr, ExprTrait, LikeExpr, Order, PostgresQueryBuilder, Query, SelectStatement,
    SqliteQueryBuilder, UnionType, Value, extension::postgres::PgExpr,
};
use sea_query_sqlx::SqlxBinder;
use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{Connection, failure};
use crate::{
    error::Result,
    model::{Id, Time},
};

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

/// Runs a statement that gives no rows back, and returns how many it touched.
///
/// # Errors
/// As of any statement.
pub(super) async fn touched(store: &mut Connection, statement: &impl SqlxBinder) -> Result<u64> {
    let touched = match store {
        Connection::Postgres(connection) => {
            let (text, values) = statement.build_sqlx(PostgresQueryBuilder);
            let done = sqlx::query_with(AssertSqlSafe(text), values).execute(&mut **connection);
            done.await.map(|done| done.rows_affected())
        }
        Connection::Sqlite(connection) => {
            let (text, values) = statement.build_sqlx(SqliteQueryBuilder);
            let done = sqlx::query_with(AssertSqlSafe(text), values).execute(&mut **connection);
            done.await.map(|done| done.rows_affected())
        }
    };
    touched.map_err(failure::of_statement)
}

/// A text of others' in a list, of which only the beginning if it is longer than any that there should be: a page of them
/// must fit into memory.
pub(super) fn cut(text: &str, most: u32) -> Expr {
    Expr::cust(cut_text(text, most))
}

/// [`cut`] in words of SQL.
pub(super) fn cut_text(text: &str, most: u32) -> String {
    format!("CASE WHEN length({text}) > {most} THEN substr({text}, 1, {most}) || '…' ELSE {text} END")
}

/// How much is shown of a name that others chose, and of a list of texts.
pub(super) const NAME: u32 = 1000;
pub(super) const LIST: u32 = 16_384;

/// The one number that a statement finds.
///
/// # Errors
/// As of any statement.
pub(super) async fn number(store: &mut Connection, statement: &SelectStatement) -> Result<i64> {
    let rows: Vec<(i64,)> = rows(store, statement).await?;
    Ok(rows.first().map_or(0, |(number,)| *number))
}

/// A table with its primary key.
pub(super) type Key = (&'static str, &'static str);

/// When rows were made, as their ids tell: the time in an id is that of `created_at`, to the millisecond. The primary key
/// finds it, and MAS's own filters go by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    /// At this moment or later.
    pub(super) after: Option<Time>,
    /// Before this moment.
    pub(super) before: Option<Time>,
}

impl Made {
    /// Whether the row of this key was made then.
    pub(super) fn condition(self, key: Key) -> Condition {
        let first = |time| Id::new(time, 0);
        Condition::all()
            .add_option(self.after.map(|time| Expr::col(key).gte(first(time))))
            .add_option(self.before.map(|time| Expr::col(key).lt(first(time))))
    }

    /// All ids are after this one.
    pub(super) fn start(self) -> Id {
        let last_before = |time: Time| Id::new(time - Duration::milliseconds(1), u128::MAX);
        self.after.map_or(Id::least(), last_before)
    }

    /// Whether all ids are before this one.
    pub(super) fn ends_before(self, id: Id) -> bool {
        self.before.is_some_and(|time| id >= Id::new(time, 0))
    }
}

/// A list in the order of ids, over one table or several.
pub(super) struct List {
    /// Each statement finds the rows of one table, as columns of the same names; of several tables, the key as `id`.
    tables: Vec<(Key, SelectStatement)>,
    is_indexed: bool,
    made: Made,
}

impl List {
    /// What a statement finds in a table by an index, that of the primary key if there is no other.
    pub(super) fn of(key: Key, statement: SelectStatement) -> Self {
        Self::of_all(vec![(key, statement)])
    }

    /// As [`Self::of`], in several tables.
    pub(super) fn of_all(tables: Vec<(Key, SelectStatement)>) -> Self {
        Self {
            tables,
            is_indexed: true,
            made: Made::default(),
        }
    }

    /// Says whether an index finds the rows. If none does, the primary keys are walked, some thousand rows with each
    /// statement, so that none of them takes long, however few rows fit.
    pub(super) fn indexed(self, is_indexed: bool) -> Self {
        Self { is_indexed, ..self }
    }

    /// Says when all rows were made: only those are looked at.
    pub(super) fn made(self, made: Made) -> Self {
        Self { made, ..self }
    }

    /// One page: the rows after `after`. Fewer than `most` are the last ones.
    ///
    /// # Errors
    /// As of any statement.
    pub(super) async fn page<T: Row>(&self, store: &mut Connection, after: Id, most: u64) -> Result<Vec<T>> {
        let mut after = Ord::max(after, self.made.start());
        let mut found = Vec::new();
        loop {
            let end = if self.is_indexed {
                None
            } else {
                self.window_end(store, after).await?
            };
            let wanted = most.saturating_sub(found.len() as u64);
            let Some(statement) = self.between((after, end), wanted) else {
                return Ok(found);
            };
            found.append(&mut rows(store, &statement).await?);
            match end {
                Some(end) if (found.len() as u64) < most && !self.made.ends_before(end) => after = end,
                _ => return Ok(found),
            }
        }
    }

    /// The last id of the shortest window: up to it, each table has been looked at. `None` if it is the last in all.
    async fn window_end(&self, store: &mut Connection, after: Id) -> Result<Option<Id>> {
        let mut first = None;
        for ((table, key), _) in &self.tables {
            let rows = Query::select().from(*table).take();
            let end = window_end(store, &rows, key, after).await?;
            first = first.into_iter().chain(end).min();
        }
        Ok(first)
    }

    /// The statement for the rows between two ids. Of several tables, each gives the first few, and they are merged.
    fn between(&self, (after, end): (Id, Option<Id>), most: u64) -> Option<SelectStatement> {
        let part = |(key, statement): &(Key, SelectStatement)| {
            let mut part = statement.clone();
            part.and_where(Expr::col(*key).gt(after))
                .and_where_option(end.map(|end| Expr::col(*key).lte(end)))
                .order_by(*key, Order::Asc)
                .limit(most);
            part
        };
        if let [table] = self.tables.as_slice() {
            return Some(part(table));
        }
        let parts = self.tables.iter().map(|table| {
            let part = part(table);
            Query::select().column(Asterisk).from_subquery(part, "part").take()
        });
        let all = parts.reduce(|mut all, part| all.union(UnionType::All, part).take())?;
        let merged = Query::select()
            .column(Asterisk)
            .from_subquery(all, "all_parts")
            .order_by("id", Order::Asc)
            .limit(most)
            .take();
        Some(merged)
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

/// Whether a column holds this text, in whatever case.
pub(super) fn contains(column: &'static str, text: &str, is_postgres: bool) -> Expr {
    let pattern = format!("%{}%", escaped(text));
    let column = Expr::col(column);
    if is_postgres {
        column.ilike(pattern)
    } else {
        // It does not regard the case of ASCII's letters; and it has no escape character unless it is told one.
        column.like(LikeExpr::new(pattern).escape('\\'))
    }
}

/// Text that LIKE takes as it stands.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

/// Ids, each once.
pub(super) fn distinct(ids: impl IntoIterator<Item = Id>) -> Vec<Id> {
    let mut ids: Vec<Id> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Whether something is as it is wanted to be.
pub(super) fn is(is_so: Expr, wanted: bool) -> Expr {
    if wanted { is_so } else { is_so.not() }
}

/// Whether a subquery finds anything. It is looked up for one row after the other: PostgreSQL would read the whole table
/// of the subquery for a join otherwise, for each page. That is right only where everything is counted: use
/// [`Expr::exists`] there.
pub(super) fn exists_for_each(mut subquery: SelectStatement) -> Expr {
    // PostgreSQL makes no join of a subquery that has an offset.
    Expr::exists(subquery.limit(1).offset(0).take())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(escaped(r"100%_\a"), r"100\%\_\\a");
    }

    #[test]
    fn a_time_is_a_range_of_ids() {
        let time = chrono::DateTime::from_timestamp_millis(1_666_338_333_060);
        let made = Made {
            after: time,
            before: time,
        };
        assert_eq!(made.start().to_string(), "01GFWR28C3ZZZZZZZZZZZZZZZZ");
        assert!(!made.ends_before(made.start()));
        assert!(made.ends_before("01GFWR28C40000000000000000".parse().unwrap()));
        assert_eq!(Made::default().start(), Id::least());
        assert!(!Made::default().ends_before(Id::greatest()));
    }
}
