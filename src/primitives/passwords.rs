//! `passwords::`: make, check, set and verify passwords.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Map, Module, NativeCallContext};

use super::{Scripted, Secret, call, call_freely, options::Options};
use crate::{
    capability::{Capability, Resource},
    model::User,
    operations,
};

const READ: Capability = Capability::read(Resource::Passwords);

pub(super) fn module() -> Module {
    exported_module!(passwords)
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod passwords {
    /// Make a strong password of letters and digits. It is shown once if the script returns it.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// let password = passwords::generate();
    /// ```
    #[rhai_fn(return_raw)]
    pub fn generate(context: NativeCallContext) -> Scripted<Secret> {
        call_freely(&context, |run| Ok(Secret::made(operations::passwords::generate(run))))
    }

    /// Make sure that a password is strong enough for MAS's configuration.
    ///
    /// Needs `passwords:read`. Fails with `password.weak`, `password.disabled`.
    ///
    /// ```rhai
    /// passwords::check(passwords::generate());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn check(context: NativeCallContext, password: Secret) -> Scripted<()> {
        call(&context, READ, |run| operations::passwords::check(run, password.text()))
    }

    /// Set the password of a user. Its sessions go on. A weak password is refused.
    ///
    /// Needs `passwords:write`. Fails with `password.weak`, `password.disabled`, `password.scheme`, `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").set_password(passwords::generate());
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "set_password")]
    pub fn set_password(context: NativeCallContext, user: &mut User, password: Secret) -> Scripted<User> {
        super::set_password_of(&context, user, &password, Map::new())
    }

    /// Set the password of a user, also a weak one if the option `ignore_complexity` is true.
    ///
    /// Needs `passwords:write`. Fails with `password.weak`, `password.disabled`, `password.scheme`, `user.not_found`,
    /// `value.invalid`.
    ///
    /// ```rhai
    /// users::get("alice").set_password(passwords::generate(), #{ ignore_complexity: true });
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "set_password")]
    pub fn set_password_with(
        context: NativeCallContext,
        user: &mut User,
        password: Secret,
        options: Map,
    ) -> Scripted<User> {
        super::set_password_of(&context, user, &password, options)
    }

    /// Whether a password is the user's: whether MAS would let it log in, were it neither locked nor deactivated.
    ///
    /// False also for a user without a password. An error is about this user alone, and may be caught to go on with the
    /// next. Of a bcrypt hash, only the first 72 bytes of password and pepper count, as in MAS.
    ///
    /// Needs `passwords:read`. Fails with `password.disabled`, `password.scheme`.
    ///
    /// ```rhai
    /// if users::get("alice").verify_password(passwords::generate()) { say("what a guess"); }
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn verify_password(context: NativeCallContext, user: &mut User, password: Secret) -> Scripted<bool> {
        call(&context, READ, |run| {
            run.wait(operations::passwords::verify(run, user, password.text()))
        })
    }
}

fn set_password_of(context: &NativeCallContext, user: &mut User, password: &Secret, options: Map) -> Scripted<User> {
    *user = call(context, Capability::write(Resource::Passwords), |run| {
        let ignore = Options::new(options, &["ignore_complexity"])?
            .bool("ignore_complexity")?
            .unwrap_or_default();
        run.wait(operations::passwords::set(run, user, password.text(), ignore))
    })?;
    Ok(user.clone())
}
