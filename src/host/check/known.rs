//! What scripts can call and look into: read once from an engine that has all of it.

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap},
    ops::{Range, RangeInclusive},
    sync::OnceLock,
};

use rhai::{Array, Blob, Dynamic, FnNamespace, FnPtr, FuncInfo, ImmutableString, Instant, Map};

use super::unit;
use crate::{
    capability::Capability,
    primitives::{Documented, NAMESPACES, types},
};

/// The type of a value, as far as it can be told without running the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Type {
    /// It cannot be told.
    Any,
    /// The arguments that `main` is given.
    Arguments,
    /// A value of this type.
    Of(&'static str),
    /// A list that is read while it is walked, of values of this type.
    ListOf(&'static str),
}

impl Type {
    /// As a sentence names it.
    pub(in crate::host) fn words(self) -> String {
        match self {
            Self::Any => "a value".to_owned(),
            Self::Arguments => "a map".to_owned(),
            Self::Of(name) if name.starts_with(['a', 'i', 'A', 'E', 'I']) => format!("an {name}"),
            Self::Of(name) => format!("a {name}"),
            Self::ListOf(name) => format!("a list of {name}"),
        }
    }
}

/// A function that is registered, or a group of overloads that differ only in types.
#[derive(Clone, Debug)]
pub(in crate::host) struct Native {
    pub(in crate::host) name: String,
    /// The namespace that it is called by; none for what Rhai has.
    pub(in crate::host) namespace: Option<&'static str>,
    /// Whether it can be called as a method, and without its namespace.
    pub(in crate::host) global: bool,
    pub(in crate::host) arity: usize,
    /// The type of its first parameter.
    pub(in crate::host) receiver: Type,
    pub(in crate::host) returns: Type,
    /// The capability that it checks.
    pub(in crate::host) needs: Option<Capability>,
    /// Further capabilities that it does more with.
    pub(in crate::host) uses: Vec<Capability>,
}

/// All that is known.
pub(in crate::host) struct Known {
    natives: Vec<Native>,
    /// Those that can be called without a namespace.
    by_name: HashMap<String, Vec<usize>>,
    namespaces: BTreeMap<&'static str, HashMap<String, Vec<usize>>>,
    /// The properties of each type, with the types of their values.
    properties: BTreeMap<&'static str, BTreeMap<String, Type>>,
    /// The types of values, by what Rust calls them.
    types: HashMap<TypeId, Type>,
    /// The types of values, by what signatures call them.
    names: HashMap<&'static str, Type>,
}

/// The names of values that a script can have, beside the types of primitives.
fn base_types() -> Vec<(TypeId, &'static str)> {
    vec![
        (TypeId::of::<ImmutableString>(), "string"),
        (TypeId::of::<String>(), "string"),
        (TypeId::of::<&str>(), "string"),
        (TypeId::of::<i64>(), "int"),
        (TypeId::of::<f64>(), "float"),
        (TypeId::of::<bool>(), "bool"),
        (TypeId::of::<char>(), "char"),
        (TypeId::of::<Array>(), "array"),
        (TypeId::of::<Map>(), "map"),
        (TypeId::of::<Blob>(), "blob"),
        (TypeId::of::<FnPtr>(), "Fn"),
        (TypeId::of::<Instant>(), "timestamp"),
        (TypeId::of::<Range<i64>>(), "range"),
        (TypeId::of::<RangeInclusive<i64>>(), "range"),
    ]
}

/// The names that Rust code has for them.
const RUST_NAMES: &[(&str, &str)] = &[
    ("string", "string"),
    ("String", "string"),
    ("&str", "string"),
    ("ImmutableString", "string"),
    ("i64", "int"),
    ("INT", "int"),
    ("f64", "float"),
    ("FLOAT", "float"),
    ("bool", "bool"),
    ("char", "char"),
    ("Array", "array"),
    ("Blob", "blob"),
    ("Instant", "timestamp"),
];

/// Types whose values have no further properties and methods than those that are registered.
fn is_closed(name: &str) -> bool {
    !matches!(name, "map" | "Fn")
}

impl Known {
    /// What every script can use.
    pub(in crate::host) fn get() -> &'static Self {
        static KNOWN: OnceLock<Known> = OnceLock::new();
        KNOWN.get_or_init(Self::new)
    }

    fn new() -> Self {
        let primitives = types();
        let mut ids: HashMap<TypeId, Type> = base_types()
            .into_iter()
            .map(|(id, name)| (id, Type::Of(name)))
            .collect();
        let mut names: HashMap<&'static str, Type> =
            RUST_NAMES.iter().map(|(rust, name)| (*rust, Type::Of(name))).collect();
        let mut properties: BTreeMap<&'static str, BTreeMap<String, Type>> = BTreeMap::new();
        for described in &primitives {
            ids.insert(described.id, Type::Of(described.name));
            ids.insert(described.list_id, Type::ListOf(described.name));
            names.insert(described.name, Type::Of(described.name));
            let fields = described.fields.iter();
            properties.insert(
                described.name,
                fields.map(|field| ((*field).to_owned(), Type::Any)).collect(),
            );
        }
        let collected =
            unit::strict().collect_fn_metadata(None, |function| Some(collect(&function, &ids, &names)), true);
        let mut known = Self {
            natives: Vec::new(),
            by_name: HashMap::new(),
            namespaces: BTreeMap::new(),
            properties,
            types: ids,
            names,
        };
        for native in collected {
            known.add(native);
        }
        known
    }

    fn add(&mut self, native: Native) {
        if let Some(property) = native.name.strip_prefix("get$") {
            if let Type::Of(name) = native.receiver {
                let properties = self.properties.entry(name).or_default();
                properties.insert(property.to_owned(), native.returns);
            }
            return;
        }
        let index = self.natives.len();
        if native.global || native.namespace.is_none() {
            self.by_name.entry(native.name.clone()).or_default().push(index);
        }
        if let Some(namespace) = native.namespace {
            let functions = self.namespaces.entry(namespace).or_default();
            functions.entry(native.name.clone()).or_default().push(index);
        }
        self.natives.push(native);
    }

    /// The type of a value that is there.
    pub(in crate::host) fn type_of(&self, value: &Dynamic) -> Type {
        let held = value.read_lock::<Dynamic>();
        let id = held.map(|held| (*held).type_id());
        id.and_then(|id| self.types.get(&id).copied()).unwrap_or(Type::Any)
    }

    /// The functions of this name that need no namespace, methods among them.
    pub(in crate::host) fn named<'known>(
        &'known self,
        name: &str,
    ) -> impl Iterator<Item = &'known Native> + use<'known> {
        let indexes = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().map(|index| &self.natives[*index])
    }

    /// The functions of this name in a namespace.
    pub(in crate::host) fn in_namespace<'known>(
        &'known self,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = &'known Native> + use<'known> {
        let functions = self.namespaces.get(namespace).and_then(|functions| functions.get(name));
        let indexes = functions.map(Vec::as_slice).unwrap_or_default();
        indexes.iter().map(|index| &self.natives[*index])
    }

    /// Whether there is such a namespace.
    pub(in crate::host) fn has_namespace(&self, name: &str) -> bool {
        self.namespaces.contains_key(name)
    }

    /// Every namespace.
    pub(in crate::host) fn namespaces(&self) -> impl Iterator<Item = &'static str> {
        self.namespaces.keys().copied()
    }

    /// The names of all functions of a namespace.
    pub(in crate::host) fn functions_of(&self, namespace: &str) -> Vec<&str> {
        let functions = self.namespaces.get(namespace);
        functions
            .into_iter()
            .flat_map(|all| all.keys())
            .map(String::as_str)
            .collect()
    }

    /// The names of all functions that need no namespace.
    pub(in crate::host) fn global_names(&self) -> Vec<&str> {
        self.by_name
            .keys()
            .map(String::as_str)
            .filter(|name| is_word(name))
            .collect()
    }

    /// The methods of a type: those whose first parameter takes it.
    pub(in crate::host) fn methods_of(&self, receiver: Type) -> Vec<&str> {
        let natives = self
            .natives
            .iter()
            .filter(|native| native.global || native.namespace.is_none());
        let taking = natives.filter(|native| native.arity > 0 && takes(native.receiver, receiver));
        let mut names: Vec<_> = taking
            .map(|native| native.name.as_str())
            .filter(|name| is_word(name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The properties of a type whose properties are all known.
    pub(in crate::host) fn properties_of(&self, receiver: Type) -> Option<Vec<&str>> {
        let own = match receiver {
            Type::Of(name) if is_closed(name) => self.properties.get(name),
            Type::ListOf(_) => None,
            _ => return None,
        };
        // `tag` is what every value has.
        Some(
            own.into_iter()
                .flat_map(BTreeMap::keys)
                .map(String::as_str)
                .chain(["tag"])
                .collect(),
        )
    }

    /// The properties that a type brings, with the types of their values.
    pub(in crate::host) fn own_properties(&self, receiver: Type) -> impl Iterator<Item = (&str, Type)> {
        let own = match receiver {
            Type::Of(name) => self.properties.get(name),
            _ => None,
        };
        own.into_iter().flatten().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// The functions whose first parameter is of exactly this type, and that are called on it.
    pub(in crate::host) fn methods_for(&self, receiver: Type) -> impl Iterator<Item = &Native> {
        let natives = self.natives.iter();
        natives.filter(move |native| {
            (native.global || native.namespace.is_none())
                && native.arity > 0
                && native.receiver == receiver
                && is_word(&native.name)
        })
    }

    /// The type that the reference calls so.
    pub(in crate::host) fn type_named(&self, name: &str) -> Type {
        match name {
            "Map" => Type::Of("map"),
            "Fn" => Type::Of("Fn"),
            _ => self.names.get(name).copied().unwrap_or(Type::Any),
        }
    }
}

/// Whether all methods of a type are known.
pub(in crate::host) fn has_only_known_methods(receiver: Type) -> bool {
    match receiver {
        Type::Any | Type::Arguments => false,
        Type::Of(name) => is_closed(name),
        Type::ListOf(_) => true,
    }
}

/// Whether a parameter of one type takes a value of another.
pub(in crate::host) fn takes(parameter: Type, value: Type) -> bool {
    let is_map = |one: Type| matches!(one, Type::Arguments | Type::Of("map"));
    parameter == Type::Any || value == Type::Any || parameter == value || (is_map(parameter) && is_map(value))
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !name.contains('$')
}

fn collect(function: &FuncInfo<'_>, ids: &HashMap<TypeId, Type>, names: &HashMap<&str, Type>) -> Native {
    let metadata = function.metadata;
    let documented = Documented::of(function);
    let needs = documented.as_ref().and_then(|it| Capability::named(it.needs()?));
    let uses = documented
        .as_ref()
        .map(|it| capabilities_in(&it.help))
        .unwrap_or_default();
    let receiver = metadata.param_types.first().map_or(Type::Any, |id| {
        let is_dynamic = *id == TypeId::of::<Dynamic>();
        let unnamed = if is_dynamic {
            Type::Any
        } else {
            Type::Of("another value")
        };
        ids.get(id).copied().unwrap_or(unnamed)
    });
    Native {
        name: metadata.name.to_string(),
        namespace: NAMESPACES
            .iter()
            .map(|known| known.name)
            .find(|known| *known == function.namespace),
        global: metadata.namespace == FnNamespace::Global,
        arity: metadata.num_params,
        receiver,
        returns: returned(&metadata.return_type, names),
        needs,
        uses,
    }
}

/// The type that a function returns, from the words of its Rust signature.
fn returned(words: &str, names: &HashMap<&str, Type>) -> Type {
    let inner = words
        .split_once('<')
        .map_or(words, |(outer, inner)| match outer.trim() {
            "Scripted" | "RhaiResultOf" => inner.trim().trim_end_matches('>').trim(),
            _ => "",
        });
    if inner.starts_with("ArrayOf<") {
        return Type::Of("array");
    }
    // Of `()` there is nothing to look into, so that what is looked into is the value.
    let inner = inner.strip_prefix("Perhaps<").unwrap_or(inner);
    if let Some(known) = names.get(inner) {
        return *known;
    }
    // A lazy list is called as the type of its items, in the plural.
    let item = inner.strip_suffix('s').and_then(|item| names.get(item));
    match item {
        Some(Type::Of(name)) => Type::ListOf(name),
        _ => Type::Any,
    }
}

/// The capabilities that a text names.
fn capabilities_in(help: &str) -> Vec<Capability> {
    let quoted = help.split('`').skip(1).step_by(2);
    quoted.filter_map(Capability::named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_primitives_take_and_return_is_known() {
        let known = Known::get();
        let get: Vec<_> = known.in_namespace("users", "get").collect();
        assert_eq!(get.len(), 1);
        assert_eq!(get[0].returns, Type::Of("User"));
        assert_eq!(get[0].needs.unwrap().to_string(), "users:read");
        let list: Vec<_> = known.in_namespace("users", "list").collect();
        assert_eq!(list[0].returns, Type::ListOf("User"));
        let lock: Vec<_> = known.named("lock").collect();
        assert_eq!(lock[0].receiver, Type::Of("User"));
        assert!(known.properties_of(Type::Of("User")).unwrap().contains(&"locked_at"));
        assert!(known.properties_of(Type::Of("string")).unwrap().contains(&"len"));
        assert!(known.methods_of(Type::Of("string")).contains(&"to_upper"));
        assert!(!known.methods_of(Type::Of("User")).contains(&"to_upper"));
    }

    /// A type of a primitive's that this does not understand would be let pass unseen.
    #[test]
    fn what_primitives_return_is_understood() {
        let known = Known::get();
        let plain = ["Dynamic", "()", "Array", "Map"];
        let all = unit::strict().collect_fn_metadata(
            None,
            |function| {
                let documented = Documented::of(&function)?;
                let words = function.metadata.return_type.to_string();
                let inner = words.strip_prefix("Scripted<")?.trim_end_matches('>').trim().to_owned();
                Some((documented.namespace, documented.name, inner))
            },
            false,
        );
        for (namespace, name, inner) in all {
            let mut natives = known.in_namespace(&namespace, &name);
            let is_understood = natives.any(|native| native.returns != Type::Any);
            let is_plain = plain.contains(&inner.trim_start_matches("Perhaps<"));
            assert!(is_understood || is_plain, "{namespace}::{name}: {inner}");
        }
    }
}
