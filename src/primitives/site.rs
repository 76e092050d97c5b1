//! `site::`: look at what MAS and masctl are set to.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Module, NativeCallContext};

use super::{Scripted, call_freely, expose};
use crate::operations;

pub(super) fn module() -> Module {
    let mut module = exported_module!(site);
    expose::<operations::site::Site>(&mut module);
    module
}

#[export_module]
mod site {
    /// The site that masctl works on.
    pub type Site = crate::operations::site::Site;

    /// Get what the configuration and the schema say of the site. Nothing of it is secret.
    ///
    /// Needs nothing. Fails with `config.invalid`.
    ///
    /// ```rhai
    /// let site = site::config();
    /// say(`${site.server_name}: ${site.store}`);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn config(context: NativeCallContext) -> Scripted<Site> {
        call_freely(&context, |run| run.wait(operations::site::config(run)))
    }
}
