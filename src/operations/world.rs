//! Clock and randomness, handed out so that nothing else takes them and tests can fix them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use chrono::Utc;
#[cfg(feature = "fixed-world")]
use rand::SeedableRng;
use rand::{Rng, RngExt, distr::Alphanumeric, rngs::StdRng};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

use super::ledger::Ledger;
use crate::model::{DEVICE_ID_LENGTH, Id, TOKEN_RANDOM_LENGTH, Time, TokenFormat, to_stored_precision};

/// The clock and the randomness of one run. A copy goes on where this one is: one run after the other may have the same.
#[derive(Clone, Debug)]
pub struct World {
    clock: Clock,
    random: Arc<Mutex<StdRng>>,
    /// What was handed out, if that is kept.
    ledger: Option<Arc<Mutex<Ledger>>>,
}

#[derive(Clone, Debug)]
enum Clock {
    System,
    Standing(Standstill),
    #[cfg(feature = "fixed-world")]
    Fixed(Arc<Mutex<Time>>),
    #[cfg(feature = "fixed-world")]
    Ahead(chrono::Duration),
}

/// A clock that stands still, for the tests of scripts. Ids that are made at it come one after the other, as those of a
/// clock that goes do: a list is in the order in which its rows were made.
#[derive(Clone, Debug)]
pub struct Standstill(Arc<Still>);

#[derive(Debug)]
struct Still {
    time: Mutex<Time>,
    ids: AtomicU64,
}

impl Standstill {
    /// A clock that stands at `time`.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self(Arc::new(Still {
            time: Mutex::new(to_stored_precision(time)),
            ids: AtomicU64::default(),
        }))
    }

    /// Where it stands.
    #[must_use]
    pub fn now(&self) -> Time {
        *self.0.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets it to another moment, for all worlds that it belongs to.
    pub fn set(&self, time: Time) {
        *self.0.time.lock().unwrap_or_else(PoisonError::into_inner) = to_stored_precision(time);
    }

    /// The random part of the next id: random, but for the number of the id before it.
    fn following(&self, random: u128) -> u128 {
        const BITS: u32 = 48;
        let number = self.0.ids.fetch_add(1, Ordering::Relaxed) & u64::from(u32::MAX);
        (u128::from(number) << BITS) | (random & ((1 << BITS) - 1))
    }
}

/// Keeps nothing of what it hands out, unless it is [recording](World::recording).
impl World {
    /// The system's randomness, at a clock that stands still.
    #[must_use]
    pub fn standing(clock: &Standstill) -> Self {
        Self {
            clock: Clock::Standing(clock.clone()),
            ..Self::system()
        }
    }

