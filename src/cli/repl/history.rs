//! The inputs of all sessions of a person, in a file that nobody else reads: `$XDG_STATE_HOME/masctl/history`.
//!
//! Each is a line of the file, with `\\` for a backslash and `\n` for a line end. Several sessions write it at once: each
//! takes a lock, and reads what the others wrote before it writes. So none loses anything, and none is there twice.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};

use super::highlight::is_hidden;
use crate::{config::Environment, host::repl::secrets::has_secret};

/// The most inputs that are kept.
pub(super) const MOST: usize = 10_000;

/// The most bytes of the file, and of an input that is kept.
const LARGEST: usize = 1024 * 1024;
const LONGEST: usize = 16 * 1024;

const FILE: &str = "history";
/// What the file is written as, before it takes the place of the one before.
const NEXT: &str = "history.new";

/// The file of the inputs, held by its folder.
#[derive(Debug)]
pub(super) struct History {
    folder: File,
}

/// What is in the file.
struct Kept {
    inputs: Vec<String>,
    /// How long it is: longer than its inputs where others wrote into it, or the writing was cut off.
    bytes: usize,
}

/// Whether an input is kept: not if it begins with a space, is long, or holds a secret.
pub(super) fn is_kept(input: &str) -> bool {
    is_plain(input) && !input.starts_with(char::is_whitespace) && !has_secret(input)
}

fn is_plain(input: &str) -> bool {
    !input.trim().is_empty() && input.len() <= LONGEST && !input.chars().any(is_hidden)
}

impl History {
    /// Opens the history and returns it with the inputs that it holds, the oldest first.
    ///
    /// # Errors
    /// Why none can be kept, in words that a person is told.
    pub(super) fn open(environment: &Environment) -> Result<(Self, Vec<String>), String> {
        let folder = environment.base_folder("XDG_STATE_HOME", ".local/state");
        let folder = folder
            .ok_or("neither HOME nor XDG_STATE_HOME names a folder")?
            .join("masctl");
        let told = |path: &Path, error: &io::Error| format!("`{}`: {error}", path.display());
        let history = Self::in_folder(&folder).map_err(|error| told(&folder, &error))?;
        let kept = history.locked(|| history.read());
        let Kept { inputs, .. } = kept.map_err(|error| told(&folder.join(FILE), &error))?;
        Ok((history, inputs))
    }

    fn in_folder(path: &PathBuf) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let folder = File::from(rustix::fs::open(
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?);
        is_ours(&folder)?;
        rustix::fs::fchmod(&folder, Mode::RWXU)?;
        Ok(Self { folder })
    }

    /// Keeps an input, which [`is_kept`] is true of, and returns all that are kept now.
    ///
    /// # Errors
    /// The file cannot be written, or is not this person's.
    pub(super) fn add(&self, input: &str) -> io::Result<Vec<String>> {
        self.locked(|| {
            let Kept { mut inputs, bytes } = self.read()?;
            let is_new = !inputs.iter().any(|known| known == input);
            let is_tidy = bytes == size(&inputs);
            inputs.retain(|known| known != input);
            inputs.push(input.to_owned());
            if is_new && is_tidy && inputs.len() <= MOST && size(&inputs) <= LARGEST {
                self.file(OFlags::RDWR | OFlags::APPEND)?
                    .write_all(format!("{}\n", escaped(input)).as_bytes())?;
            } else {
                bound(&mut inputs);
                self.write(&inputs)?;
            }
            Ok(inputs)
        })
    }

    /// Does something while no other session does. One that was stopped in the middle is not waited for long.
    fn locked<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut tries = 100;
        while let Err(error) = rustix::fs::flock(&self.folder, FlockOperation::NonBlockingLockExclusive) {
            tries -= 1;
            if error != rustix::io::Errno::WOULDBLOCK || tries == 0 {
                return Err(error.into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        let done = act();
        let _ = rustix::fs::flock(&self.folder, FlockOperation::Unlock);
        done
    }

    fn file(&self, flags: OFlags) -> io::Result<File> {
        // A pipe in its place is not waited for.
        let flags = flags | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.folder, FILE, flags, Mode::RUSR | Mode::WUSR)?);
        is_ours(&file)?;
        if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is no regular file"));
        }
        rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
        Ok(file)
    }

    fn read(&self) -> io::Result<Kept> {
        let mut bytes = Vec::new();
        let most = u64::try_from(LARGEST * 2).unwrap_or(u64::MAX);
        self.file(OFlags::RDWR)?.take(most).read_to_end(&mut bytes)?;
        let mut inputs: Vec<String> = Vec::new();
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| str::from_utf8(line).ok());
        // What steers a terminal was not written by a session.
        inputs.extend(lines.filter_map(unescaped).filter(|input| is_plain(input)));
        bound(&mut inputs);
        Ok(Kept {
            inputs,
            bytes: bytes.len(),
        })
    }

    fn write(&self, inputs: &[String]) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.folder, NEXT, AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::NOENT => return Err(error.into()),
            _ => {}
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.folder, NEXT, flags, Mode::RUSR | Mode::WUSR)?);
        let text: String = inputs.iter().map(|input| escaped(input) + "\n").collect();
        file.write_all(text.as_bytes())?;
        rustix::fs::renameat(&self.folder, NEXT, &self.folder, FILE)?;
        Ok(())
    }
}

fn is_ours(file: &File) -> io::Result<()> {
    if file.metadata()?.uid() == rustix::process::geteuid().as_raw() {
        Ok(())
    } else {
        Err(io::Error::new(
            ErrorKind::PermissionDenied,
            "it belongs to somebody else",
        ))
    }
}

