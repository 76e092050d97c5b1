//! The shape of a text: what may stand where, and what no name may be taken for.

use std::collections::HashSet;

use rhai::{Expr, Stmt};

use super::{
    MOST, Rule,
    finding::Finding,
    imports::Units,
    known::{Known, Native},
    reach::Call,
    unit::{Function, Unit},
};
use crate::{error::Excerpt, host::script::is_test};

/// Checks the shape of a text by its place: the first is that of a script, the others are modules.
pub(super) fn check(units: &Units, index: usize, findings: &mut Vec<Finding>) {
    let unit = &units[index];
    top_level(unit, findings);
    replaced(unit, index > 0 || unit.is_shipped, units, findings);
    unused_imports(unit, findings);
}

/// Checks that no function of an input takes the place of another.
pub(super) fn check_input(units: &Units, findings: &mut Vec<Finding>) {
    replaced(&units[0], false, units, findings);
}

/// Checks what only the text of a script must have.
pub(super) fn check_script(unit: &Unit, calls: &[Call], findings: &mut Vec<Finding>) {
    if main(unit, findings) {
        unused_functions(unit, calls, findings);
    }
}

/// Only what does nothing may stand outside of functions.
fn top_level(unit: &Unit, findings: &mut Vec<Finding>) {
    for statement in &unit.top {
        let does_something = match statement {
            Stmt::Noop(_) | Stmt::Import(..) | Stmt::Export(..) | Stmt::Share(_) => false,
            Stmt::Var(declared, ..) => !is_literal(&declared.1),
            // What a text ends in without a semicolon.
            Stmt::Expr(value) => !matches!(**value, Expr::Unit(_)),
            _ => true,
        };
        if does_something && findings.len() < 2 * MOST {
            let finding = Finding::new(
                Rule::TopLevel,
                "Nothing may happen at the top level of a script",
                unit.at(statement.position()),
            );
            findings.push(
                finding.help(
                    "Only `import`, `const`, `let` with a literal, and `fn` stand there: move it into a function.",
                ),
            );
        }
    }
}

/// Whether a value is made without calling anything.
fn is_literal(value: &Expr) -> bool {
    match value {
        Expr::Array(items, _) | Expr::InterpolatedString(items, _) => items.iter().all(is_literal),
        Expr::Map(entries, _) => entries.0.iter().all(|(_, value)| is_literal(value)),
        Expr::Variable(..) => true,
        // What stands between `${` and `}`.
        Expr::Stmt(block) => {
            let is_literal = |statement: &Stmt| matches!(statement, Stmt::Expr(value) if is_literal(value));
            block.statements().iter().all(is_literal)
        }
        Expr::FnCall(call, _) => call.is_operator_call() && call.args.iter().all(is_literal),
        other => other.is_constant(),
    }
}

/// Whether there is a `main`, however wrong.
fn main(unit: &Unit, findings: &mut Vec<Finding>) -> bool {
    let mut mains: Vec<_> = unit.named("main").map(|(_, function)| function).collect();
    mains.retain(|main| main.this_type.is_none());
    if mains.iter().any(|main| main.params.len() == 1) {
        return true;
    }
    let finding = match mains.first() {
        Some(wrong) => {
            let count = wrong.params.len();
            let message = format!("`main` takes the arguments as its one parameter, not {count}");
            Finding::new(Rule::Main, message, unit.definition("main"))
        }
        None => Finding::new(
            Rule::Main,
            format!("{} has no function `main(args)`", unit.label),
            Excerpt::new(unit.label.as_str(), unit.text.clone(), 0..0),
        ),
    };
    findings.push(finding.help("A script does its work in `fn main(args) { … }`."));
    !mains.is_empty()
}

/// A function that would be called in the place of one of masctl's or Rhai's.
fn replaced(unit: &Unit, is_module: bool, units: &Units, findings: &mut Vec<Finding>) {
    let known = Known::get();
    for function in unit.functions.iter().filter(|function| !function.is_closure()) {
        let natives = known.named(&function.name);
        let Some(native) = natives
            .filter(|native| is_hidden(native, function, units, is_module))
            .last()
        else {
            continue;
        };
        let what = match native.namespace {
            _ if findings.len() >= 2 * MOST => return,
            Some(namespace) => format!("the method `{}` of `{namespace}`", native.name),
            None => format!("the function `{}` that every script has", native.name),
        };
        let message = format!("The function `{}` would take the place of {what}", function.name);
        let finding = Finding::new(Rule::Replaced, message, unit.definition(&function.name));
        findings.push(finding.help("Give it another name."));
    }
    for import in unit
        .imports
        .iter()
        .filter(|import| known.has_namespace(&import.alias) || import.alias == "global")
    {
        let message = format!(
            "The import `{}` would take the place of the namespace of this name",
            import.alias
        );
        let finding = Finding::new(Rule::Replaced, message, unit.at(import.position));
        findings.push(finding.help("Import it `as` something else."));
    }
}

/// Whether a function is called where a registered one was meant: as a function, or as a method that some text calls, since
/// Rhai looks in those of the callers as well. A function of a module is called without its name only where it is meant.
fn is_hidden(native: &Native, function: &Function, units: &Units, is_module: bool) -> bool {
    let count = function.params.len();
    let as_function = !is_module && (native.namespace.is_some() || native.arity == count);
    let method = (function.name.clone(), count);
    let as_method = native.arity == count + 1 && units.iter().any(|unit| unit.methods.contains(&method));
    function.this_type.is_none() && (as_function || as_method)
}

fn unused_imports(unit: &Unit, findings: &mut Vec<Finding>) {
    for import in unit.imports.iter().filter(|import| !import.alias.is_empty()) {
        // What cannot be imported is told so already.
        if import.unit.is_none() || unit.text.contains(&format!("{}::", import.alias)) {
            continue;
        }
        let message = format!("Nothing uses the import `{}`", import.alias);
        findings.push(Finding::new(Rule::UnusedImport, message, unit.at(import.position)).help("Remove it."));
    }
}

fn unused_functions(unit: &Unit, calls: &[Call], findings: &mut Vec<Finding>) {
    let called: HashSet<_> = calls.iter().filter_map(Call::of_script).collect();
    let named = unit
        .functions
        .iter()
        .enumerate()
        .filter(|(_, function)| !function.is_closure());
    let unused = named.filter(|(place, function)| {
        let is_entry = function.name == "main" || is_test(&function.name);
        !is_entry && !called.contains(place)
    });
    for (_, function) in unused.take(MOST) {
        let message = format!("Nothing calls the function `{}`", function.name);
        let finding = Finding::new(Rule::UnusedFunction, message, unit.definition(&function.name));
        findings.push(finding.help("Remove it."));
    }
}
