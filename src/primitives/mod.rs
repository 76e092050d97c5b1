//! What a script can touch: one file per namespace. Rhai's types stop here.
//!
//! A primitive checks its capability, calls one operation, and converts. Its doc comment is the help: an imperative
//! first line, `Needs …`, `Fails with …`, and an example, which a test runs with the capability and without it.

mod calling;
mod clients;
mod documentation;
mod emails;
mod failure;
mod fields;
mod files;
mod global;
mod homeserver;
mod input;
mod jobs;
mod language;
mod lazy;
mod links;
mod moment;
mod options;
mod outline;
mod output;
mod passwords;
mod policy;
mod providers;
mod rows;
mod secret;
mod sessions;
mod site;
mod testing;
mod time;
mod tokens;
mod users;
mod waiting;
mod words;

use std::sync::{Arc, OnceLock};

use rhai::{Array, Dynamic, Engine, EvalAltResult, FuncRegistration, Module, NativeCallContext, Shared};

pub use documentation::{
    Documented, Property, Type, documented, documented_types, globals, operators, scripted, signature,
};
use failure::raise_at;
pub use failure::{error_of, place_of, raise};
pub use fields::{Described, field, in_run, secrets_in, stream, to_value, types};
pub use outline::{Outline, Whole, outline};
pub use secret::{MASK, Secret};

use crate::{
    capability::Capability,
    error::{Code, Error, Result},
    model::Id,
    operations::Run,
};

/// What a primitive returns.
pub type Scripted<T> = std::result::Result<T, Box<EvalAltResult>>;

/// `T`, or `()` where there is none. Rhai is given a [`Dynamic`]; the reference reads what it can be from this name.
pub type Perhaps<T> = <T as Given>::Value;

/// An array of `T`. Rhai is given an [`Array`]; the reference reads of what from this name.
pub type ArrayOf<T> = <T as Given>::Values;

/// A type of Rust's, by what Rhai is given of it.
pub trait Given {
    /// One or none.
    type Value;
    /// Any number.
    type Values;
}

impl<T> Given for T {
    type Value = Dynamic;
    type Values = Array;
}

/// A namespace of primitives.
pub struct Namespace {
    /// What scripts write before `::`.
    pub name: &'static str,
    /// What it is for, one sentence.
    pub about: &'static str,
    /// Makes its module.
    pub module: fn() -> Module,
}

/// Every namespace, in the order of the reference.
pub const NAMESPACES: &[Namespace] = &[
    Namespace {
        name: "users",
        about: "Look up and change accounts.",
        module: users::module,
    },
    Namespace {
        name: "emails",
        about: "Look up, add, remove and move e-mail addresses of accounts.",
        module: emails::module,
    },
    Namespace {
        name: "passwords",
        about: "Make, check, set, verify and remove passwords.",
        module: passwords::module,
    },
    Namespace {
        name: "sessions",
        about: "Look up sessions of all kinds, and end them.",
        module: sessions::module,
    },
    Namespace {
        name: "tokens",
        about: "Issue, find, revoke and rotate tokens.",
        module: tokens::module,
    },
    Namespace {
        name: "links",
        about: "Look up, make, move and remove links of accounts to upstream providers.",
        module: links::module,
    },
    Namespace {
        name: "providers",
        about: "Look up upstream providers.",
        module: providers::module,
    },
    Namespace {
        name: "clients",
        about: "Look up OAuth 2.0 clients.",
        module: clients::module,
    },
    Namespace {
        name: "jobs",
        about: "Look at the job queue, retry and release jobs.",
        module: jobs::module,
    },
    Namespace {
        name: "policy",
        about: "Look at the data that MAS's policy is given, and set it.",
        module: policy::module,
    },
    Namespace {
        name: "site",
        about: "Look at what MAS and masctl are set to.",
        module: site::module,
    },
    Namespace {
        name: "files",
        about: "Read the files that the script's header names.",
        module: files::module,
    },
    Namespace {
        name: "homeserver",
        about: "Look at what the homeserver knows of users.",
        module: homeserver::module,
    },
    Namespace {
        name: "input",
        about: "Ask the person at the terminal.",
        module: input::module,
    },
    Namespace {
        name: "output",
        about: "Tell the person at the terminal.",
        module: output::module,
    },
    Namespace {
        name: "testing",
        about: "Make what a test needs, run scripts in it, and say what must be true. It works only in `masctl scripts test`.",
        module: testing::module,
    },
    Namespace {
        name: "time",
        about: "Get the time, and read times.",
        module: time::module,
    },
];

/// Makes all primitives known to an engine.
pub fn register(engine: &mut Engine) {
    global::register(engine);
    calling::register(engine);
    language::register(engine);
    failure::register(engine);
    secret::register(engine);
    waiting::register(engine);
    time::register_operators(engine);
    for (namespace, module) in NAMESPACES.iter().zip(modules()) {
        engine.register_static_module(namespace.name, module.clone());
    }
}

/// The modules of the namespaces, made once: a run has several engines, and a test of scripts has many.
fn modules() -> &'static [Shared<Module>] {
    static MODULES: OnceLock<Vec<Shared<Module>>> = OnceLock::new();
    MODULES.get_or_init(|| {
        let made = NAMESPACES.iter().map(|namespace| {
            let mut module = (namespace.module)();
            // Rhai would copy one without an index for each engine.
            module.build_index();
            module.into()
        });
        made.collect()
    })
}

/// The run that a script belongs to, put on the engine as its tag.
fn run_of(context: &NativeCallContext) -> Scripted<Arc<Run>> {
    let run = context.tag().and_then(|tag| tag.clone().try_cast::<Arc<Run>>());
    run.ok_or_else(|| "there is no run: primitives work only inside of a command".into())
}

/// The one way from a script to an operation: capability first, errors with the position of the call.
fn call<T>(context: &NativeCallContext, needed: Capability, operation: impl FnOnce(&Run) -> Result<T>) -> Scripted<T> {
    let run = run_of(context)?;
    run.require(needed)
        .and_then(|()| operation(&run))
        .inspect_err(|error| run.doom.see(error))
        .map_err(|error| raise_at(context, error).into())
}

/// For primitives that touch no data of MAS's.
fn call_freely<T>(context: &NativeCallContext, operation: impl FnOnce(&Run) -> Result<T>) -> Scripted<T> {
    let run = run_of(context)?;
    operation(&run)
        .inspect_err(|error| run.doom.see(error))
        .map_err(|error| raise_at(context, error).into())
}

/// Reads an id that a script gave as text.
fn id_of(text: &str) -> Result<Id> {
    text.parse()
        .map_err(|_| Error::new(Code::ValueInvalid, format!("`{text}` is not a ULID")))
}

/// Makes a value of Rust's as Rhai sees absence: `()`.
fn or_unit<T: Into<Dynamic>>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Into::into)
}

/// Adds a getter for each field of a type to a module.
fn expose<T: fields::Fields>(module: &mut Module) {
    for field in T::FIELDS {
        let get = field.get;
        FuncRegistration::new_getter(field.name).set_into_module(module, move |value: &mut T| {
            let item = get(value);
            if item.is::<fields::Absent>() {
                Dynamic::UNIT
            } else {
                item
            }
        });
    }
}
