//! Links of accounts to accounts at upstream providers. MAS queues no job for them: the homeserver knows of none.

use std::collections::BTreeSet;

use super::{Action, Change, Deed, Run, Subject, providers, users};
use crate::{
    error::{Code, Error, Result},
    model::{Id, Link, User},
    storage::{self, Connection, PAGE, links::Filter},
};

const LINK: Action = Action::new("link.add", "Linked", "link");
const MOVE: Action = Action::new("link.move", "Moved", "move");
const RENAME: Action = Action::new("link.rename", "Renamed", "rename");
const REMOVE: Action = Action::new("link.remove", "Removed", "remove");

/// How often a link is looked for that another run makes at the same moment.
const ATTEMPTS: usize = 3;

/// How long a subject and the name of an account may be, in bytes: PostgreSQL's index takes no longer ones.
const TEXT_LIMIT: usize = 2000;

impl From<&Link> for Subject {
    fn from(link: &Link) -> Self {
        Self {
            kind: "link",
            id: Some(link.id),
            name: Some(link.subject.clone()),
        }
    }
}

/// The filter for those of the account of this name, if there is one, that fit the rest of the filter.
///
/// # Errors
/// `user.not_found`, `provider.not_found`.
pub async fn filter(run: &Run, user: Option<&str>, rest: Filter) -> Result<Filter> {
    let user = users::named(run, user).await?;
    if let Some(provider) = rest.provider {
        providers::get(run, provider).await?;
    }
    Ok(Filter { user, ..rest })
}

/// One page of at most `most` of the links that fit, those after `after` (the first if there is none).
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, after: Option<&Link>, most: u64) -> Result<Vec<Link>> {
    run.read(async |store| {
        let mut links = storage::links::link_page(store, filter, after, most.min(PAGE)).await?;
        give_names(store, &mut links).await?;
        Ok(links)
    })
    .await
}

/// How many links fit.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter) -> Result<i64> {
    run.read(async |store| storage::links::link_count(store, filter).await)
        .await
}

/// Gets a link by its id.
///
/// # Errors
/// `link.not_found`.
pub async fn get(run: &Run, id: Id) -> Result<Link> {
    run.read(async |store| {
        let link = storage::links::link(store, id).await?.ok_or_else(|| gone(id))?;
        named(store, link).await
    })
    .await
}

/// Finds the link to an account at a provider.
///
/// # Errors
/// Those of the store.
pub async fn find(run: &Run, provider: Id, subject: &str) -> Result<Option<Link>> {
    run.read(async |store| {
        let found = storage::links::link_by_subject(store, provider, subject).await?;
        match found {
            Some(link) => named(store, link).await.map(Some),
            None => Ok(None),
        }
    })
    .await
}

/// A wish for a link of a user.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The provider.
    pub provider: Id,
    /// Who the user is at the provider.
    pub subject: String,
    /// What people call the account there.
    pub human_account_name: Option<String>,
    /// Whether the link may be taken from another user.
    pub moving: bool,
}

impl NewLink {
    /// Refuses what the database would.
    fn check(&self) -> Result<()> {
        let texts = [
            ("subject of a link", Some(&self.subject)),
            ("name of an account at a provider", self.human_account_name.as_ref()),
        ];
        for (what, text) in texts.into_iter().filter_map(|(what, text)| Some((what, text?))) {
            if text.is_empty() || text.len() > TEXT_LIMIT || text.contains('\0') {
                let message = format!("The {what} must have 1 to {TEXT_LIMIT} bytes, and no zero byte");
                return Err(Error::new(Code::ValueInvalid, message));
            }
        }
        Ok(())
    }
}

/// Links a user to an account at a provider, also at a disabled one. An orphan is adopted; another user's link is taken
/// only if the wish says so. A link that the user has already gets the name of the account that the wish has.
///
/// # Errors
/// `link.taken`, `provider.not_found`, `user.not_found`, `value.invalid`.
pub async fn add(run: &Run, user: &User, wish: &NewLink) -> Result<Link> {
    let provider = providers::get(run, wish.provider).await?;
    run.write(async |deed| {
        let found = storage::links::link_by_subject(deed.store(), wish.provider, &wish.subject).await?;
        let user = locked(deed, user, found.and_then(|link| link.user_id)).await?;
        if provider.disabled_at.is_some() {
            deed.note(format!(
                "The upstream provider {} is disabled: nobody can log in through it",
                provider.id
            ));
        }
        let link = add_to(deed, &user, wish).await?;
        named(deed.store(), link).await
    })
    .await
}

