//! Access tokens that there are: looking at them, finding one by its text, revoking.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    error::{Code, Error, Result},
    model::{AccessKind, AccessToken, Id, Time, TokenFormat, TokenKind, User},
    operations::{Action, Change, Deed, Run, Subject, jobs::NewJob, sentence::moment, users},
    storage::{self, Connection, PAGE, access_tokens::Filter},
};

const REVOKE: Action = Action::new("token.revoke", "Revoked", "revoke");

/// The filter for those of the account of this name, if there is one, that fit the rest of the filter.
///
/// # Errors
/// `user.not_found`.
pub async fn filter(run: &Run, user: Option<&str>, rest: Filter) -> Result<Filter> {
    let user = users::named(run, user).await?;
    Ok(Filter { user, ..rest })
}

/// One page of at most `most` of the tokens that fit, those after `after` (the first if there is none), ordered by id.
/// `now` is when they are to be valid.
///
/// # Errors
/// Those of the store.
pub async fn page(run: &Run, filter: &Filter, now: Time, after: Option<Id>, most: u64) -> Result<Vec<AccessToken>> {
    let place = (after.unwrap_or(Id::least()), most.min(PAGE));
    run.read(async |store| storage::access_tokens::access_token_page(store, filter, now, place).await)
        .await
}

/// How many tokens fit. `now` is when they are to be valid.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter, now: Time) -> Result<i64> {
    run.read(async |store| storage::access_tokens::access_token_count(store, filter, now).await)
        .await
}

/// Gets a token by its id.
///
/// # Errors
/// `token.not_found`.
pub async fn get(run: &Run, id: Id) -> Result<AccessToken> {
    let now = run.world().now();
    run.read(async |store| {
        let token = storage::access_tokens::access_token(store, id, now).await?;
        match token {
            Some(token) => Ok(token),
            None => Err(not_found(store, id, now).await?),
        }
    })
    .await
}

/// Finds the token that a text is, or that the refresh token belongs to that it is.
///
/// # Errors
/// `token.unsupported` for a token of OAuth 2.0 that MAS has issued: it ends with its session.
pub async fn find(run: &Run, text: &SecretString) -> Result<Option<AccessToken>> {
    // MAS looks for nothing else either.
    let Some(kind) = TokenKind::of(text) else {
        return Ok(None);
    };
    let now = run.world().now();
    run.read(async |store| {
        let id = id_by_text(store, kind, text).await?;
        match id {
            Some(id) => storage::access_tokens::access_token(store, id, now).await,
            None => Ok(None),
        }
    })
    .await
}

/// Gets the token that a text is, as [`find`] does.
///
/// # Errors
/// `token.not_found`, `token.unsupported`.
pub async fn get_by_text(run: &Run, text: &SecretString) -> Result<AccessToken> {
    find(run, text).await?.ok_or_else(|| {
        let error = Error::new(Code::TokenNotFound, "No access token has this text");
        match TokenKind::of(text) {
            Some(_) => error.help("It has the form of one: MAS may have removed it, or it is another server's."),
            None => {
                error.help("It does not even have the form of one: MAS refuses it. Look for what was cut off or added.")
            }
        }
    })
}

async fn id_by_text(store: &mut Connection, kind: TokenKind, text: &SecretString) -> Result<Option<Id>> {
    match kind {
        TokenKind::Issued(TokenFormat::PersonalAccess) => {
            let sha256 = Sha256::digest(text.expose_secret()).into();
            storage::access_tokens::personal_token_by_sha256(store, &sha256).await
        }
        TokenKind::Issued(TokenFormat::CompatibilityRefresh) | TokenKind::ImportedRefresh => {
            storage::access_tokens::compatibility_token_by_refresh_token(store, text).await
        }
        TokenKind::Issued(TokenFormat::CompatibilityAccess)
        | TokenKind::ImportedAccess
        | TokenKind::ImportedMacaroon => storage::access_tokens::compatibility_token_by_text(store, text).await,
        TokenKind::Issued(TokenFormat::OAuthAccess | TokenFormat::OAuthRefresh) => {
            let session = storage::access_tokens::oauth_session_by_text(store, text).await?;
            session.map_or(Ok(None), |session| Err(of_oauth(session)))
        }
    }
}

fn of_oauth(session: Id) -> Error {
    let message = format!("This is a token of the OAuth 2.0 session {session}, and ends with it");
    Error::new(Code::TokenUnsupported, message)
        .help(format!("`masctl manage kill-session {session}` ends the session."))
        .data("session_id", session.to_string())
}

