//! Places in the header of a script.

use crate::{error::Excerpt, host::script::Script};

/// The place of a word in the YAML of the header, or the start of the script.
pub(super) fn place(script: &Script, word: &str) -> Excerpt {
    let text = &*script.source;
    let mut start = 0;
    let mut in_yaml = false;
    let mut span = 0..0;
    for line in text.split_inclusive('\n') {
        let Some(rest) = line.strip_prefix("//!") else {
            if start == 0 && line.starts_with("#!") {
                start += line.len();
                continue;
            }
            break;
        };
        if rest.trim() == "---" {
            in_yaml = true;
        } else if let Some(at) = word_in(rest, word).filter(|_| in_yaml) {
            let from = start + "//!".len() + at;
            span = from..from + word.len();
            break;
        }
        start += line.len();
    }
    Excerpt::new(script.label.as_str(), script.source.clone(), span)
}

/// Where a word stands in a line, by itself.
fn word_in(line: &str, word: &str) -> Option<usize> {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = line.match_indices(word).map(|(at, _)| at);
    found.find(|at| {
        let (before, after) = (&line[..*at], &line[at + word.len()..]);
        !before.ends_with(is_of_word) && !after.starts_with(is_of_word)
    })
}
