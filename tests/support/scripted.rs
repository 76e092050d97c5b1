//! A script of a test's, run inside of the test process as the binary runs one.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use masctl::{
    capability::{Capability, Narrowing, Need},
    config::{Configuration, Environment},
    console::{Console, Rows},
    error::{Code, Error, Result},
    host::{
        Outcome, Script,
        arguments::{Arguments, Value},
        execute,
        repl::{
            Mode, Session, Setup,
            plan::{Execution, Planned, execute_script},
        },
    },
    operations::{Interrupt, Keeper, Parts, Plan, World},
    storage,
};
use secrecy::SecretString;
use tokio::runtime::Runtime;

use super::{
    cast,
    homeserver::Homeserver,
    sandbox::Sandbox,
    store::{OpenStore, Store},
};

/// A store with the cast in it, and what was said to the person.
pub(crate) struct Stage {
    pub(crate) store: OpenStore,
    pub(crate) interrupt: Arc<Interrupt>,
    sandbox: Sandbox,
    said: Arc<Said>,
    runtime: Arc<Runtime>,
    world: AtomicU32,
}

impl Stage {
    /// Makes the store. `settings` are added to its configuration.
    pub(crate) fn open(kind: Store, name: &str, settings: &str) -> Self {
        let sandbox = Sandbox::new();
        let store = OpenStore::configured(kind, name, &sandbox);
        sandbox.write("settings.yaml", settings);
        let stage = Self {
            store,
            interrupt: Arc::default(),
            sandbox,
            said: Arc::default(),
            runtime: Arc::new(Runtime::new().expect("the system starts threads")),
            world: AtomicU32::new(1),
        };
        let database = stage.configuration().database().expect("the store has written it");
        stage.runtime.block_on(async {
            let connection = storage::open(&database).await.expect("the store is fresh");
            connection.close().await;
        });
        stage.rows(&cast::sql());
        if let Some(homeserver) = stage.store.homeserver() {
            homeserver.add_users(["alice", "bob", "carol", "dave"]);
        }
        stage
    }

    /// Runs SQL and returns its rows, one line each.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.store.query(sql);
        rows.unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// What the homeserver was asked since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        self.store
            .homeserver()
            .map(Homeserver::take_requests)
            .unwrap_or_default()
    }

    /// What the person was told since the last call, warnings marked as such.
    pub(crate) fn take_said(&self) -> Vec<String> {
        self.said.take()
    }

    /// Runs the statements of `main(args)` with these capabilities and secret arguments, the first time in the fixed
    /// world 1, then in the next.
    pub(crate) fn run(&self, needs: &[&str], secrets: &[(&str, &str)], body: &str) -> Result<Outcome> {
        self.run_as(false, needs, secrets, body)
    }

    /// As [`run`](Self::run), but takes everything back at the end if `dry_run`.
    pub(crate) fn run_as(
        &self,
        dry_run: bool,
        needs: &[&str],
        secrets: &[(&str, &str)],
        body: &str,
    ) -> Result<Outcome> {
        self.perform(self.next_world(), dry_run, needs, secrets, body, None)
    }

    /// As [`run`](Self::run), but in the real world.
    pub(crate) fn run_now(&self, needs: &[&str], body: &str) -> Result<Outcome> {
        self.perform(World::system(), false, needs, &[], body, None)
    }

    /// As [`run`](Self::run), but shows a list while it is read.
    pub(crate) fn run_into(&self, rows: &mut dyn Rows, needs: &[&str], body: &str) -> Result<Outcome> {
        self.perform(self.next_world(), false, needs, &[], body, Some(rows))
    }

    /// A session at a prompt, in the next fixed world.
    pub(crate) fn session(&self, mode: Mode) -> Session {
        let configuration = self.configuration();
        let database = configuration.database().expect("the store has written it");
        let keeper = Keeper::new(
            &configuration,
            database.clone(),
            self.runtime.clone(),
            Duration::from_mins(5),
        );
        let setup = Setup {
            database,
            configuration: Arc::new(configuration),
            homeserver: None,
            narrowing: Narrowing::default(),
            console: self.said.clone(),
            world: self.next_world(),
            keeper: Arc::new(keeper.expect("the configuration is right")),
        };
        Session::new(setup, mode)
    }

    fn next_world(&self) -> World {
        World::fixed(self.world.fetch_add(1, Ordering::Relaxed))
    }

    fn perform(
        &self,
        world: World,
        dry_run: bool,
        needs: &[&str],
        secrets: &[(&str, &str)],
        body: &str,
        rows: Option<&mut dyn Rows>,
    ) -> Result<Outcome> {
        let script = script(needs, body)?;
        let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Value::Secret((*text).into()));
        let arguments = Arguments {
            values: secrets.iter().map(secret).collect(),
            warnings: Vec::new(),
        };
        let parts = Parts {
            world,
            dry_run,
            ..self.parts(needs)?
        };
        execute(&script, &arguments, parts, rows)
    }

    /// Runs the statements of `main(args)` once, shows `ask` what they would change, and runs them again if it says so.
    /// `person` is at the terminal; nobody is if there is none.
    pub(crate) fn plan(
        &self,
        person: Option<Arc<dyn Console>>,
        needs: &[&str],
        body: &str,
        ask: impl FnOnce(&Plan) -> Result<bool>,
    ) -> Result<Planned<Outcome>> {
        let script = script(needs, body)?;
        let person = person.unwrap_or_else(|| self.said.clone());
        let start = |execution: Execution| execution.start(self.parts(needs).expect("they were made before"));
        execute_script(
            &script,
            &Arguments::default(),
            &self.next_world(),
            person,
            start,
            ask,
            None,
        )
    }

    fn parts(&self, needs: &[&str]) -> Result<Parts> {
        let configuration = self.configuration();
        let needed = needs.iter().map(|need| need.parse::<Need>().expect("it is one"));
        Ok(Parts {
            database: configuration.database()?,
            configuration: Arc::new(configuration),
            capabilities: needed.collect(),
            console: self.said.clone(),
            world: World::fixed(0),
            dry_run: false,
            runtime: self.runtime.clone(),
            interrupt: self.interrupt.clone(),
        })
    }

    /// Writes a file beside the configuration, and returns where it is.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        self.sandbox.write(name, text);
        self.sandbox.path().join(name)
    }

    fn configuration(&self) -> Configuration {
        let environment = Environment::new(
            [("HOME", self.sandbox.path().display().to_string())],
            self.sandbox.path(),
        );
        let files = ["config.yaml", "settings.yaml"].map(PathBuf::from);
        Configuration::load(&files, &environment).expect("the files are there")
    }
}

