//! `testing::run`: a test runs a script as its command does.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{
    capability::{Granted, Narrowing},
    config::{Configuration, Database},
    console::Console,
    error::{Code, Error, Result, nearest, shortened},
    homeserver::FakeHomeserver,
    host::{
        arguments::{self, Arguments, Given, Sources, Stdin},
        capabilities, catalogue,
        engine::Limits,
        execute::execute_run,
        script::{self, Script},
    },
    operations::{
        Interrupt, Parts, Report, Run, Standstill, World,
        testing::{Call, SERVER_NAME, Said},
    },
};

/// Runs scripts in one test.
pub(super) struct Performer {
    /// The folder of the test: scripts are in it or below it.
    pub(super) folder: PathBuf,
    pub(super) configuration: Arc<Configuration>,
    pub(super) database: Database,
    pub(super) homeserver: Arc<FakeHomeserver>,
    pub(super) clock: Standstill,
    pub(super) said: Arc<Said>,
    pub(super) interrupt: Arc<Interrupt>,
    pub(super) runtime: Arc<Runtime>,
    pub(super) limits: Limits,
}

impl Performer {
    /// What a run in the test is made of.
    pub(super) fn parts(&self, capabilities: Granted, dry_run: bool) -> Parts {
        Parts {
            configuration: self.configuration.clone(),
            database: self.database.clone(),
            capabilities,
            console: self.said.clone(),
            world: World::standing(&self.clock),
            dry_run,
            runtime: self.runtime.clone(),
            interrupt: Arc::new(self.interrupt.part()),
        }
    }

    /// Runs a script.
    ///
    /// # Errors
    /// What it fails with, and what fails after its commit.
    pub(super) fn perform(&self, call: &Call) -> Result<Value> {
        let script = self.find(&call.script)?;
        let arguments = self.arguments(&script, call)?;
        let parts = self.parts(
            capabilities::granted(&script, &arguments, Narrowing::default()),
            call.dry_run,
        );
        let run = Run::in_test(parts, self.homeserver.clone());
        let outcome = execute_run(&script, &arguments, run, !call.dry_run, &self.limits, None)?;
        self.tell(&outcome.report);
        match outcome.report.failure {
            Some(error) => Err(error),
            None => Ok(outcome.result),
        }
    }

    /// What people see of what was done.
    fn tell(&self, report: &Report) {
        for change in &report.changes {
            self.said.say(&change.sentence(report.dry_run));
        }
        for note in &report.notes {
            self.said.say(note);
        }
        if report.dry_run {
            self.said.say("Dry run: nothing was changed");
        }
    }

    /// The script that is meant by a name: `./NAME` or that of a shipped command.
    fn find(&self, name: &str) -> Result<Script> {
        let Some(file) = name.strip_prefix("./") else {
            let found = catalogue::manage_scripts(|known| known == name)?;
            return found.into_iter().next().ok_or_else(|| unknown(name));
        };
        let file = script::file_beside(file).ok_or_else(|| unknown(name))?;
        // `./a.rhai` is written `a.rhai`.
        let path = if self.folder == Path::new(".") {
            file
        } else {
            self.folder.join(file)
        };
        if !path.is_file() {
            let message = format!("There is no script `{}`", path.display());
            return Err(Error::new(Code::ScriptNotFound, message));
        }
        if !is_below(&path, &self.folder) {
            return Err(unknown(name));
        }
        Script::read(&path)
    }

    /// The arguments by the rules of the script's header.
    fn arguments(&self, script: &Script, call: &Call) -> Result<Arguments> {
        let header = &script.header;
        let invalid = |name: &str, problem: &str| Error::new(Code::ArgumentInvalid, format!("`{name}` {problem}"));
        let mut given = BTreeMap::new();
        for (name, texts) in &call.arguments {
            let param = header.param(name).ok_or_else(|| {
                let known: Vec<&str> = header.params.iter().map(|param| param.name.as_str()).collect();
                let help = match nearest(name, &known) {
                    Some(nearest) => format!("Did you mean `{nearest}`?"),
                    None => format!("Its parameters are {}.", known.join(", ")),
                };
                invalid(name, &format!("is no parameter of {}", script.label)).help(help)
            })?;
            if texts.len() > 1 && !param.repeated {
                return Err(invalid(name, "takes one value, not a list"));
            }
            let values = texts.iter().map(|text| arguments::parse(param, text.expose_secret()));
            let flag = values
                .collect::<Result<_, _>>()
                .map_err(|problem| invalid(name, &problem))?;
            let flag = Given {
                flag,
                ..Given::default()
            };
            given.insert(name.clone(), flag);
        }
        let sources = Sources {
            console: &*self.said,
            stdin: Stdin::Free,
            prompt: false,
            variable: &|_| None,
        };
        let mut arguments = arguments::collect(&header.params, given, &sources)?;
        arguments.reduce_users(&header.params, SERVER_NAME)?;
        Ok(arguments)
    }
}

/// Whether a file is in a folder or below it, also where links are followed.
fn is_below(path: &Path, folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    matches!((real(path), real(folder)), (Some(path), Some(folder)) if path.starts_with(&folder))
}

fn unknown(name: &str) -> Error {
    let shown = shortened(name, 80);
    Error::new(Code::ScriptNotFound, format!("A test cannot run `{shown}`"))
        .help("`./NAME` is the file NAME.rhai beside the test or in a folder below; a name alone is that of a shipped command.")
}
