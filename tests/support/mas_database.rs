//! The SQL of an empty database as MAS 1.22.0 leaves it after its migrations, made from the catalogues in
//! `tests/fixtures/mas/`: tables, columns, defaults, constraints, indexes, triggers and the rows of `_sqlx_migrations`.

use std::{
    collections::HashSet,
    fmt::{self, Write},
};

const TABLES: &str = include_str!("../fixtures/mas/schema.tsv");
const CONSTRAINTS: &str = include_str!("../fixtures/mas/constraints.tsv");
const INDEXES: &str = include_str!("../fixtures/mas/indexes.tsv");
const MIGRATIONS: &str = include_str!("../fixtures/mas/migrations.tsv");

const PREAMBLE: &str = "BEGIN;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TYPE queue_job_status AS ENUM ('available', 'running', 'completed', 'lost', 'failed', 'scheduled');
";

/// A job that becomes available wakes the workers; the spacing of the payload is that of `json_build_object`.
const TRIGGERS: &str = "
CREATE FUNCTION queue_job_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = 'available' THEN
    PERFORM pg_notify('queue_available', json_build_object('queue', NEW.queue_name)::text);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER queue_job_notify_trigger AFTER INSERT OR UPDATE OF status ON queue_jobs
  FOR EACH ROW EXECUTE FUNCTION queue_job_notify();

CREATE FUNCTION upstream_oauth_authorization_sessions_insert_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE upstream_oauth_authorization_sessions SET user_session_id = NEW.user_session_id
   WHERE user_session_id IS NULL
     AND upstream_oauth_authorization_session_id = NEW.upstream_oauth_authorization_session_id;
  RETURN NEW;
END $$;
CREATE TRIGGER upstream_oauth_authorization_sessions_insert_trigger AFTER INSERT ON user_session_authentications
  FOR EACH ROW EXECUTE FUNCTION upstream_oauth_authorization_sessions_insert_trigger();
";

/// The statements that lay out MAS's tables in an empty database. They need the extension `pg_trgm`.
pub(crate) fn layout() -> String {
    let mut sql = String::from(PREAMBLE);
    tables(&mut sql)
        .and_then(|()| constraints(&mut sql))
        .and_then(|()| indexes(&mut sql))
        .and_then(|()| sql.write_str(TRIGGERS))
        .and_then(|()| migrations(&mut sql))
        .expect("a String takes all text");
    sql.push_str("COMMIT;\n");
    sql
}

/// The rows of a catalogue after its heading, cut into `N` columns.
fn rows<const N: usize>(catalogue: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    catalogue.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        <[&str; N]>::try_from(columns).expect("each row of a catalogue has all its columns")
    })
}

fn tables(sql: &mut String) -> fmt::Result {
    let mut tables: Vec<(&str, Vec<String>)> = Vec::new();
    for [table, column, kind, nullable, default] in rows(TABLES) {
        let default = if default.is_empty() {
            String::new()
        } else {
            format!(" DEFAULT {default}")
        };
        let not_null = if nullable == "NOT NULL" { " NOT NULL" } else { "" };
        let definition = format!("  {column} {kind}{default}{not_null}");
        match tables.iter_mut().find(|(name, _)| *name == table) {
            Some((_, columns)) => columns.push(definition),
            None => tables.push((table, vec![definition])),
        }
    }
    for (table, columns) in tables {
        let unlogged = if table == "queue_leader" { "UNLOGGED " } else { "" };
        writeln!(sql, "CREATE {unlogged}TABLE {table} (\n{}\n);", columns.join(",\n"))?;
    }
    Ok(())
}

/// Foreign keys come last: they need the keys that they point to.
fn constraints(sql: &mut String) -> fmt::Result {
    let is_foreign = |kind: &str| kind == "FOREIGN KEY";
    let keys = rows(CONSTRAINTS).filter(|[_, kind, ..]: &[_; 4]| !is_foreign(kind));
    let foreign_keys = rows(CONSTRAINTS).filter(|[_, kind, ..]: &[_; 4]| is_foreign(kind));
    for [table, _, name, definition] in keys.chain(foreign_keys) {
        writeln!(sql, "ALTER TABLE {table} ADD CONSTRAINT {name} {definition};")?;
    }
    Ok(())
}

/// The indexes that no constraint has made already.
fn indexes(sql: &mut String) -> fmt::Result {
    let made: HashSet<&str> = rows(CONSTRAINTS).map(|[_, _, name, _]| name).collect();
    for [_, name, definition, _] in rows(INDEXES) {
        if !made.contains(name) {
            writeln!(sql, "{definition};")?;
        }
    }
    Ok(())
}

fn migrations(sql: &mut String) -> fmt::Result {
    for [version, description, sha384, _] in rows(MIGRATIONS) {
        writeln!(
            sql,
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({version}, '{description}', true, '\\x{sha384}', 1);"
        )?;
    }
    Ok(())
}
