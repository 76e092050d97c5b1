//! What scripts can call and look into, as it is offered: found by its type, told in the words of the reference.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::OnceLock,
};

use rhai::{Array, Dynamic};

use super::Candidate;
use crate::{
    host::{
        check::known::{Known, Native, Type},
        reference::{EntryKind, Reference, Section},
    },
    primitives::NAMESPACES,
};

/// The namespace that works in tests alone.
const OF_TESTS: &str = "testing";

/// Functions of Rhai's own that are called without a value before them.
const FREE: [(&str, &str); 7] = [
    ("Fn(name: String) -> Fn", "A pointer to the function of this name."),
    ("debug(value: ?)", "Say a value with the number of the line."),
    (
        "parse_json(json: String) -> Map",
        "Read JSON whose outermost value is an object.",
    ),
    ("print(value: ?)", "The same as `say`."),
    (
        "range(from: int, to: int) -> range",
        "The numbers from one on up to another, without it.",
    ),
    (
        "timestamp() -> timestamp",
        "A moment to measure from how long something takes.",
    ),
    ("type_of(value: ?) -> String", "Say what type a value is of."),
];

/// What every value can be asked, and functions be called with.
const OF_ALL: [(&str, &str); 1] = [("type_of() -> String", "Say what type the value is of.")];
const OF_FUNCTIONS: [(&str, &str); 2] = [
    ("call(arguments: ?) -> ?", "Call the function with these arguments."),
    (
        "curry(arguments: ?) -> Fn",
        "Make a function that has these as its first arguments.",
    ),
];

/// Methods of Rhai's own that nobody looks for behind a value.
const UNWANTED: [&str; 6] = ["debug", "exit", "get_fn_metadata_list", "print", "set_tag", "sleep"];

/// What is known of a value without running anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host::repl) enum Shape {
    /// Its type.
    Of(Type),
    /// It is an array whose items are of one type.
    ArrayOf(Type),
}

impl Shape {
    pub(super) const UNKNOWN: Self = Self::Of(Type::Any);

    /// The type itself.
    pub(super) const fn kind(self) -> Type {
        match self {
            Self::Of(kind) => kind,
            Self::ArrayOf(_) => Type::Of("array"),
        }
    }

    /// What `for` gets of it, and what its items are.
    pub(super) fn item(self, walked: bool) -> Self {
        Self::Of(match self {
            Self::ArrayOf(item) => item,
            Self::Of(Type::ListOf(item)) if walked => Type::Of(item),
            Self::Of(Type::Of("string")) => Type::Of("char"),
            Self::Of(Type::Of("blob" | "range")) => Type::Of("int"),
            Self::Of(_) => Type::Any,
        })
    }
}

/// What the reference tells of a function or field.
#[derive(Clone, Debug)]
pub(in crate::host::repl) struct Told {
    /// As the reference writes it.
    pub(in crate::host::repl) signature: String,
    /// The first sentence of its help.
    pub(in crate::host::repl) about: String,
    /// What it gives: empty if that is not told.
    gives: String,
}

/// What scripts can call and look into.
pub(in crate::host::repl) struct Sources {
    known: &'static Known,
    /// By `users::get`, `say`, `User.lock`, `string.split`, `std/passwords::ask`: those with the most parameters last.
    told: HashMap<String, Vec<Told>>,
    /// The functions of each namespace that are no methods, and of each module that ships.
    functions: BTreeMap<String, BTreeSet<String>>,
    /// What types are, by their names.
    types: HashMap<String, String>,
    /// Whatever the reference can be asked about.
    subjects: Vec<Candidate>,
}

