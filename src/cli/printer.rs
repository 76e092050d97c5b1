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
    /// Whether something of the list was shown.
    begun: bool,
}

impl Printer {
    pub(super) fn new(wish: &Wish) -> Self {
        Self {
            sheet: Sheet::new(wish.clone(), table::width()),
            begun: false,
        }
    }

    /// Ends the list. An empty one is shown too, in the formats that can.
    pub(super) fn finish(mut self) -> Result<()> {
        self.sheet.finish();
        write_stdout(&self.sheet.take()?).map(drop)
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
        let text = self.sheet.take()?;
        self.begun |= !text.is_empty();
        write_stdout(&text)
    }
}