/// Why there is no token of this id. Ids look alike, so it says what else has this one.
async fn not_found(store: &mut Connection, id: Id, now: Time) -> Result<Error> {
    let error = Error::new(Code::TokenNotFound, format!("There is no access token {id}")).data("id", id.to_string());
    for kind in AccessKind::ALL {
        if let Some(token) = storage::access_tokens::newest_token(store, kind, id).await? {
            return Ok(error.help(format!("It is the id of a session, whose token is {token}.")));
        }
    }
    let registration = storage::registration_tokens::registration_token(store, id, now).await?;
    Ok(error.help(match registration {
        Some(_) => "It is the id of a registration token: `masctl manage revoke-registration-token` takes it.",
        None => "`masctl manage list-tokens` shows their ids.",
    }))
}

/// Revokes a token for good: ends its session, which no other token can go on with, and queues the job that removes the
/// session's device.
///
/// # Errors
/// `token.not_found`.
pub async fn revoke(run: &Run, token: &AccessToken) -> Result<AccessToken> {
    run.write(async |deed| {
        let (user, before) = current(deed, token).await?;
        let (now, _) = deed.new_row();
        let newer = replacement(deed.store(), &before, now).await?;
        let after = match over(&before, newer) {
            Some(why) => {
                let instead = newer.map_or("", |_| ": revoke that to end the session");
                deed.note(format!("{why}{instead}"));
                before
            }
            None => end(deed, &before, now).await?,
        };
        deed.queue(NewJob::sync_devices(user.id)).await?;
        Ok(after)
    })
    .await
}

async fn end(deed: &mut Deed<'_>, before: &AccessToken, now: Time) -> Result<AccessToken> {
    storage::sessions::session_end(deed.store(), before.kind.session(), before.session_id, now).await?;
    if before.kind == AccessKind::Personal {
        storage::personal_tokens::personal_tokens_revoke(deed.store(), before.session_id, now).await?;
    }
    let after = again(deed, before, now).await?;
    deed.changed(
        Change::of(REVOKE, before.into())
            .said(title(before))
            .before("revoked_at", before.revoked_at)
            .after("revoked_at", after.revoked_at)
            .after("session_id", after.session_id)
            .after("device_id", &after.device_id),
    );
    Ok(after)
}

/// The token as it is now and whose it is, both kept from being changed by others, as is its session, until the
/// transaction ends.
pub(super) async fn current(deed: &mut Deed<'_>, token: &AccessToken) -> Result<(User, AccessToken)> {
    let user = storage::users::user_for_change(deed.store(), token.user_id).await?;
    let user = user.ok_or_else(|| users::not_found(&token.user))?;
    storage::access_tokens::session_lock(deed.store(), token.kind, token.session_id).await?;
    let now = deed.run().world().now();
    Ok((user, again(deed, token, now).await?))
}

/// The token as it is now.
async fn again(deed: &mut Deed<'_>, token: &AccessToken, now: Time) -> Result<AccessToken> {
    match storage::access_tokens::access_token(deed.store(), token.id, now).await? {
        Some(token) => Ok(token),
        None => Err(not_found(deed.store(), token.id, now).await?),
    }
}

/// The token with which the session goes on of one that is revoked or has expired: nobody can go on with that one.
pub(super) async fn replacement(store: &mut Connection, token: &AccessToken, now: Time) -> Result<Option<Id>> {
    let has_expired = token.expires_at.is_some_and(|end| end <= now);
    let is_replaced = if token.revoked_at.is_some() {
        storage::sessions::session_is_active(store, token.kind.session(), token.session_id).await?
    } else {
        has_expired && !storage::access_tokens::is_refreshable(store, token.id).await?
    };
    if !is_replaced {
        return Ok(None);
    }
    let newest = storage::access_tokens::newest_token(store, token.kind, token.session_id).await?;
    Ok(newest.filter(|newest| *newest != token.id))
}

/// Why nothing is to be done with a token, if so: it is revoked, or another one has taken its place.
pub(super) fn over(token: &AccessToken, newer: Option<Id>) -> Option<String> {
    let title = capital(&title(token));
    let state = match token.revoked_at {
        Some(since) => format!("{title} is revoked already, since {}", moment(since)),
        None => format!("{title} has expired"),
    };
    match newer {
        Some(newer) => Some(format!("{state}, and {newer} has taken its place")),
        None => token.revoked_at.map(|_| state),
    }
}

/// What people call a token: "the personal token \"backup\" of alice".
pub(super) fn title(token: &AccessToken) -> String {
    let user = &token.user;
    let device = token.device_id.as_ref();
    let device = device.map_or_else(String::new, |device| format!(", device {device}"));
    match (token.kind, &token.name) {
        (AccessKind::Personal, Some(name)) => format!("the personal token {name:?} of {user}{device}"),
        (AccessKind::Personal, None) => format!("the personal token {} of {user}{device}", token.id),
        (AccessKind::Compatibility, _) => format!("the compatibility token {} of {user}{device}", token.id),
    }
}

/// A text as a sentence begins with it.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl From<&AccessToken> for Subject {
    fn from(token: &AccessToken) -> Self {
        Self {
            kind: "access_token",
            id: Some(token.id),
            name: token.name.clone(),
        }
    }
}
