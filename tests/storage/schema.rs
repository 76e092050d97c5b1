//! Whose tables a database has, of which version, and what masctl may do with them.

use masctl::{
    error::Code,
    storage::{
        diagnosis::obstacle,
        rights::explain,
        schema::{NEWEST_KNOWN, Schema, Status, feature, is_migrating, status},
        users::user_by_name,
    },
};
use rstest::rstest;
use sqlx::{ConnectOptions, Connection as _};

use crate::support::{
    cast::alice,
    specimen::Specimen,
    store::{Store, migration_lock},
};

const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
     VALUES (20990101000000, 'of tomorrow', true, '', 1)";

async fn schema(specimen: &mut Specimen) -> Schema {
    match status(&mut specimen.connection).await.expect("it is MAS's") {
        Status::Mas(schema) => schema,
        Status::Embedded { .. } => panic!("it is PostgreSQL"),
    }
}

/// A store whose migrations were changed by SQL, looked at anew.
async fn changed(sql: &str) -> Specimen {
    let mut specimen = Specimen::create(Store::Postgres).await;
    specimen.seed(sql);
    specimen.connection = specimen.connect().await;
    specimen
}

/// Why nothing may be written, which is also why no transaction is begun.
async fn refusal(specimen: &mut Specimen) -> (Code, String) {
    let obstacle = obstacle(&mut specimen.connection).await.expect("it can be read");
    let told = obstacle.map(|error| (error.code(), error.message().to_owned()));
    let refused = specimen.connection.begin().await.expect_err("nothing may be written");
    let refused = (refused.code(), refused.message().to_owned());
    assert_eq!(told, Some(refused.clone()));
    refused
}

#[tokio::test]
async fn the_database_of_the_newest_mas_is_as_masctl_knows_it() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    let found = schema(&mut specimen).await;
    assert_eq!((found.newest, found.applied), (NEWEST_KNOWN, 167));
    assert_eq!((found.missing, found.unknown, found.lacking), Default::default());
    assert!(obstacle(&mut specimen.connection).await.unwrap().is_none());
    assert!(!is_migrating(&mut specimen.connection).await.unwrap());
    specimen.connection.begin().await.unwrap();
}

#[tokio::test]
async fn migrations_that_mas_has_taken_back_are_nothing_new() {
    let mut specimen = changed(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT version, 'taken back', true, '', 1 \
         FROM unnest(ARRAY[20220709210445, 20230330210841, 20230408110421]) AS old (version)",
    )
    .await;
    let found = schema(&mut specimen).await;
    assert_eq!((found.newest, found.applied), (NEWEST_KNOWN, 170));
    assert_eq!(found.warning(), None);
    specimen.connection.begin().await.unwrap();
}

#[tokio::test]
async fn the_database_of_a_newer_mas_is_written_to_while_the_columns_are_there() {
    let mut specimen = changed(NEWER).await;
    let found = schema(&mut specimen).await;
    assert_eq!((found.newest, found.applied), (20_990_101_000_000, 168));
    assert_eq!(found.unknown, [20_990_101_000_000]);
    assert!(found.warning().is_some());
    specimen.connection.begin().await.unwrap();
}

#[tokio::test]
async fn the_database_of_a_newer_mas_without_a_column_is_only_read() {
    let gone = "ALTER TABLE users DROP COLUMN is_guest; ALTER TABLE queue_workers RENAME TO workers";
    let mut specimen = changed(&format!("{NEWER}; {gone}")).await;
    assert_eq!(
        refusal(&mut specimen).await,
        (
            Code::SchemaChanged,
            "A newer MAS has taken away `queue_workers.queue_worker_id`, `queue_workers.registered_at`, \
             `queue_workers.last_seen_at` and 2 more from the database, which masctl needs"
                .to_owned()
        )
    );
    let store = &mut specimen.connection;
    let unread = user_by_name(store, "alice").await.unwrap_err();
    let explained = explain(store, unread).await;
    assert_eq!(
        (explained.code(), explained.message()),
        (
            Code::SchemaChanged,
            "The database was migrated by a newer MAS, without what is read here: column \"is_guest\" does not exist"
        )
    );
}

/// A column that the user may not see is there all the same.
#[tokio::test]
async fn a_column_without_rights_is_not_taken_for_missing() {
    let mut specimen = changed(&format!("{NEWER}; REVOKE ALL ON users FROM masctl_clerk")).await;
    assert_eq!(schema(&mut specimen).await.lacking, [""; 0]);
}

#[rstest]
#[case::the_newest(NEWEST_KNOWN)]
#[case::one_in_the_middle(20_250_602_212_100)]
#[tokio::test]
async fn the_database_of_an_older_mas_is_only_read(#[case] version: i64) {
    let mut specimen = changed(&format!("DELETE FROM _sqlx_migrations WHERE version = {version}")).await;
    let why = match feature(version) {
        Some(feature) => format!(" ({feature})"),
        None => ", without which masctl was not tested".to_owned(),
    };
    let message = format!("The database was migrated by an older MAS: it lacks migration {version}{why}");
    assert_eq!(refusal(&mut specimen).await, (Code::SchemaOutdated, message));
    let found = schema(&mut specimen).await;
    assert_eq!((found.applied, found.missing), (166, vec![version]));
    assert_eq!(
        user_by_name(&mut specimen.connection, "alice").await.unwrap(),
        Some(alice())
    );
}

