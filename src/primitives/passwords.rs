//! `passwords::`: make and check passwords.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Module, NativeCallContext};

use super::{Scripted, Secret, call, call_freely};
use crate::{
    capability::{Capability, Resource},
    operations,
};

pub(super) fn module() -> Module {
    exported_module!(passwords)
}

#[export_module]
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
        let needed = Capability::read(Resource::Passwords);
        call(&context, needed, |run| {
            operations::passwords::check(run, password.text())
        })
    }
}
