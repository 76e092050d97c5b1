//! The rights of the database's user: which ones it lacks, and what that says of an error.

use serde_json::{Value, json};

use super::{Connection, failure, schema::needs};
use crate::error::{Code, Error, Result, listed};

/// What a user lacks of the rights that masctl needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    /// The user's name, as SQL takes it.
    pub user: String,
    /// Each table with the rights on it that are lacking.
    pub tables: Vec<(String, Vec<String>)>,
}

/// Reads which rights the user lacks on the tables that are there.
///
/// # Errors
/// As of any statement.
pub async fn lack(store: &mut Connection) -> Result<Lack> {
    const STATEMENT: &str = "SELECT quote_ident(current_user), need.table_name, need.privilege \
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS need (table_name, privilege, place) \
         WHERE NOT has_table_privilege(to_regclass(need.table_name)::oid, need.privilege) ORDER BY need.place";
    let Connection::Postgres(connection) = store else {
        return Ok(Lack::default());
    };
    let (tables, rights) = needs::rights();
    let rows: sqlx::Result<Vec<(String, String, String)>> = sqlx::query_as(STATEMENT)
        .bind(tables)
        .bind(rights)
        .fetch_all(&mut **connection)
        .await;
    let mut lack = Lack::default();
    for (user, table, right) in rows.map_err(failure::of_statement)? {
        lack.user = user;
        match lack.tables.last_mut() {
            Some((last, rights)) if *last == table => rights.push(right),
            _ => lack.tables.push((table, vec![right])),
        }
    }
    Ok(lack)
}

/// Says of an error that a statement ended in what the database itself does not: which right is lacking, or which
/// migration. Any other error stays as it is. The statement must have been undone.
pub async fn explain(store: &mut Connection, error: Error) -> Error {
    let state = error
        .values()
        .get("sqlstate")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match state {
        "42501" => match lack(store).await {
            Ok(lack) => lack.explain(error),
            Err(_) => error,
        },
        "42P01" | "42703" => match store {
            Connection::Postgres(connection) => match connection.schema().await {
                Ok(schema) => schema.explain(&error),
                Err(_) => error,
            },
            Connection::Sqlite(_) => error,
        },
        _ => error,
    }
}

impl Lack {
    /// What is lacking, tables of the same rights together: `INSERT and UPDATE on a, b; SELECT on c`.
    #[must_use]
    pub fn summary(&self) -> String {
        let groups = self.groups().into_iter();
        let parts = groups.map(|(rights, tables)| format!("{} on {}", listed(rights), tables.join(", ")));
        parts.collect::<Vec<_>>().join("; ")
    }

    /// The statements that give the user what it lacks.
    #[must_use]
    pub fn grants(&self) -> Vec<String> {
        let groups = self.groups().into_iter();
        groups
            .map(|(rights, tables)| format!("GRANT {} ON {} TO {};", rights.join(", "), tables.join(", "), self.user))
            .collect()
    }

    fn groups(&self) -> Vec<(&[String], Vec<&str>)> {
        let mut groups: Vec<(&[String], Vec<&str>)> = Vec::new();
        for (table, rights) in &self.tables {
            match groups.iter_mut().find(|(of_group, _)| of_group == rights) {
                Some((_, tables)) => tables.push(table),
                None => groups.push((rights, vec![table])),
            }
        }
        groups
    }

    /// The database names the table only, and that in its own language. If it is none of those that rights are lacking
    /// on, there is another reason, and the error stays as it is.
    fn explain(&self, error: Error) -> Error {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let words: Vec<&str> = error.message().split(|character| !is_part(character)).collect();
        let is_named = |(table, _): &&(String, Vec<String>)| words.contains(&table.as_str());
        let named = Self {
            user: self.user.clone(),
            tables: self.tables.iter().filter(is_named).cloned().collect(),
        };
        if named.tables.is_empty() {
            return error;
        }
        let also = match self.tables.len() - named.tables.len() {
            0 => "",
            _ => " More rights are lacking elsewhere: `masctl doctor` lists them.",
        };
        let message = format!("The database user {} lacks {}", self.user, named.summary());
        let missing = self
            .tables
            .iter()
            .map(|(table, rights)| json!({"table": table, "rights": rights}));
        Error::new(Code::DatabaseRefused, message)
            .help(format!(
                "Run masctl as the user that MAS connects as, or grant it: {}{also}",
                named.grants().join(" ")
            ))
            .data("sqlstate", "42501")
            .data("missing", missing.collect::<Vec<Value>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack() -> Lack {
        let rights = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Lack {
            user: "clerk".to_owned(),
            tables: vec![
                ("queue_jobs".to_owned(), rights(&["INSERT"])),
                ("user_emails".to_owned(), rights(&["SELECT", "INSERT"])),
                ("user_passwords".to_owned(), rights(&["SELECT", "INSERT"])),
                ("users".to_owned(), rights(&["SELECT", "INSERT", "UPDATE"])),
            ],
        }
    }

    #[test]
    fn tables_of_the_same_rights_are_told_together() {
        assert_eq!(
            lack().summary(),
            "INSERT on queue_jobs; SELECT and INSERT on user_emails, user_passwords; SELECT, INSERT and UPDATE on users"
        );
        assert_eq!(
            lack().grants(),
            [
                "GRANT INSERT ON queue_jobs TO clerk;",
                "GRANT SELECT, INSERT ON user_emails, user_passwords TO clerk;",
                "GRANT SELECT, INSERT, UPDATE ON users TO clerk;"
            ]
        );
    }

    #[test]
    fn what_is_lacking_on_the_table_that_the_database_names_in_any_language_is_said() {
        let refused = Error::new(Code::DatabaseRefused, "keine Berechtigung für Tabelle »queue_jobs«");
        let explained = lack().explain(refused);
        assert_eq!(
            explained.message(),
            "The database user clerk lacks INSERT on queue_jobs"
        );
        assert_eq!(
            explained.help_text().unwrap(),
            "Run masctl as the user that MAS connects as, or grant it: GRANT INSERT ON queue_jobs TO clerk; \
             More rights are lacking elsewhere: `masctl doctor` lists them."
        );
        let other = Error::new(Code::DatabaseRefused, "permission denied for table accounts");
        assert_eq!(lack().explain(other).message(), "permission denied for table accounts");
    }
}
