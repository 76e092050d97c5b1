//! How what is typed at the prompt can go on, as the session knows it.

use std::{path::PathBuf, sync::Arc};

use super::assistant::{Suggest, Suggestion, Suggestions};
use crate::{
    config::Configuration,
    host::repl::{
        State,
        complete::{self, Around},
        hint,
    },
};

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
        let candidates = completion.candidates.into_iter();
        Suggestions {
            start: completion.start,
            candidates: candidates
                .map(|candidate| Suggestion {
                    replacement: candidate.replacement,
                    shown: candidate.signature,
                })
                .collect(),
        }
    }

    fn hint(&self, text: &str, cursor: usize) -> Option<(String, String)> {
        let hint = hint::of(&self.state, &self.around(), text, cursor)?;
        Some((hint.rest, hint.note))
    }
}
