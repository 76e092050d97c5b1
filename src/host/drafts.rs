//! New scripts of the operator's: from a template, or from one that ships. Nothing that is there is ever overwritten.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    catalogue,
    folders::{self, RESERVED},
};
use crate::error::{Code, Error, Result, nearest, shortened};

const TEMPLATE: &str = include_str!("../../scripts/template/command.rhai");
const TEST_TEMPLATE: &str = include_str!("../../scripts/template/command.test.rhai");

/// How many characters of a name are repeated that is none.
const LONGEST_SHOWN: usize = 64;

/// Files that are to be written: the script first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What the command will be called.
    pub name: String,
    /// Name and text of each file.
    pub files: Vec<(String, String)>,
}

impl Draft {
    /// A script from the template, with its test.
    ///
    /// # Errors
    /// `argument.invalid` for what cannot be a name, `script.exists` for the name of one that ships.
    pub fn from_template(name: &str) -> Result<Self> {
        check_name(name)?;
        let file = |extension: &str, text: &str| (format!("{name}.{extension}"), text.replace("NAME", name));
        Ok(Self {
            name: name.to_owned(),
            files: vec![file("rhai", TEMPLATE), file("test.rhai", TEST_TEMPLATE)],
        })
    }

    /// The shipped command `original` under the name `name`, which its examples have then too.
    ///
    /// # Errors
    /// `script.not_found` if none that ships is called so; `argument.missing` without a name; those of
    /// [`Self::from_template`].
    pub fn of_shipped(original: &str, name: Option<&str>) -> Result<Self> {
        if !catalogue::is_manage_command(original) {
            return Err(unknown(original));
        }
        let own = name.unwrap_or(original);
        if own == original {
            let message = format!("`{original}` ships with masctl and cannot be replaced: its copy needs another name");
            let help = format!("For example: masctl scripts eject {original} my-{original}");
            let code = if name.is_some() {
                Code::ScriptExists
            } else {
                Code::ArgumentMissing
            };
            return Err(Error::new(code, message).help(help));
        }
        check_name(own)?;
        let source = catalogue::source(original).unwrap_or_default();
        Ok(Self {
            name: own.to_owned(),
            files: vec![(format!("{own}.rhai"), renamed(source, original, own))],
        })
    }

    /// Where the files will be in a folder.
    #[must_use]
    pub fn paths(&self, folder: &Path) -> Vec<PathBuf> {
        self.files.iter().map(|(name, _)| folder.join(name)).collect()
    }

    /// Makes sure that the files could be written into a folder: none of them is there.
    ///
    /// # Errors
    /// `script.exists`, `file.unwritable`.
    pub fn check(&self, folder: &Path) -> Result<()> {
        for path in self.paths(folder) {
            match fs::symlink_metadata(&path) {
                Ok(_) => return Err(exists(&path)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unwritable(&path, &error)),
            }
        }
        Ok(())
    }

