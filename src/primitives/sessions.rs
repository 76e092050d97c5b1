//! `sessions::`: look up sessions of all kinds, and end them.

use std::net::IpAddr;

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Map, Module, NativeCallContext};

use super::{Scripted, call, expose, id_of, lazy::Lazy, options::Options, run_of};
use crate::{
    capability::{Capability, Resource},
    error::{Code, Error, Result},
    model::{Id, Session, SessionKind, User},
    operations::{self, Run, sessions::PARTS},
    storage::sessions::Filter,
};

const READ: Capability = Capability::read(Resource::Sessions);
const WRITE: Capability = Capability::write(Resource::Sessions);

pub(super) type Sessions = Lazy<Session>;

pub(super) fn module() -> Module {
    let mut module = exported_module!(sessions);
    expose::<Session>(&mut module);
    module.set_iterable_result::<Sessions, Session>();
    module
}

/// What `finish` takes has no `active`, since it ends those that are.
fn parts_and(more: &'static str) -> Vec<&'static str> {
    [&PARTS[..], &[more]].concat()
}

/// Which sessions are meant. Accounts and clients must be there.
fn filter(run: &Run, options: &mut Options) -> Result<Filter> {
    let ip = options.text("ip")?.map(|text| {
        text.parse::<IpAddr>()
            .map_err(|_| Error::new(Code::ValueInvalid, format!("`{text}` is not an IP address")))
    });
    let user = options.text("user")?;
    let user_agent = options.text("user_agent")?;
    if user_agent.as_deref() == Some("") {
        return Err(Error::new(
            Code::ValueInvalid,
            "The option `user_agent` cannot be empty",
        ));
    }
    let filter = Filter {
        user: None,
        kind: kind(options)?,
        client: options.id("client")?,
        device: options.text("device")?,
        active: options.bool("active")?,
        active_after: options.time("active_after")?,
        active_before: options.time("active_before")?,
        created_after: options.time("created_after")?,
        created_before: options.time("created_before")?,
        ip: ip.transpose()?,
        user_agent,
        except: kept(options)?,
    };
    run.wait(operations::sessions::filter(run, user.as_deref(), filter))
}

fn kind(options: &mut Options) -> Result<Option<SessionKind>> {
    options.one_of("kind", &SessionKind::ALL.map(|kind| (kind.as_str(), kind)))
}

fn kept(options: &mut Options) -> Result<Vec<Id>> {
    options.list("keep", "a list of the ids of sessions", |item| {
        item.into_string().ok()?.parse().ok()
    })
}

fn kill(context: &NativeCallContext, user: &User, options: Map) -> Scripted<Map> {
    let ended = call(context, WRITE, |run| {
        let mut known = parts_and("keep");
        known.retain(|part| *part != "user");
        let mut options = Options::new(options, &known)?;
        let filter = self::filter(run, &mut options)?;
        run.wait(operations::sessions::kill(run, user, filter))
    })?;
    counts(ended)
}

fn counts(ended: impl serde::Serialize) -> Scripted<Map> {
    Ok(rhai::serde::to_dynamic(ended)?.try_cast().unwrap_or_default())
}

#[export_module]
#[expect(
    clippy::unwrap_used,
    reason = "the macro writes it where a method's receiver has been checked"
)]
mod sessions {
    /// A session of any kind.
    pub type Session = crate::model::Session;

