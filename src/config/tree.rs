//! The merged configuration: values, and for each of them where it came from.

use std::{collections::BTreeMap, sync::Arc};

use secrecy::SecretString;
use serde_json::Number;

/// A configuration file that was read.
pub(super) struct Source {
    /// The path as people recognize it.
    pub(super) name: String,
    /// The whole text. It may hold secrets.
    pub(super) text: SecretString,
}

/// One step from a value to one inside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The way from a file's top to a value in it, as a list from the end, so that siblings share it.
pub(super) struct Trail {
    parent: Option<Arc<Trail>>,
    step: Step,
}

/// Where a value came from.
#[derive(Clone)]
pub(super) enum Origin {
    /// Nowhere in particular: the top of the merged configuration.
    Top,
    /// An environment variable of this name.
    Variable(Arc<str>),
    /// A place in a file, which merging may have moved.
    File {
        source: Arc<Source>,
        trail: Option<Arc<Trail>>,
    },
}

impl Origin {
    /// The origin of a value inside of this one.
    pub(super) fn child(&self, step: impl FnOnce() -> Step) -> Self {
        match self {
            Self::Top => Self::Top,
            Self::Variable(name) => Self::Variable(Arc::clone(name)),
            Self::File { source, trail } => Self::File {
                source: Arc::clone(source),
                trail: Some(Arc::new(Trail {
                    parent: trail.clone(),
                    step: step(),
                })),
            },
        }
    }

    /// The way from the file's top, in order.
    pub(super) fn steps(mut trail: Option<&Arc<Trail>>) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(last) = trail {
            steps.push(last.step.clone());
            trail = last.parent.as_ref();
        }
        steps.reverse();
        steps
    }
}

/// A value of the configuration. Every text may be a secret, hence no text is kept as a plain string.
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(SecretString),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
}

impl Node {
    /// What kind of value this is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// A value with its origin.
pub(super) struct Tree {
    pub(super) node: Node,
    pub(super) origin: Origin,
}

impl Tree {
    /// A configuration without anything in it.
    pub(super) fn empty() -> Self {
        Self {
            node: Node::Map(BTreeMap::new()),
            origin: Origin::Top,
        }
    }

    /// Adds a later source as MAS does: mappings merge, lists are joined, anything else is replaced.
    pub(super) fn merge(&mut self, later: Self) {
        match (&mut self.node, later.node) {
            (Node::Map(ours), Node::Map(theirs)) => {
                for (key, value) in theirs {
                    match ours.get_mut(&key) {
                        Some(old) => old.merge(value),
                        None => drop(ours.insert(key, value)),
                    }
                }
            }
            (Node::List(ours), Node::List(theirs)) => {
                ours.extend(theirs);
                return;
            }
            (node, theirs) => *node = theirs,
        }
        self.origin = later.origin;
    }

    /// The value of a key of a mapping, unless that is empty.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.written(key).filter(|value| !matches!(value.node, Node::Null))
    }

    /// The value of a key of a mapping, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.node {
            Node::Map(entries) => entries.get_mut(key),
            _ => None,
        }
    }

    /// Removes a key of a mapping that has no value.
    pub(super) fn remove_empty(&mut self, key: &str) {
        if let Node::Map(entries) = &mut self.node
            && entries.get(key).is_some_and(|value| matches!(value.node, Node::Null))
        {
            entries.remove(key);
        }
    }

    /// The value of a key of a mapping, also an empty one.
    pub(super) fn written(&self, key: &str) -> Option<&Self> {
        match &self.node {
            Node::Map(entries) => entries.get(key),
            _ => None,
        }
    }
}
