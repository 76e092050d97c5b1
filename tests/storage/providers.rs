//! Upstream providers.

use std::collections::HashMap;

use masctl::{
    model::{Id, Provider},
    storage::providers::{Filter, enabled_providers, provider, provider_count, provider_names, provider_page},
};
use rstest::rstest;

use super::{NEW, NOW};
use crate::support::{
    cast::{CREATED_AT, ENDED_AT, PROVIDER, id, time},
    specimen::Specimen,
    store::Store,
};

fn example() -> Provider {
    Provider {
        id: id(PROVIDER),
        human_name: Some("Example".to_owned()),
        brand_name: None,
        issuer: Some("https://id.example.com/".to_owned()),
        scope: "openid".to_owned(),
        created_at: time(CREATED_AT),
        disabled_at: None,
    }
}

/// A provider without issuer and name.
fn bare(ulid: &str, disabled_at: Option<&str>) -> Provider {
    Provider {
        id: id(ulid),
        human_name: None,
        brand_name: Some("google".to_owned()),
        issuer: None,
        scope: "openid email".to_owned(),
        created_at: time(NOW),
        disabled_at: disabled_at.map(time),
    }
}

/// Two that can be used, and one, the first, that cannot.
fn add_providers(specimen: &Specimen) {
    let values = [
        (NEW[2], "NULL", -1),
        (NEW[1], "NULL", 0),
        (NEW[0], &format!("'{ENDED_AT}'"), 0),
    ]
    .map(|(ulid, disabled_at, order)| {
        format!("({{ulid:{ulid}}}, 'openid email', 'masctl', 'none', 'google', '{NOW}', {disabled_at}, {order})")
    });
    specimen.seed(&format!(
        "INSERT INTO upstream_oauth_providers (upstream_oauth_provider_id, scope, client_id, \
         token_endpoint_auth_method, brand_name, created_at, disabled_at, ui_order) VALUES {}",
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
#[case(None, &[PROVIDER, NEW[0], NEW[1], NEW[2]])]
#[case(Some(true), &[PROVIDER, NEW[1], NEW[2]])]
#[case(Some(false), &[NEW[0]])]
#[tokio::test]
async fn providers_are_listed_by_whether_they_can_be_used(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[case] enabled: Option<bool>,
    #[case] expected: &[&str],
) {
    let mut specimen = Specimen::create(kind).await;
    add_providers(&specimen);
    let store = &mut specimen.connection;
    let filter = Filter { enabled };
    let expected: Vec<Id> = expected.iter().map(|ulid| id(ulid)).collect();
    let ids = |page: Vec<Provider>| -> Vec<Id> { page.into_iter().map(|provider| provider.id).collect() };
    assert_eq!(
        ids(provider_page(store, &filter, Id::least(), 9).await.unwrap()),
        expected
    );
    assert_eq!(
        ids(provider_page(store, &filter, expected[0], 1).await.unwrap()),
        expected.get(1).copied().into_iter().collect::<Vec<_>>()
    );
    assert_eq!(
        provider_count(store, &filter).await.unwrap(),
        i64::try_from(expected.len()).unwrap()
    );
}

#[rstest]
#[tokio::test]
async fn providers_are_named_by_their_issuer_if_by_nothing_else(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_providers(&specimen);
    let store = &mut specimen.connection;
    let names = provider_names(store, [PROVIDER, NEW[0], NEW[3]].map(id)).await.unwrap();
    assert_eq!(
        names,
        [(id(PROVIDER), Some("Example".to_owned())), (id(NEW[0]), None)].into()
    );
    assert_eq!(provider_names(store, []).await.unwrap(), HashMap::new());
    specimen.seed("UPDATE upstream_oauth_providers SET human_name = NULL");
    let names = provider_names(&mut specimen.connection, [id(PROVIDER)]).await;
    assert_eq!(
        names.unwrap(),
        [(id(PROVIDER), Some("https://id.example.com/".to_owned()))].into()
    );
}

#[rstest]
#[tokio::test]
async fn no_provider_is_an_empty_list(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create_empty(kind).await;
    let store = &mut specimen.connection;
    assert_eq!(enabled_providers(store).await.unwrap(), []);
    let page = provider_page(store, &Filter::default(), Id::least(), 9).await;
    assert_eq!(page.unwrap(), []);
    assert_eq!(provider_count(store, &Filter::default()).await.unwrap(), 0);
}
