//! The sections of the reference that are of masctl's own code.

use std::collections::BTreeMap;

use super::{Entry, EntryKind, Group, Section};
use crate::{
    capability::{Capability, Resource},
    error::Code,
    host::header::{
        Kind,
        keys::{self, Key},
    },
    host::repl::meta::{MARK, META_COMMANDS},
    primitives::{self, Documented, NAMESPACES},
};

/// Every primitive but getters, what is called by the namespace before what is called on a value, by name.
fn primitives() -> Vec<Documented> {
    let all = primitives::documented().into_iter();
    let mut functions: Vec<_> = all.filter(|primitive| !primitive.name.starts_with("get$")).collect();
    functions.sort_by_cached_key(|primitive| {
        (
            primitive.receiver().is_some(),
            primitive.written(),
            primitive.parameters.len(),
            primitive.signature(),
        )
    });
    functions
}

pub(super) fn namespaces() -> Section {
    let all = primitives();
    let groups = NAMESPACES.iter().map(|namespace| {
        let functions = all.iter().filter(|primitive| primitive.namespace == namespace.name);
        Group {
            head: Some(Entry::new(EntryKind::Namespace, namespace.name, namespace.about)),
            entries: functions.map(Entry::of).collect(),
        }
    });
    Section {
        name: "namespaces",
        title: "Namespaces",
        intro: "Things are found and made through namespaces; what is done to a thing is a method of it. A `list of` \
                something is read page by page while it is walked with `for`."
            .to_owned(),
        groups: groups.collect(),
    }
}

pub(super) fn globals() -> Section {
    Section {
        name: "global",
        title: "Without a namespace",
        intro: String::new(),
        groups: vec![Group {
            head: None,
            entries: primitives::globals().iter().map(Entry::of).collect(),
        }],
    }
}

pub(super) fn types() -> Section {
    let all = primitives();
    let groups = primitives::documented_types().into_iter().map(|kind| {
        let methods = all.iter().filter(|primitive| primitive.receiver() == Some(&kind.name));
        let mut methods: Vec<_> = methods.map(Documented::written).collect();
        methods.dedup();
        let terms = match &methods[..] {
            [] => String::new(),
            some => format!("Methods: {}.", quoted(some)),
        };
        let fields = kind.fields.iter().map(|field| {
            Entry::new(
                EntryKind::Field,
                format!("{}.{}", kind.written(), field.name),
                &field.about,
            )
            .signature(format!("{}: {}", field.name, field.kind))
            .also(&field.name)
            .also(&format!("{}.{}", kind.name, field.name))
            .data("type", field.kind.as_str())
        });
        Group {
            entries: fields.collect(),
            head: Some(
                Entry::new(EntryKind::Type, &kind.name, &kind.about)
                    .also(&kind.written())
                    .terms(terms)
                    .data("methods", methods),
            ),
        }
    });
    Section {
        name: "types",
        title: "Types",
        intro: "What primitives return, with its fields. `()` is what a field holds that is not there, and `?` is anything."
            .to_owned(),
        groups: groups.collect(),
    }
}

/// What the capability of reading files is.
const FILES: &str = "Read files, which `needs` names: `files:read:/srv/import` is a file, or a folder with all below it; \
                     `files:read:$param` is what a parameter of type `path` was given.";

pub(super) fn capabilities() -> Section {
    let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for primitive in primitives() {
        if let Some(capability) = primitive.needs() {
            let callers = needed.entry(capability.to_owned()).or_default();
            if !callers.contains(&primitive.written()) {
                callers.push(primitive.written());
            }
        }
    }
    let entries = Resource::ALL.iter().flat_map(|&resource| {
        let what = lowercased(resource.meaning().trim_end_matches('.'));
        [
            (Capability::read(resource), format!("Look at {what}.")),
            (Capability::write(resource), format!("Look at and change {what}.")),
        ]
    });
    let files = (Capability::FILES, FILES.to_owned());
    let entries = entries.chain([files]).filter_map(|(capability, description)| {
        let name = capability.to_string();
        // What no primitive needs cannot be used.
        let primitives = needed.get(&name).cloned()?;
        Some(
            Entry::new(EntryKind::Capability, name, description)
                .terms(format!("Needed by {}.", quoted(&primitives)))
                .data("primitives", primitives),
        )
    });
    Section {
        name: "capabilities",
        title: "Capabilities",
        intro:
            "What a header's `needs` asks for. `x:write` includes `x:read`; a script without `needs` may read all of \
                MAS's data, and nothing else."
                .to_owned(),
        groups: vec![Group {
            head: None,
            entries: entries.collect(),
        }],
    }
}

