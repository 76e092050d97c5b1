//! The devices that sessions hold.

use std::collections::BTreeSet;

use masctl::storage::devices::{devices_of_user, wait_for_homeserver};
use rstest::rstest;

use super::NEW;
use crate::support::{
    cast::{ALICE, BOB, CAROL, CREATED_AT, ENDED_AT, id},
    specimen::Specimen,
    store::Store,
};

/// Adds a session of each kind that holds devices, active or ended, with these scopes.
fn add_sessions(specimen: &Specimen, number: usize, user: &str, device: &str, is_active: bool) {
    let ended_at = if is_active {
        "NULL".to_owned()
    } else {
        format!("'{ENDED_AT}'")
    };
    let ulid = |kind: usize| format!("{{ulid:01HV0000000000000000005E{kind}{number}}}, '{CREATED_AT}', {ended_at}");
    let oauth = specimen.list(&["openid", &format!("urn:matrix:client:device:O{device}")]);
    let personal = specimen.list(&[&format!("urn:matrix:org.matrix.msc2967.client:device:P{device}"), "x"]);
    let user = format!("{{ulid:{user}}}");
    specimen.seed(&format!(
        "INSERT INTO compat_sessions (compat_session_id, created_at, finished_at, user_id, device_id) \
         VALUES ({}, {user}, 'C{device}');
         INSERT INTO oauth2_sessions (oauth2_session_id, created_at, finished_at, user_id, oauth2_client_id, scope_list) \
         VALUES ({}, {user}, {{ulid:{client}}}, {oauth});
         INSERT INTO personal_sessions (personal_session_id, created_at, revoked_at, actor_user_id, owner_user_id, \
         human_name, scope_list) VALUES ({}, {user}, {{ulid:{CAROL}}}, 'p', {personal})",
        ulid(0),
        ulid(1),
        ulid(2),
        client = NEW[3],
    ));
}

fn add_client(specimen: &Specimen) {
    specimen.seed(&format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) \
         VALUES ({{ulid:{}}}, true, true)",
        NEW[3]
    ));
}

fn set(devices: &[&str]) -> BTreeSet<String> {
    devices.iter().map(|&device| device.to_owned()).collect()
}

/// A personal session's device is the actor's, not the owner's; what has ended holds none.
#[rstest]
#[tokio::test]
async fn a_user_has_the_devices_of_its_active_sessions(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_client(&specimen);
    add_sessions(&specimen, 1, ALICE, "1", true);
    add_sessions(&specimen, 2, ALICE, "2 \\\\ é", true);
    add_sessions(&specimen, 3, ALICE, "3", false);
    add_sessions(&specimen, 4, BOB, "1", true);
    let store = &mut specimen.connection;
    let of_alice = devices_of_user(store, id(ALICE)).await.unwrap();
    assert!(of_alice.is_superset(&set(&["C1", "O1", "P1"])), "{of_alice:?}");
    assert_eq!(of_alice.len(), 6, "{of_alice:?}");
    assert_eq!(devices_of_user(store, id(BOB)).await.unwrap(), set(&["C1", "O1", "P1"]));
    assert_eq!(devices_of_user(store, id(CAROL)).await.unwrap(), set(&[]));
}

#[rstest]
#[tokio::test]
async fn only_scopes_of_devices_name_one(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_client(&specimen);
    add_sessions(&specimen, 1, ALICE, "1", true);
    let scopes = specimen.list(&[
        "urn:matrix:client:device:",
        "URN:matrix:client:device:UPPER",
        "urn:matrix:other.client:device:OTHER",
        "urn:matrix:client:api:*",
        "urn:matrix:client:device:A:B",
    ]);
    specimen.seed(&format!("UPDATE oauth2_sessions SET scope_list = {scopes}"));
    specimen.seed("UPDATE compat_sessions SET device_id = NULL");
    specimen.seed(&format!(
        "UPDATE personal_sessions SET scope_list = {}",
        specimen.list(&[])
    ));
    let devices = devices_of_user(&mut specimen.connection, id(ALICE)).await.unwrap();
    assert_eq!(devices, set(&["A:B"]));
}

#[tokio::test]
async fn a_transaction_can_wait_for_the_homeserver() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    wait_for_homeserver(store).await.unwrap();
    let masctl::storage::Connection::Postgres(connection) = store else {
        panic!("it is PostgreSQL")
    };
    let limit: sqlx::Result<String> = sqlx::query_scalar("SHOW idle_in_transaction_session_timeout")
        .fetch_one(&mut **connection)
        .await;
    assert_eq!(limit.unwrap(), "15min");
}
