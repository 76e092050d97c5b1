//! E-mail addresses of accounts.

use super::{Action, Change, Deed, Run, jobs::NewJob, users};
use crate::{
    error::{Code, Error, Result, listed, shortened},
    model::{Email, Id, User, check_email},
    storage::{self, Connection, PAGE, emails::Filter},
};

pub(super) const ADD: Action = Action::new("email.add", "Added", "add");
const REMOVE: Action = Action::new("email.remove", "Removed", "remove");
const MOVE: Action = Action::new("email.move", "Moved", "move");

/// How long a domain may be: that is the limit of names in DNS.
const DOMAIN_LIMIT: usize = 255;

/// How many owners of one address an error names.
const MOST_OWNERS: usize = 20;

/// The filter for those of the account of this name, if there is one, that fit the rest of the filter.
///
/// # Errors
/// `user.not_found`; `value.invalid` for what is no domain.
pub async fn filter(run: &Run, user: Option<&str>, rest: Filter) -> Result<Filter> {
    if let Some(domain) = &rest.domain {
        check_domain(domain)?;
    }
    let user = users::named(run, user).await?;
    Ok(Filter { user, ..rest })
}

/// Refuses what is not the domain of any address.
pub(super) fn check_domain(domain: &str) -> Result<()> {
    let is_foreign = |character: char| character == '@' || character.is_whitespace() || character.is_control();
    if !domain.is_empty() && domain.len() <= DOMAIN_LIMIT && !domain.contains(is_foreign) {
        return Ok(());
    }
    let shown = shortened(domain, 80);
    Err(Error::new(
        Code::ValueInvalid,
        format!("`{shown}` is not the domain of e-mail addresses"),
    )
    .help("Write what follows the `@`: `example.com`."))
}

/// One page of at most `most` of the addresses that fit, those after `after` (the first if there is none), ordered by
/// id, with the names of their owners.
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, after: Option<Id>, most: u64) -> Result<Vec<Email>> {
    let after = after.unwrap_or(Id::least());
    run.read(async |store| {
        let mut emails = storage::emails::email_page(store, filter, after, most.min(PAGE)).await?;
        name_users(store, &mut emails).await?;
        Ok(emails)
    })
    .await
}

/// How many addresses fit.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter) -> Result<i64> {
    run.read(async |store| storage::emails::email_count(store, filter).await)
        .await
}

/// One page of at most `most` of the addresses that are there more than once, without regard to case: those after
/// `after` (the first if there is none). What is the same address stands together, the oldest first.
///
/// # Errors
/// Those of the store.
pub async fn duplicates(run: &Run, after: Option<&Email>, most: u64) -> Result<Vec<Email>> {
    let after = after.map(|email| (email.email.as_str(), email.id));
    run.read(async |store| {
        let mut emails = storage::emails::email_duplicate_page(store, after, most.min(PAGE)).await?;
        name_users(store, &mut emails).await?;
        Ok(emails)
    })
    .await
}

/// How many there are of what [`duplicates`] lists.
///
/// # Errors
/// Those of the store.
pub async fn duplicate_count(run: &Run) -> Result<i64> {
    run.read(async |store| storage::emails::email_duplicate_count(store).await)
        .await
}

/// One page of at most `most` of the users who have an address, in whatever case: those after `after` (the first if
/// there is none), ordered by id.
///
/// # Errors
/// Those of the store.
pub async fn owners(run: &Run, address: &str, after: Option<Id>, most: u64) -> Result<Vec<User>> {
    let after = after.unwrap_or(Id::least());
    run.read(async |store| storage::emails::email_owner_page(store, address, after, most.min(PAGE)).await)
        .await
}

/// Finds an address, whoever has it; the oldest if one user has it several times.
///
/// # Errors
/// `email.ambiguous` if several users have it.
pub async fn find(run: &Run, address: &str) -> Result<Option<Email>> {
    let owners = first_owners(run, address).await?;
    match owners.as_slice() {
        [] => Ok(None),
        [owner] => find_of(run, owner, address).await,
        several => Err(ambiguous(address, several).help(
            "Say whose is meant: move-email does so with --from. MAS finds nobody by this address until only one has it.",
        )),
    }
}

