//! The meta-commands of a session, in one table: `\?`, completion and the reference are made of it.

use crate::error::{Code, Error, Result, nearest, shortened};

/// What begins a meta-command.
pub const MARK: char = '\\';

/// How many characters of a name are repeated that is none.
const LONGEST_SHOWN: usize = 64;

/// A meta-command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meta {
    /// Show what there is.
    Describe,
    /// Show help.
    Help,
    /// List the scripts that can be run.
    Scripts,
    /// Run a script.
    Run,
    /// Show or set the mode.
    Mode,
    /// List what the session has changed.
    Changes,
    /// Show each field on a line.
    Expanded,
    /// Show values as JSON.
    Json,
    /// Show how long inputs take.
    Timing,
    /// List the history.
    History,
    /// Write a script, but not over a file.
    Save,
    /// Write a script, also over a file.
    SaveOver,
    /// List the meta-commands.
    List,
    /// Leave.
    Quit,
}

/// What stands behind the name of a meta-command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// Perhaps the name of a variable, of a user, or of something that the reference tells of.
    Thing,
    /// Perhaps the name of something that the reference tells of, or of a script.
    Name,
    /// The name of a script, and what that takes.
    Script,
    /// Perhaps `on` or `off`.
    Switch,
    /// Perhaps a mode.
    Mode,
    /// Perhaps a number.
    Count,
    /// The path of a file.
    File,
}

impl Takes {
    /// What must stand there, if something must.
    const fn must(self) -> Option<&'static str> {
        match self {
            Self::Script => Some("the name of a script"),
            Self::File => Some("the path of a file"),
            _ => None,
        }
    }
}

/// What there is to know of a meta-command.
#[derive(Debug, PartialEq, Eq)]
pub struct MetaCommand {
    /// Which it is.
    pub meta: Meta,
    /// Its name, without the mark.
    pub name: &'static str,
    /// What else it is called.
    pub aliases: &'static [&'static str],
    /// What it takes, as help writes it; empty for nothing.
    pub argument: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it does, in one line.
    pub about: &'static str,
}

impl MetaCommand {
    /// As one writes it: `\d [THING]`.
    #[must_use]
    pub fn usage(&self) -> String {
        format!("{MARK}{} {}", self.name, self.argument).trim_end().to_owned()
    }

    /// Refuses what it does not take.
    ///
    /// # Errors
    /// `argument.invalid`, `argument.missing`.
    fn check(&self, argument: &str) -> Result<()> {
        let words = argument.split_whitespace().count();
        let most = match self.takes {
            Takes::Nothing => 0,
            Takes::Script | Takes::File => usize::MAX,
            _ => 1,
        };
        let called = format!("{MARK}{}", self.name);
        let (code, message) = match (words, self.takes.must()) {
            (0, Some(what)) => (Code::ArgumentMissing, format!("`{called}` lacks {what}")),
            (words, _) if words <= most => return Ok(()),
            _ if most == 0 => (Code::ArgumentInvalid, format!("`{called}` takes nothing")),
            _ => (Code::ArgumentInvalid, format!("`{called}` takes one thing at a time")),
        };
        Err(self.refuse(code, message))
    }

    /// The error that it cannot be written so, which shows how it is.
    #[must_use]
    pub fn refuse(&self, code: Code, message: impl Into<String>) -> Error {
        Error::new(code, message).help(format!("It is written `{}`. {}.", self.usage(), self.about))
    }
}

