//! How PostgreSQL finds what masctl asks for where there are many accounts: by MAS's indexes, whatever is asked.
//!
//! Each question is asked seven times: PostgreSQL makes a plan for the values five times, and may then make one for all
//! values.

mod belongings;
mod populace;

use std::collections::HashMap;

use masctl::{
    model::{Id, SessionKind},
    storage::{
        self, Connection, emails, passwords,
        users::{self, Filter},
    },
};

use self::{
    belongings::{ask_for_emails, ask_for_links, ask_for_sessions, ask_for_tokens},
    populace::populace,
};

use crate::support::{
    cast::{id, time},
    plans::{Plans, indexes, scanned},
    specimen::{Specimen, execute},
    store::Store,
};

const ACCOUNTS: u32 = 100_000;

/// One of ten clients, with a session of one of ten accounts.
const CLIENT: &str = "00000000000000000000000005";

/// Asks a question until PostgreSQL has settled on a plan, and notes each plan that reads a table from beginning to end.
macro_rules! ask {
    ($plans:ident, $wrong:ident, $store:ident, $question:expr) => {{
        let mut answer = None;
        for _ in 0..7 {
            answer = Some($question.await.expect(stringify!($question)));
            let told = $plans.take();
            assert!(!told.is_empty(), "{} has no plan", stringify!($question));
            for (statement, plan) in told {
                let mut tables = $crate::support::plans::scanned(&plan);
                // There are few, and it is read whole before anything else.
                tables.retain(|table| table != "upstream_oauth_providers");
                if !tables.is_empty() {
                    $wrong.push(format!(
                        "{} reads all of {tables:?}: {statement}\n{plan:#}",
                        stringify!($question)
                    ));
                }
            }
        }
        answer.expect("it was asked")
    }};
}
use ask;

#[tokio::test]
async fn everything_is_found_by_an_index() {
    let specimen = Specimen::create_empty(Store::Postgres).await;
    specimen.seed(&populace());
    // Only a superuser may load what tells the plans.
    let database = specimen.configuration.database().expect("it was read before");
    let mut connection = storage::open(&database).await.expect("the store is there");
    let plans = Plans::listen(&mut connection).await;
    // What reads all of a table is heard of.
    let counted = Filter {
        admin: Some(true),
        ..Filter::default()
    };
    drop(users::user_count(&mut connection, &counted).await);
    let told: Vec<_> = plans.take().iter().flat_map(|(_, plan)| scanned(plan)).collect();
    assert_eq!(told, ["users"]);
    let mut wrong = Vec::new();
    ask_for_one(&mut connection, &plans, &mut wrong).await;
    list(&mut connection, &plans, &mut wrong).await;
    assert_eq!(wrong, [""; 0]);
    execute(&mut connection, "SET auto_explain.log_min_duration = -1").await;
    count(&mut connection).await;
    // They take more of the disk than all other tests.
    specimen.seed("TRUNCATE users, user_registration_tokens, upstream_oauth_providers CASCADE");
}

/// An account, and what belongs to it.
async fn ask_for_one(store: &mut Connection, plans: &Plans, wrong: &mut Vec<String>) {
    let user = ask!(plans, wrong, store, users::user_by_name(store, "USER77778")).expect("there is one");
    let alone = [user.clone()];

    assert!(ask!(plans, wrong, store, users::user_exists(store, "USER77778")));
    let found = ask!(plans, wrong, store, users::user_by_id(store, user.id));
    assert_eq!(found.as_ref(), Some(&user));
    let names = ask!(plans, wrong, store, users::usernames(store, [user.id]));
    assert_eq!(names, HashMap::from([(user.id, "user77778".to_owned())]));
    let found = ask!(
        plans,
        wrong,
        store,
        emails::email_owner_page(store, "USER77778@78.example.com", Id::least(), 9)
    );
    assert_eq!(found, alone);

    ask!(plans, wrong, store, passwords::password_of_user(store, user.id));
    ask!(plans, wrong, store, users::user_terms(store, user.id));
    ask!(plans, wrong, store, users::user_third_party_ids(store, user.id));
    ask!(plans, wrong, store, users::user_jobs(store, user.id));
    ask_for_emails(store, plans, wrong, &user).await;
    ask_for_links(store, plans, wrong, &user).await;
    ask_for_tokens(store, plans, wrong, &user).await;
    ask_for_sessions(store, plans, wrong, &user).await;
}

