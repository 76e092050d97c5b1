//! Registering an account with everything that belongs to it, in one deed.

use secrecy::SecretString;

use super::{
    Action, Change, Deed, Run,
    emails::ADD as ADD_EMAIL,
    jobs::NewJob,
    links::{self, NewLink},
    passwords, providers, users,
};
use crate::{
    error::{Code, Error, Result},
    model::{Id, User},
    storage,
};

const REGISTER: Action = Action::new("user.register", "Registered", "register");

/// A new account.
#[derive(Debug, Default)]
pub struct Registration {
    /// Its localpart.
    pub username: String,
    /// Its password, if it gets one.
    pub password: Option<SecretString>,
    /// Whether a weak password is accepted.
    pub ignore_complexity: bool,
    /// Its e-mail addresses, which count as verified.
    pub emails: Vec<String>,
    /// Its links to upstream accounts: provider and subject.
    pub links: Vec<(Id, String)>,
    /// Whether it may ask for administrator scopes.
    pub admin: bool,
    /// What the homeserver shows as its name.
    pub display_name: Option<String>,
    /// Whether an account that the homeserver has by this name already becomes this user's.
    pub skip_homeserver_check: bool,
}

/// Registers an account, and queues the job that makes it known to the homeserver.
///
/// # Errors
/// `user.exists`, `username.invalid`, `username.unavailable`, `password.weak`, `provider.not_found`,
/// `provider.disabled`, `link.taken`, `value.invalid` for a subject that is too long.
pub async fn register(run: &Run, new: Registration) -> Result<User> {
    if new.username.is_empty() {
        return Err(Error::new(Code::UsernameInvalid, "A username cannot be empty"));
    }
    let hashing = new
        .password
        .as_ref()
        .map(|password| passwords::start_hash(run, password));
    let hashing = hashing.transpose()?;
    if let Some(password) = &new.password
        && !new.ignore_complexity
    {
        passwords::check(run, password)?;
    }
    if new.skip_homeserver_check {
        users::check_adoptable(run, &new.username).await?;
    } else {
        users::check_available(run, &new.username).await?;
    }
    for (provider, _) in &new.links {
        providers::enabled(run, *provider).await?;
    }
    let password = match hashing {
        Some(hashing) => Some(hashing.finish(run).await?),
        None => None,
    };
    run.write(async |deed| {
        let user = add_user(deed, &new).await?;
        if let Some(password) = &password {
            passwords::add(deed, &user, password).await?;
        }
        add_emails(deed, &user, &new.emails).await?;
        for (at, link) in new.links.iter().enumerate() {
            // Given twice, a link is still one.
            if !new.links[..at].contains(link) {
                links::add_to(deed, &user, &wish(link)).await?;
            }
        }
        deed.queue(NewJob::provision_user(user.id, new.display_name.as_deref()))
            .await?;
        Ok(user)
    })
    .await
}

async fn add_user(deed: &mut Deed<'_>, new: &Registration) -> Result<User> {
    let (now, id) = deed.new_row();
    let added = storage::users::user_add(deed.store(), id, &new.username, now).await?;
    let mut user = added.ok_or_else(|| users::exists(&new.username))?;
    if new.admin {
        user = storage::users::user_set_admin(deed.store(), id, true)
            .await?
            .unwrap_or(user);
    }
    let mut change = Change::of(REGISTER, (&user).into())
        .after("username", &user.username)
        .after("created_at", user.created_at)
        .after("admin", user.admin);
    if let Some(name) = &new.display_name {
        change = change.after("display_name", name);
    }
    deed.changed(change);
    Ok(user)
}

async fn add_emails(deed: &mut Deed<'_>, user: &User, addresses: &[String]) -> Result<()> {
    for address in addresses {
        let (now, id) = deed.new_row();
        let email = storage::emails::email_add(deed.store(), id, user.id, address, now).await?;
        deed.changed(
            Change::of(ADD_EMAIL, (&email).into())
                .said(format!("{address} to {}", user.username))
                .after("email", address),
        );
    }
    Ok(())
}

fn wish((provider, subject): &(Id, String)) -> NewLink {
    NewLink {
        provider: *provider,
        subject: subject.clone(),
        human_account_name: None,
        moving: false,
    }
}
