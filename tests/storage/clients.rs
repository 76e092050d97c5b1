//! OAuth 2.0 clients.

use masctl::{
    model::{Client, ClientKind, Id},
    storage::clients::{Filter, client, client_count, client_names, client_page},
};
use rstest::rstest;

use super::{NEW, NOW};
use crate::support::{
    cast::{id, time},
    specimen::Specimen,
    store::Store,
};

/// Three clients: one of MAS's configuration, which has hardly anything, and two that have registered themselves.
fn clients() -> [Client; 3] {
    let text = |text: &str| Some(text.to_owned());
    [
        Client {
            id: id(NEW[0]),
            name: None,
            kind: ClientKind::Static,
            application_type: None,
            uri: None,
            redirect_uris: Vec::new(),
            grant_types: vec!["client_credentials"],
            auth_method: text("client_secret_basic"),
            created_at: None,
        },
        Client {
            id: id(NEW[1]),
            name: text("Element 100%_\\"),
            kind: ClientKind::Dynamic,
            application_type: text("web"),
            uri: text("https://app.example.com/"),
            redirect_uris: vec![
                "https://app.example.com/a".to_owned(),
                "https://app.example.com/b,\"c".to_owned(),
            ],
            grant_types: vec!["authorization_code", "refresh_token"],
            auth_method: text("none"),
            created_at: Some(time(NOW)),
        },
        Client {
            id: id(NEW[2]),
            name: text("Fractal"),
            kind: ClientKind::Dynamic,
            application_type: text("native"),
            uri: text("https://fractal.example.org/"),
            redirect_uris: Vec::new(),
            grant_types: vec!["urn:ietf:params:oauth:grant-type:device_code"],
            auth_method: None,
            created_at: Some(time(NOW)),
        },
    ]
}

async fn with_clients(kind: Store) -> Specimen {
    let specimen = Specimen::create(kind).await;
    let uris = match kind {
        Store::Sqlite => r#"'["https://app.example.com/a","https://app.example.com/b,\"c"]'"#,
        Store::Postgres => r#"ARRAY['https://app.example.com/a', 'https://app.example.com/b,"c']"#,
    };
    let none = specimen.list(&[]);
    specimen.seed(&format!(
        "INSERT INTO oauth2_clients (oauth2_client_id, client_name, is_static, application_type, client_uri, redirect_uris, \
         grant_type_authorization_code, grant_type_refresh_token, grant_type_client_credentials, grant_type_device_code, \
         token_endpoint_auth_method, created_at, encrypted_client_secret) VALUES \
         ({{ulid:{}}}, NULL, true, NULL, NULL, {none}, false, false, true, false, 'client_secret_basic', NULL, 'secret'), \
         ({{ulid:{}}}, 'Element 100%_\\', false, 'web', 'https://app.example.com/', {uris}, true, true, false, false, \
         'none', '{NOW}', NULL), \
         ({{ulid:{}}}, 'Fractal', false, 'native', 'https://fractal.example.org/', {none}, false, false, false, true, \
         NULL, '{NOW}', NULL)",
        NEW[0], NEW[1], NEW[2]
    ));
    specimen
}

#[rstest]
#[tokio::test]
async fn each_part_of_the_filter_keeps_what_fits(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_clients(kind).await;
    let store = &mut specimen.connection;
    let search = |text: &str| Filter {
        search: Some(text.to_owned()),
        ..Filter::default()
    };
    let kind = |kind| Filter {
        kind: Some(kind),
        ..Filter::default()
    };
    let cases: [(Filter, &[usize]); 10] = [
        (Filter::default(), &[0, 1, 2]),
        (kind(ClientKind::Static), &[0]),
        (kind(ClientKind::Dynamic), &[1, 2]),
        (search("eLEMENT"), &[1]),
        (search("EXAMPLE."), &[1, 2]),
        (search("0%_\\"), &[1]),
        (search("%"), &[1]),
        (search("t_"), &[]),
        (search(""), &[1, 2]),
        (
            Filter {
                kind: Some(ClientKind::Static),
                ..search("element")
            },
            &[],
        ),
    ];
    let all = clients();
    for (filter, expected) in cases {
        let expected: Vec<Client> = expected.iter().map(|&number| all[number].clone()).collect();
        let page = client_page(store, &filter, Id::least(), 9).await;
        assert_eq!(page.unwrap(), expected, "{filter:?}");
        let count = client_count(store, &filter).await.unwrap();
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter:?}");
        if let Some(first) = expected.first() {
            let one = client_page(store, &filter, Id::least(), 1).await.unwrap();
            assert_eq!(one, expected[..1], "{filter:?}");
            let rest = client_page(store, &filter, first.id, 9).await.unwrap();
            assert_eq!(rest, expected[1..], "{filter:?}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_client_is_found_by_its_id(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_clients(kind).await;
    let store = &mut specimen.connection;
    for expected in clients() {
        assert_eq!(client(store, expected.id).await.unwrap(), Some(expected));
    }
    assert_eq!(client(store, id(NEW[3])).await.unwrap(), None);
    let names = client_names(store, NEW.map(id)).await.unwrap();
    assert_eq!(
        names,
        [
            (id(NEW[1]), "Element 100%_\\".to_owned()),
            (id(NEW[2]), "Fractal".to_owned())
        ]
        .into()
    );
}