/// The owners of an address, as many as [`ambiguous`] has a use for.
pub(super) async fn first_owners(run: &Run, address: &str) -> Result<Vec<User>> {
    owners(run, address, None, MOST_OWNERS as u64 + 1).await
}

/// An address is that of several users.
pub(super) fn ambiguous(address: &str, owners: &[User]) -> Error {
    let names: Vec<&str> = owners.iter().map(|owner| owner.username.as_str()).collect();
    let (names, others) = names.split_at(names.len().min(MOST_OWNERS));
    let shown = if others.is_empty() {
        listed(names)
    } else {
        format!("{} and others", names.join(", "))
    };
    Error::new(
        Code::EmailAmbiguous,
        format!("{address} belongs to several users: {shown}"),
    )
    .data("email", address)
    .data("usernames", names)
}

/// Gets an address, whoever has it.
///
/// # Errors
/// `email.not_found`; `email.ambiguous` if several users have it.
pub async fn get(run: &Run, address: &str) -> Result<Email> {
    find(run, address).await?.ok_or_else(|| {
        Error::new(Code::EmailNotFound, format!("Nobody has the e-mail address {address}")).data("email", address)
    })
}

/// Finds an address of a user; the oldest if it is there several times.
///
/// # Errors
/// Those of the store.
pub async fn find_of(run: &Run, user: &User, address: &str) -> Result<Option<Email>> {
    let found = run
        .read(async |store| storage::emails::email_of_user(store, user.id, address).await)
        .await?;
    Ok(found.map(|email| of(email, user)))
}

/// Gets an address of a user.
///
/// # Errors
/// `email.not_found`.
pub async fn get_of(run: &Run, user: &User, address: &str) -> Result<Email> {
    let found = find_of(run, user, address).await?;
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
            return Ok(of(email, &user));
        }
        if !allow_duplicate
            && let Some(owner) = storage::emails::email_other_owner(deed.store(), user.id, address).await?
        {
            return Err(taken(address, &owner).help(
                "Two accounts with one address can no longer log in by e-mail; --allow-duplicate adds it all the same.",
            ));
        }
        let (now, id) = deed.new_row();
        let email = storage::emails::email_add(deed.store(), id, user.id, address, now).await?;
        deed.changed(
            Change::of(ADD, (&email).into())
                .said(format!("{address} to {}", user.username))
                .after("email", address),
        );
        deed.queue(NewJob::provision_user(user.id, None)).await?;
        Ok(of(email, &user))
    })
    .await
}

/// Removes an address from its user, and has the homeserver told. Pending recoveries of a password by this address end.
/// The same address in another case, if the user has it too, stays.
///
/// # Errors
/// `user.not_found`.
pub async fn remove(run: &Run, email: &Email) -> Result<()> {
    run.write(async |deed| {
        let user = owner(deed, email).await?;
        match storage::emails::email_remove(deed.store(), email.id).await? {
            Some(removed) => {
                deed.changed(removal(&removed, &user));
                deed.queue(NewJob::provision_user(user.id, None)).await?;
            }
            None => deed.note(format!("{} is removed from {} already", email.email, user.username)),
        }
        Ok(())
    })
    .await
}

/// Removes an address from a user, however often the user has it and in whatever case, and has the homeserver told.
/// Pending recoveries of a password by this address end. Returns how many rows there were.
///
/// # Errors
/// `user.not_found`.
pub async fn remove_of(run: &Run, user: &User, address: &str) -> Result<u64> {
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        let removed = storage::emails::email_remove_all(deed.store(), user.id, address, None).await?;
        if removed.is_empty() {
            deed.note(format!("{} has no e-mail address {address}", user.username));
        } else {
            for email in &removed {
                deed.changed(removal(email, &user));
            }
            deed.queue(NewJob::provision_user(user.id, None)).await?;
        }
        Ok(removed.len() as u64)
    })
    .await
}

