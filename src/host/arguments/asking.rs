//! Asking on a terminal for what is missing.

use super::{Collected, Value, invalid, values::parse};
use crate::{
    console::Console,
    error::{Code, Error, Result},
    host::header::{Kind, Param},
};

/// The answer that leaves an `enum` as it is.
const NONE: &str = "(none)";

/// The answer that ends a list of an `enum`.
const NO_MORE: &str = "(no more)";

/// Asks for the value of a parameter that the script's header has a question for.
pub(super) fn ask(param: &Param, params: &[Param], question: &str, console: &dyn Console) -> Result<Value> {
    if !console.interactive() {
        return Err(super::missing(
            param,
            params,
            "is missing, and there is no terminal to ask on",
        ));
    }
    let text = match param.kind {
        Kind::Secret => return console.ask_secret(question, true).map(Value::Secret),
        Kind::Enum => {
            let index = console.choose(question, &param.values)?;
            param.values.get(index).cloned().unwrap_or_default()
        }
        _ => console.ask(question, &|text| {
            parse(param, text)
                .map(drop)
                .map_err(|why| Error::new(Code::ArgumentInvalid, why))
        })?,
    };
    parse(param, &text).map_err(|problem| invalid(param, &problem))
}

/// Whether `--prompt` asks for it. A `yes` is an answer already.
pub(super) fn is_asked_for(param: &Param) -> bool {
    !(param.hidden || (param.name == "yes" && param.kind == Kind::Bool))
}

impl Collected<'_> {
    /// Asks for every parameter that is missing and can be given beside what there is.
    pub(super) fn ask_for_all(&mut self, console: &dyn Console) -> Result<()> {
        let params = self.params;
        for (at, param) in params.iter().enumerate() {
            if self.is_open(at) {
                self.refuse_alone(param, console)?;
                let must = self.must_be_answered(at);
                self.values[at] = Question { param, must, console }.put()?;
            }
        }
        // What was answered may need what was passed over before.
        for (at, param) in params.iter().enumerate() {
            let is_needed = |other: &Param| other.requires.contains(&param.name) && self.has(&other.name);
            if self.is_open(at) && params.iter().any(is_needed) {
                let must = true;
                self.values[at] = Question { param, must, console }.put()?;
            }
        }
        Ok(())
    }

    /// Whether it is missing and is asked for.
    fn is_open(&self, at: usize) -> bool {
        is_asked_for(&self.params[at]) && self.wants(at)
    }

    /// Whether it is needed, and nothing that is asked for later can stand in its place.
    fn must_be_answered(&self, at: usize) -> bool {
        let param = &self.params[at];
        let stands_in = |later: usize| self.params[later].excludes(param) && self.is_open(later);
        (param.required || param.prompt.is_some()) && !(at + 1..self.params.len()).any(stands_in)
    }

    fn refuse_alone(&self, param: &Param, console: &dyn Console) -> Result<()> {
        if console.interactive() {
            return Ok(());
        }
        let needed = |(at, param): (usize, &Param)| (param.required && self.is_open(at)).then_some(at);
        if let Some(at) = self.params.iter().enumerate().find_map(needed) {
            let problem = "is missing, and there is no terminal to ask on";
            return Err(super::missing(&self.params[at], self.params, problem));
        }
        let message = format!(
            "`--prompt` asks for `{}`, and there is no terminal to ask on",
            param.name
        );
        Err(Error::new(Code::InputNotInteractive, message).help("Give the arguments without `--prompt`."))
    }
}

/// A question about one parameter, and whether it has to be answered.
struct Question<'a> {
    param: &'a Param,
    must: bool,
    console: &'a dyn Console,
}

impl Question<'_> {
    fn put(&self) -> Result<Option<Value>> {
        match self.param.kind {
            Kind::Bool => {
                let question = format!("{}?", self.words());
                self.console.confirm(&question, false).map(Value::Bool).map(Some)
            }
            Kind::Secret => self.secret(),
            _ if self.param.repeated => self.list().map(Some),
            Kind::Enum => self.choice(&self.text(), &self.param.values, self.must, NONE),
            _ => self.line(&self.text(), self.must),
        }
    }

    /// What is asked for.
    fn words(&self) -> String {
        let asked = [self.param.prompt.as_deref().unwrap_or_default(), &self.param.help];
        if let Some(text) = asked.into_iter().find(|text| !text.is_empty()) {
            return text.trim_end_matches([':', '?', ' ']).to_owned();
        }
        let words = self.param.words();
        let mut letters = words.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().collect::<String>() + letters.as_str()
        })
    }

    /// The same, and what an empty answer means.
    fn text(&self) -> String {
        let words = self.words();
        match &self.param.default {
            Some(default) => format!("{words} [{default}]"),
            None if self.must => words,
            None => format!("{words} (optional)"),
        }
    }

    fn line(&self, question: &str, must: bool) -> Result<Option<Value>> {
        let check = |text: &str| match text {
            "" if must => Err("must not be empty".to_owned()),
            "" => Ok(()),
            text => parse(self.param, text).map(drop),
        };
        let check = |text: &str| check(text).map_err(|why| Error::new(Code::ArgumentInvalid, why));
        match self.console.ask(question, &check)? {
            text if text.is_empty() => Ok(None),
            text => parse(self.param, &text)
                .map(Some)
                .map_err(|problem| invalid(self.param, &problem)),
        }
    }

    fn secret(&self) -> Result<Option<Value>> {
        use secrecy::ExposeSecret;
        loop {
            let secret = self.console.ask_secret(&self.text(), true)?;
            match secret.expose_secret().is_empty() {
                false => return Ok(Some(Value::Secret(secret))),
                true if !self.must => return Ok(None),
                true => self.console.insist("  must not be empty"),
            }
        }
    }

    /// One of the values, or none if it need not be given.
    fn choice(&self, question: &str, values: &[String], must: bool, none: &str) -> Result<Option<Value>> {
        let none = (!must).then(|| none.to_owned());
        let answers: Vec<String> = none.iter().chain(values).cloned().collect();
        let chosen = self.console.choose(question, &answers)?;
        let value = chosen.checked_sub(none.iter().len()).and_then(|at| values.get(at));
        Ok(value.cloned().map(Value::Text))
    }

    /// One value a line, until one is empty.
    fn list(&self) -> Result<Value> {
        let mut values = Vec::new();
        let mut left = self.param.values.clone();
        let words = self.words();
        loop {
            let must = self.must && values.is_empty();
            let value = if self.param.kind == Kind::Enum {
                self.choice(&words, &left, must, NO_MORE)?
            } else if must {
                self.line(&words, true)?
            } else {
                self.line(&format!("{words} (empty ends)"), false)?
            };
            let Some(value) = value else { break };
            left.retain(|known| !matches!(&value, Value::Text(chosen) if chosen == known));
            values.push(value);
            if self.param.kind == Kind::Enum && left.is_empty() {
                break;
            }
        }
        Ok(Value::List(values))
    }
}
