//! E-mail addresses of accounts.

use super::{Action, Change, Run, jobs::NewJob, users};
use crate::{
    error::{Code, Error, Result},
    model::{Email, User, check_email},
    storage,
};

pub(super) const ADD: Action = Action::new("email.add", "Added", "add");

/// Gets an address of a user.
///
/// # Errors
/// `email.not_found`.
pub async fn get(run: &Run, user: &User, address: &str) -> Result<Email> {
    let found = run
        .read(async |store| storage::emails::email_of_user(store, user.id, address).await)
        .await?;
    found.ok_or_else(|| {
        Error::new(
            Code::EmailNotFound,
            format!("{} has no e-mail address {address}", user.username),
        )
        .data("email", address)
    })
}

/// Makes sure that a text is an e-mail address.
///
/// # Errors
/// `email.invalid`.
pub fn check(address: &str) -> Result<()> {
    check_email(address)
        .map_err(|why| Error::new(Code::EmailInvalid, format!("`{address}` {why}")).data("email", address))
}

/// Adds an address to a user, and has the homeserver told. An address that the user has already is left as it is.
///
/// # Errors
/// `email.invalid`; `email.taken` if another user has the address and `allow_duplicate` is not set; `user.not_found`.
pub async fn add(run: &Run, user: &User, address: &str, allow_duplicate: bool) -> Result<Email> {
    check(address)?;
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        if let Some(email) = storage::emails::email_of_user(deed.store(), user.id, address).await? {
            deed.note(format!("{} has {} already", user.username, email.email));
            return Ok(email);
        }
        if !allow_duplicate && let Some(owner) = storage::emails::email_other_owner(deed.store(), user.id, address).await? {
            return Err(Error::new(Code::EmailTaken, format!("{address} belongs to {owner}"))
                .help("Two accounts with one address can no longer log in by e-mail; --allow-duplicate adds it all the same.")
                .data("email", address)
                .data("owner", owner));
        }
        let (now, id) = deed.new_row();
        let email = storage::emails::email_add(deed.store(), id, user.id, address, now).await?;
        deed.changed(
            Change::of(ADD, (&email).into()).said(format!("{address} to {}", user.username)).after("email", address),
        );
        deed.queue(NewJob::provision_user(user.id, None)).await?;
        Ok(email)
    })
    .await
}
