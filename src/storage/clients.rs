//! OAuth 2.0 clients, which MAS's configuration defines or which register themselves. They are only read.

use std::collections::HashMap;

use sea_query::{Asterisk, Expr, ExprTrait, Query, SelectStatement};
use sqlx::FromRow;

use super::{
    Connection,
    select::{self, List},
};
use crate::{
    error::Result,
    model::{Client, ClientKind, Id, StoredTime, Time},
};

const KEY: (&str, &str) = ("oauth2_clients", "oauth2_client_id");

/// Which clients are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those with this text in name or home page, in whatever case.
    pub search: Option<String>,
    /// Those of this kind.
    pub kind: Option<ClientKind>,
}

impl Filter {
    /// A statement that finds them, without its columns.
    fn statement(&self, postgres: bool) -> SelectStatement {
        let contains = |column, text| select::contains(column, text, postgres);
        let search = self.search.as_deref();
        let kind = self.kind;
        Query::select()
            .from(KEY.0)
            .and_where_option(search.map(|text| contains("client_name", text).or(contains("client_uri", text))))
            .and_where_option(kind.map(|kind| Expr::col("is_static").eq(kind == ClientKind::Static)))
            .take()
    }
}

/// A client as its table holds it.
#[derive(FromRow)]
struct Row {
    #[sqlx(rename = "oauth2_client_id")]
    id: Id,
    client_name: Option<String>,
    is_static: bool,
    application_type: Option<String>,
    client_uri: Option<String>,
    /// A list in JSON.
    redirect_uris: String,
    #[sqlx(flatten)]
    grants: Grants,
    token_endpoint_auth_method: Option<String>,
    #[sqlx(try_from = "StoredTime")]
    created_at: Option<Time>,
}

/// How a client may get tokens.
#[derive(FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of MAS's")]
struct Grants {
    #[sqlx(rename = "grant_type_authorization_code")]
    authorization_code: bool,
    #[sqlx(rename = "grant_type_refresh_token")]
    refresh_token: bool,
    #[sqlx(rename = "grant_type_client_credentials")]
    client_credentials: bool,
    #[sqlx(rename = "grant_type_device_code")]
    device_code: bool,
}

impl From<Grants> for Vec<&'static str> {
    fn from(grants: Grants) -> Self {
        let all = [
            (grants.authorization_code, "authorization_code"),
            (grants.refresh_token, "refresh_token"),
            (grants.client_credentials, "client_credentials"),
            (grants.device_code, "urn:ietf:params:oauth:grant-type:device_code"),
        ];
        all.into_iter()
            .filter_map(|(given, name)| given.then_some(name))
            .collect()
    }
}

impl From<Row> for Client {
    fn from(row: Row) -> Self {
        let uris = serde_json::from_str(&row.redirect_uris);
        Self {
            id: row.id,
            name: row.client_name,
            kind: if row.is_static {
                ClientKind::Static
            } else {
                ClientKind::Dynamic
            },
            application_type: row.application_type,
            uri: row.client_uri,
            redirect_uris: uris.unwrap_or_else(|_| vec![row.redirect_uris]),
            grant_types: row.grants.into(),
            auth_method: row.token_endpoint_auth_method,
            created_at: row.created_at,
        }
    }
}

/// Adds the columns of [`Row`]. A list is a type of its own on PostgreSQL.
fn with_columns(mut statement: SelectStatement, postgres: bool) -> SelectStatement {
    let redirect_uris = if postgres {
        "CAST(array_to_json(redirect_uris) AS text)"
    } else {
        "redirect_uris"
    };
    statement
        .columns([
            "oauth2_client_id",
            "is_static",
            "application_type",
            "grant_type_authorization_code",
            "grant_type_refresh_token",
            "grant_type_client_credentials",
            "grant_type_device_code",
            "token_endpoint_auth_method",
            "created_at",
        ])
        .expr_as(select::cut("client_name", select::NAME), "client_name")
        .expr_as(select::cut("client_uri", select::NAME), "client_uri")
        .expr_as(select::cut(redirect_uris, select::LIST), "redirect_uris")
        .take()
}

/// One page of the clients that fit, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn client_page(store: &mut Connection, filter: &Filter, after: Id, most: u64) -> Result<Vec<Client>> {
    let postgres = store.is_postgres();
    let statement = with_columns(filter.statement(postgres), postgres);
    let list = List::of(KEY, statement).indexed(*filter == Filter::default());
    let rows: Vec<Row> = list.page(store, after, most).await?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// How many clients fit.
///
/// # Errors
/// As of any statement.
pub async fn client_count(store: &mut Connection, filter: &Filter) -> Result<i64> {
    let mut statement = filter.statement(store.is_postgres());
    select::number(store, statement.expr(Expr::col(Asterisk).count())).await
}

/// Finds the client of this id.
///
/// # Errors
/// As of any statement.
pub async fn client(store: &mut Connection, id: Id) -> Result<Option<Client>> {
    let statement = Query::select().from(KEY.0).and_where(Expr::col(KEY.1).eq(id)).take();
    let rows: Vec<Row> = select::rows(store, &with_columns(statement, store.is_postgres())).await?;
    Ok(rows.into_iter().next().map(Client::from))
}

/// The names of the clients of these ids, of those that have one.
///
/// # Errors
/// As of any statement.
pub async fn client_names(store: &mut Connection, ids: impl IntoIterator<Item = Id>) -> Result<HashMap<Id, String>> {
    let ids = select::distinct(ids);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = Query::select()
        .column(KEY.1)
        .expr(select::cut("client_name", select::NAME))
        .from(KEY.0)
        .and_where(Expr::col(KEY.1).is_in(ids))
        .and_where(Expr::col("client_name").is_not_null())
        .take();
    Ok(select::rows(store, &statement).await?.into_iter().collect())
}
