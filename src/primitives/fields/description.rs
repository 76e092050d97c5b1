//! The fields of an account with all that belongs to it.

use std::collections::BTreeMap;

use rhai::Map;

use super::{
    Field, Fields,
    shape::{Readable, Shape, kind_of},
};
use crate::model::{AcceptedTerms, Address, Description, Part, PasswordState, ThirdPartyId, UpstreamAccount};

fields!(Description {
    /// Its ULID.
    "id" => |it| it.user.id.to_string(),
    /// Its name, without the server.
    "username" => |it| it.user.username.clone(),
    /// Its Matrix id, if the server name is known.
    "mxid" => |it| Readable(it.mxid.clone()),
    /// When it was registered.
    "created_at" => |it| it.user.created_at,
    /// When it was locked.
    "locked_at" => |it| it.user.locked_at,
    /// When it was deactivated.
    "deactivated_at" => |it| it.user.deactivated_at,
    /// Whether it may ask for administrator scopes.
    "admin" => |it| it.user.admin,
    /// Whether it is a guest of the homeserver that was imported.
    "guest" => |it| it.user.guest,
    /// When a session of it was last in use; needs `sessions:read`.
    "last_active_at" => |it| read(&it.sessions, |sessions| sessions.last_active_at),
    /// How many active sessions of each kind it has; needs `sessions:read`.
    "sessions" => |it| read(&it.sessions, |sessions| counts(&sessions.active)),
    /// Version, algorithm, time and age in days of its password; needs `passwords:read`.
    "password" => |it| read(&it.password, |state| state.as_ref().map(password)),
    /// Its e-mail addresses; needs `emails:read`.
    "emails" => |it| read(&it.emails, Clone::clone),
    /// Its addresses of other kinds than e-mail; needs `emails:read`.
    "third_party_ids" => |it| read(&it.third_party_ids, Clone::clone),
    /// Its links to upstream providers; needs `links:read`.
    "links" => |it| read(&it.links, Clone::clone),
    /// The terms of service that it has accepted.
    "terms" => |it| it.terms.clone(),
    /// How many jobs about it have each status; needs `jobs:read`.
    "jobs" => |it| read(&it.jobs, counts),
});

fields!(Address {
    /// The address.
    "email" => |address| address.email.clone(),
    /// When it was added.
    "created_at" => |address| address.created_at,
});

fields!(ThirdPartyId {
    /// What kind it is: `msisdn`.
    "medium" => |it| it.medium.clone(),
    /// The address, such as a telephone number.
    "address" => |it| it.address.clone(),
    /// When it was added.
    "created_at" => |it| it.created_at,
});

fields!(UpstreamAccount {
    /// The ULID of the link.
    "id" => |link| link.id.to_string(),
    /// The ULID of the upstream provider.
    "provider_id" => |link| link.provider_id.to_string(),
    /// What people call the provider, or its issuer; needs `providers:read`.
    "provider" => |link| link.provider.clone(),
    /// Who the user is at the provider.
    "subject" => |link| link.subject.clone(),
    /// What people call the account at the provider.
    "human_account_name" => |link| link.human_account_name.clone(),
    /// When it was linked.
    "created_at" => |link| link.created_at,
});

fields!(AcceptedTerms {
    /// Where the terms are.
    "url" => |terms| terms.url.clone(),
    /// When they were accepted.
    "created_at" => |terms| terms.created_at,
});

fn read<T, S: Shape>(part: &Part<T>, show: impl FnOnce(&T) -> S) -> Readable<S> {
    Readable(match part {
        Part::Withheld => None,
        Part::Read(value) => Some(show(value)),
    })
}

fn counts(counts: &BTreeMap<&'static str, i64>) -> Map {
    let counts = counts.iter().map(|(name, count)| ((*name).into(), (*count).into()));
    counts.collect()
}

fn password(state: &PasswordState) -> Map {
    [
        ("age_days", state.age_days.shown()),
        ("algorithm", state.algorithm.shown()),
        ("created_at", state.created_at.shown()),
        ("version", i64::from(state.version).shown()),
    ]
    .map(|(name, value)| (name.into(), value))
    .into()
}
