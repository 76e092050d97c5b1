//! Data of MAS's policy. Nothing of it is changed or removed: new data takes the place of the newest.

use std::time::Duration;

use serde_json::Value;

use super::{Action, Change, Deed, Run, Subject, sentence::moment};
use crate::{
    error::{Code, Error, Result},
    model::{Id, PolicyData, Time},
    storage,
};

const SET: Action = Action::new("policy.set", "Set", "set");

/// How long new data may be, in bytes of its JSON.
const LIMIT: usize = 1 << 20;

/// How far the latest data may lie ahead of the clock, to be waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The data that is in force, if there is any.
///
/// # Errors
/// `policy.invalid` if it cannot be read.
pub async fn latest(run: &Run) -> Result<Option<PolicyData>> {
    run.read(async |store| storage::policy::policy_latest(store).await)
        .await
}

/// Gets data by its id.
///
/// # Errors
/// `policy.not_found`; `policy.invalid` if it cannot be read.
pub async fn get(run: &Run, id: Id) -> Result<PolicyData> {
    let found = run.read(async |store| storage::policy::policy(store, id).await).await?;
    found.ok_or_else(|| {
        Error::new(Code::PolicyNotFound, format!("There is no policy data {id}")).data("policy_data", id.to_string())
    })
}

/// Reads the text of data.
///
/// # Errors
/// `argument.invalid` if it is no JSON object.
pub fn parse(text: &str) -> Result<Value> {
    let wrong = |why: String| {
        Error::new(
            Code::ArgumentInvalid,
            format!("The policy data must be a JSON object: {why}"),
        )
        .help(r#"Write it as '{"admin_users": ["alice"]}'."#)
    };
    let data: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match kind(&data) {
        "an object" => Ok(data),
        other => Err(wrong(format!("it is {other}"))),
    }
}

/// Puts data in force. The same as is in force changes nothing.
///
/// # Errors
/// `policy.invalid` if it is no JSON object, or too large; `policy.newer` if newer data is there.
pub async fn set(run: &Run, data: &Value) -> Result<PolicyData> {
    check(data)?;
    run.write(async |deed| {
        let latest = storage::policy::policy_latest(deed.store()).await;
        let before = match latest {
            // What cannot be read is not the same, and is not to stay in force.
            Err(error) if error.code() == Code::PolicyInvalid => None,
            latest => latest?,
        };
        if let Some(before) = before.as_ref().filter(|before| before.data == *data) {
            deed.note("The policy data is the same already");
            return Ok(before.clone());
        }
        let (now, id) = new_row(deed, before.as_ref()).await?;
        let after = storage::policy::policy_add(deed.store(), id, data, now).await?;
        let subject = Subject {
            kind: "policy_data",
            id: Some(after.id),
            name: None,
        };
        deed.changed(
            Change::of(SET, subject)
                .said("the policy data")
                .before("data", before.map(|before| before.data))
                .after("data", &after.data),
        );
        Ok(after)
    })
    .await
}

/// The time and the id of a row that comes after the latest one: ids of one millisecond are in no order, and other clocks
/// may be ahead.
async fn new_row(deed: &Deed<'_>, latest: Option<&PolicyData>) -> Result<(Time, Id)> {
    let row = deed.new_row();
    let Some(latest) = latest.filter(|latest| latest.id > row.1) else {
        return Ok(row);
    };
    let ahead = (latest.created_at - row.0).to_std().unwrap_or_default();
    if ahead <= PATIENCE {
        tokio::time::sleep(ahead + Duration::from_millis(2)).await;
        let row = deed.new_row();
        if latest.id < row.1 {
            return Ok(row);
        }
    }
    let message = format!(
        "The policy data {} is of {}, later than now: newer data would not be in force",
        latest.id,
        moment(latest.created_at)
    );
    Err(Error::new(Code::PolicyNewer, message)
        .help("Check the clocks of this machine and of MAS's.")
        .data("policy_data", latest.id.to_string()))
}

fn check(data: &Value) -> Result<()> {
    let invalid = |why: String| Error::new(Code::PolicyInvalid, format!("The policy data {why}"));
    if !data.is_object() {
        return Err(invalid(format!("must be an object, and is {}", kind(data))));
    }
    let text = data.to_string();
    if text.len() > LIMIT {
        return Err(invalid("is longer than 1 MiB as JSON".to_owned()));
    }
    // Written, it can be nested deeper than it could be read again.
    if let Err(error) = serde_json::from_str::<Value>(&text) {
        return Err(invalid(format!("cannot be read again: {error}")));
    }
    if has_zero(data) {
        return Err(invalid("has a zero byte in a text, which no database takes".to_owned()));
    }
    Ok(())
}

fn has_zero(data: &Value) -> bool {
    match data {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_zero),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_zero(value)),
        _ => false,
    }
}

const fn kind(data: &Value) -> &'static str {
    match data {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_must_be_a_json_object() {
        assert_eq!(parse(r#" {"a": [1, null]} "#).unwrap(), json!({"a": [1, null]}));
        for (text, why) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{", "EOF while parsing an object at line 1 column 1"),
            ("{} {}", "trailing characters at line 1 column 4"),
            ("[1]", "it is a list"),
            ("null", "it is null"),
            ("\"{}\"", "it is a text"),
            ("7", "it is a number"),
            ("true", "it is true or false"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), Code::ArgumentInvalid, "{text}");
            assert_eq!(error.message(), format!("The policy data must be a JSON object: {why}"));
        }
    }

    #[test]
    fn what_could_not_be_stored_or_read_again_is_refused() {
        let refused = |data: &Value| check(data).unwrap_err().message().to_owned();
        assert!(check(&json!({"a": "x".repeat(1000)})).is_ok());
        assert_eq!(refused(&json!([])), "The policy data must be an object, and is a list");
        assert_eq!(
            refused(&json!({"a": "x".repeat(LIMIT)})),
            "The policy data is longer than 1 MiB as JSON"
        );
        assert!(check(&json!({"a": "\\u0000"})).is_ok());
        for data in [json!({"a": ["\0"]}), json!({"a": {"\0": 1}})] {
            assert_eq!(
                refused(&data),
                "The policy data has a zero byte in a text, which no database takes"
            );
        }
        let deep = (0..200).fold(json!({}), |inner, _| json!({ "a": inner }));
        assert!(refused(&deep).starts_with("The policy data cannot be read again: recursion limit"));
    }
}
