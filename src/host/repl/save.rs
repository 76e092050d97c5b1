//! The inputs of a session that worked, as a script which does the same.

mod file;
mod part;
#[cfg(feature = "fixed-world")]
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt::Write as _, ops::Range, path::Path};

pub use self::file::write;
use self::part::{Part, What, parts};
use super::{
    Session,
    meta::MARK,
    scan::{Kind, scan},
    secrets::has_secret,
    session::Done,
};
use crate::{
    capability::{Capabilities, Need},
    error::{Code, Error, Result, listed},
    host::{
        check::{self, Finding, Severity},
        header::Header,
        script::{LONGEST, Origin, Script},
    },
};

/// How far what is in `main` stands from the left.
const INDENT: &str = "    ";

/// How often what the check asks for is added to `needs`.
const ROUNDS: usize = 3;

/// A script that was made of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its text.
    pub text: String,
    /// How many inputs it has.
    pub inputs: usize,
    /// The numbers of those that it does not have, for a secret in them.
    pub left_out: Vec<u64>,
}

impl Session {
    /// The inputs that worked as a script which is to be written into `path`. It passes the check.
    ///
    /// # Errors
    /// `argument.invalid` if there is nothing to save, `script.invalid` and others of the check if the inputs cannot be one
    /// script.
    pub fn script(&self, path: &Path) -> Result<Saved> {
        let label = path.display().to_string();
        let directory = self.configuration().environment().directory();
        Plan::new(self.done())?.script(&label, directory, path)
    }
}

/// The inputs, taken apart.
struct Plan<'done> {
    inputs: Vec<Input<'done>>,
    left_out: Vec<u64>,
}

/// An input that becomes part of the script.
struct Input<'done> {
    done: &'done Done,
    parts: Vec<Part<'done>>,
    /// The comments at its end.
    rest: &'done str,
    /// Whether it is a meta-command: a comment in the script.
    is_meta: bool,
}

impl<'done> Plan<'done> {
    fn new(done: &'done [Done]) -> Result<Self> {
        let (kept, secret): (Vec<_>, Vec<_>) = done.iter().partition(|done| !has_secret(&done.text));
        let inputs: Vec<_> = kept.into_iter().map(Input::new).collect();
        let left_out = secret.iter().map(|done| done.number).collect();
        if inputs.iter().all(|input| input.is_meta) {
            let message = "There is nothing to save: no input without a secret has worked yet";
            return Err(Error::new(Code::ArgumentInvalid, message));
        }
        Ok(Self { inputs, left_out })
    }

    fn script(&self, label: &str, directory: &Path, path: &Path) -> Result<Saved> {
        self.refuse_what_leaves()?;
        self.refuse_main()?;
        self.refuse_files_beside(directory, path)?;
        self.refuse_ways_up()?;
        let imports = self.top_level(|what| match what {
            What::Import(alias) => Some((alias, alias)),
            _ => None,
        })?;
        let functions = self.top_level(|what| match what {
            What::Function(name, key) => Some((name, key)),
            _ => None,
        })?;
        let body = self.body()?;
        let mut needs: Capabilities = self.inputs.iter().flat_map(Input::needs).collect();
        for _ in 0..ROUNDS {
            let text = self.text(&needs, &imports, &functions, &body);
            let missing = self.check(label, directory, &text)?;
            if missing.is_empty() {
                return Ok(Saved {
                    text,
                    inputs: self.inputs.iter().filter(|input| !input.is_meta).count(),
                    left_out: self.left_out.clone(),
                });
            }
            // What a branch needs that was never taken.
            for need in missing {
                needs.add(need);
            }
        }
        Err(cannot("what it needs cannot be told"))
    }

    fn text(&self, needs: &Capabilities, imports: &[String], functions: &[String], body: &str) -> String {
        let needs: Vec<String> = tidy(needs).into_iter().map(|need| quoted(&need)).collect();
        // Writing to a text cannot fail.
        let mut text = "//! Do what was entered at a prompt\n".to_owned();
        if !self.left_out.is_empty() {
            let _ = writeln!(text, "//!\n//! Left out for a secret: {}.", numbered(&self.left_out));
        }
        let _ = writeln!(text, "//! ---\n//! needs: [{}]", needs.join(", "));
        for import in imports {
            let _ = writeln!(text, "{import};");
        }
        for function in functions {
            let _ = writeln!(text, "\n{function}");
        }
        let _ = writeln!(text, "\nfn main(args) {{\n{body}}}");
        text
    }

    /// What the script needs that its header does not ask for.
    fn check(&self, label: &str, directory: &Path, text: &str) -> Result<Vec<Need>> {
        if text.len() > LONGEST {
            return Err(cannot("a script is no larger than 1 MiB"));
        }
        let origin = Origin::File {
            folder: directory.to_owned(),
        };
        let header = Header::parse(label, text)?;
        let script = Script::with("script", label, text, header, origin);
        let mut findings = check::script(&script);
        findings.retain(|finding| finding.severity() == Severity::Error);
        let needs: Option<Vec<_>> = findings.iter().map(|finding| finding.lacks.map(Need::Whole)).collect();
        needs.ok_or_else(|| self.refused(findings))
    }

