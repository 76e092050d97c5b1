//! The embedded store's tables have the shape of MAS's: checked against MAS's own catalogue in `fixtures/mas`.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteRow};

const MIGRATION: &str = include_str!("../migrations/sqlite/0001_mas_schema.sql");
const SCHEMA: &str = include_str!("fixtures/mas/schema.tsv");
const CONSTRAINTS: &str = include_str!("fixtures/mas/constraints.tsv");
const INDEXES: &str = include_str!("fixtures/mas/indexes.tsv");

/// The table of sqlx's own migrations, which sqlx lays out itself.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    name: String,
    kind: String,
    required: bool,
    default: String,
    primary: bool,
}

#[test]
fn tables_and_columns_are_those_of_mas() {
    let mut expected: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    let keys = primary_keys();
    for [table, name, kind, nullable, default] in rows(SCHEMA) {
        expected.entry(table.to_owned()).or_default().push(Column {
            name: name.to_owned(),
            kind: sqlite_type(kind).to_owned(),
            required: nullable == "NOT NULL",
            default: sqlite_default(kind, default),
            primary: keys.contains(&(table.to_owned(), name.to_owned())),
        });
    }
    let actual = with_database(async |db| {
        let mut actual: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        let sql = r#"SELECT m.name AS "table", c.name, c.type, c."notnull", coalesce(c.dflt_value, '') AS dflt, c.pk > 0 AS pk
            FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid"#;
        for row in fetch(db, sql).await {
            actual.entry(row.get("table")).or_default().push(Column {
                name: row.get("name"),
                kind: row.get("type"),
                required: row.get("notnull"),
                default: row.get("dflt"),
                primary: row.get("pk"),
            });
        }
        actual
    });
    assert_eq!(actual.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (table, columns) in &expected {
        assert_eq!(&actual[table], columns, "{table}");
    }
}

#[test]
fn foreign_keys_are_those_of_mas() {
    let expected: BTreeSet<_> = constraints("FOREIGN KEY")
        .map(|(table, definition)| {
            let (columns, rest) = parenthesized(definition);
            let (target, rest) = rest.trim_start_matches(" REFERENCES ").split_once('(').unwrap();
            let (target_columns, action) = rest.split_once(')').unwrap();
            let action = match action.trim() {
                "" => "NO ACTION",
                action => action.trim_start_matches("ON DELETE "),
            };
            [table, columns, target, target_columns, action].map(str::to_owned)
        })
        .collect();
    let actual: BTreeSet<_> = with_database(async |db| {
        let sql = r#"SELECT m.name, k."from", k."table", k."to", k.on_delete
            FROM sqlite_schema m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table'"#;
        let rows = fetch(db, sql).await;
        rows.iter()
            .map(|row| [0, 1, 2, 3, 4].map(|at| row.get::<String, _>(at)))
            .collect()
    });
    assert_eq!(actual, expected);
}

#[test]
fn what_is_unique_in_mas_is_unique() {
    let expected: BTreeSet<_> = rows(INDEXES)
        .filter(|[_, _, definition, _]| definition.starts_with("CREATE UNIQUE"))
        .map(|[table, _, definition, _]| {
            let columns = parenthesized(definition).0.to_owned();
            (table.to_owned(), columns, definition.contains(" WHERE "))
        })
        .collect();
    let actual: BTreeSet<_> = with_database(async |db| {
        let sql = r#"SELECT m.name, i.partial, (SELECT group_concat(name, ', ') FROM pragma_index_info(i.name)) AS columns
            FROM sqlite_schema m, pragma_index_list(m.name) i WHERE m.type = 'table' AND i."unique""#;
        let rows = fetch(db, sql).await;
        rows.iter()
            .map(|row| {
                (
                    row.get::<String, _>("name"),
                    row.get::<String, _>("columns"),
                    row.get::<bool, _>("partial"),
                )
            })
            .collect()
    });
    assert_eq!(actual, expected);
}

#[test]
fn every_index_of_mas_that_sqlite_can_have_is_there() {
    let backed: BTreeSet<_> = ["PRIMARY KEY", "UNIQUE"]
        .into_iter()
        .flat_map(constraint_names)
        .collect();
    let expected: BTreeSet<_> = rows(INDEXES)
        .filter(|[_, name, definition, _]| !backed.contains(*name) && !definition.contains(" USING gin "))
        .map(|[table, name, definition, _]| (table.to_owned(), name.to_owned(), definition.contains(" WHERE ")))
        .collect();
    let actual: BTreeSet<_> = with_database(async |db| {
        let sql =
            "SELECT tbl_name, name, sql LIKE '% WHERE %' FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
        let rows = fetch(db, sql).await;
        rows.iter()
            .map(|row| (row.get::<String, _>(0), row.get::<String, _>(1), row.get::<bool, _>(2)))
            .collect()
    });
    assert_eq!(actual, expected);
}

/// Rows that a check of MAS allows or refuses: table and columns, values, whether it is allowed.
const CHECKED: &[(&str, &str, bool)] = &[
    (
        "queue_jobs (queue_job_id, created_at, queue_name)",
        "x'01', '', ''",
        true,
    ),
    (
        "queue_jobs (queue_job_id, created_at, queue_name, status)",
        "x'02', '', '', 'failed'",
        true,
    ),
    (
        "queue_jobs (queue_job_id, created_at, queue_name, status)",
        "x'03', '', '', 'done'",
        false,
    ),
    (
        "queue_leader (elected_at, expires_at, queue_worker_id)",
        "'', '', x'01'",
        true,
    ),
    (
        "queue_leader (active, elected_at, expires_at, queue_worker_id)",
        "0, '', '', x'01'",
        false,
    ),
    (
        "personal_sessions (personal_session_id, owner_user_id, actor_user_id, human_name, scope_list, created_at)",
        "x'01', x'01', x'01', '', '[]', ''",
        true,
    ),
    (
        "personal_sessions (personal_session_id, actor_user_id, human_name, scope_list, created_at)",
        "x'02', x'01', '', '[]', ''",
        false,
    ),
    (
        "personal_access_tokens (personal_access_token_id, personal_session_id, access_token_sha256, created_at)",
        "x'01', x'01', zeroblob(32), ''",
        true,
    ),
    (
        "personal_access_tokens (personal_access_token_id, personal_session_id, access_token_sha256, created_at)",
        "x'02', x'01', zeroblob(31), ''",
        false,
    ),
    ("users (user_id, username, created_at)", "'text', 'bob', ''", false),
];

#[test]
fn the_checks_of_mas_hold() {
    assert_eq!(
        rows::<4>(CONSTRAINTS).filter(|[_, kind, ..]| *kind == "CHECK").count(),
        3
    );
    with_database(async |db| {
        execute(
            db,
            "INSERT INTO users (user_id, username, created_at) VALUES (x'01', 'alice', '')",
        )
        .await
        .unwrap();
        execute(db, "INSERT INTO queue_workers VALUES (x'01', '', '', NULL)")
            .await
            .unwrap();
        for (target, values, allowed) in CHECKED {
            let result = execute(db, &format!("INSERT INTO {target} VALUES ({values})")).await;
            assert_eq!(result.is_ok(), *allowed, "{target} {values}: {result:?}");
        }
    });
}

#[test]
fn a_login_through_an_upstream_provider_names_its_session() {
    with_database(async |db| {
        for statement in [
            "INSERT INTO users (user_id, username, created_at) VALUES (x'01', 'alice', '')",
            "INSERT INTO user_sessions (user_session_id, user_id, created_at) VALUES (x'02', x'01', ''), (x'03', x'01', '')",
            "INSERT INTO upstream_oauth_providers \
             (upstream_oauth_provider_id, scope, client_id, token_endpoint_auth_method, created_at) \
             VALUES (x'04', '', '', '', '')",
            "INSERT INTO upstream_oauth_authorization_sessions \
             (upstream_oauth_authorization_session_id, upstream_oauth_provider_id, state, created_at, user_session_id) \
             VALUES (x'05', x'04', 'a', '', NULL), (x'06', x'04', 'b', '', x'03'), (x'07', x'04', 'c', '', NULL)",
            "INSERT INTO user_session_authentications VALUES \
             (x'08', x'02', '', NULL, x'05'), (x'09', x'02', '', NULL, x'06'), (x'0A', x'02', '', NULL, NULL)",
        ] {
            execute(db, statement).await.unwrap();
        }
        let sql = "SELECT user_session_id FROM upstream_oauth_authorization_sessions ORDER BY state";
        let sessions: Vec<Option<Vec<u8>>> = fetch(db, sql).await.iter().map(|row| row.get(0)).collect();
        assert_eq!(sessions, [Some(vec![2]), Some(vec![3]), None]);
    });
}

/// Runs `work` on an empty embedded store in memory.
fn with_database<T>(work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let mut db = SqliteConnection::connect("sqlite::memory:")
            .await
            .expect("SQLite opens memory");
        sqlx::raw_sql(MIGRATION)
            .execute(&mut db)
            .await
            .expect("the migration is SQL");
        work(&mut db).await
    })
}

