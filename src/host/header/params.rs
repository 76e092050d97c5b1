//! The parameters of a script, as data, and how one is read from its YAML.

use regex_lite::Regex;

use super::{
    Fault, keys,
    yaml::{self, Entry, Fields, Node},
};
use crate::{error::words, host::arguments};

words! {
    /// The type of a parameter.
    Kind:
    /// Any text.
    String = "string",
    /// The path of a file or folder.
    Path = "path",
    /// An absolute URL.
    Url = "url",
    /// An e-mail address.
    Email = "email",
    /// A ULID, in upper case.
    Ulid = "ulid",
    /// A username or an MXID of this server.
    User = "user",
    /// The ULID of an upstream provider.
    Provider = "provider",
    /// An account at an upstream provider, `ULID:SUBJECT`.
    Link = "link",
    /// A whole number of 64 bits.
    Int = "int",
    /// A number.
    Float = "float",
    /// A switch, off unless it is given.
    Bool = "bool",
    /// A duration such as `90`, `90s`, `15m`, `2h`, `30d` or `2w`, in seconds.
    Duration = "duration",
    /// A moment, RFC 3339 or `YYYY-MM-DD`, or how long ago it was, such as `90d`.
    Time = "time",
    /// One of `values`.
    Enum = "enum",
    /// A text that is neither shown nor logged.
    Secret = "secret",
}

impl Kind {
    /// The type of the value that `args` holds, as the reference has it.
    #[must_use]
    pub const fn holds(self) -> &'static str {
        match self {
            Self::Int | Self::Duration => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "Time",
            Self::Link => "Map",
            Self::Secret => "Secret",
            Self::String
            | Self::Path
            | Self::Url
            | Self::Email
            | Self::Ulid
            | Self::User
            | Self::Provider
            | Self::Enum => "String",
        }
    }
}

words! {
    /// What completion offers for the value of a parameter.
    Completion:
    /// Names of accounts.
    Users = "users",
    /// Ids of upstream providers.
    Providers = "providers",
    /// Ids of OAuth 2.0 clients.
    Clients = "clients",
    /// Files and folders.
    Paths = "paths",
    /// Files.
    Files = "files",
    /// Folders.
    Folders = "folders",
    /// Nothing, whatever its type is.
    Nothing = "none",
}

/// One parameter of a script.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the header")]
pub struct Param {
    /// Its name in `args`: `[a-z][a-z0-9_]*`.
    pub name: String,
    /// What it accepts.
    pub kind: Kind,
    /// A short noun phrase. May be empty.
    pub help: String,
    /// Whether it can be given by its place.
    pub positional: bool,
    /// Whether it can be given as `--name`.
    pub flag: bool,
    /// Whether the script does not run without it.
    pub required: bool,
    /// The text of the value that it has if it is absent.
    pub default: Option<String>,
    /// Whether it can be given several times.
    pub repeated: bool,
    /// What an `enum` can be; else empty.
    pub values: Vec<String>,
    /// The least value.
    pub min: Option<Limit>,
    /// The greatest value.
    pub max: Option<Limit>,
    /// What the whole text must match.
    pub pattern: Option<Pattern>,
    /// The letter of its short flag.
    pub short: Option<char>,
    /// Other names of its flag, without the dashes.
    pub aliases: Vec<String>,
    /// The environment variable that it is taken from if it is absent.
    pub env: Option<String>,
    /// The question to ask on a terminal if it is absent.
    pub prompt: Option<String>,
    /// The parameters that cannot be given beside it. It holds in both directions.
    pub conflicts: Vec<String>,
    /// The parameters that must be given beside it.
    pub requires: Vec<String>,
    /// Whether the help leaves it out.
    pub hidden: bool,
    /// What completion offers for it, if not what its type says.
    pub complete: Option<Completion>,
    /// What is lost if it is given, as a sentence: that is asked about first.
    pub loss: Option<String>,
}

impl Param {
    /// The name of its flag, without the dashes.
    #[must_use]
    pub fn flag_name(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Its name in upper case, which stands for its value in help and messages.
    #[must_use]
    pub fn value_name(&self) -> String {
        self.name.to_uppercase()
    }

    /// Its name as words.
    #[must_use]
    pub fn words(&self) -> String {
        self.name.replace('_', " ")
    }

    /// What completion offers for its value.
    #[must_use]
    pub fn completion(&self) -> Completion {
        self.complete.unwrap_or(match self.kind {
            Kind::User => Completion::Users,
            Kind::Provider | Kind::Link => Completion::Providers,
            Kind::Path => Completion::Paths,
            _ => Completion::Nothing,
        })
    }

    /// Whether the two cannot be given together.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        self.conflicts.contains(&other.name) || other.conflicts.contains(&self.name)
    }
}

/// The least or the greatest value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// As the header writes it.
    pub text: String,
    /// What values are compared with; seconds for a duration.
    pub number: Number,
}

/// A number of a parameter's type.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Number {
    /// Of `int` and `duration`.
    Int(i64),
    /// Of `float`.
    Float(f64),
}

/// A regular expression that a whole value must match.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As the header writes it.
    pub text: String,
    regex: Regex,
}

impl Pattern {
    fn new(text: String) -> Result<Self, regex_lite::Error> {
        // Alone first: `a)|(b` is an error, and between the anchors it would not be.
        Regex::new(&text)?;
        let regex = Regex::new(&format!(r"\A(?:{text})\z"))?;
        Ok(Self { text, regex })
    }

    /// Whether the whole of `value` matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }
}

/// A parameter beside the YAML that it was read from.
pub(super) struct Declared<'a> {
    pub(super) param: Param,
    /// The number of its name.
    pub(super) id: usize,
    pub(super) fields: Fields<'a>,
}

