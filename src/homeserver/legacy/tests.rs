//! The answers were recorded from Synapse 1.150.0 with `experimental_features.msc3861` and its `admin_token`.

use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use super::*;
use crate::{
    error::Code,
    homeserver::transport::tests::{answering, every_call, matrix, refusal, replaying, requests, shown, sub},
};

const USER: &str = "/_synapse/admin/v2/users/%40alice%3Aexample.com";

fn synapse(server: &MockServer) -> LegacySynapse {
    LegacySynapse::new(&matrix(&server.uri()), Limits::default())
}

fn json_of(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn done(status: u16) -> ResponseTemplate {
    json_of(status, json!({}))
}

fn user() -> Value {
    json!({
        "name": "@alice:example.com", "admin": false, "deactivated": false, "locked": false, "shadow_banned": false,
        "creation_ts": 1_795_647_958, "appservice_id": null, "consent_server_notice_sent": null,
        "consent_version": null, "consent_ts": null, "user_type": null, "is_guest": false, "suspended": false,
        "displayname": "Alice", "avatar_url": null,
        "threepids": [{
            "medium": "email", "address": "a@example.com",
            "validated_at": 1_795_647_958_681_u64, "added_at": 1_795_647_958_681_u64,
        }],
        "external_ids": [{ "auth_provider": "oauth-delegated", "external_id": "01HV00000000000000000000A1" }],
        "erased": false, "last_seen_ts": null,
    })
}

fn device(id: &str) -> Value {
    json!({
        "user_id": "@alice:example.com", "device_id": id, "display_name": null,
        "last_seen_user_agent": null, "last_seen_ts": null, "last_seen_ip": null,
    })
}

fn devices(devices: &[Value]) -> ResponseTemplate {
    json_of(200, json!({ "devices": devices, "total": devices.len() }))
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn every_call_is_sent_as_synapse_takes_it() {
    let server = replaying([
        json_of(200, json!({ "available": true })),
        json_of(200, user()),
        json_of(201, user()),
        done(201),
        done(200),
        done(200),
        done(200),
        devices(&[device("OLD"), device("PHONE")]),
        done(200),
        done(201),
        json_of(200, json!({ "id_server_unbind_result": "success" })),
        json_of(200, user()),
        done(200),
        done(200),
        json_of(200, json!({ "updatable_without_uia_before_ms": 1_795_648_558_681_u64 })),
    ])
    .await;
    for (call, result) in every_call(&synapse(&server)).await {
        result.expect(call);
    }
    let profile = "/_matrix/client/v3/profile/%40alice%3Aexample.com";
    let expected = [
        "GET /_synapse/admin/v1/username_available?username=alice".to_owned(),
        format!("GET {USER}"),
        format!(
            r#"PUT {USER} {{"external_ids":[{{"auth_provider":"oauth-delegated","external_id":"01HV00000000000000000000A1"}}]}}"#
        ),
        format!(r#"POST {USER}/devices {{"device_id":"LAPTOP"}}"#),
        format!(r#"PUT {USER}/devices/LAPTOP {{"display_name":"Laptop"}}"#),
        format!(r#"PUT {USER}/devices/LAPTOP {{"display_name":"Laptop"}}"#),
        format!("DELETE {USER}/devices/LAPTOP"),
        format!("GET {USER}/devices"),
        format!(r#"POST {USER}/delete_devices {{"devices":["OLD"]}}"#),
        format!(r#"POST {USER}/devices {{"device_id":"LAPTOP"}}"#),
        r#"POST /_synapse/admin/v1/deactivate/%40alice%3Aexample.com {"erase":true}"#.to_owned(),
        format!(r#"PUT {USER} {{"deactivated":false}}"#),
        format!(r#"PUT {profile}/displayname {{"displayname":"Alice"}}"#),
        format!(r#"PUT {profile}/displayname {{"displayname":""}}"#),
        "POST /_synapse/admin/v1/users/%40alice%3Aexample.com/_allow_cross_signing_replacement_without_uia {}"
            .to_owned(),
    ];
    assert_eq!(requests(&server).await, expected);
}

#[tokio::test]
async fn a_localpart_is_available_or_not() {
    let reserved = json_of(200, json!({ "available": false }));
    let taken = refusal(400, "M_USER_IN_USE", "User ID already taken.");
    for (answer, why) in [
        (reserved, "the homeserver says so"),
        (taken, "the homeserver has a user of this name"),
    ] {
        let server = answering(answer).await;
        let availability = synapse(&server).is_localpart_available("alice").await.unwrap();
        assert_eq!(availability, Availability::Unavailable(why.to_owned()));
    }
    let server = answering(done(200)).await;
    let availability = synapse(&server).is_localpart_available("ålice").await.unwrap();
    assert!(matches!(availability, Availability::Unavailable(_)));
    assert_eq!(requests(&server).await, Vec::<String>::new());
    let (code, message, _) = shown(&synapse(&server).is_localpart_available("alice").await.unwrap_err());
    assert_eq!(code, Code::HomeserverFailed);
    assert!(
        message.ends_with("answers 200, but not what it was asked for"),
        "{message}"
    );
}

#[tokio::test]
async fn a_user_is_what_the_homeserver_says_or_nobody() {
    let mut gone = user();
    gone["deactivated"] = true.into();
    gone["displayname"] = Value::Null;
    let server = replaying([
        json_of(200, user()),
        json_of(200, gone),
        json_of(200, json!({ "name": "@alice:example.com" })),
        refusal(404, "M_NOT_FOUND", "User not found"),
    ])
    .await;
    let homeserver = synapse(&server);
    let account = Account {
        user_id: "@alice:example.com".to_owned(),
        display_name: Some("Alice".to_owned()),
        avatar_url: None,
        suspended: false,
        deactivated: false,
    };
    assert_eq!(homeserver.query_user("alice").await.unwrap(), Some(account.clone()));
    let gone = Account {
        display_name: None,
        deactivated: true,
        ..account.clone()
    };
    assert_eq!(homeserver.query_user("alice").await.unwrap(), Some(gone));
    let plain = Account {
        display_name: None,
        ..account
    };
    assert_eq!(homeserver.query_user("alice").await.unwrap(), Some(plain));
    assert_eq!(homeserver.query_user("alice").await.unwrap(), None);
}

#[tokio::test]
async fn a_user_is_told_of_without_its_lock() {
    let emails = ["a@example.com".to_owned(), "b@example.com".to_owned()];
    let locked = Provisioning::new("alice", sub(), true);
    let full = Provisioning {
        emails: Some(&emails),
        display_name: Setting::Set("Alice"),
        avatar_url: Setting::Set("mxc://example.com/a"),
        ..locked
    };
    let empty = Provisioning {
        emails: Some(&[]),
        display_name: Setting::Unset,
        avatar_url: Setting::Unset,
        ..locked
    };
    let identity = r#""external_ids":[{"auth_provider":"oauth-delegated","external_id":"01HV00000000000000000000A1"}]"#;
    for (user_told, rest) in [
        (locked, String::new()),
        (
            full,
            r#","displayname":"Alice","avatar_url":"mxc://example.com/a","threepids":[{"medium":"email","address":"a@example.com"},{"medium":"email","address":"b@example.com"}]"#
                .to_owned(),
        ),
        (empty, r#","displayname":"","avatar_url":"","threepids":[]"#.to_owned()),
    ] {
        let server = replaying([json_of(201, user()), json_of(200, user())]).await;
        assert!(synapse(&server).provision_user(&user_told).await.unwrap());
        assert!(!synapse(&server).provision_user(&user_told).await.unwrap());
        assert_eq!(requests(&server).await[1], format!("PUT {USER} {{{identity}{rest}}}"));
    }
}

#[tokio::test]
async fn a_user_that_another_made_just_now_exists() {
    let in_use = || refusal(400, "M_USER_IN_USE", "User ID already taken.");
    let server = replaying([in_use(), json_of(200, user()), in_use(), in_use()]).await;
    let told = Provisioning::new("alice", sub(), false);
    assert!(!synapse(&server).provision_user(&told).await.unwrap());
    let (_, message, _) = shown(&synapse(&server).provision_user(&told).await.unwrap_err());
    assert_eq!(
        message,
        "The homeserver makes no user `alice`: the homeserver has a user of this name"
    );
}

#[tokio::test]
async fn devices_are_removed_and_made_but_a_dehydrated_one_is_let_alone() {
    let mut dehydrated = device("DRY");
    dehydrated["dehydrated"] = true.into();
    let mut plain = device("KEPT");
    plain["dehydrated"] = false.into();
    for (wanted, deleted, made) in [
        (set(&["KEPT", "NEW 1", "NEW/2"]), r#"["OLD"]"#, vec!["NEW 1", "NEW/2"]),
        (set(&["KEPT", "OLD"]), "[]", vec![]),
        (set(&[]), r#"["KEPT","OLD"]"#, vec![]),
    ] {
        let mut answers = vec![devices(&[dehydrated.clone(), plain.clone(), device("OLD")]), done(200)];
        answers.extend(made.iter().map(|_| done(201)));
        let server = replaying(answers).await;
        synapse(&server).sync_devices("alice", &wanted).await.unwrap();
        let mut expected = vec![
            format!("GET {USER}/devices"),
            format!(r#"POST {USER}/delete_devices {{"devices":{deleted}}}"#),
        ];
        expected.extend(
            made.iter()
                .map(|id| format!(r#"POST {USER}/devices {{"device_id":"{id}"}}"#)),
        );
        assert_eq!(requests(&server).await, expected);
    }
}

#[tokio::test]
async fn a_failure_ends_the_sync_of_devices() {
    let wanted = set(&["A", "B"]);
    for (answers, asked, part) in [
        (vec![done(200)], 1, "answers 200, but not what it was asked for"),
        (
            vec![devices(&[]), done(201)],
            2,
            "answers 201, but only 200 means that it is done",
        ),
        (
            vec![devices(&[]), done(200), done(200)],
            3,
            "answers 200, but only 201 means that it is done",
        ),
        (
            vec![devices(&[]), done(200), done(201), refusal(500, "M_UNKNOWN", "")],
            4,
            "answers 500 M_UNKNOWN.",
        ),
    ] {
        let server = replaying(answers).await;
        let (code, message, _) = shown(&synapse(&server).sync_devices("alice", &wanted).await.unwrap_err());
        assert_eq!(code, Code::HomeserverFailed);
        assert!(message.ends_with(part), "{message}");
        assert_eq!(requests(&server).await.len(), asked);
    }
}

#[tokio::test]
async fn a_sync_of_devices_that_never_ends_is_ended() {
    let limits = Limits {
        write: std::time::Duration::from_millis(400),
        device: std::time::Duration::ZERO,
        ..Limits::default()
    };
    let slow = |answer: ResponseTemplate| answer.set_delay(std::time::Duration::from_millis(150));
    let answers = [devices(&[]), done(200), done(201), done(201)].map(slow);
    let server = replaying(answers).await;
    let homeserver = LegacySynapse::new(&matrix(&server.uri()), limits);
    let (code, message, help) = shown(&homeserver.sync_devices("alice", &set(&["A", "B"])).await.unwrap_err());
    assert_eq!(code, Code::HomeserverUnreachable);
    assert!(message.ends_with("no answer within 0.4 s"), "{message}");
    assert!(help.starts_with("It may still do what it was asked to"), "{help}");
}

#[tokio::test]
async fn an_id_or_a_name_is_never_a_path_of_its_own() {
    let server = answering(done(200)).await;
    let homeserver = synapse(&server);
    homeserver.delete_device("a/../b?c#d%40", "a b/c?%2F~").await.unwrap();
    for device_id in ["", ".", ".."] {
        homeserver.delete_device("alice", device_id).await.unwrap();
        let error = homeserver
            .update_device_display_name("alice", device_id, "x")
            .await
            .unwrap_err();
        assert_eq!(shown(&error).0, Code::HomeserverUnsupported);
    }
    let expected = [
        "DELETE /_synapse/admin/v2/users/%40a%2F..%2Fb%3Fc%23d%2540%3Aexample.com/devices/a%20b%2Fc%3F%252F~"
            .to_owned(),
        format!(r#"POST {USER}/delete_devices {{"devices":[""]}}"#),
        format!(r#"POST {USER}/delete_devices {{"devices":["."]}}"#),
        format!(r#"POST {USER}/delete_devices {{"devices":[".."]}}"#),
    ];
    assert_eq!(requests(&server).await, expected);
}

#[tokio::test]
async fn a_success_that_is_not_the_expected_one_is_a_failure() {
    let server = answering(json_of(202, json!({ "devices": [] }))).await;
    for (call, result) in every_call(&synapse(&server)).await {
        let (code, message, _) = shown(&result.err().unwrap_or_else(|| panic!("{call} takes 202 for a success")));
        assert_eq!(code, Code::HomeserverFailed, "{call}");
        assert!(message.contains(" answers 202, but "), "{call}: {message}");
    }
}

#[tokio::test]
async fn what_a_wrong_setting_looks_like_is_explained() {
    for (answer, code, part) in [
        (
            refusal(503, "M_UNKNOWN", "Unable to introspect the access token"),
            Code::HomeserverFailed,
            "`experimental_features.msc3861`",
        ),
        (
            refusal(401, "M_UNKNOWN_TOKEN", "Token is not active"),
            Code::HomeserverRefused,
            "Synapse 1.157 and later have none",
        ),
        (
            refusal(400, "M_UNKNOWN", "This endpoint can only be used with local users"),
            Code::HomeserverFailed,
            "`matrix.homeserver` is the `server_name`",
        ),
        (
            refusal(400, "M_UNKNOWN", "Unable to parse email address"),
            Code::HomeserverFailed,
            "Look at the homeserver's log",
        ),
        (
            refusal(409, "M_UNKNOWN", "External id is already in use."),
            Code::HomeserverFailed,
            "`external_ids`",
        ),
        (
            refusal(404, "M_UNRECOGNIZED", "Unrecognized request"),
            Code::HomeserverFailed,
            "the resource `client`",
        ),
        (
            ResponseTemplate::new(502),
            Code::HomeserverFailed,
            "`/_synapse/admin/` and `/_matrix/client/`",
        ),
    ] {
        let server = answering(answer).await;
        let told = Provisioning::new("alice", sub(), false);
        let (shown, message, help) = shown(&synapse(&server).provision_user(&told).await.unwrap_err());
        assert_eq!(shown, code, "{message}");
        assert!(help.contains(part), "{message} {help}");
    }
}
