//! The values of each type of parameter, from text.

use std::{num::IntErrorKind, str::FromStr};

use secrecy::SecretString;
use url::Url;

use super::Value;
use crate::{
    host::header::{Kind, Number, Param},
    model::{
        Id, check_email,
        moment::{self, When},
    },
};

/// How long a value may be, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// How long a username or an MXID may be, in bytes: longer than either is allowed to be anywhere.
const MAX_USER: usize = 1024;

/// Parses the text of one value of a parameter.
///
/// # Errors
/// What is wrong, as a predicate such as `must be a whole number`. It never holds the text.
pub fn parse(param: &Param, text: &str) -> Result<Value, String> {
    let value = convert(param.kind, text)?;
    if param.kind == Kind::Enum && !param.values.iter().any(|known| known == text) {
        return Err(format!("must be one of {}", param.values.join(", ")));
    }
    if let Some(number) = as_number(&value) {
        let one = if param.kind == Kind::Duration {
            "must last"
        } else {
            "must be"
        };
        if let Some(min) = param.min.as_ref().filter(|min| number < min.number) {
            return Err(format!("{one} at least {}", min.text));
        }
        if let Some(max) = param.max.as_ref().filter(|max| number > max.number) {
            return Err(format!("{one} at most {}", max.text));
        }
    }
    if let Some(pattern) = param.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
        return Err(format!("must match the pattern `{}`", pattern.text));
    }
    Ok(value)
}

/// Parses a limit of a numeric type.
pub(in crate::host) fn number(kind: Kind, text: &str) -> Result<Number, String> {
    as_number(&convert(kind, text)?).ok_or_else(|| "must be a number".to_owned())
}

fn as_number(value: &Value) -> Option<Number> {
    match value {
        Value::Int(int) => Some(Number::Int(*int)),
        Value::Float(float) => Some(Number::Float(*float)),
        _ => None,
    }
}

fn convert(kind: Kind, text: &str) -> Result<Value, String> {
    // An error about a secret would make clap print it.
    if kind != Kind::Secret && text.len() > MAX_BYTES {
        return Err("must not be longer than 64 KiB".to_owned());
    }
    Ok(match kind {
        Kind::String | Kind::Enum => Value::Text(text.to_owned()),
        Kind::Path => Value::Text(path(text)?.to_owned()),
        Kind::Url => Value::Text(url(text)?),
        Kind::Email => {
            check_email(text)?;
            Value::Text(text.to_owned())
        }
        Kind::Ulid | Kind::Provider => Value::Text(ulid(text)?),
        Kind::User => Value::Text(user(text)?.to_owned()),
        Kind::Link => link(text)?,
        Kind::Int => Value::Int(int(text)?),
        Kind::Float => Value::Float(float(text)?),
        Kind::Bool => Value::Bool(truth(text)?),
        Kind::Duration => Value::Int(moment::duration(text)?),
        Kind::Time => time(text)?,
        Kind::Secret if text.is_empty() => return Err("must not be empty".to_owned()),
        Kind::Secret => Value::Secret(SecretString::from(text)),
    })
}

fn path(text: &str) -> Result<&str, &'static str> {
    if text.is_empty() || text.contains('\0') {
        return Err("must be the path of a file or folder");
    }
    Ok(text)
}

fn url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("must be a URL with its scheme: {error}"))?;
    Ok(url.into())
}

fn ulid(text: &str) -> Result<String, &'static str> {
    Id::from_str(text)
        .map(|id| id.to_string())
        .map_err(|_| "must be a ULID, which has 26 characters of 0-9 and A-Z")
}

fn user(text: &str) -> Result<&str, &'static str> {
    if text.is_empty() {
        return Err("must not be empty");
    }
    if text.len() > MAX_USER {
        return Err("must not be longer than 1024 bytes");
    }
    if text.contains(char::is_control) {
        return Err("must not have control characters");
    }
    Ok(text)
}

fn link(text: &str) -> Result<Value, String> {
    let Some((provider, subject)) = text.split_once(':').filter(|(_, subject)| !subject.is_empty()) else {
        return Err("must be the ULID of a provider and a subject, `ULID:SUBJECT`".to_owned());
    };
    let provider =
        ulid(provider).map_err(|problem| format!("must start with the ULID of a provider, and that {problem}"))?;
    Ok(Value::Link {
        provider,
        subject: subject.to_owned(),
    })
}

fn int(text: &str) -> Result<i64, &'static str> {
    text.parse()
        .map_err(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "must be a whole number that fits in 64 bits",
            _ => "must be a whole number",
        })
}

fn float(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() => Ok(float),
        _ => Err("must be a finite number, such as `0.5`"),
    }
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("must be `true` or `false`"),
    }
}

fn time(text: &str) -> Result<Value, &'static str> {
    Ok(match moment::when(text)? {
        When::At(time) => Value::Time(time),
        When::Ago(seconds) => Value::Ago(seconds),
    })
}

#[cfg(test)]
mod tests;
