//! Personal access tokens, with which somebody's programs act as their owner. Of a token only its SHA-256 is kept.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{expiry, note_lock, rotation::Added};
use crate::{
    error::{Code, Error, Result},
    model::{Id, Scope, SessionKind, Time, TokenFormat, User},
    operations::{Action, Change, Deed, Effect, Run, sentence::until, users},
    storage::{self, personal_tokens::NewPersonalSession},
};

const ISSUE: Action = Action::new("personal_token.issue", "Issued", "issue");

/// The most characters of a personal token's name.
const LONGEST_NAME: usize = 255;

/// A wish for a personal access token.
#[derive(Clone, Debug)]
pub struct NewPersonalToken {
    /// What it may do.
    pub scope: Scope,
    /// What people call it.
    pub name: String,
    /// In how many seconds it expires; never if there is none.
    pub expires_in: Option<i64>,
}

/// A personal access token that was just issued. It can be read this once.
#[derive(Clone, Debug)]
pub struct PersonalToken {
    /// The token itself.
    pub token: SecretString,
    /// The id of its row.
    pub id: Id,
    /// The session that it belongs to.
    pub session_id: Id,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it expires.
    pub expires_at: Option<Time>,
}

/// Issues a personal access token that acts as its owner, in a session of its own.
///
/// A device in the scope is made known to the homeserver after the commit, and the user's device lock is taken before
/// the session is there, as with a compatibility token. Other sessions with the same device go on, as in MAS.
///
/// # Errors
/// `value.invalid` for a name that is empty or too long, `user.inactive` for a deactivated user, `user.not_found`.
pub async fn issue_personal(run: &Run, user: &User, wish: NewPersonalToken) -> Result<PersonalToken> {
    check_name(&wish.name)?;
    let has_device = wish.scope.device().is_some();
    if has_device {
        // A homeserver that is not configured must fail before anything is written.
        run.homeserver()?;
    }
    run.write(async |deed| {
        if has_device {
            storage::sessions::lock_user_devices(deed.store(), user.id).await?;
        }
        let user = users::current(deed, user).await?;
        require_actor(&user)?;
        let issued = add(deed, &user, wish).await?;
        record(deed, &user, &issued);
        Ok(issued)
    })
    .await
}

async fn add(deed: &mut Deed<'_>, user: &User, wish: NewPersonalToken) -> Result<PersonalToken> {
    let (created_at, session_id) = deed.new_row();
    let session = NewPersonalSession {
        id: session_id,
        user: user.id,
        name: &wish.name,
        scope: &wish.scope,
        created_at,
    };
    storage::personal_tokens::personal_session_add(deed.store(), &session).await?;
    let added = add_token(deed, session_id, wish.expires_in).await?;
    Ok(PersonalToken {
        token: added.token,
        id: added.id,
        session_id,
        name: wish.name,
        scope: wish.scope,
        expires_at: added.expires_at,
    })
}

/// Adds a token to a personal session, which has no other that is not revoked.
pub(super) async fn add_token(deed: &mut Deed<'_>, session: Id, expires_in: Option<i64>) -> Result<Added> {
    let (now, id) = deed.new_row();
    let expires_at = expires_in.map(|seconds| expiry(now, seconds)).transpose()?;
    let token = deed.run().world().token(TokenFormat::PersonalAccess);
    let sha256 = Sha256::digest(token.expose_secret()).into();
    storage::personal_tokens::personal_token_add(deed.store(), id, session, &sha256, now, expires_at).await?;
    Ok(Added { token, id, expires_at })
}

fn record(deed: &mut Deed<'_>, user: &User, issued: &PersonalToken) {
    let device = issued.scope.device();
    let with_device = device.map_or_else(String::new, |device| format!(", device {device}"));
    deed.changed(
        Change::of(ISSUE, user.into())
            .said(format!(
                "the personal token {:?} for {}{with_device}: it {}",
                issued.name,
                user.username,
                until(issued.expires_at)
            ))
            .after("personal_session_id", issued.session_id)
            .after("name", &issued.name)
            .after("scope", issued.scope.to_string())
            .after("expires_at", issued.expires_at),
    );
    note_lock(deed, user);
    if let Some(device) = device {
        deed.effect(Effect::UpsertDevice {
            localpart: user.username.clone(),
            device_id: device.to_owned(),
            user: user.id,
            session: (SessionKind::Personal, issued.session_id),
        });
    }
}

fn check_name(name: &str) -> Result<()> {
    let reason = if name.trim().is_empty() {
        "A personal token needs a name".to_owned()
    } else if name.chars().count() > LONGEST_NAME {
        format!("The name of a personal token has at most {LONGEST_NAME} characters")
    } else {
        return Ok(());
    };
    Err(Error::new(Code::ValueInvalid, reason))
}

/// MAS lets a locked user have one, which works again with the user.
fn require_actor(user: &User) -> Result<()> {
    if user.deactivated_at.is_none() {
        return Ok(());
    }
    Err(Error::new(
        Code::UserInactive,
        format!("{} is deactivated: it cannot have a personal token", user.username),
    )
    .data("username", user.username.as_str()))
}
