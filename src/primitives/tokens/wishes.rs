//! What scripts ask of tokens, as maps of options.

use chrono::Duration;
use rhai::Map;

use crate::{
    error::{Code, Error, Result},
    model::{AccessKind, Scope, Time},
    operations::{
        Run,
        tokens::{
            Lifetime, NewCompatibilityToken, NewPersonalToken, NewRegistrationToken, access,
            registration::{Edit, Expiry, Setting},
        },
    },
    primitives::options::Options,
    storage::{access_tokens, registration_tokens},
};

/// What a filter of access tokens is made of.
pub(super) const ACCESS: [&str; 7] = [
    "user",
    "kind",
    "valid",
    "expires_before",
    "expires_within",
    "created_after",
    "created_before",
];

/// What a filter of registration tokens is made of.
pub(super) const REGISTRATION: [&str; 5] = ["valid", "used", "revoked", "expires_before", "expires_within"];

/// Which access tokens are meant. The account must be there.
pub(super) fn filter(run: &Run, options: &mut Options, now: Time) -> Result<access_tokens::Filter> {
    let user = options.text("user")?;
    let rest = access_tokens::Filter {
        kind: options.one_of("kind", &AccessKind::ALL.map(|kind| (kind.as_str(), kind)))?,
        user: None,
        valid: options.bool("valid")?,
        expires_before: expires_before(options, now)?,
        created_after: options.time("created_after")?,
        created_before: options.time("created_before")?,
    };
    run.wait(access::filter(run, user.as_deref(), rest))
}

pub(super) fn registration_filter(options: &mut Options, now: Time) -> Result<registration_tokens::Filter> {
    Ok(registration_tokens::Filter {
        valid: options.bool("valid")?,
        used: options.bool("used")?,
        revoked: options.bool("revoked")?,
        expires_before: expires_before(options, now)?,
    })
}

/// Before when tokens are to expire: a moment, or so many seconds from now.
fn expires_before(options: &mut Options, now: Time) -> Result<Option<Time>> {
    let (time, seconds) = (options.time("expires_before")?, options.int("expires_within")?);
    only_one(&[
        ("expires_before", time.map(drop)),
        ("expires_within", seconds.map(drop)),
    ])?;
    let Some(seconds) = seconds else { return Ok(time) };
    let end = Duration::try_seconds(seconds).and_then(|within| now.checked_add_signed(within));
    let problem = "The option `expires_within` takes a number of seconds that a calendar has room for";
    end.map(Some).ok_or_else(|| Error::new(Code::ValueInvalid, problem))
}

/// Refuses two options that say different things of the same.
fn only_one<T>(given: &[(&str, Option<T>)]) -> Result<()> {
    let names: Vec<_> = given.iter().filter(|(_, value)| value.is_some()).collect();
    match names[..] {
        [(one, _), (other, _), ..] => Err(Error::new(
            Code::ValueInvalid,
            format!("The options `{one}` and `{other}` cannot be given together"),
        )),
        _ => Ok(()),
    }
}

/// An option that is only ever true: not to give it is to leave things as they are.
fn switch(options: &mut Options, key: &str) -> Result<Option<()>> {
    Ok(options.bool(key)?.filter(|on| *on).map(drop))
}

pub(super) fn lifetime(options: Map) -> Result<Lifetime> {
    let mut options = Options::new(options, &["expires_in", "never_expires"])?;
    let (seconds, endless) = (options.int("expires_in")?, switch(&mut options, "never_expires")?);
    only_one(&[("expires_in", seconds.map(drop)), ("never_expires", endless)])?;
    Ok(match (seconds, endless) {
        (Some(seconds), _) => Lifetime::Seconds(seconds),
        (None, Some(())) => Lifetime::Endless,
        (None, None) => Lifetime::Same,
    })
}

pub(super) fn edit(options: Map) -> Result<Edit> {
    let known = ["usage_limit", "unlimited", "expires_in", "expires_at", "never_expires"];
    let mut options = Options::new(options, &known)?;
    let (limit, unlimited) = (usage_limit(&mut options)?, switch(&mut options, "unlimited")?);
    only_one(&[("usage_limit", limit.map(drop)), ("unlimited", unlimited)])?;
    let (seconds, time) = (options.int("expires_in")?, options.time("expires_at")?);
    let endless = switch(&mut options, "never_expires")?;
    only_one(&[
        ("expires_in", seconds.map(drop)),
        ("expires_at", time.map(drop)),
        ("never_expires", endless),
    ])?;
    let expiry = seconds.map(Expiry::In).or(time.map(Expiry::At));
    Ok(Edit {
        usage_limit: limit.map_or(unlimited.map_or(Setting::Keep, |()| Setting::Clear), Setting::Set),
        expiry: expiry.map_or(endless.map_or(Setting::Keep, |()| Setting::Clear), Setting::Set),
    })
}

fn usage_limit(options: &mut Options) -> Result<Option<i32>> {
    let limit = options.int("usage_limit")?;
    limit
        .map(|limit| {
            let number = i32::try_from(limit).ok().filter(|limit| *limit >= 0);
            number.ok_or_else(|| {
                Error::new(
                    Code::ValueInvalid,
                    format!("The option `usage_limit` takes a number of 0 to {}", i32::MAX),
                )
            })
        })
        .transpose()
}

pub(super) fn compatibility(options: Map) -> Result<NewCompatibilityToken> {
    let mut options = Options::new(options, &["device_id", "synapse_admin", "expires_in", "force"])?;
    Ok(NewCompatibilityToken {
        device_id: options.text("device_id")?,
        synapse_admin: options.bool("synapse_admin")?.unwrap_or_default(),
        expires_in: options.int("expires_in")?,
        force: options.bool("force")?.unwrap_or_default(),
    })
}

pub(super) fn personal(options: Map) -> Result<NewPersonalToken> {
    let mut options = Options::new(options, &["scope", "name", "expires_in"])?;
    Ok(NewPersonalToken {
        scope: options.text("scope")?.unwrap_or_default().parse::<Scope>()?,
        name: options.text("name")?.unwrap_or_default(),
        expires_in: options.int("expires_in")?,
    })
}

pub(super) fn registration(options: Map) -> Result<NewRegistrationToken> {
    let mut options = Options::new(options, &["token", "usage_limit", "expires_in"])?;
    Ok(NewRegistrationToken {
        token: options.text("token")?,
        usage_limit: usage_limit(&mut options)?,
        expires_in: options.int("expires_in")?,
    })
}
