//! Everything about one account, as far as the run may read it.

use super::{Run, not_found};
use crate::{
    capability::{Capability, Resource},
    error::{Code, Result},
    model::{Activity, Address, Description, Email, Id, Link, Part, PasswordState, SessionKind, UpstreamAccount, User},
    password::algorithm_of,
    storage,
};

/// The statuses of jobs that are not over, and of those that failed and that nobody will try again.
const PENDING: [&str; 4] = ["available", "failed", "running", "scheduled"];

/// How many addresses and links a description has at most.
const MOST: u64 = 1000;

/// Describes a user as it is now: the account, and whatever belongs to it that the run may read.
///
/// # Errors
/// `user.not_found`; `config.invalid`.
pub async fn describe(run: &Run, user: &User) -> Result<Description> {
    let mxid = mxid(run, &user.username)?;
    let (user, terms) = run
        .read(async |store| {
            let user = storage::users::user_by_id(store, user.id)
                .await?
                .ok_or_else(|| not_found(&user.username))?;
            let terms = storage::users::user_terms(store, user.id).await?;
            Ok((user, terms))
        })
        .await?;
    let id = user.id;
    Ok(Description {
        mxid,
        emails: part(run, Resource::Emails, async || addresses(run, id).await).await?,
        third_party_ids: part(run, Resource::Emails, async || {
            run.read(async |store| storage::users::user_third_party_ids(store, id).await)
                .await
        })
        .await?,
        password: part(run, Resource::Passwords, async || password(run, id).await).await?,
        sessions: part(run, Resource::Sessions, async || activity(run, id).await).await?,
        links: part(run, Resource::Links, async || links(run, id).await).await?,
        terms,
        jobs: part(run, Resource::Jobs, async || {
            let counts = run
                .read(async |store| storage::users::user_jobs(store, id).await)
                .await?;
            let count = |status: &str| counts.iter().find(|row| row.status == status).map_or(0, |row| row.jobs);
            Ok(PENDING.into_iter().map(|status| (status, count(status))).collect())
        })
        .await?,
        user,
    })
}

/// What may be read.
async fn part<T>(run: &Run, resource: Resource, read: impl AsyncFnOnce() -> Result<T>) -> Result<Part<T>> {
    if run.allows(Capability::read(resource)) {
        read().await.map(Part::Read)
    } else {
        Ok(Part::Withheld)
    }
}

/// A configuration that does not name the server is no reason to say nothing.
fn mxid(run: &Run, username: &str) -> Result<Option<String>> {
    match run.server_name() {
        Ok(server) => Ok(Some(format!("@{username}:{server}"))),
        Err(error) if error.code() == Code::ConfigMissing => Ok(None),
        Err(error) => Err(error),
    }
}

async fn addresses(run: &Run, user: Id) -> Result<Vec<Address>> {
    let filter = storage::emails::Filter {
        user: Some(user),
        ..Default::default()
    };
    let emails = run
        .read(async |store| storage::emails::email_page(store, &filter, Id::least(), MOST).await)
        .await?;
    let address = |email: Email| Address {
        email: email.email,
        created_at: email.created_at,
    };
    Ok(emails.into_iter().map(address).collect())
}

async fn password(run: &Run, user: Id) -> Result<Option<PasswordState>> {
    let stored = run
        .read(async |store| storage::passwords::password_of_user(store, user).await)
        .await?;
    Ok(stored.map(|stored| PasswordState {
        created_at: stored.created_at,
        version: stored.version,
        algorithm: algorithm_of(&stored.hash),
        age_days: (run.world().now() - stored.created_at).num_days(),
    }))
}

async fn activity(run: &Run, user: Id) -> Result<Activity> {
    run.read(async |store| {
        let mut activity = Activity::default();
        for kind in SessionKind::ALL {
            let (active, last) = storage::users::user_activity(store, kind, user).await?;
            activity.active.insert(kind.as_str(), active);
            activity.last_active_at = activity.last_active_at.max(last);
        }
        Ok(activity)
    })
    .await
}

async fn links(run: &Run, user: Id) -> Result<Vec<UpstreamAccount>> {
    let filter = storage::links::Filter {
        user: Some(user),
        ..Default::default()
    };
    let names_providers = run.allows(Capability::read(Resource::Providers));
    let (links, names) = run
        .read(async |store| {
            let links = storage::links::link_page(store, &filter, None, MOST).await?;
            let providers = links.iter().filter(|_| names_providers).map(|link| link.provider_id);
            let names = storage::providers::provider_names(store, providers).await?;
            Ok((links, names))
        })
        .await?;
    let account = |link: Link| UpstreamAccount {
        id: link.id,
        provider: names.get(&link.provider_id).cloned().flatten(),
        provider_id: link.provider_id,
        subject: link.subject,
        human_account_name: link.human_account_name,
        created_at: link.created_at,
    };
    Ok(links.into_iter().map(account).collect())
}
