//! The fields of each type that scripts see: one list gives getters, JSON and table columns.

use std::any::TypeId;

use rhai::{Array, Dynamic, Engine, Map};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Secret, lazy::Lazy, moment, or_unit, rows, secret::MASK};
use crate::{
    console::Rows,
    error::Result,
    model::{
        AcceptedTerms, AccessToken, Address, Client, Description, Email, Job, JobCount, Link, Password, PasswordScheme,
        PolicyData, Provider, RegistrationToken, Session, ThirdPartyId, Time, UpstreamAccount, User,
    },
    operations::{
        Run,
        site::Site,
        tokens::{CompatibilityToken, IssuedRegistrationToken, PersonalToken, RotatedToken},
    },
};

/// A field of a type.
pub(super) struct Field<T> {
    /// Its name in scripts, JSON and tables.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) get: fn(&T) -> Dynamic,
}

/// A type that scripts can look into.
pub(super) trait Fields: Clone + Send + Sync + 'static {
    /// Every field in the order of tables.
    const FIELDS: &'static [Field<Self>];
}

macro_rules! fields {
    ($type:ty { $($name:literal => |$value:ident| $get:expr,)+ }) => {
        impl Fields for $type {
            const FIELDS: &'static [Field<Self>] = &[$(Field { name: $name, get: |$value| $get },)+];
        }
    };
}

// After the macro, which they use.
mod description;
mod passwords;
mod session;
mod site;
mod tokens;
mod upstream;

/// What a field holds that is not there: JSON and tables leave it out, and scripts see `()`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent;

fields!(User {
    "id" => |user| user.id.to_string().into(),
    "username" => |user| user.username.clone().into(),
    "created_at" => |user| Dynamic::from(user.created_at),
    "locked_at" => |user| or_unit(user.locked_at.map(Dynamic::from)),
    "deactivated_at" => |user| or_unit(user.deactivated_at.map(Dynamic::from)),
    "admin" => |user| user.admin.into(),
    "guest" => |user| user.guest.into(),
});

fields!(Email {
    "id" => |email| email.id.to_string().into(),
    "user_id" => |email| email.user_id.to_string().into(),
    "user" => |email| or_unit(email.user.clone()),
    "email" => |email| email.email.clone().into(),
    "created_at" => |email| Dynamic::from(email.created_at),
});

fields!(Job {
    "id" => |job| job.id.to_string().into(),
    "queue" => |job| job.queue.clone().into(),
    "user" => |job| or_unit(job.user.clone()),
    "status" => |job| job.status.clone().into(),
    "attempt" => |job| i64::from(job.attempt).into(),
    "created_at" => |job| Dynamic::from(job.created_at),
    "scheduled_at" => |job| or_unit(job.scheduled_at.map(Dynamic::from)),
    "started_at" => |job| or_unit(job.started_at.map(Dynamic::from)),
    "started_by" => |job| or_unit(job.started_by.map(|id| id.to_string())),
    "completed_at" => |job| or_unit(job.completed_at.map(Dynamic::from)),
    "failed_at" => |job| or_unit(job.failed_at.map(Dynamic::from)),
    "failed_reason" => |job| or_unit(job.failed_reason.clone()),
    "next_attempt_id" => |job| or_unit(job.next_attempt_id.map(|id| id.to_string())),
    "schedule_name" => |job| or_unit(job.schedule_name.clone()),
    "payload" => |job| rhai::serde::to_dynamic(&job.payload).unwrap_or_default(),
});

fields!(JobCount {
    "queue" => |row| row.queue.clone().into(),
    "status" => |row| row.status.clone().into(),
    "count" => |row| row.count.into(),
    "oldest_at" => |row| Dynamic::from(row.oldest_at),
});

fields!(CompatibilityToken {
    "token" => |issued| Dynamic::from(Secret::made(issued.token.clone())),
    "id" => |issued| issued.id.to_string().into(),
    "session_id" => |issued| issued.session_id.to_string().into(),
    "device_id" => |issued| issued.device_id.clone().into(),
    "expires_at" => |issued| or_unit(issued.expires_at.map(Dynamic::from)),
});

