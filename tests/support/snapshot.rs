//! All rows of a store at one moment, and what differs between two moments.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use super::{
    store::OpenStore,
    value::{Cells, cells_postgres, cells_sqlite},
    wait_for,
};

const CONSTRAINTS: &str = include_str!("../fixtures/mas/constraints.tsv");

/// The rows of a table by their keys, as text.
type Table = BTreeMap<String, Cells>;

/// All rows of all tables.
#[derive(Debug, Default)]
pub(crate) struct Snapshot(BTreeMap<String, Table>);

/// One row that differs.
#[derive(Debug)]
pub(crate) enum Difference<'a> {
    Added {
        table: &'a str,
        key: &'a str,
        row: &'a Cells,
    },
    Removed {
        table: &'a str,
        key: &'a str,
        row: &'a Cells,
    },
    Changed {
        table: &'a str,
        key: &'a str,
        before: &'a Cells,
        after: &'a Cells,
    },
}

impl Snapshot {
    /// Reads a store whole, whatever tables it has.
    pub(crate) fn take(store: &OpenStore) -> sqlx::Result<Self> {
        let tables = match store {
            OpenStore::Postgres { database, .. } => wait_for(read_postgres(database.options())),
            OpenStore::Sqlite { file, .. } if file.exists() => {
                wait_for(read_sqlite(SqliteConnectOptions::new().filename(file)))
            }
            OpenStore::Sqlite { .. } => Ok(Vec::new()),
        }?;
        let keyed = tables.into_iter().map(|(table, rows)| {
            let keys = primary_key(&table);
            let rows = rows.into_iter().map(|row| (key(&keys, &row), row)).collect();
            (table, rows)
        });
        Ok(Self(keyed.collect()))
    }

    /// Of one row alone.
    pub(crate) fn of_row(table: &str, key: &str, row: Cells) -> Self {
        Self([(table.to_owned(), [(key.to_owned(), row)].into())].into())
    }

    /// A row by its key.
    pub(crate) fn row(&self, table: &str, key: &str) -> Option<&Cells> {
        self.0.get(table)?.get(key)
    }

    /// What has become different since, by table and key.
    pub(crate) fn differences<'a>(&'a self, after: &'a Self) -> Vec<Difference<'a>> {
        static NONE: Table = Table::new();
        let mut differences = Vec::new();
        let tables: BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        for table in tables {
            let (old, new) = (self.0.get(table).unwrap_or(&NONE), after.0.get(table).unwrap_or(&NONE));
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                differences.extend(match (old.get(key), new.get(key)) {
                    (None, Some(row)) => Some(Difference::Added { table, key, row }),
                    (Some(row), None) => Some(Difference::Removed { table, key, row }),
                    (Some(before), Some(after)) if before != after => Some(Difference::Changed {
                        table,
                        key,
                        before,
                        after,
                    }),
                    _ => None,
                });
            }
        }
        differences
    }
}

impl Difference<'_> {
    /// Lines for people: `+` for a row that was added, `-` for one that was removed, `~` for one that was changed.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Added { table, key, row } => whole('+', table, key, row),
            Self::Removed { table, key, row } => whole('-', table, key, row),
            Self::Changed {
                table,
                key,
                before,
                after,
            } => {
                let changed = before.iter().zip(*after).filter(|(old, new)| old != new);
                let columns = changed.map(|((name, old), (_, new))| {
                    format!("    {name}: {} -> {}", show(old.as_ref()), show(new.as_ref()))
                });
                let head = format!("~ {table} {key}");
                [head].into_iter().chain(columns).collect()
            }
        }
    }
}

/// The columns that hold something, one line each, then the names of the others.
fn whole(sign: char, table: &str, key: &str, row: &Cells) -> Vec<String> {
    let mut lines = vec![format!("{sign} {table} {key}")];
    let held = row
        .iter()
        .filter(|(_, value)| value.as_deref().is_some_and(|value| value != key));
    lines.extend(held.map(|(name, value)| format!("    {name}: {}", show(value.as_ref()))));
    let empty = row.iter().filter(|(_, value)| value.is_none());
    let empty: Vec<&str> = empty.map(|(name, _)| name.as_str()).collect();
    if !empty.is_empty() {
        lines.push(format!("    null: {}", empty.join(", ")));
    }
    lines
}

