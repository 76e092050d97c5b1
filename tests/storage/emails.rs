//! E-mail addresses.

use masctl::{
    error::Code,
    model::Email,
    storage::emails::{email_add, email_of_user, email_other_owner},
};
use rstest::rstest;

use super::{NEW, NOW};
use crate::support::{
    cast::{ALICE, ALICE_EMAIL, BOB, CAROL, CREATED_AT, id, time},
    specimen::Specimen,
    store::Store,
};

fn email(ulid: &str, user: &str, address: &str, created_at: &str) -> Email {
    Email {
        id: id(ulid),
        user_id: id(user),
        user: None,
        email: address.to_owned(),
        created_at: time(created_at),
    }
}

#[rstest]
#[tokio::test]
async fn an_address_is_found_in_any_case(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let expected = email(ALICE_EMAIL, ALICE, "alice@example.com", CREATED_AT);
    for address in ["alice@example.com", "Alice@Example.COM"] {
        let found = email_of_user(store, id(ALICE), address).await.unwrap();
        assert_eq!(found.as_ref(), Some(&expected), "{address}");
    }
    for (user, address) in [
        (BOB, "alice@example.com"),
        (ALICE, "alice@example.org"),
        (ALICE, "%"),
        (ALICE, ""),
        (NEW[0], "alice@example.com"),
    ] {
        let found = email_of_user(store, id(user), address).await.unwrap();
        assert_eq!(found, None, "{user} {address}");
    }
}

#[rstest]
#[tokio::test]
async fn an_address_is_kept_as_typed_and_never_unique(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let typed = "ALICE+Tag@Exämple.com";
    let expected = email(NEW[1], ALICE, typed, NOW);
    let added = email_add(store, id(NEW[1]), id(ALICE), typed, time(NOW)).await;
    assert_eq!(added.unwrap(), expected);
    // The same address once more, under an older id: the oldest is found.
    let again = "alice+tag@exämple.com";
    let older = email(NEW[0], ALICE, again, NOW);
    let added = email_add(store, id(NEW[0]), id(ALICE), again, time(NOW)).await;
    assert_eq!(added.unwrap(), older);
    let found = email_of_user(store, id(ALICE), typed).await.unwrap();
    assert_eq!(found, Some(older));
}

#[rstest]
#[tokio::test]
async fn an_address_of_nobody_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let refused = email_add(&mut specimen.connection, id(NEW[1]), id(NEW[0]), "a@b", time(NOW)).await;
    assert_eq!(refused.unwrap_err().code(), Code::DatabaseFailed);
    let twice = email_add(&mut specimen.connection, id(ALICE_EMAIL), id(ALICE), "a@b", time(NOW)).await;
    assert_eq!(twice.unwrap_err().code(), Code::DatabaseFailed);
    assert_eq!(specimen.rows("SELECT email FROM user_emails"), ["alice@example.com"]);
}

#[rstest]
#[tokio::test]
async fn the_other_owner_of_an_address_is_named(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    email_add(store, id(NEW[1]), id(CAROL), "SHARED@example.com", time(NOW))
        .await
        .unwrap();
    email_add(store, id(NEW[0]), id(BOB), "shared@example.com", time(NOW))
        .await
        .unwrap();
    for (user, address, expected) in [
        (ALICE, "alice@example.com", None),
        (BOB, "ALICE@example.com", Some("alice")),
        (BOB, "alice@example.org", None),
        (BOB, "Shared@example.com", Some("carol")),
        (CAROL, "shared@example.com", Some("bob")),
        (ALICE, "shared@example.com", Some("bob")),
    ] {
        let other = email_other_owner(store, id(user), address).await.unwrap();
        assert_eq!(other.as_deref(), expected, "{user} {address}");
    }
}
