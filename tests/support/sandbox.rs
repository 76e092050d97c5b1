//! An empty home and a clean environment, so that nothing of the machine reaches the binary.

use std::{
    env,
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A fresh folder that is the home and the working folder of what runs in it.
pub(crate) struct Sandbox {
    path: PathBuf,
    _folder: TempDir,
}

impl Sandbox {
    /// Makes the folder; it is removed with the sandbox.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("masctl-test-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary folder");
        // Messages show resolved paths, and a temporary folder may be a link.
        let path = folder.path().canonicalize().expect("the folder is there");
        Self { path, _folder: folder }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file `name` in the folder, or in one below it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path.join(name);
        let made = path.parent().map(fs::create_dir_all);
        assert!(made.is_none_or(|made| made.is_ok()), "{name}");
        fs::write(path, text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Makes the package's folder of scripts one of this folder.
    pub(crate) fn lay_out_gallery(&self) {
        let scripts = self.path.join("scripts");
        if !scripts.exists() {
            let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
            std::os::unix::fs::symlink(package, scripts).expect("nothing else is called so");
        }
    }

    /// The folder of `XDG_DATA_HOME`.
    pub(crate) fn data_home(&self) -> PathBuf {
        self.path.join(".local/share")
    }

    /// A command that sees nothing but the sandbox and PATH.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.path)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.path)
            .env("XDG_DATA_HOME", self.data_home())
            .env("XDG_CONFIG_HOME", self.path.join(".config"))
            .env("XDG_STATE_HOME", self.path.join(".local/state"))
            .env("XDG_CACHE_HOME", self.path.join(".cache"))
            .env("TERM", "dumb")
            .env("LANG", "C.UTF-8");
        command
    }

    /// masctl in the fixed world `number`: its clock starts `number` minutes after 2020-01-01T00:00:00Z.
    pub(crate) fn masctl(&self, number: usize) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_masctl"));
        command.env("MASCTL_FIXED_WORLD", number.to_string());
        command
    }
}
