//! Password hashes.

use masctl::{error::Code, storage::passwords::password_add};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, id, time},
    specimen::Specimen,
    store::Store,
};

#[rstest]
#[tokio::test]
async fn hashes_are_only_ever_added(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    for (ulid, version, at) in [(NEW[0], 1, NOW), (NEW[1], u16::MAX, LATER)] {
        let hash = format!("$hash${version}");
        let added = password_add(&mut specimen.connection, id(ulid), id(ALICE), &hash, version, time(at)).await;
        assert_eq!(added.unwrap(), id(ulid));
    }
    assert_eq!(
        specimen.rows(
            "SELECT user_password_id, user_id, hashed_password, version, created_at, upgraded_from_id \
             FROM user_passwords ORDER BY user_password_id"
        ),
        [
            format!("{} | {ALICE} | $hash$1 | 1 | {NOW_SHOWN} | null", NEW[0]),
            format!(
                "{} | {ALICE} | $hash$65535 | 65535 | 2024-05-01T12:00:01Z | null",
                NEW[1]
            ),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn a_hash_of_nobody_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let refused = password_add(&mut specimen.connection, id(NEW[0]), id(NEW[1]), "x", 1, time(NOW)).await;
    assert_eq!(refused.unwrap_err().code(), Code::DatabaseFailed);
    assert_eq!(specimen.rows("SELECT count(*) FROM user_passwords"), ["0"]);
}
