//! The client of the homeserver: every call once, and what it fails with.

use std::{collections::BTreeSet, sync::Arc};

use masctl::{
    config::{HomeserverKind, Matrix},
    error::{Code, Result},
    homeserver::{Account, Availability, Homeserver, Provisioning, Setting, connect},
    model::Id,
};
use rstest::rstest;

use super::stage::known;
use crate::support::{
    synapse::{Known, SECRET, SERVER_NAME, Synapse, synapse},
    wait_for,
};

fn client(kind: HomeserverKind, endpoint: &str, secret: &str) -> Arc<dyn Homeserver> {
    connect(&Matrix {
        kind,
        homeserver: SERVER_NAME.to_owned(),
        endpoint: endpoint.parse().expect("it is a URL"),
        secret: secret.into(),
    })
}

fn modern() -> Arc<dyn Homeserver> {
    client(HomeserverKind::Synapse, &synapse().endpoint(), SECRET)
}

fn named(localpart: &str) -> Provisioning<'_> {
    Provisioning::new(localpart, Id::least(), false)
}

fn devices(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

/// Makes a device that MAS knows nothing of.
pub(super) fn make_device(localpart: &str, device: &str) {
    let (localpart, device) = (localpart.to_owned(), device.to_owned());
    wait_for(async move { modern().upsert_device(&localpart, &device, None).await }).expect("Synapse makes it");
}

fn account(localpart: &str) -> Account {
    Account {
        user_id: format!("@{localpart}:{SERVER_NAME}"),
        display_name: Some(localpart.to_owned()),
        avatar_url: None,
        suspended: false,
        deactivated: false,
    }
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn a_user_is_provisioned_and_changed() -> Result<()> {
    let homeserver = modern();
    let available = |localpart| homeserver.is_localpart_available(localpart);
    assert_eq!(available("c.new").await?, Availability::Available);
    assert_eq!(homeserver.query_user("c.new").await?, None);
    assert_eq!(synapse().known("c.new"), None);

    assert!(homeserver.provision_user(&named("c.new")).await?, "the user is new");
    assert_eq!(known("c.new"), Known::new("c.new"));
    assert_eq!(homeserver.query_user("c.new").await?, Some(account("c.new")));
    let taken = Availability::Unavailable("the homeserver has a user of this name".to_owned());
    assert_eq!(available("c.new").await?, taken);
    assert_eq!(homeserver.query_user("C.NEW").await?, None);

    let emails = ["b@c.example".to_owned(), "A@c.example".to_owned()];
    let full = Provisioning {
        locked: true,
        emails: Some(&emails),
        display_name: Setting::Set("Sea \"New\" 🌊"),
        avatar_url: Setting::Set("mxc://example.com/picture"),
        ..named("c.new")
    };
    assert!(!homeserver.provision_user(&full).await?, "the user is known");
    let changed = Known {
        locked: true,
        display_name: Some("Sea \"New\" 🌊".to_owned()),
        avatar_url: Some("mxc://example.com/picture".to_owned()),
        emails: vec!["a@c.example".to_owned(), "b@c.example".to_owned()],
        ..Known::default()
    };
    assert_eq!(known("c.new"), changed);

    homeserver.provision_user(&named("c.new")).await?;
    assert_eq!(
        known("c.new"),
        Known {
            locked: false,
            ..changed.clone()
        }
    );
    let bare = Provisioning {
        emails: Some(&[]),
        display_name: Setting::Unset,
        avatar_url: Setting::Unset,
        ..named("c.new")
    };
    homeserver.provision_user(&bare).await?;
    assert_eq!(known("c.new"), Known::default());
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn devices_and_names_come_and_go() -> Result<()> {
    let homeserver = modern();
    homeserver.provision_user(&named("c.devices")).await?;
    let new = Known::new("c.devices");
    homeserver.upsert_device("c.devices", "ONE", None).await?;
    homeserver.upsert_device("c.devices", "TWO", Some("Second")).await?;
    homeserver.upsert_device("c.devices", "TWO", None).await?;
    let device = |id: &str, name: Option<&str>| (id.to_owned(), name.map(str::to_owned));
    let both = vec![device("ONE", None), device("TWO", Some("Second"))];
    assert_eq!(
        known("c.devices"),
        Known {
            devices: both,
            ..new.clone()
        }
    );

    homeserver
        .update_device_display_name("c.devices", "ONE", "First")
        .await?;
    homeserver.delete_device("c.devices", "TWO").await?;
    homeserver.delete_device("c.devices", "TWO").await?;
    let first = vec![device("ONE", Some("First"))];
    assert_eq!(
        known("c.devices"),
        Known {
            devices: first,
            ..new.clone()
        }
    );

    homeserver
        .sync_devices("c.devices", &devices(&["THREE", "FOUR"]))
        .await?;
    assert_eq!(known("c.devices"), new.clone().with_devices(&["FOUR", "THREE"]));
    homeserver.sync_devices("c.devices", &devices(&[])).await?;
    assert_eq!(known("c.devices"), new.clone());

    homeserver.set_display_name("c.devices", "Sea").await?;
    assert_eq!(known("c.devices").display_name, Some("Sea".to_owned()));
    homeserver.unset_display_name("c.devices").await?;
    assert_eq!(known("c.devices"), Known::default());
    homeserver.allow_cross_signing_reset("c.devices").await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn a_user_is_deactivated_and_comes_back_without_what_it_had() -> Result<()> {
    let homeserver = modern();
    let emails = ["gone@c.example".to_owned()];
    for (localpart, erase) in [("c.kept", false), ("c.erased", true)] {
        homeserver
            .provision_user(&Provisioning {
                emails: Some(&emails),
                display_name: Setting::Set("Sea"),
                ..named(localpart)
            })
            .await?;
        homeserver.upsert_device(localpart, "ONE", None).await?;
        let gone = Known {
            deactivated: true,
            erased: erase,
            display_name: (!erase).then(|| "Sea".to_owned()),
            ..Known::default()
        };
        for _ in 0..2 {
            homeserver.delete_user(localpart, erase).await?;
            assert_eq!(known(localpart), gone);
        }
        let queried = homeserver.query_user(localpart).await?;
        assert!(queried.is_some_and(|account| account.deactivated));
        // Telling of it does not bring it back.
        homeserver.provision_user(&named(localpart)).await?;
        assert_eq!(known(localpart), gone);
        for _ in 0..2 {
            homeserver.reactivate_user(localpart).await?;
            let back = Known {
                deactivated: false,
                erased: false,
                ..gone.clone()
            };
            assert_eq!(known(localpart), back);
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn one_new_localpart_that_many_provision_at_once_is_made_once() -> Result<()> {
    for round in 0..3 {
        let localpart = format!("c.race{round}");
        let all = (0..8).map(|_| {
            // A client of its own, as another masctl has.
            let (homeserver, localpart) = (modern(), localpart.clone());
            tokio::spawn(async move { homeserver.provision_user(&named(&localpart)).await })
        });
        let all: Vec<_> = all.collect();
        let mut new = 0;
        for one in all {
            new += u32::from(one.await.expect("it does not panic")?);
        }
        assert_eq!(new, 1);
        assert_eq!(known(&localpart), Known::new(&localpart));
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn a_read_only_homeserver_is_asked_but_not_changed() -> Result<()> {
    modern().provision_user(&named("c.read")).await?;
    let homeserver = client(HomeserverKind::SynapseReadOnly, &synapse().endpoint(), SECRET);
    assert_eq!(
        homeserver.is_localpart_available("c.unread").await?,
        Availability::Available
    );
    assert_eq!(homeserver.query_user("c.read").await?, Some(account("c.read")));
    let refused = [
        homeserver.provision_user(&named("c.unread")).await.map(drop),
        homeserver.upsert_device("c.read", "ONE", None).await,
        homeserver.update_device_display_name("c.read", "ONE", "First").await,
        homeserver.delete_device("c.read", "ONE").await,
        homeserver.sync_devices("c.read", &devices(&["ONE"])).await,
        homeserver.delete_user("c.read", true).await,
        homeserver.reactivate_user("c.read").await,
        homeserver.set_display_name("c.read", "Sea").await,
        homeserver.unset_display_name("c.read").await,
        homeserver.allow_cross_signing_reset("c.read").await,
    ];
    let codes: BTreeSet<_> = refused
        .iter()
        .map(|refused| refused.as_ref().map_err(|error| error.code().as_str()))
        .collect();
    assert_eq!(codes, BTreeSet::from([Err(Code::HomeserverUnsupported.as_str())]));
    assert_eq!(synapse().known("c.unread"), None);
    assert_eq!(known("c.read"), Known::new("c.read"));
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn a_user_that_is_not_there_is_named() {
    let homeserver = modern();
    let refused = [
        homeserver.upsert_device("c.nobody", "ONE", None).await,
        homeserver.update_device_display_name("c.nobody", "ONE", "First").await,
        homeserver.delete_device("c.nobody", "ONE").await,
        homeserver.sync_devices("c.nobody", &devices(&["ONE"])).await,
        homeserver.delete_user("c.nobody", false).await,
        homeserver.reactivate_user("c.nobody").await,
        homeserver.set_display_name("c.nobody", "Sea").await,
        homeserver.unset_display_name("c.nobody").await,
        homeserver.allow_cross_signing_reset("c.nobody").await,
    ];
    for refused in refused {
        let error = refused.expect_err("there is no such user");
        assert_eq!(error.code(), Code::HomeserverFailed);
        assert!(error.message().contains("no user `c.nobody`"), "{error}");
    }
    assert_eq!(synapse().known("c.nobody"), None);
}

#[rstest]
#[case::upper_case("C.Upper")]
#[case::underscore("_c.under")]
#[case::digits("20240501")]
#[case::space("c. space")]
#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn a_localpart_that_synapse_refuses_is_unavailable_and_not_made(#[case] localpart: &str) -> Result<()> {
    let homeserver = modern();
    let availability = homeserver.is_localpart_available(localpart).await?;
    let Availability::Unavailable(why) = availability else {
        panic!("{localpart} is available");
    };
    assert!(why.starts_with("the homeserver does not allow it ("), "{why}");
    let error = homeserver
        .provision_user(&named(localpart))
        .await
        .expect_err("it is refused");
    assert_eq!(error.code(), Code::HomeserverFailed);
    let said = format!("The homeserver makes no user `{localpart}`: {why}");
    assert_eq!(error.message(), said);
    assert_eq!(synapse().known(localpart), None);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn a_wrong_secret_is_refused_and_not_shown() {
    for kind in [HomeserverKind::Synapse, HomeserverKind::SynapseReadOnly] {
        let homeserver = client(kind, &synapse().endpoint(), "guessed-Eeph7oop");
        let error = homeserver
            .query_user("c.secret")
            .await
            .expect_err("the secret is wrong");
        assert_eq!(error.code(), Code::HomeserverRefused);
        assert!(!format!("{error} {error:?}").contains("guessed"), "{error:?}");
    }
}

#[tokio::test]
#[ignore = "needs a Synapse: tests/run --synapse"]
async fn a_synapse_that_knows_of_no_mas_says_so() {
    // Another thread may wait for it: this one runs the test's own timers.
    let stranger = tokio::task::spawn_blocking(|| Synapse::start(false)).await;
    let stranger = stranger.expect("it starts");
    let homeserver = client(HomeserverKind::Synapse, &stranger.endpoint(), SECRET);
    let error = homeserver
        .query_user("c.stranger")
        .await
        .expect_err("it has no such API");
    assert_eq!(error.code(), Code::HomeserverFailed);
    assert!(error.message().contains("has no MAS integration enabled"), "{error}");
}
