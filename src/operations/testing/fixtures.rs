//! Rows out of nothing. They are written as MAS would have left them, without the jobs that deeds queue: what is there
//! before a test begins has been done.

use secrecy::SecretString;
use serde_json::json;

use super::super::{Deed, Run, links, passwords, users};
use crate::{
    error::{Code, Error, Result},
    model::{
        Client, ClientKind, Id, JOB_STATUSES, Job, Link, Payload, Provider, Scope, Session, SessionKind, Time, User,
        check_email, device_scopes,
    },
    storage,
};

/// What a session may do that gets no other scope.
const CLIENT_API: &str = "urn:matrix:client:api:*";

/// An account of a test.
#[derive(Debug, Default)]
pub struct NewUser {
    /// Its localpart.
    pub username: String,
    /// Its password. It may be weak.
    pub password: Option<SecretString>,
    /// Its e-mail addresses.
    pub emails: Vec<String>,
    /// Whether it may ask for administrator scopes.
    pub admin: bool,
    /// Whether it was imported as a guest.
    pub guest: bool,
    /// When it was registered; now if there is none.
    pub created_at: Option<Time>,
    /// Since when it is locked.
    pub locked_at: Option<Time>,
    /// Since when it is deactivated.
    pub deactivated_at: Option<Time>,
    /// When its browser was last used: it gets a session for that.
    pub last_active_at: Option<Time>,
}

/// A session of a test.
#[derive(Debug)]
pub struct NewSession {
    /// Which kind.
    pub kind: SessionKind,
    /// The client of one of OAuth 2.0; one is made if there is none.
    pub client: Option<Id>,
    /// The device that it holds.
    pub device: Option<String>,
    /// What it may do, of one of OAuth 2.0 or a personal one.
    pub scope: Option<Scope>,
    /// What people call it.
    pub name: Option<String>,
    /// From where it was last used.
    pub ip: Option<String>,
    /// What the client said that it is.
    pub user_agent: Option<String>,
    /// When it began; now if there is none.
    pub created_at: Option<Time>,
    /// When it was last used.
    pub last_active_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
}

/// A client of a test.
#[derive(Debug, Default)]
pub struct NewClient {
    /// What it calls itself.
    pub name: Option<String>,
    /// Whether it is of MAS's configuration.
    pub is_static: bool,
    /// Its home page.
    pub uri: Option<String>,
}

/// A provider of a test.
#[derive(Debug, Default)]
pub struct NewProvider {
    /// What people call it.
    pub name: Option<String>,
    /// The URL of its issuer.
    pub issuer: Option<String>,
    /// Since when it cannot be used.
    pub disabled_at: Option<Time>,
}

/// A job of a test.
#[derive(Debug, Default)]
pub struct NewJob {
    /// Which kind of work it is; `provision-user` if there is none.
    pub queue: Option<String>,
    /// What has become of it; it is available if there is none.
    pub status: Option<String>,
    /// Why it failed.
    pub failed_reason: Option<String>,
    /// How often it was tried before.
    pub attempt: i32,
    /// When it was queued; now if there is none.
    pub created_at: Option<Time>,
}

/// The moment at which a row was made, and its id.
fn row(deed: &Deed<'_>, created_at: Option<Time>) -> (Time, Id) {
    let world = deed.run().world();
    let created_at = created_at.unwrap_or_else(|| world.now());
    (created_at, world.new_id(created_at))
}

