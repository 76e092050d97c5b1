use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A person who answers with how often they were asked, and hears everything.
#[derive(Default)]
struct Person {
    asked: AtomicUsize,
    heard: Mutex<Vec<String>>,
}

impl Person {
    fn next(&self) -> usize {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn hear(&self, message: &str) {
        self.heard.lock().unwrap().push(message.to_owned());
    }
}

impl Console for Person {
    fn say(&self, message: &str) {
        self.hear(message);
    }

    fn insist(&self, message: &str) {
        self.hear(message);
    }

    fn warn(&self, message: &str) {
        self.hear(message);
    }

    fn name_store(&self, store: &str, _: bool) {
        self.hear(store);
    }

    fn interactive(&self) -> bool {
        true
    }

    fn ask(&self, _: &str, check: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        let answer = self.next().to_string();
        check(&answer)?;
        Ok(answer)
    }

    fn ask_secret(&self, _: &str, _: bool) -> Result<SecretString> {
        Ok(format!("secret {}", self.next()).into())
    }

    fn choose(&self, _: &str, _: &[String]) -> Result<usize> {
        Ok(self.next())
    }

    fn confirm(&self, _: &str, preset: bool) -> Result<bool> {
        self.next();
        Ok(!preset)
    }

    fn read_secret(&self) -> Result<SecretString> {
        self.next();
        Err(Error::new(Code::InputAborted, "Aborted"))
    }

    fn read_input(&self, most: u64) -> io::Result<Vec<u8>> {
        Ok(vec![b'x'; usize::try_from(most).unwrap()])
    }

    fn progress(&self, label: &str, _: u64, _: Option<u64>) {
        self.hear(label);
    }
}

fn taken(answer: &str) -> Result<()> {
    answer
        .parse::<usize>()
        .map(drop)
        .map_err(|_| Error::new(Code::ValueInvalid, "no number"))
}

/// Everything that can be asked, and what is answered.
fn ask_all(console: &dyn Console) -> Vec<String> {
    let secret = |secret: Result<SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
    let answers = [
        console.ask("Name:", &taken),
        secret(console.ask_secret("Password:", true)),
        console
            .choose("Which:", &["a".to_owned(), "b".to_owned()])
            .map(|choice| choice.to_string()),
        console.confirm("Go on?", false).map(|yes| yes.to_string()),
        secret(console.read_secret()),
    ];
    answers
        .map(|answer| answer.unwrap_or_else(|error| error.code().to_string()))
        .to_vec()
}

fn say_all(console: &dyn Console) {
    console.say("said");
    console.insist("insisted");
    console.warn("warned");
    console.name_store("store", true);
    console.progress("progress", 1, None);
}

fn second(first: impl FnOnce(&Rehearsal)) -> (Arc<Person>, Rehearsal) {
    let person = Arc::<Person>::default();
    let rehearsal = Rehearsal::new(person.clone());
    first(&rehearsal);
    rehearsal.begin_second();
    (person, rehearsal)
}

fn refused<T>(answer: Result<T>) -> String {
    let error = answer.err().unwrap();
    assert_eq!(error.code(), Code::PlanChanged);
    assert_eq!(
        error.message(),
        "The changes are no longer the same, so nothing was changed"
    );
    error.help_text().unwrap().to_owned()
}

#[test]
fn the_second_execution_is_given_the_answers_of_the_first() {
    let (person, rehearsal) = second(|first| {
        assert_eq!(ask_all(first), ["1", "secret 2", "3", "true", "input.aborted"]);
    });
    assert_eq!(ask_all(&rehearsal), ["1", "secret 2", "3", "true", "input.aborted"]);
    assert_eq!(person.asked.load(Ordering::Relaxed), 5, "nobody was asked twice");
}

#[test]
fn the_second_execution_says_nothing_and_what_comes_after_it_does() {
    let all = ["said", "insisted", "warned", "store", "progress"];
    let (person, rehearsal) = second(|first| say_all(first));
    assert_eq!(*person.heard.lock().unwrap(), all);
    say_all(&rehearsal);
    assert_eq!(*person.heard.lock().unwrap(), all);
    rehearsal.end();
    say_all(&rehearsal);
    assert_eq!(*person.heard.lock().unwrap(), [all, all].concat());
}

#[test]
fn what_was_not_asked_before_is_no_longer_the_same() {
    let (_, rehearsal) = second(|first| {
        first.confirm("Lock alice?", false).unwrap();
        first.ask("Name:", &taken).unwrap();
    });
    assert_eq!(
        refused(rehearsal.confirm("Lock bob?", false)),
        "It asks `Lock bob?`, where it asked `Lock alice?` before. Enter it again to see what it would change now."
    );
    assert!(rehearsal.ask("Name:", &taken).is_ok());
    assert_eq!(
        refused(rehearsal.ask_secret("Password:", true)),
        "It asks `Password:`, which it did not before. Enter it again to see what it would change now."
    );
    assert_eq!(
        rehearsal.read_input(1).unwrap_err().to_string(),
        "it was not read before"
    );
}

#[test]
fn an_answer_that_is_not_taken_any_more_is_no_longer_the_same() {
    let (_, rehearsal) = second(|first| {
        first.ask("Name:", &taken).unwrap();
        first.ask("Name:", &taken).unwrap();
    });
    let exists = |_: &str| Err(Error::new(Code::UserExists, "User already exists"));
    assert_eq!(
        refused(rehearsal.ask("Name:", &exists)),
        "What was answered to `Name:` is not taken any more: User already exists. \
         Enter it again to see what it would change now."
    );
    let lost = |_: &str| Err(Error::new(Code::DatabaseLost, "gone"));
    assert_eq!(rehearsal.ask("Name:", &lost).unwrap_err().code(), Code::DatabaseLost);
}
