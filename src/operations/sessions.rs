//! Sessions of all four kinds.

use super::{Action, Change, Run, jobs::NewJob, users};
use crate::{
    error::Result,
    model::User,
    storage::sessions::{Kind, actors_of_owned_sessions, sessions_end},
};

const KILL: Action = Action::new("user.kill_sessions", "Ended", "end");

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
}

/// Ends all active sessions of a user, and queues the job that removes their devices: also those of others as whom the
/// user's personal sessions act.
///
/// # Errors
/// `user.not_found`.
pub async fn kill(run: &Run, user: &User) -> Result<Ended> {
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        let (now, _) = deed.new_row();
        let actors = actors_of_owned_sessions(deed.store(), user.id).await?;
        let ended = Ended {
            compatibility: sessions_end(deed.store(), Kind::Compatibility, user.id, now).await?,
            oauth: sessions_end(deed.store(), Kind::OAuth, user.id, now).await?,
            browser: sessions_end(deed.store(), Kind::Browser, user.id, now).await?,
            personal: sessions_end(deed.store(), Kind::Personal, user.id, now).await?,
        };
        if ended.total() == 0 {
            deed.note(format!("{} has no active session", user.username));
        } else {
            deed.changed(
                Change::of(KILL, (&user).into())
                    .said(format!(
                        "{} of {} ({})",
                        users::counted(ended.total(), "session"),
                        user.username,
                        kinds(&ended)
                    ))
                    .after("finished_at", now)
                    .after("ended", ended),
            );
        }
        deed.queue(NewJob::sync_devices(user.id)).await?;
        for actor in actors {
            deed.queue(NewJob::sync_devices(actor)).await?;
        }
        Ok(ended)
    })
    .await
}

/// "1 compatibility, 2 browser": the kinds of which there were any.
fn kinds(ended: &Ended) -> String {
    let counts = [
        (ended.compatibility, "compatibility"),
        (ended.oauth, "OAuth 2.0"),
        (ended.browser, "browser"),
        (ended.personal, "personal"),
    ];
    let any: Vec<_> = counts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, kind)| format!("{n} {kind}"))
        .collect();
    any.join(", ")
}