/// Makes an account.
///
/// # Errors
/// `user.exists`; `username.invalid`, `email.invalid`; `test.outside`.
pub async fn add_user(run: &Run, new: NewUser) -> Result<User> {
    run.stage()?;
    if new.username.is_empty() {
        return Err(Error::new(Code::UsernameInvalid, "A username cannot be empty"));
    }
    for email in &new.emails {
        check_email(email).map_err(|why| Error::new(Code::EmailInvalid, format!("`{email}` {why}")))?;
    }
    let hashing = new
        .password
        .as_ref()
        .map(|password| passwords::start_hash(run, password));
    let password = match hashing.transpose()? {
        Some(hashing) => Some(hashing.finish(run).await?),
        None => None,
    };
    run.write(async |deed| {
        if storage::users::user_exists(deed.store(), &new.username).await? {
            return Err(users::exists(&new.username));
        }
        let (created_at, id) = row(deed, new.created_at);
        let user = User {
            id,
            username: new.username.clone(),
            created_at,
            locked_at: new.locked_at,
            deactivated_at: new.deactivated_at,
            admin: new.admin,
            guest: new.guest,
        };
        storage::fixtures::user_add(deed.store(), &user).await?;
        for email in &new.emails {
            let (_, id) = row(deed, new.created_at);
            storage::emails::email_add(deed.store(), id, user.id, email, created_at).await?;
        }
        if let Some(hashed) = password.as_ref().map(|password| &password.hashed) {
            let (_, id) = row(deed, new.created_at);
            storage::passwords::password_add(deed.store(), id, user.id, &hashed.hash, hashed.version, created_at)
                .await?;
        }
        if let Some(last_active_at) = new.last_active_at {
            let (_, id) = row(deed, new.created_at);
            let session = Session {
                created_at,
                last_active_at: Some(last_active_at),
                ..session_of(&user, SessionKind::Browser, id)
            };
            storage::fixtures::session_add(deed.store(), &session).await?;
        }
        Ok(user)
    })
    .await
}

/// A session of a user that is active and was never used.
fn session_of(user: &User, kind: SessionKind, id: Id) -> Session {
    Session {
        id,
        kind,
        user_id: Some(user.id),
        user: Some(user.username.clone()),
        client_id: None,
        client: None,
        device_id: None,
        scope: None,
        name: None,
        synapse_admin: false,
        owner_id: None,
        owner: None,
        created_at: user.created_at,
        finished_at: None,
        last_active_at: None,
        last_active_ip: None,
        user_agent: None,
    }
}

/// Makes a session of a user.
///
/// # Errors
/// `value.invalid` for what sessions of its kind do not have; `test.outside`.
pub async fn add_session(run: &Run, user: &User, new: NewSession) -> Result<Session> {
    run.stage()?;
    check_session(&new)?;
    let client = match (new.kind, new.client) {
        (SessionKind::OAuth, None) => Some(add_client(run, NewClient::default()).await?.id),
        (_, client) => client,
    };
    let device = match (new.kind, new.device) {
        (SessionKind::Compatibility, None) => Some(run.world().device_id()),
        (_, device) => device,
    };
    let has_scope = matches!(new.kind, SessionKind::OAuth | SessionKind::Personal);
    let scope = has_scope.then(|| scope_of(new.scope.as_ref(), device.as_deref()));
    run.write(async |deed| {
        let (created_at, id) = row(deed, new.created_at);
        let session = Session {
            client_id: client,
            device_id: device,
            scope,
            name: new
                .name
                .or_else(|| (new.kind == SessionKind::Personal).then(|| "test".to_owned())),
            created_at,
            finished_at: new.finished_at,
            last_active_at: new.last_active_at,
            last_active_ip: new.ip,
            user_agent: new.user_agent,
            ..session_of(user, new.kind, id)
        };
        storage::fixtures::session_add(deed.store(), &session).await?;
        Ok(session)
    })
    .await
}

fn check_session(new: &NewSession) -> Result<()> {
    let refuse = |what: &str| {
        let message = format!("A {} session has no {what}", new.kind.label());
        Err(Error::new(Code::ValueInvalid, message))
    };
    match new.kind {
        SessionKind::Browser if new.device.is_some() => refuse("device"),
        SessionKind::Browser if new.name.is_some() => refuse("name"),
        SessionKind::Browser | SessionKind::Compatibility if new.scope.is_some() => refuse("scope"),
        SessionKind::Personal if new.user_agent.is_some() => refuse("user agent"),
        SessionKind::OAuth => Ok(()),
        _ if new.client.is_some() => refuse("client"),
        _ => Ok(()),
    }
}

