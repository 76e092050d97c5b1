//! The fields of each type that scripts see: one list gives getters, JSON and table columns.

use std::{any::TypeId, sync::Arc};

use rhai::{Array, Dynamic, FnPtr, Map};
use secrecy::ExposeSecret;
use serde_json::Value;

use self::shape::{Shape, kind_of};
use super::{
    Secret,
    documentation::{Type, type_name},
    lazy::Lazy,
    moment, rows,
    secret::MASK,
};
use crate::{
    console::Rows,
    error::{Code, Error, Result},
    homeserver::Account,
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
    /// What it is, one sentence.
    pub(super) about: &'static str,
    /// The type of its value, as the reference has it.
    pub(super) kind: fn() -> String,
    /// Its value.
    pub(super) get: fn(&T) -> Dynamic,
}

/// A type that scripts can look into.
pub(super) trait Fields: Clone + Send + Sync + 'static {
    /// Every field in the order of tables.
    const FIELDS: &'static [Field<Self>];
}

macro_rules! fields {
    ($type:ty { $($(#[doc = $doc:literal])* $name:literal => |$value:ident| $get:expr,)+ }) => {
        impl Fields for $type {
            const FIELDS: &'static [Field<Self>] = &[$(Field {
                name: $name,
                about: concat!($($doc),*).trim_ascii(),
                kind: || kind_of(|$value: &$type| $get),
                get: |$value| Shape::shown($get),
            },)+];
        }
    };
}

// After the macro, which they use.
mod description;
mod homeserver;
mod passwords;
mod session;
mod shape;
mod site;
mod tokens;
mod upstream;

/// What a field holds that is not there: JSON and tables leave it out, and scripts see `()`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent;

fields!(User {
    /// Its ULID.
    "id" => |user| user.id.to_string(),
    /// Its name, without the server.
    "username" => |user| user.username.clone(),
    /// When it was registered.
    "created_at" => |user| user.created_at,
    /// When it was locked.
    "locked_at" => |user| user.locked_at,
    /// When it was deactivated.
    "deactivated_at" => |user| user.deactivated_at,
    /// Whether it may ask for administrator scopes.
    "admin" => |user| user.admin,
    /// Whether it is a guest of the homeserver that was imported.
    "guest" => |user| user.guest,
});

fields!(Email {
    /// Its ULID.
    "id" => |email| email.id.to_string(),
    /// The ULID of the account.
    "user_id" => |email| email.user_id.to_string(),
    /// The username of the account that has it, if that may be read.
    "user" => |email| email.user.clone(),
    /// The address.
    "email" => |email| email.email.clone(),
    /// When it was added.
    "created_at" => |email| email.created_at,
});

fields!(Job {
    /// Its ULID.
    "id" => |job| job.id.to_string(),
    /// What kind of work it is, such as `provision-user`.
    "queue" => |job| job.queue.clone(),
    /// The username of the account that it is about.
    "user" => |job| job.user.clone(),
    /// `available`, `running`, `completed`, `lost`, `failed` or `scheduled`.
    "status" => |job| job.status.clone(),
    /// How often it was tried before.
    "attempt" => |job| i64::from(job.attempt),
    /// When it was queued.
    "created_at" => |job| job.created_at,
    /// Before when no worker takes it.
    "scheduled_at" => |job| job.scheduled_at,
    /// When a worker took it.
    "started_at" => |job| job.started_at,
    /// The ULID of that worker.
    "started_by" => |job| job.started_by.map(|id| id.to_string()),
    /// When it was done.
    "completed_at" => |job| job.completed_at,
    /// When it failed.
    "failed_at" => |job| job.failed_at,
    /// Why it failed.
    "failed_reason" => |job| job.failed_reason.clone(),
    /// The ULID of the job that tries it again.
    "next_attempt_id" => |job| job.next_attempt_id.map(|id| id.to_string()),
    /// The recurring schedule that queued it.
    "schedule_name" => |job| job.schedule_name.clone(),
    /// What exactly is to be done.
    "payload" => |job| rhai::serde::to_dynamic(&job.payload).unwrap_or_default(),
});

fields!(JobCount {
    /// Of which queue.
    "queue" => |row| row.queue.clone(),
    /// Of which status.
    "status" => |row| row.status.clone(),
    /// How many there are.
    "count" => |row| row.count,
    /// When the oldest of them was queued.
    "oldest_at" => |row| row.oldest_at,
});

fields!(CompatibilityToken {
    /// The token itself, shown once.
    "token" => |issued| Secret::made(issued.token.clone()),
    /// Its ULID.
    "id" => |issued| issued.id.to_string(),
    /// The ULID of its session.
    "session_id" => |issued| issued.session_id.to_string(),
    /// The Matrix device.
    "device_id" => |issued| issued.device_id.clone(),
    /// Until when it is valid; `()` is for ever.
    "expires_at" => |issued| issued.expires_at,
});

fields!(PersonalToken {
    /// The token itself, shown once.
    "token" => |issued| Secret::made(issued.token.clone()),
    /// Its ULID.
    "id" => |issued| issued.id.to_string(),
    /// The ULID of its session.
    "session_id" => |issued| issued.session_id.to_string(),
    /// What people call it.
    "name" => |issued| issued.name.clone(),
    /// What the token may do.
    "scope" => |issued| issued.scope.to_string(),
    /// The Matrix device.
    "device_id" => |issued| issued.scope.device().map(str::to_owned),
    /// Until when it is valid; `()` is for ever.
    "expires_at" => |issued| issued.expires_at,
});

fields!(IssuedRegistrationToken {
    /// The token itself, shown once.
    "token" => |issued| Secret::made(issued.token.clone()),
    /// Its ULID.
    "id" => |issued| issued.id.to_string(),
    /// How often it can be used; `()` is without limit.
    "usage_limit" => |issued| issued.usage_limit.map(i64::from),
    /// Until when it is valid; `()` is for ever.
    "expires_at" => |issued| issued.expires_at,
});