/// Gives an address of one user to another, so that it is the only one who has it: rows of these two that hold the same
/// address are removed, in whatever case. Has the homeserver told of both. A row that moves is a new one: a pending
/// recovery of the one user's password must not become the other's.
///
/// # Errors
/// `email.not_found` if its user does not have it any more; `email.taken` if a third user has it; `user.not_found`.
pub async fn move_to(run: &Run, email: &Email, to: &User) -> Result<Email> {
    let address = email.email.as_str();
    run.write(async |deed| {
        let (from, to) = current_both(deed, email, to).await?;
        refuse_third_owner(deed, address, [&from, &to]).await?;
        let kept = storage::emails::email_of_user(deed.store(), to.id, address).await?;
        let except = kept.as_ref().map(|email| email.id);
        let removed = storage::emails::email_remove_all(deed.store(), from.id, address, except).await?;
        let (moved, others) = match (kept, removed.as_slice()) {
            (Some(kept), others) => {
                deed.note(format!("{} has {} already", to.username, kept.email));
                (kept, others)
            }
            (None, [old, others @ ..]) => (transfer(deed, old, [&from, &to]).await?, others),
            (None, []) => {
                let gone = format!("{} has no e-mail address {address} any more", from.username);
                return Err(Error::new(Code::EmailNotFound, gone).data("email", address));
            }
        };
        for email in others {
            deed.changed(removal(email, &from));
        }
        if !removed.is_empty() {
            deed.queue(NewJob::provision_user(from.id, None)).await?;
            if from.id != to.id {
                deed.queue(NewJob::provision_user(to.id, None)).await?;
            }
        }
        Ok(of(moved, &to))
    })
    .await
}

async fn transfer(deed: &mut Deed<'_>, old: &Email, [from, to]: [&User; 2]) -> Result<Email> {
    let (now, id) = deed.new_row();
    let new = storage::emails::email_add(deed.store(), id, to.id, &old.email, now).await?;
    deed.changed(
        Change::of(MOVE, (&new).into())
            .said(format!("{} from {} to {}", new.email, from.username, to.username))
            .before("id", old.id)
            .before("user_id", old.user_id)
            .after("id", new.id)
            .after("user_id", new.user_id),
    );
    Ok(new)
}

async fn refuse_third_owner(deed: &mut Deed<'_>, address: &str, [from, to]: [&User; 2]) -> Result<()> {
    // Of three owners one is neither of the two, however many there are.
    let owners = storage::emails::email_owner_page(deed.store(), address, Id::least(), 3).await?;
    match owners.iter().find(|owner| owner.id != from.id && owner.id != to.id) {
        Some(third) => Err(taken(address, &third.username)
            .help("Two accounts with one address cannot log in by e-mail. Remove it from the other one first.")),
        None => Ok(()),
    }
}

/// The owner of an address, and the user who is to have it, both kept from being changed by others: in the order of
/// their ids, so that two moves never wait for each other.
async fn current_both(deed: &mut Deed<'_>, email: &Email, to: &User) -> Result<(User, User)> {
    if email.user_id <= to.id {
        let from = owner(deed, email).await?;
        let to = users::current(deed, to).await?;
        Ok((from, to))
    } else {
        let to = users::current(deed, to).await?;
        let from = owner(deed, email).await?;
        Ok((from, to))
    }
}

/// The owner of an address as it is now, kept from being changed by others until the transaction ends.
async fn owner(deed: &mut Deed<'_>, email: &Email) -> Result<User> {
    storage::users::user_for_change(deed.store(), email.user_id)
        .await?
        .ok_or_else(|| users::not_found(email.user.as_deref().unwrap_or(&email.user_id.to_string())))
}

fn removal(email: &Email, user: &User) -> Change {
    Change::of(REMOVE, email.into())
        .said(format!("{} from {}", email.email, user.username))
        .before("email", &email.email)
        .before("user_id", email.user_id)
}

fn taken(address: &str, owner: &str) -> Error {
    Error::new(Code::EmailTaken, format!("{address} belongs to {owner}"))
        .data("email", address)
        .data("owner", owner)
}

fn of(email: Email, user: &User) -> Email {
    Email {
        user: Some(user.username.clone()),
        ..email
    }
}

async fn name_users(store: &mut Connection, emails: &mut [Email]) -> Result<()> {
    let names = storage::users::usernames(store, emails.iter().map(|email| email.user_id)).await?;
    for email in emails {
        email.user = names.get(&email.user_id).cloned();
    }
    Ok(())
}
