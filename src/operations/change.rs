//! What a run changed, as typed records. Dry run, report and JSON are views of them.

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Map, Value};

use crate::model::{Email, Id, User};

/// What was done, with its words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// The name that programs compare, `noun.verb`.
    pub name: &'static str,
    /// How a report begins: "Locked".
    pub done: &'static str,
    /// How a dry run says it: "lock".
    pub would: &'static str,
}

impl Action {
    /// An action with its words.
    #[must_use]
    pub const fn new(name: &'static str, done: &'static str, would: &'static str) -> Self {
        Self { name, done, would }
    }
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The kind of thing: `user`, `email`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its id.
    pub id: Option<Id>,
    /// What people call it. Never a secret.
    pub name: Option<String>,
}

impl From<&User> for Subject {
    fn from(user: &User) -> Self {
        Self {
            kind: "user",
            id: Some(user.id),
            name: Some(user.username.clone()),
        }
    }
}

impl From<&Email> for Subject {
    fn from(email: &Email) -> Self {
        Self {
            kind: "email",
            id: Some(email.id),
            name: Some(email.email.clone()),
        }
    }
}

/// The most subjects that a change of many things names.
pub const MOST_SUBJECTS: usize = 100;

/// A record of one write, made from the rows that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    action: Action,
    subject: Option<Subject>,
    /// How many things were changed and the first of them, if one statement changed many.
    many: Option<(u64, Vec<Subject>)>,
    before: Map<String, Value>,
    after: Map<String, Value>,
    sentence: String,
}

impl Change {
    /// A change of one thing, called by its name in the report.
    #[must_use]
    pub fn of(action: Action, subject: Subject) -> Self {
        let sentence = subject.name.clone().unwrap_or_default();
        Self {
            action,
            subject: Some(subject),
            many: None,
            before: Map::new(),
            after: Map::new(),
            sentence,
        }
    }

    /// A change of `count` things that one statement made; of `subjects` the first [`MOST_SUBJECTS`] are named.
    #[must_use]
    pub fn of_many(action: Action, count: u64, mut subjects: Vec<Subject>) -> Self {
        subjects.truncate(MOST_SUBJECTS);
        let sentence = count.to_string();
        Self {
            action,
            subject: None,
            many: Some((count, subjects)),
            before: Map::new(),
            after: Map::new(),
            sentence,
        }
    }

    /// A change of one thing from one row to another: exactly what differs. `None` if nothing does.
    #[must_use]
    pub fn between(action: Action, subject: Subject, before: &impl Serialize, after: &impl Serialize) -> Option<Self> {
        let (before, after) = (fields(before), fields(after));
        let differing = |one: &Map<String, Value>, other: &Map<String, Value>| {
            one.iter()
                .filter(|(name, value)| other.get(*name) != Some(value))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect()
        };
        let change = Self {
            before: differing(&before, &after),
            after: differing(&after, &before),
            ..Self::of(action, subject)
        };
        (!change.before.is_empty() || !change.after.is_empty()).then_some(change)
    }

    /// Sets what the report says after the action's word, instead of the subject's name: "alice@example.com to alice".
    #[must_use]
    pub fn said(mut self, sentence: impl Into<String>) -> Self {
        self.sentence = sentence.into();
        self
    }

    /// Adds a value as it was. Never a secret.
    #[must_use]
    pub fn before(mut self, field: &str, value: impl Serialize) -> Self {
        self.before.insert(field.to_owned(), plain(value));
        self
    }

    /// Adds a value as it is now. Never a secret.
    #[must_use]
    pub fn after(mut self, field: &str, value: impl Serialize) -> Self {
        self.after.insert(field.to_owned(), plain(value));
        self
    }

    /// One line for people; `planned` if a dry run took it back.
    #[must_use]
    pub fn sentence(&self, planned: bool) -> String {
        if planned {
            format!("Would {} {}", self.action.would, self.sentence)
        } else {
            format!("{} {}", self.action.done, self.sentence)
        }
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Change", 5)?;
        fields.serialize_field("action", self.action.name)?;
        if let Some((count, subjects)) = &self.many {
            fields.serialize_field("count", count)?;
            fields.serialize_field("subjects", subjects)?;
        } else {
            fields.serialize_field("subject", &self.subject)?;
        }
        fields.serialize_field("before", &self.before)?;
        fields.serialize_field("after", &self.after)?;
        fields.end()
    }
}

fn plain(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn fields(row: &impl Serialize) -> Map<String, Value> {
    match plain(row) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LOCK: Action = Action::new("user.lock", "Locked", "lock");

    fn alice() -> Subject {
        Subject {
            kind: "user",
            id: None,
            name: Some("alice".to_owned()),
        }
    }

    #[test]
    fn a_change_holds_exactly_what_differs() {
        let (before, after) = (
            json!({"name": "alice", "locked_at": null}),
            json!({"name": "alice", "locked_at": "now"}),
        );
        let change = Change::between(LOCK, alice(), &before, &after).unwrap();
        assert_eq!(
            serde_json::to_value(&change).unwrap(),
            json!({
                "action": "user.lock",
                "subject": {"type": "user", "id": null, "name": "alice"},
                "before": {"locked_at": null},
                "after": {"locked_at": "now"},
            })
        );
        assert_eq!(change.sentence(false), "Locked alice");
        assert_eq!(change.sentence(true), "Would lock alice");
        assert_eq!(Change::between(LOCK, alice(), &before, &before), None);
    }

    #[test]
    fn a_change_of_many_names_the_first_hundred() {
        let change = Change::of_many(LOCK, 3000, vec![alice(); 3000]);
        let value = serde_json::to_value(&change).unwrap();
        assert_eq!(value["count"], json!(3000));
        assert_eq!(value["subjects"].as_array().unwrap().len(), MOST_SUBJECTS);
    }
}
