//! What a test asks for, as maps of options. A time may be a text there, such as `90d` for that long ago.

use rhai::{Dynamic, Map};

use super::values;
use crate::{
    error::{Code, Error, Result},
    homeserver::FakeAccount,
    model::{Client, ClientKind, Id, SessionKind, Time},
    operations::{
        Run,
        testing::{NewClient, NewJob, NewProvider, NewSession, NewUser},
    },
    primitives::options::Options,
};

/// The times among the options, texts made into times.
fn with_times(run: &Run, mut options: Map, keys: &[&str]) -> Result<Map> {
    let now = run.stage()?.clock.now();
    for key in keys {
        if let Some(value) = options.get_mut(*key).filter(|value| !value.is_unit()) {
            *value = Dynamic::from(values::time(value, now)?);
        }
    }
    Ok(options)
}

/// One text or several.
fn texts(options: &mut Map, key: &str) -> Result<Vec<String>> {
    let what = || {
        Error::new(
            Code::ValueInvalid,
            format!("The option `{key}` takes a text or a list of texts"),
        )
    };
    match options.remove(key) {
        Some(value) if value.is_unit() => Ok(Vec::new()),
        Some(value) if value.is_array() => {
            let items = value.into_array().map_err(|_| what())?;
            items
                .into_iter()
                .map(|item| item.into_string().map_err(|_| what()))
                .collect()
        }
        Some(value) => Ok(vec![value.into_string().map_err(|_| what())?]),
        None => Ok(Vec::new()),
    }
}

pub(super) fn user(run: &Run, name: &str, options: Map) -> Result<NewUser> {
    const KNOWN: [&str; 7] = [
        "password",
        "admin",
        "guest",
        "created_at",
        "locked_at",
        "deactivated_at",
        "last_active_at",
    ];
    const TIMES: [&str; 4] = ["created_at", "locked_at", "deactivated_at", "last_active_at"];
    let mut options = with_times(run, options, &TIMES)?;
    let emails = texts(&mut options, "email")?;
    let password = match options.remove("password") {
        Some(value) if value.is_string() => Some(value.to_string().into()),
        Some(value) => {
            options.insert("password".into(), value);
            None
        }
        None => None,
    };
    let mut options = Options::new(options, &KNOWN).map_err(|error| {
        error.help(
            "The options are password, email, admin, guest, created_at, locked_at, deactivated_at, last_active_at.",
        )
    })?;
    Ok(NewUser {
        username: name.to_owned(),
        password: match password {
            None => options.secret("password")?,
            given => given,
        },
        emails,
        admin: options.bool("admin")?.unwrap_or_default(),
        guest: options.bool("guest")?.unwrap_or_default(),
        created_at: options.time("created_at")?,
        locked_at: options.time("locked_at")?,
        deactivated_at: options.time("deactivated_at")?,
        last_active_at: options.time("last_active_at")?,
    })
}

pub(super) fn session(run: &Run, options: Map) -> Result<NewSession> {
    const KNOWN: [&str; 10] = [
        "kind",
        "client",
        "device",
        "scope",
        "name",
        "ip",
        "user_agent",
        "created_at",
        "last_active_at",
        "finished_at",
    ];
    let mut options = with_times(run, options, &["created_at", "last_active_at", "finished_at"])?;
    if let Some(value) = options.get_mut("client")
        && let Some(client) = value.clone().try_cast::<Client>()
    {
        *value = client.id.to_string().into();
    }
    let mut options = Options::new(options, &KNOWN)?;
    let client: Option<Id> = options.id("client")?;
    let device = options.text("device")?;
    let kind = options.one_of("kind", &SessionKind::ALL.map(|kind| (kind.as_str(), kind)))?;
    let ip = options.text("ip")?;
    if ip.as_deref().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
        return Err(Error::new(Code::ValueInvalid, "The option `ip` takes an IP address"));
    }
    Ok(NewSession {
        kind: kind.unwrap_or(match (client, &device) {
            (Some(_), _) => SessionKind::OAuth,
            (None, Some(_)) => SessionKind::Compatibility,
            (None, None) => SessionKind::Browser,
        }),
        client,
        device,
        scope: options.text("scope")?.map(|scope| scope.parse()).transpose()?,
        name: options.text("name")?,
        ip,
        user_agent: options.text("user_agent")?,
        created_at: options.time("created_at")?,
        last_active_at: options.time("last_active_at")?,
        finished_at: options.time("finished_at")?,
    })
}

pub(super) fn client(options: Map) -> Result<NewClient> {
    let mut options = Options::new(options, &["name", "uri", "kind"])?;
    let kind = options.one_of("kind", &ClientKind::ALL.map(|kind| (kind.as_str(), kind)))?;
    Ok(NewClient {
        name: options.text("name")?,
        is_static: kind == Some(ClientKind::Static),
        uri: options.text("uri")?,
    })
}

pub(super) fn provider(run: &Run, options: Map) -> Result<NewProvider> {
    let options = with_times(run, options, &["disabled_at"])?;
    let mut options = Options::new(options, &["name", "issuer", "disabled_at"])?;
    Ok(NewProvider {
        name: options.text("name")?,
        issuer: options.text("issuer")?,
        disabled_at: options.time("disabled_at")?,
    })
}

pub(super) fn job(run: &Run, options: Map) -> Result<NewJob> {
    let options = with_times(run, options, &["created_at"])?;
    let mut options = Options::new(options, &["queue", "status", "failed_reason", "attempt", "created_at"])?;
    let created_at: Option<Time> = options.time("created_at")?;
    let attempt = options.int("attempt")?.unwrap_or_default();
    Ok(NewJob {
        queue: options.text("queue")?,
        status: options.text("status")?,
        failed_reason: options.text("failed_reason")?,
        attempt: i32::try_from(attempt)
            .ok()
            .filter(|attempt| (0..=1000).contains(attempt))
            .ok_or_else(|| Error::new(Code::ValueInvalid, "The option `attempt` takes a number from 0 to 1000"))?,
        created_at,
    })
}

pub(super) fn account(mut options: Map) -> Result<FakeAccount> {
    let emails = texts(&mut options, "emails")?;
    let devices = texts(&mut options, "devices")?;
    let mut options = Options::new(options, &["display_name", "deactivated", "locked", "admin"])?;
    Ok(FakeAccount {
        display_name: options.text("display_name")?,
        deactivated: options.bool("deactivated")?.unwrap_or_default(),
        locked: options.bool("locked")?.unwrap_or_default(),
        admin: options.bool("admin")?.unwrap_or_default(),
        emails,
        devices: devices.into_iter().map(|device| (device, None)).collect(),
        ..FakeAccount::default()
    })
}