impl Sources {
    /// Those of every session.
    pub(in crate::host::repl) fn get() -> &'static Self {
        static SOURCES: OnceLock<Sources> = OnceLock::new();
        SOURCES.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut sources = Self {
            known: Known::get(),
            told: HashMap::new(),
            functions: BTreeMap::new(),
            types: HashMap::new(),
            subjects: Vec::new(),
        };
        // A test keeps the modules that ship fit to be read.
        let sections = Reference::new().map(|it| it.sections).unwrap_or_default();
        for section in &sections {
            for group in &section.groups {
                if let Some(head) = group.head.as_ref().filter(|head| head.kind == EntryKind::Type) {
                    sources.types.insert(head.name.clone(), head.about());
                }
            }
        }
        for section in &sections {
            sources.read(section);
        }
        sources
    }

    fn read(&mut self, section: &Section) {
        for group in &section.groups {
            let head = group.head.as_ref();
            for entry in head.into_iter().chain(&group.entries) {
                if is_subject(entry.kind) {
                    self.subjects
                        .push(Candidate::new(entry.name.clone(), &entry.signature, &entry.about()));
                }
            }
            for entry in &group.entries {
                let owner = head.map_or("", |head| head.name.as_str());
                let Some(key) = self.key(entry.kind, &entry.name, owner) else {
                    continue;
                };
                if let (EntryKind::Function | EntryKind::ModuleFunction, Some((place, name))) =
                    (entry.kind, key.split_once("::"))
                {
                    let functions = self.functions.entry(place.to_owned()).or_default();
                    functions.insert(name.to_owned());
                }
                let gives = entry.data.get("returns").or_else(|| entry.data.get("type"));
                self.told.entry(key).or_default().push(Told {
                    signature: entry.signature.clone(),
                    about: entry.about(),
                    gives: gives.and_then(|it| it.as_str()).unwrap_or_default().to_owned(),
                });
            }
        }
    }

    /// By what an entry of the reference is looked up here.
    fn key(&self, kind: EntryKind, name: &str, head: &str) -> Option<String> {
        match kind {
            EntryKind::Function | EntryKind::ModuleFunction => Some(name.to_owned()),
            EntryKind::Method | EntryKind::Field => {
                let (owner, name) = name.split_once('.')?;
                let bare = owner.replace('_', "");
                let owner = self.types.keys().find(|kind| kind.to_lowercase() == bare)?;
                Some(format!("{owner}.{name}"))
            }
            EntryKind::Builtin => {
                let owner = match head.strip_prefix("of ")? {
                    "text" => "string",
                    "function" => "Fn",
                    "anything" => "",
                    other => other,
                };
                Some(format!("{owner}.{name}"))
            }
            _ => None,
        }
    }

    /// What is told of `users::get`, `say`, `User.lock`.
    pub(in crate::host::repl) fn told(&self, key: &str) -> Option<&Told> {
        self.told.get(key)?.last()
    }

    /// Every namespace.
    pub(super) fn namespaces() -> impl Iterator<Item = Candidate> {
        let offered = NAMESPACES.iter().filter(|namespace| namespace.name != OF_TESTS);
        offered.map(|namespace| {
            let written = format!("{}::", namespace.name);
            Candidate::new(written.clone(), &written, namespace.about)
        })
    }

    /// The functions of a namespace, or of a module that ships.
    pub(super) fn functions(&self, place: &str) -> Vec<Candidate> {
        let names = self.functions.get(place).into_iter().flatten();
        names
            .filter_map(|name| {
                let key = format!("{place}::{name}");
                Some(of_function(name, self.told(&key)?))
            })
            .collect()
    }

    /// Whether there is such a namespace.
    pub(super) fn has_namespace(&self, name: &str) -> bool {
        self.known.has_namespace(name)
    }

    /// The modules that ship.
    pub(super) fn modules(&self) -> impl Iterator<Item = &Candidate> {
        self.subjects
            .iter()
            .filter(|subject| subject.replacement.starts_with("std/") && !subject.replacement.contains("::"))
    }

    /// The functions that are called without anything before them.
    pub(super) fn globals(&self) -> Vec<Candidate> {
        let own = self.told.iter().filter(|(key, _)| !key.contains(['.', ':']));
        let own = own.filter_map(|(name, told)| Some(of_function(name, told.last()?)));
        own.chain(FREE.map(of_signature)).collect()
    }

    /// What is called so without anything before it.
    pub(in crate::host::repl) fn global(&self, name: &str) -> Option<Candidate> {
        let mut all = self.globals().into_iter();
        all.find(|candidate| candidate.replacement.trim_end_matches(['(', ')']) == name)
    }

    /// What is told of a method of a type.
    pub(in crate::host::repl) fn method(&self, kind: Type, name: &str) -> Option<&Told> {
        self.told(&format!("{}.{name}", owner(kind)))
    }

    /// The properties and methods of a type.
    pub(super) fn members(&self, kind: Type) -> Vec<Candidate> {
        if kind == Type::Any {
            return Vec::new();
        }
        let owner = owner(kind);
        let mut arities: BTreeMap<&str, (usize, &Native)> = BTreeMap::new();
        for native in self
            .known
            .methods_for(kind)
            .filter(|native| !UNWANTED.contains(&native.name.as_str()))
        {
            let most = arities.entry(&native.name).or_insert((native.arity, native));
            if native.arity > most.0 {
                *most = (native.arity, native);
            }
        }
        let methods = arities.into_iter().map(|(name, (arity, _))| {
            let brackets = if arity > 1 { "(" } else { "()" };
            match self.told(&format!("{owner}.{name}")) {
                Some(told) => Candidate::new(format!("{name}{brackets}"), &told.signature, &told.about),
                None => Candidate::new(format!("{name}{brackets}"), &untold(name, arity), ""),
            }
        });
        let properties =
            self.known
                .own_properties(kind)
                .map(|(name, of)| match self.told(&format!("{owner}.{name}")) {
                    Some(told) => Candidate::new(name.to_owned(), &told.signature, &told.about),
                    None => Candidate::new(name.to_owned(), &format!("{name}: {}", written(of)), ""),
                });
        let more = OF_ALL
            .iter()
            .chain(if kind == Type::Of("Fn") { &OF_FUNCTIONS[..] } else { &[] });
        properties
            .chain(methods)
            .chain(more.copied().map(of_signature))
            .collect()
    }

    /// Whatever the reference can be asked about.
    pub(super) fn subjects(&self) -> &[Candidate] {
        &self.subjects
    }

    /// What a type is, in one sentence.
    pub(super) fn about(&self, kind: Type) -> &str {
        match kind {
            Type::Of(name) => self.types.get(name).map_or("", String::as_str),
            _ => "",
        }
    }

    /// The type of this name, as scripts or Rust write it.
    pub(super) fn type_named(&self, name: &str) -> Type {
        self.known.type_named(name)
    }

    /// The type of a value.
    pub(super) fn type_of(&self, value: &Dynamic) -> Type {
        self.known.type_of(value)
    }

    /// What a value is: also of an array what is in it, as far as its first items tell.
    pub(super) fn shape_of(&self, value: &Dynamic) -> Shape {
        const LOOKED_AT: usize = 8;
        if let Some(items) = value.read_lock::<Array>() {
            let mut kinds = items.iter().take(LOOKED_AT).map(|item| self.type_of(item));
            return match kinds.next() {
                Some(first) if kinds.all(|kind| kind == first) => Shape::ArrayOf(first),
                _ => Shape::Of(Type::Of("array")),
            };
        }
        Shape::Of(self.type_of(value))
    }

    /// What a property of a type holds.
    pub(super) fn property(&self, kind: Type, name: &str) -> Shape {
        match self.told(&format!("{}.{name}", owner(kind))) {
            Some(told) if !told.gives.is_empty() => self.shape(&told.gives),
            _ => {
                let mut own = self.known.own_properties(kind).filter(|(known, _)| *known == name);
                Shape::Of(own.next().map_or(Type::Any, |(_, kind)| kind))
            }
        }
    }

    /// What a function of a namespace gives, or one without a namespace.
    pub(super) fn given_by(&self, place: &str, name: &str) -> Shape {
        let key = if place.is_empty() {
            name.to_owned()
        } else {
            format!("{place}::{name}")
        };
        match self.told(&key) {
            Some(told) => self.shape(&told.gives),
            None => agreed(self.known.in_namespace(place, name)),
        }
    }

    /// What a method of a type gives.
    pub(super) fn given_by_method(&self, kind: Type, name: &str) -> Shape {
        if kind == Type::Any {
            return Shape::UNKNOWN;
        }
        match self.told(&format!("{}.{name}", owner(kind))) {
            Some(told) if !told.gives.is_empty() => self.shape(&told.gives),
            _ => agreed(self.known.methods_for(kind).filter(|native| native.name == name)),
        }
    }

    /// A type as the reference writes it.
    fn shape(&self, words: &str) -> Shape {
        let words = words.strip_suffix(" | ()").unwrap_or(words);
        if let Some(item) = words.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Shape::ArrayOf(self.known.type_named(item));
        }
        Shape::Of(match words.strip_prefix("list of ") {
            None => self.known.type_named(words),
            Some(item) => match self.known.type_named(item) {
                Type::Of(item) => Type::ListOf(item),
                _ => Type::Any,
            },
        })
    }
}

