//! A dangerous command: whoever started it is told what is lost, and asked whether it is to go on.

use super::{
    arguments::{Arguments, Value},
    header::Header,
    names,
    script::Script,
};
use crate::{
    console::Console,
    error::{Code, Error, Result},
};

/// Whether there are arguments with which a command is asked about: it loses something, or changes many accounts at once
/// and mas-cli has none of its name.
#[must_use]
pub fn may_be_needed(script: &Script) -> bool {
    let header = &script.header;
    header.may_be_destructive() || (names::param(&header.params).is_some() && asks_about_many(script))
}

fn asks_about_many(script: &Script) -> bool {
    !script.header.needs.only_read() && !script.is_of_mas_cli()
}

/// Asks whether a script may go on, if there is a reason to ask, for so many `accounts` where they are many at once. A
/// `--yes` of its own is an answer.
///
/// # Errors
/// `input.aborted` if it may not, `argument.missing` if nobody can be asked, and those of [`Console::confirm`].
pub fn obtain(script: &Script, arguments: &Arguments, accounts: Option<usize>, console: &dyn Console) -> Result<()> {
    let losses = losses(&script.header, arguments);
    if losses.is_none() && (accounts.is_none() || !asks_about_many(script)) {
        return Ok(());
    }
    if matches!(arguments.get("yes"), Some(Value::Bool(true))) {
        return Ok(());
    }
    let losses = losses.unwrap_or_default();
    let command = command(script, arguments);
    let accounts = accounts.map(|count| match count {
        1 => "1 account".to_owned(),
        many => format!("{many} accounts"),
    });
    if !console.interactive() {
        let mut help = match accounts {
            Some(accounts) => format!("`{command}` asks first, about {accounts}."),
            None => format!("`{command}` asks first."),
        };
        for loss in &losses {
            help.extend([" ", loss]);
        }
        help.push_str(" Give --yes to go on, or --dry-run to see what it would do.");
        let message = "`--yes` is missing, and there is no terminal to ask on";
        return Err(Error::new(Code::ArgumentMissing, message).help(help));
    }
    console.insist(&command);
    for loss in losses {
        console.insist(loss);
    }
    let question = accounts.map_or_else(|| "Go on?".to_owned(), |accounts| format!("Go on with {accounts}?"));
    if console.confirm(&question, false)? {
        return Ok(());
    }
    Err(Error::new(Code::InputAborted, "Aborted: nothing was changed"))
}

/// Says what would be lost by a script whose changes are agreed to once they are seen.
pub fn tell(script: &Script, arguments: &Arguments, console: &dyn Console) {
    for loss in losses(&script.header, arguments).unwrap_or_default() {
        console.insist(loss);
    }
}

/// What would be lost, one sentence each, or nothing if there is no need to ask.
fn losses<'header>(header: &'header Header, arguments: &Arguments) -> Option<Vec<&'header str>> {
    let is_given = |name: &str| arguments.get(name).is_some_and(Value::is_given);
    let of_params = header.params.iter().filter(|param| is_given(&param.name));
    let of_params = of_params.filter_map(|param| param.loss.as_deref());
    let losses: Vec<_> = header.loss.as_deref().into_iter().chain(of_params).collect();
    (header.destructive || !losses.is_empty()).then_some(losses)
}

