//! How much memory masctl takes while a script runs.
//!
//! Rhai limits each value, but not how many of them there are. So the memory of the whole process is looked at, which Linux
//! alone tells cheaply; elsewhere only each value is limited. One operation takes no more than a few values do.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use crate::error::{Code, Error};

/// The most that masctl may take, in bytes, and as people say it.
const MOST: u64 = 1 << 30;
const WORDS: &str = "1 GiB";

/// How often it is looked at: not more often than after so many operations, and so many milliseconds.
const OPERATIONS: u64 = 16;
const PAUSE: u64 = 5;

/// The memory of this process.
pub(super) struct Memory {
    /// What Linux says of it, in pages.
    statm: Option<File>,
    since: Instant,
    next: AtomicU64,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            statm: File::open("/proc/self/statm").ok(),
            since: Instant::now(),
            next: AtomicU64::new(0),
        }
    }

    /// What is wrong if it is more than a script may take.
    pub(super) fn refuse(&self, operations: u64) -> Option<Error> {
        self.is_full(operations).then(|| {
            Error::new(
                Code::ScriptLimit,
                format!("The script takes more than {WORDS} of memory"),
            )
            .help("Go over a list with `for`, and keep only what is needed of each.")
        })
    }

    /// Whether it is more than a script may take, as far as that was looked at now.
    fn is_full(&self, operations: u64) -> bool {
        if !operations.is_multiple_of(OPERATIONS) {
            return false;
        }
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now < self.next.load(Ordering::Relaxed) {
            return false;
        }
        self.next.store(now + PAUSE, Ordering::Relaxed);
        self.resident().is_some_and(|bytes| bytes > MOST)
    }

    /// What is in memory, in bytes.
    fn resident(&self) -> Option<u64> {
        let mut line = [0; 128];
        let length = self.statm.as_ref()?.read_at(&mut line, 0).ok()?;
        let pages = str::from_utf8(&line[..length]).ok()?.split(' ').nth(1)?;
        pages
            .parse::<u64>()
            .ok()?
            .checked_mul(rustix::param::page_size() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_is_touched_is_seen() {
        let memory = Memory::new();
        let before = memory.resident().unwrap();
        let touched = vec![1_u8; 64 << 20];
        let after = memory.resident().unwrap();
        assert!(after > before + (32 << 20), "{before} {after}");
        assert!(touched.iter().all(|&byte| byte == 1));
        assert!(!memory.is_full(OPERATIONS) && !memory.is_full(1));
    }
}
