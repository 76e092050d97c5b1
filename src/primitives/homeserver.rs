//! `homeserver::`: look at what the homeserver knows of users. What is changed there, deeds and MAS's worker change.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Array, Dynamic, Module, NativeCallContext};

use super::{Perhaps, Scripted, call, expose, or_unit};
use crate::{
    capability::{Capability, Resource},
    error::{Code, Error},
    operations,
};

const READ: Capability = Capability::read(Resource::Homeserver);

pub(super) fn module() -> Module {
    let mut module = exported_module!(homeserver);
    expose::<crate::homeserver::Account>(&mut module);
    module
}

#[export_module]
mod homeserver {
    /// What the homeserver knows of a user.
    pub type Account = crate::homeserver::Account;

    /// Whether there is a homeserver. An embedded store has none until its configuration names one.
    ///
    /// Needs `homeserver:read`. Fails with `config.missing`, `config.invalid`.
    ///
    /// ```rhai
    /// if !homeserver::connected() { say("this store stands alone"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn connected(context: NativeCallContext) -> Scripted<bool> {
        call(&context, READ, operations::homeserver::connected)
    }

    /// Get what the homeserver knows of a user, by its localpart in exactly these letters, or by its MXID.
    ///
    /// The homeserver is asked before the first change: later it is not.
    ///
    /// Needs `homeserver:read`. Fails with `user.not_found`, `user.foreign`, `username.invalid`, `homeserver.unsupported` if
    /// there is none, `homeserver.unreachable`, `homeserver.refused`, `homeserver.failed`, `run.writing`.
    ///
    /// ```rhai
    /// try {
    ///     say(homeserver::get("alice").display_name);
    /// } catch (error) { say(error_code(error)); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, name: &str) -> Scripted<Account> {
        call(&context, READ, |run| run.wait(operations::homeserver::get(run, name)))
    }

    /// Find what the homeserver knows of a user, as `get` does; `()` if it has no such user.
    ///
    /// Needs `homeserver:read`. Fails with `user.foreign`, `username.invalid`, `homeserver.unsupported` if there is none,
    /// `homeserver.unreachable`, `homeserver.refused`, `homeserver.failed`, `run.writing`.
    ///
    /// ```rhai
    /// try {
    ///     if homeserver::find("nobody") == () { say("it has no nobody"); }
    /// } catch (error) { say(error_code(error)); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find(context: NativeCallContext, name: &str) -> Scripted<Perhaps<Account>> {
        let account = call(&context, READ, |run| run.wait(operations::homeserver::find(run, name)))?;
        Ok(or_unit(account.map(Dynamic::from)))
    }

    /// Find what the homeserver knows of many users, several at a time: a list in the order of their names, with `()` for
    /// each that it does not have.
    ///
    /// Needs `homeserver:read`. Fails with `user.foreign`, `username.invalid`, `homeserver.unsupported` if there is none,
    /// `homeserver.unreachable`, `homeserver.refused`, `homeserver.failed`, `run.writing`, `value.invalid`.
    ///
    /// ```rhai
    /// try {
    ///     let accounts = homeserver::find_all(["alice", "bob"]);
    ///     if accounts[1] == () { say("it has no bob"); }
    /// } catch (error) { say(error_code(error)); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find_all(context: NativeCallContext, names: Array) -> Scripted<Array> {
        let accounts = call(&context, READ, |run| {
            let names: Option<Vec<String>> = names.into_iter().map(|name| name.into_string().ok()).collect();
            let names = names.ok_or_else(|| Error::new(Code::ValueInvalid, "`find_all` takes a list of usernames"))?;
            run.wait(operations::homeserver::find_all(run, &names))
        })?;
        Ok(accounts
            .into_iter()
            .map(|account| or_unit(account.map(Dynamic::from)))
            .collect())
    }
}