    /// The error that the script is not right: most likely it lacks what was left out.
    fn refused(&self, findings: Vec<Finding>) -> Error {
        let help = match &self.left_out[..] {
            [] => "Inputs of a session can do what a script cannot.".to_owned(),
            left_out => format!("Left out for a secret, with all that it made: {}.", numbered(left_out)),
        };
        let parts = findings.into_iter().map(Finding::into_error).collect();
        cannot("it would not pass the check").with_parts(parts).help(help)
    }

    /// A `return` ends an input, and would end the script.
    fn refuse_what_leaves(&self) -> Result<()> {
        let Some((_, before)) = self.inputs.split_last() else {
            return Ok(());
        };
        match before.iter().find(|input| input.statements().any(Part::leaves)) {
            None => Ok(()),
            Some(input) => {
                let problem = format!(
                    "`return` or `exit` in input {} would end the script there",
                    input.done.number
                );
                Err(cannot(&problem))
            }
        }
    }

    fn refuse_main(&self) -> Result<()> {
        let is_main = |part: &Part<'_>| matches!(&part.what, What::Function(name, _) if name == "main");
        match self.inputs.iter().find(|input| input.parts.iter().any(is_main)) {
            None => Ok(()),
            Some(input) => {
                let number = input.done.number;
                Err(cannot(&format!(
                    "input {number} has a function `main`, which is what a script begins with"
                )))
            }
        }
    }

    /// What is imported from beside a script is beside it.
    fn refuse_files_beside(&self, directory: &Path, path: &Path) -> Result<()> {
        let folder = directory.join(path).parent().map(Path::to_owned).unwrap_or_default();
        let is_same = folder.canonicalize().ok() == directory.canonicalize().ok();
        let is_beside = |part: &Part<'_>| matches!(part.what, What::Import(_)) && part.body.contains("\"./");
        match self.inputs.iter().find(|input| input.parts.iter().any(is_beside)) {
            Some(input) if !is_same => {
                let problem = format!(
                    "input {} imports a file from {}",
                    input.done.number,
                    directory.display()
                );
                Err(cannot(&problem).help("Save the script there."))
            }
            _ => Ok(()),
        }
    }

    /// A header names no path with `..`.
    fn refuse_ways_up(&self) -> Result<()> {
        let is_wrong = |need: Need| need.to_string().parse::<Need>().is_err();
        match self.inputs.iter().find(|input| input.needs().any(is_wrong)) {
            None => Ok(()),
            Some(input) => {
                let number = input.done.number;
                Err(cannot(&format!(
                    "input {number} reads a file by a path with `..`, which no script may"
                )))
            }
        }
    }

