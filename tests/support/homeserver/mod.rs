//! A Synapse for the server `example.com` that answers what masctl asks as Synapse 1.163 does, and remembers it.

mod body;
mod synapse;

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use self::{body::refusal, synapse::Synapse};
use super::wait_for;

/// What MAS and the homeserver share.
pub(crate) const SECRET: &str = "homeserver-secret";

/// A localpart that someone has.
pub(crate) const TAKEN: &str = "taken";

/// A device that the homeserver fails to make.
pub(crate) const BROKEN: &str = "BROKEN";

/// A user, of whom the homeserver can change nothing.
pub(crate) const BROKEN_USER: &str = "broken";

/// Where the redirects of [`Mood::Elsewhere`] lead to.
pub(crate) const ELSEWHERE: &str = "http://elsewhere.invalid";

/// How it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As Synapse.
    #[default]
    Healthy,
    /// With status 500, always.
    Broken,
    /// With the page of a proxy that has no Synapse behind it.
    Down,
    /// With the page that some web servers have for every path.
    Page,
    /// With a redirect.
    Elsewhere,
    /// Not at all, for longer than anybody waits.
    Silent,
}

impl Mood {
    /// The mood that a transcript calls so.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let moods = [
            ("healthy", Self::Healthy),
            ("broken", Self::Broken),
            ("down", Self::Down),
            ("page", Self::Page),
            ("elsewhere", Self::Elsewhere),
            ("silent", Self::Silent),
        ];
        moods.iter().find(|(name, _)| *name == word).map(|(_, mood)| *mood)
    }

    fn answer(self, request: &Request) -> Option<ResponseTemplate> {
        let page = |status| ResponseTemplate::new(status).set_body_raw("<html>Welcome</html>", "text/html");
        match self {
            Self::Healthy => None,
            Self::Broken => Some(*refusal(500, "M_UNKNOWN", "Internal server error")),
            Self::Down => Some(page(502)),
            Self::Page => Some(page(200)),
            Self::Elsewhere => {
                let location = format!("{ELSEWHERE}{}", request.url.path());
                Some(ResponseTemplate::new(307).insert_header("location", location))
            }
            Self::Silent => Some(ResponseTemplate::new(200).set_delay(Duration::from_hours(1))),
        }
    }
}

/// A homeserver that remembers what it was asked.
pub(crate) struct Homeserver {
    server: MockServer,
    state: Shared,
}

type Shared = Arc<Mutex<State>>;

#[derive(Default)]
struct State {
    requests: Vec<String>,
    mood: Mood,
    synapse: Synapse,
}

impl Homeserver {
    /// Starts one on a free port of 127.0.0.1. Of users it has none but [`TAKEN`] and [`BROKEN_USER`].
    pub(crate) fn start() -> Self {
        let state = Shared::default();
        let recorder = Recorder(Arc::clone(&state));
        let server = wait_for(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(recorder).mount(&server).await;
            server
        });
        Self { server, state }
    }

    /// Its base URL, with the final slash.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}/", self.server.uri())
    }

    /// What was asked since the last call: a line `METHOD path?query body` for each request.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        mem::take(&mut lock(&self.state).requests)
    }

    /// Makes users, as if MAS had done so before.
    pub(crate) fn add_users<'a>(&self, localparts: impl IntoIterator<Item = &'a str>) {
        let mut state = lock(&self.state);
        for localpart in localparts {
            state.synapse.add(localpart);
        }
    }

    /// What it knows of its users, a line for each.
    pub(crate) fn users(&self) -> Vec<String> {
        lock(&self.state).synapse.lines()
    }

    /// From now on it answers so.
    pub(crate) fn set_mood(&self, mood: Mood) {
        lock(&self.state).mood = mood;
    }
}

struct Recorder(Shared);

impl Respond for Recorder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body);
        let line = format!("{} {}{query} {body}", request.method, request.url.path());
        let mut state = lock(&self.0);
        state.requests.push(line.trim_end().to_owned());
        let mood = state.mood;
        mood.answer(request).unwrap_or_else(|| state.synapse.answer(request))
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
