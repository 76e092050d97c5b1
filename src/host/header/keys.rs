//! The keys of a header and of its parameters: what each is for.

/// A key of the YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// What stands behind it.
    pub value: &'static str,
    /// What holds if it is not there.
    pub default: &'static str,
    /// What it says.
    pub about: &'static str,
}

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $name:literal: $value:literal, $default:literal;)+) => {
        &[$(Key {
            name: $name,
            value: $value,
            default: $default,
            about: concat!($($doc),+).trim_ascii(),
        },)+]
    };
}

/// The keys of a header.
pub const OF_HEADER: &[Key] = keys! {
    /// The parameters of the command, by name, in the order of the help.
    "params": "a mapping of names to mappings", "none";
    /// The capabilities that the script is granted.
    "needs": "a list of capabilities", "reading all of MAS's data";
    /// Command lines that the help shows.
    "examples": "a list of texts", "none";
    /// Whether it asks on a terminal before it runs, and needs `--yes` elsewhere.
    "destructive": "`true`, or a sentence that says what is lost", "`false`";
    /// Whether lists of commands leave it out.
    "hidden": "`true` or `false`", "`false`";
};

/// The keys of a parameter.
pub const OF_PARAM: &[Key] = keys! {
    /// What it accepts, and what `args` then holds.
    "type": "one of the parameter types", "it must be there";
    /// What it is for, a short noun phrase for the help.
    "help": "a text", "empty";
    /// Whether it is given by its place instead of by a flag.
    "positional": "`true` or `false`", "`false`";
    /// Whether a positional one or a `secret` can be given by a flag too.
    "flag": "`true` or `false`", "`false`";
    /// Whether the script does not run without it.
    "required": "`true` or `false`", "`false`";
    /// The value that it has if it is not given.
    "default": "a value of its type", "`()`; `false` of a `bool`, `[]` if it is repeated";
    /// Whether it can be given several times; `args` then holds a list.
    "repeated": "`true` or `false`", "`false`";
    /// What an `enum` can be.
    "values": "a list of texts", "an `enum` must have it";
    /// The least value of a number or duration.
    "min": "a value of its type", "none";
    /// The greatest value of a number or duration.
    "max": "a value of its type", "none";
    /// What the whole text must match.
    "pattern": "a regular expression", "none";
    /// The letter of its short flag.
    "short": "a letter", "none";
    /// Other names of its flag, without the dashes.
    "aliases": "a list of texts", "none";
    /// The environment variable that it is taken from if it is not given.
    "env": "the name of a variable", "none";
    /// The question to ask on a terminal if it is not given.
    "prompt": "a text", "none";
    /// The parameters that cannot be given beside it; it holds in both directions.
    "conflicts": "a list of parameters", "none";
    /// The parameters that must be given beside it.
    "requires": "a list of parameters", "none";
    /// Whether the help leaves it out.
    "hidden": "`true` or `false`", "`false`";
    /// What shell completion offers for it.
    "complete": "`users`, `providers`, `clients`, `paths`, `files`, `folders` or `none`", "what its type says";
    /// What is lost if it is given: that is asked about first.
    "destructive": "a sentence", "none";
};

/// How keys are written.
pub(super) fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::one_of, host::header::Completion};

    #[test]
    fn what_completion_offers_is_told_in_full() {
        let words: Vec<_> = Completion::ALL
            .iter()
            .map(|word| format!("`{}`", word.as_str()))
            .collect();
        let told = OF_PARAM.iter().find(|key| key.name == "complete").map(|key| key.value);
        assert_eq!(told, Some(&*one_of(&words)));
    }
}