fields!(PersonalToken {
    "token" => |issued| Dynamic::from(Secret::made(issued.token.clone())),
    "id" => |issued| issued.id.to_string().into(),
    "session_id" => |issued| issued.session_id.to_string().into(),
    "name" => |issued| issued.name.clone().into(),
    "scope" => |issued| issued.scope.to_string().into(),
    "device_id" => |issued| or_unit(issued.scope.device().map(str::to_owned)),
    "expires_at" => |issued| or_unit(issued.expires_at.map(Dynamic::from)),
});

fields!(IssuedRegistrationToken {
    "token" => |issued| Dynamic::from(Secret::made(issued.token.clone())),
    "id" => |issued| issued.id.to_string().into(),
    "usage_limit" => |issued| or_unit(issued.usage_limit.map(i64::from)),
    "expires_at" => |issued| or_unit(issued.expires_at.map(Dynamic::from)),
});

/// How a type with fields, and lists of it, become data.
struct Shown {
    type_of: fn() -> Described,
    object: fn(&Dynamic, bool) -> Option<Result<Value>>,
    list: fn(&Dynamic, bool) -> Option<Result<Value>>,
    values: fn(&Dynamic) -> Option<Vec<Dynamic>>,
    stream: Stream,
}

/// Shows a lazy list of one type while it is read; `None` if the value is none of those.
type Stream = fn(&Dynamic, bool, &Run, &mut dyn Rows) -> Option<Result<()>>;

macro_rules! shown {
    ($($type:ty,)+) => {
        &[$(Shown {
            type_of: described::<$type>,
            object: object_of::<$type>,
            list: list_of::<$type>,
            values: values_of::<$type>,
            stream: rows::stream::<$type>,
        },)+]
    };
}

/// Every type with fields.
const SHOWN: &[Shown] = shown![
    User,
    Description,
    Address,
    ThirdPartyId,
    UpstreamAccount,
    AcceptedTerms,
    Email,
    Password,
    PasswordScheme,
    Provider,
    Link,
    PolicyData,
    Site,
    Job,
    JobCount,
    Session,
    Client,
    CompatibilityToken,
    PersonalToken,
    IssuedRegistrationToken,
    RotatedToken,
    AccessToken,
    RegistrationToken,
];

/// A type that scripts can look into, as the check sees it.
#[derive(Clone, Debug)]
pub struct Described {
    /// What scripts call it.
    pub name: &'static str,
    /// The names of its fields.
    pub fields: Vec<&'static str>,
    pub(crate) id: TypeId,
    /// That of a lazy list of it.
    pub(crate) list_id: TypeId,
}

fn described<T: Fields>() -> Described {
    let path = std::any::type_name::<T>();
    Described {
        name: path.rsplit("::").next().unwrap_or(path),
        fields: T::FIELDS.iter().map(|field| field.name).collect(),
        id: TypeId::of::<T>(),
        list_id: TypeId::of::<Lazy<T>>(),
    }
}

/// Every type with fields, and the three that have none in this list: `Error`, `Secret` and `Time`.
#[must_use]
pub fn types() -> Vec<Described> {
    let mut all: Vec<_> = SHOWN.iter().map(|shown| (shown.type_of)()).collect();
    all.push(bare::<Secret>("Secret"));
    all.push(bare::<Time>("Time"));
    all.push(bare::<crate::error::Error>("Error"));
    all
}

fn bare<T: 'static>(name: &'static str) -> Described {
    Described {
        name,
        fields: Vec::new(),
        id: TypeId::of::<T>(),
        list_id: TypeId::of::<Lazy<T>>(),
    }
}

