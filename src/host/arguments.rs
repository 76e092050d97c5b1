//! From what was given on the command line to the typed arguments of a script.

mod asking;
mod values;

use std::{
    collections::BTreeMap,
    fs::File,
    iter,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{
    header::{Kind, Param},
    names,
};
use crate::{
    console::{Console, NoSecret, secret_from},
    error::{Code, Error, Result, one_of},
    model::{self, Time},
};

pub(super) use self::values::number;
pub use self::values::parse;

/// The value of one argument.
#[derive(Clone, Debug)]
pub enum Value {
    /// The parameter is absent.
    Missing,
    /// Of `bool`.
    Bool(bool),
    /// Of `int`, and of `duration` in seconds.
    Int(i64),
    /// Of `float`.
    Float(f64),
    /// Of all types that are text.
    Text(String),
    /// Of `link`.
    Link {
        /// The ULID of the upstream provider.
        provider: String,
        /// The account there.
        subject: String,
    },
    /// Of `time`.
    Time(Time),
    /// Of `time`, given as how many seconds ago it was.
    Ago(i64),
    /// Of `secret`.
    Secret(SecretString),
    /// Of a repeated parameter.
    List(Vec<Value>),
}

impl Value {
    /// Whether something was given: neither missing nor `false` nor an empty list.
    #[must_use]
    pub fn is_given(&self) -> bool {
        match self {
            Self::Missing | Self::Bool(false) => false,
            Self::List(values) => !values.is_empty(),
            _ => true,
        }
    }
}

/// What the command line says of one parameter, by the way it was given.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// By its place.
    pub positional: Vec<Value>,
    /// By its flag: once, or as often as a repeated parameter was.
    pub flag: Vec<Value>,
    /// `--NAME-stdin`: the secret is on standard input.
    pub stdin: bool,
    /// `--NAME-file FILE`: the secret is in a file.
    pub file: Option<PathBuf>,
}

impl Given {
    fn is_given(&self) -> bool {
        self.stdin || self.file.is_some() || self.positional.iter().chain(&self.flag).any(Value::is_given)
    }
}

/// What is on standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// What arguments may ask for.
    Free,
    /// The script itself was there, so that nothing else is.
    Script,
    /// The inputs of a session.
    Inputs,
}

impl Stdin {
    /// Refuses to read there what an argument asks for, if something else is there.
    fn refuse(self, taker: &str) -> Result<()> {
        let (problem, help) = match self {
            Self::Free => return Ok(()),
            Self::Script => ("which the script was read from", "Run the script from a file."),
            Self::Inputs => (
                "which the inputs of the session are read from",
                "Only a command of its own can have it, such as `masctl manage`.",
            ),
        };
        let message = format!("`{taker}` reads standard input, {problem}");
        Err(Error::new(Code::ArgumentInvalid, message).help(help))
    }
}

/// Where arguments come from that are not on the command line.
pub struct Sources<'a> {
    /// Who is asked, and whose standard input is read.
    pub console: &'a dyn Console,
    /// Looks an environment variable up.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// What is on standard input.
    pub stdin: Stdin,
    /// Whether to ask for all that is missing.
    pub prompt: bool,
}

/// The arguments of a script: every declared parameter, in declared order.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Name and value.
    pub values: Vec<(String, Value)>,
    /// What the person should know, one line each: secrets that stand on the command line.
    pub warnings: Vec<String>,
}

impl Arguments {
    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Whether a user is given in a form that only the server's name can resolve.
    #[must_use]
    pub fn name_a_server(&self, params: &[Param]) -> bool {
        let names_one = |value: &Value| matches!(value, Value::Text(user) if user.contains(['@', ':']));
        params
            .iter()
            .filter(|param| param.kind == Kind::User)
            .any(|param| match self.get(&param.name) {
                Some(Value::List(values)) => values.iter().any(names_one),
                Some(value) => names_one(value),
                None => false,
            })
    }

    /// Reduces MXIDs in the arguments of type `user` to the localparts of the server `server_name`.
    ///
    /// # Errors
    /// Those of [`model::localpart`].
    pub fn reduce_users(&mut self, params: &[Param], server_name: &str) -> Result<()> {
        let is_user = |name: &str| {
            params
                .iter()
                .any(|param| param.kind == Kind::User && param.name == name)
        };
        for (_, value) in self.values.iter_mut().filter(|(name, _)| is_user(name)) {
            for item in items(value) {
                if let Value::Text(user) = item {
                    *user = model::localpart(user, server_name)?;
                }
            }
        }
        Ok(())
    }
}

/// The values of a repeated parameter, or the only one.
fn items(value: &mut Value) -> &mut [Value] {
    match value {
        Value::List(items) => items,
        value => std::slice::from_mut(value),
    }
}

