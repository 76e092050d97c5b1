//! The operator's scripts: the files `NAME.rhai` in the scripts folders, each a command of `manage`.
//!
//! What is wrong with one of them is kept beside its name, so that it breaks no other. Files whose names begin with `_`
//! are modules that scripts beside them import, and `NAME.test.rhai` are tests.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    catalogue,
    script::{self, Script, is_of_tests, is_script},
};
use crate::error::{Code, Error, Result};

/// How many files of a folder are looked at.
const MOST: usize = 1000;

/// How long the name of a command may be.
const LONGEST_NAME: usize = 64;

/// A command of clap's own below `masctl manage`, which no script can be.
pub(super) const RESERVED: &str = "help";

/// What is in a scripts folder under a name.
#[derive(Debug)]
pub struct Found {
    /// The name of the file without its extension. It is that of a command if the script can be used.
    pub name: String,
    /// The file; or the folder, if that cannot be used.
    pub path: PathBuf,
    /// The script, or why it is none.
    pub script: Result<Script>,
}

/// All that is in the folders, by name. Of one name, the first counts; the others say so.
#[must_use]
pub fn find(folders: &[PathBuf]) -> Vec<Found> {
    let mut all: Vec<Found> = folders.iter().flat_map(|folder| find_in(folder)).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    for at in 1..all.len() {
        let (before, rest) = all.split_at_mut(at);
        let (first, found) = (&before[at - 1], &mut rest[0]);
        if first.name == found.name && is_name(&found.name) {
            let message = format!(
                "`{}` is ignored: `{}` comes before it",
                found.path.display(),
                first.path.display()
            );
            found.script = Err(Error::new(Code::ScriptIgnored, message));
        }
    }
    all
}

/// The script that is the command of this name, if there is a file for it. No other is read.
#[must_use]
pub fn named(folders: &[PathBuf], name: &str) -> Option<Found> {
    if !is_name(name) {
        return None;
    }
    let files = folders.iter().map(|folder| folder.join(format!("{name}.rhai")));
    let path = files.into_iter().find(|path| path.symlink_metadata().is_ok())?;
    Some(Found {
        name: name.to_owned(),
        script: read(name, &path),
        path,
    })
}

/// Whether a command can be called so.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_first = |first: u8| first.is_ascii_lowercase() || first.is_ascii_digit();
    name.len() <= LONGEST_NAME
        && name.bytes().next().is_some_and(is_first)
        && name.bytes().all(|byte| is_first(byte) || matches!(byte, b'-' | b'_'))
}

fn find_in(folder: &Path) -> Vec<Found> {
    let of_folder = |error| Found {
        name: folder.display().to_string(),
        path: folder.to_owned(),
        script: Err(error),
    };
    let (files, is_whole) = match files(folder) {
        Ok(files) => files,
        Err(error) => return vec![of_folder(error)],
    };
    let of_file = |(name, path): (String, PathBuf)| Found {
        script: read(&name, &path),
        name,
        path,
    };
    let mut found: Vec<Found> = files.into_iter().map(of_file).collect();
    if !is_whole {
        let message = format!(
            "The scripts folder `{}` has more than {MOST} files: others are ignored",
            folder.display()
        );
        found.push(of_folder(Error::new(Code::ScriptIgnored, message)));
    }
    found
}

/// Name and path of each script in a folder, and whether those are all.
fn files(folder: &Path) -> Result<(Vec<(String, PathBuf)>, bool)> {
    let unreadable = |cause: io::Error| {
        let message = format!("The scripts folder `{}` cannot be read: {cause}", folder.display());
        Error::new(Code::FileUnreadable, message)
    };
    let metadata = folder.metadata().map_err(unreadable)?;
    check_rights("scripts folder", folder, &metadata)?;
    let mut files = Vec::new();
    for (count, entry) in fs::read_dir(folder).map_err(unreadable)?.enumerate() {
        if count == MOST {
            return Ok((files, false));
        }
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if is_script(&path) && !is_of_tests(&path) && !name.starts_with(['.', '_']) {
            files.push((name, path));
        }
    }
    Ok((files, true))
}

