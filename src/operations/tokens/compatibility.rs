//! Compatibility tokens, for Matrix clients and bots.

use secrecy::SecretString;

use super::{expiry, rotation::Added};
use crate::{
    error::{Code, Error, Result, counted},
    model::{Id, SessionKind, Time, TokenFormat, User},
    operations::{Action, Change, Deed, Effect, Run, users},
    storage,
};

const ISSUE: Action = Action::new("token.issue", "Issued", "issue");

/// A wish for a compatibility token.
#[derive(Clone, Debug, Default)]
pub struct NewCompatibilityToken {
    /// The device of its session; a new one if there is none.
    pub device_id: Option<String>,
    /// Whether the session has Synapse's administrator API.
    pub synapse_admin: bool,
    /// In how many seconds it expires; never if there is none.
    pub expires_in: Option<i64>,
    /// Whether a locked or deactivated user gets one as well.
    pub force: bool,
}

/// A compatibility token that was just issued. It can be read this once.
#[derive(Clone, Debug)]
pub struct CompatibilityToken {
    /// The token itself.
    pub token: SecretString,
    /// The id of its row.
    pub id: Id,
    /// The session that it belongs to.
    pub session_id: Id,
    /// The device of that session.
    pub device_id: String,
    /// When it expires.
    pub expires_at: Option<Time>,
}

/// Issues a compatibility token in a session of its own, replacing the user's sessions with the same device.
///
/// The order is that of a login: take the user's device lock, end what is replaced, add session and token, commit, and
/// only then tell the homeserver.
///
/// # Errors
/// `user.inactive` for a locked or deactivated user unless forced, `user.not_found`.
pub async fn issue_compatibility(run: &Run, user: &User, wish: NewCompatibilityToken) -> Result<CompatibilityToken> {
    // A homeserver that is not configured must fail before anything is written.
    run.homeserver()?;
    run.write(async |deed| {
        storage::sessions::lock_user_devices(deed.store(), user.id).await?;
        let user = users::current(deed, user).await?;
        if !wish.force {
            require_active(&user)?;
        }
        let device = wish.device_id.unwrap_or_else(|| run.world().device_id());
        let (now, session) = deed.new_row();
        let replaced = storage::sessions::sessions_end_of_device(deed.store(), user.id, &device, now).await?;
        storage::sessions::compatibility_session_add(deed.store(), session, user.id, &device, wish.synapse_admin, now)
            .await?;
        let added = add_token(deed, session, wish.expires_in).await?;
        let issued = CompatibilityToken {
            token: added.token,
            id: added.id,
            session_id: session,
            device_id: device,
            expires_at: added.expires_at,
        };
        record(deed, &user, &issued, wish.synapse_admin, replaced);
        Ok(issued)
    })
    .await
}

/// Adds a token to a compatibility session.
pub(super) async fn add_token(deed: &mut Deed<'_>, session: Id, expires_in: Option<i64>) -> Result<Added> {
    let (now, id) = deed.new_row();
    let expires_at = expires_in.map(|seconds| expiry(now, seconds)).transpose()?;
    let token = deed.run().world().token(TokenFormat::CompatibilityAccess);
    storage::sessions::compatibility_token_add(deed.store(), id, session, &token, now, expires_at).await?;
    Ok(Added { token, id, expires_at })
}

fn record(deed: &mut Deed<'_>, user: &User, issued: &CompatibilityToken, synapse_admin: bool, replaced: u64) {
    let device_id = issued.device_id.clone();
    let replacing = match replaced {
        0 => String::new(),
        _ => format!(", in place of {}", counted(replaced, "session")),
    };
    deed.changed(
        Change::of(ISSUE, user.into())
            .said(format!(
                "a compatibility token for {}, device {device_id}{replacing}",
                user.username
            ))
            .after("compat_session_id", issued.session_id)
            .after("device_id", &device_id)
            .after("expires_at", issued.expires_at)
            .after("synapse_admin", synapse_admin)
            .after("replaced_sessions", replaced),
    );
    deed.effect(Effect::UpsertDevice {
        localpart: user.username.clone(),
        device_id,
        user: user.id,
        session: (SessionKind::Compatibility, issued.session_id),
    });
}

fn require_active(user: &User) -> Result<()> {
    let state = match (user.deactivated_at, user.locked_at) {
        (Some(_), _) => "deactivated",
        (_, Some(_)) => "locked",
        _ => return Ok(()),
    };
    Err(Error::new(
        Code::UserInactive,
        format!("{} is {state}: its tokens do not work", user.username),
    )
    .help("--force issues one all the same.")
    .data("username", user.username.as_str()))
}