/// Leaves the last of those that are the same, and of the rest the newest. Some room is left, so that the file is not
/// written anew for each.
fn bound(inputs: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<bool> = inputs.iter().rev().map(|input| seen.insert(input.as_str())).collect();
    let (mut count, mut bytes) = (0, 0);
    let is_full = size(inputs) > LARGEST || inputs.len() > MOST;
    let (most, largest) = if is_full {
        (MOST / 10 * 9, LARGEST / 10 * 9)
    } else {
        (MOST, LARGEST)
    };
    for (keep, input) in kept.iter_mut().zip(inputs.iter().rev()) {
        if *keep {
            (count, bytes) = (count + 1, bytes + escaped(input).len() + 1);
            *keep = count <= most && bytes <= largest;
        }
    }
    kept.reverse();
    let mut kept = kept.into_iter();
    inputs.retain(|_| kept.next().unwrap_or_default());
}

/// The bytes that inputs take in the file.
fn size(inputs: &[String]) -> usize {
    inputs.iter().map(|input| escaped(input).len() + 1).sum()
}

fn escaped(input: &str) -> String {
    input.replace('\\', "\\\\").replace('\n', "\\n")
}

/// The input of a line; none for a line that no session wrote.
fn unescaped(line: &str) -> Option<String> {
    let mut input = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        input.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(input)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use tempfile::TempDir;

    use super::*;

    fn home() -> (TempDir, Environment, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::new([("HOME", home.path().to_str().unwrap())], "/");
        let folder = home.path().join(".local/state/masctl");
        (home, environment, folder)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn inputs_come_back_whole_in_a_file_for_this_person_alone() {
        let (_home, environment, folder) = home();
        let (history, inputs) = History::open(&environment).unwrap();
        assert!(inputs.is_empty());
        for input in ["fn f() {\n  \"a\\n\"\n}", "\\d users", "é"] {
            history.add(input).unwrap();
        }
        let (_, inputs) = History::open(&environment).unwrap();
        assert_eq!(inputs, ["fn f() {\n  \"a\\n\"\n}", "\\d users", "é"]);
        assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
    }

    #[test]
    fn a_mode_that_lets_others_in_is_mended() {
        let (_home, environment, folder) = home();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(FILE), "let a = 1").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o644)).unwrap();
        let (history, inputs) = History::open(&environment).unwrap();
        assert_eq!(inputs, ["let a = 1"]);
        assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
        assert_eq!(history.add("2").unwrap(), ["let a = 1", "2"]);
        assert_eq!(fs::read_to_string(folder.join(FILE)).unwrap(), "let a = 1\n2\n");
    }

    #[test]
    fn the_same_is_there_once_and_sessions_keep_what_others_wrote() {
        let (_home, environment, folder) = home();
        let (one, _) = History::open(&environment).unwrap();
        let (other, _) = History::open(&environment).unwrap();
        one.add("a").unwrap();
        other.add("b").unwrap();
        one.add("c").unwrap();
        assert_eq!(other.add("a").unwrap(), ["b", "c", "a"]);
        one.add("d").unwrap();
        assert_eq!(fs::read_to_string(folder.join(FILE)).unwrap(), "b\nc\na\nd\n");
        assert_eq!(mode(&folder.join(FILE)), 0o600);
        assert!(!folder.join(NEXT).exists());
    }

    #[test]
    fn many_sessions_at_once_lose_nothing() {
        let (_home, environment, _) = home();
        thread::scope(|scope| {
            for session in 0..4 {
                let environment = &environment;
                scope.spawn(move || {
                    let (history, _) = History::open(environment).unwrap();
                    for input in 0..25 {
                        history.add(&format!("{session} {input}")).unwrap();
                    }
                });
            }
        });
        assert_eq!(History::open(&environment).unwrap().1.len(), 100);
    }

    #[test]
    fn a_link_or_what_is_no_file_is_not_followed() {
        let (home, environment, folder) = home();
        let other = home.path().join("other");
        fs::write(&other, "kept\n").unwrap();
        fs::create_dir_all(&folder).unwrap();
        symlink(&other, folder.join(FILE)).unwrap();
        let problem = History::open(&environment).unwrap_err();
        assert!(problem.contains("masctl/history`: "), "{problem}");
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept\n");
        fs::remove_file(folder.join(FILE)).unwrap();
        fs::create_dir(folder.join(FILE)).unwrap();
        History::open(&environment).unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
        symlink(home.path(), &folder).unwrap();
        History::open(&environment).unwrap_err();
        let nowhere = Environment::new([("A", "b")], "/");
        let problem = History::open(&nowhere).unwrap_err();
        assert_eq!(problem, "neither HOME nor XDG_STATE_HOME names a folder");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (_home, environment, folder) = home();
        let (history, _) = History::open(&environment).unwrap();
        let lines: Vec<String> = (0..=MOST).map(|number| format!("{number}\n")).collect();
        fs::write(folder.join(FILE), lines.concat()).unwrap();
        let inputs = history.add("last").unwrap();
        assert_eq!(
            (inputs.len(), inputs.last().unwrap().as_str()),
            (MOST / 10 * 9 + 1, "last")
        );
        let long = "x".repeat(LONGEST - 10);
        for number in 0..80 {
            history.add(&format!("{long}{number}")).unwrap();
        }
        assert!(fs::metadata(folder.join(FILE)).unwrap().len() <= LARGEST as u64);
    }

    #[test]
    fn what_is_not_kept() {
        for input in [
            "",
            " ",
            " let a = 1",
            "\n",
            "let password = \"hunter2\"",
            "a\x1b[2J",
            &"x".repeat(LONGEST + 1),
        ] {
            assert!(!is_kept(input), "{input}");
        }
        assert!(is_kept("users::get(\"alice\")\n  .lock()"));
        assert_eq!(unescaped("a\\x"), None);
        assert_eq!(unescaped("a\\"), None);
    }
}
