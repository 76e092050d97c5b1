//! The scripts and modules that ship inside of the binary.

use super::{
    header::Header,
    script::{Origin, Script},
};
use crate::error::Result;

macro_rules! shipped {
    ($folder:literal: $($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../../", $folder, "/", $name, ".rhai"))),)+]
    };
}

/// A heading of the help, and name and source of each command below it.
type Group = (&'static str, &'static [(&'static str, &'static str)]);

/// The `manage` commands, in the order of the help.
const MANAGE: &[Group] = &[
    (
        "Accounts",
        shipped! { "scripts/manage":
            "list-users",
            "show-user",
            "register-user",
            "set-display-name",
            "lock-user",
            "unlock-user",
            "deactivate-user",
            "reactivate-user",
            "promote-admin",
            "demote-admin",
            "list-admin-users",
        },
    ),
    (
        "Passwords",
        shipped! { "scripts/manage":
            "set-password",
            "remove-passwords",
        },
    ),
    (
        "E-mail addresses",
        shipped! { "scripts/manage":
            "list-emails",
            "list-duplicate-emails",
            "add-email",
            "remove-email",
            "move-email",
            "verify-email",
        },
    ),
    (
        "Sessions and clients",
        shipped! { "scripts/manage":
            "list-sessions",
            "kill-session",
            "kill-sessions",
            "list-clients",
        },
    ),
    (
        "Access tokens",
        shipped! { "scripts/manage":
            "list-tokens",
            "issue-compatibility-token",
            "issue-personal-token",
            "rotate-token",
            "revoke-token",
        },
    ),
    (
        "Registration tokens",
        shipped! { "scripts/manage":
            "list-registration-tokens",
            "issue-user-registration-token",
            "edit-registration-token",
            "revoke-registration-token",
            "unrevoke-registration-token",
        },
    ),
    (
        "Upstream providers",
        shipped! { "scripts/manage":
            "list-providers",
            "list-links",
            "link-upstream",
            "unlink-upstream",
        },
    ),
    (
        "Jobs",
        shipped! { "scripts/manage":
            "list-jobs",
            "retry-job",
            "release-jobs",
            "provision-all-users",
        },
    ),
    (
        "Server",
        shipped! { "scripts/manage":
            "show-site",
            "show-policy-data",
            "set-policy-data",
        },
    ),
];

/// The commands of `mas-cli manage`. Playbooks call them, so they never ask.
const OF_MAS_CLI: [&str; 13] = [
    "add-email",
    "demote-admin",
    "issue-compatibility-token",
    "issue-user-registration-token",
    "kill-sessions",
    "list-admin-users",
    "lock-user",
    "promote-admin",
    "provision-all-users",
    "register-user",
    "set-password",
    "unlock-user",
    "verify-email",
];

/// Name and source of each module of the standard library.
const MODULES: &[(&str, &str)] = shipped! { "stdlib":
    "assert",
    "fixture",
    "lines",
    "passwords",
    "registration",
};

/// Whether mas-cli has a command of this name.
#[must_use]
pub fn is_of_mas_cli(name: &str) -> bool {
    OF_MAS_CLI.contains(&name)
}

/// All `manage` commands. Only of those whose names are wanted the whole header is read, which takes a moment; of the
/// others what a list of commands shows.
///
/// # Errors
/// `header.invalid`, which a test keeps from shipping.
pub fn outlined_manage_scripts(wanted: impl Fn(&str) -> bool) -> Result<Vec<Script>> {
    commands()
        .map(|(name, source)| {
            let read = if wanted(name) { Header::parse } else { Header::outline };
            shipped_script(name, source, read)
        })
        .collect()
}

/// Reads the headers of the `manage` commands whose names are wanted. Each takes a moment to read.
///
/// # Errors
/// `header.invalid`, which a test keeps from shipping.
pub fn manage_scripts(wanted: impl Fn(&str) -> bool) -> Result<Vec<Script>> {
    commands()
        .filter(|(name, _)| wanted(name))
        .map(|(name, source)| shipped_script(name, source, Header::parse))
        .collect()
}

fn shipped_script(name: &str, source: &str, read: fn(&str, &str) -> Result<Header>) -> Result<Script> {
    let label = format!("manage/{name}.rhai");
    let header = read(&label, source)?;
    Ok(Script::with(name, &label, source, header, Origin::Shipped))
}

/// The text of the `manage` command of this name, or of the module of this path, `std/registration`.
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    let command = commands().find(|(known, _)| *known == name).map(|(_, source)| *source);
    command.or_else(|| module(name))
}

/// The names of all `manage` commands.
pub fn command_names() -> impl Iterator<Item = &'static str> {
    commands().map(|(name, _)| *name)
}

/// Whether a `manage` command is called so.
#[must_use]
pub fn is_manage_command(name: &str) -> bool {
    commands().any(|(known, _)| *known == name)
}

/// The headings of the help, each with the names of its `manage` commands.
pub fn manage_groups() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
    MANAGE
        .iter()
        .map(|(heading, commands)| (*heading, commands.iter().map(|(name, _)| *name)))
}

fn commands() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    MANAGE.iter().flat_map(|(_, commands)| *commands)
}

/// The names of the modules of the standard library.
pub fn modules() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name)
}

/// The source of a module by its path, `std/registration`.
pub(super) fn module(path: &str) -> Option<&'static str> {
    let name = path.strip_prefix("std/")?;
    MODULES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, source)| *source)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn files(folder: &str) -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        entries
            .filter(|name| !name.ends_with(".test.rhai"))
            .filter_map(|name| name.strip_suffix(".rhai").map(str::to_owned))
            .collect()
    }

    #[test]
    fn every_file_ships_and_every_header_is_right() {
        let names = |list: &[&(&str, &str)]| list.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>();
        let commands: Vec<_> = commands().collect();
        assert_eq!(names(&commands), files("scripts/manage"));
        assert_eq!(names(&MODULES.iter().collect::<Vec<_>>()), files("stdlib"));
        assert_eq!(manage_scripts(|_| true).unwrap().len(), commands.len());
    }

    #[test]
    fn an_outline_has_what_a_list_of_commands_shows() {
        let outlines = outlined_manage_scripts(|name| name == "lock-user").unwrap();
        let shown = |script: &Script| {
            let header = &script.header;
            (script.name.clone(), header.about.clone(), header.hidden)
        };
        let whole = manage_scripts(|_| true).unwrap();
        assert_eq!(
            outlines.iter().map(shown).collect::<Vec<_>>(),
            whole.iter().map(shown).collect::<Vec<_>>()
        );
        for script in outlines {
            assert_eq!(script.header.params.is_empty(), script.name != "lock-user");
        }
    }

    #[test]
    fn what_mas_cli_has_ships_and_never_asks() {
        let scripts = manage_scripts(is_of_mas_cli).unwrap();
        assert_eq!(scripts.len(), OF_MAS_CLI.len());
        for script in scripts {
            assert!(!script.header.may_be_destructive(), "{}", script.name);
        }
    }
}
