//! The statements that PostgreSQL and SQLite need in different words: arrays, bulk, locks.

use sqlx::{QueryBuilder, Sqlite, types::Json};

use super::{Connection, failure, jobs, personal_tokens::NewPersonalSession};
use crate::{
    error::Result,
    model::{Id, Time},
};

/// Rows of five values each stay under SQLite's limit of 32,766 bound values.
const SQLITE_ROWS: usize = 1000;

/// Takes PostgreSQL's advisory lock of this key, and keeps it until the transaction ends. SQLite's write lock does that
/// by itself.
pub(super) async fn lock(store: &mut Connection, key: i64) -> Result<()> {
    match store {
        Connection::Postgres(connection) => sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(key)
            .execute(&mut **connection)
            .await
            .map(drop)
            .map_err(failure::of_statement),
        Connection::Sqlite(_) => Ok(()),
    }
}

/// The names of users by their ids.
pub(super) async fn usernames(store: &mut Connection, ids: &[Id]) -> Result<Vec<(Id, String)>> {
    const POSTGRES: &str = "SELECT user_id, username FROM users WHERE user_id = ANY($1)";
    const SQLITE: &str = "SELECT user_id, username FROM users WHERE user_id IN (";
    match store {
        Connection::Postgres(connection) => sqlx::query_as(POSTGRES).bind(ids).fetch_all(&mut **connection).await,
        Connection::Sqlite(connection) => {
            let mut select = QueryBuilder::<Sqlite>::new(SQLITE);
            let mut list = select.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            select.push(")");
            select.build_query_as().fetch_all(&mut **connection).await
        }
    }
    .map_err(failure::of_statement)
}

/// Ends the active OAuth 2.0 sessions of a user that hold one of the scopes.
pub(super) async fn oauth_sessions_end_with_scopes(
    store: &mut Connection,
    user: Id,
    scopes: &[String; 2],
    ended_at: Time,
) -> Result<u64> {
    const POSTGRES: &str = "UPDATE oauth2_sessions SET finished_at = $2 \
         WHERE user_id = $1 AND finished_at IS NULL AND scope_list && $3";
    const SQLITE: &str = "UPDATE oauth2_sessions SET finished_at = $2 WHERE user_id = $1 AND finished_at IS NULL \
         AND EXISTS (SELECT 1 FROM json_each(scope_list) WHERE value IN ($3, $4))";
    match store {
        Connection::Postgres(connection) => {
            let query = sqlx::query(POSTGRES).bind(user).bind(ended_at).bind(&scopes[..]);
            query.execute(&mut **connection).await.map(|done| done.rows_affected())
        }
        Connection::Sqlite(connection) => {
            let query = sqlx::query(SQLITE)
                .bind(user)
                .bind(ended_at)
                .bind(&scopes[0])
                .bind(&scopes[1]);
            query.execute(&mut **connection).await.map(|done| done.rows_affected())
        }
    }
    .map_err(failure::of_statement)
}

/// Adds a personal session that its own user acts with. Its scope is an array on PostgreSQL, JSON on SQLite.
pub(super) async fn personal_session_add(store: &mut Connection, session: &NewPersonalSession<'_>) -> Result<()> {
    const STATEMENT: &str = "INSERT INTO personal_sessions \
         (personal_session_id, owner_user_id, actor_user_id, human_name, scope_list, created_at) \
         VALUES ($1, $2, $2, $3, $4, $5)";
    let scope = session.scope.tokens();
    match store {
        Connection::Postgres(connection) => {
            let query = sqlx::query(STATEMENT)
                .bind(session.id)
                .bind(session.user)
                .bind(session.name)
                .bind(scope)
                .bind(session.created_at);
            query.execute(&mut **connection).await.map(drop)
        }
        Connection::Sqlite(connection) => {
            let query = sqlx::query(STATEMENT)
                .bind(session.id)
                .bind(session.user)
                .bind(session.name)
                .bind(Json(scope))
                .bind(session.created_at);
            query.execute(&mut **connection).await.map(drop)
        }
    }
    .map_err(failure::of_statement)
}

/// Adds many jobs: one statement with arrays on PostgreSQL, statements of many rows on SQLite.
pub(super) async fn jobs_add(
    store: &mut Connection,
    queue: &str,
    (ids, payloads): (&[Id], &[String]),
    created_at: Time,
) -> Result<()> {
    const POSTGRES: &str = "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at) \
         SELECT id, $3, payload::jsonb, $4, $5 FROM UNNEST($1, $2) AS job (id, payload)";
    const SQLITE: &str = "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at) ";
    match store {
        Connection::Postgres(connection) => {
            let query = sqlx::query(POSTGRES).bind(ids).bind(payloads).bind(queue);
            query
                .bind(jobs::metadata())
                .bind(created_at)
                .execute(&mut **connection)
                .await
                .map_err(failure::of_statement)?;
        }
        Connection::Sqlite(connection) => {
            for (ids, payloads) in ids.chunks(SQLITE_ROWS).zip(payloads.chunks(SQLITE_ROWS)) {
                let mut insert = QueryBuilder::<Sqlite>::new(SQLITE);
                insert.push_values(ids.iter().zip(payloads), |mut row, (id, payload)| {
                    row.push_bind(*id)
                        .push_bind(queue)
                        .push_bind(payload)
                        .push_bind(jobs::metadata())
                        .push_bind(created_at);
                });
                insert
                    .build()
                    .execute(&mut **connection)
                    .await
                    .map_err(failure::of_statement)?;
            }
        }
    }
    Ok(())
}