    /// The system's clock, and randomness seeded from the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Clock::System,
            random: Arc::new(Mutex::new(rand::make_rng())),
            ledger: None,
        }
    }

    /// A world that repeats itself: world `number` starts `number` minutes after 2020-01-01, and each look at its clock
    /// moves it by a millisecond.
    #[cfg(feature = "fixed-world")]
    #[must_use]
    pub fn fixed(number: u32) -> Self {
        let start = chrono::DateTime::UNIX_EPOCH + chrono::Duration::seconds(1_577_836_800 + i64::from(number) * 60);
        Self {
            clock: Clock::Fixed(Arc::new(Mutex::new(start))),
            random: Arc::new(Mutex::new(StdRng::seed_from_u64(u64::from(number)))),
            ledger: None,
        }
    }

    /// The system's world with a clock that is so many seconds ahead.
    #[cfg(feature = "fixed-world")]
    #[must_use]
    pub fn ahead(seconds: i32) -> Self {
        Self {
            clock: Clock::Ahead(chrono::Duration::seconds(seconds.into())),
            ..Self::system()
        }
    }

    /// A copy that keeps what it hands out, from now on and apart from what this one has kept.
    ///
    /// It goes on where this one is, also in a fixed world: the second execution of something has other times, ids and
    /// tokens than the first.
    #[must_use]
    pub fn recording(&self) -> Self {
        Self {
            ledger: Some(Arc::default()),
            ..self.clone()
        }
    }

    /// Whether it keeps what it hands out.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.ledger.is_some()
    }

    /// What it has handed out so far. It is forgotten then.
    pub(super) fn take_ledger(&self) -> Ledger {
        self.record(std::mem::take).unwrap_or_default()
    }

    /// Works on the ledger, if there is one.
    pub(super) fn record<T>(&self, record: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        let ledger = self.ledger.as_ref()?;
        Some(record(&mut ledger.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The time now, to the microsecond.
    #[must_use]
    pub fn now(&self) -> Time {
        let now = self.look_at_clock();
        self.record(|ledger| ledger.time(now));
        now
    }

    fn look_at_clock(&self) -> Time {
        match &self.clock {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
            Clock::System => to_stored_precision(Utc::now()),
            Clock::Standing(clock) => clock.now(),
            #[cfg(feature = "fixed-world")]
            #[expect(clippy::disallowed_methods, reason = "it is read to be wrong by a known time")]
            Clock::Ahead(by) => to_stored_precision(Utc::now() + *by),
            #[cfg(feature = "fixed-world")]
            Clock::Fixed(time) => {
                let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
                *time += chrono::Duration::milliseconds(1);
                *time
            }
        }
    }

    /// A new id for a row made at `time`.
    #[must_use]
    pub fn new_id(&self, time: Time) -> Id {
        let random = self.with_random(RngExt::random);
        let id = match &self.clock {
            Clock::Standing(clock) => Id::new(time, clock.following(random)),
            _ => Id::new(time, random),
        };
        self.record(|ledger| ledger.id(id)).unwrap_or(id)
    }

    /// Random bytes: a salt, for example.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let bytes = self.with_random(|random| {
            let mut bytes = [0; N];
            random.fill_bytes(&mut bytes);
            bytes
        });
        if self.is_recording() {
            // As hashes are written with them.
            self.keep(&BASE64_STANDARD_NO_PAD.encode(bytes).into(), true);
        }
        bytes
    }

    /// Secret text of `length` characters, each drawn evenly from `A-Z a-z 0-9`.
    #[must_use]
    pub fn alphanumeric(&self, length: usize) -> SecretString {
        let text = self.draw_text(length);
        self.keep(&text, true);
        text
    }

    /// A new token.
    #[must_use]
    pub fn token(&self, format: TokenFormat) -> SecretString {
        let token = format.token(&self.draw_text(TOKEN_RANDOM_LENGTH));
        self.keep(&token, true);
        token
    }

    /// A new id of a device.
    #[must_use]
    pub fn device_id(&self) -> String {
        let id = self.draw_text(DEVICE_ID_LENGTH);
        self.keep(&id, false);
        id.expose_secret().to_owned()
    }

    /// Keeps a text that was made of what was handed out, such as a hash of its salt.
    pub(super) fn keep(&self, text: &SecretString, is_secret: bool) {
        self.record(|ledger| ledger.text(text.clone(), is_secret));
    }

    fn draw_text(&self, length: usize) -> SecretString {
        self.with_random(|random| {
            let mut text: String = random.sample_iter(Alphanumeric).take(length).map(char::from).collect();
            let secret = SecretString::from(text.as_str());
            text.zeroize();
            secret
        })
    }

    fn with_random<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration};

    use super::*;

    #[test]
    fn a_clock_that_stands_still_gives_ids_in_order_and_randomness_stays_real() {
        let clock = Standstill::at(DateTime::UNIX_EPOCH);
        let worlds = [World::standing(&clock), World::standing(&clock)];
        let ids: Vec<Id> = (0..200).map(|at| worlds[at % 2].new_id(worlds[0].now())).collect();
        assert!(ids.is_sorted());
        assert_ne!(worlds[0].bytes::<16>(), worlds[1].bytes::<16>());
        clock.set(DateTime::UNIX_EPOCH + Duration::hours(1));
        assert_eq!(worlds[1].now().timestamp(), 3600);
    }
}
