//! Sessions of all four kinds as one list in the order of their ids, and the end of those that fit a filter.

use std::{cmp::max, net::IpAddr};

use sea_query::{
    Asterisk, Condition, Expr, ExprTrait, Func, LockType, Order, Query, SelectStatement, extension::postgres::PgBinOper,
};
use sqlx::FromRow;

use super::{is_of, table};
use crate::{
    error::Result,
    model::{Id, Session, SessionKind, StoredTime, Time, device_of_scope, device_scopes, is_synapse_admin},
    storage::{
        Connection,
        select::{self, List, Made, cut_text},
    },
};

/// Which sessions are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those that act as this account, and the personal ones that belong to it.
    pub user: Option<Id>,
    /// Those of this kind.
    pub kind: Option<SessionKind>,
    /// Those of this client: who logged in, or to whom a personal session belongs.
    pub client: Option<Id>,
    /// Those that hold this device.
    pub device: Option<String>,
    /// Those that are active, or that are not.
    pub active: Option<bool>,
    /// Those last used then or later. One that was never used counts by its beginning.
    pub active_after: Option<Time>,
    /// Those last used before.
    pub active_before: Option<Time>,
    /// Those that began then or later.
    pub created_after: Option<Time>,
    /// Those that began before.
    pub created_before: Option<Time>,
    /// Those last used from this address.
    pub ip: Option<IpAddr>,
    /// Those whose client names itself with these words in it, in whatever case.
    pub user_agent: Option<String>,
    /// All but these.
    pub except: Vec<Id>,
}

impl Filter {
    /// The kinds among which there can be any.
    fn kinds(&self) -> impl Iterator<Item = SessionKind> {
        SessionKind::ALL.into_iter().filter(|&kind| {
            self.kind.is_none_or(|wanted| wanted == kind)
                && (self.client.is_none() || matches!(kind, SessionKind::OAuth | SessionKind::Personal))
                && (self.device.is_none() || kind.has_devices())
                && (self.user_agent.is_none() || kind != SessionKind::Personal)
        })
    }

    /// Whether an index finds them: the accounts', the clients', or the key alone.
    fn is_indexed(&self) -> bool {
        let keyed = Self {
            kind: self.kind,
            created_after: self.created_after,
            created_before: self.created_before,
            ..Self::default()
        };
        self.user.is_some() || self.client.is_some() || *self == keyed
    }

    fn made(&self) -> Made {
        Made {
            after: self.created_after,
            before: self.created_before,
        }
    }

    fn condition(&self, kind: SessionKind, postgres: bool) -> Condition {
        let (name, key, _) = table(kind);
        let last_active = || Func::coalesce([Expr::col("last_active_at"), Expr::col("created_at")]);
        let client = match kind {
            SessionKind::Personal => "owner_oauth2_client_id",
            SessionKind::Browser | SessionKind::Compatibility | SessionKind::OAuth => "oauth2_client_id",
        };
        let of_device = |device: &String| match kind {
            SessionKind::Compatibility => Expr::col("device_id").eq(device.as_str()),
            SessionKind::Browser | SessionKind::OAuth | SessionKind::Personal => {
                has_scope(device_scopes(device), postgres)
            }
        };
        let end = Expr::col(kind.end());
        let is_active = |active: bool| if active { end.is_null() } else { end.is_not_null() };
        Condition::all()
            .add(self.made().condition((name, key)))
            .add_option(self.user.map(|user| is_of(kind, user)))
            .add_option(self.client.map(|id| Expr::col(client).eq(id)))
            .add_option(self.device.as_ref().map(of_device))
            .add_option(self.active.map(is_active))
            .add_option(self.active_after.map(|time| last_active().gte(time)))
            .add_option(self.active_before.map(|time| last_active().lt(time)))
            .add_option(self.ip.map(|ip| is_from(ip, postgres)))
            .add_option(self.user_agent.as_deref().map(|words| names_itself(words, postgres)))
            .add_option((!self.except.is_empty()).then(|| Expr::col(key).is_not_in(self.except.iter().copied())))
    }

    /// A statement that finds those of one kind, without its columns.
    fn statement(&self, kind: SessionKind, postgres: bool) -> SelectStatement {
        let (table, ..) = table(kind);
        Query::select()
            .from(table)
            .cond_where(self.condition(kind, postgres))
            .take()
    }

    /// A statement among whose rows windows are counted off: those that fit, if an index finds them; else all.
    fn windowed(&self, kind: SessionKind, postgres: bool) -> SelectStatement {
        if self.is_indexed() {
            self.statement(kind, postgres)
        } else {
            Self::default().statement(kind, postgres)
        }
    }
}