pub(super) fn errors() -> Section {
    let entries = Code::ALL.iter().map(|code| {
        let mut terms = Vec::new();
        if !code.catchable() {
            terms.push("It cannot be caught.".to_owned());
        }
        if code.exit_status() != 1 {
            terms.push(format!("The exit status is {}.", code.exit_status()));
        }
        let (_, problem) = code.as_str().split_once('.').unwrap_or_default();
        let entry = Entry::new(EntryKind::Error, code.as_str(), code.meaning())
            .terms(terms.join(" "))
            .data("catchable", code.catchable())
            .data("exit_status", code.exit_status());
        if problem.is_empty() { entry } else { entry.also(problem) }
    });
    Section {
        name: "errors",
        title: "Error codes",
        intro:
            "What `error_code(error)` says of what a `catch` got, and `code` of an error that is JSON. They are never \
                renamed. The exit status is 1, unless another is named."
                .to_owned(),
        groups: vec![Group {
            head: None,
            entries: entries.collect(),
        }],
    }
}

pub(super) fn header() -> Section {
    of_keys(
        "header",
        "Keys of a header",
        "The leading `//!` lines of a script are its header: prose, of which the first line is what the command does, and \
         behind a line `---` these keys, in YAML.",
        EntryKind::Key,
        keys::OF_HEADER,
    )
}

pub(super) fn parameters() -> Section {
    of_keys(
        "parameters",
        "Keys of a parameter",
        "Below `params`: `name: { type: user, positional: true, required: true, help: Account to lock }`. The flag of a \
         parameter is its name with `-` for `_`.",
        EntryKind::ParameterKey,
        keys::OF_PARAM,
    )
}

fn of_keys(name: &'static str, title: &'static str, intro: &str, kind: EntryKind, keys: &'static [Key]) -> Section {
    let entries = keys.iter().map(|key| {
        Entry::new(kind, key.name, key.about)
            .terms(format!("Value: {}. Default: {}.", key.value, key.default))
            .data("value", key.value)
            .data("default", key.default)
    });
    Section {
        name,
        title,
        intro: intro.to_owned(),
        groups: vec![Group {
            head: None,
            entries: entries.collect(),
        }],
    }
}

pub(super) fn parameter_types() -> Section {
    let entries = Kind::ALL.iter().map(|kind| {
        Entry::new(EntryKind::ParameterType, kind.as_str(), kind.meaning())
            .terms(format!("In `args`: `{}`.", kind.holds()))
            .data("holds", kind.holds())
    });
    Section {
        name: "parameter-types",
        title: "Types of parameters",
        intro:
            "A parameter that was not given is `()` in `args`, unless it has a default; a `bool` is `false` then, a \
                repeated one `[]`."
                .to_owned(),
        groups: vec![Group {
            head: None,
            entries: entries.collect(),
        }],
    }
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn meta_commands() -> Section {
    let entries = META_COMMANDS.iter().map(|command| {
        let entry = Entry::new(
            EntryKind::MetaCommand,
            format!("{MARK}{}", command.name),
            format!("{}.", command.about),
        )
        .signature(command.usage());
        let aliases = command.aliases.iter();
        aliases.fold(entry, |entry, alias| entry.also(&format!("{MARK}{alias}")))
    });
    Section {
        name: "meta-commands",
        title: "Meta-commands",
        intro: "What begins with a backslash at the prompt of `masctl repl` is done by the session itself. It is a line of its \
                own; `exit`, `quit` and `help` need no backslash where they stand alone. `\\d` and `\\h` take what is called so first \
                of: a variable, a function or an import of the session, what this reference tells of, and, for `\\d`, a user \
                by name, MXID, e-mail address or id; `\\d @NAME` is a user whatever else is called so."
            .to_owned(),
        groups: vec![Group {
            head: None,
            entries: entries.collect(),
        }],
    }
}

/// A noun phrase inside of a sentence; names keep their capitals.
fn lowercased(text: &str) -> String {
    let mut rest = text.chars();
    match (rest.next(), rest.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == '-' => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_owned(),
    }
}