/// One that lacks a migration and has one too many has as many as it should: numbers alone do not tell.
#[tokio::test]
async fn a_database_that_went_another_way_is_told_from_the_known_one() {
    let mut specimen =
        changed("UPDATE _sqlx_migrations SET version = 20250602212199 WHERE version = 20250602212100").await;
    let found = schema(&mut specimen).await;
    assert_eq!((found.newest, found.applied), (NEWEST_KNOWN, 167));
    assert_eq!(
        (found.missing, found.unknown),
        (vec![20_250_602_212_100], vec![20_250_602_212_199])
    );
}

#[tokio::test]
async fn nothing_is_written_while_mas_migrates_and_mas_does_not_migrate_while_something_is_written() {
    let mut specimen = Specimen::create(Store::Postgres).await;
    let mut migrator = specimen.options().connect().await.unwrap();
    let key = "SELECT pg_try_advisory_lock($1)";
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&mut migrator)
        .await
        .unwrap();
    let try_lock = async |migrator: &mut _| -> bool {
        let taken = sqlx::query_scalar(key).bind(migration_lock(&name));
        taken.fetch_one(migrator).await.unwrap()
    };
    specimen.connection.begin().await.unwrap();
    assert!(!try_lock(&mut migrator).await);
    assert!(!is_migrating(&mut specimen.connection).await.unwrap());
    // Another masctl is not kept waiting.
    let mut other = specimen.connect().await;
    other.begin().await.unwrap();
    other.rollback().await.unwrap();
    specimen.connection.commit().await.unwrap();

    assert!(try_lock(&mut migrator).await);
    assert!(is_migrating(&mut specimen.connection).await.unwrap());
    assert_eq!(
        refusal(&mut specimen).await,
        (
            Code::SchemaMigrating,
            "MAS is migrating the database: nothing may be written until it is done".to_owned()
        )
    );
    // Reading goes on, and so does everything once the migration is over.
    let read = user_by_name(&mut specimen.connection, "alice").await.unwrap();
    assert_eq!(read, Some(alice()));
    migrator.close().await.unwrap();
    let start = std::time::Instant::now();
    while is_migrating(&mut specimen.connection).await.unwrap() {
        assert!(
            start.elapsed() < std::time::Duration::from_secs(20),
            "the lock is never released"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    specimen.connection.begin().await.unwrap();
}

#[rstest]
#[case::without_any_table("DROP SCHEMA public CASCADE; CREATE SCHEMA public")]
#[case::without_migrations("DROP TABLE _sqlx_migrations")]
#[case::without_rows("DELETE FROM _sqlx_migrations")]
#[case::of_another_program("DELETE FROM _sqlx_migrations WHERE version = 20221018142001")]
#[case::with_another_table_of_the_name(
    "DROP TABLE _sqlx_migrations; CREATE TABLE _sqlx_migrations (id bigint); \
     GRANT SELECT ON _sqlx_migrations TO masctl_clerk"
)]
#[tokio::test]
async fn a_database_that_is_not_of_mas_is_refused(#[case] sql: &str) {
    let specimen = Specimen::create_empty(Store::Postgres).await;
    specimen.seed(sql);
    let missing = (Code::SchemaMissing, "The database has no MAS tables".to_owned());
    assert_eq!(specimen.refusal().await, missing);
}

#[tokio::test]
async fn tables_where_the_user_does_not_look_are_found() {
    let specimen = Specimen::create_empty(Store::Postgres).await;
    specimen.seed("ALTER SCHEMA public RENAME TO mas; CREATE SCHEMA public");
    assert_eq!(
        specimen.refusal().await,
        (
            Code::SchemaMissing,
            "MAS's tables are in the schema mas, where the database user masctl_clerk does not look".to_owned()
        )
    );
}

#[tokio::test]
async fn tables_where_the_user_may_not_look_are_a_lack_of_rights() {
    let specimen = Specimen::create_empty(Store::Postgres).await;
    specimen.seed("REVOKE ALL ON SCHEMA public FROM PUBLIC");
    assert_eq!(
        specimen.refusal().await,
        (
            Code::DatabaseRefused,
            "The database user masctl_clerk lacks USAGE on the schema public, which MAS's tables are in".to_owned()
        )
    );
}

#[tokio::test]
async fn a_file_has_the_tables_of_this_masctl() {
    let mut specimen = Specimen::create_empty(Store::Sqlite).await;
    let expected = Status::Embedded { applied: 1, known: 1 };
    assert_eq!(status(&mut specimen.connection).await.unwrap(), expected);
    assert!(obstacle(&mut specimen.connection).await.unwrap().is_none());
}
