//! Rows on stdout while they are read.

use std::ops::ControlFlow;

use super::{
    render::{Wish, write_stdout},
    sheet::Sheet,
    table,
};
use crate::{
    console::{Row, Rows},
    error::Result,
};

/// Prints the rows of one list, page by page. It may be filled for minutes: each flush shows what there is.
pub(super) struct Printer {
    sheet: Sheet,
    /// What comes before it, if anything does.
    lead: &'static str,
    /// Whether something of the list was shown.
    begun: bool,
    /// Whether its reader has gone away.
    is_alone: bool,
}

impl Printer {
    pub(super) fn new(wish: &Wish) -> Self {
        Self {
            sheet: Sheet::new(wish.clone(), table::width()),
            lead: "",
            begun: false,
            is_alone: false,
        }
    }

    /// One whose text follows another: `lead` comes between them.
    pub(super) fn following(wish: &Wish, lead: &'static str) -> Self {
        Self {
            lead,
            ..Self::new(wish)
        }
    }

    /// Ends the list. An empty one is shown too, in the formats that can. `Break` if its reader has gone away.
    pub(super) fn finish(mut self) -> Result<ControlFlow<()>> {
        self.sheet.finish();
        self.show()
    }

    /// Shows the text that there is.
    fn show(&mut self) -> Result<ControlFlow<()>> {
        let mut text = self.sheet.take()?;
        if !self.begun && !text.is_empty() {
            text.splice(..0, self.lead.bytes());
            self.begun = true;
        }
        self.is_alone |= write_stdout(&text)?.is_break();
        Ok(if self.is_alone {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// Ends the list in the middle: in JSON it stays open, so that who reads it notices. Rows that were not flushed are
    /// not shown.
    pub(super) fn abandon(mut self) {
        if !self.begun || self.sheet.take().is_err() {
            return;
        }
        self.sheet.abandon();
        // The error says more than that this cannot be written either.
        let _ = self.sheet.take().and_then(|text| write_stdout(&text));
    }
}

impl Rows for Printer {
    fn start(&mut self, fields: &[&str]) -> Result<()> {
        self.sheet.start(fields)
    }

    fn row(&mut self, row: &dyn Row) -> Result<()> {
        self.sheet.row(row)
    }

    fn flush(&mut self) -> Result<ControlFlow<()>> {
        self.sheet.settle();
        self.show()
    }
}
