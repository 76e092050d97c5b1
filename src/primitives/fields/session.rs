//! The fields of sessions, and of the clients that hold them.

use rhai::{Array, Dynamic};

use super::{Field, Fields};
use crate::{
    model::{Client, Session},
    primitives::or_unit,
};

fields!(Session {
    "id" => |session| session.id.to_string().into(),
    "kind" => |session| session.kind.as_str().into(),
    "user_id" => |session| or_unit(session.user_id.map(|id| id.to_string())),
    "user" => |session| or_unit(session.user.clone()),
    "client_id" => |session| or_unit(session.client_id.map(|id| id.to_string())),
    "client" => |session| or_unit(session.client.clone()),
    "device_id" => |session| or_unit(session.device_id.clone()),
    "scope" => |session| or_unit(session.scope.clone()),
    "name" => |session| or_unit(session.name.clone()),
    "synapse_admin" => |session| session.synapse_admin.into(),
    "owner_id" => |session| or_unit(session.owner_id.map(|id| id.to_string())),
    "owner" => |session| or_unit(session.owner.clone()),
    "created_at" => |session| Dynamic::from(session.created_at),
    "finished_at" => |session| or_unit(session.finished_at.map(Dynamic::from)),
    "last_active_at" => |session| or_unit(session.last_active_at.map(Dynamic::from)),
    "last_active_ip" => |session| or_unit(session.last_active_ip.clone()),
    "user_agent" => |session| or_unit(session.user_agent.clone()),
});

fields!(Client {
    "id" => |client| client.id.to_string().into(),
    "name" => |client| or_unit(client.name.clone()),
    "kind" => |client| client.kind.as_str().into(),
    "application_type" => |client| or_unit(client.application_type.clone()),
    "uri" => |client| or_unit(client.uri.clone()),
    "redirect_uris" => |client| texts(client.redirect_uris.iter().cloned()),
    "grant_types" => |client| texts(client.grant_types.iter().copied()),
    "auth_method" => |client| or_unit(client.auth_method.clone()),
    "created_at" => |client| or_unit(client.created_at.map(Dynamic::from)),
});

fn texts(list: impl Iterator<Item = impl Into<Dynamic>>) -> Dynamic {
    list.map(Into::into).collect::<Array>().into()
}
