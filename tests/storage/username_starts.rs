//! Usernames by their first letters, as completion asks for them, whatever the collation of the database is.

use masctl::storage::{self, Connection, users::usernames_from};
use rstest::rstest;

use crate::support::{
    plans::{Plans, indexes, scanned},
    specimen::Specimen,
    store::Store,
};

async fn named(store: &mut Connection, start: &str) -> Vec<String> {
    usernames_from(store, start, 100).await.expect("the SQL is right")
}

/// Adds accounts with these names.
fn seed(specimen: &Specimen, kind: Store, names: &[String]) {
    for (number, names) in names.chunks(500).enumerate() {
        let row = |(place, name): (usize, &String)| {
            let hex = format!("0185{number:08x}{place:020x}");
            let id = match kind {
                Store::Sqlite => format!("x'{hex}'"),
                Store::Postgres => format!("'{hex}'"),
            };
            format!(
                "({id}, '{}', '2024-05-01T12:00:00.000001+00:00')",
                name.replace('\'', "''")
            )
        };
        let rows: Vec<String> = names.iter().enumerate().map(row).collect();
        specimen.seed(&format!(
            "INSERT INTO users (user_id, username, created_at) VALUES {}",
            rows.join(", ")
        ));
    }
}

#[rstest]
#[tokio::test]
async fn those_that_begin_so_are_found_in_any_case(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let names = [
        "ALina",
        "al%x",
        "al_y",
        "a'l\"",
        "xalice",
        "alice2",
        "b\u{1b}[2Jo",
        "ärger",
        "",
    ];
    seed(&specimen, kind, &names.map(str::to_owned));
    let store = &mut specimen.connection;
    assert_eq!(named(store, "ali").await, ["alice", "alice2", "ALina"]);
    assert_eq!(named(store, "ALI").await, ["alice", "alice2", "ALina"]);
    assert_eq!(named(store, "al%").await, ["al%x"]);
    assert_eq!(named(store, "al_").await, ["al_y"]);
    assert_eq!(named(store, "a'").await, ["a'l\""]);
    assert_eq!(named(store, "ä").await, ["ärger"]);
    assert_eq!(named(store, "zz").await, [""; 0]);
    assert_eq!(named(store, "\u{10ffff}").await, [""; 0]);
    assert_eq!(named(store, "").await.len(), 4 + names.len());
    assert_eq!(usernames_from(store, "", 3).await.unwrap().len(), 3);
}

/// Names with what collations treat in ways of their own: signs, case, letters with marks, digits.
fn many() -> Vec<String> {
    let mut names: Vec<String> = (0..20_000).map(|number| format!("user{number}")).collect();
    for separator in ["-", "_", ".", "=", "/", "+", " ", ""] {
        let of = |number| {
            [
                format!("al{separator}x{number}"),
                format!("a{separator}l{number}"),
                format!("{separator}al{number}"),
            ]
        };
        names.extend((0..20).flat_map(of));
    }
    names.extend(["AL-ICE", "Älina", "alß", "al\u{301}x", "alÿ", "ål1"].map(str::to_owned));
    names.sort_unstable();
    names.dedup();
    names
}

#[rstest]
#[case::bytes("C")]
#[case::root("und-x-icu")]
#[case::english("en-x-icu")]
#[case::swedish("sv-x-icu")]
#[case::czech("cs-x-icu")]
#[tokio::test]
async fn an_index_finds_them_in_every_collation(#[case] collation: &str) {
    let specimen = Specimen::create_empty(Store::Postgres).await;
    let known = specimen.rows(&format!("SELECT 1 FROM pg_collation WHERE collname = '{collation}'"));
    assert_eq!(known, ["1"], "the tests need a PostgreSQL with ICU");
    specimen.seed(&format!(
        "ALTER TABLE users ALTER COLUMN username TYPE text COLLATE \"{collation}\""
    ));
    let names = many();
    seed(&specimen, Store::Postgres, &names);
    specimen.seed("ANALYZE users");
    let database = specimen.configuration.database().expect("it was read before");
    let mut connection = storage::open(&database).await.expect("the store is there");
    let plans = Plans::listen(&mut connection).await;
    for start in ["al", "al-", "a", "user1999", "AL", "", "zz"] {
        // PostgreSQL makes a plan for all values after five with their own.
        for _ in 0..7 {
            let mut found = named(&mut connection, start).await;
            found.sort_unstable();
            let lower = start.to_lowercase();
            let expected: Vec<&String> = names
                .iter()
                .filter(|name| name.to_lowercase().starts_with(&lower))
                .collect();
            assert_eq!(found.len(), expected.len().min(100), "{start:?}");
            assert!(
                found.iter().all(|name| expected.contains(&name)),
                "{start:?}: {found:?}"
            );
            let (_, plan) = plans.take().pop().expect("it has a plan");
            assert_eq!(scanned(&plan), [""; 0], "{start:?}: {plan:#}");
            assert_eq!(indexes(&plan), ["users_lower_username_idx"], "{start:?}: {plan:#}");
        }
    }
}
