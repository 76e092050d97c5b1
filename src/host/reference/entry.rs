//! One thing that the reference tells of.

use serde_json::{Map, Value, json};

use crate::primitives::Documented;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A namespace of primitives.
    Namespace,
    /// A primitive that is called by its namespace, or without one.
    Function,
    /// A primitive that is called on a value.
    Method,
    /// A type that scripts see.
    Type,
    /// A field of a type.
    Field,
    /// Something that a script may be allowed to do.
    Capability,
    /// The code of an error.
    Error,
    /// A key of a header.
    Key,
    /// A key of a parameter.
    ParameterKey,
    /// The type of a parameter.
    ParameterType,
    /// A module of the standard library.
    Module,
    /// A function of such a module.
    ModuleFunction,
    /// A meta-command of a session.
    MetaCommand,
    /// A function of Rhai's own.
    Builtin,
}

impl EntryKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Function => "function",
            Self::Method => "method",
            Self::Type => "type",
            Self::Field => "field",
            Self::Capability => "capability",
            Self::Error => "error",
            Self::Key => "key",
            Self::ParameterKey => "parameter key",
            Self::ParameterType => "parameter type",
            Self::Module => "module",
            Self::ModuleFunction => "module function",
            Self::MetaCommand => "meta-command",
            Self::Builtin => "builtin",
        }
    }

    /// Whether it has room of its own, and not one line of a list.
    #[must_use]
    pub const fn is_called(self) -> bool {
        matches!(
            self,
            Self::Function | Self::Method | Self::ModuleFunction | Self::Builtin
        )
    }
}

/// One thing that the reference tells of.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// As scripts and headers write it: `users::get`, `user.lock`, `User`, `users:write`.
    pub name: String,
    /// The same with what it takes and returns, or with its type.
    pub signature: String,
    /// What it is or does, in the Markdown of doc comments.
    pub description: String,
    /// What else there is to say, a sentence or two in Markdown; empty if there is nothing.
    pub terms: String,
    /// How it is used; empty if there is no example.
    pub example: String,
    /// What programs read of it beside all that.
    pub data: Map<String, Value>,
    /// How it can be looked up, in lower case.
    pub(super) spellings: Vec<String>,
}

impl Entry {
    /// An entry that is looked up by its name.
    pub(super) fn new(kind: EntryKind, name: impl Into<String>, description: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            kind,
            signature: name.clone(),
            description: description.into(),
            terms: String::new(),
            example: String::new(),
            data: Map::new(),
            spellings: vec![name.to_lowercase()],
            name,
        }
    }

    /// A primitive.
    pub(super) fn of(primitive: &Documented) -> Self {
        let kind = match primitive.receiver() {
            Some(_) => EntryKind::Method,
            None => EntryKind::Function,
        };
        let parameters = primitive.typed_parameters().into_iter();
        let parameters: Vec<_> = parameters
            .map(|(name, kind)| json!({"name": name, "type": kind}))
            .collect();
        Self::new(kind, primitive.written(), primitive.description())
            .signature(primitive.signature())
            .terms(primitive.terms().unwrap_or_default())
            .example(primitive.example().unwrap_or_default())
            .also(&primitive.name)
            .also(&format!("{}::{}", primitive.namespace, primitive.name))
            .data("parameters", parameters)
            .data("returns", primitive.returns.as_str())
            .data("needs", primitive.needs())
            .data("fails_with", primitive.fails_with())
    }

    pub(super) fn signature(mut self, signature: impl Into<String>) -> Self {
        self.signature = signature.into();
        self
    }

    pub(super) fn terms(mut self, terms: impl Into<String>) -> Self {
        self.terms = terms.into();
        self
    }

    pub(super) fn example(mut self, example: impl Into<String>) -> Self {
        self.example = example.into();
        self
    }

    /// It can be looked up by another name too.
    pub(super) fn also(mut self, spelling: &str) -> Self {
        let spelling = spelling.to_lowercase();
        if !self.spellings.contains(&spelling) {
            self.spellings.push(spelling);
        }
        self
    }

    pub(super) fn data(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// Whether this name, in lower case, is one of its own.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        self.spellings.iter().any(|spelling| spelling == wanted)
    }

    /// The first sentence of what it is or does.
    #[must_use]
    pub fn about(&self) -> String {
        first_sentence(&self.description)
    }

    /// What programs read.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = Map::new();
        value.insert("kind".to_owned(), self.kind.as_str().into());
        value.insert("name".to_owned(), self.name.as_str().into());
        value.insert("signature".to_owned(), self.signature.as_str().into());
        value.insert("description".to_owned(), self.description.as_str().into());
        value.extend(self.data.clone());
        if !self.example.is_empty() {
            value.insert("example".to_owned(), self.example.as_str().into());
        }
        Value::Object(value)
    }
}

/// The first sentence of a help text, in one line.
pub(in crate::host) fn first_sentence(help: &str) -> String {
    let paragraph = help.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    match paragraph.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => paragraph,
    }
}
