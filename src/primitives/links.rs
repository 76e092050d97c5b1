//! `links::`: look up the links of accounts to upstream providers; make, move and remove them.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{Perhaps, Scripted, call, expose, id_of, lazy::Lazy, options::Options, or_unit, run_of};
use crate::{
    capability::{Capability, Resource},
    error::Result,
    model::{Link, User},
    operations::{self, Run, links::NewLink},
    storage::links::Filter,
};

const READ: Capability = Capability::read(Resource::Links);
const WRITE: Capability = Capability::write(Resource::Links);

/// What a filter is made of.
const PARTS: &[&str] = &[
    "user",
    "provider",
    "subject",
    "orphan",
    "conflicting",
    "created_after",
    "created_before",
];

pub(super) type Links = Lazy<Link>;

pub(super) fn module() -> Module {
    let mut module = exported_module!(links);
    expose::<Link>(&mut module);
    module.set_iterable_result::<Links, Link>();
    module
}

/// Which links are meant. The account and the provider must be there.
fn filter(run: &Run, options: &mut Options) -> Result<Filter> {
    let user = options.text("user")?;
    let rest = Filter {
        user: None,
        provider: options.id("provider")?,
        subject: options.text("subject")?,
        orphan: options.bool("orphan")?,
        conflicting: options.bool("conflicting")?.unwrap_or_default(),
        created_after: options.time("created_after")?,
        created_before: options.time("created_before")?,
    };
    run.wait(operations::links::filter(run, user.as_deref(), rest))
}

fn lazy(context: &NativeCallContext, filter: Filter, limit: Option<u64>) -> Scripted<Links> {
    let run = run_of(context)?;
    Ok(Links::new(run, limit, move |run, last, most| {
        run.wait(operations::links::page(run, &filter, last, most))
    }))
}

fn link_with(
    context: &NativeCallContext,
    user: &User,
    (provider, subject): (&str, &str),
    options: Map,
) -> Scripted<Link> {
    call(context, WRITE, |run| {
        let mut options = Options::new(options, &["human_account_name", "move"])?;
        let wish = NewLink {
            provider: id_of(provider)?,
            subject: subject.to_owned(),
            human_account_name: options.text("human_account_name")?,
            moving: options.bool("move")?.unwrap_or_default(),
        };
        run.wait(operations::links::add(run, user, &wish))
    })
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod links {
    /// The link of an account to an account at an upstream provider.
    pub type Link = crate::model::Link;

    /// List links, oldest first.
    ///
    /// Options: `user`, the name of an account; `provider`, an id; `subject`, the account at the provider; `orphan` for
    /// those that are nobody's, or only others; `conflicting` for those of users who have several at one provider, which
    /// then stand together; `created_after`, `created_before`; `limit`. The list is read page by page while it is walked.
    ///
    /// Needs `links:read`. Fails with `provider.not_found`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// for link in links::list(#{ orphan: true }) { say(link.subject); }
    /// for link in links::list(#{ conflicting: true }) { say(`${link.user} is also ${link.subject}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, options: Map) -> Scripted<Links> {
        let (filter, limit) = call(&context, READ, |run| {
            let (mut options, limit) = Options::of_list(options, PARTS)?;
            Ok((super::filter(run, &mut options)?, limit))
        })?;
        super::lazy(&context, filter, limit)
    }

    /// Count links. Takes the options of `list` but `limit`.
    ///
    /// Needs `links:read`. Fails with `provider.not_found`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(links::count(#{ provider: "01HV0000000000000000000001" }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let filter = super::filter(run, &mut Options::new(options, PARTS)?)?;
            run.wait(operations::links::count(run, &filter))
        })
    }

    /// Get a link by its id.
    ///
    /// Needs `links:read`. Fails with `link.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(links::get("01HV00000000000000000000K1").subject);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<Link> {
        call(&context, READ, |run| run.wait(operations::links::get(run, id_of(id)?)))
    }

    /// Find the link to an account at a provider; `()` if there is none.
    ///
    /// Needs `links:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// let link = links::find("01HV0000000000000000000001", "alice-there");
    /// say(link.user);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find(context: NativeCallContext, provider: &str, subject: &str) -> Scripted<Perhaps<Link>> {
        let link = call(&context, READ, |run| {
            run.wait(operations::links::find(run, id_of(provider)?, subject))
        })?;
        Ok(or_unit(link.map(Dynamic::from)))
    }

    /// List the links of a user, oldest first.
    ///
    /// The list is read page by page while it is walked.
    ///
    /// Needs `links:read`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// for link in users::get("alice").links() { say(`${link.provider}: ${link.subject}`); }
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "links")]
    pub fn links_of(context: NativeCallContext, user: &mut User) -> Scripted<Links> {
        let filter = call(&context, READ, |_| {
            Ok(Filter {
                user: Some(user.id),
                ..Filter::default()
            })
        })?;
        super::lazy(&context, filter, None)
    }

    /// Link a user to an account at a provider. One that the user has already is left as it is.
    ///
    /// A link that is nobody's, left behind by a login that was never finished, is adopted.
    ///
    /// Needs `links:write`. Fails with `link.taken`, `provider.not_found`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("alice").link("01HV0000000000000000000001", "alice-at-work");
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "link")]
    pub fn link(context: NativeCallContext, user: &mut User, provider: &str, subject: &str) -> Scripted<Link> {
        super::link_with(&context, user, (provider, subject), Map::new())
    }

    /// Link a user to an account at a provider, with options.
    ///
    /// Options: `human_account_name`, what people call the account there, which a link that the user has already gets as
    /// well; `move`, which takes the link from another user who has it.
    ///
    /// Needs `links:write`. Fails with `link.taken`, `provider.not_found`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("bob").link("01HV0000000000000000000001", "alice-there", #{ move: true });
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "link")]
    pub fn link_options(
        context: NativeCallContext,
        user: &mut User,
        provider: &str,
        subject: &str,
        options: Map,
    ) -> Scripted<Link> {
        super::link_with(&context, user, (provider, subject), options)
    }

    /// Remove the link of a user to an account at a provider.
    ///
    /// Sessions that began with it go on. A user who has no such link is left so.
    ///
    /// Needs `links:write`. Fails with `link.taken`, `provider.not_found`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("alice").unlink("01HV0000000000000000000001", "alice-there");
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn unlink(context: NativeCallContext, user: &mut User, provider: &str, subject: &str) -> Scripted<()> {
        call(&context, WRITE, |run| {
            run.wait(operations::links::unlink(run, user, id_of(provider)?, subject))
        })
    }

    /// Give a link to another user, also one that is nobody's.
    ///
    /// Needs `links:write`. Fails with `link.not_found`, `user.not_found`.
    ///
    /// ```rhai
    /// links::get("01HV00000000000000000000K1").move_to(users::get("bob"));
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn move_to(context: NativeCallContext, link: &mut Link, user: User) -> Scripted<Link> {
        *link = call(&context, WRITE, |run| {
            run.wait(operations::links::move_to(run, link, &user))
        })?;
        Ok(link.clone())
    }

    /// Remove a link, also one that is nobody's. Sessions that began with it go on.
    ///
    /// Needs `links:write`. Fails with `link.not_found`.
    ///
    /// ```rhai
    /// links::get("01HV00000000000000000000K1").remove();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn remove(context: NativeCallContext, link: &mut Link) -> Scripted<()> {
        call(&context, WRITE, |run| run.wait(operations::links::remove(run, link)))
    }
}
