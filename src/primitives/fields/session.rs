//! The fields of sessions, and of the clients that hold them.

use super::{
    Field, Fields,
    shape::{Shape, kind_of},
};
use crate::model::{Client, Session};

fields!(Session {
    /// Its ULID.
    "id" => |session| session.id.to_string(),
    /// `browser`, `compatibility`, `oauth` or `personal`.
    "kind" => |session| session.kind.as_str(),
    /// The ULID of the account as whom it acts; `()` for a client that acts for itself.
    "user_id" => |session| session.user_id.map(|id| id.to_string()),
    /// The username of that account.
    "user" => |session| session.user.clone(),
    /// The ULID of its OAuth 2.0 client.
    "client_id" => |session| session.client_id.map(|id| id.to_string()),
    /// What people call that client.
    "client" => |session| session.client.clone(),
    /// The Matrix device.
    "device_id" => |session| session.device_id.clone(),
    /// The OAuth 2.0 scope.
    "scope" => |session| session.scope.clone(),
    /// What people call it.
    "name" => |session| session.name.clone(),
    /// Whether it may use the admin API of Synapse.
    "synapse_admin" => |session| session.synapse_admin,
    /// The ULID of the account to which a personal session belongs, if that is another.
    "owner_id" => |session| session.owner_id.map(|id| id.to_string()),
    /// The username of that account.
    "owner" => |session| session.owner.clone(),
    /// When it began.
    "created_at" => |session| session.created_at,
    /// When it ended; `()` while it is active.
    "finished_at" => |session| session.finished_at,
    /// When it was last in use, to about a minute.
    "last_active_at" => |session| session.last_active_at,
    /// From which address it was last in use.
    "last_active_ip" => |session| session.last_active_ip.clone(),
    /// The program, as it names itself.
    "user_agent" => |session| session.user_agent.clone(),
});

fields!(Client {
    /// Its ULID, also its `client_id` in OAuth 2.0.
    "id" => |client| client.id.to_string(),
    /// What it calls itself.
    "name" => |client| client.name.clone(),
    /// `static` if the configuration of MAS defines it, `dynamic` if it has registered itself.
    "kind" => |client| client.kind.as_str(),
    /// `web` or `native`.
    "application_type" => |client| client.application_type.clone(),
    /// Its home page.
    "uri" => |client| client.uri.clone(),
    /// To where a login may return.
    "redirect_uris" => |client| client.redirect_uris.clone(),
    /// How it may get tokens.
    "grant_types" => |client| client.grant_types.clone(),
    /// How it proves who it is.
    "auth_method" => |client| client.auth_method.clone(),
    /// When it was registered; `()` for those of the configuration.
    "created_at" => |client| client.created_at,
});