fn show(value: Option<&String>) -> &str {
    value.map_or("null", String::as_str)
}

/// The columns of a table's primary key, by MAS's own catalogue; none if the table is not MAS's.
fn primary_key(table: &str) -> Vec<&'static str> {
    let start = format!("{table}\tPRIMARY KEY\t");
    let line = CONSTRAINTS.lines().find(|line| line.starts_with(&start));
    let columns = line
        .and_then(|line| line.rsplit_once('('))
        .map(|(_, columns)| columns.trim_end_matches(')'));
    columns.map(|columns| columns.split(", ").collect()).unwrap_or_default()
}

/// What tells a row from the others of its table: the whole row where there is no primary key.
fn key(columns: &[&str], row: &Cells) -> String {
    let is_part = |name: &String| columns.is_empty() || columns.contains(&name.as_str());
    let parts = row
        .iter()
        .filter(|(name, _)| is_part(name))
        .map(|(_, value)| show(value.as_ref()));
    parts.collect::<Vec<_>>().join(" ")
}

async fn read_postgres(options: PgConnectOptions) -> sqlx::Result<Vec<(String, Vec<Cells>)>> {
    const TABLES: &str = "SELECT format('%I.%I', schemaname, tablename) AS path, tablename::text AS name FROM pg_tables \
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let mut connection = options.connect().await?;
    let tables = sqlx::raw_sql(TABLES).fetch_all(&mut connection).await?;
    let mut read = Vec::new();
    for table in tables {
        let sql = AssertSqlSafe(format!("TABLE {}", table.get::<String, _>("path")));
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await?;
        read.push((table.get("name"), rows.iter().map(cells_postgres).collect()));
    }
    connection.close().await?;
    Ok(read)
}

async fn read_sqlite(options: SqliteConnectOptions) -> sqlx::Result<Vec<(String, Vec<Cells>)>> {
    const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'";
    let mut connection = options.connect().await?;
    let tables = sqlx::raw_sql(TABLES).fetch_all(&mut connection).await?;
    let mut read = Vec::new();
    for table in tables {
        let name: String = table.get("name");
        let sql = AssertSqlSafe(format!("SELECT * FROM \"{name}\""));
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await?;
        read.push((name, rows.iter().map(cells_sqlite).collect()));
    }
    connection.close().await?;
    Ok(read)
}

#[test]
fn what_differs_is_told_by_table_and_key() {
    let cells = |name: &str, end: Option<&str>| -> Cells {
        vec![
            ("user_id".to_owned(), Some(name.to_owned())),
            ("locked_at".to_owned(), end.map(str::to_owned)),
        ]
    };
    let snapshot = |rows: &[(&str, Option<&str>)]| {
        let rows = rows
            .iter()
            .map(|(name, end)| ((*name).to_owned(), cells(name, *end)))
            .collect();
        Snapshot([("users".to_owned(), rows)].into())
    };
    let before = snapshot(&[("A", None), ("B", Some("1")), ("C", None)]);
    let after = snapshot(&[("A", Some("2")), ("C", None), ("D", None)]);
    let lines: Vec<String> = before.differences(&after).iter().flat_map(Difference::lines).collect();
    assert_eq!(
        lines,
        [
            "~ users A",
            "    locked_at: null -> 2",
            "- users B",
            "    locked_at: 1",
            "+ users D",
            "    null: locked_at",
        ]
    );
    assert!(before.differences(&before).is_empty());
    assert_eq!(
        primary_key("user_unsupported_third_party_ids"),
        ["user_id", "medium", "address"]
    );
    assert_eq!(primary_key("nobody's"), [""; 0]);
}
