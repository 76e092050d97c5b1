//! E-mail addresses of accounts. MAS stores them as typed and compares them without regard to case; nothing is unique.

use sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SelectStatement};

use super::{
    Connection, count, on,
    select::{self, List},
    users,
};
use crate::{
    error::Result,
    model::{Email, Id, Time, User},
};

const COLUMNS: [&str; 4] = ["user_email_id", "user_id", "email", "created_at"];

const KEY: (&str, &str) = ("user_emails", "user_email_id");

/// How many addresses one statement looks at that compares each with its neighbors.
const WINDOW: i64 = 10_000;

/// Which addresses are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this user.
    pub user: Option<Id>,
    /// This address.
    pub address: Option<String>,
    /// Those at this domain, not at one below it.
    pub domain: Option<String>,
}

impl Filter {
    /// A statement that finds them, without its columns.
    fn statement(&self) -> SelectStatement {
        Query::select()
            .from("user_emails")
            .and_where_option(self.user.map(|user| Expr::col("user_id").eq(user)))
            .and_where_option(self.address.as_deref().map(is_address))
            .and_where_option(self.domain.as_deref().map(is_at_domain))
            .take()
    }

    /// Whether an index finds them.
    fn is_indexed(&self) -> bool {
        self.user.is_some() || self.address.is_some() || self.domain.is_none()
    }
}

fn is_address(address: &str) -> Expr {
    Expr::expr(Func::lower(Expr::col("email"))).eq(Func::lower(Expr::val(address)))
}

/// Whether an address ends so. Both databases count characters here, so that none of the domain has to be escaped.
pub(super) fn is_at_domain(domain: &str) -> Expr {
    let address = Func::lower(Expr::col("email"));
    let ending = Func::lower(Expr::val(format!("@{domain}")));
    let length = |text| Expr::expr(Func::cust("length").arg(text));
    let start = length(address.clone()).sub(length(ending.clone())).add(1);
    Expr::expr(Func::cust("substr").arg(address).arg(start)).eq(ending)
}

/// One page of the addresses that fit, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn email_page(store: &mut Connection, filter: &Filter, after: Id, most: u64) -> Result<Vec<Email>> {
    let mut statement = filter.statement();
    statement.columns(COLUMNS);
    let list = List::of(KEY, statement).indexed(filter.is_indexed());
    list.page(store, after, most).await
}

/// How many addresses fit.
///
/// # Errors
/// As of any statement.
pub async fn email_count(store: &mut Connection, filter: &Filter) -> Result<i64> {
    select::number(store, filter.statement().expr(Expr::col(Asterisk).count())).await
}

/// One page of the users who have an address, those after `after`, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn email_owner_page(store: &mut Connection, address: &str, after: Id, most: u64) -> Result<Vec<User>> {
    let owners = Query::select()
        .column("user_id")
        .from("user_emails")
        .and_where(is_address(address))
        .take();
    let statement = Query::select()
        .expr(Expr::cust(users::COLUMNS))
        .from("users")
        .and_where(Expr::col("user_id").in_subquery(owners))
        .take();
    List::of(users::KEY, statement).page(store, after, most).await
}

/// One page of the addresses that are there more than once, on several accounts or on one: those after the address and
/// the id of `after`, in the order of addresses without regard to case, and of ids among the same.
///
/// Walks the index on `lower(email)`, and looks at some thousand rows with each statement, so that none of them takes
/// long, however few addresses are there twice.
///
/// # Errors
/// As of any statement.
pub async fn email_duplicate_page(store: &mut Connection, after: Option<(&str, Id)>, most: u64) -> Result<Vec<Email>> {
    // No text is before the empty one.
    let (mut address, mut id) = match after {
        Some((address, id)) => (address.to_owned(), id),
        None => (String::new(), Id::least()),
    };
    let mut found = Vec::new();
    loop {
        let end = duplicates_end(store, &address).await?;
        let wanted = most.saturating_sub(found.len() as u64);
        found.append(&mut duplicates_between(store, (&address, id), end.as_deref(), wanted).await?);
        match end {
            Some(end) if (found.len() as u64) < most => (address, id) = (end, Id::greatest()),
            _ => return Ok(found),
        }
    }
}

/// The last address of the window that begins after `after`; `None` if the window is the last.
async fn duplicates_end(store: &mut Connection, after: &str) -> Result<Option<String>> {
    const STATEMENT: &str = "SELECT lower(email) FROM user_emails WHERE lower(email) > lower($1) \
         ORDER BY lower(email) LIMIT 1 OFFSET $2";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(after)
        .bind(WINDOW - 1)
        .fetch_optional(&mut **connection))
}

