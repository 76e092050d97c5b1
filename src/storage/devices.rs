//! The devices of users, which sessions hold: compatibility sessions by a column, the others by a scope.

use std::collections::BTreeSet;

use super::{Connection, failure, on};
use crate::{
    error::Result,
    model::{Id, device_of_scope},
};

/// The devices of a user's active sessions, of all kinds. A personal session's device is that of the user it acts as,
/// also when its token has expired.
///
/// # Errors
/// As of any statement.
pub async fn devices_of_user(store: &mut Connection, user: Id) -> Result<BTreeSet<String>> {
    const COMPATIBILITY: &str =
        "SELECT device_id FROM compat_sessions WHERE user_id = $1 AND finished_at IS NULL AND device_id IS NOT NULL";
    let mut devices: BTreeSet<String> = on!(&mut *store, |connection| sqlx::query_scalar(COMPATIBILITY)
        .bind(user)
        .fetch_all(&mut **connection))?
    .into_iter()
    .collect();
    let scopes = device_scopes(store, user).await?;
    let named = scopes.iter().filter_map(|scope| device_of_scope(scope));
    devices.extend(named.filter(|device| !device.is_empty()).map(str::to_owned));
    Ok(devices)
}

/// The scopes of a user's active sessions that name devices.
async fn device_scopes(store: &mut Connection, user: Id) -> Result<Vec<String>> {
    macro_rules! statement {
        ($list:literal, $scope:literal) => {
            concat!(
                "SELECT ",
                $scope,
                " FROM oauth2_sessions, ",
                $list,
                " WHERE user_id = $1 AND finished_at IS NULL AND ",
                $scope,
                " LIKE 'urn:matrix:%client:device:%' UNION SELECT ",
                $scope,
                " FROM personal_sessions, ",
                $list,
                " WHERE actor_user_id = $1 AND revoked_at IS NULL AND ",
                $scope,
                " LIKE 'urn:matrix:%client:device:%'"
            )
        };
    }
    const POSTGRES: &str = statement!("unnest(scope_list) AS held (scope)", "held.scope");
    const SQLITE: &str = statement!("json_each(scope_list) AS held", "held.value");
    match store {
        Connection::Postgres(connection) => {
            sqlx::query_scalar(POSTGRES)
                .bind(user)
                .fetch_all(&mut **connection)
                .await
        }
        Connection::Sqlite(connection) => sqlx::query_scalar(SQLITE).bind(user).fetch_all(&mut **connection).await,
    }
    .map_err(failure::of_statement)
}

/// Lets the transaction stay open without a statement for as long as a call of the homeserver may take.
///
/// # Errors
/// As of any statement.
pub async fn wait_for_homeserver(store: &mut Connection) -> Result<()> {
    const STATEMENT: &str = "SET LOCAL idle_in_transaction_session_timeout = '15min'";
    match store {
        Connection::Postgres(connection) => sqlx::raw_sql(STATEMENT)
            .execute(&mut **connection)
            .await
            .map(drop)
            .map_err(failure::of_statement),
        Connection::Sqlite(_) => Ok(()),
    }
}