/// The scope of a session, with the device in it.
fn scope_of(scope: Option<&Scope>, device: Option<&str>) -> String {
    let mut tokens = scope.map_or_else(|| vec![CLIENT_API.to_owned()], |scope| scope.tokens().to_vec());
    if let (Some(device), None) = (device, scope.and_then(Scope::device)) {
        let [token, _] = device_scopes(device);
        tokens.push(token);
    }
    tokens.join(" ")
}

/// Makes an OAuth 2.0 client.
///
/// # Errors
/// `test.outside`.
pub async fn add_client(run: &Run, new: NewClient) -> Result<Client> {
    run.stage()?;
    run.write(async |deed| {
        let (created_at, id) = row(deed, None);
        let uri = new.uri.unwrap_or_else(|| "https://client.example.com/".to_owned());
        let client = Client {
            id,
            name: Some(new.name.unwrap_or_else(|| "Element".to_owned())),
            kind: if new.is_static {
                ClientKind::Static
            } else {
                ClientKind::Dynamic
            },
            application_type: Some("web".to_owned()),
            redirect_uris: vec![uri.clone()],
            uri: Some(uri),
            grant_types: vec!["authorization_code", "refresh_token"],
            auth_method: Some("none".to_owned()),
            created_at: (!new.is_static).then_some(created_at),
        };
        storage::fixtures::client_add(deed.store(), &client).await?;
        Ok(client)
    })
    .await
}

/// Makes an upstream provider.
///
/// # Errors
/// `test.outside`.
pub async fn add_provider(run: &Run, new: NewProvider) -> Result<Provider> {
    run.stage()?;
    run.write(async |deed| {
        let (created_at, id) = row(deed, None);
        let provider = Provider {
            id,
            human_name: Some(new.name.unwrap_or_else(|| "Example".to_owned())),
            brand_name: None,
            issuer: Some(new.issuer.unwrap_or_else(|| "https://id.example.com/".to_owned())),
            scope: "openid".to_owned(),
            created_at,
            disabled_at: new.disabled_at,
        };
        storage::fixtures::provider_add(deed.store(), &provider).await?;
        Ok(provider)
    })
    .await
}

/// Links a user to an account at a provider.
///
/// # Errors
/// `link.taken`, `value.invalid` for a subject that is too long; `test.outside`.
pub async fn add_link(run: &Run, user: &User, provider: &Provider, subject: &str) -> Result<Link> {
    run.stage()?;
    let wish = links::NewLink {
        provider: provider.id,
        subject: subject.to_owned(),
        human_account_name: None,
        moving: false,
    };
    links::add(run, user, &wish).await
}

/// Makes a job about a user.
///
/// # Errors
/// `value.invalid` for a status that there is not; `test.outside`.
pub async fn add_job(run: &Run, user: &User, new: NewJob) -> Result<Job> {
    run.stage()?;
    let status = new.status.unwrap_or_else(|| "available".to_owned());
    if !JOB_STATUSES.contains(&status.as_str()) {
        let message = format!("The status of a job cannot be `{status}`");
        return Err(Error::new(Code::ValueInvalid, message).help(format!("It can be {}.", JOB_STATUSES.join(", "))));
    }
    let queue = new.queue.unwrap_or_else(|| "provision-user".to_owned());
    let mut payload = json!({"user_id": user.id.to_string()});
    match queue.as_str() {
        "provision-user" => payload["set_display_name"] = json!(null),
        "deactivate-user" => payload["hs_erase"] = json!(false),
        _ => {}
    }
    run.write(async |deed| {
        let (created_at, id) = row(deed, new.created_at);
        let when = |is: &str| (status == is).then_some(created_at);
        let job = Job {
            id,
            queue,
            user: Some(user.username.clone()),
            attempt: new.attempt,
            created_at,
            scheduled_at: when("scheduled"),
            started_at: None,
            started_by: None,
            completed_at: when("completed"),
            failed_at: when("failed"),
            failed_reason: new
                .failed_reason
                .or_else(|| when("failed").map(|_| "it failed".to_owned())),
            next_attempt_id: None,
            schedule_name: None,
            payload: Payload(payload),
            status,
        };
        storage::fixtures::job_add(deed.store(), &job).await?;
        Ok(job)
    })
    .await
}
