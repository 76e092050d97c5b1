//! What surrounds the program: its variables and its current directory, as one value, so that nothing below asks the
//! operating system and tests need no shared state.

use std::{
    collections::BTreeMap,
    env, fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// The most bytes of a `.env` file.
const DOTENV_LIMIT: u64 = 1024 * 1024;

/// A snapshot of the environment variables and of the current directory.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    directory: PathBuf,
}

impl Environment {
    /// An environment of these variables, as if started in `directory`, which is absolute.
    pub fn new<N, V>(variables: impl IntoIterator<Item = (N, V)>, directory: impl Into<PathBuf>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            directory: directory.into(),
        }
    }

    /// The environment of the process. Call [`load_dotenv`] before, so that `.env` is part of it.
    ///
    /// # Errors
    /// `config.invalid` if a variable that matters is not UTF-8; `file.unreadable` if there is no current directory.
    pub fn current() -> Result<Self> {
        let directory = env::current_dir().map_err(|error| {
            Error::new(
                Code::FileUnreadable,
                format!("The current directory cannot be read: {error}"),
            )
            .help("Start masctl in a directory that exists.")
        })?;
        let mut variables = BTreeMap::new();
        for (name, value) in env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(variables.insert(name, value)),
                // Leaving it out could silently choose another database.
                Err(_) if name.starts_with("MAS_") || names_database(&name) => {
                    return Err(
                        Error::new(Code::ConfigInvalid, format!("The variable {name} is not UTF-8"))
                            .help(format!("Set {name} to text in UTF-8, or unset it.")),
                    );
                }
                Err(_) => {}
            }
        }
        Ok(Self { variables, directory })
    }

    /// The value of a variable, also an empty one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The value of a variable that is not empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All variables, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The current directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The home directory, if `HOME` names one by an absolute path.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.get("HOME").map(Path::new).filter(|path| path.is_absolute())
    }

    /// A folder of the XDG Base Directory Specification: what the variable names, else this one at home. A relative path
    /// in the variable counts as none, as the specification says.
    #[must_use]
    pub fn base_folder(&self, variable: &str, at_home: &str) -> Option<PathBuf> {
        let named = self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| Some(self.home()?.join(at_home)))
    }

    /// Whether a variable says that another database than the embedded store is meant. An empty one counts: it is
    /// more likely a template that was not filled in than a wish for the embedded store.
    #[must_use]
    pub fn names_database(&self) -> bool {
        self.variables.keys().any(|name| names_database(name))
    }
}

/// Whether this variable, by its name, has a say in which database is used.
fn names_database(name: &str) -> bool {
    let driver = name
        .strip_prefix("PG")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase()));
    driver
        || matches!(name, "MAS_CONFIG" | "MAS_DATABASE" | "MAS_MATRIX" | "DATABASE_URL")
        || name.starts_with("MAS_DATABASE_")
        || name.starts_with("MAS_MATRIX_")
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("directory", &self.directory)
            .finish()
    }
}

/// Loads the first `.env` of the current directory or a parent into the process, without replacing what is set
/// there, and returns its path. Call it first of all, while the process has one thread: the PostgreSQL driver reads
/// its `PG*` variables from the process.
///
/// # Errors
/// `config.invalid` if a line of it cannot be understood: then nothing is loaded. `file.unreadable` if it cannot be
/// read.
pub fn load_dotenv() -> Result<Option<PathBuf>> {
    let Ok(directory) = env::current_dir() else {
        return Ok(None);
    };
    let Some(path) = find_dotenv(&directory) else {
        return Ok(None);
    };
    let bytes = read_dotenv(&path)?;
    parse_dotenv(&path, &bytes)?;
    dotenvy::from_read(&**bytes).map_err(|error| dotenv_error(&path, "", &error))?;
    Ok(Some(path))
}

fn find_dotenv(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .map(|parent| parent.join(".env"))
        .find(|path| path.is_file())
}

fn read_dotenv(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(DOTENV_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            let message = format!("`{}` cannot be read: {error}", path.display());
            Error::new(Code::FileUnreadable, message).help("Make it readable for this user, or move it away.")
        })?;
    if bytes.len() as u64 > DOTENV_LIMIT {
        let message = format!("`{}` is larger than 1 MiB", path.display());
        return Err(Error::new(Code::ConfigInvalid, message).help("A `.env` file holds lines of the form NAME=value."));
    }
    Ok(bytes)
}

