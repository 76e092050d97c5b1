//! `providers::`: look up upstream providers.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{ArrayOf, Scripted, call, expose, id_of, lazy::Lazy, options::Options, run_of};
use crate::{
    capability::{Capability, Resource},
    error::Result,
    model::Provider,
    operations,
    storage::providers::Filter,
};

const READ: Capability = Capability::read(Resource::Providers);

pub(super) type Providers = Lazy<Provider>;

pub(super) fn module() -> Module {
    let mut module = exported_module!(providers);
    expose::<Provider>(&mut module);
    module.set_iterable_result::<Providers, Provider>();
    module
}

/// What a filter is made of.
const PARTS: &[&str] = &["enabled"];

/// Which providers are meant.
fn filter(options: &mut Options) -> Result<Filter> {
    Ok(Filter {
        enabled: options.bool("enabled")?,
    })
}

#[export_module]
mod providers {
    /// An upstream provider.
    pub type Provider = crate::model::Provider;

    /// Get an upstream provider by its id, also a disabled one.
    ///
    /// Needs `providers:read`. Fails with `provider.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(providers::get("01HV0000000000000000000001").issuer);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<Provider> {
        call(&context, READ, |run| {
            run.wait(operations::providers::get(run, id_of(id)?))
        })
    }

    /// List the enabled upstream providers in the order that MAS shows them.
    ///
    /// Needs `providers:read`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// for provider in providers::list() { say(provider.id); }
    /// ```
    #[rhai_fn(return_raw, name = "list")]
    pub fn list(context: NativeCallContext) -> Scripted<ArrayOf<Provider>> {
        let list = call(&context, READ, |run| run.wait(operations::providers::all_enabled(run)))?;
        Ok(list.into_iter().map(Dynamic::from).collect())
    }

    /// List upstream providers, the least id first. The option `enabled` keeps only those that can be used, or only
    /// others; `limit` how many there are at most.
    ///
    /// The list is read page by page while it is walked.
    ///
    /// Needs `providers:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// for provider in providers::list(#{ enabled: false }) { say(`${provider.id} is disabled`); }
    /// ```
    #[rhai_fn(return_raw, name = "list")]
    pub fn list_with(context: NativeCallContext, options: Map) -> Scripted<Providers> {
        let (filter, limit) = call(&context, READ, |_| {
            let (mut options, limit) = Options::of_list(options, PARTS)?;
            Ok((super::filter(&mut options)?, limit))
        })?;
        let run = run_of(&context)?;
        Ok(Providers::new(run, limit, move |run, last, most| {
            run.wait(operations::providers::page(
                run,
                &filter,
                last.map(|provider: &Provider| provider.id),
                most,
            ))
        }))
    }

    /// Count upstream providers. Takes the options of `list` but `limit`.
    ///
    /// Needs `providers:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// say(providers::count(#{ enabled: true }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let filter = super::filter(&mut Options::new(options, PARTS)?)?;
            run.wait(operations::providers::count(run, &filter))
        })
    }
}
