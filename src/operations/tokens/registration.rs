//! Registration tokens, which let somebody register.

use secrecy::SecretString;

use super::expiry;
use crate::{
    error::{Code, Error, Result},
    model::{Id, REGISTRATION_TOKEN_LENGTH, Time},
    operations::{Action, Change, Run, Subject},
    storage,
};

const ISSUE: Action = Action::new("registration_token.issue", "Issued", "issue");

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
        Ok(RegistrationToken {
            token,
            id,
            usage_limit: wish.usage_limit,
            expires_at,
        })
    })
    .await
}
