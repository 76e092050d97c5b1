//! Tokens: compatibility tokens for Matrix clients and bots, and registration tokens.

use chrono::Duration;
use secrecy::{ExposeSecret, SecretString};

use super::{Action, Change, Deed, Effect, Run, Subject, users};
use crate::{
    error::{Code, Error, Result},
    model::{Id, Time, User},
    storage,
};

const ISSUE: Action = Action::new("token.issue", "Issued", "issue");
const ISSUE_REGISTRATION: Action = Action::new("registration_token.issue", "Issued", "issue");

/// The random characters of a token of MAS's, and of a device id and registration token that MAS makes.
const TOKEN_RANDOM: usize = 30;
const DEVICE_ID: usize = 10;
const REGISTRATION_TOKEN: usize = 12;

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

/// A registration token that was just issued. It can be read this once.
#[derive(Clone, Debug)]
pub struct RegistrationToken {
    /// The token itself.
    pub token: SecretString,
    /// The id of its row.
    pub id: Id,
    /// How often it can be used; without limit if there is none.
    pub usage_limit: Option<i32>,
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
        let device = wish
            .device_id
            .unwrap_or_else(|| run.world().alphanumeric(DEVICE_ID).expose_secret().to_owned());
        let (now, session) = deed.new_row();
        let replaced = storage::sessions::sessions_end_of_device(deed.store(), user.id, &device, now).await?;
        storage::sessions::compatibility_session_add(deed.store(), session, user.id, &device, wish.synapse_admin, now)
            .await?;
        let issued = add_token(deed, (session, device), wish.expires_in).await?;
        record(deed, &user, &issued, wish.synapse_admin, replaced);
        Ok(issued)
    })
    .await
}

async fn add_token(
    deed: &mut Deed<'_>,
    (session_id, device_id): (Id, String),
    expires_in: Option<i64>,
) -> Result<CompatibilityToken> {
    let (now, id) = deed.new_row();
    let expires_at = expires_in.map(|seconds| expiry(now, seconds)).transpose()?;
    let token = format_token("mct", &deed.run().world().alphanumeric(TOKEN_RANDOM));
    storage::sessions::compatibility_token_add(deed.store(), id, session_id, &token, now, expires_at).await?;
    Ok(CompatibilityToken {
        token,
        id,
        session_id,
        device_id,
        expires_at,
    })
}

fn record(deed: &mut Deed<'_>, user: &User, issued: &CompatibilityToken, synapse_admin: bool, replaced: u64) {
    let device_id = issued.device_id.clone();
    let replacing = match replaced {
        0 => String::new(),
        _ => format!(", in place of {}", users::counted(replaced, "session")),
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
        session: issued.session_id,
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

/// A wish for a registration token.
#[derive(Clone, Debug)]
pub struct NewRegistrationToken {
    /// Its text; a new one if there is none.
    pub token: Option<String>,
    /// How often it can be used; without limit if there is none.
    pub usage_limit: Option<i32>,
    /// In how many seconds it expires; never if there is none.
    pub expires_in: Option<i64>,
}

/// Issues a registration token.
///
/// # Errors
/// `token.exists`.
pub async fn issue_registration(run: &Run, wish: NewRegistrationToken) -> Result<RegistrationToken> {
    let token = wish
        .token
        .map_or_else(|| run.world().alphanumeric(REGISTRATION_TOKEN), SecretString::from);
    run.write(async |deed| {
        let (now, id) = deed.new_row();
        let expires_at = wish.expires_in.map(|seconds| expiry(now, seconds)).transpose()?;
        storage::registration_tokens::registration_token_add(
            deed.store(),
            id,
            &token,
            wish.usage_limit,
            now,
            expires_at,
        )
        .await?
        .ok_or_else(|| Error::new(Code::TokenExists, "A registration token of this text exists already"))?;
        deed.changed(
            Change::of(
                ISSUE_REGISTRATION,
                Subject {
                    kind: "registration_token",
                    id: Some(id),
                    name: None,
                },
            )
            .said("a registration token")
            .after("usage_limit", wish.usage_limit)
            .after("expires_at", expires_at),
        );
        Ok(RegistrationToken {
            token,
            id,
            usage_limit: wish.usage_limit,
            expires_at,
        })
    })
    .await
}

fn expiry(now: Time, seconds: i64) -> Result<Time> {
    Duration::try_seconds(seconds)
        .and_then(|duration| now.checked_add_signed(duration))
        .ok_or_else(|| {
            Error::new(
                Code::ValueInvalid,
                format!("{seconds} seconds from now is further than time reaches"),
            )
        })
}

/// MAS's token format: prefix, random part, and their CRC-32 (the zlib one) in base 62, least significant digit first,
/// padded on the left with `0` to six characters.
fn format_token(prefix: &str, random: &SecretString) -> SecretString {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let start = format!("{prefix}_{}", random.expose_secret());
    let mut rest = crc32fast::hash(start.as_bytes());
    let mut checksum = String::new();
    while rest > 0 {
        checksum.push(char::from(DIGITS[(rest % 62) as usize]));
        rest /= 62;
    }
    SecretString::from(format!("{start}_{checksum:0>6}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_mas_checksums() {
        let tokens = [
            "mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1",
            "mcr_42oTpLoieH5IecxG6gZXyvelQWW9Xq_a8g5N3",
            "mpt_FM44zJN5qePGMLvvMXC4Ds1A3lCWc6_bJ9Wj1",
            "mpt_6cq7FqNSYoosbXl3bbpfh9yNy9NzuR_0vOV2O",
            "mct_16tugBE5Ta9LIWoSJaAEHHq2g3fx8S_alcBB4",
            "mct_0123456789abcdefghijABCDEFGHIJ_jUFkp1",
            "mct_000000000000000000000000000398_00icWJ",
        ];
        for token in tokens {
            let mut parts = token.split('_');
            let (prefix, random) = (parts.next().unwrap(), parts.next().unwrap());
            assert_eq!(format_token(prefix, &SecretString::from(random)).expose_secret(), token);
        }
    }
}
