//! Lists that are read page by page as a script walks them.

use std::sync::Arc;

use rhai::Position;

use super::{Scripted, raise};
use crate::{error::Result, storage::PAGE};

/// How many items the first page has at most. It is there soon; the database is asked for more of them at once after it.
const FIRST_PAGE: u64 = 1000;

/// Reads the page after an item, or the first: at most as many items as are still wanted.
type Read<T> = dyn Fn(Option<&T>, u64) -> Result<Vec<T>> + Send + Sync;

/// A list that is read page by page as a script walks it.
pub struct Lazy<T> {
    read: Arc<Read<T>>,
    limit: u64,
}

impl<T> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Self {
            read: self.read.clone(),
            limit: self.limit,
        }
    }
}

impl<T> Lazy<T> {
    /// A list of at most `limit` items, all if there is none. `read` returns an empty page after the last item.
    pub(super) fn new(
        limit: Option<u64>,
        read: impl Fn(Option<&T>, u64) -> Result<Vec<T>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            read: Arc::new(read),
            limit: limit.unwrap_or(u64::MAX),
        }
    }

    /// Its pages.
    pub(super) fn pages(&self) -> Pages<T> {
        Pages {
            read: self.read.clone(),
            last: None,
            left: self.limit,
            most: FIRST_PAGE,
        }
    }
}

/// As Rhai walks it.
impl<T: Clone + 'static> IntoIterator for Lazy<T> {
    type Item = Scripted<T>;
    type IntoIter = Walk<T>;

    fn into_iter(self) -> Self::IntoIter {
        Walk {
            pages: self.pages(),
            page: Vec::new().into_iter(),
        }
    }
}

/// Walks a list for a script.
pub struct Walk<T> {
    pages: Pages<T>,
    page: std::vec::IntoIter<T>,
}

impl<T: Clone> Iterator for Walk<T> {
    type Item = Scripted<T>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 {
            match self.pages.next()? {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => return Some(Err(raise(error, Position::NONE))),
            }
        }
        self.page.next().map(Ok)
    }
}

/// Reads the pages of a list, none of them empty.
pub(super) struct Pages<T> {
    read: Arc<Read<T>>,
    last: Option<T>,
    /// How many more items are wanted.
    left: u64,
    /// How many items the next page may have.
    most: u64,
}

impl<T: Clone> Iterator for Pages<T> {
    type Item = Result<Vec<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let page = (self.read)(self.last.as_ref(), self.left.min(self.most));
        self.most = PAGE;
        self.left = match &page {
            Ok(page) if !page.is_empty() => self.left.saturating_sub(page.len() as u64),
            _ => 0,
        };
        match page {
            Ok(page) => {
                self.last = Some(page.last()?.clone());
                Some(Ok(page))
            }
            error => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Error};

    /// Pages of two, of the numbers up to `end`.
    fn numbers(end: u64, limit: Option<u64>) -> Lazy<u64> {
        Lazy::new(limit, move |last, most| {
            let next = last.map_or(0, |last| last + 1);
            Ok((next..end.min(next + most.min(2))).collect())
        })
    }

    fn walked(list: &Lazy<u64>) -> Vec<u64> {
        list.clone()
            .into_iter()
            .map(|item| item.expect("it can be read"))
            .collect()
    }

    #[test]
    fn a_list_is_walked_over_its_pages_up_to_its_limit() {
        assert_eq!(walked(&numbers(5, None)), [0, 1, 2, 3, 4]);
        assert_eq!(walked(&numbers(4, None)), [0, 1, 2, 3]);
        assert_eq!(walked(&numbers(0, None)), [0; 0]);
        assert_eq!(walked(&numbers(5, Some(3))), [0, 1, 2]);
        assert_eq!(walked(&numbers(5, Some(0))), [0; 0]);
    }

    #[test]
    fn a_page_that_cannot_be_read_ends_the_list() {
        let list: Lazy<u64> = Lazy::new(None, |_, _| Err(Error::new(Code::DatabaseFailed, "no")));
        let walked: Vec<_> = list.pages().map(|page| page.map_err(|error| error.code())).collect();
        assert_eq!(walked, [Err(Code::DatabaseFailed)]);
    }
}
