//! Upstream providers, which MAS's configuration owns: they are only read.

use super::Run;
use crate::{
    error::{Code, Error, Result},
    model::{Id, Provider},
    storage,
};

/// Gets a provider, also a disabled one.
///
/// # Errors
/// `provider.not_found`.
pub async fn get(run: &Run, id: Id) -> Result<Provider> {
    let found = run
        .read(async |store| storage::links::provider(store, id).await)
        .await?;
    found.ok_or_else(|| {
        Error::new(Code::ProviderNotFound, format!("There is no upstream provider {id}"))
            .help("The `upstream_oauth2` section of MAS's configuration defines them.")
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
pub async fn list(run: &Run) -> Result<Vec<Provider>> {
    run.read(async |store| storage::links::enabled_providers(store).await)
        .await
}
