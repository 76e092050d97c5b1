//! Names of files, where a text is a path.

use std::{fs, path::Path};

use super::{Candidate, MOST, fits, is_plain};
use crate::host::script::{is_of_tests, is_script};

/// How many names of a folder are looked at.
const LOOKED_AT: usize = 10_000;

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Any file.
    Files,
    /// A module that can be imported: its file without the extension.
    Modules,
}

/// The part of a path that is offered, by where it begins: what stands behind the last `/`.
pub(super) fn last_part(path: &str) -> usize {
    path.rfind('/').map_or(0, |slash| slash + 1)
}

/// Whether a text begins as a path does.
pub(super) fn is_path(text: &str) -> bool {
    ["/", "./", "../"].iter().any(|start| text.starts_with(start))
}

/// The names of the folder of a path that begin with its last part. Folders end in `/`.
pub(super) fn candidates(folder: &Path, path: &str, wanted: Wanted) -> Vec<Candidate> {
    let (parent, start) = path.split_at(last_part(path));
    let Ok(entries) = fs::read_dir(folder.join(parent)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.take(LOOKED_AT).flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| is_plain(name) && fits(name, start)) else {
            continue;
        };
        if name.starts_with('.') && !start.starts_with('.') {
            continue;
        }
        // A link counts as what it leads to.
        let Ok(metadata) = fs::metadata(entry.path()) else {
            continue;
        };
        let path = entry.path();
        let candidate = match wanted {
            _ if metadata.is_dir() => Candidate::new(format!("{name}/"), &format!("{name}/"), "A folder."),
            Wanted::Files if metadata.is_file() => Candidate::new(name.to_owned(), name, "A file."),
            Wanted::Modules if metadata.is_file() && is_script(&path) && !is_of_tests(&path) => {
                let module = name.strip_suffix(".rhai").unwrap_or(name);
                Candidate::new(module.to_owned(), name, "A module.")
            }
            _ => continue,
        };
        found.push(candidate);
        if found.len() == MOST {
            break;
        }
    }
    found
}
