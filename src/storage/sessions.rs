//! Sessions of all four kinds. Ending one writes only its end: its tokens become invalid with it.

mod list;

use sea_query::{Asterisk, Expr, ExprTrait, Query, UpdateStatement};
use secrecy::{ExposeSecret, SecretString};

pub use self::list::{Filter, session, session_count, session_for_change, session_page, sessions_finish};
use super::{Connection, count, dialect, on, select};
use crate::{
    error::{Code, Error, Result},
    model::{Id, SessionKind, Time, device_scopes},
};

/// The table of a kind of session: its name, its key, and the column of the account as whom a session acts.
pub(super) const fn table(kind: SessionKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        SessionKind::Browser => ("user_sessions", "user_session_id", "user_id"),
        SessionKind::Compatibility => ("compat_sessions", "compat_session_id", "user_id"),
        SessionKind::OAuth => ("oauth2_sessions", "oauth2_session_id", "user_id"),
        SessionKind::Personal => ("personal_sessions", "personal_session_id", "actor_user_id"),
    }
}

/// The column of the account to which a personal session belongs.
pub(super) const OWNER: &str = "owner_user_id";

/// Whether a session of this kind acts as this account, or belongs to it.
pub(super) fn is_of(kind: SessionKind, user: Id) -> Expr {
    let (_, _, actor) = table(kind);
    let acts = Expr::col(actor).eq(user);
    match kind {
        SessionKind::Personal => acts.or(Expr::col(OWNER).eq(user)),
        SessionKind::Browser | SessionKind::Compatibility | SessionKind::OAuth => acts,
    }
}

/// The statement that ends those active sessions of a kind of which `which` is true.
fn end(kind: SessionKind, which: Expr, ended_at: Time) -> UpdateStatement {
    let (table, ..) = table(kind);
    Query::update()
        .table(table)
        .value(kind.end(), ended_at)
        .and_where(which)
        .and_where(Expr::col(kind.end()).is_null())
        .take()
}

/// Ends all active sessions of one kind of a user, and returns how many there were.
///
/// # Errors
/// As of any statement.
pub async fn sessions_end(store: &mut Connection, kind: SessionKind, user: Id, ended_at: Time) -> Result<u64> {
    select::touched(store, &end(kind, is_of(kind, user), ended_at)).await
}

/// Ends the active sessions of a user that hold this device, as a login with the same device does.
///
/// # Errors
/// As of any statement.
pub async fn sessions_end_of_device(store: &mut Connection, user: Id, device: &str, ended_at: Time) -> Result<u64> {
    const COMPATIBILITY: &str = "UPDATE compat_sessions SET finished_at = $3 \
         WHERE user_id = $1 AND device_id = $2 AND finished_at IS NULL";
    let compatibility = count!(store, sqlx::query(COMPATIBILITY).bind(user).bind(device).bind(ended_at))?;
    let oauth = dialect::oauth_sessions_end_with_scopes(store, user, &device_scopes(device), ended_at).await?;
    Ok(compatibility + oauth)
}

/// Adds a compatibility session.
///
/// # Errors
/// As of any statement.
pub async fn compatibility_session_add(
    store: &mut Connection,
    id: Id,
    user: Id,
    device: &str,
    synapse_admin: bool,
    created_at: Time,
) -> Result<Id> {
    const STATEMENT: &str = "INSERT INTO compat_sessions (compat_session_id, user_id, device_id, created_at, is_synapse_admin) \
         VALUES ($1, $2, $3, $4, $5) RETURNING compat_session_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .bind(user)
        .bind(device)
        .bind(created_at)
        .bind(synapse_admin)
        .fetch_one(&mut **connection))
}

/// Adds an access token to a compatibility session.
///
/// # Errors
/// As of any statement.
pub async fn compatibility_token_add(
    store: &mut Connection,
    id: Id,
    session: Id,
    token: &SecretString,
    created_at: Time,
    expires_at: Option<Time>,
) -> Result<Id> {
    const STATEMENT: &str = "INSERT INTO compat_access_tokens \
         (compat_access_token_id, compat_session_id, access_token, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
         RETURNING compat_access_token_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(id)
        .bind(session)
        .bind(token.expose_secret())
        .bind(created_at)
        .bind(expires_at)
        .fetch_one(&mut **connection))
}

/// Whether a session is active.
///
/// # Errors
/// As of any statement.
pub async fn session_is_active(store: &mut Connection, kind: SessionKind, id: Id) -> Result<bool> {
    let (table, key, _) = table(kind);
    let statement = Query::select()
        .expr(Expr::col(Asterisk).count())
        .from(table)
        .and_where(Expr::col(key).eq(id))
        .and_where(Expr::col(kind.end()).is_null())
        .take();
    Ok(select::number(store, &statement).await? > 0)
}

/// Ends one session if it is active, and returns whether it was.
///
/// # Errors
/// As of any statement.
pub async fn session_end(store: &mut Connection, kind: SessionKind, id: Id, ended_at: Time) -> Result<bool> {
    let (_, key, _) = table(kind);
    let ended = select::touched(store, &end(kind, Expr::col(key).eq(id), ended_at)).await?;
    Ok(ended > 0)
}

/// Keeps MAS's sync of a user's devices, and others who make one, waiting until the transaction ends.
///
/// # Errors
/// As of any statement; `database.busy` names what was locked.
pub async fn lock_user_devices(store: &mut Connection, user: Id) -> Result<()> {
    dialect::lock(store, user.lock_key())
        .await
        .map_err(|error| match error.code() {
            Code::DatabaseBusy => Error::new(
                Code::DatabaseBusy,
                "The devices of this account were locked for too long: a sync of them waits for the homeserver, or \
                 somebody logs in",
            )
            .help("Nothing was changed; run it again. `masctl manage list-jobs --status running` shows what runs.")
            .caused_by(error),
            _ => error,
        })
}
