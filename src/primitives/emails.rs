//! `emails::`: look up e-mail addresses of accounts.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Module, NativeCallContext};

use super::{Scripted, call_freely, expose};
use crate::operations;

pub(super) fn module() -> Module {
    let mut module = exported_module!(emails);
    expose::<crate::model::Email>(&mut module);
    module
}

#[export_module]
mod emails {
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
}