/// Completes what was given, by parameter name, with secrets, environment variables, defaults and answers.
///
/// Nobody is asked before everything else is known to be right.
///
/// # Errors
/// `argument.missing`, `argument.invalid` for a value that its type does not allow and for two that exclude each other,
/// `file.unreadable`, and those of [`Console`].
pub fn collect(params: &[Param], mut given: BTreeMap<String, Given>, sources: &Sources) -> Result<Arguments> {
    let from_stdin = check_given(params, &given)?;
    if let Some(taker) = from_stdin {
        sources.stdin.refuse(&taker)?;
    }
    let mut collected = Collected {
        params,
        values: vec![None; params.len()],
        warnings: Vec::new(),
    };
    for (at, param) in params.iter().enumerate() {
        if let Some(given) = given.remove(&param.name).filter(Given::is_given) {
            if param.kind == Kind::Secret && !(given.stdin || given.file.is_some()) {
                collected.warnings.push(warning(param, params));
            }
            collected.values[at] = Some(from_command_line(param, given, sources)?);
        }
    }
    for (at, param) in params.iter().enumerate() {
        if collected.wants(at) {
            collected.values[at] = from_environment(param, sources)?;
        }
    }
    collected.check(sources.prompt)?;
    if sources.prompt {
        collected.ask_for_all(sources.console)?;
        collected.check(false)?;
    }
    for (at, param) in params.iter().enumerate() {
        if let Some(question) = param.prompt.as_deref().filter(|_| collected.wants(at)) {
            collected.values[at] = Some(asking::ask(param, params, question, sources.console)?);
        }
    }
    collected.finish()
}

/// Every way to give the parameter, as one writes it.
#[must_use]
pub fn spellings(param: &Param) -> Vec<String> {
    let (flag, value) = (param.flag_name(), param.value_name());
    let mut spellings = Vec::new();
    if param.positional {
        spellings.push(format!("<{value}>"));
    }
    if param.kind == Kind::Bool {
        spellings.push(format!("--{flag}"));
    } else if param.flag {
        spellings.push(format!("--{flag} <{value}>"));
    }
    if param.kind == Kind::Secret {
        spellings.extend([format!("--{flag}-stdin"), format!("--{flag}-file <FILE>")]);
    }
    spellings
}

/// What the parameters have so far.
struct Collected<'a> {
    params: &'a [Param],
    values: Vec<Option<Value>>,
    warnings: Vec<String>,
}

