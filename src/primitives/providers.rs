//! `providers::`: look up upstream providers.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Array, Dynamic, Module, NativeCallContext};

use super::{Scripted, call, expose, id_of};
use crate::{
    capability::{Capability, Resource},
    operations,
};

const READ: Capability = Capability::read(Resource::Providers);

pub(super) fn module() -> Module {
    let mut module = exported_module!(providers);
    expose::<crate::model::Provider>(&mut module);
    module
}

#[export_module]
mod providers {
    /// An upstream provider.
    pub type Provider = crate::model::Provider;

    /// Get an enabled upstream provider by its id.
    ///
    /// Needs `providers:read`. Fails with `provider.not_found`, `provider.disabled`, `value.invalid`.
    ///
    /// ```rhai
    /// say(providers::get("01HV0000000000000000000001").issuer);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<Provider> {
        call(&context, READ, |run| {
            run.wait(operations::providers::enabled(run, id_of(id)?))
        })
    }

    /// List the enabled upstream providers in the order that MAS shows them.
    ///
    /// Needs `providers:read`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// for provider in providers::list() { say(provider.id); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext) -> Scripted<Array> {
        let list = call(&context, READ, |run| run.wait(operations::providers::list(run)))?;
        Ok(list.into_iter().map(Dynamic::from).collect())
    }
}
