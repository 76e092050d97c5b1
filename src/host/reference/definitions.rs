//! What scripts can call and see, as a definition file for editors that know Rhai.
//!
//! Rhai's own writer prints the types of Rust's of what can fail.

use std::fmt::Write;

use crate::primitives::{self, Documented, NAMESPACES, Type};

/// The text of the definition file.
#[must_use]
pub fn text() -> String {
    let mut functions: Vec<_> = primitives::documented()
        .into_iter()
        .filter(|primitive| !primitive.name.starts_with("get$"))
        .collect();
    functions.sort_by_cached_key(|function| (function.name.clone(), function.parameters.clone()));
    let mut text =
        "/// What scripts of masctl can call and see. `masctl reference --definitions` prints it.\nmodule static;\n"
            .to_owned();
    for kind in primitives::documented_types() {
        write_type(&kind, &mut text);
    }
    for operator in primitives::operators() {
        let given: Vec<_> = operator.typed_parameters().into_iter().map(|(_, kind)| kind).collect();
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "\nop {}({}) -> {};",
            operator.name,
            given.join(", "),
            operator.returns
        );
    }
    for function in primitives::globals() {
        write_function(&function, "", &mut text);
    }
    for method in functions.iter().filter(|function| function.receiver().is_some()) {
        write_function(method, "", &mut text);
    }
    for namespace in NAMESPACES {
        let _ = write!(text, "\n/// {}\nmodule {} {{", namespace.about, namespace.name);
        let own = functions
            .iter()
            .filter(|function| function.namespace == namespace.name && function.receiver().is_none());
        for function in own {
            write_function(function, "    ", &mut text);
        }
        text.push_str("}\n");
    }
    text
}

fn write_type(kind: &Type, text: &mut String) {
    text.push('\n');
    write_help(&kind.about, "", text);
    let _ = writeln!(text, "type {} = #{{", kind.name);
    for field in &kind.fields {
        write_help(&field.about, "    ", text);
        let _ = writeln!(text, "    {}: {},", field.name, defined(&field.kind));
    }
    text.push_str("};\n");
}

fn write_function(function: &Documented, indent: &str, text: &mut String) {
    text.push('\n');
    write_help(&function.help, indent, text);
    let receiver = function
        .receiver()
        .map(|kind| (function.receiver_name(), kind.to_owned()));
    let given = receiver.into_iter().chain(function.typed_parameters());
    let given: Vec<_> = given.map(|(name, kind)| (name, defined(&kind))).collect();
    let signature = primitives::signature(&function.name, &given, &defined(&function.returns));
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{indent}fn {signature};");
}

fn write_help(help: &str, indent: &str, text: &mut String) {
    for line in help.lines() {
        let _ = writeln!(text, "{}", format!("{indent}/// {line}").trim_end());
    }
}

/// A type as definition files have it.
fn defined(kind: &str) -> String {
    match kind.strip_prefix("list of ") {
        Some(item) => format!("[{item}]"),
        None => kind.to_owned(),
    }
}