/// Every meta-command, in the order of the help.
pub const META_COMMANDS: &[MetaCommand] = &[
    MetaCommand {
        meta: Meta::Describe,
        name: "d",
        aliases: &[],
        argument: "[THING]",
        takes: Takes::Thing,
        about: "Describe a variable, primitive, type or user, or all",
    },
    MetaCommand {
        meta: Meta::Help,
        name: "h",
        aliases: &["help"],
        argument: "[NAME]",
        takes: Takes::Name,
        about: "Show the help of a name, with an example",
    },
    MetaCommand {
        meta: Meta::Scripts,
        name: "scripts",
        aliases: &[],
        argument: "",
        takes: Takes::Nothing,
        about: "List the scripts that `\\run` can run",
    },
    MetaCommand {
        meta: Meta::Run,
        name: "run",
        aliases: &[],
        argument: "NAME [ARG]...",
        takes: Takes::Script,
        about: "Run a script by its name, or by the path of its file",
    },
    MetaCommand {
        meta: Meta::Mode,
        name: "mode",
        aliases: &[],
        argument: "[MODE]",
        takes: Takes::Mode,
        about: "Show or set what inputs may do: read, plan or write",
    },
    MetaCommand {
        meta: Meta::Changes,
        name: "changes",
        aliases: &[],
        argument: "",
        takes: Takes::Nothing,
        about: "List what this session has changed",
    },
    MetaCommand {
        meta: Meta::Expanded,
        name: "x",
        aliases: &[],
        argument: "[on|off]",
        takes: Takes::Switch,
        about: "Show each field of a list on a line of its own",
    },
    MetaCommand {
        meta: Meta::Json,
        name: "json",
        aliases: &[],
        argument: "[on|off]",
        takes: Takes::Switch,
        about: "Show values as JSON",
    },
    MetaCommand {
        meta: Meta::Timing,
        name: "timing",
        aliases: &[],
        argument: "[on|off]",
        takes: Takes::Switch,
        about: "Show how long each input takes",
    },
    MetaCommand {
        meta: Meta::History,
        name: "history",
        aliases: &[],
        argument: "[COUNT]",
        takes: Takes::Count,
        about: "List the latest 50 entries of the history, or so many",
    },
    MetaCommand {
        meta: Meta::Save,
        name: "save",
        aliases: &[],
        argument: "FILE",
        takes: Takes::File,
        about: "Write the inputs that worked into a file, as a script",
    },
    MetaCommand {
        meta: Meta::SaveOver,
        name: "save!",
        aliases: &[],
        argument: "FILE",
        takes: Takes::File,
        about: "The same, in the place of a file that is there",
    },
    MetaCommand {
        meta: Meta::List,
        name: "?",
        aliases: &[],
        argument: "",
        takes: Takes::Nothing,
        about: "List the meta-commands",
    },
    MetaCommand {
        meta: Meta::Quit,
        name: "q",
        aliases: &["quit", "exit"],
        argument: "",
        takes: Takes::Nothing,
        about: "Leave",
    },
];

/// Words that are meta-commands where they stand alone, and no variable is called so.
const WORDS: [(&str, Meta); 3] = [("exit", Meta::Quit), ("help", Meta::List), ("quit", Meta::Quit)];

/// A meta-command as it was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'text> {
    /// The command.
    pub command: &'static MetaCommand,
    /// What stands behind its name.
    pub argument: &'text str,
}

impl<'text> Call<'text> {
    /// The meta-command that a text is; `None` if it is none, but an input. `is_variable` says what has a value.
    ///
    /// # Errors
    /// `argument.invalid`, `argument.missing`: there is no such command, or it is written otherwise.
    pub fn of(text: &'text str, is_variable: impl Fn(&str) -> bool) -> Result<Option<Self>> {
        let line = text.trim();
        let Some(rest) = line.strip_prefix(MARK) else {
            let word = line.trim_end_matches(';').trim_end();
            let is_meant = |word: &&(&str, Meta)| !is_variable(word.0);
            let known = WORDS.iter().find(|(known, _)| *known == word).filter(is_meant);
            return Ok(known.map(|(_, meta)| Self {
                command: command(*meta),
                argument: "",
            }));
        };
        if rest.contains('\n') {
            let message = "A meta-command is one line";
            return Err(Error::new(Code::ArgumentInvalid, message).help("Enter what follows it by itself."));
        }
        let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let found = named(name).or_else(|| named(name.trim_end_matches(';')));
        let command = found.ok_or_else(|| unknown(name))?;
        let argument = match command.takes {
            Takes::Script | Takes::File => argument.trim(),
            // As what ends a statement is written by habit.
            _ => argument.trim_end_matches(';').trim(),
        };
        command.check(argument)?;
        Ok(Some(Self { command, argument }))
    }
}

fn named(name: &str) -> Option<&'static MetaCommand> {
    META_COMMANDS
        .iter()
        .find(|command| command.name == name || command.aliases.contains(&name))
}

fn command(meta: Meta) -> &'static MetaCommand {
    let found = META_COMMANDS.iter().find(|command| command.meta == meta);
    found.unwrap_or(&META_COMMANDS[0])
}

