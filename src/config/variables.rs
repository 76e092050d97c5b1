//! The variables `MAS_…` as configuration: `MAS_DATABASE_URI` is `database.uri`.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Number;

use super::{
    environment::Environment,
    source,
    tree::{Node, Origin, Tree},
};

/// The most parts of a name: no setting is nested as deep, and what reads the tree recurses.
const PARTS_LIMIT: usize = 16;

/// The configuration that the variables make, in the order of their names.
pub(super) fn read(environment: &Environment) -> Tree {
    let mut tree = Tree::empty();
    for (name, value) in environment.variables() {
        let Some(path) = name.strip_prefix("MAS_") else {
            continue;
        };
        // It names the files. MAS would take it for a setting that nobody reads.
        if path == "CONFIG" || path.split('_').count() > PARTS_LIMIT {
            continue;
        }
        let origin = Origin::Variable(Arc::from(name));
        let mut inner = parse(value, &origin);
        for key in path.rsplit('_') {
            inner = Tree {
                node: Node::Map(BTreeMap::from([(key.to_lowercase(), inner)])),
                origin: origin.clone(),
            };
        }
        tree.merge(inner);
    }
    tree
}

/// Guesses the type of a value as MAS does: true or false, a number, a list in brackets, text in double quotes, text.
fn parse(value: &str, origin: &Origin) -> Tree {
    let value = value.trim();
    let node = match value {
        "true" => Node::Bool(true),
        "false" => Node::Bool(false),
        _ => match number(value) {
            Some(number) => Node::Number(number),
            None if value.starts_with('[') && value.ends_with(']') => match source::from_yaml(value, origin) {
                Ok(tree) => return tree,
                Err(_) => Node::Text(value.into()),
            },
            None => Node::Text(unquoted(value).into()),
        },
    };
    Tree {
        node,
        origin: origin.clone(),
    }
}

fn number(value: &str) -> Option<Number> {
    // Without a digit it is a word that Rust takes for a number, such as `nan` or `infinity`.
    if !value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) || value.contains(['n', 'N']) {
        return None;
    }
    if let Ok(number) = value.parse::<u64>() {
        return Some(number.into());
    }
    if let Ok(number) = value.parse::<i64>() {
        return Some(number.into());
    }
    value.parse().ok().and_then(Number::from_f64)
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|inner| !inner.contains(['"', '\\']))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::dump, *};

    fn dumped(variables: &[(&str, &str)]) -> serde_json::Value {
        dump::masked(&read(&Environment::new(variables.iter().copied(), "/")))
    }

    #[test]
    fn names_nest_and_values_are_guessed() {
        let variables = [
            ("MAS_A_B", " true "),
            ("MAS_A_C", "-5"),
            ("MAS_A_D_E", "1.5"),
            ("MAS_CONFIG", "x"),
            ("MAS_F", "[1, x, [true]]"),
            ("MAS_G", "[1, x"),
            ("MAS_H", "\"12\""),
            ("MAS_I", "infinity"),
            ("MAS_J", ""),
            ("MAS_K", "1.2.3"),
            ("OTHER", "x"),
        ];
        let expected = json!({
            "a": { "b": true, "c": -5, "d": { "e": 1.5 } },
            "f": [1, "x", [true]],
            "g": "[1, x",
            "h": "12",
            "i": "infinity",
            "j": "",
            "k": "1.2.3",
        });
        assert_eq!(dumped(&variables), expected);
    }

    #[test]
    fn absurd_names_do_no_harm() {
        let deep = format!("MAS_{}", "a_".repeat(100_000));
        assert_eq!(dumped(&[(&deep, "x"), ("MAS_", "y")]), json!({ "": "y" }));
    }

    #[test]
    fn a_deeper_name_replaces_a_value() {
        assert_eq!(
            dumped(&[("MAS_A", "x"), ("MAS_A_B", "y")]),
            json!({ "a": { "b": "y" } })
        );
    }
}