/// Reads one entry of `params`. What the keys say of each other is not checked yet.
pub(super) fn read(entry: &Entry) -> Result<Declared<'_>, Fault> {
    let yaml::Value::Map(entries) = &entry.node.value else {
        let fault = Fault::new(
            entry.id,
            format!("the parameter `{}` must be a mapping", yaml::clipped(&entry.key)),
        );
        return Err(fault.help("for example `{ type: string, help: What it is for }`"));
    };
    let fields = Fields::new(entry.id, "a parameter", entries, &keys::names(keys::OF_PARAM))?;
    let kind = kind(&fields)?;
    let positional = fields.truth("positional")?;
    let flag = fields.truth("flag")?;
    let param = Param {
        name: entry.key.clone(),
        kind,
        help: fields.text("help")?.unwrap_or_default(),
        positional,
        flag: flag || !(positional || kind == Kind::Secret),
        required: fields.truth("required")?,
        default: default(kind, &fields)?,
        repeated: fields.truth("repeated")?,
        values: names(&fields, "values")?,
        min: limit(kind, &fields, "min")?,
        max: limit(kind, &fields, "max")?,
        pattern: pattern(&fields)?,
        short: short(&fields)?,
        aliases: names(&fields, "aliases")?,
        env: fields.text("env")?,
        prompt: fields.text("prompt")?,
        conflicts: names(&fields, "conflicts")?,
        requires: names(&fields, "requires")?,
        hidden: fields.truth("hidden")?,
        complete: completion(kind, &fields)?,
        loss: fields.sentence("destructive", "a sentence that says what is lost")?,
    };
    Ok(Declared {
        param,
        id: entry.id,
        fields,
    })
}

fn kind(fields: &Fields) -> Result<Kind, Fault> {
    let known = || Kind::ALL.iter().map(|kind| kind.as_str());
    let Some(name) = fields.text("type")? else {
        let fault = fields.fault("type", "the parameter has no `type`");
        return Err(fault.help(format!("it can be {}", known().collect::<Vec<_>>().join(", "))));
    };
    Kind::ALL
        .iter()
        .copied()
        .find(|kind| kind.as_str() == name)
        .ok_or_else(|| {
            let fault = fields.fault("type", format!("there is no type `{}`", yaml::clipped(&name)));
            fault.help(yaml::suggestion(&name, &known().collect::<Vec<_>>()))
        })
}

fn completion(kind: Kind, fields: &Fields) -> Result<Option<Completion>, Fault> {
    let Some(name) = fields.text("complete")? else {
        return Ok(None);
    };
    if matches!(kind, Kind::Bool | Kind::Enum | Kind::Secret) {
        let message = format!("the type `{}` has no `complete`", kind.as_str());
        return Err(fields.fault("complete", message));
    }
    let found = Completion::ALL.iter().find(|known| known.as_str() == name);
    found.copied().map(Some).ok_or_else(|| {
        let known: Vec<_> = Completion::ALL.iter().map(|known| known.as_str()).collect();
        let fault = fields.fault("complete", format!("completion offers no `{}`", yaml::clipped(&name)));
        fault.help(yaml::suggestion(&name, &known))
    })
}

/// A list of texts, each there once.
fn names(fields: &Fields, key: &str) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for (id, name) in fields.texts(key)?.unwrap_or_default() {
        if names.contains(&name) {
            return Err(Fault::new(
                id,
                format!("`{}` is there twice in `{key}`", yaml::clipped(&name)),
            ));
        }
        names.push(name);
    }
    Ok(names)
}

/// The text of a value that may be written as a number where its type is one.
fn literal(kind: Kind, key: &str, node: &Node) -> Result<String, Fault> {
    match &node.value {
        yaml::Value::Number(number) if matches!(kind, Kind::Int | Kind::Float | Kind::Duration) => Ok(number.clone()),
        _ => yaml::text(&format!("`{key}`"), node),
    }
}

fn default(kind: Kind, fields: &Fields) -> Result<Option<String>, Fault> {
    match fields.node("default") {
        None => Ok(None),
        Some(Node {
            value: yaml::Value::Bool(false),
            ..
        }) if kind == Kind::Bool => Ok(None),
        Some(_) if kind == Kind::Bool => {
            let fault = fields.fault("default", "a `bool` is false unless it is given");
            Err(fault.help("name the parameter after the opposite, such as `no_check`"))
        }
        Some(node) => literal(kind, "default", node).map(Some),
    }
}

fn limit(kind: Kind, fields: &Fields, key: &str) -> Result<Option<Limit>, Fault> {
    let Some(node) = fields.node(key) else { return Ok(None) };
    if !matches!(kind, Kind::Int | Kind::Float | Kind::Duration) {
        return Err(fields.fault(key, format!("`{key}` is only for `int`, `float` and `duration`")));
    }
    let text = literal(kind, key, node)?;
    match arguments::number(kind, &text) {
        Ok(number) => Ok(Some(Limit { text, number })),
        Err(problem) => Err(fields.fault(key, format!("the value of `{key}` {problem}"))),
    }
}

fn pattern(fields: &Fields) -> Result<Option<Pattern>, Fault> {
    let Some(text) = fields.text("pattern")? else {
        return Ok(None);
    };
    Pattern::new(text).map(Some).map_err(|error| {
        let reason = error.to_string().replace(char::is_control, " ");
        fields.fault("pattern", format!("`pattern` is no regular expression: {reason}"))
    })
}

fn short(fields: &Fields) -> Result<Option<char>, Fault> {
    let Some(text) = fields.text("short")? else {
        return Ok(None);
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(short), None) if short.is_ascii_alphabetic() => Ok(Some(short)),
        _ => Err(fields.fault("short", "`short` must be one letter of a-z or A-Z")),
    }
}
