//! Clock and randomness, handed out so that nothing else takes them and tests can fix them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use chrono::Utc;
#[cfg(feature = "fixed-world")]
use rand::SeedableRng;
use rand::{Rng, RngExt, distr::Alphanumeric, rngs::StdRng};
use secrecy::SecretString;
use zeroize::Zeroize;

use crate::model::{Id, Time, to_stored_precision};

/// The clock and the randomness of one run. A copy goes on where this one is: one run after the other may have the same.
#[derive(Clone, Debug)]
pub struct World {
    clock: Clock,
    random: Arc<Mutex<StdRng>>,
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

    /// The time now, to the microsecond.
    #[must_use]
    pub fn now(&self) -> Time {
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
        match &self.clock {
            Clock::Standing(clock) => Id::new(time, clock.following(random)),
            _ => Id::new(time, random),
        }
    }

    /// Random bytes: a salt, for example.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        self.with_random(|random| {
            let mut bytes = [0; N];
            random.fill_bytes(&mut bytes);
            bytes
        })
    }

    /// Text of `length` characters, each drawn evenly from `A-Z a-z 0-9`.
    #[must_use]
    pub fn alphanumeric(&self, length: usize) -> SecretString {
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
