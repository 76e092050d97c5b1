//! `tokens::`: issue, find, revoke and rotate tokens.

mod wishes;

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{
    Perhaps, Scripted, Secret, call, call_freely, expose, id_of, lazy::Lazy, options::Options, or_unit, run_of,
};
use crate::{
    capability::{Capability, Resource},
    model::{TokenKind, User},
    operations,
};

const READ: Capability = Capability::read(Resource::Tokens);
const WRITE: Capability = Capability::write(Resource::Tokens);

pub(super) type AccessTokens = Lazy<crate::model::AccessToken>;
pub(super) type RegistrationTokens = Lazy<crate::model::RegistrationToken>;

pub(super) fn module() -> Module {
    let mut module = exported_module!(tokens);
    expose::<operations::tokens::CompatibilityToken>(&mut module);
    expose::<operations::tokens::PersonalToken>(&mut module);
    expose::<operations::tokens::IssuedRegistrationToken>(&mut module);
    expose::<operations::tokens::RotatedToken>(&mut module);
    expose::<crate::model::AccessToken>(&mut module);
    expose::<crate::model::RegistrationToken>(&mut module);
    module.set_iterable_result::<AccessTokens, crate::model::AccessToken>();
    module.set_iterable_result::<RegistrationTokens, crate::model::RegistrationToken>();
    module
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
    pub type IssuedRegistrationToken = crate::operations::tokens::IssuedRegistrationToken;

    /// A token that has just taken the place of another.
    pub type RotatedToken = crate::operations::tokens::RotatedToken;

    /// A compatibility or personal access token, without its text.
    pub type AccessToken = crate::model::AccessToken;

    /// A registration token.
    pub type RegistrationToken = crate::model::RegistrationToken;

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
                wishes::compatibility(options)?,
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
            run.wait(operations::tokens::issue_personal(
                run,
                user,
                wishes::personal(options)?,
            ))
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
    pub fn kind(context: NativeCallContext, token: Secret) -> Scripted<Perhaps<String>> {
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
    pub fn issue_registration(context: NativeCallContext, options: Map) -> Scripted<IssuedRegistrationToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::issue_registration(
                run,
                wishes::registration(options)?,
            ))
        })
    }

    /// List compatibility and personal access tokens, oldest first; never their texts.
    ///
    /// Options: `user`, the name of the account that they act as or that has made them; `kind`, `compatibility` or
    /// `personal`; `valid` for those that MAS accepts now, or those that it does not; `expires_before`, or
    /// `expires_within` so many seconds from now, for those that have expired by then; `created_after`,
    /// `created_before`; `limit`. The list is read page by page while it is walked.
    ///
    /// Needs `tokens:read`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// for token in tokens::list(#{ user: "alice", valid: true }) { say(`${token.id} ${token.expires_at}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, options: Map) -> Scripted<AccessTokens> {
        let (filter, now, limit) = call(&context, READ, |run| {
            let (mut options, limit) = Options::of_list(options, &wishes::ACCESS)?;
            let now = run.world().now();
            Ok((wishes::filter(run, &mut options, now)?, now, limit))
        })?;
        let run = run_of(&context)?;
        Ok(AccessTokens::new(run, limit, move |run, last, most| {
            let after = last.map(|token: &AccessToken| token.id);
            run.wait(operations::tokens::access::page(run, &filter, now, after, most))
        }))
    }

    /// Count compatibility and personal access tokens. Takes the options of `list` but `limit`.
    ///
    /// Needs `tokens:read`. Fails with `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(tokens::count(#{ kind: "personal" }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let mut options = Options::new(options, &wishes::ACCESS)?;
            let now = run.world().now();
            let filter = wishes::filter(run, &mut options, now)?;
            run.wait(operations::tokens::access::count(run, &filter, now))
        })
    }

    /// Get a compatibility or personal access token by its id.
    ///
    /// Needs `tokens:read`. Fails with `token.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(tokens::get("01HV0000000000000000000T01").session_id);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<AccessToken> {
        call(&context, READ, |run| {
            run.wait(operations::tokens::access::get(run, id_of(id)?))
        })
    }

    /// Get a compatibility or personal access token by its text, as `find` does.
    ///
    /// Needs `tokens:read`. Fails with `token.not_found`, `token.unsupported`.
    ///
    /// ```rhai
    /// try { tokens::get(passwords::generate()); } catch (error) { say(error_code(error)); }
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_by_text(context: NativeCallContext, text: Secret) -> Scripted<AccessToken> {
        call(&context, READ, |run| {
            run.wait(operations::tokens::access::get_by_text(run, text.text()))
        })
    }

    /// Find the compatibility or personal access token that a text is, or whose refresh token it is; `()` if there is
    /// none.
    ///
    /// Needs `tokens:read`. Fails with `token.unsupported` for a token of an OAuth 2.0 session.
    ///
    /// ```rhai
    /// if tokens::find(passwords::generate()) == () { say("a password is no token"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find(context: NativeCallContext, text: Secret) -> Scripted<Perhaps<AccessToken>> {
        let token = call(&context, READ, |run| {
            run.wait(operations::tokens::access::find(run, text.text()))
        })?;
        Ok(or_unit(token.map(Dynamic::from)))
    }

    /// Revoke an access token for good: its session ends, and the device of the session is removed.
    ///
    /// A token that is revoked already, or that has expired and was replaced by another, is left as it is.
    ///
    /// Needs `tokens:write`. Fails with `token.not_found`.
    ///
    /// ```rhai
    /// tokens::get("01HV0000000000000000000T01").revoke();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn revoke(context: NativeCallContext, token: &mut AccessToken) -> Scripted<AccessToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::access::revoke(run, token))
        })
    }

    /// Put another access token in the place of one, in the same session, so that its device stays.
    ///
    /// The old token is not valid any more, nor are other tokens of the session. The new one is shown once if the script
    /// returns it.
    ///
    /// Options: `expires_in` in seconds, or `never_expires: true`; as long as the old one was valid in all if left out.
    ///
    /// Needs `tokens:write`. Fails with `token.not_found`, `token.revoked`, `user.inactive`, `value.invalid`.
    ///
    /// ```rhai
    /// let rotated = tokens::get("01HV0000000000000000000T01").rotate(#{ expires_in: 3600 });
    /// say(rotated.expires_at);
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn rotate(context: NativeCallContext, token: &mut AccessToken, options: Map) -> Scripted<RotatedToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::rotate(run, token, wishes::lifetime(options)?))
        })
    }

    /// List registration tokens, oldest first, with their texts.
    ///
    /// Options: `valid` for those with which somebody can register now, or those with which nobody can; `used`; `revoked`;
    /// `expires_before`, or `expires_within` so many seconds from now; `limit`. The list is read page by page while it is walked.
    ///
    /// Needs `tokens:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// for token in tokens::list_registration(#{ valid: true }) { say(`${token.token}: ${token.times_used}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list_registration(context: NativeCallContext, options: Map) -> Scripted<RegistrationTokens> {
        let (filter, now, limit) = call(&context, READ, |run| {
            let (mut options, limit) = Options::of_list(options, &wishes::REGISTRATION)?;
            let now = run.world().now();
            Ok((wishes::registration_filter(&mut options, now)?, now, limit))
        })?;
        let run = run_of(&context)?;
        Ok(RegistrationTokens::new(run, limit, move |run, last, most| {
            let after = last.map(|token: &RegistrationToken| token.id);
            run.wait(operations::tokens::registration::page(run, &filter, now, after, most))
        }))
    }

    /// Count registration tokens. Takes the options of `list_registration` but `limit`.
    ///
    /// Needs `tokens:read`. Fails with `value.invalid`.
    ///
    /// ```rhai
    /// say(tokens::count_registration(#{ used: false }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count_registration(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let mut options = Options::new(options, &wishes::REGISTRATION)?;
            let now = run.world().now();
            let filter = wishes::registration_filter(&mut options, now)?;
            run.wait(operations::tokens::registration::count(run, &filter, now))
        })
    }

    /// Get a registration token by its text, or else by its id.
    ///
    /// Needs `tokens:read`. Fails with `token.not_found`.
    ///
    /// ```rhai
    /// say(tokens::get_registration("welcome").times_used);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get_registration(context: NativeCallContext, token: &str) -> Scripted<RegistrationToken> {
        call(&context, READ, |run| {
            run.wait(operations::tokens::registration::get(run, token))
        })
    }

    /// Change how often a registration token can be used, or until when.
    ///
    /// Options: `usage_limit` or `unlimited: true`; `expires_in` in seconds from now, `expires_at` or
    /// `never_expires: true`. What is left out stays as it is.
    ///
    /// Needs `tokens:write`. Fails with `token.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// tokens::get_registration("welcome").edit(#{ usage_limit: 10, never_expires: true });
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "edit")]
    pub fn edit_registration(
        context: NativeCallContext,
        token: &mut RegistrationToken,
        options: Map,
    ) -> Scripted<RegistrationToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::registration::edit(
                run,
                token,
                wishes::edit(options)?,
            ))
        })
    }

    /// Revoke a registration token, so that nobody can register with it.
    ///
    /// Needs `tokens:write`. Fails with `token.not_found`.
    ///
    /// ```rhai
    /// tokens::get_registration("welcome").revoke();
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "revoke")]
    pub fn revoke_registration(
        context: NativeCallContext,
        token: &mut RegistrationToken,
    ) -> Scripted<RegistrationToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::registration::revoke(run, token))
        })
    }

    /// Take back that a registration token was revoked.
    ///
    /// Needs `tokens:write`. Fails with `token.not_found`.
    ///
    /// ```rhai
    /// tokens::get_registration("welcome").revoke().unrevoke();
    /// ```
    #[rhai_fn(global, return_raw, pure)]
    pub fn unrevoke(context: NativeCallContext, token: &mut RegistrationToken) -> Scripted<RegistrationToken> {
        call(&context, WRITE, |run| {
            run.wait(operations::tokens::registration::unrevoke(run, token))
        })
    }
}
