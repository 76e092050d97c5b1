//! MAS's configuration as masctl reads it: files and environment, merged by MAS's own rules.
//!
//! - Files are those of `--config`, else those of `MAS_CONFIG` (separated by `:`), else `config.yaml`. A relative name
//!   is searched in the current directory and then in every parent. Unlike in MAS, a named file that does not exist is
//!   an error.
//! - The variables `MAS_…` come first, then the files in order; the later source wins. So a file overrides a variable,
//!   as in MAS. Mappings merge, lists are joined, anything else is replaced.
//! - A section is read when it is asked for: another one may be wrong. Keys that masctl does not know are ignored,
//!   except in its own section `masctl`.
//! - `DATABASE_URL` names the database if there is neither a file nor a variable `MAS_DATABASE_…`. MAS does not know
//!   it; the tools around PostgreSQL do.
//! - Without any of these the embedded store is used: [`Database::Embedded`].
//!
//! A value that is wrong is shown in its file. What is shown holds no secrets: they are cut out of the excerpt.

mod check;
mod clients;
mod database;
mod dump;
mod environment;
mod file;
mod inspection;
mod keys;
mod locate;
mod masctl;
mod matrix;
mod names;
mod passwords;
mod providers;
mod section;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod variables;
mod wrong;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use url::Url;

pub use self::{
    check::Finding,
    database::{Database, Pem, Postgres, SslMode},
    dump::Traced,
    environment::{Environment, load_dotenv},
    file::{Unread, read as read_file},
    inspection::NamedFile,
    masctl::{EditorKeys, Masctl},
    matrix::{Kind as HomeserverKind, Matrix},
    names::Unused,
    passwords::{Algorithm, Passwords, Scheme},
};
use self::{section::Section, tree::Tree};
use crate::error::{Code, Error, Result};

/// The server name where no homeserver is configured and none is needed.
const LOCAL_SERVER_NAME: &str = "localhost";

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "config.yaml";

/// The merged configuration.
pub struct Configuration {
    tree: Tree,
    files: Vec<PathBuf>,
    environment: Environment,
}

impl Configuration {
    /// Reads and merges the configuration. `files` are those of `--config`, if any.
    ///
    /// # Errors
    /// `config.missing` if a named file does not exist; `file.unreadable`; `config.invalid` if one is no YAML mapping
    /// in UTF-8 or is too large.
    pub fn load(files: &[PathBuf], environment: &Environment) -> Result<Self> {
        let files = named(files, environment)?;
        let mut tree = variables::read(environment);
        for path in &files {
            let mut later = source::read(path, environment)?;
            masctl::keep_denied(&mut later);
            tree.merge(later);
        }
        Ok(Self {
            tree,
            files,
            environment: environment.clone(),
        })
    }

    /// The environment that it was read in.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The database to use.
    ///
    /// # Errors
    /// `config.invalid`, `file.unreadable` for the password's file, `store.unusable` if there is no place for the
    /// embedded store.
    pub fn database(&self) -> Result<Database> {
        let mut database = Database::read(&self.top(), &self.environment, self.has_files())?;
        if let Database::Postgres(postgres) = &mut database {
            let own = self.masctl()?;
            postgres.lock_timeout = own.lock_timeout;
            postgres.statement_timeout = own.statement_timeout;
        }
        Ok(database)
    }

    /// Whether the section `matrix` says how to talk to the homeserver, and not only what the server is called.
    ///
    /// # Errors
    /// `config.invalid` if the section is none.
    pub fn has_homeserver_secret(&self) -> Result<bool> {
        let section = self.top().section("matrix")?;
        Ok(section.is_some_and(|section| matrix::has_secret(&section)))
    }

    /// The homeserver.
    ///
    /// # Errors
    /// `config.missing` if there is no section `matrix` or no secret in it; `config.invalid`; `file.unreadable` for
    /// the secret's file.
    pub fn matrix(&self) -> Result<Matrix> {
        Matrix::read(&self.top())
    }

    /// The server name: that of the section `matrix`, or `localhost` if there is none and the database is SQLite.
    ///
    /// # Errors
    /// `config.missing` if there is no section `matrix` and the database is PostgreSQL; `config.invalid`; those of
    /// [`Self::database`].
    pub fn server_name(&self) -> Result<String> {
        if let Some(section) = self.top().section("matrix")? {
            return matrix::homeserver(&section);
        }
        match self.database()? {
            Database::Embedded(_) | Database::Sqlite(_) => Ok(LOCAL_SERVER_NAME.to_owned()),
            Database::Postgres(_) => Err(matrix::absent()),
        }
    }

