//! Where tests are.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::{Code, Error, Result},
    host::{
        program,
        script::{Script, is_of_tests, is_script},
    },
};

/// How many files and folders are looked at below one folder.
const MOST: usize = 100_000;

/// A file that may have tests.
#[derive(Debug)]
pub struct File {
    /// What its tests are called after: its path.
    pub label: String,
    /// The script, or why it is none.
    pub script: std::result::Result<Script, Error>,
    /// The names of its tests, in the order of its text.
    pub tests: Vec<String>,
}

/// Finds the files with tests, and those that are no scripts. A folder is looked through with those below it, but for
/// hidden ones; a file comes with the `NAME.test.rhai` beside it. `wanted` chooses the tests by their names.
///
/// # Errors
/// `script.not_found` for what is not there; `file.unreadable` for a folder.
pub fn find(paths: &[PathBuf], wanted: &dyn Fn(&str) -> bool) -> Result<Vec<File>> {
    let mut files = BTreeSet::new();
    for path in paths {
        if path.is_dir() {
            files.extend(below(path)?);
        } else if path.is_file() {
            files.extend(with_tests_beside(path));
        } else {
            let message = format!("There is no file or folder `{}`", path.display());
            return Err(
                Error::new(Code::ScriptNotFound, message).help("Name a script, or a folder with scripts in it.")
            );
        }
    }
    let files = files.into_iter().map(|path| read(&path, wanted));
    Ok(files
        .filter(|file| file.script.is_err() || !file.tests.is_empty())
        .collect())
}

fn read(path: &Path, wanted: &dyn Fn(&str) -> bool) -> File {
    let found = Script::read(path).and_then(|script| Ok((program::tests_of(&script)?, script)));
    let label = path.display().to_string();
    match found {
        Ok((tests, script)) => File {
            label,
            script: Ok(script),
            tests: tests.into_iter().filter(|name| wanted(name)).collect(),
        },
        Err(error) => File {
            label,
            script: Err(error),
            tests: Vec::new(),
        },
    }
}

fn with_tests_beside(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_owned()];
    if is_script(path) && !is_of_tests(path) {
        files.extend(Some(path.with_extension("test.rhai")).filter(|beside| beside.is_file()));
    }
    files
}

/// The scripts in a folder and below it. Links to folders are not followed: they may lead in a circle.
fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut folders, mut files, mut seen) = (vec![folder.to_owned()], Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        let unreadable = |cause: std::io::Error| {
            let message = format!("The folder `{}` cannot be read: {cause}", folder.display());
            Error::new(Code::FileUnreadable, message)
        };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            seen += 1;
            if seen > MOST {
                let message = format!("More than {MOST} files are in this folder and below it");
                return Err(Error::new(Code::FileUnreadable, message).help("Name the folder that the scripts are in."));
            }
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            // `./a` is written `a`.
            let path = if folder == Path::new(".") {
                PathBuf::from(name)
            } else {
                folder.join(name)
            };
            match entry.file_type().map_err(unreadable)? {
                kind if kind.is_dir() => folders.push(path),
                _ if is_script(&path) && path.is_file() => files.push(path),
                _ => {}
            }
        }
    }
    Ok(files)
}