/// The one type that overloads give.
fn agreed<'known>(mut natives: impl Iterator<Item = &'known Native>) -> Shape {
    let first = natives.next().map_or(Type::Any, |native| native.returns);
    Shape::Of(if natives.all(|native| native.returns == first) {
        first
    } else {
        Type::Any
    })
}

fn is_subject(kind: EntryKind) -> bool {
    !matches!(
        kind,
        EntryKind::Key | EntryKind::ParameterKey | EntryKind::ParameterType
    )
}

/// A type by what its members are looked up.
fn owner(kind: Type) -> &'static str {
    match kind {
        Type::Of(name) => name,
        // No method is of a list alone.
        Type::ListOf(_) | Type::Any => "",
        Type::Arguments => "map",
    }
}

/// A type as the reference writes it.
pub(super) fn written(kind: Type) -> String {
    match kind {
        Type::Any => "?".to_owned(),
        Type::Arguments | Type::Of("map") => "Map".to_owned(),
        Type::Of("string") => "String".to_owned(),
        Type::Of("array") => "Array".to_owned(),
        Type::Of("blob") => "Blob".to_owned(),
        Type::Of(name) => name.to_owned(),
        Type::ListOf(item) => format!("list of {item}"),
    }
}

/// A shape as the reference writes it.
pub(super) fn written_shape(shape: Shape) -> String {
    match shape {
        Shape::Of(kind) => written(kind),
        Shape::ArrayOf(Type::Any) => "Array".to_owned(),
        Shape::ArrayOf(item) => format!("[{}]", written(item)),
    }
}

fn of_function(name: &str, told: &Told) -> Candidate {
    let taken = told.signature.split_once('(').map_or("", |(_, taken)| taken);
    let brackets = if taken.starts_with(')') { "()" } else { "(" };
    Candidate::new(format!("{name}{brackets}"), &told.signature, &told.about)
}

fn of_signature((signature, about): (&str, &str)) -> Candidate {
    Candidate::of_signature(signature, about)
}

/// The signature of a method that nothing is told of.
fn untold(name: &str, arity: usize) -> String {
    let more = if arity > 1 { "…" } else { "" };
    format!("{name}({more})")
}
