//! The sessions that are listed: of all kinds, one begun in each hour.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use masctl::model::{Id, Session, SessionKind};

use crate::{
    storage::{NEW, NOW},
    support::{
        cast::{ALICE, BOB, CAROL, id, time},
        specimen::Specimen,
        store::Store,
    },
};

/// Two clients.
pub(super) const CLIENTS: [&str; 2] = [NEW[0], NEW[1]];

const PHONE: &str = "urn:matrix:client:device:PHONE";
const BOT: &str = "urn:matrix:org.matrix.msc2967.client:device:BOT";

/// The moment some hours after the first session began.
pub(super) fn hour(hours: i64) -> DateTime<Utc> {
    time(NOW) + Duration::hours(hours)
}

/// The id of the session that began in this hour.
pub(super) fn nth(number: i64) -> Id {
    Id::new(hour(number), 7)
}

/// A session that nobody has used.
fn begun(number: i64, kind: SessionKind, user: Option<&str>) -> Session {
    Session {
        id: nth(number),
        kind,
        user_id: user.map(id),
        user: None,
        client_id: None,
        client: None,
        device_id: None,
        scope: None,
        name: None,
        synapse_admin: false,
        owner_id: None,
        owner: None,
        created_at: hour(number),
        finished_at: None,
        last_active_at: None,
        last_active_ip: None,
        user_agent: None,
    }
}

/// Sessions of all kinds, one in each hour.
pub(super) fn sessions() -> Vec<Session> {
    [of_alice(), of_others()].concat()
}

fn of_alice() -> Vec<Session> {
    vec![
        Session {
            last_active_at: Some(hour(100)),
            last_active_ip: Some("192.0.2.1".to_owned()),
            user_agent: Some("Mozilla/5.0 (X11) Firefox/140.0".to_owned()),
            ..begun(0, SessionKind::Browser, Some(ALICE))
        },
        Session {
            device_id: Some("PHONE".to_owned()),
            synapse_admin: true,
            name: Some("my phone".to_owned()),
            user_agent: Some("Element/1.0 100%_\\ (Android)".to_owned()),
            ..begun(1, SessionKind::Compatibility, Some(ALICE))
        },
        Session {
            client_id: Some(id(CLIENTS[0])),
            device_id: Some("PHONE".to_owned()),
            scope: Some(format!("openid {PHONE}")),
            name: Some("laptop".to_owned()),
            last_active_at: Some(hour(3)),
            last_active_ip: Some("2001:db8::1".to_owned()),
            user_agent: Some("mozilla".to_owned()),
            ..begun(2, SessionKind::OAuth, Some(ALICE))
        },
        Session {
            device_id: Some("BOT".to_owned()),
            scope: Some(format!("{BOT} urn:synapse:admin:*")),
            name: Some("backup".to_owned()),
            synapse_admin: true,
            ..begun(3, SessionKind::Personal, Some(ALICE))
        },
        Session {
            owner_id: Some(id(ALICE)),
            scope: Some(String::new()),
            name: Some("helpdesk".to_owned()),
            last_active_ip: Some("192.0.2.1".to_owned()),
            last_active_at: Some(hour(4)),
            ..begun(4, SessionKind::Personal, Some(CAROL))
        },
    ]
}

fn of_others() -> Vec<Session> {
    vec![
        Session {
            client_id: Some(id(CLIENTS[0])),
            scope: Some("openid".to_owned()),
            name: Some("of a client".to_owned()),
            finished_at: Some(hour(6)),
            ..begun(5, SessionKind::Personal, Some(BOB))
        },
        Session {
            finished_at: Some(hour(6)),
            ..begun(6, SessionKind::Browser, Some(BOB))
        },
        Session {
            device_id: Some("PHONE".to_owned()),
            finished_at: Some(hour(9)),
            last_active_at: Some(hour(8)),
            last_active_ip: Some("192.0.2.11".to_owned()),
            ..begun(7, SessionKind::Compatibility, Some(BOB))
        },
        Session {
            client_id: Some(id(CLIENTS[1])),
            scope: Some("openid".to_owned()),
            ..begun(8, SessionKind::OAuth, None)
        },
        Session {
            client_id: Some(id(CLIENTS[0])),
            scope: Some(String::new()),
            ..begun(9, SessionKind::OAuth, Some(BOB))
        },
        begun(10, SessionKind::Compatibility, Some(ALICE)),
    ]
}

/// The table of a session, and columns with their values as SQL: those that only its kind has.
fn own_columns(specimen: &Specimen, session: &Session) -> (&'static str, &'static str, String) {
    let user = sql_id(session.user_id);
    let (agent, name) = (sql(session.user_agent.as_ref()), sql(session.name.as_ref()));
    let scope = session.scope.as_deref().unwrap_or_default();
    let list = specimen.list(&scope.split_whitespace().collect::<Vec<_>>());
    match session.kind {
        SessionKind::Browser => (
            "user_sessions",
            "user_id, user_agent, user_session_id, finished_at",
            format!("{user}, {agent}"),
        ),
        SessionKind::Compatibility => (
            "compat_sessions",
            "user_id, user_agent, human_name, device_id, is_synapse_admin, compat_session_id, finished_at",
            format!(
                "{user}, {agent}, {name}, {}, {}",
                sql(session.device_id.as_ref()),
                session.synapse_admin
            ),
        ),
        SessionKind::OAuth => (
            "oauth2_sessions",
            "user_id, user_agent, human_name, scope_list, oauth2_client_id, oauth2_session_id, finished_at",
            format!("{user}, {agent}, {name}, {list}, {}", sql_id(session.client_id)),
        ),
        SessionKind::Personal => (
            "personal_sessions",
            "actor_user_id, human_name, scope_list, owner_oauth2_client_id, owner_user_id, personal_session_id, revoked_at",
            format!(
                "{user}, {name}, {list}, {}, {}",
                sql_id(session.client_id),
                sql_id(
                    session
                        .owner_id
                        .or(session.user_id.filter(|_| session.client_id.is_none()))
                )
            ),
        ),
    }
}

fn sql(text: Option<&String>) -> String {
    text.map_or("NULL".to_owned(), |text| format!("'{text}'"))
}

fn sql_id(id: Option<Id>) -> String {
    id.map_or("NULL".to_owned(), |id| format!("{{ulid:{id}}}"))
}

fn sql_time(time: Option<DateTime<Utc>>) -> String {
    sql(time
        .map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, false))
        .as_ref())
}

/// The row of a session, as SQL.
fn insert(specimen: &Specimen, session: &Session) -> String {
    let (table, columns, values) = own_columns(specimen, session);
    format!(
        "INSERT INTO {table} ({columns}, created_at, last_active_at, last_active_ip) VALUES ({values}, {}, {}, {}, {}, {});",
        sql_id(Some(session.id)),
        sql_time(session.finished_at),
        sql_time(Some(session.created_at)),
        sql_time(session.last_active_at),
        sql(session.last_active_ip.as_ref())
    )
}

/// A store with the cast and these sessions.
pub(super) async fn with_sessions(kind: Store) -> Specimen {
    let specimen = Specimen::create(kind).await;
    for client in CLIENTS {
        specimen.seed(&format!(
            "INSERT INTO oauth2_clients (oauth2_client_id, grant_type_authorization_code, grant_type_refresh_token) \
             VALUES ({{ulid:{client}}}, true, true)"
        ));
    }
    let rows: String = sessions().iter().map(|session| insert(&specimen, session)).collect();
    specimen.seed(&rows);
    specimen
}
