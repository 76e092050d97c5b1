//! `users::`: look up and change accounts.

mod wishes;

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use self::wishes::{PARTS, filter, registration};
use super::{Perhaps, Scripted, call, call_freely, expose, id_of, lazy::Lazy, options::Options, or_unit, run_of};
use crate::{
    capability::{Capability, Resource},
    model::{Description, User, localpart as localpart_of},
    operations,
};

const READ: Capability = Capability::read(Resource::Users);
const WRITE: Capability = Capability::write(Resource::Users);

pub(super) fn module() -> Module {
    let mut module = exported_module!(users);
    expose::<User>(&mut module);
    expose::<Description>(&mut module);
    expose::<users::Address>(&mut module);
    expose::<users::ThirdPartyId>(&mut module);
    expose::<users::UpstreamAccount>(&mut module);
    expose::<users::AcceptedTerms>(&mut module);
    module.set_iterable_result::<Users, User>();
    module
}

pub(super) type Users = Lazy<User>;

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod users {
    /// An account.
    pub type User = crate::model::User;

    /// An account with all that belongs to it.
    pub type Description = crate::model::Description;

    /// An e-mail address in the description of its account.
    pub type Address = crate::model::Address;

    /// An address of an account of another kind than MAS knows, such as a telephone number.
    pub type ThirdPartyId = crate::model::ThirdPartyId;

    /// An account at an upstream provider in the description of the account that is linked to it.
    pub type UpstreamAccount = crate::model::UpstreamAccount;

    /// Terms that the owner of an account accepted.
    pub type AcceptedTerms = crate::model::AcceptedTerms;

    /// Get a user by username, or by its MXID of this server.
    ///
    /// Names are compared as MAS does: without regard to case, unless several users differ only by case.
    ///
    /// Needs `users:read`. Fails with `user.not_found`, `user.foreign`, `username.invalid`, `config.missing`.
    ///
    /// ```rhai
    /// let user = users::get("alice");
    /// say(user.username);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, name: &str) -> Scripted<User> {
        call(&context, READ, |run| run.wait(operations::users::get(run, name)))
    }

    /// Get a user by its id, which is also the `sub` claim of its tokens.
    ///
    /// Needs `users:read`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(users::get_by_id("01HV00000000000000000000A1").username);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get_by_id(context: NativeCallContext, id: &str) -> Scripted<User> {
        call(&context, READ, |run| {
            run.wait(operations::users::by_id(run, id_of(id)?))
        })
    }

    /// Get the user who has an e-mail address, in whatever case.
    ///
    /// Needs `users:read`. Fails with `user.not_found`, `email.ambiguous`.
    ///
    /// ```rhai
    /// say(users::get_by_email("alice@example.com").username);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get_by_email(context: NativeCallContext, address: &str) -> Scripted<User> {
        call(&context, READ, |run| {
            run.wait(operations::users::by_email(run, address))
        })
    }

    /// Find the user who has an e-mail address, in whatever case; `()` if there is none.
    ///
    /// Needs `users:read`. Fails with `email.ambiguous`.
    ///
    /// ```rhai
    /// if users::find_by_email("nobody@example.com") == () { say("nobody has it"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find_by_email(context: NativeCallContext, address: &str) -> Scripted<Perhaps<User>> {
        let user = call(&context, READ, |run| {
            run.wait(operations::users::find_by_email(run, address))
        })?;
        Ok(or_unit(user.map(Dynamic::from)))
    }

    /// Find a user by username, or by its MXID of this server; `()` if there is none.
    ///
    /// Needs `users:read`. Fails with `user.foreign`, `username.invalid`, `config.missing`.
    ///
    /// ```rhai
    /// if users::find("nobody") == () { say("there is no nobody"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find(context: NativeCallContext, name: &str) -> Scripted<Perhaps<User>> {
        let user = call(&context, READ, |run| run.wait(operations::users::find(run, name)))?;
        Ok(or_unit(user.map(Dynamic::from)))
    }

    /// Reduce a MXID of this server to its localpart; a plain username is returned as it is.
    ///
    /// Needs nothing. Fails with `user.foreign`, `username.invalid`, `config.missing`.
    ///
    /// ```rhai
    /// say(users::localpart("@alice:localhost"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn localpart(context: NativeCallContext, name: &str) -> Scripted<String> {
        call_freely(&context, |run| localpart_of(name, &run.server_name()?))
    }

    /// List users, oldest first: those who fit all options.
    ///
    /// - `search`: who have this text in their username, in whatever case.
    /// - `active` (neither locked nor deactivated), `locked`, `deactivated`, `admin`, `guest`: true, or false for the others.
    /// - `created_after`, `created_before`: who registered at this time or after it, or before it.
    /// - `active_after`, `active_before`: who had a session of any kind that was in use at this time or after it, or who had
    ///   none. A session that was never in use counts from when it was made.
    /// - `has_password`, `has_email`, `linked` (to an upstream provider): true or false.
    /// - `email_domain`: who have an address of exactly this domain.
    /// - `provider`, a ULID: who are linked to it; who are not, with `linked: false`.
    /// - `session`: who have an active session of this kind: `browser`, `compatibility`, `oauth`, `personal`.
    /// - `client`, a ULID: who have an active session of this OAuth 2.0 client.
    /// - `limit`: how many there are at most.
    ///
    /// The list is read page by page while it is walked.
    ///
    /// Needs `users:read`. Fails with `client.not_found`, `provider.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// for user in users::list(#{ admin: true, active: true }) { say(user.username); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, options: Map) -> Scripted<Users> {
        let (filter, limit) = call(&context, READ, |run| {
            let (mut options, limit) = Options::of_list(options, PARTS)?;
            let filter = super::filter(&mut options)?;
            run.wait(operations::users::check(run, &filter))?;
            Ok((filter, limit))
        })?;
        let run = run_of(&context)?;
        Ok(Users::new(run, limit, move |run, last, most| {
            run.wait(operations::users::page(
                run,
                &filter,
                last.map(|user: &User| user.id),
                most,
            ))
        }))
    }

    /// Count users. Takes the options of `list` but `limit`.
    ///
    /// Needs `users:read`. Fails with `client.not_found`, `provider.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(users::count(#{ admin: true }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let filter = super::filter(&mut Options::new(options, PARTS)?)?;
            run.wait(async {
                operations::users::check(run, &filter).await?;
                operations::users::count(run, &filter).await
            })
        })
    }

    /// Make sure that a new user may have this name, here and on the homeserver.
    ///
    /// Needs `users:read`. Fails with `user.exists`, `username.unavailable`.
    ///
    /// ```rhai
    /// users::check_available("erin");
    /// ```
    #[rhai_fn(return_raw, name = "check_available")]
    pub fn check_available(context: NativeCallContext, name: &str) -> Scripted<()> {
        super::check_available_with(&context, name, Map::new())
    }

    /// Make sure that a new user may have this name, here and on the homeserver. If the option `skip_homeserver_check` is
    /// true, the homeserver may have an account of this name.
    ///
    /// Needs `users:read`. Fails with `user.exists`, `username.invalid`, `username.unavailable`, `value.invalid`.
    ///
    /// ```rhai
    /// users::check_available("erin", #{ skip_homeserver_check: true });
    /// ```
    #[rhai_fn(return_raw, name = "check_available")]
    pub fn check_available_so(context: NativeCallContext, name: &str, options: Map) -> Scripted<()> {
        super::check_available_with(&context, name, options)
    }

    /// Register a user with everything that belongs to it, and have the homeserver told.
    ///
    /// Options: `username`, `password` (a secret), `ignore_complexity`, `emails`, `links` (each
    /// `#{provider, subject}`), `admin`, `display_name`, `skip_homeserver_check`, with which an account that the
    /// homeserver has by this name already becomes this user's.
    ///
    /// Needs `users:write`. Fails with `user.exists`, `username.invalid`, `username.unavailable`, `password.weak`,
    /// `provider.not_found`, `provider.disabled`, `link.taken`, `value.invalid`.
    ///
    /// ```rhai
    /// users::register(#{ username: "erin", emails: ["erin@example.com"] });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn register(context: NativeCallContext, options: Map) -> Scripted<User> {
        call(&context, WRITE, |run| {
            run.wait(operations::register(run, registration(options)?))
        })
    }

    /// Queue a provisioning job for every user, and return how many.
    ///
    /// Needs `users:write`. Fails with nothing of its own.
    ///
    /// ```rhai
    /// let count = users::provision_all();
    /// ```
    #[rhai_fn(return_raw)]
    pub fn provision_all(context: NativeCallContext) -> Scripted<i64> {
        let count = call(&context, WRITE, |run| run.wait(operations::users::provision_all(run)))?;
        Ok(count.cast_signed())
    }

    /// Lock a user so that it cannot log in and its sessions rest.
    ///
    /// A locked user keeps the time of its lock. Undo it with `unlock`.
    ///
    /// Needs `users:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").lock();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn lock(context: NativeCallContext, user: &mut User) -> Scripted<User> {
        *user = call(&context, WRITE, |run| run.wait(operations::users::lock(run, user)))?;
        Ok(user.clone())
    }

    /// Unlock a user. Its sessions work again.
    ///
    /// Needs `users:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("bob").unlock();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn unlock(context: NativeCallContext, user: &mut User) -> Scripted<User> {
        *user = call(&context, WRITE, |run| run.wait(operations::users::unlock(run, user)))?;
        Ok(user.clone())
    }

    /// Queue the deactivation of a user, which MAS's worker does: its sessions end, its e-mail addresses are deleted,
    /// and the homeserver deactivates the account.
    ///
    /// What the user wrote stays. Undo it with `reactivate`; the addresses do not come back.
    ///
    /// Needs `users:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").deactivate();
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "deactivate")]
    pub fn deactivate(context: NativeCallContext, user: &mut User) -> Scripted<User> {
        super::deactivate_with(&context, user, Map::new())
    }

    /// Queue the deactivation of a user. If the option `erase` is true, the homeserver also erases the user: its profile
    /// goes, and what it wrote is hidden from people who join its rooms later.
    ///
    /// Needs `users:write`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("alice").deactivate(#{ erase: true });
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "deactivate")]
    pub fn deactivate_so(context: NativeCallContext, user: &mut User, options: Map) -> Scripted<User> {
        super::deactivate_with(&context, user, options)
    }

    /// Queue the reactivation of a user, which MAS's worker does on the homeserver and then in MAS. A user who is locked
    /// too stays locked.
    ///
    /// Needs `users:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("dave").reactivate();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn reactivate(context: NativeCallContext, user: &mut User) -> Scripted<User> {
        *user = call(&context, WRITE, |run| {
            run.wait(operations::users::reactivate(run, user))
        })?;
        Ok(user.clone())
    }

    /// Queue the job that tells the homeserver of a user.
    ///
    /// It tells that the user exists, whether it is locked, and its e-mail addresses.
    ///
    /// Needs `users:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").provision();
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "provision")]
    pub fn provision(context: NativeCallContext, user: &mut User) -> Scripted<User> {
        super::provision_with(&context, user, Map::new())
    }

    /// Queue the job that tells the homeserver of a user, also the name that others see if the option `display_name` is
    /// given.
    ///
    /// Needs `users:write`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("alice").provision(#{ display_name: "Alice" });
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "provision")]
    pub fn provision_named(context: NativeCallContext, user: &mut User, options: Map) -> Scripted<User> {
        super::provision_with(&context, user, options)
    }

    /// Queue the job that sets the name of a user that others see, which the homeserver alone keeps. An empty one removes it.
    ///
    /// Needs `users:write`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("alice").set_display_name("Alice");
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn set_display_name(context: NativeCallContext, user: &mut User, name: &str) -> Scripted<User> {
        *user = call(&context, WRITE, |run| {
            run.wait(operations::users::set_display_name(run, user, name))
        })?;
        Ok(user.clone())
    }

    /// Queue the job that makes the devices of a user's active sessions its only ones on the homeserver.
    ///
    /// Needs `users:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").sync_devices();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn sync_devices(context: NativeCallContext, user: &mut User) -> Scripted<User> {
        *user = call(&context, WRITE, |run| {
            run.wait(operations::users::sync_devices(run, user))
        })?;
        Ok(user.clone())
    }

    /// Describe a user: its fields and `mxid`, and everything that belongs to it that the script may read.
    ///
    /// What `needs` does not ask for is not there: `emails` and `third_party_ids` (`emails:read`), `password` with its
    /// `algorithm`, `version`, `created_at` and `age_days`, never its hash (`passwords:read`), `sessions`, how many active
    /// ones there are of each kind, and `last_active_at` (`sessions:read`), `links` (`links:read`) with the names of their
    /// providers (`providers:read`), `jobs`, how many wait, run or failed for good (`jobs:read`). `terms`, those that its owner
    /// accepted, are always there.
    ///
    /// Needs `users:read`. Fails with `user.not_found`, `config.invalid`.
    ///
    /// ```rhai
    /// let all = users::get("alice").describe();
    /// for address in all.emails { say(address.email); }
    /// if all.last_active_at == () { say(`${all.mxid} was never active`); }
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn describe(context: NativeCallContext, user: &mut User) -> Scripted<Description> {
        call(&context, READ, |run| run.wait(operations::users::describe(run, user)))
    }

    /// Rename a user: it cannot be done, and the error says why and what to do in its place.
    ///
    /// Needs `users:write`. Fails with `username.fixed`, always.
    ///
    /// ```rhai
    /// try { users::get("alice").rename("alicia"); } catch (error) { say(error_message(error)); }
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn rename(context: NativeCallContext, user: &mut User, name: &str) -> Scripted<()> {
        call(&context, WRITE, |_| Err(operations::users::cannot_rename(user, name)))
    }

    /// Set whether a user may ask for administrator scopes. Sessions keep what they were granted.
    ///
    /// Needs `users:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").set_admin(true);
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn set_admin(context: NativeCallContext, user: &mut User, admin: bool) -> Scripted<User> {
        *user = call(&context, WRITE, |run| {
            run.wait(operations::users::set_admin(run, user, admin))
        })?;
        Ok(user.clone())
    }
}

fn check_available_with(context: &NativeCallContext, name: &str, options: Map) -> Scripted<()> {
    call(context, READ, |run| {
        let mut options = Options::new(options, &["skip_homeserver_check"])?;
        if options.bool("skip_homeserver_check")?.unwrap_or_default() {
            run.wait(operations::users::check_adoptable(run, name))
        } else {
            run.wait(operations::users::check_available(run, name))
        }
    })
}

fn deactivate_with(context: &NativeCallContext, user: &mut User, options: Map) -> Scripted<User> {
    *user = call(context, WRITE, |run| {
        let erase = Options::new(options, &["erase"])?.bool("erase")?.unwrap_or_default();
        run.wait(operations::users::deactivate(run, user, erase))
    })?;
    Ok(user.clone())
}

fn provision_with(context: &NativeCallContext, user: &mut User, options: Map) -> Scripted<User> {
    *user = call(context, WRITE, |run| {
        let display_name = Options::new(options, &["display_name"])?.text("display_name")?;
        run.wait(operations::users::provision(run, user, display_name.as_deref()))
    })?;
    Ok(user.clone())
}
