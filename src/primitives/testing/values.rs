//! Values of a test's script as plain data, and the other way round.

use chrono::TimeDelta;
use rhai::{Dynamic, Map};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    error::{Code, Error, Result},
    homeserver::FakeAccount,
    model::{
        Time,
        moment::{self, When},
    },
    operations::testing::Call,
    primitives::{Secret, moment as written, to_value},
};

/// A value as its JSON has it.
///
/// # Errors
/// Those of the store, where it is a list; `value.invalid` for a secret, which would look like any other one.
pub(super) fn plain(value: &Dynamic) -> Result<Value> {
    let plain = to_value(value, false)?;
    if has_secret(&plain) {
        let message = "Secrets can be neither compared nor shown";
        return Err(
            Error::new(Code::ValueInvalid, message).help("`passwords::verify` says whether a password is a user's.")
        );
    }
    Ok(plain)
}

fn has_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => text == crate::primitives::secret::MASK,
        Value::Array(items) => items.iter().any(has_secret),
        Value::Object(fields) => fields.values().any(has_secret),
        _ => false,
    }
}

/// Plain data as a script writes it.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "()".to_owned(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let name = |name: &str| {
                let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                if is_plain && !name.is_empty() {
                    name.to_owned()
                } else {
                    Value::from(name).to_string()
                }
            };
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", name(key), literal(value)))
                .collect();
            format!("#{{ {} }}", fields.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// The moment that a value means.
pub(super) fn time(value: &Dynamic, now: Time) -> Result<Time> {
    if let Some(time) = value.read_lock::<Time>() {
        return Ok(*time);
    }
    let text = value.clone().into_string().unwrap_or_default();
    match moment::when(&text) {
        Ok(When::At(time)) => Ok(time),
        Ok(When::Ago(seconds)) => Ok(now - TimeDelta::seconds(seconds)),
        Err(problem) => Err(Error::new(
            Code::ValueInvalid,
            format!("What is given as a time {problem}"),
        )),
    }
}

/// A count as scripts have numbers.
pub(super) fn count(count: u64) -> Dynamic {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

/// An account of the homeserver as a map.
pub(super) fn account(account: FakeAccount) -> Map {
    let text = |text: Option<String>| text.map_or(Dynamic::UNIT, Dynamic::from);
    let list = |items: Vec<String>| Dynamic::from(items.into_iter().map(Dynamic::from).collect::<rhai::Array>());
    Map::from_iter([
        ("display_name".into(), text(account.display_name)),
        ("avatar_url".into(), text(account.avatar_url)),
        ("deactivated".into(), account.deactivated.into()),
        ("erased".into(), account.erased.into()),
        ("locked".into(), account.locked.into()),
        ("admin".into(), account.admin.into()),
        ("emails".into(), list(account.emails)),
        ("devices".into(), list(account.devices.into_keys().collect())),
    ])
}

/// The call of a script with these arguments.
///
/// # Errors
/// `value.invalid` for an argument that no text can be.
pub(super) fn call_of(script: &str, arguments: Map, dry_run: bool) -> Result<Call> {
    let arguments = arguments.into_iter().map(|(name, value)| {
        let values = if value.is_unit() {
            Vec::new()
        } else if let Some(items) = value.read_lock::<rhai::Array>() {
            items.iter().map(|item| text_of(&name, item)).collect::<Result<_>>()?
        } else {
            vec![text_of(&name, &value)?]
        };
        Ok((name.to_string(), values))
    });
    Ok(Call {
        script: script.to_owned(),
        arguments: arguments.collect::<Result<_>>()?,
        dry_run,
    })
}

/// The text that an argument would be on the command line.
fn text_of(name: &str, value: &Dynamic) -> Result<SecretString> {
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(secret.text().clone());
    }
    if let Some(time) = value.read_lock::<Time>() {
        return Ok(written::text(*time).into());
    }
    if let Some(map) = value.read_lock::<Map>() {
        let part = |key: &str| map.get(key)?.clone().into_string().ok();
        if let (Some(provider), Some(subject), 2) = (part("provider"), part("subject"), map.len()) {
            return Ok(format!("{provider}:{subject}").into());
        }
    } else if value.is_string() || value.is_int() || value.is_float() || value.is_bool() {
        return Ok(value.to_string().into());
    }
    let message = format!("The argument `{name}` cannot be {}", value.type_name());
    Err(Error::new(Code::ValueInvalid, message).help(
        "An argument is a text, a number, true or false, a time, a secret, #{ provider, subject }, or a list of these.",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_is_shown_as_a_script_writes_it() {
        let value = json!({"a": [1, 2.5, "x\"y"], "b c": null, "d": true});
        assert_eq!(literal(&value), r#"#{ a: [1, 2.5, "x\"y"], "b c": (), d: true }"#);
    }
}
