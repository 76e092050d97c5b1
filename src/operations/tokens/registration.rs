//! Registration tokens, which let somebody register. What is changed is recorded with their ids, never with their texts.

use secrecy::SecretString;

use super::expiry;
use crate::{
    error::{Code, Error, Result, counted, shortened},
    model::{Id, REGISTRATION_TOKEN_LENGTH, RegistrationToken, Time, TokenKind},
    operations::{Action, Change, Deed, Run, Subject, sentence::until},
    storage::{
        self, PAGE,
        registration_tokens::{
            Filter, registration_token, registration_token_by_text, registration_token_for_change,
            registration_token_set_limits, registration_token_set_revoked,
        },
    },
};

const ISSUE: Action = Action::new("registration_token.issue", "Issued", "issue");
const EDIT: Action = Action::new("registration_token.edit", "Edited", "edit");
const REVOKE: Action = Action::new("registration_token.revoke", "Revoked", "revoke");
const UNREVOKE: Action = Action::new("registration_token.unrevoke", "Unrevoked", "unrevoke");

/// The most characters of a text that a message repeats.
const LONGEST_SHOWN: usize = 100;

/// A registration token that was just issued. It can be read this once.
#[derive(Clone, Debug)]
pub struct IssuedRegistrationToken {
    /// The token itself.
    pub token: SecretString,
    /// The id of its row.
    pub id: Id,
    /// How often it can be used; without limit if there is none.
    pub usage_limit: Option<i32>,
    /// When it expires.
    pub expires_at: Option<Time>,
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
pub async fn issue_registration(run: &Run, wish: NewRegistrationToken) -> Result<IssuedRegistrationToken> {
    let token = wish.token.map_or_else(
        || run.world().alphanumeric(REGISTRATION_TOKEN_LENGTH),
        SecretString::from,
    );
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
        deed.keep_secret(&token);
        deed.changed(
            Change::of(
                ISSUE,
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
        Ok(IssuedRegistrationToken {
            token,
            id,
            usage_limit: wish.usage_limit,
            expires_at,
        })
    })
    .await
}

/// One page of at most `most` of the tokens that fit, those after `after` (the first if there is none), ordered by id.
/// `now` is when they are to be valid.
///
/// # Errors
/// Those of the store.
pub async fn page(
    run: &Run,
    filter: &Filter,
    now: Time,
    after: Option<Id>,
    most: u64,
) -> Result<Vec<RegistrationToken>> {
    let place = (after.unwrap_or(Id::least()), most.min(PAGE));
    run.read(async |store| storage::registration_tokens::registration_token_page(store, filter, now, place).await)
        .await
}

/// How many tokens fit. `now` is when they are to be valid.
///
/// # Errors
/// Those of the store.
pub async fn count(run: &Run, filter: &Filter, now: Time) -> Result<i64> {
    run.read(async |store| storage::registration_tokens::registration_token_count(store, filter, now).await)
        .await
}

/// Gets a token by its text, or else by its id.
///
/// # Errors
/// `token.not_found`.
pub async fn get(run: &Run, text: &str) -> Result<RegistrationToken> {
    let now = run.world().now();
    let found = run
        .read(async |store| {
            let by_text = registration_token_by_text(store, text, now).await?;
            match (by_text, text.parse::<Id>()) {
                (None, Ok(id)) => registration_token(store, id, now).await,
                (found, _) => Ok(found),
            }
        })
        .await?;
    found.ok_or_else(|| not_found(text))
}

fn not_found(text: &str) -> Error {
    if TokenKind::of(&text.into()).is_some() {
        let error = Error::new(
            Code::TokenNotFound,
            "This is the text of an access token, not of a registration token",
        );
        return error.help("`masctl manage revoke-token --text-stdin` revokes an access token that leaked.");
    }
    let shown = shortened(text, LONGEST_SHOWN);
    Error::new(Code::TokenNotFound, format!("There is no registration token `{shown}`"))
        .help("`masctl manage list-registration-tokens` shows them. Upper and lower case differ.")
}

/// A change of something that may also be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Setting<T> {
    fn applied(self, to: Option<T>) -> Option<T> {
        match self {
            Self::Keep => to,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// When a token expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So many seconds from now.
    In(i64),
    /// At this moment.
    At(Time),
}

/// What is to change of a registration token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// How often it can be used in all.
    pub usage_limit: Setting<i32>,
    /// When it expires.
    pub expiry: Setting<Expiry>,
}

/// Changes how often a token can be used, or until when.
///
/// # Errors
/// `value.invalid` if nothing is to change; `token.not_found`.
pub async fn edit(run: &Run, token: &RegistrationToken, edit: Edit) -> Result<RegistrationToken> {
    if edit == Edit::default() {
        return Err(
            Error::new(Code::ValueInvalid, "Nothing of the registration token is to be changed")
                .help("Say how often it can be used, or until when."),
        );
    }
    run.write(async |deed| {
        let (now, before) = current(deed, token).await?;
        let usage_limit = edit.usage_limit.applied(before.usage_limit);
        let expires_at = match edit.expiry {
            Setting::Keep => before.expires_at,
            Setting::Clear => None,
            Setting::Set(Expiry::At(time)) => Some(time),
            Setting::Set(Expiry::In(seconds)) => Some(expiry(now, seconds)?),
        };
        registration_token_set_limits(deed.store(), before.id, usage_limit, expires_at).await?;
        let after = changed(deed, EDIT, now, &before, (terms, "has these limits already")).await?;
        if !after.valid {
            deed.note(format!("Nobody can register with it: {}", why_invalid(&after)));
        }
        Ok(after)
    })
    .await
}

/// Revokes a token: nobody can register with it.
///
/// # Errors
/// `token.not_found`.
pub async fn revoke(run: &Run, token: &RegistrationToken) -> Result<RegistrationToken> {
    run.write(async |deed| {
        let (now, before) = current(deed, token).await?;
        if before.revoked_at.is_none() {
            registration_token_set_revoked(deed.store(), before.id, Some(now)).await?;
        }
        changed(deed, REVOKE, now, &before, (title, "is revoked already")).await
    })
    .await
}

/// Takes back that a token was revoked.
///
/// # Errors
/// `token.not_found`.
pub async fn unrevoke(run: &Run, token: &RegistrationToken) -> Result<RegistrationToken> {
    run.write(async |deed| {
        let (now, before) = current(deed, token).await?;
        if before.revoked_at.is_some() {
            registration_token_set_revoked(deed.store(), before.id, None).await?;
        }
        let after = changed(deed, UNREVOKE, now, &before, (title, "is not revoked")).await?;
        if !after.valid {
            deed.note(format!("Nobody can register with it: {}", why_invalid(&after)));
        }
        Ok(after)
    })
    .await
}

/// The token as it is now, kept from being changed by others until the transaction ends, and the time.
async fn current(deed: &mut Deed<'_>, token: &RegistrationToken) -> Result<(Time, RegistrationToken)> {
    let (now, _) = deed.new_row();
    let found = registration_token_for_change(deed.store(), token.id, now).await?;
    found
        .map(|token| (now, token))
        .ok_or_else(|| not_found(&token.id.to_string()))
}

/// Records what has become of a token, with what is said of it, or notes that it was so before.
async fn changed(
    deed: &mut Deed<'_>,
    action: Action,
    now: Time,
    before: &RegistrationToken,
    (said, already): (fn(&RegistrationToken) -> String, &str),
) -> Result<RegistrationToken> {
    let after = registration_token(deed.store(), before.id, now).await?;
    let after = after.ok_or_else(|| not_found(&before.id.to_string()))?;
    match Change::between(action, before.into(), before, &after) {
        Some(change) => deed.changed(change.said(said(&after))),
        None => deed.note(format!("The registration token {} {already}", before.id)),
    }
    Ok(after)
}

fn title(token: &RegistrationToken) -> String {
    format!("the registration token {}", token.id)
}

/// The token with how often it can be used, and until when.
fn terms(token: &RegistrationToken) -> String {
    let limit = token.usage_limit.map_or_else(
        || "any number of accounts".to_owned(),
        |limit| counted(limit.unsigned_abs().into(), "account"),
    );
    let end = until(token.expires_at);
    format!("{}: it is good for {limit}, and {end}", title(token))
}

fn why_invalid(token: &RegistrationToken) -> String {
    if token.revoked_at.is_some() {
        return "it is revoked".to_owned();
    }
    match token.usage_limit {
        Some(limit) if token.times_used >= limit => {
            let times = |count: i32| counted(count.unsigned_abs().into(), "time");
            format!(
                "it can be used {}, and was used {}",
                times(limit),
                times(token.times_used)
            )
        }
        _ => "it has expired".to_owned(),
    }
}

impl From<&RegistrationToken> for Subject {
    fn from(token: &RegistrationToken) -> Self {
        Self {
            kind: "registration_token",
            id: Some(token.id),
            name: None,
        }
    }
}
