//! What a session has made so far, as it is listed and described.

use std::collections::BTreeMap;

use rhai::{Array, Blob, Dynamic, ImmutableString, Map};

use super::{copy::visible, last::LAST, state::State};
use crate::{
    error::counted,
    host::check::{Known, Type},
};

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds: `User`, `array of 3`, `list of User`.
    pub holds: String,
    /// The type that the reference tells of, if it tells of it: that of the items, of a list.
    pub kind: Option<&'static str>,
    /// Whether its value stays.
    pub is_constant: bool,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The same with the names of what it takes: `shout(name)`.
    pub signature: String,
    /// The comment above it, without slashes.
    pub help: String,
}

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What it is called.
    pub alias: String,
    /// What was imported: `std/registration`, or the path of a file.
    pub module: String,
    /// Its functions.
    pub functions: Vec<Function>,
}

impl State {
    /// The variables by name, `_` among them.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        let visible = visible(self.scope()).into_iter();
        let variable = |(name, is_constant, value): (&str, bool, &Dynamic)| Variable {
            name: name.to_owned(),
            holds: holds(value),
            kind: kind(value),
            is_constant,
        };
        let mut variables: Vec<Variable> = visible.map(variable).collect();
        variables.sort_by(|one, other| (one.name == LAST, &one.name).cmp(&(other.name == LAST, &other.name)));
        variables
    }

    /// The functions by name: those that are called now, not those whose place another one took.
    #[must_use]
    pub fn functions_by_name(&self) -> Vec<Function> {
        let all = self.functions().iter().flat_map(|module| functions_of(module));
        // The oldest first: a later one takes the place of an earlier.
        let functions: BTreeMap<_, _> = all
            .map(|(function, arity)| ((function.name.clone(), arity), function))
            .collect();
        functions.into_values().collect()
    }

    /// What was imported, by what it is called.
    #[must_use]
    pub fn imports_by_name(&self) -> Vec<Import> {
        let mut imports: Vec<Import> = self
            .imports()
            .iter()
            .map(|(alias, module)| {
                let mut functions: Vec<_> = functions_of(module).collect();
                functions
                    .sort_by(|(one, arity), (other, other_arity)| (&one.name, arity).cmp(&(&other.name, other_arity)));
                Import {
                    alias: alias.clone(),
                    module: module.id().unwrap_or_default().to_owned(),
                    functions: functions.into_iter().map(|(function, _)| function).collect(),
                }
            })
            .collect();
        imports.sort_by(|one, other| one.alias.cmp(&other.alias));
        imports
    }

    /// Whether there is a variable of this name.
    #[must_use]
    pub fn has_variable(&self, name: &str) -> bool {
        self.scope().contains(name)
    }
}

/// The functions that a script can call, and how much each takes.
fn functions_of(module: &rhai::Module) -> impl Iterator<Item = (Function, usize)> {
    module
        .iter_script_fn_info()
        .filter_map(|(_, access, name, arity, definition)| {
            // Closures have names that nobody can write.
            let is_seen = access == rhai::FnAccess::Public && !name.starts_with("anon$");
            is_seen.then(|| {
                let params: Vec<&str> = definition.params.iter().map(ImmutableString::as_str).collect();
                let help = definition.comments.iter().map(|comment| uncommented(comment));
                let function = Function {
                    name: name.to_owned(),
                    signature: format!("{name}({})", params.join(", ")),
                    help: help.collect::<Vec<_>>().join("\n"),
                };
                (function, arity)
            })
        })
}

/// A doc comment without its slashes.
fn uncommented(comment: &str) -> String {
    let lines = comment.lines().map(|line| line.trim().trim_start_matches('/'));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a value is, with how many items it has where that is known without asking the store.
fn holds(value: &Dynamic) -> String {
    if value.is_unit() {
        return "()".to_owned();
    }
    if let Some(array) = value.read_lock::<Array>() {
        return format!("array of {}", array.len());
    }
    if let Some(map) = value.read_lock::<Map>() {
        return format!("map of {}", map.len());
    }
    if let Some(blob) = value.read_lock::<Blob>() {
        return format!("blob of {}", counted(blob.len() as u64, "byte"));
    }
    match Known::get().type_of(value) {
        Type::Of(name) => name.to_owned(),
        Type::ListOf(name) => format!("list of {name}"),
        Type::Any | Type::Arguments => value.type_name().to_owned(),
    }
}

/// The type of a value that the reference tells of: of an array, that of its items if the first ones are of one.
fn kind(value: &Dynamic) -> Option<&'static str> {
    const LOOKED_AT: usize = 50;
    if let Some(array) = value.read_lock::<Array>() {
        let mut kinds = array.iter().take(LOOKED_AT).map(kind);
        let first = kinds.next().flatten();
        return first.filter(|_| kinds.all(|kind| kind == first));
    }
    match Known::get().type_of(value) {
        Type::Of(name) | Type::ListOf(name) => Some(name),
        Type::Any | Type::Arguments => None,
    }
}
