//! Access tokens of compatibility and personal sessions, whose texts stay in the database.

use sea_query::{Asterisk, Cond, Expr, ExprTrait, JoinType, Query, SelectStatement};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Connection, count, on,
    select::{self, Key, List, Made, is},
    sessions,
};
use crate::{
    error::Result,
    model::{AccessKind, AccessToken, Id, Time, device_of_scope, is_synapse_admin},
};

/// Which access tokens are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this kind.
    pub kind: Option<AccessKind>,
    /// Those that act as this user, and personal ones that it has made.
    pub user: Option<Id>,
    /// Those that MAS accepts now, or those that it does not.
    pub valid: Option<bool>,
    /// Those that expire before this moment.
    pub expires_before: Option<Time>,
    /// Those made at this moment or later.
    pub created_after: Option<Time>,
    /// Those made before this moment.
    pub created_before: Option<Time>,
}

impl AccessKind {
    /// The table of its tokens with its primary key.
    const fn key(self) -> Key {
        match self {
            Self::Compatibility => ("compat_access_tokens", "compat_access_token_id"),
            Self::Personal => ("personal_access_tokens", "personal_access_token_id"),
        }
    }

    /// The table of its sessions, with the primary key, which its tokens name so too, and with who acts.
    const fn sessions(self) -> (&'static str, &'static str, &'static str) {
        sessions::table(self.session())
    }

    /// A statement of its tokens with their sessions and users, without columns.
    fn statement(self) -> SelectStatement {
        let ((tokens, _), (sessions, session, user)) = (self.key(), self.sessions());
        let mut statement = Query::select();
        statement
            .from(tokens)
            .inner_join(sessions, Expr::col((sessions, session)).equals((tokens, session)))
            .inner_join("users", Expr::col(("users", "user_id")).equals((sessions, user)));
        if self == Self::Personal {
            let owner = Expr::col(("owner", "user_id")).equals((sessions, sessions::OWNER));
            statement.join_as(JoinType::LeftJoin, "users", "owner", owner);
        }
        statement
    }

    /// When the token was revoked, or its session ended.
    fn revoked_at(self) -> Expr {
        match self {
            Self::Compatibility => Expr::col(("compat_sessions", "finished_at")),
            Self::Personal => Expr::cust("COALESCE(personal_access_tokens.revoked_at, personal_sessions.revoked_at)"),
        }
    }

    /// Whether MAS accepts the token, as it introspects it. That nobody is there as the owner is as good as one who is
    /// in no special state.
    fn valid(self, now: Time) -> Expr {
        let expiry = || Expr::col((self.key().0, "expires_at"));
        let people: &[&'static str] = match self {
            Self::Compatibility => &["users"],
            Self::Personal => &["users", "owner"],
        };
        let in_use = people
            .iter()
            .flat_map(|&person| ["locked_at", "deactivated_at"].map(|state| Expr::col((person, state)).is_null()));
        let unexpired = expiry().is_null().or(expiry().gt(now));
        // Column by column, since PostgreSQL has an index on the personal tokens that are not revoked.
        let unrevoked = match self {
            Self::Compatibility => self.revoked_at().is_null(),
            Self::Personal => {
                let stands = |table| Expr::col((table, "revoked_at")).is_null();
                stands(self.key().0).and(stands(self.sessions().0))
            }
        };
        in_use.fold(unrevoked.and(unexpired), ExprTrait::and)
    }

    /// The statement of its tokens as lists show them.
    fn shown(self, now: Time, is_postgres: bool) -> SelectStatement {
        let ((tokens, key), (sessions, session, _)) = (self.key(), self.sessions());
        let mut statement = self.statement();
        statement
            .expr_as(Expr::col((tokens, key)), "id")
            .expr_as(Expr::cust(format!("'{}'", self.as_str())), "kind")
            .expr_as(Expr::col((tokens, session)), "session_id")
            .expr_as(Expr::col(("users", "user_id")), "user_id")
            .expr_as(Expr::col(("users", "username")), "user")
            .expr_as(select::cut(&format!("{sessions}.human_name"), select::NAME), "name")
            .expr_as(Expr::col((tokens, "created_at")), "created_at")
            .expr_as(Expr::col((tokens, "expires_at")), "expires_at")
            .expr_as(self.revoked_at(), "revoked_at")
            .expr_as(self.valid(now), "valid");
        match self {
            Self::Compatibility => statement
                .expr_as(select::cut("compat_sessions.device_id", select::NAME), "device_id")
                .expr_as(Expr::col((sessions, "is_synapse_admin")), "synapse_admin")
                .expr_as(Expr::cust("CAST(NULL AS TEXT)"), "owner")
                .expr_as(Expr::cust("CAST(NULL AS TEXT)"), "scope"),
            Self::Personal => statement
                .expr_as(Expr::cust("CAST(NULL AS TEXT)"), "device_id")
                .expr_as(Expr::cust("FALSE"), "synapse_admin")
                .expr_as(Expr::col(("owner", "username")), "owner")
                .expr_as(select::cut(scope(is_postgres), select::LIST), "scope"),
        };
        statement
    }
}

