//! Which accounts each filter keeps, in lists and in counts.

use masctl::{
    model::{Id, SessionKind, Time},
    storage::users::{Filter, user_count, user_page},
};
use rstest::rstest;

use super::NOW;
use crate::support::{
    cast::{ALICE, BOB, CAROL, CREATED_AT, DAVE, PROVIDER, id, time},
    specimen::Specimen,
    store::Store,
};

/// A guest who came later than the cast, with everything in the name that a pattern could take for something else.
const ERIN: &str = "100%_\\Erin";

const OTHER_PROVIDER: &str = "01HV0000000000000000000002";
const CLIENT: &str = "01HV00000000000000000000N1";
const OTHER_CLIENT: &str = "01HV00000000000000000000N2";

/// What the cast has: passwords, addresses, links, and sessions of each kind, one in use long after it was made, one never
/// used, one that is over, one that dave owns and that acts as carol.
async fn populated(kind: Store) -> Specimen {
    let specimen = Specimen::create(kind).await;
    let erin = Id::new(time(NOW), 0);
    let scope = specimen.list(&["openid"]);
    specimen.seed(&format!(
        "INSERT INTO users (user_id, username, created_at, is_guest) VALUES ({{ulid:{erin}}}, '{ERIN}', '{NOW}', true);
         INSERT INTO user_passwords (user_password_id, user_id, hashed_password, version, created_at) VALUES \
         ({{ulid:{ALICE}}}, {{ulid:{ALICE}}}, 'a', 1, '{NOW}'), ({{ulid:{BOB}}}, {{ulid:{ALICE}}}, 'b', 1, '{NOW}'), \
         ({{ulid:{CAROL}}}, {{ulid:{BOB}}}, 'c', 1, '{NOW}');
         INSERT INTO user_emails (user_email_id, user_id, email, created_at) VALUES \
         ({{ulid:{BOB}}}, {{ulid:{BOB}}}, 'bob@EXAMPLE.com', '{NOW}'), \
         ({{ulid:{CAROL}}}, {{ulid:{CAROL}}}, 'carol@sub.example.com', '{NOW}'), \
         ({{ulid:{erin}}}, {{ulid:{erin}}}, '\"erin@example.com\"@other.org', '{NOW}');
         INSERT INTO upstream_oauth_providers (upstream_oauth_provider_id, scope, client_id, token_endpoint_auth_method, \
         created_at) VALUES ({{ulid:{OTHER_PROVIDER}}}, 'openid', 'masctl', 'none', '{NOW}');
         INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at) \
         VALUES ({{ulid:{ALICE}}}, {{ulid:{PROVIDER}}}, {{ulid:{ALICE}}}, 'a', '{NOW}'), \
         ({{ulid:{BOB}}}, {{ulid:{OTHER_PROVIDER}}}, {{ulid:{BOB}}}, 'b', '{NOW}'), \
         ({{ulid:{CAROL}}}, {{ulid:{PROVIDER}}}, NULL, 'nobody', '{NOW}');
         INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) VALUES \
         ({{ulid:{CLIENT}}}, true, true), ({{ulid:{OTHER_CLIENT}}}, true, true);
         INSERT INTO user_sessions (user_session_id, user_id, created_at, last_active_at) VALUES \
         ({{ulid:{ALICE}}}, {{ulid:{ALICE}}}, '{CREATED_AT}', '2024-06-01T00:00:00+00:00');
         INSERT INTO oauth2_sessions (oauth2_session_id, user_id, oauth2_client_id, scope_list, created_at, finished_at) VALUES \
         ({{ulid:{BOB}}}, {{ulid:{BOB}}}, {{ulid:{CLIENT}}}, {scope}, '2024-05-10T00:00:00+00:00', NULL), \
         ({{ulid:{CAROL}}}, {{ulid:{BOB}}}, {{ulid:{OTHER_CLIENT}}}, {scope}, '{CREATED_AT}', '{NOW}'), \
         ({{ulid:{DAVE}}}, NULL, {{ulid:{OTHER_CLIENT}}}, {scope}, '2024-06-10T00:00:00+00:00', NULL);
         INSERT INTO compat_sessions (compat_session_id, user_id, created_at, finished_at, last_active_at) VALUES \
         ({{ulid:{CAROL}}}, {{ulid:{CAROL}}}, '{CREATED_AT}', '2024-06-11T00:00:00+00:00', '2024-06-10T00:00:00.500+00:00'), \
         ({{ulid:{ALICE}}}, {{ulid:{ALICE}}}, '{CREATED_AT}', NULL, NULL);
         INSERT INTO personal_sessions (personal_session_id, owner_user_id, actor_user_id, human_name, scope_list, created_at) \
         VALUES ({{ulid:{DAVE}}}, {{ulid:{DAVE}}}, {{ulid:{CAROL}}}, 'helpdesk', {scope}, '2024-05-05T00:00:00+00:00');"
    ));
    specimen
}

/// What it is called, a filter, and the accounts that it keeps.
type Case = (&'static str, Filter, Vec<&'static str>);

macro_rules! case {
    ($cases:ident, $($field:ident: $value:expr),* => $($name:expr),*) => {
        let filter = Filter { $($field: Some($value),)* ..Filter::default() };
        $cases.push((stringify!($($field: $value),*), filter, vec![$($name),*]));
    };
}

fn at(date: &str) -> Time {
    time(&format!("{date}T00:00:00Z"))
}

