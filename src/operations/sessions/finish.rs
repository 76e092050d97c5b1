//! The end of sessions: of one, of all of an account, of all that fit a filter.

use std::collections::BTreeSet;

use super::{named, not_found};
use crate::{
    error::{Code, Error, Result, counted, listed},
    model::{Id, Session, SessionKind, Time, User},
    operations::{Action, Change, Deed, MOST_SUBJECTS, Run, Subject, jobs::NewJob, sentence::moment, users},
    storage::{self, sessions::Filter},
};

const KILL: Action = Action::new("user.kill_sessions", "Ended", "end");
const FINISH: Action = Action::new("session.finish", "Ended", "end");
const FINISH_ALL: Action = Action::new("sessions.finish", "Ended", "end");

/// The order in which MAS notes that sessions were used, and deactivates: who takes rows in another one could wait for MAS
/// while MAS waits for them.
const LOCK_ORDER: [SessionKind; 4] = [
    SessionKind::Browser,
    SessionKind::OAuth,
    SessionKind::Compatibility,
    SessionKind::Personal,
];

/// The order in which they are counted.
const ORDER: [SessionKind; 4] = [
    SessionKind::Compatibility,
    SessionKind::OAuth,
    SessionKind::Browser,
    SessionKind::Personal,
];

/// The parts of a filter, as scripts name them.
pub const PARTS: [&str; 10] = [
    "user",
    "kind",
    "client",
    "device",
    "active_after",
    "active_before",
    "created_after",
    "created_before",
    "ip",
    "user_agent",
];

/// The most sessions that may be kept by their ids.
const MOST_KEPT: usize = 1000;

/// How many sessions of each kind were ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Ended {
    /// Matrix clients that logged in the old way.
    pub compatibility: u64,
    /// Clients that logged in by OAuth 2.0.
    pub oauth: u64,
    /// Browsers at MAS's own pages.
    pub browser: u64,
    /// Personal access tokens, acting as or owned by the user.
    pub personal: u64,
}

impl Ended {
    /// Of all kinds.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.compatibility + self.oauth + self.browser + self.personal
    }

    const fn of(&mut self, kind: SessionKind) -> &mut u64 {
        match kind {
            SessionKind::Browser => &mut self.browser,
            SessionKind::Compatibility => &mut self.compatibility,
            SessionKind::OAuth => &mut self.oauth,
            SessionKind::Personal => &mut self.personal,
        }
    }
}

/// What came of ending many sessions.
#[derive(Default)]
struct Done {
    ended: Ended,
    /// The first sessions.
    first: Vec<Subject>,
    /// The accounts whose devices go with the sessions: sixteen bytes for each are kept.
    users: BTreeSet<Id>,
}

/// Ends a session, and queues the job that removes its device. The tokens of a personal session are revoked with it, as
/// MAS does; all others are valid as long as their session is active.
///
/// # Errors
/// `session.not_found`.
pub async fn finish(run: &Run, session: &Session) -> Result<Session> {
    let (kind, id) = (session.kind, session.id);
    run.write(async |deed| {
        let before = storage::sessions::session_for_change(deed.store(), kind, id).await?;
        let before = before.ok_or_else(|| not_found(id))?;
        let (now, _) = deed.new_row();
        if let Some(since) = before.finished_at {
            deed.note(format!("The session {id} has ended already, at {}", moment(since)));
        } else {
            storage::sessions::session_end(deed.store(), kind, id, now).await?;
            if kind == SessionKind::Personal {
                storage::personal_tokens::personal_tokens_revoke(deed.store(), id, now).await?;
            }
        }
        let after = named(deed.store(), id).await?.ok_or_else(|| not_found(id))?;
        if before.finished_at.is_none() {
            deed.changed(
                Change::of(FINISH, Subject::from(&after))
                    .said(sentence(&after))
                    .before(kind.end(), before.finished_at)
                    .after(kind.end(), after.finished_at),
            );
        }
        if let Some(user) = after.user_id.filter(|_| kind.has_devices()) {
            deed.queue(NewJob::sync_devices(user)).await?;
        }
        Ok(after)
    })
    .await
}

/// Ends all active sessions of a user that fit, and queues the job that removes their devices: also those of others as
/// whom the user's personal sessions act. The job is queued also if there was nothing to end, as mas-cli does, unless
/// only browsers are meant, which have no devices.
///
/// # Errors
/// `user.not_found`; `session.not_active` for one that is to be kept and that the user does not have.
pub async fn kill(run: &Run, user: &User, filter: Filter) -> Result<Ended> {
    let filter = Filter {
        user: Some(user.id),
        ..filter
    };
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        check_kept(deed, &filter.except, Some(&user)).await?;
        let (now, _) = deed.new_row();
        let done = end_all(deed, &filter, now).await?;
        if done.ended.total() == 0 {
            let all = filter == of_user(user.id);
            deed.note(format!(
                "{} has no active session{}",
                user.username,
                if all { "" } else { " that fits" }
            ));
        } else {
            let change = Change::of(KILL, (&user).into())
                .said(format!(
                    "{} of {} ({})",
                    counted(done.ended.total(), "session"),
                    user.username,
                    kinds(&done.ended)
                ))
                .after("finished_at", now)
                .after("ended", done.ended);
            deed.changed(change);
        }
        if filter.kind.is_none_or(SessionKind::has_devices) {
            deed.queue(NewJob::sync_devices(user.id)).await?;
        }
        for &actor in done.users.iter().filter(|&&actor| actor != user.id) {
            deed.queue(NewJob::sync_devices(actor)).await?;
        }
        Ok(done.ended)
    })
    .await
}