/// A value of a script's as plain data. Secrets stay masked unless `reveal`, which shows those that the run made.
///
/// # Errors
/// Those of the store, when a lazy list is read.
pub fn to_value(value: &Dynamic, reveal: bool) -> Result<Value> {
    if let Some(secret) = value.read_lock::<Secret>() {
        let shown = secret
            .reveal()
            .filter(|_| reveal)
            .map_or(MASK, |text| text.expose_secret());
        return Ok(shown.into());
    }
    if let Some(time) = value.read_lock::<Time>() {
        return Ok(moment::text(*time).into());
    }
    if let Some(array) = value.read_lock::<Array>() {
        return array
            .iter()
            .map(|item| to_value(item, reveal))
            .collect::<Result<_>>()
            .map(Value::Array);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let fields: Result<_> = map
            .iter()
            .map(|(name, item)| Ok((name.to_string(), to_value(item, reveal)?)))
            .collect();
        return fields.map(Value::Object);
    }
    for shown in SHOWN {
        if let Some(data) = (shown.object)(value, reveal).or_else(|| (shown.list)(value, reveal)) {
            return data;
        }
    }
    Ok(serde_json::to_value(value).unwrap_or_else(|_| value.type_name().into()))
}

fn values_of<T: Fields>(value: &Dynamic) -> Option<Vec<Dynamic>> {
    let value = value.read_lock::<T>()?;
    Some(T::FIELDS.iter().map(|field| (field.get)(&*value)).collect())
}

fn object_of<T: Fields>(value: &Dynamic, reveal: bool) -> Option<Result<Value>> {
    value.read_lock::<T>().map(|value| object(&*value, reveal))
}

/// A lazy list, read to its end.
fn list_of<T: Fields>(value: &Dynamic, reveal: bool) -> Option<Result<Value>> {
    let list = value.read_lock::<Lazy<T>>()?;
    let mut rows = Vec::new();
    for page in list.pages() {
        let page = page.and_then(|page| page.iter().map(|item| object(item, reveal)).collect::<Result<Vec<_>>>());
        match page {
            Ok(mut page) => rows.append(&mut page),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(Value::Array(rows)))
}

fn object<T: Fields>(value: &T, reveal: bool) -> Result<Value> {
    let fields = T::FIELDS.iter().map(|field| (field.name, (field.get)(value)));
    let fields: Result<_> = fields
        .filter(|(_, item)| !item.is::<Absent>())
        .map(|(name, item)| Ok((name.to_owned(), to_value(&item, reveal)?)))
        .collect();
    fields.map(Value::Object)
}

/// Shows a lazy list page by page while it is read, if the value is one. Secrets stay masked unless `reveal`.
///
/// # Errors
/// Those of the store, and those of [`Rows`].
pub fn stream(value: &Dynamic, reveal: bool, run: &Run, rows: &mut dyn Rows) -> Option<Result<()>> {
    SHOWN.iter().find_map(|shown| (shown.stream)(value, reveal, run, rows))
}

/// The secrets among the fields of a value.
#[must_use]
pub fn secrets_in(value: &Dynamic) -> Vec<Dynamic> {
    let fields: Vec<Dynamic> = match value.read_lock::<Map>() {
        Some(map) => map.values().cloned().collect(),
        None => SHOWN.iter().find_map(|shown| (shown.values)(value)).unwrap_or_default(),
    };
    fields.into_iter().filter(Dynamic::is::<Secret>).collect()
}

/// The moments that fields hold: they print as RFC 3339, and can be compared.
pub(super) fn register_time(engine: &mut Engine) {
    let text = |time: &mut Time| moment::text(*time);
    engine
        .register_type_with_name::<Time>("Time")
        .register_fn("to_string", text)
        .register_fn("to_debug", text)
        .register_fn("==", |one: Time, other: Time| one == other)
        .register_fn("!=", |one: Time, other: Time| one != other)
        .register_fn("<", |one: Time, other: Time| one < other)
        .register_fn("<=", |one: Time, other: Time| one <= other)
        .register_fn(">", |one: Time, other: Time| one > other)
        .register_fn(">=", |one: Time, other: Time| one >= other);
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    /// What changes record and what scripts see of a user has the same names in the same order.
    #[test]
    fn the_fields_of_a_user_are_those_of_its_record() {
        let user = User {
            id: crate::model::Id::least(),
            username: "alice".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            locked_at: Some(DateTime::UNIX_EPOCH),
            deactivated_at: None,
            admin: true,
            guest: false,
        };
        assert_eq!(object(&user, false).unwrap(), serde_json::to_value(&user).unwrap());
    }
}
