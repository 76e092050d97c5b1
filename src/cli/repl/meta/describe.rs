//! `\d`: what there is, and what something is.

use std::fmt::Write;

use super::super::conversation::Conversation;
use crate::{
    cli::reference::Page,
    console::Console,
    error::{Code, Error, Result, nearest, shortened},
    host::{
        reference::{EntryKind, Hit, Reference, Section},
        repl::{Function, State, Variable},
    },
    model::Id,
};

/// How many characters of a name are repeated that is none.
const LONGEST_SHOWN: usize = 64;

/// How many variables and functions are listed.
const MOST: usize = 200;

/// Describes a thing: the first of a variable, a function or an import of the session, something of the reference, and a
/// user. Without one, lists what there is.
pub(super) fn show(conversation: &mut Conversation, thing: &str) -> Result<()> {
    let state = conversation.session.state();
    let mut page = Page::for_people();
    if thing.is_empty() {
        overview(&mut page, state, Reference::get()?);
        return conversation.page(&page.text());
    }
    if made_here(state, thing, &mut page) {
        conversation.page(&page.text())?;
        if state.has_variable(thing) && is_told_of(Reference::get()?, thing) {
            let note = format!("`{thing}` is also something else: `\\h {thing}` tells of it");
            conversation.console.say(&note);
        }
        return Ok(());
    }
    match Reference::get()?.find(thing) {
        Ok(hits) => {
            page.hits(&hits);
            conversation.page(&page.text())
        }
        Err(unknown) => user(conversation, thing, unknown),
    }
}

/// Whether the reference tells of a namespace, type or function of just this name.
fn is_told_of(reference: &Reference, name: &str) -> bool {
    let hits = reference.find(name).unwrap_or_default();
    hits.iter().any(|hit| match hit {
        Hit::Group(group) => group.head.as_ref().is_some_and(|head| head.name == name),
        Hit::Entry(entry) => entry.kind == EntryKind::Function && entry.name.rsplit("::").next() == Some(name),
        Hit::Section(_) => false,
    })
}

/// All that can be described, in short.
fn overview(page: &mut Page, state: &State, reference: &Reference) {
    let section = |name: &str| reference.sections.iter().find(|section| section.name == name);
    if let Some(namespaces) = section("namespaces") {
        page.heading(namespaces.title);
        page.gap();
        let heads = namespaces.groups.iter().filter_map(|group| group.head.as_ref());
        let rows: Vec<_> = heads.map(|head| (head.name.clone(), head.about())).collect();
        page.rows(&rows);
    }
    if let Some(types) = section("types") {
        page.heading(types.title);
        page.gap();
        page.prose(&type_names(types).join(", "), 4);
    }
    let rows = session_rows(state);
    page.heading("This session");
    page.gap();
    if rows.is_empty() {
        page.prose("No variables, functions or imports yet.", 4);
    } else {
        page.rows(&rows[..rows.len().min(MOST)]);
        if rows.len() > MOST {
            page.prose(&format!("… and {} more", rows.len() - MOST), 4);
        }
    }
}

fn type_names(types: &Section) -> Vec<&str> {
    let heads = types.groups.iter().filter_map(|group| group.head.as_ref());
    heads.map(|head| head.name.as_str()).collect()
}

/// What the session has made: variables, functions, imports.
fn session_rows(state: &State) -> Vec<(String, String)> {
    let variables = state.variables();
    let functions = state.functions_by_name();
    let imports = state.imports_by_name();
    let variables = variables.iter().map(|it| (it.name.clone(), holds(it)));
    let functions = functions.iter().map(|it| (it.signature.clone(), about(it)));
    let imports = imports.iter().map(|it| (format!("{}::", it.alias), it.module.clone()));
    variables.chain(functions).chain(imports).collect()
}

fn holds(variable: &Variable) -> String {
    let constant = if variable.is_constant { ", constant" } else { "" };
    format!("{}{constant}", variable.holds)
}

fn about(function: &Function) -> String {
    match function.help.lines().next() {
        Some(first) if !first.is_empty() => first.to_owned(),
        _ => "function".to_owned(),
    }
}

/// Describes a variable, function or import of the session, if one is called so.
pub(super) fn made_here(state: &State, name: &str, page: &mut Page) -> bool {
    let name = name.trim_end_matches("()").trim_end_matches("::");
    let mut found = false;
    if let Some(variable) = state.variables().into_iter().find(|it| it.name == name) {
        page.rows(&[(name.to_owned(), holds(&variable))]);
        if let Some(group) = variable.kind.and_then(of_type) {
            page.hits(&[group]);
        }
        found = true;
    }
    let functions: Vec<_> = state
        .functions_by_name()
        .into_iter()
        .filter(|it| it.name == name)
        .collect();
    for function in &functions {
        write_function(page, "", function);
        found = true;
    }
    if let Some(import) = state.imports_by_name().into_iter().find(|it| it.alias == name) {
        page.rows(&[(format!("{name}::"), import.module.clone())]);
        page.gap();
        for function in &import.functions {
            write_function(page, &format!("{name}::"), function);
        }
        found = true;
    }
    found
}