    /// Writes the files into a folder. If one of them cannot be written, none is left.
    ///
    /// # Errors
    /// Those of [`Self::check`].
    pub fn write(&self, folder: &Path) -> Result<()> {
        self.check(folder)?;
        let paths = self.paths(folder);
        for (at, (path, (_, text))) in paths.iter().zip(&self.files).enumerate() {
            if let Err(error) = write_new(path, text) {
                for written in &paths[..at] {
                    // It is what is told of the failure that matters.
                    let _ = fs::remove_file(written);
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Makes a folder for the scripts of one person, if it is not there.
///
/// # Errors
/// `file.unwritable`.
pub fn make_folder(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| unwritable(folder, &error))
}

/// Makes sure that a command of the operator's can be called so.
///
/// # Errors
/// `argument.invalid`, `script.exists`.
pub fn check_name(name: &str) -> Result<()> {
    if !folders::is_name(name) {
        let shown = shortened(name, LONGEST_SHOWN);
        let message = format!("`{shown}` cannot be the name of a command");
        return Err(Error::new(Code::ArgumentInvalid, message).help(
            "A name has a-z, 0-9, `-` and `_`, starts with a letter or digit, and is no longer than 64 characters. \
             The file is called as the command is, with `.rhai`.",
        ));
    }
    if name == RESERVED || catalogue::is_manage_command(name) {
        let message = match name {
            RESERVED => format!("`{name}` is a command of masctl itself"),
            _ => format!("`{name}` ships with masctl and cannot be replaced"),
        };
        return Err(
            Error::new(Code::ScriptExists, message).help(format!("Give yours a name of its own, such as `my-{name}`."))
        );
    }
    Ok(())
}

/// The error that no shipped command is called so.
fn unknown(name: &str) -> Error {
    let shown = shortened(name, LONGEST_SHOWN);
    let error = Error::new(Code::ScriptNotFound, format!("There is no shipped command `{shown}`"));
    let known: Vec<_> = catalogue::command_names().collect();
    error.help(match nearest(name, &known) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => "`masctl scripts list` lists them.".to_owned(),
    })
}

/// The text of a script with its examples under another name. Only those in its header are touched.
fn renamed(source: &str, from: &str, to: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut is_header = true;
    for line in source.split_inclusive('\n') {
        is_header &= line.starts_with("//!") || line.starts_with("#!");
        let call = format!("masctl manage {from}");
        match line.split_once(&call).filter(|_| is_header) {
            Some((before, after)) if after.starts_with([' ', '\n']) => {
                text.extend([before, "masctl manage ", to, after]);
            }
            _ => text.push_str(line),
        }
    }
    text
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, &error),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| {
        // A half of it would only be in the way.
        let _ = fs::remove_file(path);
        unwritable(path, &error)
    })
}

fn exists(path: &Path) -> Error {
    Error::new(
        Code::ScriptExists,
        format!("{} is there already: nothing was written", path.display()),
    )
    .help("Choose another name, or remove it first.")
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(
        Code::FileUnwritable,
        format!("{} cannot be written: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Script, header::Header};

    #[test]
    fn a_name_is_one_of_a_file_and_of_a_command() {
        for name in ["a", "lock-stale", "9_x", &"a".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "-a",
            "_a",
            "A",
            "a b",
            "a/b",
            "../a",
            "a.rhai",
            "é",
            "a\0",
            &"a".repeat(65),
        ] {
            assert_eq!(check_name(name).unwrap_err().code(), Code::ArgumentInvalid, "{name}");
        }
        for name in ["help", "lock-user"] {
            assert_eq!(check_name(name).unwrap_err().code(), Code::ScriptExists, "{name}");
        }
    }

    #[test]
    fn a_copy_of_each_shipped_command_differs_by_the_name_in_its_examples_alone() {
        for name in catalogue::command_names() {
            let own = format!("my-{name}");
            let draft = Draft::of_shipped(name, Some(&own)).unwrap();
            let [(file, text)] = &draft.files[..] else {
                panic!("{draft:?}")
            };
            assert_eq!(*file, format!("{own}.rhai"));
            let header = Header::parse(file, text).unwrap();
            let shipped = &catalogue::manage_scripts(|known| known == name).unwrap()[0];
            for (example, original) in header.examples.iter().zip(&shipped.header.examples) {
                assert!(example.contains(&format!("masctl manage {own}")), "{example}");
                assert_eq!(example.replace(&own, name), *original);
            }
            assert_eq!(text.replace(&own, name), &*shipped.source);
        }
    }

    #[test]
    fn the_template_is_a_script() {
        let draft = Draft::from_template("greet").unwrap();
        let (name, text) = &draft.files[0];
        let script = Script::new("greet", name, text).unwrap();
        assert_eq!(script.header.examples[0], "masctl manage greet alice");
        assert!(!text.contains("NAME") && !draft.files[1].1.contains("NAME"));
    }

    #[test]
    fn nothing_is_overwritten_and_no_half_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::from_template("greet").unwrap();
        let test = folder.path().join("greet.test.rhai");
        fs::write(&test, "mine").unwrap();
        assert_eq!(draft.write(folder.path()).unwrap_err().code(), Code::ScriptExists);
        assert!(!folder.path().join("greet.rhai").exists());
        assert_eq!(fs::read_to_string(&test).unwrap(), "mine");
        fs::remove_file(&test).unwrap();
        // A link that leads nowhere is there too.
        std::os::unix::fs::symlink("nowhere", &test).unwrap();
        assert_eq!(draft.write(folder.path()).unwrap_err().code(), Code::ScriptExists);
        fs::remove_file(&test).unwrap();
        draft.write(folder.path()).unwrap();
        assert_eq!(draft.check(folder.path()).unwrap_err().code(), Code::ScriptExists);
        let missing = folder.path().join("missing");
        assert_eq!(draft.write(&missing).unwrap_err().code(), Code::FileUnwritable);
    }
}
