//! The fields of an account with all that belongs to it.

use std::collections::BTreeMap;

use rhai::{Array, Dynamic, Map};

use super::{Absent, Field, Fields, or_unit};
use crate::model::{AcceptedTerms, Address, Description, Part, PasswordState, ThirdPartyId, UpstreamAccount};

fields!(Description {
    "id" => |it| it.user.id.to_string().into(),
    "username" => |it| it.user.username.clone().into(),
    "mxid" => |it| it.mxid.clone().map_or_else(absent, Into::into),
    "created_at" => |it| Dynamic::from(it.user.created_at),
    "locked_at" => |it| or_unit(it.user.locked_at.map(Dynamic::from)),
    "deactivated_at" => |it| or_unit(it.user.deactivated_at.map(Dynamic::from)),
    "admin" => |it| it.user.admin.into(),
    "guest" => |it| it.user.guest.into(),
    "last_active_at" => |it| read(&it.sessions, |sessions| or_unit(sessions.last_active_at.map(Dynamic::from))),
    "sessions" => |it| read(&it.sessions, |sessions| counts(&sessions.active)),
    "password" => |it| read(&it.password, |state| or_unit(state.as_ref().map(password))),
    "emails" => |it| read(&it.emails, |emails| list(emails)),
    "third_party_ids" => |it| read(&it.third_party_ids, |ids| list(ids)),
    "links" => |it| read(&it.links, |links| list(links)),
    "terms" => |it| list(&it.terms),
    "jobs" => |it| read(&it.jobs, counts),
});

fields!(Address {
    "email" => |address| address.email.clone().into(),
    "created_at" => |address| Dynamic::from(address.created_at),
});

fields!(ThirdPartyId {
    "medium" => |it| it.medium.clone().into(),
    "address" => |it| it.address.clone().into(),
    "created_at" => |it| Dynamic::from(it.created_at),
});

fields!(UpstreamAccount {
    "id" => |link| link.id.to_string().into(),
    "provider_id" => |link| link.provider_id.to_string().into(),
    "provider" => |link| or_unit(link.provider.clone()),
    "subject" => |link| link.subject.clone().into(),
    "human_account_name" => |link| or_unit(link.human_account_name.clone()),
    "created_at" => |link| Dynamic::from(link.created_at),
});

fields!(AcceptedTerms {
    "url" => |terms| terms.url.clone().into(),
    "created_at" => |terms| Dynamic::from(terms.created_at),
});

fn absent() -> Dynamic {
    Dynamic::from(Absent)
}

fn read<T>(part: &Part<T>, show: impl FnOnce(&T) -> Dynamic) -> Dynamic {
    match part {
        Part::Withheld => absent(),
        Part::Read(value) => show(value),
    }
}

fn list<T: Fields>(items: &[T]) -> Dynamic {
    items.iter().cloned().map(Dynamic::from).collect::<Array>().into()
}

fn counts(counts: &BTreeMap<&'static str, i64>) -> Dynamic {
    let counts = counts.iter().map(|(name, count)| ((*name).into(), (*count).into()));
    counts.collect::<Map>().into()
}

fn password(state: &PasswordState) -> Dynamic {
    let fields: Map = [
        ("age_days", state.age_days.into()),
        ("algorithm", or_unit(state.algorithm)),
        ("created_at", Dynamic::from(state.created_at)),
        ("version", i64::from(state.version).into()),
    ]
    .map(|(name, value)| (name.into(), value))
    .into();
    fields.into()
}
