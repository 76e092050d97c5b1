//! A console between a person and two executions of the same: what the person answers in the first is the answer in the
//! second, which nobody is asked in and which says nothing.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};

use super::Console;
use crate::error::{Code, Error, Result};

/// The console of both executions.
pub struct Rehearsal {
    console: Arc<dyn Console>,
    tape: Mutex<Tape>,
}

/// What was asked and answered. It is wiped when it is dropped.
#[derive(Default)]
struct Tape {
    stage: Stage,
    answers: VecDeque<(Question, Result<Answer>)>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    /// The first execution: the person is asked, and told what there is to tell.
    #[default]
    First,
    /// The second one, up to its end.
    Second,
    /// What both had in common is over: what is said from now on is new.
    Over,
}

#[derive(Debug, PartialEq, Eq)]
enum Question {
    Text(String),
    Secret(String, bool),
    Choice(String, Vec<String>),
    Confirmation(String, bool),
    SecretInput,
}

enum Answer {
    Text(SecretString),
    Choice(usize),
    Confirmation(bool),
}

/// The error that what a person has agreed to is not what would be done. `difference` is a sentence.
#[must_use]
pub fn no_longer_the_same(difference: &str) -> Error {
    Error::new(
        Code::PlanChanged,
        "The changes are no longer the same, so nothing was changed",
    )
    .help(format!("{difference} Enter it again to see what it would change now."))
}

impl Rehearsal {
    /// The console of the first execution, in front of the person's.
    #[must_use]
    pub fn new(console: Arc<dyn Console>) -> Self {
        Self {
            console,
            tape: Mutex::default(),
        }
    }

    /// Begins the second execution: it is given the answers of the first.
    pub fn begin_second(&self) {
        self.tape().stage = Stage::Second;
    }

    /// Ends the second execution: what is said from now on is said to the person, such as what became of the commit.
    pub fn end(&self) {
        let mut tape = self.tape();
        tape.stage = Stage::Over;
        tape.answers.clear();
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The person's console, unless nothing is to be said.
    fn heard(&self) -> Option<&dyn Console> {
        (self.tape().stage != Stage::Second).then_some(&*self.console)
    }

    fn answer(&self, question: Question, ask: impl FnOnce(&dyn Console) -> Result<Answer>) -> Result<Answer> {
        let mut tape = self.tape();
        match tape.stage {
            Stage::Over => {
                drop(tape);
                ask(&*self.console)
            }
            Stage::Second => match tape.answers.pop_front() {
                Some((known, answer)) if known == question => answer,
                Some((known, _)) => Err(no_longer_the_same(&format!(
                    "It asks {}, where it asked {} before.",
                    question.words(),
                    known.words()
                ))),
                None => Err(no_longer_the_same(&format!(
                    "It asks {}, which it did not before.",
                    question.words()
                ))),
            },
            Stage::First => {
                // Nobody else is to wait for the person.
                drop(tape);
                let answer = ask(&*self.console);
                self.tape().answers.push_back((question, answer.clone()));
                answer
            }
        }
    }
}

impl Question {
    fn words(&self) -> String {
        match self {
            Self::Text(question)
            | Self::Secret(question, _)
            | Self::Choice(question, _)
            | Self::Confirmation(question, _) => format!("`{question}`"),
            Self::SecretInput => "for a secret on standard input".to_owned(),
        }
    }
}

impl Clone for Answer {
    fn clone(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.clone()),
            Self::Choice(choice) => Self::Choice(*choice),
            Self::Confirmation(yes) => Self::Confirmation(*yes),
        }
    }
}

/// An answer of another kind than was asked for, which no question of its kind can have.
fn mixed_up<T>() -> Result<T> {
    Err(Error::new(Code::Bug, "An answer is of another kind than its question"))
}

impl Console for Rehearsal {
    fn say(&self, message: &str) {
        if let Some(console) = self.heard() {
            console.say(message);
        }
    }

    fn insist(&self, message: &str) {
        if let Some(console) = self.heard() {
            console.insist(message);
        }
    }

    fn warn(&self, message: &str) {
        if let Some(console) = self.heard() {
            console.warn(message);
        }
    }

    fn name_store(&self, store: &str, written: bool) {
        if let Some(console) = self.heard() {
            console.name_store(store, written);
        }
    }

    fn interactive(&self) -> bool {
        self.console.interactive()
    }

    fn ask(&self, question: &str, check: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        let is_new = self.tape().stage != Stage::Second;
        let answer = self.answer(Question::Text(question.to_owned()), |console| {
            console.ask(question, check).map(|text| Answer::Text(text.into()))
        })?;
        let Answer::Text(text) = answer else { return mixed_up() };
        let text = text.expose_secret().to_owned();
        if is_new {
            return Ok(text);
        }
        match check(&text) {
            Ok(()) => Ok(text),
            Err(error) if error.code().catchable() => Err(no_longer_the_same(&format!(
                "What was answered to `{question}` is not taken any more: {}.",
                error.message().trim_end_matches('.')
            ))),
            Err(error) => Err(error),
        }
    }

    fn ask_secret(&self, question: &str, twice: bool) -> Result<SecretString> {
        let answer = self.answer(Question::Secret(question.to_owned(), twice), |console| {
            console.ask_secret(question, twice).map(Answer::Text)
        })?;
        let Answer::Text(secret) = answer else {
            return mixed_up();
        };
        Ok(secret)
    }

    fn choose(&self, question: &str, answers: &[String]) -> Result<usize> {
        let asked = Question::Choice(question.to_owned(), answers.to_vec());
        let answer = self.answer(asked, |console| console.choose(question, answers).map(Answer::Choice))?;
        let Answer::Choice(choice) = answer else {
            return mixed_up();
        };
        Ok(choice)
    }

    fn confirm(&self, question: &str, preset: bool) -> Result<bool> {
        let asked = Question::Confirmation(question.to_owned(), preset);
        let answer = self.answer(asked, |console| {
            console.confirm(question, preset).map(Answer::Confirmation)
        })?;
        let Answer::Confirmation(yes) = answer else {
            return mixed_up();
        };
        Ok(yes)
    }

    fn read_secret(&self) -> Result<SecretString> {
        let answer = self.answer(Question::SecretInput, |console| console.read_secret().map(Answer::Text))?;
        let Answer::Text(secret) = answer else {
            return mixed_up();
        };
        Ok(secret)
    }

    /// What is read from standard input is kept with the files that were read: the second execution does not come here.
    fn read_input(&self, most: u64) -> io::Result<Vec<u8>> {
        match self.heard() {
            Some(console) => console.read_input(most),
            None => Err(io::Error::other("it was not read before")),
        }
    }

    fn progress(&self, label: &str, done: u64, total: Option<u64>) {
        if let Some(console) = self.heard() {
            console.progress(label, done, total);
        }
    }
}

#[cfg(test)]
mod tests;
