//! Lazy lists, shown while they are read.

use rhai::{Dynamic, ImmutableString};

use super::{
    fields::{Fields, to_value},
    lazy::Lazy,
    moment,
};
use crate::{
    console::{Cell, Row, Rows},
    error::Result,
    model::Time,
    operations::Run,
};

/// Shows a list page by page, if the value is one of these items. Stops where nobody looks any more.
pub(super) fn stream<T: Fields>(value: &Dynamic, reveal: bool, run: &Run, rows: &mut dyn Rows) -> Option<Result<()>> {
    let list = value.read_lock::<Lazy<T>>()?;
    Some(show(&list, reveal, run, rows))
}

fn show<T: Fields>(list: &Lazy<T>, reveal: bool, run: &Run, rows: &mut dyn Rows) -> Result<()> {
    let names: Vec<_> = T::FIELDS.iter().map(|field| field.name).collect();
    rows.start(&names)?;
    for page in list.pages() {
        for item in &page? {
            rows.row(&Item { item, reveal })?;
        }
        if run.show(|| rows.flush())?.is_break() {
            break;
        }
    }
    Ok(())
}

/// One item of a list as a row.
struct Item<'a, T> {
    item: &'a T,
    reveal: bool,
}

impl<T: Fields> Row for Item<'_, T> {
    fn cell(&self, field: usize, show: &mut dyn FnMut(Cell<'_>)) -> Result<()> {
        let value = (T::FIELDS[field].get)(self.item);
        if value.is_unit() {
            show(Cell::Missing);
        } else if let Some(text) = value.read_lock::<ImmutableString>() {
            show(Cell::Text(&text));
        } else if let Ok(value) = value.as_bool() {
            show(Cell::Bool(value));
        } else if let Ok(value) = value.as_int() {
            show(Cell::Int(value));
        } else if let Some(time) = value.read_lock::<Time>() {
            show(Cell::Text(&moment::text(*time)));
        } else {
            show(Cell::Data(&to_value(&value, self.reveal)?));
        }
        Ok(())
    }
}