/// Filters on the accounts themselves.
fn of_accounts() -> Vec<Case> {
    let mut cases = Vec::new();
    case!(cases, => "alice", "bob", "carol", "dave", ERIN);
    case!(cases, search: "LIC".to_owned() => "alice");
    case!(cases, search: "erin".to_owned() => ERIN);
    case!(cases, search: "a".to_owned() => "alice", "carol", "dave");
    case!(cases, search: "%".to_owned() => ERIN);
    case!(cases, search: "_".to_owned() => ERIN);
    case!(cases, search: "\\".to_owned() => ERIN);
    case!(cases, search: "0%_\\E".to_owned() => ERIN);
    case!(cases, search: "alice%".to_owned() => );
    case!(cases, search: "' OR 1=1 --".to_owned() => );
    case!(cases, active: true => "alice", "carol", ERIN);
    case!(cases, active: false => "bob", "dave");
    case!(cases, locked: true => "bob");
    case!(cases, locked: false => "alice", "carol", "dave", ERIN);
    case!(cases, deactivated: true => "dave");
    case!(cases, deactivated: false => "alice", "bob", "carol", ERIN);
    case!(cases, admin: true => "carol");
    case!(cases, admin: false => "alice", "bob", "dave", ERIN);
    case!(cases, guest: true => ERIN);
    case!(cases, guest: false => "alice", "bob", "carol", "dave");
    case!(cases, created_after: time(NOW) => ERIN);
    case!(cases, created_after: time("2024-05-01T12:00:00.001Z") => );
    case!(cases, created_after: time(CREATED_AT) => "alice", "bob", "carol", "dave", ERIN);
    case!(cases, created_before: time(NOW) => "alice", "bob", "carol", "dave");
    case!(cases, created_before: time(CREATED_AT) => );
    case!(cases, created_after: at("2024-04-01"), created_before: at("2024-05-01") => "alice", "bob", "carol", "dave");
    case!(cases, created_after: at("1950-01-01"), created_before: at("9999-12-31"), admin: true => "carol");
    case!(cases, created_before: time(NOW), search: "a".to_owned() => "alice", "carol", "dave");
    case!(cases, created_after: time(NOW), locked: false => ERIN);
    cases
}

/// Filters on what belongs to the accounts.
fn of_belongings() -> Vec<Case> {
    let mut cases = Vec::new();
    case!(cases, active_after: at("2024-06-01") => "alice", "carol");
    case!(cases, active_after: time("2024-06-10T00:00:00.5Z") => "carol");
    case!(cases, active_after: time("2024-06-10T00:00:00.500001Z") => );
    case!(cases, active_after: at("2024-05-10") => "alice", "bob", "carol");
    case!(cases, active_after: at("2024-05-05") => "alice", "bob", "carol", "dave");
    case!(cases, active_before: at("2024-06-01") => "bob", "dave", ERIN);
    case!(cases, active_before: at("2024-05-10") => "dave", ERIN);
    case!(cases, active_before: at("2024-05-05") => ERIN);
    case!(cases, active_after: at("2024-05-01"), active_before: at("2024-06-01") => "bob", "dave");
    case!(cases, has_password: true => "alice", "bob");
    case!(cases, has_password: false => "carol", "dave", ERIN);
    case!(cases, has_email: true => "alice", "bob", "carol", ERIN);
    case!(cases, has_email: false => "dave");
    case!(cases, email_domain: "Example.COM".to_owned() => "alice", "bob");
    case!(cases, email_domain: "sub.example.com".to_owned() => "carol");
    case!(cases, email_domain: "other.org".to_owned() => ERIN);
    case!(cases, email_domain: "%".to_owned() => );
    case!(cases, email_domain: "_xample.com".to_owned() => );
    case!(cases, linked: true => "alice", "bob");
    case!(cases, linked: false => "carol", "dave", ERIN);
    case!(cases, provider: id(PROVIDER) => "alice");
    case!(cases, provider: id(PROVIDER), linked: true => "alice");
    case!(cases, provider: id(PROVIDER), linked: false => "bob", "carol", "dave", ERIN);
    case!(cases, provider: id(CLIENT) => );
    case!(cases, session: SessionKind::Browser => "alice");
    case!(cases, session: SessionKind::Compatibility => "alice");
    case!(cases, session: SessionKind::OAuth => "bob");
    case!(cases, session: SessionKind::Personal => "carol", "dave");
    case!(cases, client: id(CLIENT) => "bob");
    case!(cases, client: id(OTHER_CLIENT) => );
    case!(cases, session: SessionKind::Browser, client: id(CLIENT) => );
    case!(cases, active: true, has_email: true, linked: false => "carol", ERIN);
    cases
}

#[rstest]
#[tokio::test]
async fn a_filter_keeps_those_who_fit(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = populated(kind).await;
    let store = &mut specimen.connection;
    for (name, filter, expected) in of_accounts().into_iter().chain(of_belongings()) {
        let page = user_page(store, &filter, Id::least(), 9).await.unwrap();
        let names: Vec<_> = page.iter().map(|user| user.username.as_str()).collect();
        assert_eq!(names, expected, "{name}");
        let count = user_count(store, &filter).await.unwrap();
        assert_eq!(usize::try_from(count), Ok(expected.len()), "{name}");
        // One by one, each page after the last.
        let mut after = Id::least();
        for name in &expected {
            let page = user_page(store, &filter, after, 1).await.unwrap();
            assert_eq!(page[0].username, *name);
            after = page[0].id;
        }
        assert_eq!(user_page(store, &filter, after, 1).await.unwrap(), [], "{name}");
    }
}
