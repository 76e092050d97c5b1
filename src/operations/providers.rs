//! Upstream providers, which MAS's configuration owns: they are only read.

use super::Run;
use crate::{
    error::{Code, Error, Result},
    model::{Id, Provider},
    storage::{self, PAGE, providers::Filter},
};

/// Gets a provider, also a disabled one.
///
/// # Errors
/// `provider.not_found`.
pub async fn get(run: &Run, id: Id) -> Result<Provider> {
    let found = run
        .read(async |store| storage::providers::provider(store, id).await)
        .await?;
    found.ok_or_else(|| {
        Error::new(Code::ProviderNotFound, format!("There is no upstream provider {id}"))
            .help("`masctl manage list-providers` shows them; the `upstream_oauth2` section of MAS's configuration defines them.")
            .data("provider", id.to_string())
    })
}

/// Gets a provider that can be used.
///
/// # Errors
/// `provider.not_found`, `provider.disabled`.
pub async fn enabled(run: &Run, id: Id) -> Result<Provider> {
    let provider = get(run, id).await?;
    if provider.disabled_at.is_some() {
        return Err(Error::new(
            Code::ProviderDisabled,
            format!("The upstream provider {id} is disabled"),
        )
        .data("provider", id.to_string()));
    }
    Ok(provider)
}

/// The providers that can be used, in the order that MAS shows them.
///
/// # Errors
/// Those of the store.
pub async fn all_enabled(run: &Run) -> Result<Vec<Provider>> {
    run.read(async |store| storage::providers::enabled_providers(store).await)
        .await
}

/// One page of at most `most` of the providers that fit, those after `after` (the first if there is none), ordered by
/// id.
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, after: Option<Id>, most: u64) -> Result<Vec<Provider>> {
    let after = after.unwrap_or(Id::least());
    run.read(async |store| storage::providers::provider_page(store, filter, after, most.min(PAGE)).await)
        .await
}

/// How many providers fit.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter) -> Result<i64> {
    run.read(async |store| storage::providers::provider_count(store, filter).await)
        .await
}
