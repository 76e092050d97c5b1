//! The arguments: what `main` reads of them, and what the header declares.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rule, finding::Finding, header, unit::Unit};
use crate::{
    capability::FileScope,
    error::{Excerpt, nearest},
    host::script::Script,
};

/// What is read of the arguments.
#[derive(Default)]
pub(super) struct Read {
    /// Those that are read by name, with the first place.
    pub(super) names: BTreeMap<String, Excerpt>,
    /// Those that the script gives a value itself.
    pub(super) set: BTreeSet<String>,
    /// Whether any may be read: they are handed on as a whole.
    pub(super) whole: bool,
}

/// What is read and not declared, and what is declared and not read.
pub(super) fn check(script: &Script, unit: &Unit, read: &Read, findings: &mut Vec<Finding>) {
    let declared: Vec<_> = script.header.params.iter().map(|param| param.name.as_str()).collect();
    for (name, excerpt) in &read.names {
        if declared.contains(&name.as_str()) || read.set.contains(name) {
            continue;
        }
        let message = format!("The header declares no parameter `{name}`");
        let finding = Finding::new(Rule::UnknownParam, message, excerpt.clone());
        findings.push(match nearest(name, &declared) {
            Some(meant) => finding.meant(Some(meant)),
            None => finding.help(format!("Add `{name}: {{ type: string }}` to `params`.")),
        });
    }
    if read.whole || !unit.named("main").any(|(_, main)| main.params.len() == 1) {
        return;
    }
    let granted = |name: &str| {
        let mut files = script.header.needs.files();
        files.any(|scope| matches!(scope, FileScope::Given(param) if param == name))
    };
    for name in declared {
        // What asks before it does something knows of `yes`.
        if name == "yes" || read.names.contains_key(name) || granted(name) {
            continue;
        }
        let message = format!("Nothing reads the parameter `{name}`");
        let finding = Finding::new(Rule::UnusedParam, message, header::place(script, name));
        findings.push(finding.help(format!("Read it as `args.{name}`, or remove it from `params`.")));
    }
}