/// As [`add`], of a user that nobody else can change.
pub(super) async fn add_to(deed: &mut Deed<'_>, user: &User, wish: &NewLink) -> Result<Link> {
    wish.check()?;
    let (created_at, id) = deed.new_row();
    let new = storage::links::NewLink {
        id,
        provider: wish.provider,
        subject: &wish.subject,
        human_account_name: wish.human_account_name.as_deref(),
        user: user.id,
        created_at,
    };
    for _ in 0..ATTEMPTS {
        let found = by_subject(deed, wish.provider, &wish.subject).await?;
        match found {
            Some(link) if link.user_id.is_some_and(|owner| owner == user.id || wish.moving) => {
                return reassign(deed, link, user, new.human_account_name).await;
            }
            Some(Link {
                user_id: Some(owner), ..
            }) => {
                let owner = name_of(deed.store(), owner).await?;
                return Err(taken(&wish.subject, wish.provider, &owner)
                    .help("`link-upstream --move` moves it to another account.")
                    .data("owner", owner));
            }
            orphan => {
                if let Some(link) = storage::links::link_claim(deed.store(), &new).await? {
                    record_claim(deed, orphan.as_ref(), &link, user);
                    return Ok(link);
                }
            }
        }
    }
    Err(taken(&wish.subject, wish.provider, "another user"))
}

/// Gives a link to another user. An orphan is adopted.
///
/// # Errors
/// `link.not_found`, `user.not_found`.
pub async fn move_to(run: &Run, link: &Link, user: &User) -> Result<Link> {
    run.write(async |deed| {
        let user = locked(deed, user, link.user_id).await?;
        let link = current(deed, link.id).await?;
        let link = reassign(deed, link, &user, None).await?;
        named(deed.store(), link).await
    })
    .await
}

/// Removes a link. The sessions that began with it go on; who logs in through the provider again starts anew.
///
/// # Errors
/// `link.not_found`.
pub async fn remove(run: &Run, link: &Link) -> Result<()> {
    run.write(async |deed| {
        let link = current(deed, link.id).await?;
        delete(deed, &link).await
    })
    .await
}

/// Removes the link of a user to an account at a provider. A user who has none is left so.
///
/// # Errors
/// `link.taken` if another user has it; `provider.not_found`; `user.not_found`.
pub async fn unlink(run: &Run, user: &User, provider: Id, subject: &str) -> Result<()> {
    providers::get(run, provider).await?;
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        match by_subject(deed, provider, subject).await? {
            Some(link) if link.user_id == Some(user.id) => delete(deed, &link).await,
            Some(Link {
                user_id: Some(owner), ..
            }) => {
                let owner = name_of(deed.store(), owner).await?;
                Err(taken(subject, provider, &format!("{owner}, not to {}", user.username)).data("owner", owner))
            }
            _ => {
                deed.note(format!(
                    "{} has no link to {subject} of provider {provider}",
                    user.username
                ));
                Ok(())
            }
        }
    })
    .await
}

/// Records that a link was made, or adopted if it was there before.
fn record_claim(deed: &mut Deed<'_>, before: Option<&Link>, link: &Link, user: &User) {
    let change = before.and_then(|before| Change::between(LINK, link.into(), before, link));
    let change = change.unwrap_or_else(|| {
        let change = Change::of(LINK, link.into()).after("user_id", user.id);
        match &link.human_account_name {
            Some(name) => change.after("human_account_name", name),
            None => change,
        }
    });
    deed.changed(
        change
            .said(format!("{} to {}", user.username, account(link)))
            .after("provider_id", link.provider_id)
            .after("subject", &link.subject),
    );
}

