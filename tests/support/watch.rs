//! Watches a store while commands work on it: what each of them changed, and whether the rules hold of it.

use std::cell::RefCell;

use super::{
    rules,
    snapshot::{Difference, Snapshot},
    store::OpenStore,
};

/// What the store held when it was last looked at.
#[derive(Default)]
pub(crate) struct Watch {
    last: RefCell<Option<Snapshot>>,
}

impl Watch {
    /// Somebody else has changed the store.
    pub(crate) fn forget(&self) {
        self.last.take();
    }

    /// Runs a command, and adds to what it showed how the store differs now. Of an error only the first line is shown:
    /// where in a script it happened is not what is watched here.
    ///
    /// Fails with the rules that the command broke.
    pub(crate) fn around(
        &self,
        store: &OpenStore,
        command: impl FnOnce() -> Result<Vec<String>, String>,
    ) -> Result<Vec<String>, String> {
        let take = || Snapshot::take(store).map_err(|error| error.to_string());
        let before = self.last.take().map_or_else(take, Ok)?;
        let mut shown = without_explanations(command()?);
        let after = take()?;
        let differences = before.differences(&after);
        let broken = rules::broken(&before, &differences);
        if !broken.is_empty() {
            return Err(format!("rules are broken:\n{}", broken.join("\n")));
        }
        if differences.is_empty() {
            shown.push("db> unchanged".to_owned());
        }
        let lines = differences.iter().flat_map(Difference::lines);
        shown.extend(lines.map(|line| format!("db> {line}")));
        self.last.replace(Some(after));
        Ok(shown)
    }
}

fn without_explanations(mut shown: Vec<String>) -> Vec<String> {
    if let Some(error) = shown.iter().position(|line| line.starts_with("2> Error: ")) {
        let mut index = 0..;
        shown.retain(|line| index.next().is_none_or(|index| index <= error) || !line.starts_with("2>"));
    }
    shown
}