/// The error that no meta-command is called so.
fn unknown(name: &str) -> Error {
    if name.is_empty() {
        let message = format!("`{MARK}` begins a meta-command, and none stands behind it");
        return Error::new(Code::ArgumentInvalid, message).help("`\\?` lists them.");
    }
    let names: Vec<&str> = META_COMMANDS
        .iter()
        .flat_map(|command| command.aliases.iter().chain([&command.name]))
        .copied()
        .collect();
    let lower = name.to_lowercase();
    // One letter in the place of another means nothing.
    let meant = nearest(&lower, &names).filter(|meant| *meant == lower || name.len() + meant.len() > 2);
    let help = match meant {
        Some(meant) => format!("Did you mean `{MARK}{meant}`? `\\?` lists them."),
        None => "`\\?` lists them.".to_owned(),
    };
    let message = format!("There is no meta-command `{MARK}{}`", shortened(name, LONGEST_SHOWN));
    Error::new(Code::ArgumentInvalid, message).help(help)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn call(text: &str) -> Option<(Meta, &str)> {
        let call = Call::of(text, |_| false).unwrap();
        call.map(|call| (call.command.meta, call.argument))
    }

    fn refused(text: &str) -> String {
        let error = Call::of(text, |_| false).unwrap_err();
        format!("{error}: {}", error.help_text().unwrap_or_default())
    }

    #[test]
    fn a_line_that_begins_with_the_mark_is_a_meta_command() {
        assert_eq!(call("\\d"), Some((Meta::Describe, "")));
        assert_eq!(call("  \\d  users::get ;\n"), Some((Meta::Describe, "users::get")));
        assert_eq!(call("\\d;"), Some((Meta::Describe, "")));
        assert_eq!(call("\\?"), Some((Meta::List, "")));
        assert_eq!(call("\\save! a b;"), Some((Meta::SaveOver, "a b;")));
        assert_eq!(call("\\run lock-user  alice"), Some((Meta::Run, "lock-user  alice")));
        assert_eq!(call("\\help get"), Some((Meta::Help, "get")));
        for input in ["", "1 + 1", "let a = `\\d`", "exit(1)", "quit_me"] {
            assert_eq!(call(input), None, "{input}");
        }
    }

    #[test]
    fn who_wants_to_leave_may_say_so() {
        for text in ["\\q", "\\quit", "\\q;", "exit", " quit ", "quit;", "exit ;"] {
            assert_eq!(call(text), Some((Meta::Quit, "")), "{text}");
        }
        assert_eq!(call("help"), Some((Meta::List, "")));
        assert_eq!(Call::of("quit", |name| name == "quit").unwrap(), None);
    }

    #[test]
    fn what_is_written_otherwise_is_shown_as_it_is_written() {
        assert_eq!(
            refused("\\scripts all"),
            "`\\scripts` takes nothing: It is written `\\scripts`. List the scripts that `\\run` can run."
        );
        assert!(refused("\\d a b").starts_with("`\\d` takes one thing at a time: It is written `\\d [THING]`. "));
        assert!(
            refused("\\run").starts_with("`\\run` lacks the name of a script: It is written `\\run NAME [ARG]...`. ")
        );
        assert!(refused("\\save ").starts_with("`\\save` lacks the path of a file: "));
        assert_eq!(
            refused("\\timin"),
            "There is no meta-command `\\timin`: Did you mean `\\timing`? `\\?` lists them."
        );
        assert_eq!(
            refused("\\Q"),
            "There is no meta-command `\\Q`: Did you mean `\\q`? `\\?` lists them."
        );
        assert_eq!(
            refused("\\du"),
            "There is no meta-command `\\du`: Did you mean `\\d`? `\\?` lists them."
        );
        assert_eq!(refused("\\w"), "There is no meta-command `\\w`: `\\?` lists them.");
        assert_eq!(
            refused("\\ d"),
            "`\\` begins a meta-command, and none stands behind it: `\\?` lists them."
        );
        for text in ["\\d a\n1 + 1", "\\d\n1"] {
            assert_eq!(
                refused(text),
                "A meta-command is one line: Enter what follows it by itself."
            );
        }
        assert!(refused(&format!("\\{}", "x".repeat(9999))).len() < 200);
    }

    #[test]
    fn the_table_has_each_once_and_each_fits_a_line() {
        let names = META_COMMANDS.iter().flat_map(|it| it.aliases.iter().chain([&it.name]));
        let names: Vec<_> = names.collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        for it in META_COMMANDS {
            assert_eq!(command(it.meta), it);
            assert!(it.usage().len() <= 18 && it.about.len() <= 56, "{it:?}");
            assert_eq!(it.argument.is_empty(), it.takes == Takes::Nothing, "{it:?}");
        }
    }
}