    /// The imports or functions: of those of one key the last, unless what was entered in between had another one in mind.
    fn top_level<'a>(&'a self, named: impl Fn(&'a What) -> Option<(&'a String, &'a String)>) -> Result<Vec<String>> {
        let mut kept: Vec<(usize, &String, &String, &Part<'_>)> = Vec::new();
        for (at, input) in self.inputs.iter().enumerate() {
            for part in &input.parts {
                let Some((name, key)) = named(&part.what) else {
                    continue;
                };
                let known = kept
                    .iter()
                    .position(|(_, _, known, _)| *known == key && !key.is_empty());
                let Some(known) = known else {
                    kept.push((at, name, key, part));
                    continue;
                };
                let (since, _, _, before) = kept[known];
                if before.body != part.body {
                    self.refuse_mention(name, since..at, before)?;
                }
                kept.remove(known);
                kept.push((at, name, key, part));
            }
        }
        let text = |(_, _, _, part): (_, _, _, &Part<'_>)| match part.lead {
            "" => part.body.to_owned(),
            lead => format!("{lead}\n{}", part.body),
        };
        Ok(kept.into_iter().map(text).collect())
    }

    /// Refuses to give what was called before the place of another one.
    fn refuse_mention(&self, name: &str, inputs: Range<usize>, itself: &Part<'_>) -> Result<()> {
        let mut between = self.inputs[inputs].iter();
        let is_mentioned = |part: &Part<'_>| !std::ptr::eq(part, itself) && part.mentions(name);
        match between.find(|input| input.parts.iter().any(is_mentioned)) {
            None => Ok(()),
            Some(input) => {
                let number = input.done.number;
                let problem = format!("input {number} uses `{name}`, and a later input puts another one in its place");
                Err(cannot(&problem))
            }
        }
    }

    /// The statements, in order.
    fn body(&self) -> Result<String> {
        let last = self.name_of_last();
        let wanted = self.wanted()?;
        let mut text = String::new();
        for (at, input) in self.inputs.iter().enumerate() {
            if input.is_meta {
                let _ = writeln!(text, "{INDENT}// {}", input.done.text.trim());
                continue;
            }
            let statements: Vec<_> = input.statements().collect();
            let is_final = at + 1 == self.inputs.len();
            for (number, statement) in statements.iter().enumerate() {
                let is_value = number + 1 == statements.len();
                write_lines(&mut text, statement.lead);
                let keeps = is_value && wanted.contains(&at);
                let before = if keeps { format!("let {last} = ") } else { String::new() };
                let body = format!("{before}{}", renamed(statement, &last));
                let open = keeps || matches!(statement.what, What::Statement { open: true });
                let ends = if open && !(is_final && is_value) { ";" } else { "" };
                let _ = writeln!(text, "{INDENT}{}{ends}", indented(&body));
            }
            write_lines(&mut text, input.rest);
            let is_statement_last = input.parts.last().is_some_and(Part::is_statement);
            if is_final
                && !(input.done.has_value || is_statement_last)
                && text.contains(|char: char| !char.is_whitespace())
            {
                let _ = writeln!(text, "{INDENT}()");
            }
        }
        Ok(text)
    }

    /// The inputs whose values later ones have used as `_`.
    fn wanted(&self) -> Result<BTreeSet<usize>> {
        let mut wanted = BTreeSet::new();
        for (at, input) in self.inputs.iter().enumerate() {
            if !input.statements().any(|part| !part.last_values().is_empty()) {
                continue;
            }
            let before = self.inputs[..at].iter().rposition(|before| before.done.has_value);
            let number = before.map_or(0, |before| self.inputs[before].done.number);
            let secret = self
                .left_out
                .iter()
                .find(|left| (number..input.done.number).contains(*left));
            let problem = match (before, secret) {
                (_, Some(secret)) => format!(
                    "`_` in input {} may be the value of input {secret}, which has a secret",
                    input.done.number
                ),
                (Some(before), None) if self.inputs[before].is_meta => {
                    format!("`_` in input {} is what a meta-command came to", input.done.number)
                }
                (Some(before), None) => {
                    wanted.insert(before);
                    continue;
                }
                (None, None) => format!("`_` in input {} is nothing that was entered", input.done.number),
            };
            return Err(cannot(&problem));
        }
        Ok(wanted)
    }

    /// What the last value is called in the script: as nothing else is.
    fn name_of_last(&self) -> String {
        let mut name = "last".to_owned();
        let is_taken = |name: &str| {
            let mut parts = self.inputs.iter().flat_map(|input| &input.parts);
            parts.any(|part| part.mentions(name))
        };
        while is_taken(&name) {
            name.push_str("_value");
        }
        name
    }
}

impl<'done> Input<'done> {
    fn new(done: &'done Done) -> Self {
        let is_meta = done.text.trim_start().starts_with(MARK);
        let (parts, rest) = if is_meta { (Vec::new(), "") } else { parts(&done.text) };
        Self {
            done,
            parts,
            rest,
            is_meta,
        }
    }

    fn statements(&self) -> impl Iterator<Item = &Part<'done>> {
        self.parts.iter().filter(|part| part.is_statement())
    }

    /// What it has made use of. What a script that it ran has, that one needs.
    fn needs(&self) -> impl Iterator<Item = Need> {
        self.done.used.iter().filter(|_| !self.is_meta).cloned()
    }
}

/// What includes no other.
fn tidy(needs: &Capabilities) -> Vec<String> {
    let is_included = |need: &Need| {
        let mut others = needs.iter().filter(|other| *other != need);
        // That files are read is said by which.
        others.any(|other| other.includes(need)) || need.clone().exact().is_err()
    };
    let kept = needs.iter().filter(|need| !is_included(need));
    kept.map(ToString::to_string).collect()
}

/// A capability as a list of YAML takes it.
fn quoted(need: &str) -> String {
    let is_plain = |char: char| char.is_ascii_lowercase() || char == ':';
    if need.chars().all(is_plain) {
        need.to_owned()
    } else {
        serde_json::Value::from(need).to_string()
    }
}

/// A statement in which the last value has a name.
fn renamed(statement: &Part<'_>, last: &str) -> String {
    let mut text = String::new();
    let mut from = 0;
    for range in statement.last_values() {
        text.push_str(&statement.body[from..range.start]);
        text.push_str(last);
        from = range.end;
    }
    text.push_str(&statement.body[from..]);
    text
}

/// A text whose lines stand further from the left, but for those that go on inside of a string.
fn indented(text: &str) -> String {
    let mut moved = String::new();
    for token in scan(text).tokens {
        let written = token.text(text);
        if matches!(token.kind, Kind::Space | Kind::Comment) {
            moved.push_str(&written.replace('\n', &format!("\n{INDENT}")));
        } else {
            moved.push_str(written);
        }
    }
    moved
}

fn write_lines(text: &mut String, comments: &str) {
    if !comments.is_empty() {
        let _ = writeln!(text, "{INDENT}{}", indented(comments));
    }
}

fn numbered(numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|number| format!("input {number}")).collect();
    listed(&numbers)
}

fn cannot(problem: &str) -> Error {
    Error::new(
        Code::ScriptInvalid,
        format!("The session cannot be saved as a script: {problem}"),
    )
}
