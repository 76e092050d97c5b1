//! The options that say which users are meant.

use crate::{
    error::{Code, Error, Result},
    model::SessionKind,
    primitives::options::Options,
    storage::users::Filter,
};

/// What a filter is made of.
pub(super) const PARTS: &[&str] = &[
    "search",
    "active",
    "locked",
    "deactivated",
    "admin",
    "guest",
    "created_after",
    "created_before",
    "active_after",
    "active_before",
    "has_password",
    "has_email",
    "email_domain",
    "linked",
    "provider",
    "session",
    "client",
];

/// Longer than any username, in bytes. SQLite refuses patterns of 50,000.
const LONGEST: usize = 1024;

/// Which users are meant.
pub(super) fn filter(options: &mut Options) -> Result<Filter> {
    let search = options.text("search")?;
    if search.as_ref().is_some_and(|text| text.len() > LONGEST) {
        return Err(Error::new(
            Code::ValueInvalid,
            format!("The option `search` takes a text of at most {LONGEST} bytes"),
        ));
    }
    Ok(Filter {
        search,
        active: options.bool("active")?,
        locked: options.bool("locked")?,
        deactivated: options.bool("deactivated")?,
        guest: options.bool("guest")?,
        admin: options.bool("admin")?,
        created_after: options.time("created_after")?,
        created_before: options.time("created_before")?,
        active_after: options.time("active_after")?,
        active_before: options.time("active_before")?,
        has_password: options.bool("has_password")?,
        has_email: options.bool("has_email")?,
        email_domain: options.text("email_domain")?,
        linked: options.bool("linked")?,
        provider: options.id("provider")?,
        session: options.one_of("session", &SessionKind::ALL.map(|kind| (kind.as_str(), kind)))?,
        client: options.id("client")?,
    })
}
