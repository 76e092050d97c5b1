//! What is wrong with a script, found without running it: all at once, each with its place.
//!
//! A script is checked together with the modules in its folder that it imports. Of what Rhai finds only when it gets
//! there, a call of a function that does not exist above all, nothing is left to a run: a slip on the last line must not
//! be met after the first has written. What cannot be known without running the script is taken to be right.

mod arguments;
mod calls;
mod chain;
mod finding;
mod header;
mod imports;
pub(super) mod known;
mod reach;
mod shape;
mod unit;
mod walk;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use rhai::ParseErrorType;

pub use self::finding::{Finding, Rule, Severity};
pub(super) use self::{
    known::{Known, Type},
    unit::Around,
};

use self::{imports::load, unit::Unit, walk::Walk};
use super::{
    modules::Modules,
    program::on_deep_stack,
    script::{self, Origin, Script},
};
use crate::error::{Code, Error, Result};

/// How many findings of one script are told. Whoever has more of them has another language.
const MOST: usize = 100;

/// What is checked: how much of a script it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All of it.
    Whole,
    /// All but what only a header tells: it has a mistake itself.
    WithoutHeader,
    /// Statements of the command line.
    Expression,
    /// Statements of a session, whose capabilities are those of the session.
    Input,
    /// A file of tests, which has no `main`.
    Tests,
}

impl Part {
    fn of(script: &Script) -> Self {
        if script.origin == Origin::Expression {
            Self::Expression
        } else if script::is_of_tests(Path::new(&script.label)) {
            Self::Tests
        } else {
            Self::Whole
        }
    }
}

/// What came of checking a script.
struct Checked {
    findings: Vec<Finding>,
    /// What errors call the modules that it imports.
    modules: Vec<String>,
}

impl Checked {
    fn new(findings: Vec<Finding>, script: &Script, units: &[Unit]) -> Self {
        Self {
            findings: in_order(findings, script),
            modules: units.iter().skip(1).map(|unit| unit.label.clone()).collect(),
        }
    }
}

/// Checks a script and the modules in its folder that it imports: its findings in the order of its text, then theirs.
#[must_use]
pub fn script(script: &Script) -> Vec<Finding> {
    check(script, Part::of(script)).findings
}

fn check(script: &Script, part: Part) -> Checked {
    let parsed = Unit::parse(&script.label, &script.code(), part == Part::Tests);
    check_parsed(parsed, script, part, &Modules::of(script))
}

fn check_parsed(parsed: std::result::Result<Unit, Finding>, script: &Script, part: Part, modules: &Modules) -> Checked {
    let main = match parsed {
        Ok(main) => main.showing(script.source.clone()),
        Err(finding) => {
            return Checked {
                findings: vec![finding],
                modules: Vec::new(),
            };
        }
    };
    let mut findings = Vec::new();
    let units = load(main, modules, &mut findings);
    let mut calls = Vec::new();
    let mut read = arguments::Read::default();
    for (index, unit) in units.iter().enumerate() {
        let mut found = Vec::new();
        Walk::new(&units, index, &mut found, &mut calls, &mut read).all();
        if unit.is_shipped {
            continue;
        }
        if found.len() >= MOST {
            // What else there is cannot be told from a part.
            findings.append(&mut found);
            return Checked::new(findings, script, &units);
        }
        if !found.iter().any(Finding::is_of_names) {
            found.extend(unit.refused.clone());
        }
        if index > 0 || !matches!(part, Part::Expression | Part::Input) {
            shape::check(&units, index, &mut found);
        }
        findings.append(&mut found);
    }
    if part == Part::Input {
        shape::check_input(&units, &mut findings);
    }
    if matches!(part, Part::Whole | Part::WithoutHeader) {
        shape::check_script(&units[0], &calls, &mut findings);
    }
    if part == Part::Whole {
        arguments::check(script, &units[0], &read, &mut findings);
    }
    if matches!(part, Part::Whole | Part::Expression) {
        reach::check(script, &units, &calls, &mut findings);
    }
    Checked::new(findings, script, &units)
}

/// Checks scripts in files: the findings of each, its modules' among them, and none twice.
///
/// # Errors
/// `bug`. That a file cannot be read is a finding.
pub fn files(paths: &[PathBuf]) -> Result<Vec<Finding>> {
    on_deep_stack(|| {
        let checked: Vec<_> = paths.iter().map(|path| file(path)).collect();
        let modules: HashSet<_> = checked
            .iter()
            .flat_map(|it| &it.modules)
            .map(|label| plain(label).to_owned())
            .collect();
        let mut findings = Vec::new();
        for (path, checked) in paths.iter().zip(checked) {
            // A module is no script: whoever imports it gives it a purpose.
            let is_module = modules.contains(plain(&path.display().to_string()));
            for finding in checked.findings {
                let is_of_scripts = matches!(
                    finding.rule,
                    Rule::Main | Rule::UnusedFunction | Rule::MissingCapability
                );
                if !(findings.contains(&finding) || is_module && is_of_scripts) {
                    findings.push(finding);
                }
            }
        }
        Ok(findings)
    })
}

/// A path without the `./` that only some write.
fn plain(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

fn file(path: &Path) -> Checked {
    let label = path.display().to_string();
    let mut found = Vec::new();
    let script = Script::read(path).or_else(|error| {
        let is_of_header = error.code() == Code::HeaderInvalid;
        found.push(Finding::of(&error, &label));
        if is_of_header {
            Script::read_without_header(path)
        } else {
            Err(error)
        }
    });
    let Ok(script) = script else {
        return Checked {
            findings: found,
            modules: Vec::new(),
        };
    };
    let part = if found.is_empty() {
        Part::of(&script)
    } else {
        Part::WithoutHeader
    };
    let mut checked = check(&script, part);
    found.append(&mut checked.findings);
    Checked {
        findings: in_order(found, &script),
        ..checked
    }
}

/// Checks a module of the standard library by itself.
#[cfg(test)]
fn module(label: &str, text: &str) -> Vec<Finding> {
    let unit = match Unit::parse(label, text, false) {
        Ok(unit) => unit.shipped(true),
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    let none = Script::new("module", label, "").map(|script| Modules::of(&script));
    let Ok(modules) = none else { return findings };
    let units = load(unit, &modules, &mut findings);
    let mut calls = Vec::new();
    let mut read = arguments::Read::default();
    Walk::new(&units, 0, &mut findings, &mut calls, &mut read).all();
    shape::check(&units, 0, &mut findings);
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
/// `script.invalid` for mistakes of several kinds, else `script.syntax`, `script.import`, `script.not_found`,
/// `capability.denied`; each mistake is a part of it.
pub(super) fn refuse(script: &Script) -> Result<()> {
    if script.origin == Origin::Shipped {
        return Ok(());
    }
    refuse_mistakes(script, self::script(script))
}

/// Refuses an input of a session that has a mistake, before anything of it runs. `around` is what those before it have
/// left.
///
/// # Errors
/// As those of [`refuse`].
pub(super) fn refuse_input(input: &Script, around: &Around, modules: &Modules) -> Result<()> {
    let parsed = Unit::parse_input(&input.label, &input.code(), around);
    refuse_mistakes(input, check_parsed(parsed, input, Part::Input, modules).findings)
}

fn refuse_mistakes(script: &Script, mut mistakes: Vec<Finding>) -> Result<()> {
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
                let first = errors[0].code();
                let are_alike = errors.iter().all(|error| error.code() == first);
                let code = if are_alike { first } else { Code::ScriptInvalid };
                Self::new(code, message).with_parts(errors)
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
