use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::{
    error::Code,
    model::{Id, SessionKind, Time, TokenFormat},
    operations::{Action, Effect, Subject, World, record::Queued},
};

const LOCK: Action = Action::new("user.lock", "Locked", "lock");

/// One execution, written by hand.
struct Execution {
    world: World,
    plan: Plan,
}

impl Execution {
    fn new(minutes: u32) -> Self {
        Self {
            world: World::fixed(minutes).recording(),
            plan: Plan::default(),
        }
    }

    fn row(&self) -> (Time, Id) {
        let now = self.world.now();
        (now, self.world.new_id(now))
    }

    fn changed(&mut self, before: &Value, after: &Value) {
        self.plan.record.changes.push(change("alice", before, after));
    }

    fn job(&mut self, payload: &Value) {
        self.plan.record.jobs += 1;
        self.plan.record.queued.push(Queued {
            queue: "provision-user".into(),
            payloads: payload.to_string(),
        });
    }

    fn device(&mut self, user: Id, session: Id, device_id: &str) {
        let effect = Effect::UpsertDevice {
            localpart: "alice".to_owned(),
            device_id: device_id.to_owned(),
            user,
            session: (SessionKind::Compatibility, session),
        };
        self.plan.record.effects.push(effect.into());
    }

    fn plan(mut self) -> Plan {
        self.plan.ledger = self.world.take_ledger();
        self.plan
    }
}

fn change(name: &str, before: &Value, after: &Value) -> Change {
    let subject = Subject {
        kind: "user",
        id: None,
        name: Some(name.to_owned()),
    };
    let mut change = Change::of(LOCK, subject);
    for (name, value) in before.as_object().unwrap() {
        change = change.before(name, value);
    }
    for (name, value) in after.as_object().unwrap() {
        change = change.after(name, value);
    }
    change
}

/// What is found when the same is done in both executions, which are an hour apart.
fn compared(perform: impl Fn(&mut Execution)) -> Result<()> {
    different(&perform, &perform)
}

fn different(first: impl Fn(&mut Execution), second: impl Fn(&mut Execution)) -> Result<()> {
    let (mut was, mut now) = (Execution::new(0), Execution::new(60));
    first(&mut was);
    second(&mut now);
    was.plan().same_as(&now.plan())
}

/// Where the first difference is, and the sentence about it.
fn difference(result: Result<()>) -> (String, String) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::PlanChanged);
    let help = error.help_text().unwrap();
    let sentence = help.strip_suffix(" Enter it again to see what it would change now.");
    let at = error.values()["at"].as_str().unwrap();
    (at.to_owned(), sentence.unwrap().to_owned())
}

fn at(result: Result<()>) -> String {
    difference(result).0
}

#[test]
fn what_was_handed_out_is_the_same_wherever_it_is() {
    compared(|it| {
        let (now, id) = it.row();
        let user: Id = "01GFWR28C4KNE04WG3HKXB7C9R".parse().unwrap();
        let uuid = uuid::Uuid::from(id).to_string();
        let device = it.world.device_id();
        it.changed(
            &json!({"locked_at": null}),
            &json!({"locked_at": now, "id": id, "device_id": device}),
        );
        it.changed(
            &json!({"locked_at": now}),
            &json!({"text": format!("at {now:?}, by x{id}x and {uuid}{device}."), "list": [{(id.to_string()): 7}]}),
        );
        it.job(&json!({"user_id": id, "uuid": uuid, "session": [id]}));
        it.device(user, id, &device);
    })
    .unwrap();
}

#[test]
fn secrets_are_the_same_and_in_no_difference() {
    let texts = |it: &Execution| -> Vec<SecretString> {
        vec![it.world.alphanumeric(12), it.world.token(TokenFormat::PersonalAccess)]
    };
    let shown = |it: &mut Execution, more: &str| {
        use secrecy::ExposeSecret;
        let texts = texts(it);
        let texts: Vec<&str> = texts.iter().map(ExposeSecret::expose_secret).collect();
        let after = json!({"data": format!("{}{more}", texts.concat())});
        it.changed(&json!({}), &after);
    };
    compared(|it| shown(it, "")).unwrap();
    let error = different(|it| shown(it, "a"), |it| shown(it, "b")).unwrap_err();
    assert_eq!(error.values()["was"], json!("<secret><secret>a"));
    assert_eq!(error.values()["now"], json!("<secret><secret>b"));
    assert_eq!(
        error.help_text().unwrap(),
        "`Would lock alice`: `data` would have become \"<secret><secret>a\", and would now become \"<secret><secret>b\". \
         Enter it again to see what it would change now."
    );
    let execution = Execution::new(0);
    let _ = texts(&execution);
    let world = format!("{:?}", execution.world);
    let debugged = format!("{world} {:?}", execution.plan());
    assert!(!debugged.contains("mpt_"), "{debugged}");
}