    /// How masctl talks to the homeserver, and where it is, without the secret. `None` if there is none: no section
    /// `matrix`, or one without a secret beside a SQLite store.
    ///
    /// # Errors
    /// `config.invalid`; those of [`Self::database`].
    pub fn homeserver_place(&self) -> Result<Option<(HomeserverKind, Url)>> {
        let Some(section) = self.top().section("matrix")? else {
            return Ok(None);
        };
        let stands_alone = !matrix::has_secret(&section) && !matches!(self.database()?, Database::Postgres(_));
        if stands_alone {
            Ok(None)
        } else {
            matrix::place(&section).map(Some)
        }
    }

    /// Whether passwords are used at all, and the least zxcvbn score of a new one. No file is read.
    ///
    /// # Errors
    /// `config.invalid`.
    pub fn password_rules(&self) -> Result<(bool, u8)> {
        passwords::rules(&self.top())
    }

    /// How passwords are hashed and how strong they must be.
    ///
    /// # Errors
    /// `config.invalid`, `config.missing` for an incomplete scheme, `file.unreadable` for a pepper's file.
    pub fn passwords(&self) -> Result<Passwords> {
        Passwords::read(&self.top())
    }

    /// The folder that a new script of this person's belongs in, whether or not it is there.
    ///
    /// # Errors
    /// `config.missing` if nothing names one, and those of [`Self::masctl`].
    pub fn new_scripts_folder(&self) -> Result<PathBuf> {
        masctl::new_scripts_folder(self.masctl()?, &self.environment)
    }

    /// masctl's own settings.
    ///
    /// # Errors
    /// `config.invalid`, also for a key that there is not.
    pub fn masctl(&self) -> Result<Masctl> {
        Masctl::read(&self.top())
    }

    /// The folders with the operator's own scripts. Of two scripts of one name, the one in the earlier folder counts.
    ///
    /// # Errors
    /// Those of [`Self::masctl`].
    pub fn script_folders(&self) -> Result<Vec<PathBuf>> {
        Ok(masctl::script_folders(self.masctl()?, &self.environment))
    }

    /// The merged configuration as JSON, with secrets masked as `<secret>`.
    #[must_use]
    pub fn dump(&self) -> serde_json::Value {
        dump::masked(&self.tree)
    }

    /// The merged configuration as [`Self::dump`] shows it, with the place that each value comes from.
    #[must_use]
    pub fn traced(&self) -> Traced {
        dump::traced(&self.tree)
    }

    fn has(&self, section: &str) -> bool {
        self.tree.get(section).is_some()
    }

    fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    fn top(&self) -> Section<'_> {
        Section::top(&self.tree, self.environment.directory(), None)
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// The paths of the configuration files to read.
fn named(files: &[PathBuf], environment: &Environment) -> Result<Vec<PathBuf>> {
    if !files.is_empty() {
        return files
            .iter()
            .map(|name| existing(name, "--config", environment))
            .collect();
    }
    let Some(list) = environment.get("MAS_CONFIG") else {
        return Ok(source::find(Path::new(DEFAULT_FILE), environment).into_iter().collect());
    };
    let names: Vec<_> = list.split(':').filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(Error::new(Code::ConfigMissing, "MAS_CONFIG is set, but names no file")
            .help("Set it to the path of a MAS configuration file, or unset it."));
    }
    names
        .into_iter()
        .map(|name| existing(Path::new(name), "MAS_CONFIG", environment))
        .collect()
}

fn existing(name: &Path, given_by: &str, environment: &Environment) -> Result<PathBuf> {
    let directory = environment.directory();
    source::find(name, environment).ok_or_else(|| {
        let shown = name.display().to_string();
        let (code, problem, help) = if directory.join(name).is_dir() {
            let help = "Name the configuration file in it, such as `config.yaml`.".to_owned();
            (Code::FileUnreadable, "is a folder", help)
        } else if name.is_absolute() {
            (Code::ConfigMissing, "does not exist", "Check the path.".to_owned())
        } else {
            let help = format!("It was searched in `{}` and the folders above.", directory.display());
            (Code::ConfigMissing, "does not exist", help)
        };
        Error::new(code, format!("The configuration file `{shown}` ({given_by}) {problem}"))
            .help(help)
            .data("file", shown)
    })
}
