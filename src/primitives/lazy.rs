//! Lists that are read page by page as a script walks them.

use std::sync::Arc;

use rhai::Position;

use super::{Scripted, raise};
use crate::{error::Result, operations::Run, storage::PAGE};

/// How many items the first page has at most. It is there soon; the database is asked for more of them at once after it.
const FIRST_PAGE: u64 = 1000;

/// Reads the page after an item, or the first: at most as many items as are still wanted.
type Read<T> = dyn Fn(&Run, Option<&T>, u64) -> Result<Vec<T>> + Send + Sync;

/// A list that is read page by page as a script walks it.
pub struct Lazy<T> {
    run: Arc<Run>,
    read: Arc<Read<T>>,
    limit: u64,
}

impl<T> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        self.in_run(self.run.clone())
    }
}

impl<T> Lazy<T> {
    /// A list of at most `limit` items, all if there is none. A page of fewer items than `read` was asked for is the last.
    pub(super) fn new(
        run: Arc<Run>,
        limit: Option<u64>,
        read: impl Fn(&Run, Option<&T>, u64) -> Result<Vec<T>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            run,
            read: Arc::new(read),
            limit: limit.unwrap_or(u64::MAX),
        }
    }

    /// The same list, read in another run.
    pub(super) fn in_run(&self, run: Arc<Run>) -> Self {
        Self {
            run,
            read: self.read.clone(),
            limit: self.limit,
        }
    }

    /// Its pages.
    pub(super) fn pages(&self) -> Pages<T> {
        Pages {
            run: self.run.clone(),
            read: self.read.clone(),
            last: None,
            left: self.limit,
            most: FIRST_PAGE,
        }
    }
}

impl<T: Clone> Lazy<T> {
    /// Its first items, at most so many, and whether there are more. It is asked once, for one item more than these.
    ///
    /// # Errors
    /// Those of reading it.
    pub(super) fn beginning(&self, most: usize) -> Result<(Vec<T>, bool)> {
        let wanted = self.limit.min((most as u64).saturating_add(1));
        let pages = Pages {
            left: wanted,
            most: wanted,
            ..self.pages()
        };
        let mut items = pages.take(1).next().transpose()?.unwrap_or_default();
        let has_more = items.len() > most;
        items.truncate(most);
        Ok((items, has_more))
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
    run: Arc<Run>,
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
        let most = self.left.min(self.most);
        let left = std::mem::take(&mut self.left);
        let page = match (self.read)(&self.run, self.last.as_ref(), most) {
            Ok(page) => page,
            error => return Some(error),
        };
        // Looking for more after the last one can take as long as all that was read before.
        if page.len() as u64 >= most {
            self.left = left.saturating_sub(page.len() as u64);
        }
        self.most = PAGE;
        self.last = Some(page.last()?.clone());
        Some(Ok(page))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{
        config::{Configuration, Environment},
        error::{Code, Error},
        operations::{Parts, World},
    };

    /// A run that opens nothing.
    fn idle() -> Arc<Run> {
        let environment = Environment::new([("HOME", "/nonexistent")], "/nonexistent");
        let configuration = Arc::new(Configuration::load(&[], &environment).unwrap());
        Arc::new(Run::new(Parts {
            database: configuration.database().unwrap(),
            configuration,
            capabilities: crate::capability::Granted::default(),
            console: Arc::new(crate::operations::testing::Said::default()),
            world: World::system(),
            dry_run: false,
            runtime: Arc::new(tokio::runtime::Builder::new_current_thread().build().unwrap()),
            interrupt: Arc::default(),
        }))
    }

    /// Walks a list of the numbers before `end`, and returns after how many of them a page was read that held how many.
    fn pages(end: u64, limit: Option<u64>) -> Vec<(u64, u64)> {
        let reads = Arc::new(Mutex::new(Vec::new()));
        let list = Lazy::new(idle(), limit, {
            let reads = reads.clone();
            move |_, last: Option<&u64>, most| {
                let next = last.map_or(0, |last| last + 1);
                let page: Vec<_> = (next..end.min(next + most)).collect();
                reads.lock().unwrap().push((next, page.len() as u64));
                Ok(page)
            }
        });
        let walked: Vec<_> = list.into_iter().map(|item| item.unwrap()).collect();
        let wanted = end.min(limit.unwrap_or(end));
        assert_eq!(walked, (0..wanted).collect::<Vec<_>>());
        let reads = reads.lock().unwrap();
        reads.clone()
    }

    #[test]
    fn a_list_is_walked_over_its_pages_up_to_its_limit() {
        assert_eq!(pages(0, None), [(0, 0)]);
        assert_eq!(pages(5, None), [(0, 5)]);
        assert_eq!(pages(1000, None), [(0, 1000), (1000, 0)]);
        assert_eq!(pages(1001, None), [(0, 1000), (1000, 1)]);
        assert_eq!(pages(11_001, None), [(0, 1000), (1000, 10_000), (11_000, 1)]);
        assert_eq!(pages(5, Some(3)), [(0, 3)]);
        assert_eq!(pages(5, Some(5)), [(0, 5)]);
        assert_eq!(pages(5, Some(0)), []);
    }

    #[test]
    fn the_beginning_of_a_list_is_one_page_of_one_item_more() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = |end: u64, limit| {
            let asked = asked.clone();
            Lazy::new(idle(), limit, move |_, last: Option<&u64>, most| {
                asked.lock().unwrap().push((last.copied(), most));
                Ok((0..end.min(most)).collect())
            })
        };
        let beginning = |end, limit| {
            let (items, has_more) = list(end, limit).beginning(50).unwrap();
            (items.len(), has_more)
        };
        assert_eq!(beginning(1_000_000, None), (50, true));
        assert_eq!(beginning(51, None), (50, true));
        assert_eq!(beginning(50, None), (50, false));
        assert_eq!(beginning(0, None), (0, false));
        assert_eq!(beginning(1_000_000, Some(51)), (50, true));
        assert_eq!(beginning(1_000_000, Some(50)), (50, false));
        assert_eq!(beginning(1_000_000, Some(0)), (0, false));
        let asked = asked.lock().unwrap();
        assert_eq!(*asked, [51, 51, 51, 51, 51, 50].map(|most| (None, most)));
    }

    #[test]
    fn a_page_that_cannot_be_read_ends_the_list() {
        let list: Lazy<u64> = Lazy::new(idle(), None, |_, _, _| Err(Error::new(Code::DatabaseFailed, "no")));
        let walked: Vec<_> = list.pages().map(|page| page.map_err(|error| error.code())).collect();
        assert_eq!(walked, [Err(Code::DatabaseFailed)]);
    }
}
