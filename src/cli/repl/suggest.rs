//! How what is typed at the prompt can go on, as the session knows it.

use std::{path::PathBuf, sync::Arc};

use super::assistant::{Suggest, Suggestion, Suggestions};
use crate::{
    config::Configuration,
    host::repl::{
        State,
        complete::{self, Around, Candidate},
        hint,
    },
};

/// Of how many candidates at most it is said what each takes and does: of more, the names are to be seen at once.
const FEW: usize = 16;

/// How many columns signatures may take for what follows them to stand in one column.
const WIDEST: usize = 48;

/// Where names are from, beside the session.
#[derive(Clone)]
pub(super) struct Surroundings {
    folder: PathBuf,
    script_folders: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of a configuration. Where its scripts folders cannot be told, there are none.
    pub(super) fn of(configuration: &Configuration) -> Self {
        Self {
            folder: configuration.environment().directory().to_owned(),
            script_folders: configuration.script_folders().unwrap_or_default(),
        }
    }
}

/// What is known before an input.
pub(super) struct Known {
    pub(super) state: Arc<State>,
    pub(super) surroundings: Surroundings,
}

impl Known {
    fn around(&self) -> Around<'_> {
        Around {
            folder: &self.surroundings.folder,
            script_folders: &self.surroundings.script_folders,
        }
    }
}

impl Suggest for Known {
    fn candidates(&self, text: &str, cursor: usize) -> Suggestions {
        let completion = complete::candidates(&self.state, &self.around(), text, cursor);
        let candidates = completion.candidates;
        let widths = candidates.iter().map(|it| it.signature.chars().count());
        let column = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
        let column = (candidates.len() <= FEW).then_some(column);
        Suggestions {
            start: completion.start,
            candidates: candidates
                .into_iter()
                .map(|candidate| suggestion(candidate, column))
                .collect(),
        }
    }

    fn hint(&self, text: &str, cursor: usize) -> Option<(String, String)> {
        let hint = hint::of(&self.state, &self.around(), text, cursor)?;
        Some((hint.rest, hint.note))
    }
}

/// A candidate by its signature, and what it does behind a column, if there is one; else by its name.
fn suggestion(candidate: Candidate, column: Option<usize>) -> Suggestion {
    let Candidate {
        replacement,
        signature,
        about,
    } = candidate;
    let shown = match column {
        Some(column) => format!("{signature:column$}  {about}").trim_end().to_owned(),
        None => replacement.clone(),
    };
    Suggestion { replacement, shown }
}
