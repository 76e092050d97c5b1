//! What belongs to one account, as the commands ask for it, and their lists.

use masctl::{
    model::{AccessKind, Id, SessionKind, Time, User},
    storage::{
        Connection, access_tokens, devices, emails, links, registration_tokens,
        sessions::{self, session, session_count, session_page, sessions_end, sessions_end_of_device, sessions_finish},
        users,
    },
};
use sha2::{Digest, Sha256};

use super::{CLIENT, ask};
use crate::support::{
    cast::{id, time},
    plans::Plans,
};

pub(super) async fn ask_for_emails(store: &mut Connection, plans: &Plans, wrong: &mut Vec<String>, user: &User) {
    let (own, id, start) = ("USER77778@78.example.com", user.id, Id::least());
    ask!(plans, wrong, store, emails::email_of_user(store, id, own));
    ask!(plans, wrong, store, emails::email_other_owner(store, id, own));
    ask!(plans, wrong, store, emails::addresses_of_user(store, id));
    let owners = ask!(plans, wrong, store, emails::email_owner_page(store, own, start, 100));
    assert_eq!(owners, std::slice::from_ref(user));
    let of_user = emails::Filter {
        user: Some(id),
        ..emails::Filter::default()
    };
    let of_address = emails::Filter {
        address: Some(own.to_owned()),
        ..emails::Filter::default()
    };
    for filter in [of_user, of_address] {
        let page = ask!(plans, wrong, store, emails::email_page(store, &filter, start, 100));
        assert_eq!(page.len(), 1, "{filter:?}");
        assert_eq!(ask!(plans, wrong, store, emails::email_count(store, &filter)), 1);
    }
    let of_domain = |domain: &str| emails::Filter {
        domain: Some(domain.to_owned()),
        ..emails::Filter::default()
    };
    for (filter, expected) in [
        (emails::Filter::default(), 100),
        (of_domain("78.example.com"), 100),
        (of_domain("example.org"), 0),
    ] {
        let page = ask!(plans, wrong, store, emails::email_page(store, &filter, start, 100));
        assert_eq!(page.len(), expected, "{filter:?}");
    }
    let twice = ask!(plans, wrong, store, emails::email_duplicate_page(store, None, 100));
    assert_eq!(twice, []);
}

pub(super) async fn ask_for_links(store: &mut Connection, plans: &Plans, wrong: &mut Vec<String>, user: &User) {
    let provider = id("00000000000000000000000002");
    let filters = [
        (links::Filter::default(), 100),
        (only(|it| it.user = Some(user.id)), 1),
        (only(|it| it.provider = Some(provider)), 100),
        (only(|it| it.subject = Some("subject77778".to_owned())), 1),
        (
            only(|it| (it.provider, it.subject) = (Some(provider), Some("subject77778".to_owned()))),
            1,
        ),
        (only(|it| it.orphan = Some(true)), 100),
        (only(|it| it.orphan = Some(false)), 100),
        (only(|it| (it.user, it.conflicting) = (Some(user.id), true)), 0),
        (only(|it| it.created_after = Some(time("2023-01-02T03:30:00Z"))), 100),
        (only(|it| it.created_before = Some(time("2023-01-01T00:00:00Z"))), 0),
    ];
    for (filter, expected) in filters {
        let page = ask!(plans, wrong, store, links::link_page(store, &filter, None, 100));
        assert_eq!(page.len(), expected, "{filter:?}");
        if let Some(last) = page.last() {
            ask!(plans, wrong, store, links::link_page(store, &filter, Some(last), 100));
        }
    }
    let own = only(|it| it.user = Some(user.id));
    assert_eq!(ask!(plans, wrong, store, links::link_count(store, &own)), 1);
    let link = ask!(
        plans,
        wrong,
        store,
        links::link_by_subject(store, provider, "subject77778")
    );
    let link = link.expect("there is one");
    assert!(ask!(plans, wrong, store, links::link(store, link.id)).is_some());
    assert!(ask!(plans, wrong, store, links::link_for_change(store, link.id)).is_some());
}

fn only(set: impl FnOnce(&mut links::Filter)) -> links::Filter {
    let mut filter = links::Filter::default();
    set(&mut filter);
    filter
}