/// The duplicates up to an address. The one that the window begins with is counted whole, though some of its rows were
/// in the page before.
async fn duplicates_between(
    store: &mut Connection,
    (address, id): (&str, Id),
    end: Option<&str>,
    most: u64,
) -> Result<Vec<Email>> {
    macro_rules! statement {
        ($end:literal) => {
            concat!(
                "SELECT user_email_id, user_id, email, created_at FROM (\
                 SELECT user_email_id, user_id, email, created_at, lower(email) AS address, \
                 count(*) OVER (PARTITION BY lower(email)) AS entries FROM user_emails WHERE lower(email) >= lower($1)",
                $end,
                ") AS part WHERE entries > 1 AND (address > lower($1) OR user_email_id > $2) \
                 ORDER BY address, user_email_id LIMIT $3"
            )
        };
    }
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    match end {
        Some(end) => on!(store, |connection| sqlx::query_as(statement!(
            " AND lower(email) <= lower($4)"
        ))
        .bind(address)
        .bind(id)
        .bind(most)
        .bind(end)
        .fetch_all(&mut **connection)),
        None => on!(store, |connection| sqlx::query_as(statement!(""))
            .bind(address)
            .bind(id)
            .bind(most)
            .fetch_all(&mut **connection)),
    }
}

/// How many rows [`email_duplicate_page`] finds on all pages.
///
/// # Errors
/// As of any statement.
pub async fn email_duplicate_count(store: &mut Connection) -> Result<i64> {
    const STATEMENT: &str = "SELECT CAST(COALESCE(SUM(entries), 0) AS bigint) FROM (SELECT count(*) AS entries \
         FROM user_emails GROUP BY lower(email) HAVING count(*) > 1) AS duplicates";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .fetch_one(&mut **connection))
}

/// Finds an address of a user; the oldest if there are several.
///
/// # Errors
/// As of any statement.
pub async fn email_of_user(store: &mut Connection, user: Id, address: &str) -> Result<Option<Email>> {
    const STATEMENT: &str = "SELECT user_email_id, user_id, email, created_at FROM user_emails \
         WHERE user_id = $1 AND lower(email) = lower($2) ORDER BY user_email_id LIMIT 1";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .bind(address)
        .fetch_optional(&mut **connection))
}

/// The name of another user who has the address.
///
/// # Errors
/// As of any statement.
pub async fn email_other_owner(store: &mut Connection, user: Id, address: &str) -> Result<Option<String>> {
    const STATEMENT: &str = "SELECT users.username FROM user_emails JOIN users ON users.user_id = user_emails.user_id \
         WHERE lower(user_emails.email) = lower($2) AND user_emails.user_id <> $1 ORDER BY user_email_id LIMIT 1";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(user)
        .bind(address)
        .fetch_optional(&mut **connection))
}

/// Adds an address.
///
/// # Errors
/// As of any statement.
pub async fn email_add(store: &mut Connection, id: Id, user: Id, address: &str, created_at: Time) -> Result<Email> {
    const STATEMENT: &str = "INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES ($1, $2, $3, $4) \
         RETURNING user_email_id, user_id, email, created_at";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .bind(user)
        .bind(address)
        .bind(created_at)
        .fetch_one(&mut **connection))
}

/// Removes an address. `None` if it is not there. What hangs off it goes too: the tickets of password recoveries.
///
/// # Errors
/// As of any statement.
pub async fn email_remove(store: &mut Connection, id: Id) -> Result<Option<Email>> {
    const STATEMENT: &str =
        "DELETE FROM user_emails WHERE user_email_id = $1 RETURNING user_email_id, user_id, email, created_at";
    on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(id)
        .fetch_optional(&mut **connection))
}

/// Removes an address from a user, however often it is there and in whatever case, but for the row `except`. Returns
/// the rows that were there, ordered by id.
///
/// # Errors
/// As of any statement.
pub async fn email_remove_all(
    store: &mut Connection,
    user: Id,
    address: &str,
    except: Option<Id>,
) -> Result<Vec<Email>> {
    const STATEMENT: &str = "DELETE FROM user_emails WHERE user_id = $1 AND lower(email) = lower($2) \
         AND user_email_id <> $3 RETURNING user_email_id, user_id, email, created_at";
    let mut removed: Vec<Email> = on!(store, |connection| sqlx::query_as(STATEMENT)
        .bind(user)
        .bind(address)
        .bind(except.unwrap_or(Id::least()))
        .fetch_all(&mut **connection))?;
    removed.sort_unstable_by_key(|email| email.id);
    Ok(removed)
}

/// All addresses of a user, ordered.
///
/// # Errors
/// As of any statement.
pub async fn addresses_of_user(store: &mut Connection, user: Id) -> Result<Vec<String>> {
    const STATEMENT: &str = "SELECT email FROM user_emails WHERE user_id = $1 ORDER BY email, user_email_id";
    on!(store, |connection| sqlx::query_scalar(STATEMENT)
        .bind(user)
        .fetch_all(&mut **connection))
}

/// Deletes all addresses of a user, and those of other kinds that were imported with it, which MAS has no other use
/// for. Returns how many.
///
/// # Errors
/// As of any statement.
pub async fn addresses_delete(store: &mut Connection, user: Id) -> Result<u64> {
    const STATEMENTS: [&str; 2] = [
        "DELETE FROM user_emails WHERE user_id = $1",
        "DELETE FROM user_unsupported_third_party_ids WHERE user_id = $1",
    ];
    let mut count = 0;
    for statement in STATEMENTS {
        count += count!(&mut *store, sqlx::query(statement).bind(user))?;
    }
    Ok(count)
}