/// The type of the reference that a value is of.
fn of_type(kind: &str) -> Option<Hit<'static>> {
    let reference = Reference::get().ok()?;
    let types = reference.sections.iter().find(|section| section.name == "types")?;
    let group = types
        .groups
        .iter()
        .find(|group| group.head.as_ref().is_some_and(|head| head.name == kind))?;
    Some(Hit::Group(group))
}

fn write_function(page: &mut Page, before: &str, function: &Function) {
    let about = if function.help.is_empty() {
        "A function of this session.".to_owned()
    } else {
        function.help.replace('\n', " ")
    };
    page.below(&format!("{before}{}", function.signature), &about);
}

/// Describes a user, as `users::get(…).describe()` does.
fn user(conversation: &mut Conversation, thing: &str, unknown: Error) -> Result<()> {
    let Some(input) = lookup(thing) else {
        return Err(unknown);
    };
    let watched = conversation.begin();
    let looked = conversation.session.look(thing, &input, watched.interrupt());
    drop(watched);
    match looked {
        Ok(answer) => conversation.show(&answer),
        Err(error) if error.code() == Code::UserNotFound => Err(nothing(conversation, thing, &unknown)),
        // A name that no user can have.
        Err(error) if error.code() == Code::UsernameInvalid => Err(nothing(conversation, thing, &unknown)),
        Err(error) => Err(error),
    }
}

/// What gets a user by what one knows of them: name, MXID, e-mail address or id.
fn lookup(thing: &str) -> Option<String> {
    let (function, value) = match thing.strip_prefix('@') {
        Some(_) if thing.contains(':') => ("get", thing),
        Some(name) => ("get", name),
        None if thing.parse::<Id>().is_ok() => ("get_by_id", thing),
        None if thing.contains('@') => ("get_by_email", thing),
        None => ("get", thing),
    };
    let is_told_apart = |char: char| char.is_control() || char.is_whitespace() || "()[]{}\"`\\;".contains(char);
    if value.is_empty() || value.contains(is_told_apart) {
        return None;
    }
    let mut input = String::new();
    // Writing to a text cannot fail.
    let _ = write!(input, "users::{function}(\"{value}\").describe()");
    Some(input)
}

/// The error that nothing is called so.
fn nothing(conversation: &Conversation, thing: &str, unknown: &Error) -> Error {
    let shown = shortened(thing, LONGEST_SHOWN);
    let state = conversation.session.state();
    let variables = state.variables();
    let functions = state.functions_by_name();
    let names = variables.iter().map(|it| it.name.as_str());
    let names: Vec<&str> = names.chain(functions.iter().map(|it| it.name.as_str())).collect();
    let help = match nearest(thing, &names) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => match unknown.help_text() {
            Some(near) if near.starts_with("Did you mean") => near.to_owned(),
            _ => "`\\d` lists what there is; a user is called by name, MXID, e-mail address or id.".to_owned(),
        },
    };
    let message = format!("Nothing and nobody is called `{shown}`");
    Error::new(Code::ArgumentInvalid, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_looked_up_by_what_is_known() {
        for (thing, input) in [
            ("alice", "users::get(\"alice\").describe()"),
            ("@lock", "users::get(\"lock\").describe()"),
            ("@alice:example.com", "users::get(\"@alice:example.com\").describe()"),
            (
                "alice@example.com",
                "users::get_by_email(\"alice@example.com\").describe()",
            ),
            (
                "01HV0000000000000000000001",
                "users::get_by_id(\"01HV0000000000000000000001\").describe()",
            ),
        ] {
            assert_eq!(lookup(thing).as_deref(), Some(input));
        }
        for thing in ["", "@", "a\"b", "a\\", "`${1}`", "a()", "a b"] {
            assert_eq!(lookup(thing), None, "{thing}");
        }
    }

    #[test]
    fn what_a_variable_hides_is_what_is_called_just_so() {
        let reference = Reference::get().unwrap();
        for (name, is_told) in [
            ("users", true),
            ("User", true),
            ("get", true),
            ("say", true),
            ("limit", false),
            ("LIMIT", false),
        ] {
            assert_eq!(is_told_of(reference, name), is_told, "{name}");
        }
    }

    #[test]
    fn an_empty_session_says_so() {
        let mut page = Page::new(Some(80), false);
        overview(&mut page, &State::default(), Reference::get().unwrap());
        let text = page.text();
        assert!(text.starts_with("Namespaces\n\n    users "), "{text}");
        assert!(text.contains("\nTypes\n\n    AcceptedTerms, "), "{text}");
        assert!(
            text.ends_with("This session\n\n    No variables, functions or imports yet.\n"),
            "{text}"
        );
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None);
    }
}
