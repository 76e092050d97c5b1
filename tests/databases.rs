//! The databases of the tests are what the tests believe: a server of our own, laid out like MAS's.

use sqlx::{ConnectOptions, Connection, Row};

use crate::support::{
    postgres::{Database, LOCKED_OUT, server},
    wait_for,
};

#[test]
fn a_database_has_the_tables_and_migrations_of_mas() {
    let options = Database::create("has_tables").options();
    let row = wait_for(async move {
        let mut connection = options.connect().await?;
        let row = sqlx::query(
            "SELECT max(version), count(*), (SELECT count(*) FROM users), (SELECT count(*) FROM queue_jobs) \
             FROM _sqlx_migrations",
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(row)
    })
    .expect("MAS's tables are there");
    let migrations = include_str!("fixtures/mas/migrations.tsv").lines().skip(1);
    let versions: Vec<i64> = migrations
        .filter_map(|line| line.split('\t').next()?.parse().ok())
        .collect();
    let count = i64::try_from(versions.len()).expect("there are few");
    assert_eq!(row.get::<Option<i64>, _>(0), versions.iter().max().copied());
    assert_eq!(
        (row.get::<i64, _>(1), row.get::<i64, _>(2), row.get::<i64, _>(3)),
        (count, 0, 0)
    );
}

#[test]
fn the_locked_out_role_needs_its_password() {
    let connect = |password: &str| {
        let options = Database::create(&format!("password_{password}")).options();
        let options = options.username(LOCKED_OUT).password(password);
        wait_for(async move { options.connect().await?.close().await }).map_err(|error| error.to_string())
    };
    assert_eq!(connect("right"), Ok(()));
    let refused = connect("wrong").expect_err("the password is wrong");
    assert!(
        refused.contains("password authentication failed for user \"locked_out\""),
        "{refused}"
    );
}

#[test]
fn the_socket_of_a_server_of_our_own_is_in_its_folder() {
    let socket = |folder: &std::path::PathBuf| folder.join(format!(".s.PGSQL.{}", server().port)).exists();
    assert!(server().socket_folder.as_ref().is_none_or(socket));
}
