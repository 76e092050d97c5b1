//! `passwords::`: make, check, set, verify and remove passwords.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{Perhaps, Scripted, Secret, call, call_freely, expose, options::Options, or_unit};
use crate::{
    capability::{Capability, Resource},
    model::User,
    operations,
};

const READ: Capability = Capability::read(Resource::Passwords);

pub(super) fn module() -> Module {
    let mut module = exported_module!(passwords);
    expose::<crate::model::Password>(&mut module);
    expose::<crate::model::PasswordScheme>(&mut module);
    module
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod passwords {
    /// What can be said of the password of an account.
    pub type Password = crate::model::Password;

    /// How new passwords are hashed, and how strong they must be.
    pub type PasswordScheme = crate::model::PasswordScheme;

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

    /// Get how MAS's configuration has new passwords hashed: the newest scheme, whether it has a pepper, and how strong a
    /// password must be.
    ///
    /// Needs `passwords:read`. Fails with `config.invalid`, `file.unreadable`.
    ///
    /// ```rhai
    /// say(passwords::scheme().algorithm);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn scheme(context: NativeCallContext) -> Scripted<PasswordScheme> {
        call(&context, READ, operations::passwords::scheme)
    }

    /// Get what can be said of the password of a user: its scheme, what its hash says to be, when it was made, how many
    /// seconds ago that was, and how many earlier hashes are kept. `()` if the user has none.
    ///
    /// Needs `passwords:read`. Fails with `config.invalid`, `file.unreadable`.
    ///
    /// ```rhai
    /// if users::get("alice").password() == () { say("alice logs in another way"); }
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn password(context: NativeCallContext, user: &mut User) -> Scripted<Perhaps<Password>> {
        let password = call(&context, READ, |run| {
            run.wait(operations::passwords::of_user(run, user))
        })?;
        Ok(or_unit(password.map(Dynamic::from::<Password>)))
    }

    /// Remove the password of a user and all earlier ones, which MAS keeps for ever, and return how many there were.
    ///
    /// Its sessions go on. The user can no longer log in by password until a new one is set; it cannot be undone.
    ///
    /// Needs `passwords:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").remove_passwords();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn remove_passwords(context: NativeCallContext, user: &mut User) -> Scripted<i64> {
        let needed = Capability::write(Resource::Passwords);
        let count = call(&context, needed, |run| {
            run.wait(operations::passwords::remove(run, user))
        })?;
        Ok(count.cast_signed())
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
