//! Upstream providers, which MAS's configuration owns: they are only read, and never what is secret of them.

use std::collections::HashMap;

use sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SelectStatement};

use super::{
    Connection, on,
    select::{self, List, is},
};
use crate::{
    error::Result,
    model::{Id, Provider},
};

macro_rules! columns {
    () => {
        "upstream_oauth_provider_id, human_name, brand_name, issuer, scope, created_at, disabled_at"
    };
}

const COLUMNS: &str = columns!();

const TABLE: &str = "upstream_oauth_providers";
const KEY: (&str, &str) = (TABLE, "upstream_oauth_provider_id");

/// Finds a provider, also a disabled one.
///
/// # Errors
/// As of any statement.
pub async fn provider(store: &mut Connection, id: Id) -> Result<Option<Provider>> {
    const STATEMENT: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM upstream_oauth_providers WHERE upstream_oauth_provider_id = $1"
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// The enabled providers in the order that MAS shows them. MAS's configuration holds them, so they are few.
///
/// # Errors
/// As of any statement.
pub async fn enabled_providers(store: &mut Connection) -> Result<Vec<Provider>> {
    const STATEMENT: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM upstream_oauth_providers WHERE disabled_at IS NULL ORDER BY ui_order, upstream_oauth_provider_id LIMIT 1000"
    );
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .fetch_all(&mut **connection))
}

/// What people call providers, or else their issuers, by their ids.
///
/// # Errors
/// As of any statement.
pub async fn provider_names(
    store: &mut Connection,
    ids: impl IntoIterator<Item = Id>,
) -> Result<HashMap<Id, Option<String>>> {
    let ids = select::distinct(ids);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = Query::select()
        .column(KEY.1)
        .expr(Func::coalesce([Expr::col("human_name"), Expr::col("issuer")]))
        .from(TABLE)
        .and_where(Expr::col(KEY.1).is_in(ids))
        .take();
    Ok(select::rows(store, &statement).await?.into_iter().collect())
}

/// Which providers are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whether they can be used.
    pub enabled: Option<bool>,
}

impl Filter {
    /// A statement that finds them, without its columns.
    fn statement(&self) -> SelectStatement {
        let is_enabled = Expr::col("disabled_at").is_null();
        Query::select()
            .from(TABLE)
            .and_where_option(self.enabled.map(|enabled| is(is_enabled, enabled)))
            .take()
    }
}

/// One page of the providers that fit, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn provider_page(store: &mut Connection, filter: &Filter, after: Id, most: u64) -> Result<Vec<Provider>> {
    let mut statement = filter.statement();
    statement.expr(Expr::cust(COLUMNS));
    List::of(KEY, statement).page(store, after, most).await
}

/// How many providers fit.
///
/// # Errors
/// As of any statement.
pub async fn provider_count(store: &mut Connection, filter: &Filter) -> Result<i64> {
    select::number(store, filter.statement().expr(Expr::col(Asterisk).count())).await
}
