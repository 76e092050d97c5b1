//! `clients::`: look up OAuth 2.0 clients.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Map, Module, NativeCallContext};

use super::{Scripted, call, expose, id_of, lazy::Lazy, options::Options, run_of};
use crate::{
    capability::{Capability, Resource},
    error::Result,
    model::{Client, ClientKind},
    operations,
    storage::clients::Filter,
};

const READ: Capability = Capability::read(Resource::Clients);

pub(super) type Clients = Lazy<Client>;

pub(super) fn module() -> Module {
    let mut module = exported_module!(clients);
    expose::<Client>(&mut module);
    module.set_iterable_result::<Clients, Client>();
    module
}

/// What a filter is made of.
const PARTS: &[&str] = &["search", "kind"];

/// Which clients are meant.
fn filter(options: &mut Options) -> Result<Filter> {
    Ok(Filter {
        search: options.text("search")?,
        kind: options.one_of("kind", &ClientKind::ALL.map(|kind| (kind.as_str(), kind)))?,
    })
}

#[export_module]
mod clients {
    /// An OAuth 2.0 client, without its secret.
    pub type Client = crate::model::Client;

    /// List OAuth 2.0 clients, oldest first.
    ///
    /// Options: `search`, a part of the name or of the home page in whatever case; `kind`, `static` for those of MAS's
    /// configuration or `dynamic` for those that have registered themselves; `limit`. The list is read page by page
    /// while it is walked.
    ///
    /// Needs `clients:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// for client in clients::list(#{ search: "element" }) { say(`${client.id}: ${client.name}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, options: Map) -> Scripted<Clients> {
        let (filter, limit) = call(&context, READ, |_| {
            let (mut options, limit) = Options::of_list(options, PARTS)?;
            Ok((super::filter(&mut options)?, limit))
        })?;
        let run = run_of(&context)?;
        Ok(Clients::new(run, limit, move |run, last, most| {
            run.wait(operations::clients::page(
                run,
                &filter,
                last.map(|client: &Client| client.id),
                most,
            ))
        }))
    }

    /// Count OAuth 2.0 clients. Takes the options of `list` but `limit`.
    ///
    /// Needs `clients:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// say(clients::count(#{ kind: "static" }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let filter = super::filter(&mut Options::new(options, PARTS)?)?;
            run.wait(operations::clients::count(run, &filter))
        })
    }

    /// Get an OAuth 2.0 client by its id.
    ///
    /// Needs `clients:read`. Fails with `client.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(clients::get("01HV0000000000000000000C08").name);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<Client> {
        call(&context, READ, |run| {
            run.wait(operations::clients::get(run, id_of(id)?))
        })
    }
}
