//! Moments as the databases hold them: PostgreSQL's reach further than [`Time`] does, up to `infinity`.

use chrono::{DateTime, TimeDelta};
use sqlx::{
    Database, Decode, Postgres, Sqlite, Type, ValueRef,
    error::BoxDynError,
    postgres::{PgValueFormat, PgValueRef},
    sqlite::SqliteValueRef,
};

use super::Time;

/// What PostgreSQL counts microseconds from.
const EPOCH: TimeDelta = TimeDelta::days(10_957);

/// How far from 1970 a moment is at most. [`Time`] reaches further, so that some thousand years can be added.
const FARTHEST: TimeDelta = TimeDelta::days(250_000 * 365);

/// A moment that may be missing, or too far away: then it stands some 250,000 years away. The driver would panic.
pub struct StoredTime(Option<Time>);

impl StoredTime {
    fn of_postgres(microseconds: i64) -> Self {
        let since_1970 = TimeDelta::microseconds(microseconds) + EPOCH;
        let time = DateTime::UNIX_EPOCH + since_1970.clamp(-FARTHEST, FARTHEST);
        Self(Some(time))
    }
}

impl Type<Postgres> for StoredTime {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        <Time as Type<Postgres>>::type_info()
    }
}

impl Type<Sqlite> for StoredTime {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <Time as Type<Sqlite>>::type_info()
    }

    fn compatible(of: &<Sqlite as Database>::TypeInfo) -> bool {
        <Time as Type<Sqlite>>::compatible(of)
    }
}

impl<'row> Decode<'row, Postgres> for StoredTime {
    fn decode(value: PgValueRef<'row>) -> Result<Self, BoxDynError> {
        if value.is_null() {
            return Ok(Self(None));
        }
        match value.format() {
            PgValueFormat::Binary => <i64 as Decode<Postgres>>::decode(value).map(Self::of_postgres),
            PgValueFormat::Text => <Time as Decode<Postgres>>::decode(value).map(|time| Self(Some(time))),
        }
    }
}

impl<'row> Decode<'row, Sqlite> for StoredTime {
    fn decode(value: SqliteValueRef<'row>) -> Result<Self, BoxDynError> {
        <Option<Time> as Decode<Sqlite>>::decode(value).map(Self)
    }
}

impl From<StoredTime> for Option<Time> {
    fn from(StoredTime(time): StoredTime) -> Self {
        time
    }
}

impl TryFrom<StoredTime> for Time {
    type Error = &'static str;

    fn try_from(StoredTime(time): StoredTime) -> Result<Self, Self::Error> {
        time.ok_or("a moment is missing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(microseconds: i64) -> String {
        let time: Option<Time> = StoredTime::of_postgres(microseconds).into();
        time.unwrap().to_rfc3339()
    }

    #[test]
    fn moments_count_from_the_year_2000_and_the_far_ones_are_cut() {
        assert_eq!(shown(0), "2000-01-01T00:00:00+00:00");
        assert_eq!(shown(-1), "1999-12-31T23:59:59.999999+00:00");
        assert_eq!(shown(i64::MAX), shown(i64::MAX - 1));
        assert_eq!(shown(i64::MIN), shown(i64::MIN + 1));
        let far: Time = StoredTime::of_postgres(i64::MAX).try_into().unwrap();
        assert!(far + TimeDelta::days(1000 * 365) > far);
        let ago: Time = StoredTime::of_postgres(i64::MIN).try_into().unwrap();
        assert!(ago - TimeDelta::days(1000 * 365) < ago);
        assert!(Time::try_from(StoredTime(None)).is_err());
    }
}
