//! What the keys of a parameter, and the parameters of a script, say of each other.

use std::collections::HashMap;

use super::{
    Fault,
    params::{self, Declared, Kind, Param},
    yaml::{self, Entry},
};
use crate::host::arguments;

/// The global flags of masctl: no parameter may be called so.
const HOST_FLAGS: &[&str] = &[
    "allow", "config", "deny", "dry-run", "fields", "format", "help", "prompt", "quiet", "verbose", "version", "yes",
];

/// The letters of masctl's short flags.
const HOST_SHORTS: &[char] = &['c', 'q', 'v', 'h', 'V', 'y'];

/// Words that Rhai keeps for itself: `args.WORD` would not parse.
const RHAI_WORDS: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "call",
    "case",
    "catch",
    "const",
    "continue",
    "curry",
    "debug",
    "default",
    "do",
    "else",
    "eval",
    "exit",
    "export",
    "false",
    "fn",
    "for",
    "go",
    "if",
    "import",
    "in",
    "is",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "print",
    "private",
    "public",
    "return",
    "shared",
    "spawn",
    "static",
    "switch",
    "sync",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "type_of",
    "until",
    "use",
    "var",
    "void",
    "while",
    "with",
];

/// Reads the entries of `params`.
pub(super) fn read(entries: &[Entry]) -> Result<Vec<Param>, Fault> {
    let declared = entries.iter().map(params::read).collect::<Result<Vec<_>, Fault>>()?;
    let mut flags = Flags::default();
    for one in &declared {
        check_name(one)?;
        check_spellings(one)?;
        check_value(one)?;
        flags.take(one)?;
        check_references(one, &declared)?;
    }
    check_places(&declared)?;
    Ok(declared.into_iter().map(|one| one.param).collect())
}

fn is_word(text: &str, separator: char) -> bool {
    text.starts_with(|char: char| char.is_ascii_lowercase())
        && text
            .chars()
            .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == separator)
}

fn check_name(Declared { param, id, .. }: &Declared) -> Result<(), Fault> {
    let name = param.name.as_str();
    if !is_word(name, '_') || name.len() > 64 {
        let fault = Fault::new(
            *id,
            format!("`{}` cannot be the name of a parameter", yaml::clipped(name)),
        );
        return Err(fault.help("a name has a-z, 0-9 and `_`, and starts with a letter"));
    }
    if RHAI_WORDS.contains(&name) {
        let fault = Fault::new(
            *id,
            format!("`{name}` is a word of Rhai's own, a script could not read it"),
        );
        return Err(fault.help("choose another name"));
    }
    // mas-cli's register-user has a `--yes` of its own, which means what masctl's does.
    if HOST_FLAGS.contains(&param.flag_name().as_str()) && !(name == "yes" && param.kind == Kind::Bool) {
        let fault = Fault::new(*id, format!("`--{}` is a flag of masctl itself", param.flag_name()));
        return Err(fault.help("choose another name"));
    }
    Ok(())
}

/// How it can be given.
fn check_spellings(Declared { param, fields, .. }: &Declared) -> Result<(), Fault> {
    let secret = param.kind == Kind::Secret;
    let bool = param.kind == Kind::Bool;
    let flag = fields.truth("flag")?;
    let elsewhere = "only what can be given as a flag has it: add `flag: true`";
    let rules = [
        (bool && param.positional, "positional", "a `bool` cannot be positional"),
        (bool && param.required, "required", "a `bool` cannot be required"),
        (bool && param.repeated, "repeated", "a `bool` cannot be repeated"),
        (bool && param.prompt.is_some(), "prompt", "a `bool` cannot be asked for"),
        (flag && !param.positional && !secret, "flag", "it is a flag already"),
        (secret && param.repeated, "repeated", "a `secret` cannot be repeated"),
        (
            secret && param.default.is_some(),
            "default",
            "a `secret` cannot have one",
        ),
        (!param.flag && param.short.is_some(), "short", elsewhere),
        (!param.flag && !param.aliases.is_empty(), "aliases", elsewhere),
    ];
    if let Some((_, key, message)) = rules.iter().find(|(wrong, ..)| *wrong) {
        return Err(fields.fault(key, format!("`{key}` of `{}`: {message}", param.name)));
    }
    let exclusions = [
        (param.default.is_some(), "default", param.required, "required"),
        (param.default.is_some(), "default", param.prompt.is_some(), "prompt"),
        (param.default.is_some(), "default", param.repeated, "repeated"),
        (param.env.is_some(), "env", param.repeated, "repeated"),
        (param.prompt.is_some(), "prompt", param.repeated, "repeated"),
        (flag, "flag", param.repeated, "repeated"),
        (param.loss.is_some(), "destructive", param.default.is_some(), "default"),
        (param.loss.is_some(), "destructive", param.required, "required"),
    ];
    if let Some((_, key, _, other)) = exclusions.iter().find(|(one, _, other, _)| *one && *other) {
        return Err(fields.fault(key, format!("`{key}` and `{other}` exclude each other")));
    }
    check_env(param, fields)
}

