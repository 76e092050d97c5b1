//! E-mail addresses.

use masctl::{
    error::Code,
    model::{Email, Id},
    storage::{
        Connection,
        emails::{
            Filter, email_add, email_count, email_duplicate_count, email_duplicate_page, email_of_user,
            email_other_owner, email_owner_page, email_page, email_remove, email_remove_all,
        },
    },
};
use rstest::rstest;

use super::{LATER, NEW, NOW};
use crate::support::{
    cast::{ALICE, ALICE_EMAIL, BOB, CAROL, CREATED_AT, alice, bob, carol, id, time},
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

/// alice's address of the cast, and four more: id, owner, address.
const ADDRESSES: [(&str, &str, &str); 4] = [
    (NEW[0], BOB, "ALICE@example.com"),
    (NEW[1], BOB, "bob@sub.example.com"),
    (NEW[2], CAROL, "c_rol%@Example.org"),
    (NEW[3], ALICE, "alice@example.org"),
];

async fn with_addresses(kind: Store) -> Specimen {
    let mut specimen = Specimen::create(kind).await;
    for (ulid, user, address) in ADDRESSES {
        let added = email_add(&mut specimen.connection, id(ulid), id(user), address, time(NOW)).await;
        added.expect("the SQL is right");
    }
    specimen
}

fn ids(emails: &[Email]) -> Vec<Id> {
    emails.iter().map(|email| email.id).collect()
}

#[rstest]
#[tokio::test]
async fn addresses_are_found_by_owner_address_and_domain(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_addresses(kind).await;
    let store = &mut specimen.connection;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for (user, address, domain, expected) in [
        (None, "", "", vec![ALICE_EMAIL, NEW[0], NEW[1], NEW[2], NEW[3]]),
        (Some(ALICE), "", "", vec![ALICE_EMAIL, NEW[3]]),
        (Some(NEW[0]), "", "", vec![]),
        (None, "alice@EXAMPLE.com", "", vec![ALICE_EMAIL, NEW[0]]),
        (None, "%@example.com", "", vec![]),
        (Some(BOB), "alice@example.com", "", vec![NEW[0]]),
        (None, "", "example.com", vec![ALICE_EMAIL, NEW[0]]),
        (None, "", "EXAMPLE.ORG", vec![NEW[2], NEW[3]]),
        (Some(CAROL), "", "example.org", vec![NEW[2]]),
        (None, "", "sub.example.com", vec![NEW[1]]),
        (None, "", "example", vec![]),
        (None, "", "xample.com", vec![]),
        (None, "", "%", vec![]),
        (None, "", "_xample.com", vec![]),
        (
            None,
            "",
            "a-domain-that-is-longer-than-any-of-the-addresses.example.com",
            vec![],
        ),
        (None, "alice@example.org", "example.com", vec![]),
    ] {
        let filter = Filter {
            user: user.map(id),
            address: text(address),
            domain: text(domain),
        };
        let page = email_page(store, &filter, Id::least(), 9).await.unwrap();
        let expected: Vec<Id> = expected.into_iter().map(id).collect();
        assert_eq!(ids(&page), expected, "{filter:?}");
        let count = i64::try_from(expected.len()).unwrap();
        assert_eq!(email_count(store, &filter).await.unwrap(), count, "{filter:?}");
        let rest: Vec<Id> = expected
            .iter()
            .copied()
            .filter(|found| *found > id(NEW[0]))
            .take(2)
            .collect();
        let page = email_page(store, &filter, id(NEW[0]), 2).await.unwrap();
        assert_eq!(ids(&page), rest, "{filter:?}");
    }
    let first = email_page(store, &Filter::default(), Id::least(), 1).await.unwrap();
    assert_eq!(first, [email(ALICE_EMAIL, ALICE, "alice@example.com", CREATED_AT)]);
}

#[rstest]
#[tokio::test]
async fn the_owners_of_an_address_are_each_found_once(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_addresses(kind).await;
    let store = &mut specimen.connection;
    let again = "01HWT60000000000000000000E";
    email_add(store, id(again), id(CAROL), "Alice@example.com", time(NOW))
        .await
        .unwrap();
    for (address, after, most, expected) in [
        ("alice@example.COM", Id::least(), 9, vec![alice(), bob(), carol()]),
        ("alice@example.COM", Id::least(), 2, vec![alice(), bob()]),
        ("alice@example.COM", id(BOB), 2, vec![carol()]),
        ("bob@sub.example.com", Id::least(), 9, vec![bob()]),
        ("", Id::least(), 9, vec![]),
    ] {
        let owners = email_owner_page(store, address, after, most).await.unwrap();
        assert_eq!(owners, expected, "{address} {after} {most}");
    }
}

#[rstest]
#[tokio::test]
async fn an_address_is_removed_with_its_tickets(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_addresses(kind).await;
    specimen.seed(&format!(
        "INSERT INTO user_recovery_sessions (user_recovery_session_id, email, user_agent, locale, created_at) VALUES \
         ({{ulid:{0}}}, 'alice@example.com', 'x', 'en', '{NOW}');
         INSERT INTO user_recovery_tickets (user_recovery_ticket_id, user_recovery_session_id, user_email_id, ticket, \
         created_at, expires_at) VALUES ({{ulid:{0}}}, {{ulid:{0}}}, {{ulid:{ALICE_EMAIL}}}, 'ticket', '{NOW}', '{LATER}')",
        NEW[0]
    ));
    let store = &mut specimen.connection;
    let removed = email_remove(store, id(ALICE_EMAIL)).await.unwrap();
    assert_eq!(
        removed,
        Some(email(ALICE_EMAIL, ALICE, "alice@example.com", CREATED_AT))
    );
    assert_eq!(email_remove(store, id(ALICE_EMAIL)).await.unwrap(), None);
    let left = email_page(store, &Filter::default(), Id::least(), 9).await.unwrap();
    assert_eq!(ids(&left), NEW.map(id));
    assert_eq!(specimen.rows("SELECT count(*) FROM user_recovery_tickets"), ["0"]);
    assert_eq!(specimen.rows("SELECT count(*) FROM user_recovery_sessions"), ["1"]);
}

#[rstest]
#[tokio::test]
async fn an_address_is_removed_from_one_user_in_every_case(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_addresses(kind).await;
    let store = &mut specimen.connection;
    let twins = ["01HWT60000000000000000000F", "01HWT60000000000000000000E"];
    for twin in twins {
        email_add(store, id(twin), id(ALICE), "Alice@Example.COM", time(NOW))
            .await
            .unwrap();
    }
    let all_but = email_remove_all(store, id(ALICE), "alice@example.com", Some(id(ALICE_EMAIL))).await;
    assert_eq!(ids(&all_but.unwrap()), [id(twins[1]), id(twins[0])]);
    for expected in [vec![id(ALICE_EMAIL)], vec![]] {
        let removed = email_remove_all(store, id(ALICE), "ALICE@example.com", None)
            .await
            .unwrap();
        assert_eq!(ids(&removed), expected);
    }
    let left = email_page(store, &Filter::default(), Id::least(), 9).await.unwrap();
    assert_eq!(ids(&left), NEW.map(id));
}

/// Reads pages of `most` up to the end.
async fn duplicates(store: &mut Connection, most: u64) -> Vec<Email> {
    let mut found: Vec<Email> = Vec::new();
    loop {
        let after = found.last().map(|email| (email.email.clone(), email.id));
        let after = after.as_ref().map(|(address, id)| (address.as_str(), *id));
        let page = email_duplicate_page(store, after, most).await;
        let page = page.expect("the SQL is right");
        if page.is_empty() {
            return found;
        }
        assert!(page.len() as u64 <= most);
        found.extend(page);
    }
}

#[rstest]
#[tokio::test]
async fn duplicates_stand_together_on_whatever_pages(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = with_addresses(kind).await;
    let store = &mut specimen.connection;
    let twins = ["01HWT60000000000000000000E", "01HWT60000000000000000000F"];
    for (ulid, user, address) in [
        (twins[1], CAROL, "aaa@example.com"),
        (twins[0], CAROL, "AAA@example.com"),
    ] {
        email_add(store, id(ulid), id(user), address, time(NOW)).await.unwrap();
    }
    for most in [1, 2, 3, 9] {
        let found = duplicates(store, most).await;
        assert_eq!(
            ids(&found),
            [id(twins[0]), id(twins[1]), id(ALICE_EMAIL), id(NEW[0])],
            "{most}"
        );
    }
    assert_eq!(email_duplicate_count(store).await.unwrap(), 4);
    email_remove(store, id(twins[0])).await.unwrap();
    email_remove(store, id(NEW[0])).await.unwrap();
    assert_eq!(duplicates(store, 9).await, []);
    assert_eq!(email_duplicate_count(store).await.unwrap(), 0);
}

/// More addresses than one statement looks at. The same ones are at the end of what the first looks at, and at the end of
/// all.
#[rstest]
#[tokio::test]
async fn duplicates_are_found_among_many(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let (id_of, folded) = match kind {
        Store::Sqlite => ("unhex(printf('%032x', n))", "printf('%05d', address)"),
        Store::Postgres => ("lpad(to_hex(n), 32, '0')::uuid", "lpad(address::text, 5, '0')"),
    };
    // Row n has the address n, but for some that have that of the row before.
    specimen.seed(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20005), \
         rows (n, address) AS (SELECT n, CASE WHEN n IN (10001, 10002, 20005) THEN CASE WHEN n = 20005 THEN n - 1 \
         ELSE 10000 END ELSE n END FROM numbers) \
         INSERT INTO user_emails (user_email_id, user_id, email, created_at) \
         SELECT {id_of}, {{ulid:{BOB}}}, {folded} || '@example.com', '{NOW}' FROM rows"
    ));
    let store = &mut specimen.connection;
    for most in [1, 2, 1000] {
        let found = duplicates(store, most).await;
        let addresses: Vec<&str> = found.iter().map(|email| &email.email[..5]).collect();
        assert_eq!(addresses, ["10000", "10000", "10000", "20004", "20004"], "{most}");
        assert!(found[..3].is_sorted_by_key(|email| email.id) && found[3].id < found[4].id);
    }
    assert_eq!(email_duplicate_count(store).await.unwrap(), 5);
    let filter = Filter {
        domain: Some("example.com".to_owned()),
        ..Filter::default()
    };
    assert_eq!(email_count(store, &filter).await.unwrap(), 20_006);
    let last = email_page(store, &filter, id(NEW[0]), 9).await.unwrap();
    assert_eq!(last, []);
}
