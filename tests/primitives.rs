//! The examples of the primitives' help run as they stand, and are denied without the capability that the help names.

use std::{collections::BTreeSet, sync::Arc};

use masctl::{
    capability::{Capability, FileScope, Granted, Narrowing, Need, Resource},
    config::{Configuration, Environment},
    console::Console,
    error::{Code, Error, Result},
    host::{Origin, Script, arguments::Arguments, execute},
    operations::{Interrupt, Parts, World},
    primitives::{Documented, documented, globals},
    storage,
};
use secrecy::SecretString;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::{cast, sandbox::Sandbox, store::OpenStore};

/// A person who gives the first answer to everything, or nobody.
struct Person {
    is_there: bool,
}

impl Person {
    fn answer<T>(&self, answer: T) -> Result<T> {
        if self.is_there {
            Ok(answer)
        } else {
            Err(Error::new(Code::InputNotInteractive, "nobody is there"))
        }
    }
}

impl Console for Person {
    fn say(&self, _: &str) {}

    fn insist(&self, _: &str) {}

    fn warn(&self, _: &str) {}

    fn name_store(&self, _: &str, _: bool) {}

    fn interactive(&self) -> bool {
        self.is_there
    }

    fn ask(&self, _: &str, check: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        let answer = self.answer("erin".to_owned())?;
        check(&answer)?;
        Ok(answer)
    }

    fn ask_secret(&self, _: &str, _: bool) -> Result<SecretString> {
        self.answer("correct horse battery staple".into())
    }

    fn choose(&self, _: &str, _: &[String]) -> Result<usize> {
        self.answer(0)
    }

    fn confirm(&self, _: &str, _: bool) -> Result<bool> {
        self.answer(true)
    }

    fn read_secret(&self) -> Result<SecretString> {
        self.answer("correct horse battery staple".into())
    }

    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}
}

