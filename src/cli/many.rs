//! A command for many accounts, one after the other: what is shown of each, and how it ends.

use std::{io, ops::ControlFlow, sync::Arc};

use serde_json::{Map, Value};

use super::{
    execution, failure,
    options::Options,
    render::{self, Format, Wish, write_stdout},
    sheet::Sheet,
    table,
    terminal::{Terminal, one_line},
};
use crate::{
    config::Configuration,
    console::Console,
    error::{Code, Error, Result, counted},
    host::{
        self, Accounts, Outcome, Script, Tally,
        arguments::Arguments,
        names::{self, Names},
    },
    operations::Parts,
};

/// The exit status where some accounts failed.
const SOME_FAILED: u8 = 4;

/// The accounts whose names are on standard input, if the arguments say so.
pub(super) fn accounts(
    script: &Script,
    arguments: &Arguments,
    configuration: &Configuration,
    console: &dyn Console,
) -> Result<Option<Accounts>> {
    let Some(param) = names::wanted(&script.header.params, arguments) else {
        return Ok(None);
    };
    if console.interactive() {
        console.say("Names of accounts, one a line; Ctrl-D ends them:");
    }
    let names = Names::read(io::stdin().lock(), param, || configuration.server_name())?;
    if names.is_empty() {
        console.say("No account was named");
    }
    Ok(Some(Accounts {
        param: param.name.clone(),
        names,
    }))
}

/// Runs the script for each account, and returns the exit status.
pub(super) fn run(
    script: &Script,
    arguments: &Arguments,
    accounts: &Accounts,
    parts: Parts,
    options: &Options,
    console: &Arc<Terminal>,
) -> Result<u8> {
    let mut shown = Shown::new(script, accounts, options, console);
    let done = if accounts.names.is_empty() {
        None
    } else {
        let mut each = |name: &str, count, done: &Result<Outcome>| shown.account(name, count, done);
        Some(host::execute_each(script, arguments, accounts, parts, &mut each))
    };
    console.clear_progress();
    let (tally, report) = match done {
        None => {
            shown.finish()?;
            (Tally::default(), None)
        }
        Some(Ok((tally, report))) => {
            shown.finish()?;
            (tally, Some(report))
        }
        Some(Err(error)) => {
            if shown.begun {
                // The error says more than that this cannot be written either.
                let _ = shown.finish();
            }
            return Err(error);
        }
    };
    if let Some(report) = report {
        if tally.failed > 0 || !script.header.needs.only_read() {
            console.say(&summary(tally));
        }
        execution::conclude(&report, &**console);
    }
    console.release();
    Ok(if tally.failed > 0 { SOME_FAILED } else { 0 })
}

fn summary(Tally { done, failed }: Tally) -> String {
    let done = counted(done, "account");
    match failed {
        0 => format!("{done} done"),
        failed => format!("{done} done, {failed} failed"),
    }
}

/// What is shown of the accounts, as they are done.
struct Shown<'a> {
    sheet: Sheet,
    wish: &'a Wish,
    only_reads: bool,
    total: u64,
    console: &'a Terminal,
    /// Whether something went to stdout.
    begun: bool,
    /// Whether all fields are shown, since one was wished for that there is not.
    all_fields: bool,
}

impl<'a> Shown<'a> {
    fn new(script: &Script, accounts: &Accounts, options: &'a Options, console: &'a Terminal) -> Self {
        let mut shown = Self {
            sheet: Sheet::new(Wish::default(), None),
            wish: &options.wish,
            only_reads: script.header.needs.only_read(),
            total: accounts.names.len() as u64,
            console,
            begun: false,
            all_fields: false,
        };
        shown.sheet = shown.fresh_sheet();
        shown
    }

    /// In the formats that name what they show, each account is one thing, and what is chosen are fields of its result.
    fn fresh_sheet(&self) -> Sheet {
        let fields = self.fields().filter(|_| !self.shows_accounts());
        let wish = Wish {
            format: self.wish.format,
            fields: fields.map(<[String]>::to_vec),
        };
        Sheet::new(wish, table::width())
    }

    fn shows_accounts(&self) -> bool {
        matches!(self.wish.format, Format::Json | Format::Jsonl | Format::Yaml)
    }

