//! The clap command of a script, made from its header, and what its matches say.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use clap::{
    Arg, ArgAction, ArgGroup, ArgMatches, Command,
    builder::{PossibleValuesParser, Styles, TypedValueParser as _, ValueParser},
    parser::ValueSource,
    value_parser,
};

use crate::host::{
    Origin, Script,
    arguments::{self, Given, Value},
    capabilities, consent,
    header::{Header, Kind, Param},
    names,
};

/// The help of a script: its details, which clap calls what comes before the help, stand below the first line.
const PAGE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The id of the host's `--yes`. No parameter's name has a `#`.
const YES: &str = "#yes";

/// The command of a script. Where whoever starts it is `asking` to be asked, the command line need not have anything.
///
/// Global flags are not part of it. Its arguments read with [`given`].
#[must_use]
pub fn command(script: &Script, asking: bool) -> Command {
    let header = &script.header;
    let mut command = Command::new(script.name.clone())
        .about(header.about.clone())
        .hide(header.hidden);
    let details = details(header);
    if !details.is_empty() {
        command = command.before_help(details).help_template(PAGE);
    }
    let notes = notes(script);
    if !notes.is_empty() {
        command = command.after_help(notes);
    }
    for param in &header.params {
        let ways = Ways::new(param);
        for arg in args(param, header, &ways, asking) {
            command = command.arg(arg);
        }
        if ways.ids.len() > 1 {
            // clap excuses a missing argument by what excludes it, but no missing group: `arguments::collect` looks then.
            let excusable = header.params.iter().any(|other| other.excludes(param));
            let required = must_be_given(param) && !(excusable || asking);
            let group = ArgGroup::new(ways.group()).args(&ways.ids).required(required);
            command = command.group(group);
        }
    }
    if has_yes(script) {
        command = command.arg(
            Arg::new(YES)
                .long("yes")
                .short('y')
                .action(ArgAction::SetTrue)
                .help("Never ask"),
        );
    }
    command
}

/// Whether the command has a `--yes` that is not the script's own.
fn has_yes(script: &Script) -> bool {
    consent::may_be_needed(script) && script.header.param("yes").is_none()
}

/// The parameter whose value an argument of the script's command takes. A file that holds the value is none.
#[must_use]
pub fn param_of<'header>(header: &'header Header, arg: &Arg) -> Option<&'header Param> {
    let (name, way) = arg.get_id().as_str().split_once('#')?;
    header.param(name).filter(|_| matches!(way, "place" | "flag"))
}

/// Whether the command line says that nobody is to be asked.
#[must_use]
pub fn says_yes(script: &Script, matches: &ArgMatches) -> bool {
    has_yes(script) && matches.get_flag(YES)
}

/// What stands above the arguments: the script's prose, and what it asks about.
fn details(header: &Header) -> String {
    let mut details = reflow(&header.details);
    if header.destructive {
        let loss = header.loss.as_deref().unwrap_or_default();
        let asks = format!("It asks first, unless `--yes` is given. {loss}");
        if !details.is_empty() {
            details.push_str("\n\n");
        }
        details.push_str(asks.trim_end());
    }
    details
}

/// What stands below the arguments: of an operator's script also what it may do.
fn notes(script: &Script) -> String {
    let header = &script.header;
    let mut notes = Vec::new();
    if header
        .params
        .iter()
        .any(|param| param.kind == Kind::Time && !param.hidden)
    {
        notes.push(
            "A TIME is one such as 2026-01-31T12:00:00Z, a date, or a duration such as 90d for that long ago."
                .to_owned(),
        );
    }
    if script.origin != Origin::Shipped {
        notes.push(format!("It may {}.", capabilities::in_words(header)));
    }
    if !header.examples.is_empty() {
        let style = *Styles::default().get_header();
        let examples = header.examples.join("\n  ");
        notes.push(format!("{style}Examples:{style:#}\n  {examples}"));
    }
    notes.join("\n\n")
}