/// Whether one of the scopes is among those of a session.
fn has_scope(scopes: [String; 2], postgres: bool) -> Expr {
    if postgres {
        return Expr::col("scope_list").binary(PgBinOper::Overlap, Expr::val(Vec::from(scopes)));
    }
    Expr::cust_with_values(
        "EXISTS (SELECT 1 FROM json_each(scope_list) AS held WHERE held.value IN (?, ?))",
        scopes,
    )
}

/// Whether a session was last used from an address.
fn is_from(ip: IpAddr, postgres: bool) -> Expr {
    let ip = Expr::val(ip.to_string());
    Expr::col("last_active_ip").eq(if postgres { ip.cast_as("inet") } else { ip })
}

/// Whether a client names itself with these words in it.
fn names_itself(words: &str, postgres: bool) -> Expr {
    let position = Func::cust(if postgres { "strpos" } else { "instr" });
    position
        .args([Func::lower(Expr::col("user_agent")), Func::lower(Expr::val(words))].map(Expr::from))
        .gt(0)
}

/// The columns of [`Row`] in the table of a kind. An address and a list are types of their own on PostgreSQL.
fn columns(kind: SessionKind, postgres: bool) -> String {
    let (ip, scope) = if postgres {
        ("host(last_active_ip)", "CAST(array_to_json(scope_list) AS text)")
    } else {
        ("last_active_ip", "scope_list")
    };
    let [device, name, agent] = ["device_id", "human_name", "user_agent"].map(|column| cut_text(column, select::NAME));
    let scope = cut_text(scope, select::LIST);
    match kind {
        SessionKind::Browser => format!(
            "user_session_id AS id, 'browser' AS kind, user_id, CAST(NULL AS uuid) AS client_id, \
             CAST(NULL AS uuid) AS owner_id, CAST(NULL AS text) AS device_id, CAST(NULL AS text) AS scope, \
             CAST(NULL AS text) AS name, false AS synapse_admin, created_at, finished_at, last_active_at, \
             {ip} AS last_active_ip, {agent} AS user_agent"
        ),
        SessionKind::Compatibility => format!(
            "compat_session_id AS id, 'compatibility' AS kind, user_id, CAST(NULL AS uuid) AS client_id, \
             CAST(NULL AS uuid) AS owner_id, {device} AS device_id, CAST(NULL AS text) AS scope, \
             {name} AS name, is_synapse_admin AS synapse_admin, created_at, finished_at, last_active_at, \
             {ip} AS last_active_ip, {agent} AS user_agent"
        ),
        SessionKind::OAuth => format!(
            "oauth2_session_id AS id, 'oauth' AS kind, user_id, oauth2_client_id AS client_id, \
             CAST(NULL AS uuid) AS owner_id, CAST(NULL AS text) AS device_id, {scope} AS scope, \
             {name} AS name, false AS synapse_admin, created_at, finished_at, last_active_at, \
             {ip} AS last_active_ip, {agent} AS user_agent"
        ),
        SessionKind::Personal => format!(
            "personal_session_id AS id, 'personal' AS kind, actor_user_id AS user_id, \
             owner_oauth2_client_id AS client_id, \
             CASE WHEN owner_user_id <> actor_user_id THEN owner_user_id END AS owner_id, \
             CAST(NULL AS text) AS device_id, {scope} AS scope, \
             {name} AS name, false AS synapse_admin, created_at, revoked_at AS finished_at, last_active_at, \
             {ip} AS last_active_ip, CAST(NULL AS text) AS user_agent"
        ),
    }
}

/// A session as its table holds it, whichever that is.
#[derive(FromRow)]
struct Row {
    id: Id,
    #[sqlx(try_from = "String")]
    kind: SessionKind,
    user_id: Option<Id>,
    client_id: Option<Id>,
    owner_id: Option<Id>,
    device_id: Option<String>,
    /// A list in JSON.
    scope: Option<String>,
    name: Option<String>,
    synapse_admin: bool,
    #[sqlx(try_from = "StoredTime")]
    created_at: Time,
    #[sqlx(try_from = "StoredTime")]
    finished_at: Option<Time>,
    #[sqlx(try_from = "StoredTime")]
    last_active_at: Option<Time>,
    last_active_ip: Option<String>,
    user_agent: Option<String>,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        // One that is too long was cut, and is no JSON any more: it is shown as it is.
        let tokens: Option<Vec<String>> = row.scope.as_deref().and_then(|list| serde_json::from_str(list).ok());
        let tokens = tokens.unwrap_or_else(|| row.scope.clone().into_iter().collect());
        let device = tokens.iter().find_map(|token| device_of_scope(token));
        Self {
            id: row.id,
            kind: row.kind,
            user_id: row.user_id,
            user: None,
            client_id: row.client_id,
            client: None,
            device_id: row.device_id.or_else(|| device.map(str::to_owned)),
            scope: row.scope.map(|_| tokens.join(" ")),
            name: row.name,
            synapse_admin: row.synapse_admin || is_synapse_admin(&tokens),
            owner_id: row.owner_id,
            owner: None,
            created_at: row.created_at,
            finished_at: row.finished_at,
            last_active_at: row.last_active_at,
            last_active_ip: row.last_active_ip,
            user_agent: row.user_agent,
        }
    }
}

