//! What scripts can call, and the types that they see: from doc comments, and from the lists of fields.

use std::{borrow::Cow, collections::BTreeMap};

use rhai::{Engine, FnNamespace, FuncInfo};
use serde::Deserialize;

use super::fields::{self, Fields};

/// A primitive with its help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documented {
    /// Its namespace; empty if it is called without one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The names of its parameters with their types, as Rust has them.
    pub parameters: Vec<String>,
    /// The type of what it returns, as the reference has it; `()` for nothing.
    pub returns: String,
    /// The doc comment without the slashes.
    pub help: String,
    /// Whether it can also be called without its namespace, as a method is.
    global: bool,
}

impl Documented {
    /// What is documented of a function, if it is a primitive of a namespace.
    pub(crate) fn of(function: &FuncInfo<'_>) -> Option<Self> {
        let is_known = super::NAMESPACES.iter().any(|known| known.name == function.namespace);
        is_known.then(|| Self::read(function))
    }

    fn read(function: &FuncInfo<'_>) -> Self {
        let metadata = function.metadata;
        Self {
            namespace: function.namespace.to_string(),
            name: metadata.name.to_string(),
            parameters: metadata.params_info.iter().map(ToString::to_string).collect(),
            returns: scripted(&metadata.return_type),
            help: uncommented(&metadata.comments.join("\n")),
            global: metadata.namespace == FnNamespace::Global,
        }
    }

    /// The capability that it needs, as its help says; `None` for `Needs nothing`.
    #[must_use]
    pub fn needs(&self) -> Option<&str> {
        let needs = self.after("Needs ")?;
        needs.split('`').nth(1)
    }

    /// The codes of the errors that it fails with, as its help says.
    #[must_use]
    pub fn fails_with(&self) -> Vec<&str> {
        let fails = self.after("Fails with ").unwrap_or_default();
        fails.split('`').skip(1).step_by(2).collect()
    }

    /// The example in its help.
    #[must_use]
    pub fn example(&self) -> Option<&str> {
        let (_, rest) = self.help.split_once("```rhai\n")?;
        rest.split_once("```").map(|(example, _)| example)
    }

    /// What it does: the help without what it needs, what it fails with, and the example.
    #[must_use]
    pub fn description(&self) -> String {
        let paragraphs = self.help.split("\n\n");
        let told = paragraphs.filter(|paragraph| !paragraph.starts_with("Needs ") && !paragraph.starts_with("```"));
        told.collect::<Vec<_>>().join("\n\n")
    }

    /// The paragraph of the help that says what it needs and fails with.
    #[must_use]
    pub fn terms(&self) -> Option<&str> {
        self.help
            .split("\n\n")
            .find(|paragraph| paragraph.starts_with("Needs "))
    }

    /// The type whose method it is.
    #[must_use]
    pub fn receiver(&self) -> Option<&str> {
        let (_, kind) = self.parameters.first()?.split_once(": &mut ")?;
        self.global.then_some(kind)
    }

    /// What its first parameter is called.
    #[must_use]
    pub fn receiver_name(&self) -> &str {
        let first = self.parameters.first().and_then(|first| first.split_once(':'));
        first.map_or("_", |(name, _)| name)
    }

    /// The names of what is given to it in brackets, and their types as the reference has them.
    #[must_use]
    pub fn typed_parameters(&self) -> Vec<(&str, String)> {
        let given = self.parameters.iter().skip(usize::from(self.receiver().is_some()));
        let split = given.map(|parameter| parameter.split_once(": ").unwrap_or((parameter, "Dynamic")));
        split.map(|(name, kind)| (name, scripted(kind))).collect()
    }

    /// As scripts write it: `users::get`, or `user.lock` for what is done to a thing, which is called by its type.
    #[must_use]
    pub fn written(&self) -> String {
        match self.receiver() {
            Some(receiver) => format!("{}.{}", snake_case(receiver), self.name),
            None if self.namespace.is_empty() => self.name.clone(),
            None => format!("{}::{}", self.namespace, self.name),
        }
    }

    /// As scripts write it, with what it takes and returns: `users::get(name: String) -> User`.
    #[must_use]
    pub fn signature(&self) -> String {
        signature(&self.written(), &self.typed_parameters(), &self.returns)
    }

    /// What follows `start` in [`Self::terms`], up to the end of its sentence.
    fn after(&self, start: &str) -> Option<&str> {
        let (_, rest) = self.terms()?.split_once(start)?;
        Some(rest.split_once(". ").map_or(rest, |(sentence, _)| sentence))
    }
}