/// What the matches say of each parameter of the script.
#[must_use]
pub fn given(header: &Header, matches: &ArgMatches) -> BTreeMap<String, Given> {
    header
        .params
        .iter()
        .map(|param| (param.name.clone(), given_of(&Ways::new(param), matches)))
        .collect()
}

fn given_of(ways: &Ways, matches: &ArgMatches) -> Given {
    let written = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let values = |id: Option<&str>| match id.filter(written) {
        Some(id) => matches.get_many::<Value>(id).into_iter().flatten().cloned().collect(),
        None => Vec::new(),
    };
    let mut given = Given {
        positional: values(ways.positional.as_deref()),
        flag: values(ways.flag.as_deref()),
        ..Given::default()
    };
    if let Some(switch) = ways.switch.as_deref().filter(|id| matches.get_flag(id)) {
        debug_assert!(written(&switch), "a switch has no default");
        given.flag.push(Value::Bool(true));
    }
    given.stdin = ways.stdin.as_deref().is_some_and(|id| matches.get_flag(id));
    given.file = ways
        .file
        .as_deref()
        .and_then(|id| matches.get_one::<PathBuf>(id))
        .cloned();
    given
}

/// The ids of the clap arguments by which a parameter can be given.
#[derive(Default)]
struct Ways {
    name: String,
    positional: Option<String>,
    flag: Option<String>,
    switch: Option<String>,
    stdin: Option<String>,
    file: Option<String>,
    ids: Vec<String>,
}

impl Ways {
    fn new(param: &Param) -> Self {
        // No parameter's name has a `#`, so the ids of two parameters never meet.
        let id = |way: &str| Some(format!("{}#{way}", param.name));
        let mut ways = Self {
            name: param.name.clone(),
            ..Self::default()
        };
        if param.positional {
            ways.positional = id("place");
        }
        match param.kind {
            Kind::Bool => ways.switch = id("switch"),
            _ if param.flag => ways.flag = id("flag"),
            _ => {}
        }
        if param.kind == Kind::Secret {
            ways.stdin = id("stdin");
            ways.file = id("file");
        }
        let all = [&ways.positional, &ways.flag, &ways.switch, &ways.stdin, &ways.file];
        ways.ids = all.into_iter().flatten().cloned().collect();
        ways
    }

    fn group(&self) -> String {
        format!("{}#group", self.name)
    }

    /// What stands for all ways together: their group, or the only one.
    fn any(&self) -> String {
        match self.ids.as_slice() {
            [only] => only.clone(),
            _ => self.group(),
        }
    }
}

/// Whether the command line alone must have it.
fn must_be_given(param: &Param) -> bool {
    param.required && param.env.is_none() && param.prompt.is_none()
}

fn args(param: &Param, header: &Header, ways: &Ways, asking: bool) -> Vec<Arg> {
    let mut args = Vec::with_capacity(ways.ids.len());
    let shared = Arc::new(param.clone());
    if let Some(id) = &ways.positional {
        let mut help = help(param);
        if names::param(&header.params).is_some_and(|many| many.name == param.name) {
            help.push_str("; `-` reads many from standard input");
        }
        let arg = value_arg(&shared, id).help(help.trim_start_matches("; ").to_owned());
        args.push(if param.repeated { arg.num_args(1..) } else { arg });
    }
    if let Some(id) = &ways.flag {
        let text = match ways.positional {
            Some(_) => format!("The same as [{}]", param.value_name()),
            None => help(param),
        };
        args.push(flag(param, value_arg(&shared, id)).help(text));
    }
    if let Some(id) = &ways.switch {
        args.push(flag(param, Arg::new(id)).action(ArgAction::SetTrue).help(help(param)));
    }
    if let Some(id) = &ways.stdin {
        let arg = Arg::new(id)
            .long(format!("{}-stdin", param.flag_name()))
            .action(ArgAction::SetTrue);
        let others = header.params.iter().filter(|other| other.name != param.name);
        let others = others.filter_map(|other| Ways::new(other).stdin);
        args.push(
            arg.help(format!("Read the {} from standard input", param.words()))
                .conflicts_with_all(others),
        );
    }
    if let Some(id) = &ways.file {
        let arg = Arg::new(id)
            .long(format!("{}-file", param.flag_name()))
            .value_name("FILE");
        args.push(
            arg.value_parser(value_parser!(PathBuf))
                .help(format!("Read the {} from a file", param.words())),
        );
    }
    let alone = args.len() == 1 && must_be_given(param) && !asking;
    args.into_iter()
        .map(|arg| relate(arg.required(alone).hide(param.hidden), param, header, asking))
        .collect()
}

