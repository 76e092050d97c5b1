//! A person who is not asked what only a change would need: in READ mode there is none.

use std::{io, sync::Arc};

use secrecy::SecretString;

use crate::{capability::only_reads, console::Console, error::Result};

/// A person who is told things, and whom every question would ask in vain.
pub(super) struct Unasked {
    person: Arc<dyn Console>,
}

impl Unasked {
    pub(super) fn new(person: Arc<dyn Console>) -> Self {
        Self { person }
    }
}

impl Console for Unasked {
    fn say(&self, message: &str) {
        self.person.say(message);
    }

    fn insist(&self, message: &str) {
        self.person.insist(message);
    }

    fn warn(&self, message: &str) {
        self.person.warn(message);
    }

    fn name_store(&self, store: &str, written: bool) {
        self.person.name_store(store, written);
    }

    /// So that it is the mode which questions fail of, wherever they are put.
    fn interactive(&self) -> bool {
        true
    }

    fn ask(&self, _: &str, _: &dyn Fn(&str) -> Result<()>) -> Result<String> {
        Err(only_reads())
    }

    fn ask_secret(&self, _: &str, _: bool) -> Result<SecretString> {
        Err(only_reads())
    }

    fn choose(&self, _: &str, _: &[String]) -> Result<usize> {
        Err(only_reads())
    }

    fn confirm(&self, _: &str, _: bool) -> Result<bool> {
        Err(only_reads())
    }

    fn read_secret(&self) -> Result<SecretString> {
        self.person.read_secret()
    }

    fn read_input(&self, most: u64) -> io::Result<Vec<u8>> {
        self.person.read_input(most)
    }

    fn progress(&self, label: &str, done: u64, total: Option<u64>) {
        self.person.progress(label, done, total);
    }
}
