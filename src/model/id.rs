//! The identifiers of rows.

use std::{fmt, str::FromStr};

use ulid::Ulid;
use uuid::Uuid;

use super::Time;

/// The identifier of a row: a ULID, held by the database in a `uuid` column as its 16 bytes, big-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Id(Uuid);

impl Id {
    /// The id of a row made at `time`: its upper 48 bits are the milliseconds, the lower 80 are `random`.
    ///
    /// MAS filters by creation time on the id alone, so `time` must be the row's `created_at`.
    #[must_use]
    pub fn new(time: Time, random: u128) -> Self {
        let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or_default();
        Self(Uuid::from_u128(Ulid::from_parts(milliseconds, random).0))
    }

    /// The smallest id: every other one is after it.
    #[must_use]
    pub const fn least() -> Self {
        Self(Uuid::nil())
    }

    /// The greatest id: every other one is before it.
    #[must_use]
    pub const fn greatest() -> Self {
        Self(Uuid::max())
    }

    /// The id right before this one; the least stays what it is.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().saturating_sub(1)))
    }

    /// This id; or, if it is of the same millisecond as `last` and not after it, another one that is a little after `last`.
    #[must_use]
    pub const fn at_once_after(self, last: Self) -> Self {
        const RANDOM: u32 = 80;
        const STEP: u128 = (1 << 32) - 1;
        let (id, last) = (self.0.as_u128(), last.0.as_u128());
        if id >> RANDOM != last >> RANDOM || id > last {
            return self;
        }
        let next = last.saturating_add(1 + (id & STEP));
        // One in 2^48 is at the end of its millisecond.
        if next >> RANDOM == last >> RANDOM {
            Self(Uuid::from_u128(next))
        } else {
            self
        }
    }

    /// The lower 64 bits as a signed number: the key of MAS's per-user advisory lock.
    #[must_use]
    pub fn lock_key(self) -> i64 {
        self.0.as_u64_pair().1.cast_signed()
    }
}

impl From<Id> for Uuid {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ulid(self.0.as_u128()).fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = NotUlid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // 26 characters of 5 bits hold two more than there are: they must be 0, which the decoder does not check.
        match Ulid::from_string(text) {
            Ok(ulid) if text.starts_with(|first| ('0'..='7').contains(&first)) => Ok(Self(Uuid::from_u128(ulid.0))),
            _ => Err(NotUlid),
        }
    }
}

/// A text is not a ULID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ULID has 26 characters of 0-9 and A-Z without I, L, O and U, the first at most 7")]
pub struct NotUlid;

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    /// The worked pairs of MAS's format: ULID, `uuid` column, milliseconds, lock key.
    const PAIRS: [(&str, &str, i64, i64); 2] = [
        (
            "01GFWR28C4KNE04WG3HKXB7C9R",
            "0183f981-2184-9d5c-0272-038cfab3b138",
            1_666_338_333_060,
            176_207_239_457_255_736,
        ),
        (
            "01J1VQPJ8N5D3B7QZ2X9K4W6YE",
            "0190777b-4915-2b46-b3df-e2ea664e1bce",
            1_719_991_486_741,
            -5_485_416_324_747_355_186,
        ),
    ];

    #[test]
    fn an_id_is_a_ulid_in_the_bytes_of_a_uuid() {
        for (ulid, uuid, milliseconds, key) in PAIRS {
            let id: Id = ulid.parse().unwrap();
            assert_eq!(id.0.to_string(), uuid);
            assert_eq!(id.to_string(), ulid);
            assert_eq!(id.lock_key(), key);
            let time = DateTime::from_timestamp_millis(milliseconds).unwrap();
            assert_eq!(Id::new(time, id.0.as_u128()), id);
            assert_eq!(ulid.to_lowercase().parse::<Id>().unwrap(), id);
        }
        assert!("0183f981-2184-9d5c-0272-038cfab3b138".parse::<Id>().is_err());
        assert!("81GFWR28C4KNE04WG3HKXB7C9R".parse::<Id>().is_err(), "over 128 bits");
    }

    #[test]
    fn ids_of_one_millisecond_can_be_put_in_order() {
        let at = |milliseconds: i64, random| Id::new(DateTime::from_timestamp_millis(milliseconds).unwrap(), random);
        assert_eq!(at(7, 9).at_once_after(at(7, 8)), at(7, 9));
        assert_eq!(at(7, 8).at_once_after(at(7, 8)), at(7, 17));
        assert_eq!(at(7, 5).at_once_after(at(7, 1 << 70)), at(7, (1 << 70) + 6));
        assert_eq!(at(8, 0).at_once_after(at(7, 9)), at(8, 0));
        assert_eq!(at(6, 9).at_once_after(at(7, 0)), at(6, 9), "the clock was set back");
        assert_eq!(at(7, 3).at_once_after(at(7, (1 << 80) - 2)), at(7, 3));
    }
}
