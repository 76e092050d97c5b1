//! Upstream providers, which MAS's configuration owns, and the links of accounts to them.

use super::{Connection, on};
use crate::{
    error::Result,
    model::{Id, Link, Provider, Time},
};

/// Finds a provider, also a disabled one.
///
/// # Errors
/// As of any statement.
pub async fn provider(store: &mut Connection, id: Id) -> Result<Option<Provider>> {
    const STATEMENT: &str = "SELECT upstream_oauth_provider_id, issuer, human_name, disabled_at \
         FROM upstream_oauth_providers WHERE upstream_oauth_provider_id = $1";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// The enabled providers in the order that MAS shows them. MAS's configuration holds them, so they are few.
///
/// # Errors
/// As of any statement.
pub async fn enabled_providers(store: &mut Connection) -> Result<Vec<Provider>> {
    const STATEMENT: &str = "SELECT upstream_oauth_provider_id, issuer, human_name, disabled_at \
         FROM upstream_oauth_providers WHERE disabled_at IS NULL ORDER BY ui_order, upstream_oauth_provider_id LIMIT 1000";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .fetch_all(&mut **connection))
}

/// Links a user to an upstream account: makes the link, or adopts the orphan that an unfinished login left behind.
/// `None` if another user has it. The flag is true if the link was made.
///
/// # Errors
/// As of any statement.
pub async fn link_claim(
    store: &mut Connection,
    id: Id,
    provider: Id,
    subject: &str,
    user: Id,
    created_at: Time,
) -> Result<Option<Link>> {
    const STATEMENT: &str = "INSERT INTO upstream_oauth_links \
         (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (upstream_oauth_provider_id, subject) DO UPDATE SET user_id = excluded.user_id \
         WHERE upstream_oauth_links.user_id IS NULL \
         RETURNING upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(provider)
        .bind(user)
        .bind(subject)
        .bind(created_at)
        .fetch_optional(&mut **connection))
}