/// The files that the examples read.
const FILES: [(&str, &str); 3] = [
    ("names.txt", "alice\nbob\n"),
    ("people.csv", "username,email\nalice,alice@example.com\n"),
    ("settings.json", r#"{"name": "x"}"#),
];

/// Runs a primitive's example on a store of its own with the cast in it. Returns why it failed.
fn run(
    runtime: &Arc<Runtime>,
    primitive: &Documented,
    granted: &BTreeSet<Capability>,
    narrowing: Narrowing,
    is_there: bool,
) -> Option<Error> {
    let sandbox = Sandbox::new();
    let variables = [
        ("HOME", sandbox.path().to_owned()),
        ("XDG_DATA_HOME", sandbox.data_home()),
    ];
    let variables = variables.map(|(name, path)| (name, path.display().to_string()));
    let configuration = Configuration::load(&[], &Environment::new(variables, sandbox.path())).expect("it is empty");
    let database = configuration.database().expect("it is the embedded store");
    let opened = runtime.block_on(storage::open(&database)).expect("the store is made");
    runtime.block_on(opened.close());
    OpenStore::embedded(&sandbox)
        .query(
            &[
                cast::sql(),
                cast::jobs_sql(),
                cast::sessions_sql("'[]'"),
                cast::tokens_sql(),
                cast::upstream_sql(),
            ]
            .concat(),
        )
        .expect("the cast fits");

    for (name, text) in FILES {
        sandbox.write(name, text);
    }
    // Files are needed by their folder.
    let needs = granted.iter().map(|&capability| match capability {
        Capability::FILES => Need::Files(FileScope::Below(sandbox.path().to_owned())),
        data => data.into(),
    });
    let needs: Vec<Need> = needs.collect();
    let written: Vec<String> = needs.iter().map(ToString::to_string).collect();
    let source = format!(
        "//! Run an example\n//! ---\n//! needs: [{}]\nfn main(args) {{\n{}}}\n",
        written.join(", "),
        primitive.example().unwrap_or_default()
    );
    let parts = Parts {
        configuration: Arc::new(configuration),
        database,
        capabilities: Granted::new(needs.into_iter().collect(), narrowing, |_| Vec::new()),
        console: Arc::new(Person { is_there }),
        world: World::fixed(0),
        dry_run: false,
        runtime: runtime.clone(),
        interrupt: Arc::new(Interrupt::default()),
    };
    // As what ships: nothing checks it before, so that the primitive itself has to.
    let shipped = |script: Script| Script {
        origin: Origin::Shipped,
        ..script
    };
    match Script::new("example", "example.rhai", &source)
        .map(shipped)
        .and_then(|script| execute(&script, &Arguments::default(), parts, None))
    {
        Ok(outcome) => outcome.report.failure,
        Err(error) => Some(error),
    }
}

/// What may be read of MAS's data: everything but `except`.
fn reads(except: Option<Capability>) -> BTreeSet<Capability> {
    let all = Resource::ALL.iter().map(|&resource| Capability::read(resource));
    all.filter(|&capability| Some(capability) != except).collect()
}

fn with_examples() -> Vec<(Documented, Option<Capability>)> {
    let primitives = documented()
        .into_iter()
        .chain(globals())
        .filter(|primitive| primitive.example().is_some())
        // Those run as tests: see tests/testing.rs.
        .filter(|primitive| primitive.namespace != "testing");
    let needed = |primitive: &Documented| {
        let needs = primitive.needs();
        needs.map(|text| {
            text.parse()
                .unwrap_or_else(|error| panic!("{}: {error}", primitive.name))
        })
    };
    primitives
        .map(|primitive| (needed(&primitive), primitive))
        .map(|(needed, primitive)| (primitive, needed))
        .collect()
}

fn name(primitive: &Documented) -> String {
    format!(
        "{}::{}/{}",
        primitive.namespace,
        primitive.name,
        primitive.parameters.len()
    )
}

#[test]
fn every_example_runs_with_what_its_help_says_that_it_needs() {
    let runtime = Arc::new(Runtime::new().expect("the system starts threads"));
    let mut wrong = Vec::new();
    for (primitive, needed) in with_examples() {
        let mut granted = reads(None);
        granted.extend(needed);
        for is_there in [false, true] {
            let failed = run(&runtime, &primitive, &granted, Narrowing::default(), is_there);
            // Its purpose is to fail where a person would have to be asked.
            let expected = (is_there && primitive.name == "require").then_some(Code::ArgumentMissing);
            if failed.as_ref().map(Error::code) != expected {
                wrong.push(format!("{}: {failed:?}", name(&primitive)));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(with_examples().len() > 25, "the primitives have examples");
}

#[test]
fn every_example_is_denied_without_what_its_help_says_that_it_needs() {
    let runtime = Arc::new(Runtime::new().expect("the system starts threads"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (primitive, needed) in with_examples() {
        let Some(needed) = needed else { continue };
        count += 1;
        let all: BTreeSet<Capability> = reads(None).into_iter().chain([needed]).collect();
        let denying = |deny, configured| Narrowing {
            deny,
            configured,
            ..Narrowing::default()
        };
        for (denier, granted, narrowing) in [
            ("needs", reads(Some(needed)), Narrowing::default()),
            ("--deny", all.clone(), denying(vec![needed], Vec::new())),
            ("masctl.deny", all, denying(Vec::new(), vec![needed])),
        ] {
            let failed = run(&runtime, &primitive, &granted, narrowing, false);
            let denied = failed.as_ref().map(|error| {
                let value = |key| error.values().get(key).and_then(Value::as_str).map(str::to_owned);
                (error.code(), value("denied_by"), value("capability"))
            });
            // Of files the message says which.
            let capability = denied.as_ref().and_then(|(_, _, capability)| capability.as_deref());
            let is_named = capability.is_some_and(|capability| capability.starts_with(&needed.to_string()));
            if !is_named
                || denied.map(|(code, by, _)| (code, by)) != Some((Code::CapabilityDenied, Some(denier.to_owned())))
            {
                wrong.push(format!("{} by {denier}: {failed:?}", name(&primitive)));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(count > 15, "most primitives need a capability");
}