    /// List sessions of all kinds, oldest first.
    ///
    /// Options: `user`, the name of the account as whom they act, or to whom a personal session belongs; `kind`, one of
    /// `browser`, `compatibility`, `oauth`, `personal`; `client`, the id of an OAuth 2.0 client; `device`; `active`,
    /// true or false; `active_after` and `active_before`, by the time of the last use, or of the beginning if there was
    /// none; `created_after` and `created_before`; `ip`; `user_agent`, a part of it in whatever case; `limit`.
    ///
    /// The list is read page by page while it is walked.
    ///
    /// Needs `sessions:read`. Fails with `client.not_found`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// for session in sessions::list(#{ user: "alice", active: true }) { say(`${session.kind} ${session.device_id}`); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn list(context: NativeCallContext, options: Map) -> Scripted<Sessions> {
        let (filter, limit) = call(&context, READ, |run| {
            let (mut options, limit) = Options::of_list(options, &super::parts_and("active"))?;
            Ok((super::filter(run, &mut options)?, limit))
        })?;
        let run = run_of(&context)?;
        Ok(Sessions::new(run, limit, move |run, last, most| {
            run.wait(operations::sessions::page(
                run,
                &filter,
                last.map(|session: &Session| session.id),
                most,
            ))
        }))
    }

    /// Count sessions. Takes the options of `list` but `limit`.
    ///
    /// Needs `sessions:read`. Fails with `client.not_found`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(sessions::count(#{ kind: "browser", active: true }));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn count(context: NativeCallContext, options: Map) -> Scripted<i64> {
        call(&context, READ, |run| {
            let filter = super::filter(run, &mut Options::new(options, &super::parts_and("active"))?)?;
            run.wait(operations::sessions::count(run, &filter))
        })
    }

    /// Get a session of whatever kind by its id.
    ///
    /// Needs `sessions:read`. Fails with `session.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(sessions::get("01HV0000000000000000000B09").user);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<Session> {
        call(&context, READ, |run| {
            run.wait(operations::sessions::get(run, id_of(id)?))
        })
    }

    /// End a session, and queue the job that removes its device. It cannot be undone.
    ///
    /// The tokens of a personal session are revoked with it. One that has ended already is left as it is.
    ///
    /// Needs `sessions:write`. Fails with `session.not_found`.
    ///
    /// ```rhai
    /// let session = sessions::get("01HV0000000000000000000B09").finish();
    /// say(session.finished_at);
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "finish")]
    pub fn finish(context: NativeCallContext, session: &mut Session) -> Scripted<Session> {
        *session = call(&context, WRITE, |run| {
            run.wait(operations::sessions::finish(run, session))
        })?;
        Ok(session.clone())
    }

    /// End every active session that fits, and return how many of each kind there were. It cannot be undone.
    ///
    /// Takes the options of `list` but `active` and `limit`, at least one, and `keep`, a list of the ids of sessions
    /// that go on. For each account whose devices go with its sessions, one job is queued.
    ///
    /// Needs `sessions:write`. Fails with `client.not_found`, `session.not_active`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// let ended = sessions::finish(#{ kind: "browser", user_agent: "Firefox" });
    /// say(ended.browser);
    /// ```
    #[rhai_fn(return_raw, name = "finish")]
    pub fn finish_all(context: NativeCallContext, options: Map) -> Scripted<Map> {
        let ended = call(&context, WRITE, |run| {
            let filter = super::filter(run, &mut Options::new(options, &super::parts_and("keep"))?)?;
            run.wait(operations::sessions::finish_all(run, filter))
        })?;
        super::counts(ended)
    }

    /// End all active sessions of a user, personal ones as well, and return how many of each kind there were.
    ///
    /// Needs `sessions:write`. Fails with `user.not_found`.
    ///
    /// ```rhai
    /// users::get("alice").kill_sessions();
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "kill_sessions")]
    pub fn kill_sessions(context: NativeCallContext, user: &mut User) -> Scripted<Map> {
        super::kill(&context, user, Map::new())
    }

    /// End the active sessions of a user that fit, and return how many of each kind there were.
    ///
    /// Takes the options of `list` but `user`, `active` and `limit`, and `keep`, a list of the ids of sessions that go on.
    /// `active_before` is for those not used since, where one that was never used counts by its beginning.
    ///
    /// Needs `sessions:write`. Fails with `client.not_found`, `session.not_active`, `user.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// users::get("alice").kill_sessions(#{ keep: ["01HV0000000000000000000B09"] });
    /// ```
    #[rhai_fn(global, return_raw, pure, name = "kill_sessions")]
    pub fn kill_sessions_with(context: NativeCallContext, user: &mut User, options: Map) -> Scripted<Map> {
        super::kill(&context, user, options)
    }
}
