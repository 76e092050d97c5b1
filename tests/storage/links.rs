//! Links to upstream providers.

use masctl::{
    error::Code,
    model::{Id, Link},
    storage::links::{
        Filter, NewLink, link, link_assign, link_by_subject, link_claim, link_count, link_for_change, link_page,
        link_remove, logins_unlink,
    },
};
use rstest::rstest;

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{ALICE, BOB, CAROL, PROVIDER, id, time},
    specimen::{Specimen, lose_patience},
    store::Store,
};

fn expected(ulid: &str, user: &str, subject: &str) -> Link {
    Link {
        id: id(ulid),
        provider_id: id(PROVIDER),
        provider: None,
        user_id: Some(id(user)),
        user: None,
        subject: subject.to_owned(),
        human_account_name: None,
        created_at: time(NOW),
    }
}

fn new<'a>(ulid: &str, user: &str, subject: &'a str) -> NewLink<'a> {
    NewLink {
        id: id(ulid),
        provider: id(PROVIDER),
        subject,
        human_account_name: None,
        user: id(user),
        created_at: time(NOW),
    }
}

/// An orphan with a name.
fn add_orphan(specimen: &Specimen) {
    specimen.seed(&format!(
        "INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, subject, created_at, \
         human_account_name) VALUES ({{ulid:{}}}, {{ulid:{PROVIDER}}}, 'orphan', '{NOW}', 'a@id')",
        NEW[0]
    ));
}

#[rstest]
#[tokio::test]
async fn a_link_is_made_once(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    let made = link_claim(store, &new(NEW[0], ALICE, "Subject:1")).await;
    assert_eq!(made.unwrap(), Some(expected(NEW[0], ALICE, "Subject:1")));
    for user in [ALICE, BOB] {
        let again = link_claim(store, &new(NEW[1], user, "Subject:1")).await;
        assert_eq!(again.unwrap(), None, "{user}");
    }
    let with_name = NewLink {
        human_account_name: Some("b@id"),
        ..new(NEW[1], BOB, "subject:1")
    };
    let other_case = link_claim(store, &with_name).await.unwrap();
    let named = Link {
        human_account_name: Some("b@id".to_owned()),
        ..expected(NEW[1], BOB, "subject:1")
    };
    assert_eq!(other_case, Some(named.clone()));
    assert_eq!(link(store, id(NEW[1])).await.unwrap(), Some(named));
    let rows = specimen.rows(
        "SELECT upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at, human_account_name \
         FROM upstream_oauth_links ORDER BY upstream_oauth_link_id",
    );
    assert_eq!(
        rows,
        [
            format!("{} | {PROVIDER} | {ALICE} | Subject:1 | {NOW_SHOWN} | null", NEW[0]),
            format!("{} | {PROVIDER} | {BOB} | subject:1 | {NOW_SHOWN} | b@id", NEW[1]),
        ]
    );
}

#[rstest]
#[case(None, "a@id")]
#[case(Some("new@id"), "new@id")]
#[tokio::test]
async fn an_orphan_is_adopted_under_its_own_id(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[case] name: Option<&str>,
    #[case] named: &str,
) {
    let mut specimen = Specimen::create(kind).await;
    add_orphan(&specimen);
    let store = &mut specimen.connection;
    let wish = NewLink {
        human_account_name: name,
        created_at: time(LATER),
        ..new(NEW[1], ALICE, "orphan")
    };
    let adopted = Link {
        human_account_name: Some(named.to_owned()),
        ..expected(NEW[0], ALICE, "orphan")
    };
    assert_eq!(link_claim(store, &wish).await.unwrap(), Some(adopted));
    let late = link_claim(store, &new(NEW[1], BOB, "orphan")).await;
    assert_eq!(late.unwrap(), None);
    assert_eq!(
        specimen.rows("SELECT upstream_oauth_link_id, user_id, human_account_name FROM upstream_oauth_links"),
        [format!("{} | {ALICE} | {named}", NEW[0])]
    );
}

