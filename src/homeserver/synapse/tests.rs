use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use super::*;
use crate::homeserver::transport::tests::{answering, every_call, matrix, refusal, replaying, requests, shown, sub};

fn synapse(server: &MockServer) -> Synapse {
    Synapse::new(&matrix(&server.uri()), Limits::default())
}

fn done(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({}))
}

#[tokio::test]
async fn a_free_localpart_is_available() {
    let server = answering(done(200)).await;
    let availability = synapse(&server).is_localpart_available("a/b+c=d").await.unwrap();
    assert_eq!(availability, Availability::Available);
    let asked = ["GET /_synapse/mas/is_localpart_available?localpart=a%2Fb%2Bc%3Dd"];
    assert_eq!(requests(&server).await, asked);
}

#[tokio::test]
async fn a_localpart_that_cannot_be_had_is_unavailable_with_the_reason() {
    let words = "User ID can only contain characters a-z, 0-9, or '=_-./+'";
    for (errcode, error, why) in [
        (
            "M_USER_IN_USE",
            "User ID already taken.",
            "the homeserver has a user of this name".to_owned(),
        ),
        (
            "M_EXCLUSIVE",
            "reserved",
            "an application service of the homeserver reserves it".to_owned(),
        ),
        (
            "M_INVALID_USERNAME",
            words,
            format!("the homeserver does not allow it ({words})"),
        ),
        ("M_INVALID_USERNAME", "", "the homeserver does not allow it".to_owned()),
    ] {
        let server = answering(refusal(400, errcode, error)).await;
        let availability = synapse(&server).is_localpart_available("alice").await.unwrap();
        assert_eq!(availability, Availability::Unavailable(why), "{errcode}");
    }
    let server = answering(refusal(400, "M_UNKNOWN", "must be ascii")).await;
    let error = synapse(&server).is_localpart_available("alice").await.unwrap_err();
    assert_eq!(error.code(), Code::HomeserverFailed);
}