pub(super) async fn ask_for_tokens(store: &mut Connection, plans: &Plans, wrong: &mut Vec<String>, user: &User) {
    let (now, start) = (user.created_at, Id::least());
    let valid_of_user = access_tokens::Filter {
        user: Some(user.id),
        valid: Some(true),
        ..access_tokens::Filter::default()
    };
    // MAS has no index that finds the revoked personal tokens of a session: all are gone through for those of a user.
    let of_user = access_tokens::Filter {
        user: Some(user.id),
        kind: Some(AccessKind::Compatibility),
        ..access_tokens::Filter::default()
    };
    let recent = access_tokens::Filter {
        created_after: Some(time("2023-01-02T03:30:00Z")),
        ..access_tokens::Filter::default()
    };
    for (filter, expected) in [
        (&access_tokens::Filter::default(), 100),
        (&of_user, 1),
        // Its session is over.
        (&valid_of_user, 0),
        (&recent, 100),
    ] {
        let page = ask!(
            plans,
            wrong,
            store,
            access_tokens::access_token_page(store, filter, now, (start, 100))
        );
        assert_eq!(page.len(), expected, "{filter:?}");
    }
    assert_eq!(
        ask!(
            plans,
            wrong,
            store,
            access_tokens::access_token_count(store, &of_user, now)
        ),
        1
    );
    ask_for_token(store, plans, wrong, now).await;
}

async fn ask_for_token(store: &mut Connection, plans: &Plans, wrong: &mut Vec<String>, now: Time) {
    let text = "mct_77778".into();
    let found = ask!(
        plans,
        wrong,
        store,
        access_tokens::compatibility_token_by_text(store, &text)
    );
    let token = found.expect("there is one");
    let text = "mcr_77778".into();
    let found = ask!(
        plans,
        wrong,
        store,
        access_tokens::compatibility_token_by_refresh_token(store, &text)
    );
    assert_eq!(found, Some(token));
    let sha256 = Sha256::digest("77780").into();
    let found = ask!(
        plans,
        wrong,
        store,
        access_tokens::personal_token_by_sha256(store, &sha256)
    );
    let personal = found.expect("there is one");
    for (kind, id) in [(AccessKind::Compatibility, token), (AccessKind::Personal, personal)] {
        let found = ask!(plans, wrong, store, access_tokens::access_token(store, id, now));
        let session = found.expect("there is one").session_id;
        let newest = ask!(plans, wrong, store, access_tokens::newest_token(store, kind, session));
        assert_eq!(newest, Some(id));
        ask!(plans, wrong, store, access_tokens::session_lock(store, kind, session));
    }
    assert!(ask!(plans, wrong, store, access_tokens::is_refreshable(store, token)));
    let found = ask!(
        plans,
        wrong,
        store,
        registration_tokens::registration_token_by_text(store, "token77778", now)
    );
    assert!(found.is_some());
    let all = registration_tokens::Filter::default();
    let page = ask!(
        plans,
        wrong,
        store,
        registration_tokens::registration_token_page(store, &all, now, (Id::least(), 100))
    );
    assert_eq!(page.len(), 100);
}

pub(super) async fn ask_for_sessions(store: &mut Connection, plans: &Plans, wrong: &mut Vec<String>, user: &User) {
    let (start, now) = (Id::least(), user.created_at);
    let all = sessions::Filter::default();
    let of_user = sessions::Filter {
        user: Some(user.id),
        ..sessions::Filter::default()
    };
    let of_client = sessions::Filter {
        client: Some(id(CLIENT)),
        ..sessions::Filter::default()
    };
    for filter in [&all, &of_user, &of_client] {
        let page = ask!(plans, wrong, store, session_page(store, filter, start, 100));
        assert!(!page.is_empty(), "{filter:?}");
        assert!(ask!(plans, wrong, store, session(store, page[0].id)).is_some());
    }
    assert_eq!(ask!(plans, wrong, store, session_count(store, &of_user)), 3);
    ask!(plans, wrong, store, devices::devices_of_user(store, user.id));
    ask!(
        plans,
        wrong,
        store,
        sessions_end_of_device(store, user.id, "DEVICE", now)
    );
    for kind in SessionKind::ALL {
        let filter = sessions::Filter {
            kind: Some(kind),
            ..of_user.clone()
        };
        ask!(plans, wrong, store, session_page(store, &filter, start, 100));
        ask!(plans, wrong, store, users::user_activity(store, kind, user.id));
        ask!(plans, wrong, store, sessions_end(store, kind, user.id, now));
        ask!(plans, wrong, store, sessions_finish(store, &filter, kind, start, now));
    }
}