/// Understands a whole `.env`, so that a broken one is refused before any of it counts.
fn parse_dotenv(path: &Path, bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let text = String::from_utf8_lossy(bytes);
    let mut variables = Vec::new();
    // dotenvy passes over a byte order mark when it loads, but not when it iterates.
    for item in dotenvy::from_read_iter(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)) {
        let (name, value) = item.map_err(|error| dotenv_error(path, &text, &error))?;
        // The operating system's environment cannot hold it, and setting it would panic.
        if value.contains('\0') {
            let message = format!("`{}`: the value of {name} contains a NUL character", path.display());
            return Err(Error::new(Code::ConfigInvalid, message).help("Remove it."));
        }
        variables.push((name, value));
    }
    Ok(variables)
}

/// Says where a `.env` is broken, and never what is there: the line may hold a secret.
fn dotenv_error(path: &Path, text: &str, error: &dotenvy::Error) -> Error {
    let place = match error {
        dotenvy::Error::LineParse(broken, _) => broken
            .lines()
            .find(|line| !line.trim().is_empty())
            .and_then(|first| text.lines().position(|line| line.contains(first.trim())))
            .map_or_else(String::new, |index| format!(", line {}", index + 1)),
        _ => String::new(),
    };
    Error::new(
        Code::ConfigInvalid,
        format!(
            "`{}`{place} is not of the form NAME=value with balanced quotes, in UTF-8",
            path.display()
        ),
    )
    .help("Values with spaces or special characters go in single quotes; a comment begins with `#`.")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn parsed(path: &Path) -> Result<Vec<(String, String)>> {
        parse_dotenv(path, &read_dotenv(path)?)
    }

    #[test]
    fn the_variables_that_rule_out_the_embedded_store() {
        for name in [
            "MAS_CONFIG",
            "DATABASE_URL",
            "MAS_DATABASE_URI",
            "MAS_MATRIX_SECRET",
            "PGHOST",
            "PGDATA",
        ] {
            assert!(Environment::new([(name, "")], "/").names_database(), "{name}");
        }
        for name in [
            "MAS_PASSWORDS_ENABLED",
            "PG",
            "PG_COLOR",
            "PGhost",
            "XPGHOST",
            "MASCTL_X",
        ] {
            assert!(!Environment::new([(name, "x")], "/").names_database(), "{name}");
        }
    }

    #[test]
    fn debugging_shows_no_values() {
        let environment = Environment::new([("PGPASSWORD", "hunter2")], "/");
        assert_eq!(
            format!("{environment:?}"),
            r#"Environment { variables: ["PGPASSWORD"], directory: "/" }"#
        );
    }

    #[test]
    fn a_dotenv_is_found_in_a_parent() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "\u{feff}# comment\nMASCTL_A='x y'\nexport MASCTL_B=\"z\"\n").unwrap();
        assert_eq!(find_dotenv(&inner), Some(path.clone()));
        let expected =
            [("MASCTL_A", "x y"), ("MASCTL_B", "z")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parsed(&path).unwrap(), expected);
    }

    #[test]
    fn a_broken_dotenv_is_named_without_its_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        for text in ["A=1\nPGPASSWORD='hunter2\n", "A=1\nhunter2 hunter3\n"] {
            fs::write(&path, text).unwrap();
            let error = parsed(&path).unwrap_err();
            assert_eq!(error.code(), Code::ConfigInvalid);
            let start = format!("`{}`, line 2 is not", path.display());
            assert!(error.message().starts_with(&start), "{error}");
            assert!(!error.message().contains("hunter"), "{error}");
        }
        fs::write(&path, b"A=\xff\n").unwrap();
        assert_eq!(parsed(&path).unwrap_err().code(), Code::ConfigInvalid);
        fs::write(&path, b"A=x\0y\n").unwrap();
        assert_eq!(parsed(&path).unwrap_err().code(), Code::ConfigInvalid);
        assert_eq!(
            parsed(&folder.path().join("none")).unwrap_err().code(),
            Code::FileUnreadable
        );
    }
}
