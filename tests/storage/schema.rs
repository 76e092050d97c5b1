//! Whose tables a database has, and of which version.

use masctl::{
    error::Code,
    storage::schema::{NEWEST_KNOWN, Status, require, status},
};
use rstest::rstest;

use crate::support::{specimen::Specimen, store::Store};

const MISSING: (Code, &str) = (Code::SchemaMissing, "The database has no MAS tables");

#[tokio::test]
async fn the_database_of_the_newest_mas_is_taken() {
    let mut specimen = Specimen::create_empty(Store::Postgres).await;
    let expected = Status::Mas {
        newest: NEWEST_KNOWN,
        applied: 167,
    };
    assert_eq!(status(&mut specimen.connection).await.unwrap(), expected);
    require(&mut specimen.connection).await.unwrap();
}

#[tokio::test]
async fn the_database_of_a_newer_mas_is_taken() {
    let mut specimen = Specimen::create_empty(Store::Postgres).await;
    specimen.seed(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (20990101000000, 'of tomorrow', true, '', 1)",
    );
    let expected = Status::Mas {
        newest: 20_990_101_000_000,
        applied: 168,
    };
    assert_eq!(status(&mut specimen.connection).await.unwrap(), expected);
    drop(specimen.connect().await);
}

#[tokio::test]
async fn the_database_of_an_older_mas_is_refused() {
    let mut specimen = Specimen::create_empty(Store::Postgres).await;
    specimen.seed(&format!("DELETE FROM _sqlx_migrations WHERE version = {NEWEST_KNOWN}"));
    let newest = specimen.rows("SELECT max(version)::text FROM _sqlx_migrations");
    let message = format!(
        "The database was migrated by an older MAS: its newest migration is {}, masctl needs {NEWEST_KNOWN} (MAS 1.22)",
        newest[0]
    );
    assert_eq!(specimen.refusal().await, (Code::SchemaOutdated, message));
    let expected = Status::Mas {
        newest: newest[0].parse().unwrap(),
        applied: 166,
    };
    assert_eq!(status(&mut specimen.connection).await.unwrap(), expected);
}

#[rstest]
#[case::without_any_table("DROP SCHEMA public CASCADE; CREATE SCHEMA public")]
#[case::without_migrations("DROP TABLE _sqlx_migrations")]
#[case::without_rows("DELETE FROM _sqlx_migrations")]
#[case::of_another_program("DELETE FROM _sqlx_migrations WHERE version = 20221018142001")]
#[case::with_another_table_of_the_name("DROP TABLE _sqlx_migrations; CREATE TABLE _sqlx_migrations (id bigint)")]
#[tokio::test]
async fn a_database_that_is_not_of_mas_is_refused(#[case] sql: &str) {
    let mut specimen = Specimen::create_empty(Store::Postgres).await;
    specimen.seed(sql);
    let (code, message) = MISSING;
    assert_eq!(specimen.refusal().await, (code, message.to_owned()));
    let error = require(&mut specimen.connection).await.unwrap_err();
    assert_eq!(error.code(), code);
}

#[tokio::test]
async fn a_file_has_the_tables_of_this_masctl() {
    let mut specimen = Specimen::create_empty(Store::Sqlite).await;
    let expected = Status::Embedded { applied: 1, known: 1 };
    assert_eq!(status(&mut specimen.connection).await.unwrap(), expected);
    require(&mut specimen.connection).await.unwrap();
}