async fn fetch(db: &mut SqliteConnection, sql: &'static str) -> Vec<SqliteRow> {
    sqlx::query(sql).fetch_all(db).await.expect("the query is SQL")
}

async fn execute(db: &mut SqliteConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(db).await.map(drop)
}

/// The rows of a catalogue that are about MAS's own tables, without the heading.
fn rows<const N: usize>(catalogue: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    catalogue
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with(MIGRATIONS_TABLE))
        .map(|line| {
            line.split('\t')
                .collect::<Vec<_>>()
                .try_into()
                .unwrap_or_else(|row| panic!("{row:?} has not {N} fields"))
        })
}

/// The tables and definitions of the constraints of one kind.
fn constraints(kind: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows(CONSTRAINTS)
        .filter(move |row: &[&str; 4]| row[1] == kind)
        .map(|[table, _, _, definition]| (table, definition))
}

fn constraint_names(kind: &'static str) -> impl Iterator<Item = &'static str> {
    rows(CONSTRAINTS)
        .filter(move |row: &[&str; 4]| row[1] == kind)
        .map(|[_, _, name, _]| name)
}

/// Tables with the columns of their primary keys.
fn primary_keys() -> BTreeSet<(String, String)> {
    constraints("PRIMARY KEY")
        .flat_map(|(table, definition)| {
            parenthesized(definition)
                .0
                .split(", ")
                .map(move |column| (table.to_owned(), column.to_owned()))
        })
        .collect()
}

/// The text in the first parentheses, and what follows them.
fn parenthesized(definition: &str) -> (&str, &str) {
    let (_, rest) = definition.split_once('(').expect("a definition has columns");
    rest.split_once(')').expect("what opens is closed")
}

fn sqlite_type(postgres: &str) -> &'static str {
    match postgres {
        "uuid" | "bytea" => "BLOB",
        "boolean" | "integer" | "bigint" => "INTEGER",
        "text" | "timestamp with time zone" | "jsonb" | "text[]" | "inet" | "queue_job_status" => "TEXT",
        other => panic!("no type for {other}"),
    }
}

fn sqlite_default(kind: &str, postgres: &str) -> String {
    let value = postgres.split("::").next().unwrap_or_default();
    match (kind, value) {
        ("boolean", "false") => "0",
        ("boolean", "true") => "1",
        ("text[]", "'{}'") => "'[]'",
        _ => value,
    }
    .to_owned()
}
