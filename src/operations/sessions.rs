//! Sessions of all four kinds.

mod finish;

use std::collections::HashMap;

pub use self::finish::{Ended, PARTS, finish, finish_all, kill};
use super::{Run, clients, users};
use crate::{
    error::{Code, Error, Result},
    model::{Id, Session},
    storage::{self, Connection, PAGE, sessions::Filter},
};

/// The filter for those of the account of this name, if there is one, that fit the rest of the filter.
///
/// # Errors
/// `user.not_found`; `client.not_found`, so that a slip of the pen does not look like a client without sessions.
pub async fn filter(run: &Run, user: Option<&str>, rest: Filter) -> Result<Filter> {
    if let Some(client) = rest.client {
        clients::get(run, client).await?;
    }
    let user = users::named(run, user).await?;
    Ok(Filter { user, ..rest })
}

/// One page of at most `most` of the sessions that fit, those after `after` (the first if there is none), ordered by id.
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, after: Option<Id>, most: u64) -> Result<Vec<Session>> {
    let after = after.unwrap_or(Id::least());
    run.read(async |store| {
        let mut page = storage::sessions::session_page(store, filter, after, most.min(PAGE)).await?;
        name(store, &mut page).await?;
        Ok(page)
    })
    .await
}

/// How many sessions fit.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter) -> Result<i64> {
    run.read(async |store| storage::sessions::session_count(store, filter).await)
        .await
}

/// Gets a session of whatever kind by its id.
///
/// # Errors
/// `session.not_found`.
pub async fn get(run: &Run, id: Id) -> Result<Session> {
    run.read(async |store| named(store, id).await)
        .await?
        .ok_or_else(|| not_found(id))
}

/// A session with the names of those whom it concerns.
async fn named(store: &mut Connection, id: Id) -> Result<Option<Session>> {
    let mut found: Vec<Session> = storage::sessions::session(store, id).await?.into_iter().collect();
    name(store, &mut found).await?;
    Ok(found.pop())
}

/// Fills in what accounts and clients are called.
async fn name(store: &mut Connection, sessions: &mut [Session]) -> Result<()> {
    let accounts = sessions.iter().flat_map(|session| [session.user_id, session.owner_id]);
    let users = storage::users::usernames(store, accounts.flatten()).await?;
    let clients = sessions.iter().filter_map(|session| session.client_id);
    let names = storage::clients::client_names(store, clients).await?;
    let called = |names: &HashMap<Id, String>, id: Option<Id>| id.and_then(|id| names.get(&id).cloned());
    for session in sessions {
        session.user = called(&users, session.user_id);
        session.owner = called(&users, session.owner_id);
        session.client = called(&names, session.client_id);
    }
    Ok(())
}

fn not_found(id: Id) -> Error {
    Error::new(Code::SessionNotFound, format!("There is no session {id}"))
        .help("`masctl manage list-sessions` shows them. MAS removes a session 30 days after it has ended.")
        .data("session", id.to_string())
}
