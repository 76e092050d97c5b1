//! `emails::`: look up, add, remove and move e-mail addresses of accounts.

use std::sync::Arc;

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{
    Perhaps, Scripted, call, call_freely, expose, lazy::Lazy, options::Options, or_unit, run_of, users::Users,
};
use crate::{
    capability::{Capability, Resource},
    error::Result,
    model::{Email, User},
    operations::{self, Run},
    storage::emails::Filter,
};

const READ: Capability = Capability::read(Resource::Emails);
const WRITE: Capability = Capability::write(Resource::Emails);

pub(super) fn module() -> Module {
    let mut module = exported_module!(emails);
    expose::<Email>(&mut module);
    module.set_iterable_result::<Emails, Email>();
    module
}

pub(super) type Emails = Lazy<Email>;

/// What a filter is made of.
const PARTS: &[&str] = &["user", "email", "domain"];

/// Which addresses are meant. The account must be there.
fn filter(run: &Run, options: &mut Options) -> Result<Filter> {
    let user = options.text("user")?;
    let rest = Filter {
        user: None,
        address: options.text("email")?,
        domain: options.text("domain")?,
    };
    run.wait(operations::emails::filter(run, user.as_deref(), rest))
}

fn listed(run: Arc<Run>, filter: Filter, limit: Option<u64>) -> Emails {
    Emails::new(run, limit, move |run, last: Option<&Email>, most| {
        run.wait(operations::emails::page(run, &filter, last.map(|email| email.id), most))
    })
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod emails {
    /// An e-mail address of an account.
    pub type Email = crate::model::Email;

    /// Get an e-mail address, whoever has it, in whatever case.
    ///
    /// Needs `emails:read`. Fails with `email.not_found`, `email.ambiguous` if several users have it.
    ///
    /// ```rhai
    /// say(emails::get("alice@example.com").user);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, address: &str) -> Scripted<Email> {
        call(&context, READ, |run| run.wait(operations::emails::get(run, address)))
    }

    /// Find an e-mail address, whoever has it, in whatever case; `()` if nobody has it.
    ///
    /// Needs `emails:read`. Fails with `email.ambiguous` if several users have it.
    ///
    /// ```rhai
    /// if emails::find("nobody@example.com") == () { say("it is free"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find(context: NativeCallContext, address: &str) -> Scripted<Perhaps<Email>> {
        let email = call(&context, READ, |run| run.wait(operations::emails::find(run, address)))?;
        Ok(or_unit(email.map(Dynamic::from)))
    }

    /// List the users who have an e-mail address, in whatever case, the oldest first. There may be several: MAS does not
    /// keep addresses unique.
    ///
    /// The list is read page by page while it is walked.
    ///
    /// Needs `emails:read`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// for user in emails::owners("alice@example.com") { say(user.username); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn owners(context: NativeCallContext, address: &str) -> Scripted<Users> {
        call(&context, READ, |_| Ok(()))?;
        let (run, address) = (run_of(&context)?, address.to_owned());
        Ok(Users::new(run, None, move |run, last: Option<&User>, most| {
            run.wait(operations::emails::owners(
                run,
                &address,
                last.map(|user| user.id),
                most,
            ))
        }))
    }

    /// List e-mail addresses, oldest first. The option `user` keeps only those of the account of this name, `email` only
    /// this address in whatever case, `domain` only those at this domain; `limit` how many there are at most.
    ///
    /// The list is read page by page while it is walked.
    ///
    /// Needs `emails:read`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// for email in emails::list(#{ domain: "example.com" }) { say(`${email.user} has ${email.email}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, options: Map) -> Scripted<Emails> {
        let (filter, limit) = call(&context, READ, |run| {
            let (mut options, limit) = Options::of_list(options, PARTS)?;
            Ok((super::filter(run, &mut options)?, limit))
        })?;
        Ok(super::listed(run_of(&context)?, filter, limit))
    }

    /// Count e-mail addresses. Takes the options of `list` but `limit`.
    ///
    /// Needs `emails:read`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(emails::count(#{ domain: "example.com" }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let filter = super::filter(run, &mut Options::new(options, PARTS)?)?;
            run.wait(operations::emails::count(run, &filter))
        })
    }

    /// List the e-mail addresses that are there more than once, on several accounts or on one, whatever their case. What
    /// is the same address stands together, the oldest first. The option `limit` says how many there are at most.
    ///
    /// MAS finds no account by such an address. The list is read page by page while it is walked.
    ///
    /// Needs `emails:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// for email in emails::duplicates(#{}) { say(`${email.email} is one of ${email.user}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn duplicates(context: NativeCallContext, options: Map) -> Scripted<Emails> {
        let (_, limit) = call(&context, READ, |_| Options::of_list(options, &[]))?;
        let run = run_of(&context)?;
        Ok(Emails::new(run, limit, move |run, last, most| {
            run.wait(operations::emails::duplicates(run, last, most))
        }))
    }

    /// Count what `duplicates` lists.
    ///
    /// Needs `emails:read`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// say(emails::count_duplicates());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count_duplicates(context: NativeCallContext) -> Scripted<i64> {
        call(&context, READ, |run| run.wait(operations::emails::duplicate_count(run)))
    }

    /// Make sure that a text is an e-mail address.
    ///
    /// Needs nothing. Fails with `email.invalid`.
    ///
    /// ```rhai
    /// emails::check("alice@example.com");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn check(context: NativeCallContext, address: &str) -> Scripted<()> {
        call_freely(&context, |_| operations::emails::check(address))
    }

    /// List the e-mail addresses of a user, oldest first.
    ///
    /// The list is read page by page while it is walked.
    ///
    /// Needs `emails:read`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// for email in users::get("alice").emails() { say(email.email); }
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "emails")]
    pub fn emails_of(context: NativeCallContext, user: &mut User) -> Scripted<Emails> {
        call(&context, READ, |_| Ok(()))?;
        let filter = Filter {
            user: Some(user.id),
            ..Filter::default()
        };
        Ok(super::listed(run_of(&context)?, filter, None))
    }

    /// Get an e-mail address of a user, in whatever case; the oldest if it is there several times.
    ///
    /// Needs `emails:read`. Fails with `email.not_found`.
    ///
    /// ```rhai
    /// say(users::get("alice").email("alice@example.com").id);
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn email(context: NativeCallContext, user: &mut User, address: &str) -> Scripted<Email> {
        call(&context, READ, |run| {
            run.wait(operations::emails::get_of(run, user, address))
        })
    }

    /// Find an e-mail address of a user, in whatever case; `()` if the user does not have it.
    ///
    /// Needs `emails:read`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// if users::get("bob").find_email("bob@example.com") == () { say("bob has another one"); }
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn find_email(context: NativeCallContext, user: &mut User, address: &str) -> Scripted<Perhaps<Email>> {
        let email = call(&context, READ, |run| {
            run.wait(operations::emails::find_of(run, user, address))
        })?;
        Ok(or_unit(email.map(Dynamic::from)))
    }

    /// Add an e-mail address to a user. It counts as verified. One that the user has already is left as it is.
    ///
    /// Needs `emails:write`. Fails with `email.invalid`, `email.taken`, `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").add_email("alice@example.org");
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "add_email")]
    pub fn add_email(context: NativeCallContext, user: &mut User, address: &str) -> Scripted<Email> {
        super::add_email_to(&context, user, address, Map::new())
    }

    /// Add an e-mail address to a user, also one that another user has if the option `allow_duplicate` is true.
    ///
    /// Needs `emails:write`. Fails with `email.invalid`, `email.taken`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("bob").add_email("alice@example.com", #{ allow_duplicate: true });
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "add_email")]
    pub fn add_email_with(context: NativeCallContext, user: &mut User, address: &str, options: Map) -> Scripted<Email> {
        super::add_email_to(&context, user, address, options)
    }

    /// Remove an e-mail address from a user, however often the user has it and in whatever case, and return how many rows
    /// there were. Pending recoveries of the password by this address end.
    ///
    /// Needs `emails:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").remove_email("alice@example.com");
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn remove_email(context: NativeCallContext, user: &mut User, address: &str) -> Scripted<i64> {
        let count = call(&context, WRITE, |run| {
            run.wait(operations::emails::remove_of(run, user, address))
        })?;
        Ok(count.cast_signed())
    }

    /// Remove this one e-mail address, as lists show it. The same address in another case stays, if it is there too.
    ///
    /// Needs `emails:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// for email in emails::list(#{ domain: "example.com" }) { email.remove(); }
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn remove(context: NativeCallContext, email: &mut Email) -> Scripted<()> {
        call(&context, WRITE, |run| run.wait(operations::emails::remove(run, email)))
    }

    /// Move an e-mail address to another user, who is the only one to have it then. It is a new row: a pending recovery of
    /// the password ends. Moved to its own user, only the oldest of several like it stays.
    ///
    /// Needs `emails:write`. Fails with `email.not_found`, `email.taken` if a third user has it, `user.not_found`.
    ///
    /// ```rhai
    /// emails::get("alice@example.com").move_to(users::get("bob"));
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn move_to(context: NativeCallContext, email: &mut Email, user: User) -> Scripted<Email> {
        *email = call(&context, WRITE, |run| {
            run.wait(operations::emails::move_to(run, email, &user))
        })?;
        Ok(email.clone())
    }
}

fn add_email_to(context: &NativeCallContext, user: &User, address: &str, options: Map) -> Scripted<Email> {
    call(context, WRITE, |run| {
        let allow = Options::new(options, &["allow_duplicate"])?
            .bool("allow_duplicate")?
            .unwrap_or_default();
        run.wait(operations::emails::add(run, user, address, allow))
    })
}