/// Filters that an index serves, with the index, and how many accounts fit.
fn indexed() -> Vec<(Filter, &'static str, u64)> {
    let search = |text: &str| Filter {
        search: Some(text.to_owned()),
        ..Filter::default()
    };
    let from = Some(time("2023-01-01T12:00:00Z"));
    let to = Some(time("2023-01-01T12:00:10Z"));
    vec![
        (Filter::default(), "users_pkey", u64::from(ACCOUNTS)),
        (search("SER77778"), "users_username_trgm_idx", 1),
        (search("user"), "users_pkey", u64::from(ACCOUNTS)),
        (
            Filter {
                created_after: from,
                created_before: to,
                ..Filter::default()
            },
            "users_pkey",
            10,
        ),
        (
            Filter {
                created_after: from,
                ..Filter::default()
            },
            "users_pkey",
            u64::from(ACCOUNTS) - 12 * 60 * 60 + 1,
        ),
        (
            Filter {
                created_after: from,
                created_before: to,
                ..search("user432")
            },
            "users_pkey",
            10,
        ),
    ]
}

/// Filters that no index serves, and how many accounts fit: the primary key is walked, and all else is looked up by user.
fn walked() -> Vec<(Filter, u64)> {
    macro_rules! only {
        ($($field:ident: $value:expr),+ => $count:expr) => {
            (Filter { $($field: Some($value),)+ ..Filter::default() }, $count)
        };
    }
    let noon = time("2023-01-01T12:00:00Z");
    let (provider, client) = (id("00000000000000000000000002"), id(CLIENT));
    let before = 12 * 60 * 60 - 1;
    let all = u64::from(ACCOUNTS);
    vec![
        only!(search: "99".to_owned() => 3_691),
        only!(active: true => all - 2_000 - 2_500 + 500),
        only!(locked: true => 2_000),
        only!(deactivated: true => 2_500),
        only!(admin: true => 100),
        only!(guest: true => 0),
        only!(has_password: false => all / 2),
        only!(has_email: false => all / 10),
        only!(email_domain: "77.EXAMPLE.com".to_owned() => 1_000),
        only!(linked: true => all / 2),
        only!(linked: false => all / 2),
        only!(provider: provider => all / 4),
        only!(provider: provider, linked: false => all - all / 4),
        only!(session: SessionKind::Browser => all - all / 3),
        only!(session: SessionKind::Compatibility => all - all / 3),
        only!(session: SessionKind::OAuth => all - all / 3),
        only!(session: SessionKind::Personal => 6_667),
        only!(client: client => 6_667),
        only!(active_after: noon => all - before),
        only!(active_before: noon => before),
        only!(created_after: noon, locked: true => 1_137),
        only!(created_before: noon, has_email: false => 4_319),
    ]
}

/// The pages of lists.
async fn list(store: &mut Connection, plans: &Plans, wrong: &mut Vec<String>) {
    for (filter, index, count) in indexed() {
        let page = ask!(plans, wrong, store, users::user_page(store, &filter, Id::least(), 1000));
        assert_eq!(page.len() as u64, count.min(1000), "{filter:?}");
        drop(users::user_page(store, &filter, page[0].id, 1000).await);
        let (_, plan) = plans.take().pop().expect("it has a plan");
        if indexes(&plan) != [index] {
            wrong.push(format!("{filter:?} is not found by {index}:\n{plan:#}"));
        }
    }
    // From here to the end it is one window.
    let near_the_end = Id::new(time("2023-01-02T03:30:00Z"), 0);
    for (filter, _) in walked() {
        let after = if filter.created_before.is_some() {
            Id::least()
        } else {
            near_the_end
        };
        ask!(plans, wrong, store, users::user_page(store, &filter, after, 1000));
    }
}

/// Who is counted is who is listed, page by page over all windows; of many, the first page is enough.
async fn count(store: &mut Connection) {
    let indexed = indexed().into_iter().map(|(filter, _, count)| (filter, count));
    for (filter, expected) in indexed.chain(walked()) {
        let count = users::user_count(store, &filter).await.expect("the SQL is right");
        assert_eq!(u64::try_from(count), Ok(expected), "{filter:?}");
        let (mut after, mut listed) = (Id::least(), 0);
        loop {
            let page = users::user_page(store, &filter, after, 1000)
                .await
                .expect("the SQL is right");
            listed += page.len() as u64;
            match page.last() {
                Some(last) if expected <= 10_000 => after = last.id,
                _ => break,
            }
        }
        let wanted = if expected <= 10_000 { expected } else { 1000 };
        assert_eq!(listed, wanted, "{filter:?}");
    }
}