/// A function with what it takes and returns: `users::get(name: String) -> User`.
#[must_use]
pub fn signature(name: &str, parameters: &[(impl AsRef<str>, String)], returns: &str) -> String {
    let given: Vec<_> = parameters
        .iter()
        .map(|(name, kind)| format!("{}: {kind}", name.as_ref()))
        .collect();
    let returned = match returns {
        "()" => String::new(),
        returns => format!(" -> {returns}"),
    };
    format!("{name}({}){returned}", given.join(", "))
}

/// A type that scripts see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// What `type_of` says.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What can be read of a value of it, in the order of tables.
    pub fields: Vec<Property>,
}

/// A field of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// The type of its value.
    pub kind: String,
    /// What it is.
    pub about: String,
}

impl Type {
    /// A type with fields. What it is, is not known here.
    pub(super) fn of<T: Fields>() -> Self {
        let property = |field: &fields::Field<T>| Property {
            name: field.name.to_owned(),
            kind: (field.kind)(),
            about: field.about.to_owned(),
        };
        Self {
            name: type_name::<T>().to_owned(),
            about: String::new(),
            fields: T::FIELDS.iter().map(property).collect(),
        }
    }

    /// What the methods of the type are called by: `access_token`.
    #[must_use]
    pub fn written(&self) -> String {
        snake_case(&self.name)
    }
}

/// The last part of the name of a type of Rust's.
pub(super) fn type_name<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    path.rsplit("::").next().unwrap_or(path)
}

/// Every primitive of a namespace, and every getter, in the order of the engine.
#[must_use]
pub fn documented() -> Vec<Documented> {
    engine().collect_fn_metadata(None, |function| Documented::of(&function), false)
}

/// Every function that is called without a namespace, by name.
#[must_use]
pub fn globals() -> Vec<Documented> {
    let all = functions(&engine()).into_iter();
    let is_told = |function: &Documented| {
        function.namespace.is_empty() && !function.help.is_empty() && !function.name.starts_with("get$")
    };
    let mut globals: Vec<_> = all.filter(is_told).collect();
    globals.sort_by(|one, other| one.name.cmp(&other.name));
    globals
}

/// The operators that compare values of masctl's own types.
#[must_use]
pub fn operators() -> Vec<Documented> {
    let all = functions(&engine()).into_iter();
    let is_comparison =
        |function: &Documented| function.returns == "bool" && function.name.chars().all(|char| "=!<>".contains(char));
    // What takes anything is there to refuse it.
    let takes_anything = |function: &Documented| function.typed_parameters().iter().any(|(_, kind)| kind == "?");
    let mut operators: Vec<_> = all
        .filter(|function| is_comparison(function) && !takes_anything(function))
        .collect();
    operators.sort_by(|one, other| one.name.cmp(&other.name));
    operators
}

/// Every type that scripts see, by name.
#[must_use]
pub fn documented_types() -> Vec<Type> {
    let engine = engine();
    let all = functions(&engine);
    let mut types: BTreeMap<String, Type> = fields::documented()
        .into_iter()
        .map(|kind| (kind.name.clone(), kind))
        .collect();
    for (name, about) in named(&engine) {
        let getters = all.iter().filter(|function| {
            function.namespace.is_empty() && !function.help.is_empty() && function.receiver() == Some(&name)
        });
        let property = |getter: &Documented| {
            Some(Property {
                name: getter.name.strip_prefix("get$")?.to_owned(),
                kind: getter.returns.clone(),
                about: getter.help.clone(),
            })
        };
        let kind = types.entry(name.clone()).or_insert_with(|| Type {
            name: name.clone(),
            about: String::new(),
            fields: getters.filter_map(property).collect(),
        });
        // The engine has no order that is the same in each build. Other types have that of their list.
        if !fields::is_type(&name) {
            kind.fields.sort_by(|one, other| one.name.cmp(&other.name));
        }
        kind.about = about;
    }
    types.into_values().collect()
}

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    super::register(&mut engine);
    engine
}

fn functions(engine: &Engine) -> Vec<Documented> {
    engine.collect_fn_metadata(None, |function| Some(Documented::read(&function)), false)
}

/// The metadata of a module that only Rhai's JSON has.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    modules: BTreeMap<String, Metadata>,
    custom_types: Vec<CustomType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomType {
    display_name: String,
    #[serde(default)]
    doc_comments: Vec<String>,
}

/// The types that have a doc comment, and what it says.
fn named(engine: &Engine) -> BTreeMap<String, String> {
    // It is Rhai that writes it: what cannot be read, a test finds missing.
    let metadata = engine.gen_fn_metadata_to_json(false).unwrap_or_default();
    let metadata: Metadata = serde_json::from_str(&metadata).unwrap_or_default();
    let types = metadata.modules.into_values().flat_map(|module| module.custom_types);
    let types = types.chain(metadata.custom_types);
    types
        .filter(|kind| !kind.doc_comments.is_empty())
        .map(|kind| (kind.display_name, uncommented(&kind.doc_comments.join("\n"))))
        .collect()
}

