//! What a script may do: what a run of it is granted, and the words that say it to a person.

use super::{
    arguments::{Arguments, Value},
    header::{Header, Param},
    script::Script,
};
use crate::{
    capability::{Capability, FileScope, Granted, Narrowing, Resource},
    error::listed,
};

/// What a run of a script with these arguments may do.
#[must_use]
pub fn granted(script: &Script, arguments: &Arguments, narrowing: Narrowing) -> Granted {
    let given = |param: &str| match arguments.get(param) {
        Some(Value::List(values)) => values.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    };
    Granted::new(script.header.needs.clone(), narrowing, given)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// What a script may do, as what follows `may`: `look at all of MAS's data, and change accounts`.
#[must_use]
pub fn in_words(header: &Header) -> String {
    let needs = &header.needs;
    let mut clauses = Vec::new();
    let is_read = |resource: &Resource| needs.allow(Capability::read(*resource));
    let is_written = |resource: &Resource| needs.allow(Capability::write(*resource));
    let looked_at: Vec<&str> = Resource::ALL
        .iter()
        .filter(|resource| is_read(resource) && !is_written(resource))
        .map(|resource| seen(*resource))
        .collect();
    if Resource::ALL.iter().all(is_read) {
        clauses.push("look at all of MAS's data".to_owned());
    } else if !looked_at.is_empty() {
        clauses.push(format!("look at {}", listed(&looked_at)));
    }
    clauses.extend(changes(
        &Resource::ALL.iter().copied().filter(is_written).collect::<Vec<_>>(),
    ));
    let files: Vec<String> = needs.files().map(|scope| file(scope, &header.params)).collect();
    if !files.is_empty() {
        clauses.push(format!("read {}", listed(&files)));
    }
    match clauses.len() {
        0 => "neither look at MAS's data nor change it".to_owned(),
        // An `and` within a clause needs one with a comma between them.
        _ if clauses.iter().any(|clause| clause.contains(" and ")) => match clauses.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{}, and {last}", rest.join(", ")),
            _ => clauses.concat(),
        },
        _ => listed(&clauses),
    }
}

/// The environment variables that a header names, which are the only ones that its script gets.
#[must_use]
pub fn variables(header: &Header) -> Vec<&str> {
    header.params.iter().filter_map(|param| param.env.as_deref()).collect()
}

/// A kind of data, as one that is looked at.
const fn seen(resource: Resource) -> &'static str {
    match resource {
        Resource::Users => "accounts",
        Resource::Emails => "e-mail addresses",
        Resource::Passwords => "passwords' ages",
        Resource::Sessions => "sessions",
        Resource::Tokens => "tokens",
        Resource::Links => "links to upstream accounts",
        Resource::Providers => "upstream providers",
        Resource::Policy => "policy data",
        Resource::Clients => "clients",
        Resource::Jobs => "jobs",
        Resource::Homeserver => "the homeserver",
        Resource::Files => "files",
    }
}

/// What is done to kinds of data: a clause for each verb.
fn changes(resources: &[Resource]) -> Vec<String> {
    let mut clauses: Vec<(&str, Vec<&str>)> = Vec::new();
    for resource in resources {
        let (verb, object) = change(*resource);
        match clauses.iter_mut().find(|(known, _)| *known == verb) {
            Some((_, objects)) => objects.push(object),
            None => clauses.push((verb, vec![object])),
        }
    }
    clauses
        .into_iter()
        .map(|(verb, objects)| format!("{verb} {}", listed(&objects)))
        .collect()
}

/// What changing a kind of data is: a verb, and what it is done to.
const fn change(resource: Resource) -> (&'static str, &'static str) {
    match resource {
        Resource::Users => ("change", "accounts"),
        Resource::Emails => ("change", "e-mail addresses"),
        Resource::Passwords => ("change", "passwords"),
        Resource::Sessions => ("end", "sessions"),
        Resource::Tokens => ("issue and revoke", "tokens"),
        Resource::Links => ("change", "links to upstream accounts"),
        Resource::Providers => ("change", "upstream providers"),
        Resource::Policy => ("change", "policy data"),
        Resource::Clients => ("change", "clients"),
        Resource::Jobs => ("retry and release", "jobs"),
        Resource::Homeserver => ("change", "the homeserver"),
        Resource::Files => ("change", "files"),
    }
}

fn file(scope: &FileScope, params: &[Param]) -> String {
    match scope {
        FileScope::Below(path) => path.display().to_string(),
        FileScope::Given(name) => {
            let param = params.iter().find(|param| param.name == *name);
            let way = param.map(|param| {
                if param.positional {
                    param.value_name()
                } else {
                    format!("--{}", param.flag_name())
                }
            });
            format!("what {} names", way.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &str = "\
//! params:
//!   table: { type: path, positional: true }
//!   old_names: { type: path, repeated: true }
//!   key: { type: secret, env: SIGNING_KEY }
";

    fn header(needs: &str) -> Header {
        Header::parse(
            "x.rhai",
            &format!("//! About\n//! ---\n{PARAMS}{needs}\nfn main(args) {{}}"),
        )
        .unwrap()
    }

    #[test]
    fn capabilities_are_said_in_words() {
        let all: Vec<String> = Resource::ALL
            .iter()
            .map(|it| format!("{}:write", it.as_str()))
            .collect();
        for (needs, words) in [
            ("", "look at all of MAS's data"),
            ("//! needs: []", "neither look at MAS's data nor change it"),
            ("//! needs: [users:write]", "change accounts"),
            (
                "//! needs: [users:write, sessions:write, 'files:read:/srv/import']",
                "change accounts, end sessions and read /srv/import",
            ),
            (
                "//! needs: [emails:write, users:read, users:write, tokens:read]",
                "look at tokens, and change accounts and e-mail addresses",
            ),
            (
                "//! needs: ['files:read:$table', 'files:read:$old_names', jobs:read]",
                "look at jobs, and read what --old-names names and what TABLE names",
            ),
            ("//! needs: ['files:read:$table']", "read what TABLE names"),
            (
                &format!("//! needs: [{}]", all.join(", ")),
                "look at all of MAS's data, change accounts, e-mail addresses, passwords, links to upstream accounts, upstream \
                 providers, policy data, clients and the homeserver, end sessions, issue and revoke tokens, and retry and \
                 release jobs",
            ),
        ] {
            assert_eq!(in_words(&header(needs)), words);
        }
        assert_eq!(variables(&header("")), ["SIGNING_KEY"]);
    }

    #[test]
    fn what_is_given_for_a_parameter_is_granted() {
        let needs = "//! needs: ['files:read:$table', 'files:read:$old_names', 'files:read:/srv']";
        let mut script = Script::new("x", "x.rhai", "").unwrap();
        script.header = header(needs);
        let value = |text: &str| Value::Text(text.to_owned());
        let arguments = Arguments {
            values: vec![
                ("table".to_owned(), Value::Missing),
                ("old_names".to_owned(), Value::List(vec![value("a"), value("-")])),
                ("key".to_owned(), value("secret")),
            ],
            warnings: Vec::new(),
        };
        let granted = granted(&script, &arguments, Narrowing::default());
        let paths: Vec<&str> = granted.paths().map(|(path, _)| &*path.path).collect();
        assert_eq!(paths, ["/srv", "a", "-"]);
    }
}