#[rstest]
#[tokio::test]
async fn a_link_is_given_to_another_user(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_orphan(&specimen);
    let store = &mut specimen.connection;
    let of = |user, name: &str| {
        Some(Link {
            human_account_name: Some(name.to_owned()),
            ..expected(NEW[0], user, "orphan")
        })
    };
    let id_of_link = id(NEW[0]);
    assert_eq!(
        link_assign(store, id_of_link, id(BOB), None).await.unwrap(),
        of(BOB, "a@id")
    );
    let named = link_assign(store, id_of_link, id(ALICE), Some("b@id")).await;
    assert_eq!(named.unwrap(), of(ALICE, "b@id"));
    assert_eq!(link(store, id_of_link).await.unwrap(), of(ALICE, "b@id"));
    assert_eq!(link_assign(store, id(NEW[1]), id(BOB), None).await.unwrap(), None);
    assert_eq!(link(store, id(NEW[1])).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_link_to_no_provider_or_of_nobody_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    for (provider, user) in [(NEW[3], ALICE), (PROVIDER, NEW[3])] {
        let wish = NewLink {
            provider: id(provider),
            ..new(NEW[0], user, "s")
        };
        let refused = link_claim(&mut specimen.connection, &wish).await;
        assert_eq!(refused.unwrap_err().code(), Code::DatabaseFailed, "{provider} {user}");
    }
    assert_eq!(specimen.rows("SELECT count(*) FROM upstream_oauth_links"), ["0"]);
}

/// MAS refuses to remove a link that logins name, and so does its database.
#[rstest]
#[tokio::test]
async fn a_link_is_removed_once_no_login_names_it(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    for (ulid, subject) in [(NEW[0], "one"), (NEW[1], "other")] {
        let made = link_claim(store, &new(ulid, ALICE, subject)).await;
        assert!(made.unwrap().is_some());
    }
    let logins = [(NEW[0], NEW[0]), (NEW[1], NEW[0]), (NEW[2], NEW[1])].map(|(login, link)| {
        format!("({{ulid:{login}}}, {{ulid:{PROVIDER}}}, {{ulid:{link}}}, '{login}', '{NOW}', '{NOW}', '{NOW}')")
    });
    specimen.seed(&format!(
        "INSERT INTO upstream_oauth_authorization_sessions (upstream_oauth_authorization_session_id, \
         upstream_oauth_provider_id, upstream_oauth_link_id, state, created_at, completed_at, consumed_at) VALUES {}",
        logins.join(", ")
    ));
    let store = &mut specimen.connection;
    let refused = link_remove(store, id(NEW[0])).await.unwrap_err();
    assert_eq!(refused.code(), Code::DatabaseFailed);
    assert_eq!(logins_unlink(store, id(NEW[0]), time(LATER)).await.unwrap(), 2);
    assert_eq!(logins_unlink(store, id(NEW[0]), time(LATER)).await.unwrap(), 0);
    let removed = link_remove(store, id(NEW[0])).await.unwrap();
    assert_eq!(removed, Some(expected(NEW[0], ALICE, "one")));
    assert_eq!(link_remove(store, id(NEW[0])).await.unwrap(), None);
    assert_eq!(
        specimen.rows(
            "SELECT upstream_oauth_authorization_session_id, upstream_oauth_link_id, unlinked_at, consumed_at \
             FROM upstream_oauth_authorization_sessions ORDER BY upstream_oauth_authorization_session_id"
        ),
        [
            format!("{} | null | 2024-05-01T12:00:01Z | {NOW_SHOWN}", NEW[0]),
            format!("{} | null | 2024-05-01T12:00:01Z | {NOW_SHOWN}", NEW[1]),
            format!("{} | {} | null | {NOW_SHOWN}", NEW[2], NEW[1]),
        ]
    );
    assert_eq!(specimen.rows("SELECT subject FROM upstream_oauth_links"), ["other"]);
}

#[rstest]
#[tokio::test]
async fn a_link_that_changes_is_kept_from_others(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    add_orphan(&specimen);
    let store = &mut specimen.connection;
    store.begin().await.unwrap();
    let found = link_for_change(store, id(NEW[0])).await.unwrap();
    assert_eq!(found.map(|link| link.subject), Some("orphan".to_owned()));
    assert_eq!(link_for_change(store, id(NEW[1])).await.unwrap(), None);
    let mut other = specimen.connect().await;
    let seen = link_by_subject(&mut other, id(PROVIDER), "orphan").await.unwrap();
    assert_eq!(seen.map(|link| link.id), Some(id(NEW[0])));
    if other.is_postgres() {
        other.begin().await.unwrap();
    }
    lose_patience(&mut other).await;
    let busy = link_assign(&mut other, id(NEW[0]), id(BOB), None).await.unwrap_err();
    assert_eq!(busy.code(), Code::DatabaseBusy);
    specimen.connection.rollback().await.unwrap();
}

/// Another provider.
const OTHER: &str = NEW[3];

/// Owner, provider and subject of the links that are listed, made one a day from May 1st.
const LISTED: [(Option<&str>, &str, &str); 8] = [
    (Some(CAROL), OTHER, "c0"),
    (Some(ALICE), PROVIDER, "s0"),
    (None, PROVIDER, "orphan"),
    (Some(CAROL), OTHER, "c1"),
    (Some(ALICE), PROVIDER, "s3"),
    (Some(ALICE), OTHER, "s0"),
    (Some(BOB), PROVIDER, "s5"),
    (None, OTHER, "lost"),
];

fn made_at(number: usize) -> String {
    format!("2024-05-0{}T00:00:00.000001+00:00", number + 1)
}

fn listed_id(number: usize) -> Id {
    Id::new(time(&made_at(number)), 7)
}

fn add_listed(specimen: &Specimen) {
    let rows: Vec<_> = LISTED
        .iter()
        .enumerate()
        .map(|(number, (user, provider, subject))| {
            let user = user.map_or_else(|| "NULL".to_owned(), |user| format!("{{ulid:{user}}}"));
            let (id, at) = (listed_id(number), made_at(number));
            format!("({{ulid:{id}}}, {{ulid:{provider}}}, {user}, '{subject}', '{at}')")
        })
        .collect();
    specimen.seed(&format!(
        "INSERT INTO upstream_oauth_providers (upstream_oauth_provider_id, scope, client_id, \
         token_endpoint_auth_method, created_at) VALUES ({{ulid:{OTHER}}}, 'openid', 'masctl', 'none', '{NOW}');
         INSERT INTO upstream_oauth_links (upstream_oauth_link_id, upstream_oauth_provider_id, user_id, subject, created_at) \
         VALUES {}",
        rows.join(", ")
    ));
}

fn filter() -> Filter {
    Filter::default()
}

fn made(after: Option<&str>, before: Option<&str>) -> Filter {
    Filter {
        created_after: after.map(time),
        created_before: before.map(time),
        ..filter()
    }
}

#[rstest]
#[case::all(filter(), &[0, 1, 2, 3, 4, 5, 6, 7])]
#[case::user(Filter { user: Some(id(ALICE)), ..filter() }, &[1, 4, 5])]
#[case::nobody(Filter { user: Some(id(NEW[0])), ..filter() }, &[])]
#[case::provider(Filter { provider: Some(id(PROVIDER)), ..filter() }, &[1, 2, 4, 6])]
#[case::subject(Filter { subject: Some("s0".to_owned()), ..filter() }, &[1, 5])]
#[case::subject_in_other_case(Filter { subject: Some("S0".to_owned()), ..filter() }, &[])]
#[case::hostile(Filter { subject: Some("' OR 1=1 --".to_owned()), ..filter() }, &[])]
#[case::subject_at(Filter { subject: Some("s0".to_owned()), provider: Some(id(OTHER)), ..filter() }, &[5])]
#[case::orphan(Filter { orphan: Some(true), ..filter() }, &[2, 7])]
#[case::orphan_at(Filter { orphan: Some(true), provider: Some(id(OTHER)), ..filter() }, &[7])]
#[case::no_orphan(Filter { orphan: Some(false), ..filter() }, &[0, 1, 3, 4, 5, 6])]
#[case::conflicting(Filter { conflicting: true, ..filter() }, &[1, 4, 0, 3])]
#[case::conflicting_at(Filter { conflicting: true, provider: Some(id(OTHER)), ..filter() }, &[0, 3])]
#[case::conflicting_of(Filter { conflicting: true, user: Some(id(ALICE)), ..filter() }, &[1, 4])]
#[case::conflicting_late(Filter { conflicting: true, ..made(Some("2024-05-04T00:00:00Z"), None) }, &[4, 3])]
#[case::after(made(Some("2024-05-04T00:00:00Z"), None), &[3, 4, 5, 6, 7])]
#[case::before(made(None, Some("2024-05-04T00:00:00Z")), &[0, 1, 2])]
#[case::between(made(Some("2024-05-04T00:00:00.001Z"), Some("2024-05-06T00:00:00.001Z")), &[4, 5])]
#[case::long_ago(made(None, Some("1969-01-01T00:00:00Z")), &[])]
#[case::ever(made(Some("1969-01-01T00:00:00Z"), Some("9999-12-31T00:00:00Z")), &[0, 1, 2, 3, 4, 5, 6, 7])]
#[tokio::test]
async fn links_are_listed_and_counted(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
    #[case] filter: Filter,
    #[case] expected: &[usize],
) {
    let mut specimen = Specimen::create(kind).await;
    add_listed(&specimen);
    let store = &mut specimen.connection;
    let expected: Vec<Id> = expected.iter().map(|&number| listed_id(number)).collect();
    let ids = |links: &[Link]| -> Vec<Id> { links.iter().map(|link| link.id).collect() };
    let all = link_page(store, &filter, None, 100).await.unwrap();
    assert_eq!(ids(&all), expected);
    let (mut after, mut walked) = (None, Vec::new());
    loop {
        let mut page = link_page(store, &filter, after.as_ref(), 1).await.unwrap();
        let Some(next) = page.pop() else { break };
        walked.push(next.id);
        after = Some(next);
    }
    assert_eq!(walked, expected);
    assert_eq!(
        link_count(store, &filter).await.unwrap(),
        i64::try_from(expected.len()).unwrap()
    );
}