#[test]
fn one_stands_for_one() {
    let ids = |it: &mut Execution, order: [usize; 3]| {
        let ids: Vec<Id> = (0..3).map(|_| it.row().1).collect();
        for at in order {
            it.changed(&json!({}), &json!({"id": ids[at]}));
        }
    };
    different(|it| ids(it, [0, 1, 0]), |it| ids(it, [1, 2, 1])).unwrap();
    let found = different(|it| ids(it, [0, 1, 0]), |it| ids(it, [0, 1, 1]));
    assert_eq!(at(found), "changes[2].after.id");
    let found = different(|it| ids(it, [0, 1, 2]), |it| ids(it, [0, 1, 1]));
    assert_eq!(at(found), "changes[2].after.id");
    let as_uuid = |it: &mut Execution| {
        let uuid = uuid::Uuid::from(it.row().1).to_string();
        it.changed(&json!({}), &json!({"id": uuid}));
    };
    let found = different(|it| ids(it, [0, 0, 0]), as_uuid);
    assert_eq!(at(found), "changes[0]");
}

#[test]
fn what_was_not_handed_out_is_the_same_byte_for_byte() {
    let other: Id = "01GFWR28C4KNE04WG3HKXB7C9R".parse().unwrap();
    for (was, now) in [
        (json!(null), json!("2020-01-01T00:00:00Z")),
        (json!(1), json!(1.0)),
        (json!("a"), json!("b")),
        (json!([1]), json!([1, 2])),
        (json!({"a": 1}), json!({"b": 1})),
        (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1})),
        (json!("2020-01-01T00:00:00.5Z"), json!("2020-01-01T00:00:00.500Z")),
    ] {
        let found = different(
            |it| it.changed(&json!({}), &json!({"x": was})),
            |it| {
                it.changed(&json!({}), &json!({"x": now}));
            },
        );
        assert!(at(found).starts_with("changes[0].after.x"), "{was} {now}");
    }
    let found = different(
        |it| {
            let id = it.row().1;
            it.changed(&json!({}), &json!({"id": id}));
        },
        |it| it.changed(&json!({}), &json!({"id": other})),
    );
    assert_eq!(at(found), "changes[0].after.id");
}

#[test]
fn a_time_as_far_away_from_one_that_was_handed_out_is_the_same() {
    let expiring = |it: &mut Execution, seconds: i64| {
        let end = it.row().0 + TimeDelta::seconds(seconds);
        it.changed(&json!({}), &json!({"expires_at": end}));
        end
    };
    let once = |seconds| {
        move |it: &mut Execution| {
            let _ = expiring(it, seconds);
        }
    };
    compared(once(30 * 86_400)).unwrap();
    // What was found so may be read again.
    compared(|it| {
        let end = expiring(it, 60);
        it.changed(&json!({"expires_at": end}), &json!({"expires_at": null}));
    })
    .unwrap();
    let found = different(once(60), once(61));
    assert_eq!(
        difference(found),
        (
            "changes[0].after.expires_at".to_owned(),
            "`Would lock alice`: `expires_at` would have become \"2020-01-01T00:01:00.001Z\", \
             and would now become \"2020-01-01T01:01:01.001Z\"."
                .to_owned()
        )
    );
}

#[test]
fn a_time_that_somebody_else_wrote_in_between_differs() {
    // As far apart as both executions are.
    let read = |it: &mut Execution| {
        let seen = it.row().0 - TimeDelta::seconds(5);
        it.changed(&json!({"locked_at": seen}), &json!({}));
    };
    assert_eq!(
        difference(compared(read)),
        (
            "changes[0].before.locked_at".to_owned(),
            "`Would lock alice`: `locked_at` was \"2019-12-31T23:59:55.001Z\" when it was shown, \
             and is \"2020-01-01T00:59:55.001Z\" now."
                .to_owned()
        )
    );
}