#[tokio::test]
async fn of_what_no_user_can_have_nothing_is_asked() {
    let server = answering(done(200)).await;
    for localpart in ["ålice", &"a".repeat(256)] {
        let availability = synapse(&server).is_localpart_available(localpart).await.unwrap();
        assert!(matches!(availability, Availability::Unavailable(_)), "{localpart}");
        assert_eq!(
            synapse(&server).query_user(localpart).await.unwrap(),
            None,
            "{localpart}"
        );
    }
    assert_eq!(requests(&server).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_user_is_what_the_homeserver_says_or_nobody() {
    let server = replaying([
        ResponseTemplate::new(200).set_body_json(json!({
            "user_id": "@alice:example.com", "display_name": "Alice", "avatar_url": null,
            "is_suspended": true, "is_deactivated": false,
        })),
        refusal(404, "M_NOT_FOUND", "User not found"),
    ])
    .await;
    let homeserver = synapse(&server);
    let account = Account {
        user_id: "@alice:example.com".to_owned(),
        display_name: Some("Alice".to_owned()),
        avatar_url: None,
        suspended: true,
        deactivated: false,
    };
    assert_eq!(homeserver.query_user("alice").await.unwrap(), Some(account));
    assert_eq!(homeserver.query_user("bob").await.unwrap(), None);
    let asked = [
        "GET /_synapse/mas/query_user?localpart=alice",
        "GET /_synapse/mas/query_user?localpart=bob",
    ];
    assert_eq!(requests(&server).await, asked);
}

#[tokio::test]
async fn a_user_that_cannot_be_read_is_a_failure() {
    let long = json!({
        "user_id": "x".repeat(2 * ACCOUNT_LIMIT), "display_name": null, "avatar_url": null,
        "is_suspended": false, "is_deactivated": false,
    });
    for (body, what) in [
        ("not JSON".to_owned(), "not what it was asked for"),
        (String::new(), "not what it was asked for"),
        (
            json!({ "user_id": "@alice:example.com" }).to_string(),
            "not what it was asked for",
        ),
        (long.to_string(), "with more than masctl reads"),
    ] {
        let server = answering(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
        let (code, message, help) = shown(&synapse(&server).query_user("alice").await.unwrap_err());
        assert_eq!(code, Code::HomeserverFailed);
        assert!(message.ends_with(&format!("answers 200, but {what}")), "{message}");
        assert!(help.contains("`matrix.endpoint`"), "{help}");
    }
}

#[tokio::test]
async fn a_user_is_made_with_what_is_given_and_the_rest_is_left_alone() {
    let emails = ["a@example.com".to_owned()];
    let user = Provisioning::new("alice", sub(), false);
    let full = Provisioning {
        locked: true,
        emails: Some(&emails),
        display_name: Setting::Set("Alice"),
        avatar_url: Setting::Set("mxc://example.com/a"),
        ..user
    };
    let empty = Provisioning {
        emails: Some(&[]),
        display_name: Setting::Unset,
        avatar_url: Setting::Unset,
        ..user
    };
    for (user, body) in [
        (user, r#"{"localpart":"alice","locked":false}"#),
        (
            full,
            r#"{"localpart":"alice","locked":true,"set_displayname":"Alice","set_avatar_url":"mxc://example.com/a","set_emails":["a@example.com"]}"#,
        ),
        (
            empty,
            r#"{"localpart":"alice","locked":false,"unset_displayname":true,"unset_avatar_url":true,"set_emails":[]}"#,
        ),
    ] {
        let server = replaying([done(201), done(200)]).await;
        assert!(synapse(&server).provision_user(&user).await.unwrap());
        assert!(!synapse(&server).provision_user(&user).await.unwrap());
        assert_eq!(
            requests(&server).await[1],
            format!("POST /_synapse/mas/provision_user {body}")
        );
    }
}

#[tokio::test]
async fn a_user_that_another_made_just_now_exists() {
    let in_use = || refusal(400, "M_USER_IN_USE", "User ID already taken.");
    let user = Provisioning::new("alice", sub(), false);
    let server = replaying([in_use(), done(200)]).await;
    assert!(!synapse(&server).provision_user(&user).await.unwrap());
    let asked = r#"POST /_synapse/mas/provision_user {"localpart":"alice","locked":false}"#;
    assert_eq!(requests(&server).await, [asked, asked]);
    let server = replaying([in_use(), in_use()]).await;
    let (code, message, help) = shown(&synapse(&server).provision_user(&user).await.unwrap_err());
    assert_eq!(code, Code::HomeserverFailed);
    assert_eq!(
        message,
        "The homeserver makes no user `alice`: the homeserver has a user of this name"
    );
    assert!(help.contains("only by case"), "{help}");
}

#[tokio::test]
async fn a_device_that_another_removed_just_now_is_made_again() {
    let removed = || refusal(404, "M_UNKNOWN", "No row found (devices)");
    let server = replaying([removed(), done(201)]).await;
    synapse(&server).upsert_device("alice", "LAPTOP", None).await.unwrap();
    let asked = r#"POST /_synapse/mas/upsert_device {"localpart":"alice","device_id":"LAPTOP"}"#;
    assert_eq!(requests(&server).await, [asked, asked]);
    let server = replaying([removed(), removed()]).await;
    let (code, message, _) = shown(
        &synapse(&server)
            .upsert_device("alice", "LAPTOP", None)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, Code::HomeserverFailed);
    assert!(
        message.ends_with("answers 404 M_UNKNOWN: No row found (devices)."),
        "{message}"
    );
}

#[tokio::test]
async fn a_user_that_cannot_be_made_is_named_with_the_reason() {
    let user = Provisioning::new("Alice", sub(), false);
    let server = answering(refusal(400, "M_INVALID_USERNAME", "")).await;
    let (_, message, _) = shown(&synapse(&server).provision_user(&user).await.unwrap_err());
    assert_eq!(
        message,
        "The homeserver makes no user `Alice`: the homeserver does not allow it"
    );
    let server = answering(done(204)).await;
    let (_, message, _) = shown(&synapse(&server).provision_user(&user).await.unwrap_err());
    assert!(
        message.ends_with("answers 204, but only 201 or 200 means that it is done"),
        "{message}"
    );
    let server = answering(refusal(400, "M_UNKNOWN", "Unable to parse email address")).await;
    let (_, message, _) = shown(&synapse(&server).provision_user(&user).await.unwrap_err());
    assert!(
        message.ends_with("answers 400 M_UNKNOWN: Unable to parse email address."),
        "{message}"
    );
}

#[tokio::test]
async fn every_call_is_sent_as_synapse_takes_it() {
    let account = json!({
        "user_id": "@alice:example.com", "display_name": null, "avatar_url": null,
        "is_suspended": false, "is_deactivated": false,
    });
    let mut answers = vec![
        done(200),
        ResponseTemplate::new(200).set_body_json(account),
        done(201),
        done(201),
        done(200),
    ];
    answers.push(ResponseTemplate::new(204));
    answers.extend((0..6).map(|_| done(200)));
    let server = replaying(answers).await;
    for (call, result) in every_call(&synapse(&server)).await {
        result.expect(call);
    }
    synapse(&server)
        .upsert_device("alice", "LAPTOP", None)
        .await
        .unwrap_err();
    let expected = [
        "GET /_synapse/mas/is_localpart_available?localpart=alice",
        "GET /_synapse/mas/query_user?localpart=alice",
        r#"POST /_synapse/mas/provision_user {"localpart":"alice","locked":false}"#,
        r#"POST /_synapse/mas/upsert_device {"localpart":"alice","device_id":"LAPTOP","display_name":"Laptop"}"#,
        r#"POST /_synapse/mas/update_device_display_name {"localpart":"alice","device_id":"LAPTOP","display_name":"Laptop"}"#,
        r#"POST /_synapse/mas/delete_device {"localpart":"alice","device_id":"LAPTOP"}"#,
        r#"POST /_synapse/mas/sync_devices {"localpart":"alice","devices":["LAPTOP","PHONE"]}"#,
        r#"POST /_synapse/mas/delete_user {"localpart":"alice","erase":true}"#,
        r#"POST /_synapse/mas/reactivate_user {"localpart":"alice"}"#,
        r#"POST /_synapse/mas/set_displayname {"localpart":"alice","displayname":"Alice"}"#,
        r#"POST /_synapse/mas/unset_displayname {"localpart":"alice"}"#,
        r#"POST /_synapse/mas/allow_cross_signing_reset {"localpart":"alice"}"#,
        r#"POST /_synapse/mas/upsert_device {"localpart":"alice","device_id":"LAPTOP"}"#,
    ];
    assert_eq!(requests(&server).await, expected);
}

#[tokio::test]
async fn a_read_only_client_asks_but_changes_nothing() {
    let server = answering(refusal(404, "M_NOT_FOUND", "User not found")).await;
    let homeserver = Synapse::read_only(&matrix(&server.uri()), Limits::default());
    for (call, result) in every_call(&homeserver).await {
        if matches!(call, "is_localpart_available" | "query_user") {
            continue;
        }
        let (code, message, help) = shown(&result.expect_err(call));
        assert_eq!(code, Code::HomeserverUnsupported, "{call}");
        assert!(
            message.contains("`matrix.kind: synapse_read_only`"),
            "{call}: {message}"
        );
        assert_eq!(help, "Set `matrix.kind: synapse`, for MAS too.", "{call}");
    }
    let asked = [
        "GET /_synapse/mas/is_localpart_available?localpart=alice",
        "GET /_synapse/mas/query_user?localpart=alice",
    ];
    assert_eq!(requests(&server).await, asked);
}