impl Collected<'_> {
    fn has(&self, name: &str) -> bool {
        let at = self.params.iter().position(|param| param.name == name);
        at.and_then(|at| self.values[at].as_ref()).is_some_and(Value::is_given)
    }

    /// Whether something given excludes this parameter.
    fn excluded(&self, param: &Param) -> bool {
        self.params
            .iter()
            .any(|other| other.excludes(param) && self.has(&other.name))
    }

    /// Whether the parameter is absent and may still be filled in.
    fn wants(&self, at: usize) -> bool {
        self.values[at].is_none() && !self.excluded(&self.params[at])
    }

    /// Refuses that something needed is missing, unless it `is_asked_for`.
    fn check(&self, is_asked_for: bool) -> Result<()> {
        let is_asked_for = |param: &Param| param.prompt.is_some() || (is_asked_for && asking::is_asked_for(param));
        for (at, param) in self.params.iter().enumerate() {
            if param.required && !is_asked_for(param) && self.wants(at) {
                return Err(missing(param, self.params, "is missing"));
            }
            let unmet = param.requires.iter().find(|name| !self.has(name));
            let unmet = unmet.and_then(|name| self.params.iter().find(|other| other.name == *name));
            if let Some(other) = unmet.filter(|other| !is_asked_for(other) && self.has(&param.name)) {
                let problem = format!("is missing, and `{}` does not go without it", param.name);
                return Err(missing(other, self.params, &problem));
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Arguments> {
        let mut values = Vec::with_capacity(self.params.len());
        for (param, value) in self.params.iter().zip(self.values) {
            let value = match (value, &param.default) {
                (Some(value), _) => value,
                (None, Some(text)) => parse(param, text).map_err(|problem| invalid(param, &problem))?,
                (None, None) if param.repeated => Value::List(Vec::new()),
                (None, None) if param.kind == Kind::Bool => Value::Bool(false),
                (None, None) => Value::Missing,
            };
            values.push((param.name.clone(), value));
        }
        Ok(Arguments {
            values,
            warnings: self.warnings,
        })
    }
}

/// Refuses what excludes each other. Returns what reads standard input, as one writes it.
fn check_given(params: &[Param], given: &BTreeMap<String, Given>) -> Result<Option<String>> {
    let present = |param: &&Param| given.get(&param.name).is_some_and(Given::is_given);
    let present: Vec<&Param> = params.iter().filter(present).collect();
    let conflict = |one: &str, other: &str| {
        Error::new(
            Code::ArgumentInvalid,
            format!("`{one}` and `{other}` cannot be given together"),
        )
        .help("Give one of the two.")
    };
    for (at, param) in present.iter().enumerate() {
        let Some(given) = given.get(&param.name) else { continue };
        let ways = usize::from(given.positional.iter().any(Value::is_given))
            + usize::from(given.flag.iter().any(Value::is_given))
            + usize::from(given.stdin)
            + usize::from(given.file.is_some());
        if ways > 1 {
            let message = format!("`{}` is given in more than one way", param.name);
            return Err(Error::new(Code::ArgumentInvalid, message)
                .help(format!("Give only one of {}.", spellings(param).join(", "))));
        }
        if let Some(other) = present[at + 1..].iter().find(|other| param.excludes(other)) {
            return Err(conflict(&param.name, &other.name));
        }
    }
    match &from_stdin(params, given)[..] {
        [one, other, ..] => Err(conflict(one, other)),
        uses => Ok(uses.first().cloned()),
    }
}

/// Everything on the command line that is read from standard input, which can be done for one of them only.
fn from_stdin(params: &[Param], given: &BTreeMap<String, Given>) -> Vec<String> {
    let many = names::param(params).map(|param| &param.name);
    let mut uses = Vec::new();
    for (param, given) in params.iter().filter_map(|param| Some((param, given.get(&param.name)?))) {
        if param.kind == Kind::Path || many == Some(&param.name) {
            let count = |values: &[Value]| values.iter().filter(|value| names::is_stdin(value)).count();
            let flag = if param.kind == Kind::Path {
                format!("--{} -", param.flag_name())
            } else {
                "-".to_owned()
            };
            uses.extend(iter::repeat_n("-".to_owned(), count(&given.positional)));
            uses.extend(iter::repeat_n(flag, count(&given.flag)));
        }
        if given.stdin {
            uses.push(format!("--{}-stdin", param.flag_name()));
        }
    }
    uses
}

fn from_command_line(param: &Param, given: Given, sources: &Sources) -> Result<Value> {
    if given.stdin {
        return sources.console.read_secret().map(Value::Secret);
    }
    if let Some(path) = given.file {
        return read_secret_file(param, &path).map(Value::Secret);
    }
    let mut values = given.positional.into_iter().chain(given.flag);
    Ok(if param.repeated {
        Value::List(values.collect())
    } else {
        values.next().unwrap_or(Value::Missing)
    })
}

/// A variable that is empty counts as unset, as shells make it hard to tell the two apart.
fn from_environment(param: &Param, sources: &Sources) -> Result<Option<Value>> {
    let Some(name) = &param.env else { return Ok(None) };
    let Some(text) = (sources.variable)(name)
        .map(Zeroizing::new)
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    parse(param, &text).map(Some).map_err(|problem| {
        let message = format!("The environment variable `{name}` {problem}");
        Error::new(Code::ArgumentInvalid, message).help(format!("It stands for `{}`.", param.name))
    })
}

fn read_secret_file(param: &Param, path: &Path) -> Result<SecretString> {
    let unreadable = |error: std::io::Error| {
        Error::new(
            Code::FileUnreadable,
            format!("The file `{}` cannot be read: {error}", path.display()),
        )
        .help(format!(
            "`--{}-file` names a file with nothing but the {}.",
            param.flag_name(),
            param.words()
        ))
    };
    let refuse = |problem: &str| {
        let message = format!("The file `{}` {problem}", path.display());
        Error::new(Code::ArgumentInvalid, message).help(format!("It must hold nothing but the {}.", param.words()))
    };
    secret_from(File::open(path).map_err(unreadable)?).map_err(|problem| match problem {
        NoSecret::Unreadable(error) => unreadable(error),
        NoSecret::TooLong => refuse("is larger than 64 KiB"),
        NoSecret::NotText => refuse("is not UTF-8"),
        NoSecret::Empty => refuse("is empty"),
    })
}

/// The flags that keep a secret off the command line, and those that make it needless.
fn safe_spellings(param: &Param, params: &[Param]) -> Vec<String> {
    let mut safe: Vec<String> = match param.kind {
        Kind::Secret => {
            let flag = param.flag_name();
            vec![format!("--{flag}-stdin"), format!("--{flag}-file <FILE>")]
        }
        _ => spellings(param),
    };
    let instead = params
        .iter()
        .filter(|other| other.kind == Kind::Bool && !other.hidden && other.excludes(param));
    safe.extend(instead.flat_map(spellings));
    safe
}

fn warning(param: &Param, params: &[Param]) -> String {
    let words = param.words();
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    let safe = one_of(&safe_spellings(param, params));
    format!(
        "{article} {words} on the command line is visible in the process list and in the shell's history; use {safe}"
    )
}

fn missing(param: &Param, params: &[Param], problem: &str) -> Error {
    let help = match &param.env {
        Some(env) => format!(
            "give {}, or set the environment variable {env}",
            one_of(&safe_spellings(param, params))
        ),
        None => format!("give {}", one_of(&safe_spellings(param, params))),
    };
    Error::new(Code::ArgumentMissing, format!("`{}` {problem}", param.name)).help(help)
}

fn invalid(param: &Param, problem: &str) -> Error {
    Error::new(Code::ArgumentInvalid, format!("`{}` {problem}", param.name))
}

#[cfg(test)]
mod tests;