fn script(needs: &[&str], body: &str) -> Result<Script> {
    let source = format!(
        "//! A script of a test's\n//! ---\n//! needs: [{}]\nfn main(args) {{\n{body}\n}}\n",
        needs.join(", ")
    );
    let mut script = Script::new("test", "test.rhai", &source)?;
    // As what ships: its header does not declare what it is given.
    script.origin = masctl::host::Origin::Shipped;
    Ok(script)
}

/// Runs the statements of `main(args)` on the store that the configuration in a folder names.
pub(crate) fn run_in(folder: &Path, needs: &str, body: &str) -> Result<Outcome> {
    let source = format!("//! A script of a test's\n//! ---\n//! needs: [{needs}]\nfn main(args) {{\n{body}\n}}\n");
    let environment = Environment::new([("HOME", folder.display().to_string())], folder);
    let configuration = Configuration::load(&[], &environment)?;
    let parts = Parts {
        database: configuration.database()?,
        configuration: Arc::new(configuration),
        capabilities: [needs.parse::<Capability>()?].into_iter().collect(),
        console: Arc::<Said>::default(),
        world: World::fixed(0),
        dry_run: false,
        runtime: Arc::new(Runtime::new().expect("the system starts threads")),
        interrupt: Arc::default(),
    };
    execute(
        &Script::new("test", "test.rhai", &source)?,
        &Arguments::default(),
        parts,
        None,
    )
}

/// A person who listens and is never asked.
#[derive(Default)]
pub(crate) struct Said(Mutex<Vec<String>>);

impl Said {
    /// What they were told since the last call, warnings marked as such.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines())
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nobody<T>() -> Result<T> {
    Err(Error::new(Code::InputNotInteractive, "nobody is there"))
}

impl Console for Said {
    fn say(&self, message: &str) {
        self.lines().push(message.to_owned());
    }

    fn insist(&self, message: &str) {
        self.say(message);
    }

    fn warn(&self, message: &str) {
        self.lines().push(format!("Warning: {message}"));
    }

    fn name_store(&self, _: &str, _: bool) {}

    fn interactive(&self) -> bool {
        false
    }

    fn ask(&self, _: &str, _: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        nobody()
    }

    fn ask_secret(&self, _: &str, _: bool) -> Result<SecretString> {
        nobody()
    }

    fn choose(&self, _: &str, _: &[String]) -> Result<usize> {
        nobody()
    }

    fn confirm(&self, _: &str, _: bool) -> Result<bool> {
        nobody()
    }

    fn read_secret(&self) -> Result<SecretString> {
        nobody()
    }

    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}
}
