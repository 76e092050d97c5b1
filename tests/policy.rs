//! Policy data as scripts set it.

use masctl::error::Code;
use rstest::rstest;
use serde_json::json;

use crate::support::{scripted::Stage, store::Store};

const NEEDS: [&str; 1] = ["policy:write"];

/// Ids of one millisecond are in no order, but what is set last must be in force.
#[rstest]
fn what_is_set_last_is_in_force_however_fast(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = Stage::open(kind, &format!("policy_fast_{kind:?}").to_lowercase(), "");
    let script = r"
        let wrong = [];
        for number in 0..50 {
            policy::set(#{ number: number });
            if policy::latest().data.number != number { wrong.push(number); }
        }
        wrong
    ";
    let outcome = stage.run_now(&NEEDS, script).unwrap();
    assert_eq!(outcome.result, json!([]));
    assert_eq!(stage.rows("SELECT count(*) FROM policy_data"), ["50"]);
}

#[rstest]
fn what_is_no_json_is_refused(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let stage = Stage::open(kind, &format!("policy_bad_{kind:?}").to_lowercase(), "");
    for data in ["args.secret", "|x| x", "users::localpart"] {
        let script = format!("policy::set(#{{ a: [{data}] }})");
        let secrets = [("secret", "correct horse")];
        let refused = stage.run(&NEEDS, &secrets, &script).unwrap_err();
        assert!(!refused.to_string().contains("correct horse"), "{refused}");
        let expected = if data.contains("::") {
            Code::ScriptFailed
        } else {
            Code::PolicyInvalid
        };
        assert_eq!(refused.code(), expected, "{data}: {refused}");
    }
    assert_eq!(stage.rows("SELECT count(*) FROM policy_data"), ["0"]);
}