/// Reads the script, unless it cannot be a command, or somebody else may have written it.
fn read(name: &str, path: &Path) -> Result<Script> {
    let ignored = |reason: &str| {
        let message = format!("`{}` is ignored: {reason}", path.display());
        Error::new(Code::ScriptIgnored, message)
    };
    if !is_name(name) {
        return Err(ignored("no command can be called so")
            .help("The name of a command has a-z, 0-9, `-` and `_`, such as `lock-stale.rhai`."));
    }
    if catalogue::is_manage_command(name) || name == RESERVED {
        return Err(ignored("masctl has a command of this name").help("Give the file another name."));
    }
    check_file(path, ("script", "scripts folder"), &check_rights)?;
    Script::read(path)
}

/// Reads a file of the person's own that is run without being named each time, unless somebody else may have written it.
/// `what` is what it is called.
///
/// # Errors
/// `script.untrusted`, `file.unreadable`, `script.syntax` for what is no text.
pub fn read_own(what: &str, path: &Path) -> Result<String> {
    check_file(path, (what, "folder"), &|what, path, metadata| {
        check_rights(what, path, metadata)?;
        check_owner(what, path, metadata)
    })?;
    script::read_text(path)
}

/// Checks the folders that a file is in, then the file itself, which must be a plain one. They are called by these names.
fn check_file(
    path: &Path,
    (what, folder_name): (&str, &str),
    check: &dyn Fn(&str, &Path, &Metadata) -> Result<()>,
) -> Result<()> {
    let unreadable = |cause: &dyn std::fmt::Display| {
        let message = format!("The {what} `{}` cannot be read: {cause}", path.display());
        Error::new(Code::FileUnreadable, message)
    };
    // A link is as safe as the folder that it leads to.
    let real = path.canonicalize().map_err(|cause| unreadable(&cause))?;
    let metadata = real.metadata().map_err(|cause| unreadable(&cause))?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "a folder" } else { "no plain file" };
        return Err(unreadable(&format!("it is {kind}")));
    }
    for folder in [path.parent(), real.parent()].into_iter().flatten() {
        let metadata = folder.metadata().map_err(|cause| unreadable(&cause))?;
        check(folder_name, folder, &metadata)?;
    }
    check(what, path, &metadata)
}

/// Refuses what belongs to neither this user nor root.
fn check_owner(what: &str, path: &Path, metadata: &Metadata) -> Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if [user, 0].contains(&metadata.uid()) {
        return Ok(());
    }
    let message = format!(
        "The {what} `{}` is not trusted: it belongs to another user",
        path.display()
    );
    Err(Error::new(Code::ScriptUntrusted, message))
}