fn check_env(param: &Param, fields: &yaml::Fields) -> Result<(), Fault> {
    let is_name = |text: &String| {
        text.starts_with(|char: char| char.is_ascii_uppercase() || char == '_')
            && text
                .chars()
                .all(|char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_')
    };
    if param.env.as_ref().is_none_or(is_name) {
        return Ok(());
    }
    Err(fields.fault(
        "env",
        "`env` must be the name of an environment variable: A-Z, 0-9 and `_`",
    ))
}

/// What its value can be.
fn check_value(Declared { param, fields, .. }: &Declared) -> Result<(), Fault> {
    let textual = [
        Kind::String,
        Kind::Path,
        Kind::Url,
        Kind::Email,
        Kind::Ulid,
        Kind::User,
        Kind::Provider,
    ];
    let is_enum = param.kind == Kind::Enum;
    if is_enum && param.values.is_empty() {
        return Err(fields
            .fault("values", "an `enum` needs `values`")
            .help("for example `values: [one, two]`"));
    }
    if !is_enum && fields.node("values").is_some() {
        return Err(fields
            .fault("values", "`values` is only for `enum`")
            .help("write `type: enum`"));
    }
    if param.pattern.is_some() && !textual.contains(&param.kind) {
        return Err(fields.fault(
            "pattern",
            format!("the type `{}` has no `pattern`", param.kind.as_str()),
        ));
    }
    if let (Some(min), Some(max)) = (&param.min, &param.max)
        && min.number > max.number
    {
        return Err(fields.fault("max", format!("`max` {} is less than `min` {}", max.text, min.text)));
    }
    match param.default.as_ref().map(|text| arguments::parse(param, text)) {
        Some(Err(problem)) => Err(fields.fault("default", format!("the value of `default` {problem}"))),
        _ => Ok(()),
    }
}

/// The spellings that are taken, and by which parameter.
#[derive(Default)]
struct Flags {
    long: HashMap<String, String>,
    short: HashMap<char, String>,
}

impl Flags {
    fn take(&mut self, Declared { param, id, fields }: &Declared) -> Result<(), Fault> {
        let name = param.flag_name();
        if param.kind == Kind::Secret {
            self.take_long(param, &format!("{name}-stdin"), *id)?;
            self.take_long(param, &format!("{name}-file"), *id)?;
        }
        if param.flag {
            self.take_long(param, &name, *id)?;
        }
        for (id, alias) in fields.texts("aliases")?.unwrap_or_default() {
            if !is_word(&alias, '-') || alias.len() > 64 {
                let message = format!("`{}` cannot be the alias of a flag", yaml::clipped(&alias));
                return Err(Fault::new(id, message).help("an alias has a-z, 0-9 and `-`, and starts with a letter"));
            }
            if HOST_FLAGS.contains(&alias.as_str()) {
                return Err(Fault::new(id, format!("`--{alias}` is a flag of masctl itself")));
            }
            self.take_long(param, &alias, id)?;
        }
        let Some(short) = param.short else { return Ok(()) };
        if HOST_SHORTS.contains(&short) && param.name != "yes" {
            return Err(fields.fault("short", format!("`-{short}` is a flag of masctl itself")));
        }
        match self.short.insert(short, param.name.clone()) {
            Some(other) => Err(fields.fault("short", format!("`-{short}` is a flag of `{other}` already"))),
            None => Ok(()),
        }
    }

    fn take_long(&mut self, param: &Param, flag: &str, id: usize) -> Result<(), Fault> {
        match self.long.insert(flag.to_owned(), param.name.clone()) {
            Some(other) => Err(Fault::new(id, format!("`--{flag}` is a flag of `{other}` already"))),
            None => Ok(()),
        }
    }
}

/// What it says of others.
fn check_references(one: &Declared, all: &[Declared]) -> Result<(), Fault> {
    for key in ["conflicts", "requires"] {
        for (id, name) in one.fields.texts(key)?.unwrap_or_default() {
            if name == one.param.name {
                return Err(Fault::new(id, format!("`{name}` cannot be in its own `{key}`")));
            }
            if !all.iter().any(|other| other.param.name == name) {
                let known: Vec<&str> = all.iter().map(|other| other.param.name.as_str()).collect();
                let fault = Fault::new(id, format!("there is no parameter `{}`", yaml::clipped(&name)));
                return Err(fault.help(yaml::suggestion(&name, &known)));
            }
        }
    }
    Ok(())
}

/// The order of the positional ones.
fn check_places(all: &[Declared]) -> Result<(), Fault> {
    let mut optional = None;
    let mut repeated = None;
    for Declared { param, fields, .. } in all.iter().filter(|one| one.param.positional) {
        let name = &param.name;
        if let Some(before) = repeated {
            return Err(fields.fault(
                "positional",
                format!("`{name}` comes after `{before}`, which takes all that follows"),
            ));
        }
        if let (true, Some(before)) = (param.required, optional) {
            let message =
                format!("`{name}` is required but comes after `{before}`, which can be left out of its place");
            return Err(fields.fault("required", message));
        }
        let elsewhere = param.flag || param.env.is_some() || param.prompt.is_some() || param.kind == Kind::Secret;
        if !param.required || elsewhere {
            optional = Some(name);
        }
        if param.repeated {
            repeated = Some(name);
        }
    }
    Ok(())
}