/// Gives a link to a user, and a name to the account that it is to if there is one.
async fn reassign(deed: &mut Deed<'_>, before: Link, user: &User, name: Option<&str>) -> Result<Link> {
    let is_named = name.is_none() || name == before.human_account_name.as_deref();
    if before.user_id == Some(user.id) && is_named {
        deed.note(format!("{} is linked to {} already", user.username, account(&before)));
        return Ok(before);
    }
    let assigned = storage::links::link_assign(deed.store(), before.id, user.id, name).await?;
    let after = assigned.ok_or_else(|| gone(before.id))?;
    let (action, sentence) = match before.user_id {
        None => {
            record_claim(deed, Some(&before), &after, user);
            return Ok(after);
        }
        Some(owner) if owner == user.id => {
            let name = after.human_account_name.as_deref().unwrap_or_default();
            (RENAME, format!("{} to {name}", account(&after)))
        }
        Some(owner) => {
            let owner = name_of(deed.store(), owner).await?;
            let to = &user.username;
            (MOVE, format!("the link to {} from {owner} to {to}", account(&after)))
        }
    };
    let change = Change::between(action, (&after).into(), &before, &after);
    deed.changed(change.map(|change| change.said(sentence)));
    Ok(after)
}

/// Removes a link, and first its name from the logins that had it.
async fn delete(deed: &mut Deed<'_>, link: &Link) -> Result<()> {
    let now = deed.run().world().now();
    let logins = storage::links::logins_unlink(deed.store(), link.id, now).await?;
    let removed = storage::links::link_remove(deed.store(), link.id).await?;
    let removed = removed.ok_or_else(|| gone(link.id))?;
    let owner = match removed.user_id {
        Some(owner) => format!("link of {}", name_of(deed.store(), owner).await?),
        None => "orphan link".to_owned(),
    };
    deed.changed(
        Change::of(REMOVE, (&removed).into())
            .said(format!("the {owner} to {}", account(&removed)))
            .before("provider_id", removed.provider_id)
            .before("user_id", removed.user_id)
            .before("subject", &removed.subject)
            .before("human_account_name", &removed.human_account_name)
            .before("created_at", removed.created_at)
            .before("logins", logins),
    );
    Ok(())
}

/// The user as it is now. It and the other one are kept from being changed until the transaction ends, the lesser id
/// first, so that two runs do not wait for each other.
async fn locked(deed: &mut Deed<'_>, user: &User, other: Option<Id>) -> Result<User> {
    let mut locked = None;
    for id in BTreeSet::from([user.id, other.unwrap_or(user.id)]) {
        let row = storage::users::user_for_change(deed.store(), id).await?;
        if id == user.id {
            locked = row;
        }
    }
    locked.ok_or_else(|| users::not_found(&user.username))
}

/// The link as it is now, kept from being changed by others until the transaction ends.
async fn current(deed: &mut Deed<'_>, id: Id) -> Result<Link> {
    let found = storage::links::link_for_change(deed.store(), id).await?;
    found.ok_or_else(|| gone(id))
}

/// The link to an account at a provider as it is now, kept from being changed by others until the transaction ends.
async fn by_subject(deed: &mut Deed<'_>, provider: Id, subject: &str) -> Result<Option<Link>> {
    match storage::links::link_by_subject(deed.store(), provider, subject).await? {
        Some(link) => storage::links::link_for_change(deed.store(), link.id).await,
        None => Ok(None),
    }
}

async fn named(store: &mut Connection, link: Link) -> Result<Link> {
    let mut links = [link];
    give_names(store, &mut links).await?;
    let [link] = links;
    Ok(link)
}

/// Looks the names of users and providers up, all at once.
async fn give_names(store: &mut Connection, links: &mut [Link]) -> Result<()> {
    let users = storage::users::usernames(store, links.iter().filter_map(|link| link.user_id)).await?;
    let providers = storage::providers::provider_names(store, links.iter().map(|link| link.provider_id)).await?;
    for link in links {
        link.user = link.user_id.and_then(|id| users.get(&id).cloned());
        link.provider = providers.get(&link.provider_id).cloned().flatten();
    }
    Ok(())
}

async fn name_of(store: &mut Connection, user: Id) -> Result<String> {
    let found = storage::users::user_by_id(store, user).await?;
    Ok(found.map_or_else(|| user.to_string(), |user| user.username))
}

/// How reports call the account that a link is to.
fn account(link: &Link) -> String {
    format!("{} of provider {}", link.subject, link.provider_id)
}

fn gone(id: Id) -> Error {
    Error::new(Code::LinkNotFound, format!("There is no link {id}")).data("link", id.to_string())
}

fn taken(subject: &str, provider: Id, whom: &str) -> Error {
    Error::new(
        Code::LinkTaken,
        format!("`{subject}` of provider {provider} is linked to {whom}"),
    )
    .data("provider", provider.to_string())
    .data("subject", subject)
}
