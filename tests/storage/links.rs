//! Upstream providers and links to them.

use masctl::{
    error::Code,
    model::{Link, Provider},
    storage::links::{enabled_providers, link_claim, provider},
};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, BOB, ENDED_AT, PROVIDER, id, time},
    specimen::Specimen,
    store::Store,
};

fn example() -> Provider {
    Provider {
        id: id(PROVIDER),
        issuer: Some("https://id.example.com/".to_owned()),
        human_name: Some("Example".to_owned()),
        disabled_at: None,
    }
}

/// A provider without issuer and name.
fn bare(ulid: &str, disabled_at: Option<&str>) -> Provider {
    Provider {
        id: id(ulid),
        issuer: None,
        human_name: None,
        disabled_at: disabled_at.map(time),
    }
}

fn link(ulid: &str, user: &str, subject: &str) -> Link {
    Link {
        id: id(ulid),
        provider_id: id(PROVIDER),
        user_id: Some(id(user)),
        subject: subject.to_owned(),
        created_at: time(NOW),
    }
}

fn add_providers(specimen: &Specimen) {
    let values = [
        (NEW[2], "NULL", -1),
        (NEW[1], "NULL", 0),
        (NEW[0], &format!("'{ENDED_AT}'"), 0),
    ]
    .map(|(ulid, disabled_at, order)| {
        format!("({{ulid:{ulid}}}, 'openid', 'masctl', 'none', '{NOW}', {disabled_at}, {order})")
    });
    specimen.seed(&format!(
        "INSERT INTO upstream_oauth_providers (upstream_oauth_provider_id, scope, client_id, \
         token_endpoint_auth_method, created_at, disabled_at, ui_order) VALUES {}",
        values.join(", ")
    ));
}

#[rstest]
#[tokio::test]
async fn providers_are_found_also_disabled(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_providers(&specimen);
    let store = &mut specimen.connection;
    assert_eq!(provider(store, id(PROVIDER)).await.unwrap(), Some(example()));
    assert_eq!(
        provider(store, id(NEW[0])).await.unwrap(),
        Some(bare(NEW[0], Some(ENDED_AT)))
    );
    assert_eq!(provider(store, id(NEW[3])).await.unwrap(), None);
    assert_eq!(
        enabled_providers(store).await.unwrap(),
        [bare(NEW[2], None), example(), bare(NEW[1], None)]
    );
}

#[rstest]
#[tokio::test]
async fn no_provider_is_an_empty_list(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create_empty(kind).await;
    assert_eq!(enabled_providers(&mut specimen.connection).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_link_is_made_once(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let made = link_claim(store, id(NEW[0]), id(PROVIDER), "Subject:1", id(ALICE), time(NOW)).await;
    assert_eq!(made.unwrap(), Some(link(NEW[0], ALICE, "Subject:1")));
    for user in [ALICE, BOB] {
        let again = link_claim(store, id(NEW[1]), id(PROVIDER), "Subject:1", id(user), time(LATER)).await;
        assert_eq!(again.unwrap(), None, "{user}");
    }
    let other_case = link_claim(store, id(NEW[1]), id(PROVIDER), "subject:1", id(BOB), time(NOW)).await;
    assert_eq!(other_case.unwrap(), Some(link(NEW[1], BOB, "subject:1")));
    let rows = specimen.rows(
        "SELECT upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at, human_account_name \
         FROM upstream_oauth_links ORDER BY upstream_oauth_link_id",
    );
    assert_eq!(
        rows,
        [
            format!("{} | {PROVIDER} | {ALICE} | Subject:1 | {NOW_SHOWN} | null", NEW[0]),
            format!("{} | {PROVIDER} | {BOB} | subject:1 | {NOW_SHOWN} | null", NEW[1]),
        ]
    );
}

#[rstest]
#[tokio::test]
async fn an_orphan_is_adopted_under_its_own_id(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    specimen.seed(&format!(
        "INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, subject, created_at, \
         human_account_name) VALUES ({{ulid:{}}}, {{ulid:{PROVIDER}}}, 'orphan', '{NOW}', 'a@id')",
        NEW[0]
    ));
    let store = &mut specimen.connection;
    let adopted = link_claim(store, id(NEW[1]), id(PROVIDER), "orphan", id(ALICE), time(LATER)).await;
    assert_eq!(adopted.unwrap(), Some(link(NEW[0], ALICE, "orphan")));
    let late = link_claim(store, id(NEW[1]), id(PROVIDER), "orphan", id(BOB), time(LATER)).await;
    assert_eq!(late.unwrap(), None);
    assert_eq!(
        specimen.rows("SELECT upstream_oauth_link_id, user_id, human_account_name FROM upstream_oauth_links"),
        [format!("{} | {ALICE} | a@id", NEW[0])]
    );
}

#[rstest]
#[tokio::test]
async fn a_link_to_no_provider_or_of_nobody_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    for (provider, user) in [(NEW[3], ALICE), (PROVIDER, NEW[3])] {
        let store = &mut specimen.connection;
        let refused = link_claim(store, id(NEW[0]), id(provider), "s", id(user), time(NOW)).await;
        assert_eq!(refused.unwrap_err().code(), Code::DatabaseFailed, "{provider} {user}");
    }
    assert_eq!(specimen.rows("SELECT count(*) FROM upstream_oauth_links"), ["0"]);
}
