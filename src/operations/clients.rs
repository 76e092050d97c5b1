//! OAuth 2.0 clients, which MAS's configuration defines or which register themselves: they are only read.

use super::Run;
use crate::{
    error::{Code, Error, Result},
    model::{Client, Id},
    storage::{self, PAGE, clients::Filter},
};

/// Gets a client by its id.
///
/// # Errors
/// `client.not_found`.
pub async fn get(run: &Run, id: Id) -> Result<Client> {
    let found = run
        .read(async |store| storage::clients::client(store, id).await)
        .await?;
    found.ok_or_else(|| {
        Error::new(Code::ClientNotFound, format!("There is no OAuth 2.0 client {id}"))
            .help("`masctl manage list-clients` shows them.")
            .data("client", id.to_string())
    })
}

/// One page of at most `most` of the clients that fit, those after `after` (the first if there is none), ordered by id.
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, after: Option<Id>, most: u64) -> Result<Vec<Client>> {
    let after = after.unwrap_or(Id::least());
    run.read(async |store| storage::clients::client_page(store, filter, after, most.min(PAGE)).await)
        .await
}

/// How many clients fit.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter) -> Result<i64> {
    run.read(async |store| storage::clients::client_count(store, filter).await)
        .await
}