/// One page of the sessions that fit, of all kinds, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn session_page(store: &mut Connection, filter: &Filter, after: Id, most: u64) -> Result<Vec<Session>> {
    let postgres = store.is_postgres();
    let tables = filter.kinds().map(|kind| {
        let (table, key, _) = table(kind);
        let mut statement = filter.statement(kind, postgres);
        statement.expr(Expr::cust(columns(kind, postgres)));
        ((table, key), statement)
    });
    let list = List::of_all(tables.collect()).indexed(filter.is_indexed());
    let rows: Vec<Row> = list.made(filter.made()).page(store, after, most).await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// How many sessions fit.
///
/// # Errors
/// As of any statement.
pub async fn session_count(store: &mut Connection, filter: &Filter) -> Result<i64> {
    let mut count = 0;
    for kind in filter.kinds() {
        let mut statement = filter.statement(kind, store.is_postgres());
        count += select::number(store, statement.expr(Expr::col(Asterisk).count())).await?;
    }
    Ok(count)
}

/// Finds a session of whatever kind by its id.
///
/// # Errors
/// As of any statement.
pub async fn session(store: &mut Connection, id: Id) -> Result<Option<Session>> {
    for kind in SessionKind::ALL {
        if let Some(session) = one(store, kind, id, false).await? {
            return Ok(Some(session));
        }
    }
    Ok(None)
}

/// Reads a session and keeps others from changing it until the transaction ends.
///
/// # Errors
/// As of any statement.
pub async fn session_for_change(store: &mut Connection, kind: SessionKind, id: Id) -> Result<Option<Session>> {
    one(store, kind, id, true).await
}

async fn one(store: &mut Connection, kind: SessionKind, id: Id, locked: bool) -> Result<Option<Session>> {
    let (table, key, _) = table(kind);
    let mut statement = Query::select()
        .expr(Expr::cust(columns(kind, store.is_postgres())))
        .from(table)
        .and_where(Expr::col(key).eq(id))
        .take();
    if locked {
        // SQLite has no such words, and they are left out for it.
        statement.lock(LockType::Update);
    }
    let rows: Vec<Row> = select::rows(store, &statement).await?;
    Ok(rows.into_iter().next().map(Session::from))
}

/// Ends the active sessions of one kind that fit, of some thousand after `after`. Returns each that it has ended with
/// the account as whom it acted, in the order of ids, and after which id to go on; `None` if that were all.
///
/// # Errors
/// As of any statement.
pub async fn sessions_finish(
    store: &mut Connection,
    filter: &Filter,
    kind: SessionKind,
    after: Id,
    ended_at: Time,
) -> Result<(Vec<(Id, Option<Id>)>, Option<Id>)> {
    if !filter.kinds().any(|other| other == kind) {
        return Ok((Vec::new(), None));
    }
    let postgres = store.is_postgres();
    let (table, key, user) = table(kind);
    let after = max(after, filter.made().start());
    let end = select::window_end(store, &filter.windowed(kind, postgres), key, after).await?;
    let condition = filter
        .condition(kind, postgres)
        .add(Expr::col(kind.end()).is_null())
        .add(Expr::col(key).gt(after))
        .add_option(end.map(|end| Expr::col(key).lte(end)));
    let more = end.filter(|end| !filter.made().ends_before(*end));
    if postgres && lock_in_order(store, (table, key), condition.clone()).await? == 0 {
        return Ok((Vec::new(), more));
    }
    let statement = Query::update()
        .table(table)
        .value(kind.end(), ended_at)
        .cond_where(condition)
        .returning(Query::returning().columns([key, user]))
        .take();
    let mut ended: Vec<(Id, Option<Id>)> = select::rows(store, &statement).await?;
    ended.sort_unstable();
    Ok((ended, more))
}

/// Keeps others from changing the rows that fit, and returns how many there are. It takes them in the order of their
/// ids, as MAS does when it notes which sessions were used: so the two do not wait for each other.
async fn lock_in_order(
    store: &mut Connection,
    (table, key): (&'static str, &'static str),
    condition: Condition,
) -> Result<usize> {
    let statement = Query::select()
        .column(key)
        .from(table)
        .cond_where(condition)
        .order_by(key, Order::Asc)
        .lock(LockType::NoKeyUpdate)
        .take();
    let locked: Vec<(Id,)> = select::rows(store, &statement).await?;
    Ok(locked.len())
}
