//! What the homeserver knows of users, as scripts ask for it.

use masctl::error::{Code, Error};
use serde_json::json;

use crate::support::{homeserver::Mood, scripted::Stage, store::Store};

const NEEDS: [&str; 2] = ["users:write", "homeserver:read"];

fn connected(name: &str) -> Stage {
    let stage = Stage::open(Store::Postgres, name, "{}");
    stage.take_requests();
    stage
}

fn refused(stage: &Stage, body: &str) -> (Code, String) {
    let error: Error = stage.run(&NEEDS, &[], body).expect_err(body);
    (error.code(), error.message().to_owned())
}

#[test]
fn an_account_there_has_its_fields_and_none_is_nothing() {
    let stage = connected("homeserver_accounts_found");
    let body = "[homeserver::connected(), homeserver::get(\"@alice:example.com\"), homeserver::find(\"nobody\"), \
         homeserver::find(\"Alice\"), homeserver::get(\"bob\").display_name, homeserver::get(\"bob\").avatar_url]";
    let alice = json!({
        "mxid": "@alice:example.com",
        "display_name": "alice",
        "avatar_url": null,
        "suspended": false,
        "deactivated": false,
    });
    assert_eq!(
        stage.run(&NEEDS, &[], body).unwrap().result,
        json!([true, alice, null, null, "bob", null])
    );
    assert_eq!(
        refused(&stage, "homeserver::get(\"nobody\")"),
        (
            Code::UserNotFound,
            "The homeserver has no user of this name: nobody".to_owned()
        )
    );
    assert_eq!(
        refused(&stage, "homeserver::find(\"@alice:example.org\")").0,
        Code::UserForeign
    );
    assert_eq!(refused(&stage, "homeserver::find(\"@\")").0, Code::UsernameInvalid);
}

#[test]
fn many_are_asked_for_in_the_order_of_their_names() {
    let stage = connected("homeserver_accounts_many");
    let body = "let names = []; \
         for i in 0..40 { names.push(if i % 4 == 0 { \"alice\" } else if i % 4 == 1 { \"bob\" } else { `nobody${i}` }); } \
         homeserver::find_all(names).map(|it| if it == () { \"-\" } else { it.display_name })";
    let expected: Vec<_> = (0..40).map(|i| ["alice", "bob", "-", "-"][i % 4]).collect();
    assert_eq!(stage.run(&NEEDS, &[], body).unwrap().result, json!(expected));
    assert_eq!(stage.take_requests().len(), 40);
    assert_eq!(
        stage.run(&NEEDS, &[], "homeserver::find_all([])").unwrap().result,
        json!([])
    );
    assert_eq!(
        refused(&stage, "homeserver::find_all([\"alice\", 1])").0,
        Code::ValueInvalid
    );
    assert_eq!(
        refused(&stage, "homeserver::find_all([\"alice\", \"a:b\"])").0,
        Code::UserForeign
    );
    assert_eq!(stage.take_requests(), [""; 0]);
}

#[test]
fn a_homeserver_that_fails_is_an_error_also_for_many() {
    let stage = connected("homeserver_accounts_down");
    stage.store.homeserver().unwrap().set_mood(Mood::Page);
    for body in [
        "homeserver::find(\"alice\")",
        "homeserver::find_all([\"alice\", \"bob\"])",
    ] {
        assert_eq!(refused(&stage, body).0, Code::HomeserverFailed, "{body}");
    }
}

#[test]
fn nobody_is_asked_while_changes_wait() {
    let stage = connected("homeserver_accounts_writing");
    for body in [
        "homeserver::find(\"alice\")",
        "homeserver::get(\"alice\")",
        "homeserver::find_all([\"alice\"])",
    ] {
        let (code, message) = refused(&stage, &format!("users::get(\"alice\").lock(); {body}"));
        assert_eq!(code, Code::RunWriting, "{body}");
        assert_eq!(
            message,
            "The homeserver cannot be asked while changes wait to be committed"
        );
    }
    assert_eq!(stage.take_requests(), [""; 0]);
}

#[test]
fn a_store_that_stands_alone_has_nobody_to_ask() {
    let stage = Stage::open(Store::Sqlite, "homeserver_accounts_alone", "{}");
    assert_eq!(
        stage.run(&NEEDS, &[], "homeserver::connected()").unwrap().result,
        json!(false)
    );
    for body in [
        "homeserver::find(\"alice\")",
        "homeserver::get(\"alice\")",
        "homeserver::find_all([])",
    ] {
        let expected = "There is no homeserver to ask: this store stands alone".to_owned();
        assert_eq!(refused(&stage, body), (Code::HomeserverUnsupported, expected), "{body}");
    }
}
