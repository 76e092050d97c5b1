//! What the homeserver knows of users: asked before anything is written, since an answer can take a while.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Run;
use crate::{
    error::{Code, Error, Result},
    homeserver::{Account, Homeserver},
    model::localpart,
};

/// How many questions are under way at once: as few as MAS's worker has jobs at once.
const AT_ONCE: usize = 10;

/// Whether there is a homeserver.
///
/// # Errors
/// `config.missing`, `config.invalid`.
pub fn connected(run: &Run) -> Result<bool> {
    Ok(run.homeserver()?.connected())
}

/// Gets what the homeserver knows of a user, by localpart or MXID.
///
/// # Errors
/// `user.not_found`, and those of [`find`].
pub async fn get(run: &Run, name: &str) -> Result<Account> {
    find(run, name).await?.ok_or_else(|| {
        Error::new(
            Code::UserNotFound,
            format!("The homeserver has no user of this name: {name}"),
        )
        .data("username", name)
    })
}

/// Finds what the homeserver knows of a user, by localpart or MXID.
///
/// # Errors
/// `homeserver.unsupported` if there is none; `run.writing` once something was written; `user.foreign`, and those of
/// [`Homeserver::query_user`].
pub async fn find(run: &Run, name: &str) -> Result<Option<Account>> {
    let homeserver = askable(run)?;
    homeserver.query_user(&localpart(name, &run.server_name()?)?).await
}

/// Finds what the homeserver knows of many users, in the order of their names.
///
/// # Errors
/// As of [`find`]: the first that there is, and nobody is asked any more.
pub async fn find_all(run: &Run, names: &[String]) -> Result<Vec<Option<Account>>> {
    let (homeserver, server_name) = (askable(run)?, run.server_name()?);
    let localparts: Result<Vec<String>> = names.iter().map(|name| localpart(name, &server_name)).collect();
    let mut waiting = localparts?.into_iter().enumerate();
    let mut asked = JoinSet::new();
    let mut found = vec![None; names.len()];
    for done in 1_u64.. {
        while asked.len() < AT_ONCE
            && let Some((at, localpart)) = waiting.next()
        {
            let homeserver = homeserver.clone();
            asked.spawn(async move { (at, homeserver.query_user(&localpart).await) });
        }
        let Some(answer) = asked.join_next().await else { break };
        let (at, account) = answer.map_err(|_| Error::new(Code::Bug, "A question to the homeserver has crashed"))?;
        found[at] = account?;
        run.console()
            .progress("Asking the homeserver", done, Some(names.len() as u64));
    }
    Ok(found)
}

/// The homeserver, if it may be asked now.
fn askable(run: &Run) -> Result<Arc<dyn Homeserver>> {
    let homeserver = run.homeserver()?;
    if !homeserver.connected() {
        return Err(Error::new(
            Code::HomeserverUnsupported,
            "There is no homeserver to ask: this store stands alone",
        )
        .help("It has one once `matrix` of its configuration names a `secret` or `secret_file`."));
    }
    if run.is_writing() {
        return Err(Error::new(
            Code::RunWriting,
            "The homeserver cannot be asked while changes wait to be committed",
        )
        .help("Ask first, then change."));
    }
    Ok(homeserver)
}
