//! The doc comments of primitives, as the reference shows them and tests check them.

use rhai::{Engine, FuncInfo};

/// A primitive with its help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documented {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The names of its parameters with their types.
    pub parameters: Vec<String>,
    /// The doc comment without the slashes.
    pub help: String,
}

impl Documented {
    /// What is documented of a function, if it is a primitive.
    pub(crate) fn of(function: &FuncInfo<'_>) -> Option<Self> {
        let namespace = function.namespace.to_string();
        let is_primitive = super::NAMESPACES.iter().any(|known| known.name == namespace);
        is_primitive.then(|| Self {
            namespace,
            name: function.metadata.name.to_string(),
            parameters: function.metadata.params_info.iter().map(ToString::to_string).collect(),
            help: uncommented(&function.metadata.comments.join("\n")),
        })
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

    fn after(&self, start: &str) -> Option<&str> {
        let paragraph = self
            .help
            .split("\n\n")
            .find(|paragraph| paragraph.starts_with("Needs "))?;
        let (_, rest) = paragraph.split_once(start)?;
        Some(rest.split_once(". ").map_or(rest, |(sentence, _)| sentence))
    }
}

/// Every primitive, in the order of the engine.
#[must_use]
pub fn documented() -> Vec<Documented> {
    let mut engine = Engine::new_raw();
    super::register(&mut engine);
    engine.collect_fn_metadata(None, |function| Documented::of(&function), false)
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
        documented()
            .into_iter()
            .filter(|primitive| !primitive.name.starts_with("get$"))
            .collect()
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
}