    fn fields(&self) -> Option<&'a [String]> {
        self.wish.fields.as_deref().filter(|_| !self.all_fields)
    }

    fn account(&mut self, name: &str, count: u64, done: &Result<Outcome>) -> Result<ControlFlow<()>> {
        let is_told = self.wish.format != Format::Json;
        match done {
            Ok(outcome) => {
                if is_told {
                    execution::tell(&outcome.report, self.console);
                }
                for warning in &outcome.report.warnings {
                    self.console.warn(&format!("{name}: {warning}"));
                }
                if let Some(error) = outcome.report.failure.as_ref().filter(|_| is_told) {
                    self.console.insist(&line(name, error));
                    // It says what has become of what was committed.
                    if let Some(help) = error.help_text() {
                        self.console.insist(&format!("  help: {help}"));
                    }
                }
            }
            Err(error) if is_told => self.console.insist(&line(name, error)),
            Err(_) => {}
        }
        match self.add(name, done) {
            // What was committed may have made a secret that nothing else shows: a wrong field must not lose it.
            Err(error) if !self.only_reads && self.fields().is_some() => {
                self.console.warn(&format!("{error}; all of it is printed"));
                self.all_fields = true;
                self.sheet = self.fresh_sheet();
                self.add(name, done)?;
            }
            added => added?,
        }
        self.sheet.settle();
        let flow = self.flush()?;
        self.console.progress("Accounts", count, Some(self.total));
        if flow.is_break() && !self.only_reads {
            return Err(Error::new(
                Code::FileUnreadable,
                "Nobody reads standard output any more",
            ));
        }
        Ok(flow)
    }

    fn add(&mut self, name: &str, done: &Result<Outcome>) -> Result<()> {
        if self.shows_accounts() {
            let element = self.element(name, done)?;
            return self.sheet.add(&element);
        }
        match done {
            // What a pipe needs is what was made, not whom it was made for.
            Ok(outcome) if self.wish.format == Format::Ids => self.sheet.add(&outcome.result),
            Ok(outcome) => self.sheet.add(&named(name, &outcome.result)),
            Err(_) => Ok(()),
        }
    }

    /// One account as an object whose `username` is first.
    fn element(&self, name: &str, done: &Result<Outcome>) -> Result<Value> {
        let mut element = Map::new();
        element.insert("username".to_owned(), name.into());
        let failure = match done {
            Ok(outcome) => {
                let result = match self.fields() {
                    Some(fields) => render::selected(&named(name, &outcome.result), Some(fields))?,
                    None => outcome.result.clone(),
                };
                match result {
                    _ if !self.only_reads => extend(&mut element, render::envelope(outcome, &result)),
                    Value::Object(_) => extend(&mut element, result),
                    _ => drop(element.insert("result".to_owned(), result)),
                }
                outcome.report.failure.as_ref()
            }
            Err(error) => Some(error),
        };
        if let Some(error) = failure {
            extend(&mut element, failure::json(error));
        }
        Ok(Value::Object(element))
    }

    fn flush(&mut self) -> Result<ControlFlow<()>> {
        let text = self.sheet.take()?;
        if text.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        self.console.clear_progress();
        self.begun = true;
        write_stdout(&text)
    }

    fn finish(&mut self) -> Result<()> {
        self.sheet.finish();
        self.flush().map(drop)
    }
}

/// Adds the fields of an object to another, as far as they are not there.
fn extend(element: &mut Map<String, Value>, object: Value) {
    let Value::Object(fields) = object else { return };
    for (name, value) in fields {
        element.entry(name).or_insert(value);
    }
}

/// The rows of a result, each with the username first if it has none of its own.
fn named(name: &str, result: &Value) -> Value {
    let named = |row: &Value| match row {
        Value::Object(row) if row.contains_key("username") => Value::Object(row.clone()),
        Value::Object(row) => {
            let mut named = Map::new();
            named.insert("username".to_owned(), name.into());
            named.extend(row.clone());
            Value::Object(named)
        }
        other => {
            let pair = [("username", Value::from(name)), ("result", other.clone())];
            Value::Object(pair.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
        }
    };
    match result {
        Value::Null => Value::Null,
        Value::Array(rows) => rows.iter().map(named).collect(),
        one => named(one),
    }
}

/// An error of one account in one line, which names it once.
fn line(name: &str, error: &Error) -> String {
    let message = one_line(error.message());
    let message = message.strip_suffix(&format!(": {name}")).unwrap_or(&message);
    format!("Error: {name}: {message}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_row_names_its_account() {
        assert_eq!(named("alice", &Value::Null), Value::Null);
        assert_eq!(
            named("alice", &json!({"token": "x"})).to_string(),
            r#"{"username":"alice","token":"x"}"#
        );
        assert_eq!(named("alice", &json!("x")), json!({"username": "alice", "result": "x"}));
        let own = json!([{"id": 1, "username": "Alice"}]);
        assert_eq!(named("alice", &own), own);
    }

    #[test]
    fn a_failure_names_its_account_once() {
        let shown = |message: &str| line("alice", &Error::new(Code::UserNotFound, message));
        assert_eq!(shown("User not found: alice"), "Error: alice: User not found");
        assert_eq!(shown("Taken by a\nError: b"), "Error: alice: Taken by a\\nError: b");
        assert_eq!(
            shown("The password is too weak"),
            "Error: alice: The password is too weak"
        );
    }

    #[test]
    fn a_summary_counts() {
        let of = |done, failed| summary(Tally { done, failed });
        assert_eq!(of(1, 0), "1 account done");
        assert_eq!(of(0, 2), "0 accounts done, 2 failed");
    }
}