/// The scopes of a personal session between spaces: they are an array on PostgreSQL, JSON on SQLite.
const fn scope(is_postgres: bool) -> &'static str {
    if is_postgres {
        "array_to_string(scope_list, ' ')"
    } else {
        "(SELECT group_concat(value, ' ') FROM json_each(scope_list))"
    }
}

impl Filter {
    fn kinds(&self) -> impl Iterator<Item = AccessKind> {
        AccessKind::ALL
            .into_iter()
            .filter(|kind| self.kind.is_none_or(|wanted| wanted == *kind))
    }

    /// Whether an index finds them: ids tell when they were made, and a user has few.
    fn is_indexed(&self) -> bool {
        self.user.is_some() || (self.valid.is_none() && self.expires_before.is_none())
    }

    fn made(&self) -> Made {
        Made {
            after: self.created_after,
            before: self.created_before,
        }
    }

    /// Adds the conditions to a statement of the tokens of a kind.
    fn restrict(&self, kind: AccessKind, now: Time, statement: &mut SelectStatement) {
        let ((tokens, _), (sessions, _, user)) = (kind.key(), kind.sessions());
        statement
            .cond_where(self.made().condition(kind.key()))
            .and_where_option(
                self.expires_before
                    .map(|time| Expr::col((tokens, "expires_at")).lt(time)),
            )
            .and_where_option(self.valid.map(|valid| is(kind.valid(now), valid)));
        if let Some(wanted) = self.user {
            let mut whose = Cond::any().add(Expr::col((sessions, user)).eq(wanted));
            if kind == AccessKind::Personal {
                whose = whose.add(Expr::col((sessions, sessions::OWNER)).eq(wanted));
            }
            statement.cond_where(whose);
        }
    }
}

/// One page of the tokens that fit, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn access_token_page(
    store: &mut Connection,
    filter: &Filter,
    now: Time,
    (after, most): (Id, u64),
) -> Result<Vec<AccessToken>> {
    let is_postgres = store.is_postgres();
    let tables = filter.kinds().map(|kind| {
        let mut statement = kind.shown(now, is_postgres);
        filter.restrict(kind, now, &mut statement);
        (kind.key(), statement)
    });
    let list = List::of_all(tables.collect()).indexed(filter.is_indexed());
    let page = list.made(filter.made()).page(store, after, most).await?;
    Ok(page.into_iter().map(with_scope).collect())
}

/// How many tokens fit.
///
/// # Errors
/// As of any statement.
pub async fn access_token_count(store: &mut Connection, filter: &Filter, now: Time) -> Result<i64> {
    let mut total = 0;
    for kind in filter.kinds() {
        let mut statement = if filter.user.is_some() || filter.valid.is_some() {
            kind.statement()
        } else {
            Query::select().from(kind.key().0).take()
        };
        filter.restrict(kind, now, &mut statement);
        total += select::number(store, statement.expr(Expr::col(Asterisk).count())).await?;
    }
    Ok(total)
}

/// Finds a token.
///
/// # Errors
/// As of any statement.
pub async fn access_token(store: &mut Connection, id: Id, now: Time) -> Result<Option<AccessToken>> {
    let is_postgres = store.is_postgres();
    for kind in AccessKind::ALL {
        let mut statement = kind.shown(now, is_postgres);
        statement.and_where(Expr::col(kind.key()).eq(id));
        let found: Vec<AccessToken> = select::rows(store, &statement).await?;
        if let Some(token) = found.into_iter().next() {
            return Ok(Some(with_scope(token)));
        }
    }
    Ok(None)
}

/// The scope of a personal token names its device, and whether it has Synapse's administrator API.
fn with_scope(mut token: AccessToken) -> AccessToken {
    let tokens: Vec<String> = token
        .scope
        .iter()
        .flat_map(|scope| scope.split(' '))
        .map(str::to_owned)
        .collect();
    if let Some(device) = tokens.iter().find_map(|token| device_of_scope(token)) {
        token.device_id = Some(device.to_owned());
    }
    token.synapse_admin |= is_synapse_admin(&tokens);
    token
}

