//! Finding accounts: one by what names it, or all that fit a filter.

use super::not_found;
use crate::{
    error::{Code, Error, Result},
    model::{Id, User, localpart},
    operations::{Run, clients, emails, providers},
    storage::{self, PAGE, users::Filter},
};

/// Finds a user by name, as MAS does, or by its MXID.
///
/// # Errors
/// `user.foreign`, `username.invalid`; `config.missing` for a MXID if the configuration does not name the server.
pub async fn find(run: &Run, name: &str) -> Result<Option<User>> {
    // No username has a colon, and none begins with an @.
    let localpart = if name.starts_with('@') || name.contains(':') {
        &localpart(name, &run.server_name()?)?
    } else {
        name
    };
    run.read(async |store| storage::users::user_by_name(store, localpart).await)
        .await
}

/// Gets a user by name or MXID.
///
/// # Errors
/// `user.not_found`, and those of [`find`].
pub async fn get(run: &Run, name: &str) -> Result<User> {
    find(run, name).await?.ok_or_else(|| not_found(name))
}

/// The id of the user of this name, if there is a name: what a list is narrowed to.
///
/// # Errors
/// As of [`get`].
pub(in crate::operations) async fn named(run: &Run, name: Option<&str>) -> Result<Option<Id>> {
    match name {
        Some(name) => Ok(Some(get(run, name).await?.id)),
        None => Ok(None),
    }
}

/// Gets a user by id.
///
/// # Errors
/// `user.not_found`.
pub async fn by_id(run: &Run, id: Id) -> Result<User> {
    let found = run
        .read(async |store| storage::users::user_by_id(store, id).await)
        .await?;
    found.ok_or_else(|| Error::new(Code::UserNotFound, format!("No user has the id {id}")).data("id", id.to_string()))
}

/// Finds the user who has an e-mail address, in whatever case.
///
/// # Errors
/// `email.ambiguous` if several have it, with their names.
pub async fn find_by_email(run: &Run, address: &str) -> Result<Option<User>> {
    let mut owners = emails::first_owners(run, address).await?;
    if owners.len() <= 1 {
        return Ok(owners.pop());
    }
    Err(emails::ambiguous(address, &owners)
        .help("Name the user by username or id. MAS lets none of them log in by this address."))
}

/// Gets the user who has an e-mail address, in whatever case.
///
/// # Errors
/// `user.not_found`, `email.ambiguous`.
pub async fn by_email(run: &Run, address: &str) -> Result<User> {
    find_by_email(run, address).await?.ok_or_else(|| {
        Error::new(Code::UserNotFound, format!("No user has the e-mail address {address}")).data("email", address)
    })
}

/// Makes sure that a filter names a provider and a client that there are (nobody is linked to another one, and everybody
/// is not), and what can be the domain of an address.
///
/// # Errors
/// `client.not_found`, `provider.not_found`, `value.invalid`.
pub async fn check(run: &Run, filter: &Filter) -> Result<()> {
    if let Some(domain) = &filter.email_domain {
        emails::check_domain(domain)?;
    }
    if let Some(provider) = filter.provider {
        providers::get(run, provider).await?;
    }
    if let Some(client) = filter.client {
        clients::get(run, client).await?;
    }
    Ok(())
}

/// One page of at most `most` of the users that fit, those after `after` (the first if there is none), ordered by id.
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, after: Option<Id>, most: u64) -> Result<Vec<User>> {
    let after = after.unwrap_or(Id::least());
    run.read(async |store| storage::users::user_page(store, filter, after, most.min(PAGE)).await)
        .await
}

/// How many users fit.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter) -> Result<i64> {
    run.read(async |store| storage::users::user_count(store, filter).await)
        .await
}
