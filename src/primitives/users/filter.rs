//! The options that say which users are meant.

use rhai::Map;

use crate::{
    error::{Code, Error, Result},
    model::SessionKind,
    primitives::options::Options,
    storage::users::Filter,
};

const KNOWN: &[&str] = &[
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
    "limit",
];

/// Longer than any username or domain, in bytes. SQLite refuses patterns of 50,000.
const LONGEST: usize = 1024;

/// Which users are meant, and how many at most if `limited`.
pub(super) fn filter(options: Map, limited: bool) -> Result<(Filter, Option<u64>)> {
    let mut options = Options::new(options, &KNOWN[..KNOWN.len() - usize::from(!limited)])?;
    let email_domain = options.text("email_domain")?;
    let search = options.text("search")?;
    for (key, text) in [("search", &search), ("email_domain", &email_domain)] {
        if text.as_ref().is_some_and(|text| text.len() > LONGEST) {
            return Err(Error::new(
                Code::ValueInvalid,
                format!("The option `{key}` takes a text of at most {LONGEST} bytes"),
            ));
        }
    }
    if let Some(domain) = email_domain
        .as_deref()
        .filter(|domain| domain.is_empty() || domain.contains('@'))
    {
        return Err(Error::new(
            Code::ValueInvalid,
            format!("`{domain}` is not the domain of an e-mail address"),
        )
        .help("The domain is what follows the last @, such as `example.com`."));
    }
    let filter = Filter {
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
        email_domain,
        linked: options.bool("linked")?,
        provider: options.id("provider")?,
        session: options.one_of("session", &SessionKind::ALL.map(|kind| (kind.as_str(), kind)))?,
        client: options.id("client")?,
    };
    Ok((filter, options.limit()?))
}