/// The compatibility token of this text.
///
/// # Errors
/// As of any statement.
pub async fn compatibility_token_by_text(store: &mut Connection, text: &SecretString) -> Result<Option<Id>> {
    const STATEMENT: &str = "SELECT compat_access_token_id FROM compat_access_tokens WHERE access_token = $1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(text.expose_secret())
        .fetch_optional(&mut **connection))
}

/// The compatibility token that the refresh token of this text belongs to.
///
/// # Errors
/// As of any statement.
pub async fn compatibility_token_by_refresh_token(store: &mut Connection, text: &SecretString) -> Result<Option<Id>> {
    const STATEMENT: &str = "SELECT compat_access_token_id FROM compat_refresh_tokens WHERE refresh_token = $1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(text.expose_secret())
        .fetch_optional(&mut **connection))
}

/// The personal token whose text has this SHA-256.
///
/// # Errors
/// As of any statement.
pub async fn personal_token_by_sha256(store: &mut Connection, sha256: &[u8; 32]) -> Result<Option<Id>> {
    const STATEMENT: &str =
        "SELECT personal_access_token_id FROM personal_access_tokens WHERE access_token_sha256 = $1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(&sha256[..])
        .fetch_optional(&mut **connection))
}

/// The OAuth 2.0 session of the access or refresh token of this text.
///
/// # Errors
/// As of any statement.
pub async fn oauth_session_by_text(store: &mut Connection, text: &SecretString) -> Result<Option<Id>> {
    const STATEMENT: &str = "SELECT oauth2_session_id FROM oauth2_access_tokens WHERE access_token = $1 \
         UNION ALL SELECT oauth2_session_id FROM oauth2_refresh_tokens WHERE refresh_token = $1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(text.expose_secret())
        .fetch_optional(&mut **connection))
}

/// The token with which a session goes on: of a compatibility session the one that was made last, of a personal session
/// the only one that is not revoked, if there is one.
///
/// # Errors
/// As of any statement.
pub async fn newest_token(store: &mut Connection, kind: AccessKind, session: Id) -> Result<Option<Id>> {
    const COMPATIBILITY: &str = "SELECT compat_access_token_id FROM compat_access_tokens \
         WHERE compat_session_id = $1 ORDER BY created_at DESC, compat_access_token_id DESC LIMIT 1";
    const PERSONAL: &str = "SELECT personal_access_token_id FROM personal_access_tokens \
         WHERE personal_session_id = $1 AND revoked_at IS NULL";
    let statement = match kind {
        AccessKind::Compatibility => COMPATIBILITY,
        AccessKind::Personal => PERSONAL,
    };
    on!(store, |connection| sqlx::query_scalar(statement)
        .bind(session)
        .fetch_optional(&mut **connection))
}

/// Whether a refresh token that belongs to a compatibility token is still good for another one.
///
/// # Errors
/// As of any statement.
pub async fn is_refreshable(store: &mut Connection, token: Id) -> Result<bool> {
    const STATEMENT: &str = "SELECT EXISTS (SELECT 1 FROM compat_refresh_tokens \
         WHERE compat_access_token_id = $1 AND consumed_at IS NULL)";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(token)
        .fetch_one(&mut **connection))
}

/// Keeps others from changing a session until the transaction ends, and from adding tokens to it: a token refers to its
/// session, which MAS locks for that.
///
/// # Errors
/// As of any statement.
pub async fn session_lock(store: &mut Connection, kind: AccessKind, session: Id) -> Result<()> {
    const COMPATIBILITY: &str = "SELECT 1 FROM compat_sessions WHERE compat_session_id = $1 FOR UPDATE";
    const PERSONAL: &str = "SELECT 1 FROM personal_sessions WHERE personal_session_id = $1 FOR UPDATE";
    if !store.is_postgres() {
        return Ok(());
    }
    let statement = match kind {
        AccessKind::Compatibility => COMPATIBILITY,
        AccessKind::Personal => PERSONAL,
    };
    count!(store, sqlx::query(statement).bind(session)).map(drop)
}

/// Makes all tokens of a compatibility session expire that have not, and uses up its refresh tokens, as refreshing does.
/// Returns how many access tokens there were.
///
/// # Errors
/// As of any statement.
pub async fn compatibility_tokens_expire(store: &mut Connection, session: Id, now: Time) -> Result<u64> {
    const REFRESH: &str =
        "UPDATE compat_refresh_tokens SET consumed_at = $2 WHERE compat_session_id = $1 AND consumed_at IS NULL";
    const ACCESS: &str = "UPDATE compat_access_tokens SET expires_at = $2 \
         WHERE compat_session_id = $1 AND (expires_at IS NULL OR expires_at > $2)";
    count!(&mut *store, sqlx::query(REFRESH).bind(session).bind(now))?;
    count!(store, sqlx::query(ACCESS).bind(session).bind(now))
}
