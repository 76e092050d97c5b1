//! What belongs to one account and to no list of its own.

use sea_query::{Expr, Query};
use sqlx::FromRow;

use super::super::{Connection, failure, on, select, sessions};
use crate::{
    error::Result,
    model::{AcceptedTerms, Id, SessionKind, StoredTime, ThirdPartyId, Time},
};

/// The addresses of other kinds that were imported with a user, of which MAS makes nothing.
///
/// # Errors
/// As of any statement.
pub async fn user_third_party_ids(store: &mut Connection, user: Id) -> Result<Vec<ThirdPartyId>> {
    const STATEMENT: &str = "SELECT medium, address, created_at FROM user_unsupported_third_party_ids \
         WHERE user_id = $1 ORDER BY medium, address LIMIT 1000";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// The terms that a user accepted, oldest first.
///
/// # Errors
/// As of any statement.
pub async fn user_terms(store: &mut Connection, user: Id) -> Result<Vec<AcceptedTerms>> {
    const STATEMENT: &str =
        "SELECT terms_url, created_at FROM user_terms WHERE user_id = $1 ORDER BY user_terms_id LIMIT 1000";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// How many active sessions of a kind a user has, and when one of that kind, be it over or not, was last active.
///
/// # Errors
/// As of any statement.
pub async fn user_activity(store: &mut Connection, kind: SessionKind, user: Id) -> Result<(i64, Option<Time>)> {
    let (table, ..) = sessions::table(kind);
    let active = format!("count(CASE WHEN {} IS NULL THEN 1 END)", kind.end());
    let statement = Query::select()
        .expr(Expr::cust(active))
        .expr(Expr::cust("max(COALESCE(last_active_at, created_at))"))
        .from(table)
        .and_where(sessions::is_of(kind, user))
        .take();
    let found: Vec<(i64, StoredTime)> = select::rows(store, &statement).await?;
    let found = found.into_iter().next();
    Ok(found.map_or((0, None), |(active, last)| (active, last.into())))
}

/// How many jobs of one status are about a user.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Pending {
    /// The status.
    pub status: String,
    /// How many.
    pub jobs: i64,
}

/// Counts the jobs about a user that wait, that run, or that failed and that nobody will try again. All of these
/// together are few: an index finds them, and none finds the jobs of a user.
///
/// # Errors
/// As of any statement.
pub async fn user_jobs(store: &mut Connection, user: Id) -> Result<Vec<Pending>> {
    macro_rules! statement {
        ($user:literal) => {
            concat!(
                "SELECT CAST(status AS TEXT) AS status, count(*) AS jobs FROM queue_jobs \
                 WHERE status IN ('available', 'running', 'failed', 'scheduled') \
                 AND (status <> 'failed' OR next_attempt_id IS NULL) AND ",
                $user,
                " = $1 GROUP BY status"
            )
        };
    }
    const POSTGRES: &str = statement!("payload ->> 'user_id'");
    const SQLITE: &str = statement!("CASE WHEN json_valid(payload) THEN payload ->> 'user_id' END");
    let user = user.to_string();
    match store {
        Connection::Postgres(connection) => sqlx::query_as(POSTGRES).bind(user).fetch_all(&mut **connection).await,
        Connection::Sqlite(connection) => sqlx::query_as(SQLITE).bind(user).fetch_all(&mut **connection).await,
    }
    .map_err(failure::of_statement)
}
