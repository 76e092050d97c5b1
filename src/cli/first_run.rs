//! What a script may do is said to the person at the terminal before its first run.
//!
//! Which scripts were run is kept as the SHA-256 of their texts: one that was changed is new. It is of no importance
//! whether that can be kept: then the same is said again.

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::terminal::{Terminal, one_line};
use crate::{
    config::Environment,
    console::Console,
    error::listed,
    host::{Origin, Script, capabilities},
};

/// How many scripts are remembered.
const MOST: usize = 1000;

/// The digits of a SHA-256 with the end of the line.
const LINE: usize = 65;

/// Says what a script may do, if somebody looks and it was not run before. What ships is trusted as masctl is.
pub(super) fn tell(script: &Script, environment: &Environment, terminal: &Terminal) {
    // An expression is of whoever runs it, who has said what it needs.
    if matches!(script.origin, Origin::Shipped | Origin::Expression) || !terminal.is_watched() {
        return;
    }
    let file = state_file(environment);
    let known = file.as_deref().map(read).unwrap_or_default();
    let digest = digest(&script.source);
    if known.contains(&digest) {
        return;
    }
    terminal.say(&one_line(&sentence(script)));
    if let Some(file) = file
        && let Err(error) = write(&file, &known, &digest)
    {
        tracing::debug!(file = %file.display(), %error, "the script is not remembered");
    }
}

fn sentence(script: &Script) -> String {
    let may = capabilities::in_words(&script.header);
    let variables = match &capabilities::variables(&script.header)[..] {
        [] => String::new(),
        [one] => format!(" It takes the environment variable {one}."),
        several => format!(" It takes the environment variables {}.", listed(several)),
    };
    format!("First run of {}: it may {may}.{variables}", script.label)
}

fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().fold(String::new(), |mut digest, byte| {
        // Writing to a text cannot fail.
        let _ = write!(digest, "{byte:02x}");
        digest
    })
}

/// `$XDG_STATE_HOME/masctl/known-scripts`.
fn state_file(environment: &Environment) -> Option<PathBuf> {
    let state = environment.base_folder("XDG_STATE_HOME", ".local/state")?;
    Some(state.join("masctl/known-scripts"))
}

/// The scripts that were run, the latest last. What is no such line is passed over.
fn read(file: &Path) -> Vec<String> {
    let mut text = String::new();
    let most = (MOST * LINE) as u64;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file
        || File::open(file)
            .and_then(|file| file.take(most).read_to_string(&mut text))
            .is_err()
    {
        return Vec::new();
    }
    let is_digest = |line: &&str| line.len() + 1 == LINE && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.lines().filter(is_digest).map(str::to_owned).collect()
}

/// Puts a new file in the place of the old one, so that nobody ever reads half of it.
fn write(file: &Path, known: &[String], digest: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let forgotten = (known.len() + 1).saturating_sub(MOST);
    let lines = known[forgotten..].iter().map(String::as_str).chain([digest]);
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let fresh = folder.join(format!("known-scripts.{}", std::process::id()));
    let written = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&fresh, file));
    if written.is_err() {
        // What is left of it would be in the way of the next.
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn scripts_are_remembered_for_their_owner_alone_and_not_without_end() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::new([("HOME", home.path().display().to_string())], home.path());
        let file = state_file(&environment).unwrap();
        assert_eq!(file, home.path().join(".local/state/masctl/known-scripts"));
        assert!(read(&file).is_empty());
        for number in 0..MOST + 2 {
            write(&file, &read(&file), &digest(&number.to_string())).unwrap();
        }
        let known = read(&file);
        assert_eq!(known.len(), MOST);
        assert_eq!(known[MOST - 1], digest(&(MOST + 1).to_string()));
        assert!(!known.contains(&digest("1")) && known.contains(&digest("2")));
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_digest_is_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("known-scripts");
        fs::write(&file, format!("x\n{}\n{}\n", "g".repeat(64), digest("a"))).unwrap();
        assert_eq!(read(&file), [digest("a")]);
        fs::write(&file, b"\xff").unwrap();
        assert!(read(&file).is_empty());
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(read(&file).is_empty() && write(&file, &[], &digest("a")).is_err());
        let relative = Environment::new([("XDG_STATE_HOME", "state"), ("HOME", "home")], home.path());
        assert_eq!(state_file(&relative), None);
    }

    #[test]
    fn the_sentence_names_variables() {
        let source =
            "//! About\n//! ---\n//! params:\n//!   a: { type: string, env: A }\n//!   b: { type: string, env: B }\n";
        let script = Script::new("x", "x.rhai", source).unwrap();
        assert_eq!(
            sentence(&script),
            "First run of x.rhai: it may look at all of MAS's data. It takes the environment variables A and B."
        );
    }
}
