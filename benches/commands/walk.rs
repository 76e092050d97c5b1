//! A script that walks over all users, in a process of its own.

use std::{ffi::OsString, iter, path::Path, process::ExitCode, sync::Arc};

use masctl::{
    capability::{Capability, Granted},
    config::{Configuration, Environment},
    console::Console,
    error::{Code, Error, Result},
    host::{Script, arguments::Arguments, execute},
    operations::{Interrupt, Parts, World},
};
use secrecy::SecretString;
use tokio::runtime::Builder;

/// The first argument that makes this binary walk over all users of the database of a configuration.
pub(crate) const FLAG: &str = "--walk";

const SOURCE: &str = "//! Count the users one by one\n//! ---\n//! needs: [users:read]\nfn main(args) {\n    let count = 0;\n    \
     for user in users::list(#{}) { if user.username != \"\" { count += 1; } }\n    count\n}\n";

/// Walks over all users in a script, and prints how many there are.
pub(crate) fn walk(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let configuration = arguments.next().expect("the flag is followed by a configuration");
    match count(Path::new(&configuration)) {
        Ok(count) => {
            crate::say(&count);
            ExitCode::SUCCESS
        }
        Err(error) => {
            crate::say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn count(file: &Path) -> Result<String> {
    let folder = file.parent().unwrap_or(file);
    let environment = Environment::new(iter::empty::<(String, String)>(), folder);
    let configuration = Configuration::load(&[file.to_owned()], &environment)?;
    let script = Script::new("walk", "walk.rhai", SOURCE)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let needed: Capability = "users:read".parse()?;
    let parts = Parts {
        database: configuration.database()?,
        configuration: Arc::new(configuration),
        capabilities: iter::once(needed).collect::<Granted>(),
        console: Arc::new(Nobody),
        world: World::system(),
        dry_run: false,
        runtime: Arc::new(runtime.expect("the system gives out timers and sockets")),
        interrupt: Arc::new(Interrupt::default()),
    };
    let outcome = execute(&script, &Arguments::default(), parts, None)?;
    Ok(outcome.result.to_string())
}

/// Nobody is there.
struct Nobody;

fn nobody<T>() -> Result<T> {
    Err(Error::new(Code::InputNotInteractive, "nobody is there"))
}

impl Console for Nobody {
    fn say(&self, _: &str) {}

    fn insist(&self, _: &str) {}

    fn warn(&self, _: &str) {}

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