/// How a type with fields, and lists of it, become data.
struct Shown {
    type_of: fn() -> Described,
    name: fn() -> &'static str,
    document: fn() -> Type,
    object: fn(&Dynamic, bool) -> Option<Result<Value>>,
    list: fn(&Dynamic, bool) -> Option<Result<Value>>,
    in_run: fn(&Dynamic, &Arc<Run>) -> Option<Dynamic>,
    fields: fn(&Dynamic) -> Option<Named>,
    beginning: fn(&Dynamic, usize) -> Option<Result<Beginning>>,
    stream: Stream,
}

/// The fields of a value, each with its name.
pub(super) type Named = Vec<(&'static str, Dynamic)>;

/// The first items of a list, and whether there are more.
pub(super) type Beginning = (Vec<Dynamic>, bool);

/// Shows a lazy list of one type while it is read; `None` if the value is none of those.
type Stream = fn(&Dynamic, bool, &Run, &mut dyn Rows) -> Option<Result<()>>;

macro_rules! shown {
    ($($type:ty,)+) => {
        &[$(Shown {
            type_of: described::<$type>,
            name: type_name::<$type>,
            document: Type::of::<$type>,
            object: object_of::<$type>,
            list: list_of::<$type>,
            in_run: in_run_of::<$type>,
            fields: fields_in::<$type>,
            beginning: beginning_of::<$type>,
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
    Account,
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
    Described {
        name: type_name::<T>(),
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

/// Every type with fields, as the reference has it, without what it is.
pub(super) fn documented() -> Vec<Type> {
    SHOWN.iter().map(|shown| (shown.document)()).collect()
}

/// Whether a type with fields is called so.
pub(super) fn is_type(name: &str) -> bool {
    SHOWN.iter().any(|shown| (shown.name)() == name)
}

/// How deep a value may be nested that becomes data: no more than JSON is read again with.
pub(super) const DEEPEST: usize = 100;

/// A value of a script's as plain data. Secrets stay masked unless `reveal`, which shows those that the run made.
///
/// # Errors
/// `script.limit` for what is nested too deeply; those of the store, when a lazy list is read.
pub fn to_value(value: &Dynamic, reveal: bool) -> Result<Value> {
    value_within(value, reveal, DEEPEST)
}

fn value_within(value: &Dynamic, reveal: bool, depth: usize) -> Result<Value> {
    let deeper = |item: &Dynamic| match depth.checked_sub(1) {
        Some(depth) => value_within(item, reveal, depth),
        None => Err(Error::new(
            Code::ScriptLimit,
            format!("The value is nested more than {DEEPEST} deep"),
        )),
    };
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
        return array.iter().map(deeper).collect::<Result<_>>().map(Value::Array);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let fields: Result<_> = map
            .iter()
            .map(|(name, item)| Ok((name.to_string(), deeper(item)?)))
            .collect();
        return fields.map(Value::Object);
    }
    // What a closure holds is its own, and may be the closure itself.
    if value.is::<FnPtr>() {
        return Ok("<function>".into());
    }
    for shown in SHOWN {
        if let Some(data) = (shown.object)(value, reveal).or_else(|| (shown.list)(value, reveal)) {
            return data;
        }
    }
    Ok(serde_json::to_value(value).unwrap_or_else(|_| value.type_name().into()))
}

fn fields_in<T: Fields>(value: &Dynamic) -> Option<Named> {
    let value = value.read_lock::<T>()?;
    let fields = T::FIELDS.iter().map(|field| (field.name, (field.get)(&*value)));
    Some(fields.filter(|(_, item)| !item.is::<Absent>()).collect())
}

/// The fields of a value whose type has some, without those that are not there.
pub(super) fn fields_of(value: &Dynamic) -> Option<Named> {
    SHOWN.iter().find_map(|shown| (shown.fields)(value))
}

fn beginning_of<T: Fields>(value: &Dynamic, most: usize) -> Option<Result<Beginning>> {
    let list = value.read_lock::<Lazy<T>>()?;
    let beginning = list.beginning(most);
    Some(beginning.map(|(items, has_more)| (items.into_iter().map(Dynamic::from).collect(), has_more)))
}

/// The first items of a lazy list, if the value is one, and whether there are more.
pub(super) fn beginning(value: &Dynamic, most: usize) -> Option<Result<Beginning>> {
    SHOWN.iter().find_map(|shown| (shown.beginning)(value, most))
}

/// The value of a field, if the value has it. Nothing is run or read for it.
#[must_use]
pub fn field(value: &Dynamic, name: &str) -> Option<Dynamic> {
    let mut fields = fields_of(value)?.into_iter();
    fields.find(|(known, _)| *known == name).map(|(_, item)| item)
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

fn in_run_of<T: Fields>(value: &Dynamic, run: &Arc<Run>) -> Option<Dynamic> {
    let list = value.read_lock::<Lazy<T>>()?;
    Some(Dynamic::from(list.in_run(run.clone())))
}

/// A lazy list that an earlier run has made, as this one reads it, if the value is one.
pub fn in_run(value: &Dynamic, run: &Arc<Run>) -> Option<Dynamic> {
    SHOWN.iter().find_map(|shown| (shown.in_run)(value, run))
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
    let fields: Vec<Dynamic> = if let Some(map) = value.read_lock::<Map>() {
        map.values().cloned().collect()
    } else {
        let fields = fields_of(value).unwrap_or_default();
        fields.into_iter().map(|(_, item)| item).collect()
    };
    fields.into_iter().filter(Dynamic::is::<Secret>).collect()
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