/// An argument that takes the parameter's value.
fn value_arg(param: &Arc<Param>, id: &str) -> Arg {
    let arg = Arg::new(id.to_owned())
        .value_name(value_name(param))
        .value_parser(value_parser_of(param))
        .allow_negative_numbers(matches!(param.kind, Kind::Int | Kind::Float));
    if param.repeated {
        arg.action(ArgAction::Append)
    } else {
        arg
    }
}

fn flag(param: &Param, arg: Arg) -> Arg {
    let arg = arg.long(param.flag_name()).visible_aliases(param.aliases.clone());
    match param.short {
        Some(short) => arg.short(short),
        None => arg,
    }
}

/// Adds what the parameter says of others.
fn relate(mut arg: Arg, param: &Param, header: &Header, asking: bool) -> Arg {
    let known =
        |names: &[String]| -> Vec<Param> { names.iter().filter_map(|name| header.param(name)).cloned().collect() };
    for other in known(&param.conflicts) {
        // Each way, not their group: clap would name all of its members.
        arg = arg.conflicts_with_all(Ways::new(&other).ids);
    }
    for other in known(&param.requires).into_iter().filter(|_| !asking) {
        // The command line need not have what comes from elsewhere.
        if other.env.is_none() && other.prompt.is_none() && other.default.is_none() {
            arg = arg.requires(Ways::new(&other).any());
        }
    }
    arg
}

fn value_parser_of(param: &Arc<Param>) -> ValueParser {
    if param.kind == Kind::Enum {
        return ValueParser::new(PossibleValuesParser::new(param.values.clone()).map(Value::Text));
    }
    let param = Arc::clone(param);
    ValueParser::new(move |text: &str| arguments::parse(&param, text))
}

fn value_name(param: &Param) -> String {
    match param.kind {
        Kind::Duration => "DURATION".to_owned(),
        Kind::Time => "TIME".to_owned(),
        Kind::Link => "ULID:SUBJECT".to_owned(),
        Kind::Int | Kind::Float if !param.positional => "NUMBER".to_owned(),
        _ => param.value_name(),
    }
}

fn help(param: &Param) -> String {
    let mut help = param.help.clone();
    if let Some(loss) = &param.loss {
        help.extend([". It asks first: ", loss]);
    }
    if let Some(default) = &param.default {
        help.extend([" [default: ", default, "]"]);
    }
    if let Some(env) = &param.env {
        help.extend([" [env: ", env, "]"]);
    }
    help.trim_start().to_owned()
}

/// Joins the lines of each paragraph, so that the help is wrapped to the terminal. Lists, indented lines and fenced code stay.
fn reflow(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fenced = false;
    let mut joins = false;
    for line in text.lines() {
        let fence = line.starts_with("```");
        let listed =
            line.starts_with([' ', '\t', '-', '*', '|', '#']) || line.starts_with(|char: char| char.is_ascii_digit());
        let plain = !(fenced || fence || listed || line.is_empty());
        if !out.is_empty() {
            out.push(if joins && plain { ' ' } else { '\n' });
        }
        out.push_str(line);
        joins = plain;
        fenced ^= fence;
    }
    out
}

#[cfg(test)]
mod tests;
