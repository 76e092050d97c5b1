//! The file that a script is written into: for its owner alone, and never through a link.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::error::{Code, Error, Result};

/// Writes a new file, or, if `replaces`, also one in the place of a regular file that is there.
///
/// # Errors
/// `script.exists` if there is one, `file.unwritable`.
pub fn write(path: &Path, text: &str, replaces: bool) -> Result<()> {
    let shown = path.display();
    let unwritable = |cause: &dyn std::fmt::Display| {
        let message = format!("{shown} cannot be written: {cause}");
        Error::new(Code::FileUnwritable, message)
    };
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => return Err(unwritable(&"it is a symbolic link")),
        Ok(found) if found.is_dir() => return Err(unwritable(&"it is a folder")),
        Ok(found) if !found.is_file() => return Err(unwritable(&"it is no plain file")),
        Ok(_) if !replaces => {
            let message = format!("{shown} is there already: nothing was written");
            return Err(Error::new(Code::ScriptExists, message).help(format!("`\\save! {shown}` writes over it.")));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(&error)),
        _ => {}
    }
    if !replaces {
        return write_new(path, text).map_err(|error| unwritable(&error));
    }
    // Nobody ever reads half of it, and a link that takes its place meanwhile is replaced, not followed.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let fresh = path.with_file_name(name);
    let written = write_new(&fresh, text).and_then(|()| fs::rename(&fresh, path).inspect_err(|_| remove(&fresh)));
    written.map_err(|error| unwritable(&error))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    // A half of it would only be in the way.
    file.write_all(text.as_bytes()).inspect_err(|_| remove(path))
}

fn remove(path: &Path) {
    // It is what is told of the failure that matters.
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn nothing_is_overwritten_unless_it_is_said_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rhai");
        write(&path, "one", false).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let error = write(&path, "two", false).unwrap_err();
        assert_eq!(error.code(), Code::ScriptExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, "two", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        for (path, replaces) in [(&link, true), (&link, false), (&folder.path().to_owned(), true)] {
            assert_eq!(write(path, "three", replaces).unwrap_err().code(), Code::FileUnwritable);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        let missing = folder.path().join("no/a.rhai");
        for replaces in [true, false] {
            let error = write(&missing, "x", replaces).unwrap_err();
            assert!(
                error
                    .message()
                    .ends_with("cannot be written: No such file or directory (os error 2)")
            );
        }
        write(&folder.path().join("b.rhai"), "x", true).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
