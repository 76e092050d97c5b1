//! Another token in place of one: the session with its device goes on, whoever has the old token does not.

use chrono::Duration;
use secrecy::SecretString;

use super::{access, compatibility, note_lock, personal};
use crate::{
    error::{Code, Error, Result},
    model::{AccessKind, AccessToken, Id, Time, User},
    operations::{Action, Change, Deed, Run, sentence::until},
    storage,
};

const ROTATE: Action = Action::new("token.rotate", "Rotated", "rotate");

/// How long the token is valid that takes the place of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the other was in all.
    #[default]
    Same,
    /// For ever.
    Endless,
    /// For so many seconds.
    Seconds(i64),
}

/// The token that has just taken the place of another. It can be read this once.
#[derive(Clone, Debug)]
pub struct RotatedToken {
    /// The token itself.
    pub token: SecretString,
    /// The id of its row.
    pub id: Id,
    /// Its kind.
    pub kind: AccessKind,
    /// The session that both tokens belong to.
    pub session_id: Id,
    /// The username of whom it acts as.
    pub user: String,
    /// The device of the session.
    pub device_id: Option<String>,
    /// When it expires.
    pub expires_at: Option<Time>,
}

/// A token that was just added to a session.
pub(super) struct Added {
    pub(super) token: SecretString,
    pub(super) id: Id,
    pub(super) expires_at: Option<Time>,
}

/// Puts another token in the place of one, in the same session. The old one is not valid any more, nor is any other of
/// the session, and its refresh tokens are used up.
///
/// # Errors
/// `token.revoked` if it is revoked or was replaced before, `user.inactive` for a deactivated user, `token.not_found`,
/// `value.invalid`.
pub async fn rotate(run: &Run, token: &AccessToken, lifetime: Lifetime) -> Result<RotatedToken> {
    run.write(async |deed| {
        let (user, old) = access::current(deed, token).await?;
        require_active(&user)?;
        let (now, _) = deed.new_row();
        require_in_use(deed, &old, now).await?;
        let seconds = seconds(&old, lifetime);
        let added = match old.kind {
            AccessKind::Compatibility => {
                storage::access_tokens::compatibility_tokens_expire(deed.store(), old.session_id, now).await?;
                compatibility::add_token(deed, old.session_id, seconds).await?
            }
            AccessKind::Personal => {
                storage::personal_tokens::personal_tokens_revoke(deed.store(), old.session_id, now).await?;
                personal::add_token(deed, old.session_id, seconds).await?
            }
        };
        record(deed, &old, &added);
        note_lock(deed, &user);
        Ok(RotatedToken {
            token: added.token,
            id: added.id,
            kind: old.kind,
            session_id: old.session_id,
            user: old.user,
            device_id: old.device_id,
            expires_at: added.expires_at,
        })
    })
    .await
}

/// In how many seconds the new token expires, if it does.
fn seconds(old: &AccessToken, lifetime: Lifetime) -> Option<i64> {
    match lifetime {
        Lifetime::Endless => None,
        Lifetime::Seconds(seconds) => Some(seconds),
        Lifetime::Same => {
            let end = old.expires_at?;
            let all = end - old.created_at;
            Some(
                all.clamp(Duration::zero(), Duration::seconds(u32::MAX.into()))
                    .num_seconds(),
            )
        }
    }
}

fn record(deed: &mut Deed<'_>, old: &AccessToken, added: &Added) {
    let until = until(added.expires_at);
    deed.changed(
        Change::of(ROTATE, old.into())
            .said(format!("{}: the new one {until}", access::title(old)))
            .before("id", old.id)
            .before("expires_at", old.expires_at)
            .after("id", added.id)
            .after("expires_at", added.expires_at)
            .after("session_id", old.session_id),
    );
}

/// MAS lets a locked user have tokens, which work again with the user.
fn require_active(user: &User) -> Result<()> {
    if user.deactivated_at.is_none() {
        return Ok(());
    }
    let message = format!("{} is deactivated: its tokens do not work", user.username);
    Err(Error::new(Code::UserInactive, message).data("username", user.username.as_str()))
}

/// Nobody should get a token in a session that is over, or take away the one that is in use by naming an old one.
async fn require_in_use(deed: &mut Deed<'_>, old: &AccessToken, now: Time) -> Result<()> {
    let newer = access::replacement(deed.store(), old, now).await?;
    let Some(why) = access::over(old, newer) else {
        return Ok(());
    };
    let error = Error::new(Code::TokenRevoked, why).data("id", old.id.to_string());
    Err(match newer {
        Some(newer) => error
            .help(format!("Rotate {newer}."))
            .data("newer_id", newer.to_string()),
        None => error.help("Its session is over: issue another one."),
    })
}
