//! The modules that a script imports, and those that they import.

use std::collections::HashMap;

use super::{Rule, finding::Finding, unit::Unit};
use crate::{
    error::Code,
    host::modules::{Modules, in_a_circle},
};

/// The script and every module that it needs, itself the first.
pub(super) type Units = Vec<Unit>;

/// Finds and parses the modules of a script.
pub(super) fn load(main: Unit, modules: &Modules, findings: &mut Vec<Finding>) -> Units {
    let mut units = vec![main];
    let mut known = HashMap::new();
    known.insert(units[0].label.clone(), Some(0));
    let mut next = 0;
    while next < units.len() {
        for import in 0..units[next].imports.len() {
            let unit = &units[next];
            let Some(path) = unit.imports[import].path.clone() else {
                continue;
            };
            let excerpt = unit.at(unit.imports[import].position);
            let importer = unit.label.clone();
            let source = match modules.find(Some(&importer), &path) {
                Ok(source) => source,
                Err(error) => {
                    let rule = match error.code() {
                        Code::ScriptNotFound | Code::FileUnreadable => Rule::UnknownModule,
                        _ => Rule::Import,
                    };
                    let mut finding = Finding::new(rule, error.message(), excerpt);
                    finding.help = error.help_text().map(str::to_owned);
                    findings.push(finding);
                    continue;
                }
            };
            if !known.contains_key(&source.label) {
                let parsed = Unit::parse(&source.label, &source.text, false);
                let place = match parsed {
                    Ok(unit) => {
                        units.push(unit.shipped(source.is_shipped()));
                        Some(units.len() - 1)
                    }
                    Err(finding) => {
                        findings.push(finding);
                        None
                    }
                };
                known.insert(source.label.clone(), place);
            }
            units[next].imports[import].unit = known[&source.label];
        }
        next += 1;
    }
    find_circles(&units, findings);
    units
}

/// Modules that import each other at their top level are never done with it.
fn find_circles(units: &Units, findings: &mut Vec<Finding>) {
    let mut done = vec![false; units.len()];
    let mut path = Vec::new();
    follow(0, units, &mut path, &mut done, findings);
}

fn follow(at: usize, units: &Units, path: &mut Vec<usize>, done: &mut [bool], findings: &mut Vec<Finding>) {
    path.push(at);
    for import in units[at].imports.iter().filter(|import| import.of_all) {
        let Some(to) = import.unit else { continue };
        if let Some(start) = path.iter().position(|on| *on == to) {
            let circle = path[start..].iter().chain([&to]);
            let labels: Vec<_> = circle.map(|on| units[*on].label.as_str()).collect();
            let message = in_a_circle(&labels);
            findings.push(Finding::new(Rule::Import, message, units[at].at(import.position)));
        } else if !done[to] {
            follow(to, units, path, done, findings);
        }
    }
    path.pop();
    done[at] = true;
}
