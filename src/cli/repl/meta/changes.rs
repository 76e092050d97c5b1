//! `\changes`: what the session has changed.

use serde_json::{Value, json};

use crate::{
    cli::{
        repl::show::{self, Style},
        terminal::{one_line, write_stderr},
    },
    error::{Code, Error, Result, counted},
    host::repl::Shown,
    operations::{Delivery, Report},
};

/// How many are kept: a session may go on for days.
const MOST: usize = 10_000;

/// What was committed, in order.
#[derive(Debug, Default)]
pub(in crate::cli::repl) struct Changes {
    /// The number of each input with what it changed, in a sentence.
    kept: Vec<(u64, String)>,
    /// How many there were after those.
    more: u64,
}

impl Changes {
    /// Notes what an input has changed, if it was not taken back.
    pub(in crate::cli::repl) fn note(&mut self, input: u64, report: &Report) {
        if report.dry_run {
            return;
        }
        let changes = report.changes.iter().map(|change| change.sentence(false));
        let effects = report.effects.iter().filter_map(Delivery::sentence);
        for sentence in changes.chain(effects) {
            self.add(input, &sentence);
        }
    }

    /// Notes that it is not known whether an input has changed something, if its error says so.
    pub(in crate::cli::repl) fn note_error(&mut self, input: u64, error: &Error) {
        if error.code() == Code::CommitUnknown {
            self.add(input, "Unknown: the answer to COMMIT was lost");
        }
    }

    fn add(&mut self, input: u64, sentence: &str) {
        if self.kept.len() < MOST {
            self.kept.push((input, one_line(sentence).into_owned()));
        } else {
            self.more += 1;
        }
    }

    /// Prints them.
    pub(super) fn show(&self, style: Style) -> Result<()> {
        if self.kept.is_empty() {
            write_stderr("This session has changed nothing\n");
            return Ok(());
        }
        let rows = self
            .kept
            .iter()
            .map(|(input, change)| json!({ "input": input, "change": change }));
        let _ = show::print(&Shown::from(Value::Array(rows.collect())), style)?;
        if self.more > 0 {
            write_stderr(&format!("… and {} after those\n", counted(self.more, "change")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Record;

    #[test]
    fn only_what_was_committed_is_kept_and_no_more_than_there_is_room_for() {
        let mut changes = Changes::default();
        changes.note(1, &Report::new(Record::default(), true, String::new()));
        changes.note_error(2, &Error::new(Code::UserNotFound, "x"));
        assert!(changes.kept.is_empty());
        changes.note_error(3, &Error::new(Code::CommitUnknown, "x"));
        assert_eq!(changes.kept, [(3, "Unknown: the answer to COMMIT was lost".to_owned())]);
        for _ in 0..MOST {
            changes.add(4, "Locked a\nb");
        }
        assert_eq!((changes.kept.len(), changes.more), (MOST, 1));
        assert_eq!(changes.kept[1].1, "Locked a\\nb");
    }
}
