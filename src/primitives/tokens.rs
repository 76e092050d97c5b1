//! `tokens::`: issue tokens, and tell them apart.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{Scripted, Secret, call, call_freely, expose, options::Options, or_unit};
use crate::{
    capability::{Capability, Resource},
    error::{Code, Error, Result},
    model::{Scope, TokenKind, User},
    operations::{
        self,
        tokens::{NewCompatibilityToken, NewPersonalToken, NewRegistrationToken},
    },
};

const WRITE: Capability = Capability::write(Resource::Tokens);

pub(super) fn module() -> Module {
    let mut module = exported_module!(tokens);
    expose::<operations::tokens::CompatibilityToken>(&mut module);
    expose::<operations::tokens::PersonalToken>(&mut module);
    expose::<operations::tokens::RegistrationToken>(&mut module);
    module
}

fn compatibility(options: Map) -> Result<NewCompatibilityToken> {
    let mut options = Options::new(options, &["device_id", "synapse_admin", "expires_in", "force"])?;
    Ok(NewCompatibilityToken {
        device_id: options.text("device_id")?,
        synapse_admin: options.bool("synapse_admin")?.unwrap_or_default(),
        expires_in: options.int("expires_in")?,
        force: options.bool("force")?.unwrap_or_default(),
    })
}

fn personal(options: Map) -> Result<NewPersonalToken> {
    let mut options = Options::new(options, &["scope", "name", "expires_in"])?;
    Ok(NewPersonalToken {
        scope: options.text("scope")?.unwrap_or_default().parse::<Scope>()?,
        name: options.text("name")?.unwrap_or_default(),
        expires_in: options.int("expires_in")?,
    })
}

fn registration(options: Map) -> Result<NewRegistrationToken> {
    let mut options = Options::new(options, &["token", "usage_limit", "expires_in"])?;
    let limit = options.int("usage_limit")?.map(i32::try_from).transpose();
    Ok(NewRegistrationToken {
        token: options.text("token")?,
        usage_limit: limit.map_err(|_| {
            Error::new(
                Code::ValueInvalid,
                "The option `usage_limit` takes a number up to 2147483647",
            )
        })?,
        expires_in: options.int("expires_in")?,
    })
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod tokens {
    /// A compatibility token that was just issued.
    pub type CompatibilityToken = crate::operations::tokens::CompatibilityToken;

    /// A personal access token that was just issued.
    pub type PersonalToken = crate::operations::tokens::PersonalToken;

    /// A registration token that was just issued.
    pub type RegistrationToken = crate::operations::tokens::RegistrationToken;

    /// Issue a compatibility token for a user, in a session of its own. It is shown once if the script returns it.
    ///
    /// Options: `device_id` (a new one if left out), `synapse_admin`, `expires_in` in seconds (never if left out),
    /// `force` for a locked or deactivated user. Sessions of the user with the same device end.
    ///
    /// Needs `tokens:write`. Fails with `user.inactive`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// let issued = users::get("alice").issue_compatibility_token(#{ expires_in: 3600 });
    /// say(issued.device_id);
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn issue_compatibility_token(
        context: NativeCallContext,
        user: &mut User,
        options: Map,
    ) -> Scripted<CompatibilityToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::issue_compatibility(
                run,
                user,
                compatibility(options)?,
            ))
        })
    }

    /// Issue a personal access token that acts as its user, in a session of its own.
    ///
    /// It is shown once if the script returns it; MAS keeps only its SHA-256.
    ///
    /// Options: `scope` (scopes between spaces) and `name`, which it needs, and `expires_in` in seconds (never if left
    /// out). A device in the scope is made known to the homeserver.
    ///
    /// Needs `tokens:write`. Fails with `user.inactive`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// let issued = users::get("alice").issue_personal_token(#{ scope: "urn:matrix:client:api:*", name: "backup" });
    /// say(issued.session_id);
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn issue_personal_token(context: NativeCallContext, user: &mut User, options: Map) -> Scripted<PersonalToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::issue_personal(run, user, personal(options)?))
        })
    }

    /// Tell what a token is by its text alone, its checksum included; `()` if MAS would not even look for it.
    ///
    /// One of `oauth_access`, `oauth_refresh`, `compatibility_access`, `compatibility_refresh`, `personal_access`, and
    /// of those imported from Synapse `imported_access`, `imported_refresh`, `imported_macaroon`. Whether the token is
    /// valid, only the database knows.
    ///
    /// Needs nothing. Fails with nothing of its own.
    ///
    /// ```rhai
    /// if tokens::kind(passwords::generate()) == () { say("a password is no token"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn kind(context: NativeCallContext, token: Secret) -> Scripted<Dynamic> {
        call_freely(&context, |_| {
            Ok(or_unit(TokenKind::of(token.text()).map(TokenKind::as_str)))
        })
    }

    /// Issue a registration token. It is shown once if the script returns it.
    ///
    /// Options: `token` (a new one if left out), `usage_limit` (none if left out), `expires_in` in seconds (never if
    /// left out).
    ///
    /// Needs `tokens:write`. Fails with `token.exists`, `value.invalid`.
    ///
    /// ```rhai
    /// tokens::issue_registration(#{ usage_limit: 5 });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn issue_registration(context: NativeCallContext, options: Map) -> Scripted<RegistrationToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::issue_registration(run, registration(options)?))
        })
    }
}