/// Refuses what everybody can write to: who runs it may be root.
fn check_rights(what: &str, path: &Path, metadata: &Metadata) -> Result<()> {
    if metadata.permissions().mode() & 0o002 == 0 {
        return Ok(());
    }
    let path = path.display().to_string();
    let help = match shlex::try_quote(&path) {
        Ok(quoted) => format!("`chmod o-w {quoted}` takes that right away."),
        Err(_) => "Take that right away with chmod.".to_owned(),
    };
    let message = format!("The {what} `{path}` is not trusted: everybody can write to it");
    Err(Error::new(Code::ScriptUntrusted, message).help(help))
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::symlink};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    const SCRIPT: &str = "//! Do nothing\nfn main(args) {}\n";

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let made = tempfile::tempdir().unwrap();
        let folder = made.path().canonicalize().unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        (made, folder)
    }

    /// The names, each with why it is none.
    fn shown(found: &[Found], folder: &Path) -> Vec<String> {
        let folder = folder.display().to_string();
        let line = |found: &Found| match &found.script {
            Ok(script) => format!("{} {}", found.name, script.header.about),
            Err(error) => format!("{} {}", found.name, error.message()).replace(&folder, "…"),
        };
        found.iter().map(line).collect()
    }

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_wrong_with_one_is_said_of_it_alone() {
        let (_made, folder) = folder(&[
            ("b.rhai", SCRIPT),
            ("a.rhai", "//! A\n//! ---\n//! parms: {}\n"),
            ("lock-user.rhai", SCRIPT),
            ("help.rhai", SCRIPT),
            ("Lock.rhai", SCRIPT),
            ("a b.rhai", SCRIPT),
            ("binary.rhai", "\0"),
            ("b.test.rhai", SCRIPT),
            ("_module.rhai", SCRIPT),
            (".hidden.rhai", SCRIPT),
            ("note.txt", SCRIPT),
            ("open.rhai", SCRIPT),
        ]);
        fs::create_dir(folder.join("folder.rhai")).unwrap();
        symlink("nowhere", folder.join("dangling.rhai")).unwrap();
        symlink("b.rhai", folder.join("linked.rhai")).unwrap();
        mkfifo(&folder.join("pipe.rhai"), Mode::S_IRUSR).unwrap();
        allow(&folder.join("open.rhai"), 0o646);
        assert_eq!(
            shown(&find(std::slice::from_ref(&folder)), &folder),
            [
                "Lock `…/Lock.rhai` is ignored: no command can be called so",
                "a A header has no key `parms`",
                "a b `…/a b.rhai` is ignored: no command can be called so",
                "b Do nothing",
                "binary The script `…/binary.rhai` has a NUL character",
                "dangling The script `…/dangling.rhai` cannot be read: No such file or directory (os error 2)",
                "folder The script `…/folder.rhai` cannot be read: it is a folder",
                "help `…/help.rhai` is ignored: masctl has a command of this name",
                "linked Do nothing",
                "lock-user `…/lock-user.rhai` is ignored: masctl has a command of this name",
                "open The script `…/open.rhai` is not trusted: everybody can write to it",
                "pipe The script `…/pipe.rhai` cannot be read: it is no plain file",
            ]
        );
    }

    #[test]
    fn the_first_folder_wins_and_a_missing_one_is_named() {
        let (_one, one) = folder(&[("a.rhai", SCRIPT)]);
        let (_two, two) = folder(&[("a.rhai", "//! Other\n"), ("b.rhai", SCRIPT)]);
        let folders = [one.clone(), one.join("missing"), two.clone()];
        let found = find(&folders);
        let lines = shown(&found, &one);
        assert!(lines[0].starts_with("…/missing The scripts folder `…/missing` cannot be read: No such"));
        assert_eq!(lines[1], "a Do nothing");
        assert!(
            lines[2].ends_with("is ignored: `…/a.rhai` comes before it"),
            "{}",
            lines[2]
        );
        assert_eq!(lines[3], "b Do nothing");
        assert_eq!(named(&folders, "a").unwrap().path, one.join("a.rhai"));
        assert_eq!(named(&folders, "b").unwrap().path, two.join("b.rhai"));
        assert!(named(&folders, "c").is_none());
        assert!(named(&folders, "../a").is_none());
    }

    #[test]
    fn what_everybody_can_write_to_is_not_trusted() {
        let (_made, folder) = folder(&[("a.rhai", SCRIPT)]);
        let (_other, other) = self::folder(&[]);
        symlink(folder.join("a.rhai"), other.join("linked.rhai")).unwrap();
        allow(&folder, 0o777);
        let found = find(std::slice::from_ref(&folder));
        assert_eq!(
            shown(&found, &folder),
            ["… The scripts folder `…` is not trusted: everybody can write to it"]
        );
        let help = format!("`chmod o-w {}` takes that right away.", folder.display());
        assert_eq!(found[0].script.as_ref().unwrap_err().help_text(), Some(help.as_str()));
        for (folder, name) in [(&folder, "a"), (&other, "linked")] {
            let found = named(std::slice::from_ref(folder), name).unwrap();
            assert_eq!(found.script.unwrap_err().code(), Code::ScriptUntrusted, "{name}");
        }
    }
}