/// The command and what it is about, as one writes it.
fn command(script: &Script, arguments: &Arguments) -> String {
    let mut words = vec![script.name.clone()];
    let positional = script.header.params.iter().filter(|param| param.positional);
    for value in positional.filter_map(|param| arguments.get(&param.name)) {
        let values = match value {
            Value::List(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        words.extend(values.iter().filter_map(word));
    }
    words.join(" ")
}

/// A value as a shell would be given it; a secret has none.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => shlex::try_quote(text).ok().map(String::from),
        Value::Int(number) => Some(number.to_string()),
        Value::Link { provider, subject } => Some(format!("{provider}:{subject}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use secrecy::SecretString;

    use super::*;
    use crate::host::Origin;

    const DEACTIVATE: &str = "\
//! ---
//! destructive: Its sessions end; that cannot be undone.
//! params:
//!   username: { type: user, positional: true, required: true }
//!   erase: { type: bool, destructive: Its messages are redacted. }
//! needs: [users:write]
fn main(args) {}
";

    /// A person who gives this answer to a question of yes or no, or nobody.
    struct Person {
        answer: Option<bool>,
        seen: Mutex<Vec<String>>,
    }

    impl Person {
        fn see(&self, text: &str) {
            self.seen.lock().unwrap().push(text.to_owned());
        }
    }

    impl Console for Person {
        fn say(&self, _: &str) {}
        fn warn(&self, _: &str) {}
        fn name_store(&self, _: &str, _: bool) {}
        fn progress(&self, _: &str, _: u64, _: Option<u64>) {}

        fn insist(&self, message: &str) {
            self.see(message);
        }

        fn interactive(&self) -> bool {
            self.answer.is_some()
        }

        fn ask(&self, _: &str, _: &dyn Fn(&str) -> Result<()>) -> Result<String> {
            panic!("only yes or no is asked for")
        }

        fn ask_secret(&self, _: &str, _: bool) -> Result<SecretString> {
            panic!("only yes or no is asked for")
        }

        fn choose(&self, _: &str, _: &[String]) -> Result<usize> {
            panic!("only yes or no is asked for")
        }

        fn confirm(&self, question: &str, preset: bool) -> Result<bool> {
            assert!(!preset, "the answer to nothing is no");
            self.see(question);
            Ok(self.answer.expect("somebody is there"))
        }

        fn read_secret(&self) -> Result<SecretString> {
            panic!("only yes or no is asked for")
        }
    }

    /// What is seen, and how it ends, where `answer` is given to the script with these arguments.
    fn seen(source: &str, values: &[(&str, Value)], answer: Option<bool>) -> (String, Result<()>) {
        seen_for("deactivate-user", None, source, values, answer)
    }

    fn seen_for(
        name: &str,
        accounts: Option<usize>,
        source: &str,
        values: &[(&str, Value)],
        answer: Option<bool>,
    ) -> (String, Result<()>) {
        let header = Header::parse("test.rhai", source).unwrap();
        let script = Script::with(name, "test.rhai", source, header, Origin::Shipped);
        let arguments = Arguments {
            values: values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            warnings: Vec::new(),
        };
        let person = Person {
            answer,
            seen: Mutex::default(),
        };
        let ended = obtain(&script, &arguments, accounts, &person);
        (person.seen.into_inner().unwrap().join("|"), ended)
    }

    fn user(name: &str) -> (&'static str, Value) {
        ("username", Value::Text(name.to_owned()))
    }

    #[test]
    fn a_person_is_told_what_is_lost_and_asked() {
        let erase = ("erase", Value::Bool(true));
        let (shown, ended) = seen(DEACTIVATE, &[user("a b"), erase], Some(true));
        assert_eq!(
            shown,
            "deactivate-user 'a b'|Its sessions end; that cannot be undone.|Its messages are redacted.|Go on?"
        );
        assert!(ended.is_ok());
        let keep = ("erase", Value::Bool(false));
        let (shown, ended) = seen(DEACTIVATE, &[user("alice"), keep], Some(false));
        assert_eq!(
            shown,
            "deactivate-user alice|Its sessions end; that cannot be undone.|Go on?"
        );
        assert_eq!(ended.unwrap_err().code(), Code::InputAborted);
    }

    #[test]
    fn where_nobody_is_there_the_flag_is_named_and_what_is_lost() {
        let (shown, ended) = seen(DEACTIVATE, &[user("alice")], None);
        let error = ended.unwrap_err();
        assert_eq!((shown.as_str(), error.code().exit_status()), ("", 2));
        assert_eq!(
            error.message(),
            "`--yes` is missing, and there is no terminal to ask on"
        );
        assert_eq!(
            error.help_text(),
            Some(
                "`deactivate-user alice` asks first. Its sessions end; that cannot be undone. \
                 Give --yes to go on, or --dry-run to see what it would do."
            )
        );
    }

    #[test]
    fn many_accounts_at_once_are_counted() {
        let many = |name: &str, source: &str, count, answer| seen_for(name, Some(count), source, &[user("-")], answer);
        let loss = "Its sessions end; that cannot be undone.";
        let (shown, ended) = many("deactivate-user", DEACTIVATE, 37, Some(true));
        assert_eq!(shown, format!("deactivate-user -|{loss}|Go on with 37 accounts?"));
        assert!(ended.is_ok());
        let harmless = DEACTIVATE.replacen(&format!("//! destructive: {loss}\n"), "", 1);
        assert_eq!(
            many("set-name", &harmless, 1, Some(true)).0,
            "set-name -|Go on with 1 account?"
        );
        let error = many("set-name", &harmless, 2, None).1.unwrap_err();
        let expected =
            "`set-name -` asks first, about 2 accounts. Give --yes to go on, or --dry-run to see what it would do.";
        assert_eq!(error.help_text(), Some(expected));
        // Playbooks call what mas-cli has, and reading does no harm.
        for (name, source) in [
            ("lock-user", harmless.clone()),
            ("show-user", harmless.replace("users:write", "users:read")),
        ] {
            let (shown, ended) = many(name, &source, 37, None);
            assert!(shown.is_empty() && ended.is_ok());
        }
    }

    #[test]
    fn only_what_is_dangerous_asks_and_a_yes_of_the_scripts_own_counts() {
        let harmless = DEACTIVATE.replacen("//! destructive: Its sessions end; that cannot be undone.\n", "", 1);
        let (shown, ended) = seen(&harmless, &[user("alice")], None);
        assert!(shown.is_empty() && ended.is_ok());
        let (shown, _) = seen(&harmless, &[user("alice"), ("erase", Value::Bool(true))], Some(true));
        assert_eq!(shown, "deactivate-user alice|Its messages are redacted.|Go on?");
        let unsaid = DEACTIVATE.replacen("Its sessions end; that cannot be undone.", "true", 1);
        assert_eq!(
            seen(&unsaid, &[user("alice")], Some(true)).0,
            "deactivate-user alice|Go on?"
        );
        let (shown, ended) = seen(DEACTIVATE, &[user("alice"), ("yes", Value::Bool(true))], None);
        assert_eq!(shown, "");
        assert!(ended.is_ok());
    }
}