#[test]
fn looks_at_the_clock_outside_of_deeds_do_not_count_in_them() {
    let deeds = |it: &mut Execution, reads: usize, fails: bool| {
        for _ in 0..2 {
            for _ in 0..reads {
                let _ = it.world.now();
            }
            if fails {
                it.world.record(Ledger::start_deed);
                let _ = it.row();
                it.world.record(|ledger| ledger.end_deed(false));
            }
            it.world.record(Ledger::start_deed);
            let now = it.row().0 + TimeDelta::days(1);
            it.world.record(|ledger| ledger.end_deed(true));
            it.changed(&json!({}), &json!({"expires_at": now}));
        }
    };
    different(|it| deeds(it, 1, false), |it| deeds(it, 7, true)).unwrap();
}

#[test]
fn what_is_missing_or_new_is_named() {
    let lock = |names: &'static [&'static str]| {
        move |it: &mut Execution| {
            let changes = names
                .iter()
                .map(|name| change(name, &json!({}), &json!({"locked": true})));
            it.plan.record.changes.extend(changes);
        }
    };
    assert_eq!(
        difference(different(lock(&["alice", "bob"]), lock(&["bob"]))),
        (
            "changes[0]".to_owned(),
            "`Would lock alice` is no longer among them.".to_owned()
        )
    );
    let noting = |it: &mut Execution| it.plan.record.notes.push("bob is locked already".to_owned());
    assert_eq!(
        difference(different(lock(&["bob"]), noting)).1,
        "`Would lock bob` is no longer among them: bob is locked already."
    );
    assert_eq!(
        difference(different(lock(&["alice"]), lock(&["alice", "bob"]))).1,
        "`Would lock bob` was not among them before."
    );
    assert_eq!(
        difference(different(lock(&["alice", "bob"]), lock(&["bob", "alice"]))).1,
        "It was `Would lock alice`, and is now `Would lock bob`."
    );
}

#[test]
fn effects_and_jobs_are_compared_whole() {
    let id = |last: char| -> Id { format!("01GFWR28C4KNE04WG3HKXB7C9{last}").parse().unwrap() };
    let device = |user, session, device: &'static str| move |it: &mut Execution| it.device(user, session, device);
    different(device(id('A'), id('B'), "X"), device(id('A'), id('B'), "X")).unwrap();
    let found = different(device(id('A'), id('B'), "X"), device(id('A'), id('B'), "Y"));
    assert_eq!(at(found), "effects[0].effect.device_id");
    let found = different(device(id('A'), id('B'), "X"), device(id('C'), id('B'), "X"));
    assert_eq!(at(found), "effects[0].user");
    let found = different(device(id('A'), id('B'), "X"), device(id('A'), id('C'), "X"));
    assert_eq!(at(found), "effects[0].session.1");

    let job = |name: &'static str| move |it: &mut Execution| it.job(&json!({"set_display_name": name}));
    assert_eq!(
        difference(different(job("Alice"), job("Alicia"))),
        (
            "jobs[0].payload.set_display_name".to_owned(),
            "Of job 1 that it queues, `provision-user`, `payload.set_display_name` was \"Alice\" when it was shown, \
             and is \"Alicia\" now."
                .to_owned()
        )
    );
    let two = |it: &mut Execution| {
        it.plan.record.jobs = 2;
        it.plan.record.queued.push(Queued {
            queue: "sync-devices".into(),
            payloads: "{}\n{}".to_owned(),
        });
    };
    different(two, two).unwrap();
    let three = |it: &mut Execution| {
        two(it);
        it.job(&json!({}));
    };
    assert_eq!(
        difference(different(two, three)).1,
        "It would have queued 2 jobs, and would now queue 3."
    );
}

#[test]
fn a_long_value_is_cut() {
    let found = different(
        |it| it.changed(&json!({}), &json!({"x": "é".repeat(5000)})),
        |it| {
            it.changed(&json!({}), &json!({"x": 1}));
        },
    );
    assert!(difference(found).1.len() < 500);
}