/// Ends all active sessions that fit, and queues one job for each account whose devices go with them.
///
/// # Errors
/// `value.invalid` for a filter that every session fits; `session.not_active` for one that is to be kept.
pub async fn finish_all(run: &Run, filter: Filter) -> Result<Ended> {
    let everything = Filter {
        except: filter.except.clone(),
        ..Filter::default()
    };
    if filter == everything {
        return Err(
            Error::new(Code::ValueInvalid, "Without a filter, every session there is would end")
                .help(format!("Say which are meant, by at least one of {}.", listed(&PARTS))),
        );
    }
    run.write(async |deed| {
        check_kept(deed, &filter.except, None).await?;
        let (now, _) = deed.new_row();
        let done = end_all(deed, &filter, now).await?;
        let count = done.ended.total();
        if count == 0 {
            deed.note("No active session fits");
        } else {
            deed.changed(
                Change::of_many(FINISH_ALL, count, done.first)
                    .said(format!("{} ({})", counted(count, "session"), kinds(&done.ended)))
                    .after("finished_at", now)
                    .after("ended", done.ended),
            );
        }
        deed.queue_for_each(&Vec::from_iter(done.users), NewJob::sync_devices)
            .await?;
        Ok(done.ended)
    })
    .await
}

fn of_user(user: Id) -> Filter {
    Filter {
        user: Some(user),
        ..Filter::default()
    }
}

/// Refuses to keep what is no active session, of this account if one is given: whoever mistypes an id would see end
/// what was to go on.
async fn check_kept(deed: &mut Deed<'_>, kept: &[Id], user: Option<&User>) -> Result<()> {
    if kept.len() > MOST_KEPT {
        let message = format!("At most {MOST_KEPT} sessions can be kept by their ids");
        return Err(Error::new(Code::ValueInvalid, message));
    }
    let mut wrong = Vec::new();
    for &id in kept {
        let found = storage::sessions::session(deed.store(), id).await?;
        let is_right = found
            .is_some_and(|session| session.finished_at.is_none() && user.is_none_or(|user| session.is_of(user.id)));
        if !is_right {
            wrong.push(id.to_string());
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let of_user = user.map_or_else(String::new, |user| format!(" of {}", user.username));
    let option = user.map_or_else(String::new, |user| format!(" --user {}", user.username));
    let what = match wrong.len() {
        1 => format!("is no active session{of_user}, and cannot"),
        _ => format!("are no active sessions{of_user}, and cannot"),
    };
    Err(
        Error::new(Code::SessionNotActive, format!("{} {what} be kept", listed(&wrong)))
            .help(format!(
                "Nothing was ended. `masctl manage list-sessions{option} --status active` shows the ids."
            ))
            .data("sessions", wrong),
    )
}

/// Ends the active sessions that fit, window by window, so that memory does not grow with them.
async fn end_all(deed: &mut Deed<'_>, filter: &Filter, now: Time) -> Result<Done> {
    let mut done = Done::default();
    for kind in LOCK_ORDER {
        let mut next = Some(Id::least());
        while let Some(after) = next {
            let (ended, more) = storage::sessions::sessions_finish(deed.store(), filter, kind, after, now).await?;
            next = more;
            *done.ended.of(kind) += ended.len() as u64;
            deed.keep_things(ended.iter().map(|&(id, _)| id));
            let named = MOST_SUBJECTS.saturating_sub(done.first.len());
            done.first.extend(ended.iter().take(named).map(|&(id, _)| Subject {
                kind: kind.noun(),
                id: Some(id),
                name: None,
            }));
            if kind.has_devices() {
                done.users.extend(ended.into_iter().filter_map(|(_, user)| user));
            }
            if more.is_some() {
                deed.run()
                    .console()
                    .progress("Ending sessions", done.ended.total(), None);
            }
        }
    }
    Ok(done)
}

impl From<&Session> for Subject {
    fn from(session: &Session) -> Self {
        Self {
            kind: session.kind.noun(),
            id: Some(session.id),
            name: session.name.clone(),
        }
    }
}

/// "the compatibility session 01… of alice, device PHONE".
fn sentence(session: &Session) -> String {
    let of = match (&session.user, session.client.as_ref(), session.client_id) {
        (Some(user), ..) => format!(" of {user}"),
        (None, Some(client), _) => format!(" of the client {client}"),
        (None, None, Some(client)) => format!(" of the client {client}"),
        (None, None, None) => String::new(),
    };
    let device = session.device_id.as_ref();
    let device = device.map_or_else(String::new, |device| format!(", device {device}"));
    format!("the {} session {}{of}{device}", session.kind.label(), session.id)
}

/// "1 compatibility, 2 browser": the kinds of which there were any.
fn kinds(ended: &Ended) -> String {
    let mut counts = *ended;
    let any: Vec<_> = ORDER
        .into_iter()
        .map(|kind| (*counts.of(kind), kind.label()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    any.join(", ")
}
