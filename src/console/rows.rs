//! Rows that are shown while they are read. The formats and stdout behind it live in `cli`.

use std::ops::ControlFlow;

use serde_json::Value;

use crate::error::Result;

/// The value of one field of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Missing,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text; times and ids are texts too.
    Text(&'a str),
    /// Anything else.
    Data(&'a Value),
}

/// One row, of which only the cells are made that are shown.
pub trait Row {
    /// Shows the cell of a field, by its place among the fields of the list.
    ///
    /// # Errors
    /// Those of making it.
    fn cell(&self, field: usize, show: &mut dyn FnMut(Cell<'_>)) -> Result<()>;
}

/// Takes rows, and shows them page by page.
///
/// One run after the other may hand in rows: what they have in common is one list. Whoever made it ends it.
pub trait Rows: Send {
    /// Begins the list, or goes on with it: what follows are rows with these fields. They are shown under the names with
    /// which the list began.
    ///
    /// # Errors
    /// `argument.invalid` if a field is wished for that there is not. Nothing is shown then.
    fn start(&mut self, fields: &[&str]) -> Result<()>;

    /// Takes one row. It may be kept in memory until the next flush.
    ///
    /// # Errors
    /// Those of its cells.
    fn row(&mut self, row: &dyn Row) -> Result<()>;

    /// Shows the rows that were taken. `Break` if nobody looks at them any more.
    ///
    /// # Errors
    /// `file.unreadable` if they cannot be written.
    fn flush(&mut self) -> Result<ControlFlow<()>>;
}
