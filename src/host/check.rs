//! What is wrong with a script, found without running it: all at once, each with its place.
//!
//! A script is checked together with the modules in its folder that it imports. Of what Rhai finds only when it gets
//! there, a call of a function that does not exist above all, nothing is left to a run: a slip on the last line must not
//! be met after the first has written. What cannot be known without running the script is taken to be right.

mod arguments;
mod calls;
mod finding;
mod header;
mod imports;
mod known;
mod reach;
mod shape;
mod unit;
mod walk;

use rhai::ParseErrorType;

pub use self::finding::{Finding, Rule, Severity};

use self::{imports::load, unit::Unit, walk::Walk};
use super::{
    modules::Modules,
    script::{Origin, Script},
};
use crate::error::{Code, Error, Result};

/// How many findings of one script are told. Whoever has more of them has another language.
const MOST: usize = 100;

/// Whether functions of this name are tests: they take what `scripts test` has, and need no capability.
fn is_test(name: &str) -> bool {
    name.starts_with("test_")
}

/// Whether a script is a file of tests, which has no `main`.
fn is_of_tests(script: &Script) -> bool {
    script.label.ends_with(".test.rhai")
}

/// Checks a script and the modules in its folder that it imports: its findings in the order of its text, then theirs.
#[must_use]
pub fn script(script: &Script) -> Vec<Finding> {
    let modules = Modules::of(script);
    let mut main = match Unit::parse(&script.label, script.source.clone(), is_of_tests(script)) {
        Ok(main) => main,
        Err(finding) => return vec![finding],
    };
    main.is_expression = script.origin == Origin::Expression;
    let mut findings = Vec::new();
    let units = load(main, &modules, &mut findings);
    let mut calls = Vec::new();
    let mut read = arguments::Read::default();
    for (index, unit) in units.iter().enumerate() {
        let mut found = Vec::new();
        Walk::new(&units, index, &mut found, &mut calls, &mut read).all();
        if unit.is_shipped() && index > 0 {
            continue;
        }
        if !found.iter().any(Finding::is_of_names) {
            found.extend(unit.refused.clone());
        }
        shape::check(unit, index == 0, &calls, index, &mut found);
        findings.append(&mut found);
    }
    if !is_of_tests(script) {
        arguments::check(script, &units[0], &read, &mut findings);
        reach::check(script, &units, &calls, &mut findings);
    }
    in_order(findings, script)
}

/// Checks a module of the standard library by itself.
#[cfg(test)]
fn module(label: &str, text: &std::sync::Arc<str>) -> Vec<Finding> {
    let unit = match Unit::parse(label, text.clone(), false) {
        Ok(unit) => unit,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    let none = Script::new("module", label, "").map(|script| Modules::of(&script));
    let Ok(modules) = none else { return findings };
    let units = load(unit, &modules, &mut findings);
    let mut calls = Vec::new();
    let mut read = arguments::Read::default();
    Walk::new(&units, 0, &mut findings, &mut calls, &mut read).all();
    shape::check(&units[0], false, &calls, 0, &mut findings);
    findings
}

fn in_order(mut findings: Vec<Finding>, script: &Script) -> Vec<Finding> {
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| (finding.excerpt.name != script.label, finding.excerpt.name.clone());
        let place = |finding: &Finding| {
            (
                finding.excerpt.span.start,
                finding.excerpt.span.end,
                finding.rule as usize,
            )
        };
        (key(one), place(one)).cmp(&(key(other), place(other)))
    });
    findings.dedup();
    findings.truncate(MOST);
    findings
}

/// Refuses a script that has a mistake, before anything of it runs. Those that ship are checked by a test.
///
/// # Errors
/// `script.syntax`, `script.invalid`, with every mistake.
pub(super) fn refuse(script: &Script) -> Result<()> {
    if script.origin == Origin::Shipped {
        return Ok(());
    }
    let mut mistakes = self::script(script);
    mistakes.retain(|finding| finding.severity() == Severity::Error);
    match Error::from_mistakes(&script.label, mistakes) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

impl Error {
    /// The error that all these mistakes are.
    fn from_mistakes(label: &str, mistakes: Vec<Finding>) -> Option<Self> {
        let findings: Vec<_> = mistakes.iter().map(Finding::to_json).collect();
        let count = mistakes.len();
        let mut errors: Vec<Self> = mistakes.into_iter().map(Finding::into_error).collect();
        let all = match count {
            0 => return None,
            1 => errors.remove(0),
            _ => {
                let message = format!("{label} has {count} mistakes, so nothing of it was run");
                Self::new(Code::ScriptInvalid, message).with_parts(errors)
            }
        };
        Some(all.data("findings", findings))
    }
}

/// Whether Rhai refuses what this check finds and says better.
fn is_of_names(error: &ParseErrorType) -> bool {
    matches!(
        error,
        ParseErrorType::VariableUndefined(_) | ParseErrorType::ModuleUndefined(_)
    )
}

#[cfg(test)]
mod tests;
