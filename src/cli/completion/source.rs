//! Values from the database, if there is one and it answers at once. Who asks is a prompt: there is no error.

use std::{
    path::PathBuf,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use clap_complete::CompletionCandidate;

use crate::{
    cli::terminal,
    config::{self, Configuration, Environment},
    error::Result,
    host::{self, Script, folders},
    model::Id,
    storage::{self, Connection, clients, providers, users},
};

/// How long after the start of the process the database may answer: with printing it stays below 200 ms.
const LIMIT: Duration = Duration::from_millis(180);

/// The most values of one kind.
const MOST: u8 = 100;

/// What the database is asked for: what begins with a text.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// Usernames, or MXIDs if it begins with `@`.
    Users(String),
    /// Ids of providers that can be used, with a text after each.
    Providers(String, &'static str),
    /// Ids of OAuth 2.0 clients.
    Clients(String),
}

/// Where values come from.
#[derive(Debug)]
pub(super) struct Source {
    /// The files of `--config`.
    pub(super) files: Vec<PathBuf>,
    /// When the process started.
    pub(super) started: Instant,
}

impl Source {
    /// The values.
    pub(super) fn ask(&self, question: Question) -> Vec<CompletionCandidate> {
        self.within_the_limit(move |files| read(files, &question))
    }

    /// The operator's own scripts that can be used.
    pub(super) fn scripts(&self) -> Vec<Script> {
        self.within_the_limit(|files| {
            let found = folders::find(&configuration(files)?.script_folders()?);
            Ok(found.into_iter().filter_map(|found| found.script.ok()).collect())
        })
    }

    /// What `read` finds, or nothing after the limit, whatever there is to wait for: a file, a name server, a database.
    fn within_the_limit<T: Send + 'static>(
        &self,
        read: impl FnOnce(&[PathBuf]) -> Result<Vec<T>> + Send + 'static,
    ) -> Vec<T> {
        let (sender, receiver) = mpsc::channel();
        let files = self.files.clone();
        let reading = thread::Builder::new().spawn(move || sender.send(read(&files).unwrap_or_default()));
        match reading {
            // The process ends soon, and the thread with it.
            Ok(_) => receiver
                .recv_timeout(LIMIT.saturating_sub(self.started.elapsed()))
                .unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }
}

fn configuration(files: &[PathBuf]) -> Result<Configuration> {
    config::load_dotenv()?;
    Configuration::load(files, &Environment::current()?)
}

fn read(files: &[PathBuf], question: &Question) -> Result<Vec<CompletionCandidate>> {
    let configuration = configuration(files)?;
    let database = configuration.database()?;
    if !storage::is_made(&database) {
        return Ok(Vec::new());
    }
    host::runtime()?.block_on(async {
        let mut store = storage::open_to_read(&database).await?;
        let answer = answer(&mut store, &configuration, question).await;
        store.close().await;
        answer
    })
}

async fn answer(
    store: &mut Connection,
    configuration: &Configuration,
    question: &Question,
) -> Result<Vec<CompletionCandidate>> {
    match question {
        Question::Users(typed) => usernames(store, configuration, typed).await,
        Question::Providers(typed, after) => {
            let providers = providers::enabled_providers(store).await?;
            let named = providers.into_iter().map(|it| (it.id, it.human_name.or(it.issuer)));
            Ok(ids(named, typed, after))
        }
        Question::Clients(typed) => {
            let Some(before) = last_before(typed) else {
                return Ok(Vec::new());
            };
            let page = clients::client_page(store, &clients::Filter::default(), before, MOST.into()).await?;
            Ok(ids(page.into_iter().map(|client| (client.id, client.name)), typed, ""))
        }
    }
}

async fn usernames(
    store: &mut Connection,
    configuration: &Configuration,
    typed: &str,
) -> Result<Vec<CompletionCandidate>> {
    let (sigil, server, start) = match typed.strip_prefix('@') {
        None => ("", String::new(), typed),
        Some(rest) => {
            let (localpart, server) = rest.split_once(':').unwrap_or((rest, ""));
            let own = configuration.server_name()?;
            if !own.starts_with(server) {
                return Ok(Vec::new());
            }
            ("@", format!(":{own}"), localpart)
        }
    };
    let is_whole = !sigil.is_empty() && typed.contains(':');
    let names = users::usernames_from(store, start, MOST.into()).await?;
    let names = names
        .into_iter()
        .filter(|name| can_be_given(name) && (!is_whole || name.len() == start.len()));
    Ok(names
        .map(|name| CompletionCandidate::new(format!("{sigil}{name}{server}")))
        .collect())
}

/// Whether an argument can be the username: what else looks like an option is one, and like a MXID too.
fn can_be_given(username: &str) -> bool {
    !(username.is_empty() || username.starts_with(['-', '@']) || username.contains(':'))
}

/// The ids that begin with what was typed, in whatever case, each with its name as help.
fn ids(named: impl Iterator<Item = (Id, Option<String>)>, typed: &str, after: &str) -> Vec<CompletionCandidate> {
    let typed = typed.to_ascii_uppercase();
    named
        .map(|(id, name)| (id.to_string(), name))
        .filter(|(id, _)| id.starts_with(&typed))
        .take(MOST.into())
        .map(|(id, name)| {
            let help = name.map(|name| terminal::printable(&name).into());
            CompletionCandidate::new(id + after).help(help)
        })
        .collect()
}

/// The id before the first that begins with a text; `None` if no id does.
fn last_before(typed: &str) -> Option<Id> {
    const LENGTH: usize = 26;
    let first: Id = format!("{typed:0<LENGTH$}").parse().ok()?;
    Some(first.before())
}
