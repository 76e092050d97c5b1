//! Everything about one account, as far as the run may read it.

use std::collections::{HashMap, hash_map::Entry};

use super::{Run, not_found};
use crate::{
    capability::{Capability, Resource},
    error::{Code, Result},
    model::{Activity, Description, Id, Part, PasswordState, SessionKind, UpstreamAccount, User},
    storage,
};

/// The statuses of jobs that are not over, and of those that failed and that nobody will try again.
const PENDING: [&str; 4] = ["available", "failed", "running", "scheduled"];

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
        emails: part(run, Resource::Emails, async || {
            run.read(async |store| storage::users::user_addresses(store, id).await)
                .await
        })
        .await?,
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

async fn password(run: &Run, user: Id) -> Result<Option<PasswordState>> {
    let mut password = run
        .read(async |store| storage::users::user_password(store, user).await)
        .await?;
    if let Some(password) = &mut password {
        password.age_days = (run.world().now() - password.created_at).num_days();
    }
    Ok(password)
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
    let mut links = run
        .read(async |store| storage::users::user_links(store, user).await)
        .await?;
    if !run.allows(Capability::read(Resource::Providers)) {
        return Ok(links);
    }
    let mut names = HashMap::new();
    for link in &mut links {
        let name = match names.entry(link.provider_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let provider = run
                    .read(async |store| storage::providers::provider(store, link.provider_id).await)
                    .await?;
                unknown.insert(provider.and_then(|it| it.human_name.or(it.issuer)))
            }
        };
        link.provider.clone_from(name);
    }
    Ok(links)
}
