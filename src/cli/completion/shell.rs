//! The shells: the script that each of them reads, how it quotes words, and how it wants to be answered.

use std::{env, ffi::OsString};

use clap_complete::env::{EnvCompleter, Fish, Zsh};

use super::Offer;

/// The variable that asks for completion, and names the shell.
pub(super) const VARIABLE: &str = "COMPLETE";

/// The variable with the part of the word at the cursor that bash replaces by what is chosen.
const REPLACED: &str = "MASCTL_COMPLETE_WORD";

/// The variable by which the script for zsh says which word the cursor is at.
const PLACE: &str = "_CLAP_COMPLETE_INDEX";

const BASH: &str = include_str!("masctl.bash");

/// What no shell takes for anything but itself, with letters and digits.
const PLAIN: &str = "-_./,:=@%+";

/// A shell that completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(super) const NAMES: [(&str, Self); 3] = [("bash", Self::Bash), ("zsh", Self::Zsh), ("fish", Self::Fish)];

    pub(super) fn of(name: &str) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, shell)| *shell)
    }

    /// The script that makes the shell ask `program`.
    pub(super) fn script(self, program: &str) -> String {
        let quoted = shlex::try_quote(program).unwrap_or_default();
        let mut script = Vec::new();
        // Writing to memory cannot fail.
        let _ = match self {
            Self::Bash => return BASH.replace("@PROGRAM@", &quoted),
            Self::Zsh => Zsh.write_registration(VARIABLE, "masctl", "masctl", program, &mut script),
            Self::Fish => Fish.write_registration(VARIABLE, "masctl", "masctl", program, &mut script),
        };
        String::from_utf8_lossy(&script).into_owned()
    }

    /// The answer in the form that its script reads.
    pub(super) fn answer(self, line: &Line, offers: &[Offer]) -> String {
        let mut answer = String::new();
        for Offer { value, help } in offers {
            match self {
                Self::Bash => match line.replacement(value) {
                    Some(replacement) => answer.push_str(&replacement),
                    None => continue,
                },
                Self::Zsh => {
                    answer.push_str(&value.replace('\\', "\\\\").replace(':', "\\:"));
                    if !help.is_empty() {
                        answer.extend([":", &help.replace('\\', "\\\\")]);
                    }
                }
                Self::Fish => {
                    answer.push_str(value);
                    if !help.is_empty() {
                        answer.extend(["\t", help]);
                    }
                }
            }
            answer.push('\n');
        }
        answer
    }
}

/// A command line up to the word at the cursor.
#[derive(Debug)]
pub(super) struct Line {
    /// Its words without their quotes; the last is the one at the cursor.
    pub(super) words: Vec<OsString>,
    /// The last word as it is typed.
    typed: String,
    /// The part of it that bash replaces.
    replaced: String,
}

impl Line {
    /// The line of which the shell's script gives these words.
    pub(super) fn read(shell: Shell, mut words: Vec<OsString>) -> Self {
        if let Some(place) = variable(PLACE).filter(|_| shell == Shell::Zsh)
            && let Ok(place) = place.parse::<usize>()
        {
            words.resize(place.saturating_add(1).min(words.len() + 1), OsString::new());
        }
        let typed = words
            .last()
            .and_then(|word| word.to_str())
            .unwrap_or_default()
            .to_owned();
        let last = words.len().saturating_sub(1);
        for (place, word) in words.iter_mut().enumerate() {
            // fish has taken off the quotes of all words but the last.
            if let Some(raw) = word.to_str().filter(|_| shell != Shell::Fish || place == last) {
                *word = unquoted(raw).0.into();
            }
        }
        let replaced = variable(REPLACED).unwrap_or_else(|| typed.clone());
        Self { words, typed, replaced }
    }

