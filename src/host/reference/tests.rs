use std::collections::BTreeSet;

use super::*;
use crate::{host::header::Kind, primitives};

fn found(name: &str) -> Vec<String> {
    let reference = Reference::new().unwrap();
    let hits = reference.find(name).unwrap();
    let shown = hits.iter().map(|hit| match hit {
        Hit::Section(section) => format!("section {}", section.name),
        Hit::Group(group) => format!("group {}", group.head.as_ref().unwrap().name),
        Hit::Entry(entry) => format!("{} {}", entry.kind.as_str(), entry.name),
    });
    shown.collect()
}

#[test]
fn everything_is_found_by_each_of_its_names() {
    assert_eq!(found("users::get"), ["function users::get"]);
    assert!(found("get").len() > 5);
    assert_eq!(found("user.lock"), ["method user.lock"]);
    for name in ["lock", "lock()", "users::lock", "User.lock"] {
        assert_eq!(found(name), ["method user.lock"], "{name}");
    }
    assert_eq!(found("users"), ["group users", "module function std/fixture::users"]);
    assert_eq!(
        found("User"),
        [
            "function testing::user",
            "group User",
            "parameter type user",
            "module function std/fixture::user"
        ]
    );
    assert_eq!(
        found("locked_at"),
        ["field description.locked_at", "field user.locked_at"]
    );
    assert_eq!(found("user.not_found"), ["error user.not_found"]);
    assert_eq!(found("users:write"), ["capability users:write"]);
    assert_eq!(found("std/registration"), ["group std/registration"]);
    assert_eq!(found("registration"), ["group std/registration"]);
    assert_eq!(found("header"), ["section header"]);
    assert_eq!(found("say"), ["function say"]);
    assert_eq!(found("starts_with").len(), 2);
}

#[test]
fn what_is_unknown_is_answered_with_the_nearest_names() {
    let reference = Reference::new().unwrap();
    let help = |name: &str| {
        let error = reference.find(name).unwrap_err();
        assert_eq!(error.code().exit_status(), 2);
        error.help_text().unwrap().to_owned()
    };
    assert!(
        help("users::gett").starts_with("Did you mean `users::get`"),
        "{}",
        help("users::gett")
    );
    assert!(help("lok").contains("`user.lock`"), "{}", help("lok"));
    assert!(help("registr").contains("register"), "{}", help("registr"));
    assert!(help("").contains("its sections are"), "{}", help(""));
    assert!(help(&"x".repeat(100_000)).contains("its sections are"));
}

#[test]
fn every_entry_says_what_it_is() {
    let reference = Reference::new().unwrap();
    for entry in reference.entries() {
        assert!(!entry.description.trim().is_empty(), "{entry:?}");
        assert!(
            entry.description.trim_end().ends_with(['.', ':', '`']) || entry.kind == EntryKind::Builtin,
            "{entry:?}"
        );
    }
    for section in &reference.sections {
        assert!(
            section
                .groups
                .iter()
                .all(|group| !group.entries.is_empty() || group.head.as_ref().unwrap().kind == EntryKind::Type),
            "{}",
            section.name
        );
    }
}

#[test]
fn every_type_that_is_named_is_known() {
    let mut known: BTreeSet<String> = primitives::documented_types()
        .into_iter()
        .map(|kind| kind.name)
        .collect();
    known.extend(["?", "()", "Array", "Fn", "Map", "String", "bool", "float", "int"].map(str::to_owned));
    let mut named = BTreeSet::new();
    for function in primitives::documented()
        .iter()
        .filter(|function| !function.name.starts_with("get$"))
    {
        named.insert(function.returns.clone());
        named.extend(function.typed_parameters().into_iter().map(|(_, kind)| kind));
    }
    for kind in primitives::documented_types() {
        named.extend(kind.fields.into_iter().map(|field| field.kind));
    }
    named.extend(Kind::ALL.iter().map(|kind| kind.holds().to_owned()));
    for name in named {
        let bare = name.trim_start_matches("list of ").trim_end_matches(" | ()");
        let bare = bare.trim_start_matches('[').trim_end_matches(']');
        assert!(known.contains(bare), "{name}");
    }
}
