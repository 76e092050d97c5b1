//! What scripts ask of accounts, as maps of options.

use rhai::Map;

use crate::{
    error::{Code, Error, Result},
    model::SessionKind,
    operations::Registration,
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
    if search.as_deref() == Some("") {
        return Err(Error::new(Code::ValueInvalid, "The option `search` cannot be empty"));
    }
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

/// Who is to be registered.
pub(super) fn registration(options: Map) -> Result<Registration> {
    const KNOWN: &[&str] = &[
        "username",
        "password",
        "ignore_complexity",
        "emails",
        "links",
        "admin",
        "display_name",
        "skip_homeserver_check",
    ];
    let mut options = Options::new(options, KNOWN)?;
    Ok(Registration {
        username: options.text("username")?.unwrap_or_default(),
        password: options.secret("password")?,
        ignore_complexity: options.bool("ignore_complexity")?.unwrap_or_default(),
        emails: options.list("emails", "a list of e-mail addresses", |item| item.into_string().ok())?,
        links: options.list("links", "a list of #{provider, subject}", |item| {
            let link = item.try_cast::<Map>()?;
            let provider = link.get("provider")?.clone().into_string().ok()?.parse().ok()?;
            Some((provider, link.get("subject")?.clone().into_string().ok()?))
        })?,
        admin: options.bool("admin")?.unwrap_or_default(),
        display_name: options.text("display_name")?,
        skip_homeserver_check: options.bool("skip_homeserver_check")?.unwrap_or_default(),
    })
}