    /// What bash is to put in the place of what it replaces, so that the word becomes `value`; `None` if the quote that
    /// is open does not let it.
    fn replacement(&self, value: &str) -> Option<String> {
        let kept = self.typed.strip_suffix(&self.replaced).unwrap_or_default();
        let (kept, _) = unquoted(kept);
        let rest = value.strip_prefix(&*kept)?;
        let is_plain = |character: char| character.is_alphanumeric() || PLAIN.contains(character);
        if unquoted(&self.typed).1.is_some() {
            let fits = |character: char| is_plain(character) || character == ' ';
            return rest.chars().all(fits).then(|| rest.to_owned());
        }
        let home = usize::from(kept.is_empty() && rest.starts_with("~/"));
        let mut replacement = rest[..home].to_owned();
        for character in rest[home..].chars() {
            if !is_plain(character) {
                replacement.push('\\');
            }
            replacement.push(character);
        }
        Some(replacement)
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// A word without its quotes, and the quote that is still open at its end.
fn unquoted(raw: &str) -> (String, Option<char>) {
    let (mut text, mut open) = (String::with_capacity(raw.len()), None);
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        match (open, character) {
            (None, '\'' | '"') => open = Some(character),
            (Some(quote), _) if quote == character => open = None,
            (None, '\\') => text.extend(characters.next()),
            (Some('"'), '\\') => match characters.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => text.push(escaped),
                other => text.extend(['\\'].into_iter().chain(other)),
            },
            _ => text.push(character),
        }
    }
    (text, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(typed: &str, replaced: &str) -> Line {
        Line {
            words: vec![unquoted(typed).0.into()],
            typed: typed.to_owned(),
            replaced: replaced.to_owned(),
        }
    }

    #[test]
    fn quotes_are_taken_off_as_a_shell_does_it() {
        let read = |raw| unquoted(raw);
        assert_eq!(read("plain"), ("plain".to_owned(), None));
        assert_eq!(read(r"a\ b'c d'"), ("a bc d".to_owned(), None));
        assert_eq!(read(r#""a \"b\" \c"#), (r#"a "b" \c"#.to_owned(), Some('"')));
        assert_eq!(read(r"'a\b"), (r"a\b".to_owned(), Some('\'')));
        assert_eq!(read(r"a\"), ("a".to_owned(), None));
    }

    #[test]
    fn bash_gets_what_follows_the_part_that_it_keeps() {
        assert_eq!(
            line("users:w", "w").replacement("users:write").as_deref(),
            Some("write")
        );
        assert_eq!(line("users:", "").replacement("users:write").as_deref(), Some("write"));
        assert_eq!(
            line("@al", "al").replacement("@alice:a.b").as_deref(),
            Some("alice:a.b")
        );
        assert_eq!(
            line("@al", "@al").replacement("@alice:a.b").as_deref(),
            Some("@alice:a.b")
        );
        assert_eq!(
            line("--format=j", "j").replacement("--format=json").as_deref(),
            Some("json")
        );
        assert_eq!(line("users:w", "w").replacement("emails:write"), None);
    }

    #[test]
    fn bash_takes_nothing_in_a_value_for_its_own() {
        let replacement =
            |typed: &str, value: &str| line(typed, typed.trim_start_matches(['"', '\''])).replacement(value);
        assert_eq!(replacement("", "$(reboot);a b").as_deref(), Some(r"\$\(reboot\)\;a\ b"));
        assert_eq!(replacement("", "a'b*~").as_deref(), Some(r"a\'b\*\~"));
        assert_eq!(replacement("~/m", "~/my file").as_deref(), Some(r"~/my\ file"));
        assert_eq!(replacement("", "~root").as_deref(), Some(r"\~root"));
        assert_eq!(replacement("", "jürgen_1").as_deref(), Some("jürgen_1"));
        assert_eq!(replacement("\"my", "my file").as_deref(), Some("my file"));
        assert_eq!(replacement("\"a", "a$(reboot)"), None);
        assert_eq!(replacement("'a", "a'b"), None);
    }
}
