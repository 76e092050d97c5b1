//! The section `masctl`: masctl's own settings, in the same file as MAS's, which passes over them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    environment::Environment,
    section::Section,
    tree::{Origin, Tree},
    wrong,
};
use crate::{
    capability::Capability,
    error::{Code, Error, Result, nearest, words},
};

/// The keys that there are.
const KEYS: [&str; 5] = ["lock_timeout", "statement_timeout", "scripts", "deny", "editor"];

/// The scripts folder of all users of the machine.
const COMMON_SCRIPTS: &str = "/etc/masctl/scripts";

words! {
    /// The keys with which an input is edited at the prompt of `masctl repl`.
    EditorKeys:
    /// Those of Emacs, as most shells have them.
    Emacs = "emacs",
    /// Those of vi.
    Vi = "vi",
}

/// masctl's own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masctl {
    /// How long masctl waits for a lock in the database before it gives up: from a second to an hour.
    pub lock_timeout: Duration,
    /// How long one statement may take before the database ends it: from a second to a day.
    pub statement_timeout: Duration,
    /// The scripts folders, if they are named. One whose path begins with `~/` is in the home.
    pub scripts: Option<Vec<PathBuf>>,
    /// What no script may do, also none that ships.
    pub deny: Vec<Capability>,
    /// The keys at the prompt of `masctl repl`.
    pub editor: EditorKeys,
}

impl Default for Masctl {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_mins(1),
            scripts: None,
            deny: Vec::new(),
            editor: EditorKeys::Emacs,
        }
    }
}

impl Masctl {
    /// Reads the section from the whole configuration.
    pub(super) fn read(top: &Section<'_>) -> Result<Self> {
        let Some(section) = top.section("masctl")? else {
            return Ok(Self::default());
        };
        let unknown = section.keys().filter(|key| !KEYS.contains(key));
        let known = section.every(unknown.map(|key| Err::<(), _>(refused(&section, key))));
        let lock_timeout = seconds(&section, KEYS[0], 60 * 60);
        let statement_timeout = seconds(&section, KEYS[1], 24 * 60 * 60);
        let scripts = folders(&section, KEYS[2]);
        let deny = capabilities(&section, KEYS[3]);
        let choices: Vec<_> = EditorKeys::ALL.iter().map(|keys| (keys.as_str(), *keys)).collect();
        let editor = section.choice(KEYS[4], &choices);
        known?;
        let default = Self::default();
        Ok(Self {
            lock_timeout: lock_timeout?.unwrap_or(default.lock_timeout),
            statement_timeout: statement_timeout?.unwrap_or(default.statement_timeout),
            scripts: scripts?,
            deny: deny?,
            editor: editor?.unwrap_or(default.editor),
        })
    }
}

/// Takes an empty `masctl` or `masctl.deny` out of a later file: it would replace what earlier ones deny, which only adds
/// up. What else is no list there is refused.
pub(super) fn keep_denied(later: &mut Tree) {
    later.remove_empty("masctl");
    if let Some(section) = later.get_mut("masctl") {
        section.remove_empty("deny");
    }
}

/// The scripts folders, those that come first win: the named ones, else those of the person and of the machine that are
/// there.
pub(super) fn script_folders(own: Masctl, environment: &Environment) -> Vec<PathBuf> {
    if let Some(named) = own.scripts {
        return named.into_iter().map(|path| at_home(path, environment)).collect();
    }
    let folders = personal_folder(environment).into_iter();
    let folders = folders.chain([PathBuf::from(COMMON_SCRIPTS)]);
    folders.filter(|folder| folder.is_dir()).collect()
}

/// The folder that a new script of this person's belongs in, whether or not it is there: the first.
pub(super) fn new_scripts_folder(own: Masctl, environment: &Environment) -> Result<PathBuf> {
    let (folder, problem) = match own.scripts {
        Some(named) => {
            let first = named.into_iter().next();
            (
                first.map(|path| at_home(path, environment)),
                "`masctl.scripts` names none",
            )
        }
        None => (
            personal_folder(environment),
            "neither HOME nor XDG_CONFIG_HOME names a folder",
        ),
    };
    folder.ok_or_else(|| {
        let message = format!("There is no scripts folder: {problem}");
        Error::new(Code::ConfigMissing, message).help("Name one with `--folder`.")
    })
}

/// Where the person's own scripts are if the configuration does not say.
fn personal_folder(environment: &Environment) -> Option<PathBuf> {
    let settings = environment.base_folder("XDG_CONFIG_HOME", ".config")?;
    Some(settings.join("masctl/scripts"))
}

fn at_home(path: PathBuf, environment: &Environment) -> PathBuf {
    match (environment.home(), path.strip_prefix("~")) {
        (Some(home), Ok(rest)) => home.join(rest),
        _ => path,
    }
}

/// Paths of folders. A relative one starts from the folder of the file that it is written in.
fn folders(section: &Section<'_>, key: &str) -> Result<Option<Vec<PathBuf>>> {
    if !section.has(key) {
        return Ok(None);
    }
    let texts = section.texts(key)?.into_iter();
    let folders = texts.map(|(path, text, origin)| {
        if text.is_empty() {
            return Err(section.invalid_at(&path, origin, "is empty", "Give the path of a folder."));
        }
        let is_at_home = text == "~" || text.starts_with("~/");
        Ok(if is_at_home {
            Path::new(text).to_owned()
        } else {
            section.folder_of(origin).join(text)
        })
    });
    section.every(folders).map(Some)
}

fn seconds(section: &Section<'_>, key: &str, most: u64) -> Result<Option<Duration>> {
    let seconds: Option<u64> = section.number_of(key, "a number of whole seconds", 1..=most)?;
    Ok(seconds.map(Duration::from_secs))
}

/// The capabilities in a list.
fn capabilities(section: &Section<'_>, key: &str) -> Result<Vec<Capability>> {
    section.every(section.texts(key)?.into_iter().map(|(path, text, origin)| {
        text.parse().map_err(|error: Error| {
            let help = if text.starts_with("files:read:") {
                "Files are denied together: write `files:read`."
            } else {
                error.help_text().unwrap_or_default()
            };
            let problem = format!("is `{}`, which is no capability", wrong::shown(text));
            section.invalid_at(&path, origin, &problem, help)
        })
    }))
}

/// The error that there is no such key. Unlike in MAS's sections, a slip of the pen is not passed over.
fn refused(section: &Section<'_>, key: &str) -> Error {
    let allowed = wrong::listed(KEYS);
    let help = match (nearest(key, &KEYS), section.origin_of(key)) {
        (_, Origin::Variable(_)) => {
            format!(
                "The settings are {allowed}. No variable reaches one with `_`, as each `_` in its name begins a new key."
            )
        }
        (Some(meant), _) => format!("Did you mean `{}`?", section.path_of(meant)),
        (None, _) => format!("The settings are {allowed}."),
    };
    let path = section.path_of(&wrong::shown(key));
    section.invalid_at(&path, section.origin_of(key), "is no setting of masctl", &help)
}
