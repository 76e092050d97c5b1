//! Lists over several tables, in the order of their ids.

use sea_query::{Query, SelectStatement};

use super::{Connection, select};
use crate::{error::Result, model::Id};

/// A table with its primary key.
pub(super) type Key = (&'static str, &'static str);

/// How the rows of a list are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// By an index, that of the primary key if there is no other.
    ByIndex,
    /// By looking at one row after the other, some thousand with each statement.
    ByWalking,
}

/// One page of what several statements find after `after` and before `until`, ordered by id.
///
/// Each statement finds the rows of one table, whose key it is paired with.
///
/// # Errors
/// As of any statement.
pub(super) async fn page<T: select::Row>(
    store: &mut Connection,
    tables: &[(Key, SelectStatement)],
    id: impl Fn(&T) -> Id,
    found: Found,
    (mut after, most): (Id, u64),
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    loop {
        let end = match found {
            Found::ByIndex => None,
            Found::ByWalking => end_of_windows(store, tables, after).await?,
        };
        let wanted = most.saturating_sub(rows.len() as u64);
        let mut window = Vec::new();
        for (key, statement) in tables {
            window.append(&mut select::rows(store, &select::part(statement, *key, (after, end), wanted)).await?);
        }
        window.sort_unstable_by_key(|row| id(row));
        window.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        rows.append(&mut window);
        match end {
            Some(end) if (rows.len() as u64) < most => after = end,
            _ => return Ok(rows),
        }
    }
}

/// The last id of the shortest window: up to it, each table has been looked at.
async fn end_of_windows(store: &mut Connection, tables: &[(Key, SelectStatement)], after: Id) -> Result<Option<Id>> {
    let mut end = None;
    for (key, _) in tables {
        let rows = Query::select().from(key.0).take();
        let of_table = select::window_end(store, &rows, key.1, after).await?;
        end = [end, of_table].into_iter().flatten().min();
    }
    Ok(end)
}