/// What the reference calls a type of Rust's.
#[must_use]
pub fn scripted(kind: &str) -> String {
    let kind: Cow<'_, str> = if kind.contains(' ') {
        kind.replace(' ', "").into()
    } else {
        kind.into()
    };
    let within = |wrapper: &str| kind.strip_prefix(wrapper)?.strip_suffix('>');
    if let Some(inner) = within("Scripted<") {
        return scripted(inner);
    }
    if let Some(inner) = within("Perhaps<") {
        return format!("{} | ()", scripted(inner));
    }
    if let Some(inner) = within("ArrayOf<") {
        return format!("[{}]", scripted(inner));
    }
    let bare = kind.trim_start_matches("&mut").trim_start_matches('&');
    let bare = bare.rsplit("::").next().unwrap_or(bare);
    let name = match bare {
        "" | "()" => "()",
        "Dynamic" => "?",
        "str" | "String" | "ImmutableString" | "string" => "String",
        "i64" | "INT" => "int",
        "f64" | "FLOAT" => "float",
        "FnPtr" => "Fn",
        "map" => "Map",
        "array" => "Array",
        other => match other.strip_suffix('s') {
            // A lazy list is called by what is in it.
            Some(item) if fields::is_type(item) => return format!("list of {item}"),
            _ => other,
        },
    };
    name.to_owned()
}

fn snake_case(name: &str) -> String {
    let mut words = String::new();
    for (at, letter) in name.chars().enumerate() {
        if at > 0 && letter.is_uppercase() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn uncommented(comments: &str) -> String {
    let lines = comments.lines().map(|line| line.trim().trim_start_matches("///"));
    lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{capability::Capability, error::Code};

    /// Getters are fields, which the list of fields documents.
    fn functions() -> Vec<Documented> {
        let all = documented().into_iter().chain(globals());
        all.filter(|primitive| !primitive.name.starts_with("get$")).collect()
    }

    #[test]
    fn every_primitive_says_what_it_does_needs_and_fails_with() {
        let functions = functions();
        assert!(functions.len() > 20, "{functions:?}");
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for primitive in functions {
            let name = format!("{}::{}: {}", primitive.namespace, primitive.name, primitive.help);
            let first = primitive.help.lines().next().unwrap_or_default();
            assert!(first.starts_with(char::is_uppercase), "{name}");
            assert!(primitive.help.contains("\n\nNeeds "), "{name}");
            assert!(primitive.help.contains("Fails with "), "{name}");
            assert!(primitive.example().is_some(), "{name}");
            if let Some(needed) = primitive.needs() {
                assert!(needed.parse::<Capability>().is_ok(), "{name}");
            } else {
                assert!(primitive.help.contains("Needs nothing."), "{name}");
            }
            for code in primitive.fails_with() {
                assert!(codes.contains(code), "{name}: {code}");
            }
        }
    }

    #[test]
    fn types_of_rust_are_called_as_scripts_know_them() {
        let table = [
            ("Scripted<() >", "()"),
            ("Scripted<Users >", "list of User"),
            ("Scripted<Perhaps<User> >", "User | ()"),
            ("Scripted<ArrayOf<JobCount>>", "[JobCount]"),
            ("&str", "String"),
            ("&mut User", "User"),
            ("Dynamic", "?"),
            ("i64", "int"),
            ("Address", "Address"),
            ("core::result::Result", "Result"),
        ];
        for (rust, expected) in table {
            assert_eq!(scripted(rust), expected, "{rust}");
        }
    }

    #[test]
    fn every_type_and_each_of_its_fields_says_what_it_is() {
        let types = documented_types();
        assert!(types.len() > 20, "{types:?}");
        for kind in types {
            assert!(kind.about.ends_with('.'), "{kind:?}");
            for field in &kind.fields {
                assert!(
                    field.about.ends_with('.') && !field.kind.is_empty(),
                    "{}: {field:?}",
                    kind.name
                );
            }
        }
    }

    /// What the reference says of a field that is not there or of none at all would be a lie.
    #[test]
    fn the_fields_of_types_are_the_getters_of_the_engine() {
        let getters = documented()
            .into_iter()
            .filter(|function| function.name.starts_with("get$"));
        let getters: BTreeSet<String> = getters.map(|getter| getter.name).collect();
        let fields = documented_types().into_iter().filter(|kind| kind.name != "Error");
        let fields = fields.flat_map(|kind| kind.fields);
        let fields: BTreeSet<String> = fields.map(|field| format!("get${}", field.name)).collect();
        assert_eq!(getters, fields);
    }
}
